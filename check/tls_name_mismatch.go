package check

// TLSNameMismatch flags a certificate of another server.
var TLSNameMismatch = &Check{
	ID:      "tls-name-mismatch",
	Aliases: []string{"name-mismatch", "wrong-host", "no-san", "hostname"},
	Title:   "the certificate is not for this name",
	Doc: `A good certificate for another name proves that another server answers, or
one that somebody else holds: anyone can have a certificate for a name of their
own. The name must stand in subjectAltName; the subject's common name has no say,
and a wildcard stands for one label only (RFC 9525, 6.3).`,
	Fix:  "Have the certificate issued for every name that clients use, or call the server by a name that it has. Where neither explains it, ask where the name leads.",
	Step: StepTLS, Severity: High, OWASP: "API8:2023", CWE: 297, Conversation: []int{43, 44, 50},
	Needs: SawTrust,

	Inspect: findKinds(High, "name", "no-san"),
}
