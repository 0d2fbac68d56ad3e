package check

// TLSChainIncomplete flags a server that leaves out what stands between its
// certificate and the root.
var TLSChainIncomplete = &Check{
	ID:      "tls-chain-incomplete",
	Aliases: []string{"tls-chain", "missing-intermediate", "incomplete-chain"},
	Title:   "the server does not send the intermediate certificate",
	Doc: `Clients know roots, and servers must send what stands between (RFC 8446,
4.4.2). Browsers repair a gap from memory or by fetching, so it goes unseen
there, while programs in Go, Java or Python and curl refuse the call. The cure
that is then found is to turn verification off, which lets anyone answer.`,
	Fix:  "Configure the full chain: the server's certificate, then each intermediate (fullchain.pem instead of cert.pem).",
	Step: StepTLS, Severity: High, OWASP: "API8:2023", CWE: 295, Conversation: []int{44, 50},
	Needs: SawTrust,

	Inspect: findKinds(High, "missing-intermediate"),
}
