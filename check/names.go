package check

import "strconv"

// The names of the public lists that checks refer to, as their authors have
// them. A check whose class or weakness has no line here fails the tests.

// A Class is a class of the OWASP API Security Top 10, edition 2023.
type Class struct{ ID, Name string }

// Classes lists the OWASP classes in their order.
var Classes = []Class{
	{"API1:2023", "Broken Object Level Authorization"},
	{"API2:2023", "Broken Authentication"},
	{"API3:2023", "Broken Object Property Level Authorization"},
	{"API4:2023", "Unrestricted Resource Consumption"},
	{"API5:2023", "Broken Function Level Authorization"},
	{"API6:2023", "Unrestricted Access to Sensitive Business Flows"},
	{"API7:2023", "Server Side Request Forgery"},
	{"API8:2023", "Security Misconfiguration"},
	{"API9:2023", "Improper Inventory Management"},
	{"API10:2023", "Unsafe Consumption of APIs"},
}

// ClassName is the name of an OWASP class, or "".
func ClassName(id string) string {
	for _, c := range Classes {
		if c.ID == id {
			return c.Name
		}
	}
	return ""
}

// WeaknessID writes the number of a weakness as the list does: "CWE-639".
func WeaknessID(n int) string { return "CWE-" + strconv.Itoa(n) }

// WeaknessName is the name of a weakness of the Common Weakness Enumeration,
// or "".
func WeaknessName(n int) string { return weaknesses[n] }

var weaknesses = map[int]string{
	20:   "Improper Input Validation",
	22:   "Improper Limitation of a Pathname to a Restricted Directory ('Path Traversal')",
	79:   "Improper Neutralization of Input During Web Page Generation ('Cross-site Scripting')",
	113:  "Improper Neutralization of CRLF Sequences in HTTP Headers ('HTTP Request/Response Splitting')",
	200:  "Exposure of Sensitive Information to an Unauthorized Actor",
	201:  "Insertion of Sensitive Information Into Sent Data",
	203:  "Observable Discrepancy",
	204:  "Observable Response Discrepancy",
	209:  "Generation of Error Message Containing Sensitive Information",
	212:  "Improper Removal of Sensitive Information Before Storage or Transfer",
	213:  "Exposure of Sensitive Information Due to Incompatible Policies",
	284:  "Improper Access Control",
	285:  "Improper Authorization",
	287:  "Improper Authentication",
	290:  "Authentication Bypass by Spoofing",
	294:  "Authentication Bypass by Capture-replay",
	295:  "Improper Certificate Validation",
	297:  "Improper Validation of Certificate with Host Mismatch",
	298:  "Improper Validation of Certificate Expiration",
	302:  "Authentication Bypass by Assumed-Immutable Data",
	306:  "Missing Authentication for Critical Function",
	307:  "Improper Restriction of Excessive Authentication Attempts",
	311:  "Missing Encryption of Sensitive Data",
	319:  "Cleartext Transmission of Sensitive Information",
	326:  "Inadequate Encryption Strength",
	327:  "Use of a Broken or Risky Cryptographic Algorithm",
	345:  "Insufficient Verification of Data Authenticity",
	346:  "Origin Validation Error",
	347:  "Improper Verification of Cryptographic Signature",
	350:  "Reliance on Reverse DNS Resolution for a Security-Critical Action",
	352:  "Cross-Site Request Forgery (CSRF)",
	358:  "Improperly Implemented Security Check for Standard",
	359:  "Exposure of Private Personal Information to an Unauthorized Actor",
	384:  "Session Fixation",
	393:  "Return of Wrong Status Code",
	400:  "Uncontrolled Resource Consumption",
	430:  "Deployment of Wrong Handler",
	436:  "Interpretation Conflict",
	440:  "Expected Behavior Violation",
	441:  "Unintended Proxy or Intermediary ('Confused Deputy')",
	444:  "Inconsistent Interpretation of HTTP Requests ('HTTP Request/Response Smuggling')",
	471:  "Modification of Assumed-Immutable Data (MAID)",
	472:  "External Control of Assumed-Immutable Web Parameter",
	497:  "Exposure of Sensitive System Information to an Unauthorized Control Sphere",
	522:  "Insufficiently Protected Credentials",
	524:  "Use of Cache Containing Sensitive Information",
	525:  "Use of Web Browser Cache Containing Sensitive Information",
	565:  "Reliance on Cookies without Validation and Integrity Checking",
	573:  "Improper Following of Specification by Caller",
	598:  "Use of GET Request Method With Sensitive Query Strings",
	601:  "URL Redirection to Untrusted Site ('Open Redirect')",
	602:  "Client-Side Enforcement of Server-Side Security",
	613:  "Insufficient Session Expiration",
	614:  "Sensitive Cookie in HTTPS Session Without 'Secure' Attribute",
	639:  "Authorization Bypass Through User-Controlled Key",
	650:  "Trusting HTTP Permission Methods on the Server Side",
	668:  "Exposure of Resource to Wrong Sphere",
	684:  "Incorrect Provision of Specified Functionality",
	693:  "Protection Mechanism Failure",
	694:  "Use of Multiple Resources with Duplicate Identifier",
	697:  "Incorrect Comparison",
	703:  "Improper Check or Handling of Exceptional Conditions",
	749:  "Exposed Dangerous Method or Function",
	755:  "Improper Handling of Exceptional Conditions",
	770:  "Allocation of Resources Without Limits or Throttling",
	778:  "Insufficient Logging",
	799:  "Improper Control of Interaction Frequency",
	841:  "Improper Enforcement of Behavioral Workflow",
	862:  "Missing Authorization",
	863:  "Incorrect Authorization",
	912:  "Hidden Functionality",
	915:  "Improperly Controlled Modification of Dynamically-Determined Object Attributes",
	918:  "Server-Side Request Forgery (SSRF)",
	922:  "Insecure Storage of Sensitive Information",
	942:  "Permissive Cross-domain Security Policy with Untrusted Domains",
	943:  "Improper Neutralization of Special Elements in Data Query Logic",
	1004: "Sensitive Cookie Without 'HttpOnly' Flag",
	1021: "Improper Restriction of Rendered UI Layers or Frames",
	1059: "Insufficient Technical Documentation",
	1230: "Exposure of Sensitive Information Through Metadata",
	1275: "Sensitive Cookie with Improper SameSite Attribute",
	1284: "Improper Validation of Specified Quantity in Input",
	1287: "Improper Validation of Specified Type of Input",
	1385: "Missing Origin Validation in WebSockets",
}
