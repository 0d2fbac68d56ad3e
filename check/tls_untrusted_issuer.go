package check

// TLSUntrustedIssuer flags a chain that ends at a root nobody here trusts.
var TLSUntrustedIssuer = &Check{
	ID:      "tls-untrusted-issuer",
	Aliases: []string{"unknown-authority", "unknown-root", "private-ca"},
	Title:   "the certificate comes from an authority that is not trusted",
	Doc: `Whoever can answer at an address can make an authority and have it vouch for
any name. Only a chain to a root that the client trusted before the call proves
who answers. A company's own authority is not trusted until its root is given to
the client; where it is not, a forged chain looks the same as the real one.`,
	Fix:  "Use a certificate of an authority that clients trust, or give the company's root to every client (--cacert FILE). Never turn verification off.",
	Step: StepTLS, Severity: High, OWASP: "API8:2023", CWE: 295, Conversation: []int{44, 50},
	Needs: SawTrust,

	Inspect: findKinds(High, "unknown-root"),
}
