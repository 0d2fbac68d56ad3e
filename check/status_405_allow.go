package check

import (
	"net/http"
)

// Status405Allow flags a 405 that does not say what is offered.
var Status405Allow = &Check{
	ID:    "status-405-allow",
	Title: "405 does not say which methods are offered",
	Doc: `A 405 must carry Allow (RFC 9110, 15.5.6). Without it a client cannot tell a
method that is not offered from an address that is wrong.`,
	Fix:  "Send Allow with the methods of the path in every 405.",
	Step: StepResponse, Severity: Low, OWASP: "API8:2023", CWE: 684, Conversation: []int{8},
	Needs: SawResponse,

	Inspect: findMissing("Allow", notAllowed),
	Release: func(p *Pass) {
		if notAllowed(p) && p.Match.Allow != "" && !p.Response.Header.Has("Allow") {
			p.Repair(SetHeader("Allow", p.Match.Allow))
		}
	},
	Probe: probe405,
}

func notAllowed(p *Pass) bool { return p.Response.Status == http.StatusMethodNotAllowed }

// probe405 asks for a method that nobody offers.
func probe405(t *Trial) {
	ps := offers(t)
	for _, p := range ps[:min(len(ps), 3)] {
		if a, ok := p.ask(t, "PATCH", t.Victim); ok {
			a.Method = madeUp
			t.Ask(a)
		}
	}
}
