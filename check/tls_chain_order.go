package check

// TLSChainOrder flags certificates that are sent in the wrong order or in vain.
var TLSChainOrder = &Check{
	ID:      "tls-chain-order",
	Aliases: []string{"chain-order", "extra-certificate", "duplicate-certificate", "root-sent"},
	Title:   "the chain is sent out of order, or with certificates that do not belong",
	Doc: `Each certificate must certify the one right before it. TLS 1.3 lets clients
sort them (RFC 8446, 4.4.2), older clients do not. A certificate sent twice, one
that belongs to nothing and the root, which the client has or does not trust,
cost bytes in every handshake, and on a slow line a round trip.`,
	Fix:  "Send the server's certificate, then its issuer, then that one's issuer, each once, and without the root.",
	Step: StepTLS, Severity: Low, OWASP: "API8:2023", CWE: 295, Conversation: []int{50},
	Needs: SawTrust,

	Inspect: findKinds(Low, "order", "duplicate", "extra", "root-sent"),
}
