package check

// TLSExpired flags a chain in which something has expired.
var TLSExpired = &Check{
	ID:      "tls-expired",
	Aliases: []string{"expired", "certificate-expired"},
	Title:   "the certificate has expired",
	Doc: `After its end nobody answers for a certificate: it is no longer revoked when
its key is stolen, and clients refuse it. Where they are taught to look away,
they also look away from a forged one. The certificates above it expire too.`,
	Fix:  "Renew it and load the new one. Let a program renew at a third of the lifetime left, and watch the date from outside.",
	Step: StepTLS, Severity: High, OWASP: "API8:2023", CWE: 298, Conversation: []int{44, 50},
	Needs: SawTrust,

	Inspect: findKinds(High, "expired"),
}
