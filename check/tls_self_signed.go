package check

// TLSSelfSigned flags a certificate that only vouches for itself.
var TLSSelfSigned = &Check{
	ID:      "tls-self-signed",
	Aliases: []string{"self-signed", "selfsigned"},
	Title:   "the certificate is signed by itself",
	Doc: `A certificate that signed itself says who the server claims to be, and nobody
confirms it: anyone on the path can make one that looks the same. Clients that
accept it have turned verification off, and will accept the other one too.`,
	Fix:  "Get a certificate from an authority that clients trust; for a service of one's own, give this certificate to the client as a root (--cacert FILE).",
	Step: StepTLS, Severity: High, OWASP: "API8:2023", CWE: 295, Conversation: []int{44, 50},
	Needs: SawTrust,

	Inspect: findKinds(High, "self-signed"),
}
