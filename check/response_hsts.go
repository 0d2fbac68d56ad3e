package check

import "net/http"

// ResponseHSTS flags HTTPS responses that let a browser fall back to HTTP.
var ResponseHSTS = &Check{
	ID:      "response-hsts",
	Aliases: []string{"hsts"},
	Title:   "response lets a browser fall back to plain HTTP",
	Doc: `A browser that has not been told to stay on HTTPS follows a plain link once,
and once is enough for someone on the path to answer first. Names of this machine
and address literals are left out: browsers keep no such promise for them
(RFC 6797, 8.1.1).`,
	Fix:  "Send Strict-Transport-Security on every HTTPS response.",
	Step: StepResponse, Severity: Medium, OWASP: "API8:2023", CWE: 319, Conversation: []int{33},
	Needs: SawTransport | SawResponse,

	Inspect: findMissing("Strict-Transport-Security", public),
	Release: addMissing("Strict-Transport-Security", public, func(*Pass) string { return "max-age=31536000" }),
}

// public reports an answer to a name that others could take. One that hands the
// connection to another protocol (101) is no page's: those around it tell.
func public(p *Pass) bool {
	return p.Encrypted() && !p.LocalName() && p.Response.Status != http.StatusSwitchingProtocols
}
