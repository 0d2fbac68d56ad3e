package check

import (
	"net/http"

	"github.com/parley-project/parley/exchange"
)

// TLSClear flags a call that anyone on the path can read.
var TLSClear = &Check{
	ID:      "tls-clear",
	Aliases: []string{"plain-http"},
	Title:   "the call travels in clear",
	Doc: `Plain HTTP is read and changed by anyone on the path. A token that crossed the
wire in clear is stolen, whatever the answer was.`,
	Fix:  "Serve HTTPS only; redirect requests that carry no credential, refuse those that do, and revoke what they carried.",
	Step: StepTLS, Severity: High, OWASP: "API8:2023", CWE: 319, Conversation: []int{17, 39, 51},
	Needs: SawTransport,

	Inspect: func(p *Pass) {
		if !p.Encrypted() && !p.LocalName() {
			p.Find(exchange.Evidence{Where: "scheme", Name: p.Request.Scheme, Says: "is not encrypted"})
		}
	},
	Admit: func(p *Pass) {
		switch {
		case p.Encrypted():
		case len(p.Presented) > 0:
			p.Refuse(http.StatusForbidden, CredentialSays("crossed the wire in clear: treat it as stolen"))
		case p.SecureURL != "" && !p.Unsafe():
			p.Refuse(http.StatusPermanentRedirect, exchange.Evidence{Where: "scheme", Name: "http", Says: "is not encrypted"},
				exchange.Field{Name: "Location", Value: p.SecureURL})
		default:
			p.Refuse(http.StatusForbidden, exchange.Evidence{Where: "scheme", Name: "http", Says: "is not encrypted"})
		}
	},
}
