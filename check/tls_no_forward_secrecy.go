package check

import "strings"

// TLSNoForwardSecrecy flags suites whose traffic the server's key opens later.
var TLSNoForwardSecrecy = &Check{
	ID:      "tls-no-forward-secrecy",
	Aliases: []string{"forward-secrecy", "static-rsa", "pfs"},
	Title:   "recorded traffic can be opened with the server's key",
	Doc: `With a static key exchange the client's secret is encrypted to the key of the
certificate. Whoever recorded the traffic and gets that key in later years reads
all of it. Ephemeral exchanges (ECDHE, DHE, all of TLS 1.3) forget their keys.`,
	Fix:  "Take suites with ECDHE only; those that begin with TLS_RSA_ go first (RFC 9325, 4.1).",
	Step: StepTLS, Severity: Low, OWASP: "API8:2023", CWE: 326, Conversation: []int{50},
	Needs: SawTransport,

	Inspect: func(p *Pass) {
		ev := suites(p.TLS, func(suite string) string {
			if forgets(suite) {
				return ""
			}
			return "has no forward secrecy"
		})
		if ev != nil {
			p.Find(ev...)
		}
	},
}

// forgets reports whether a suite's key exchange is ephemeral. All of TLS 1.3
// are, whose names do not say how keys are exchanged; a suite without a name is
// given the benefit of the doubt.
func forgets(suite string) bool {
	name, ok := strings.CutPrefix(suite, "TLS_")
	if !ok {
		return !strings.HasPrefix(suite, "SSL_CK_")
	}
	exchange, _, ok := strings.Cut(name, "_WITH_")
	if !ok {
		return true
	}
	for _, ephemeral := range []string{"ECDHE_", "DHE_", "PSK_DHE", "ECDH_anon", "DH_anon", "ECCPWD", "SRP_"} {
		if strings.HasPrefix(exchange, ephemeral) {
			return true
		}
	}
	return false
}
