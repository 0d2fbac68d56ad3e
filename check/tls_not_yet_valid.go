package check

// TLSNotYetValid flags a chain in which something is not valid yet.
var TLSNotYetValid = &Check{
	ID:      "tls-not-yet-valid",
	Aliases: []string{"not-yet-valid", "certificate-not-yet-valid"},
	Title:   "the certificate is not valid yet",
	Doc: `A certificate speaks for its name from a date on. Before it, clients refuse it;
most often one of the clocks is wrong, and a wrong clock also lets expired
certificates and tokens live on.`,
	Fix:  "Compare the clocks of client and server (NTP); when both are right, serve the certificate that is valid now.",
	Step: StepTLS, Severity: High, OWASP: "API8:2023", CWE: 298, Conversation: []int{44, 50},
	Needs: SawTrust,

	Inspect: findKinds(High, "not-yet-valid"),
}
