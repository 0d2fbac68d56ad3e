package check

// TLSPinMismatch flags a server that does not hold the key it was pinned to.
var TLSPinMismatch = &Check{
	ID:      "tls-pin-mismatch",
	Aliases: []string{"pin", "pinning", "public-key-pin"},
	Title:   "the server's key is not the pinned one",
	Doc: `A client that knows the server's key beforehand is not deceived by an
authority that was: another key means that somebody else answers, with a
certificate that looks right. Or the key was changed and the pin was not.`,
	Fix:  "Send nothing until it is known which: compare the certificate's serial number with the server's own. Pin the next key beside the present one before changing it.",
	Step: StepTLS, Severity: Critical, OWASP: "API8:2023", CWE: 295, Conversation: []int{43, 44, 50},
	Needs: SawTrust,

	Inspect: findKinds(Critical, "pin"),
}
