package check

import (
	"net/http"
	"slices"

	"github.com/parley-project/parley/exchange"
)

// RequestMethod flags an answer to a method that is not offered.
var RequestMethod = &Check{
	ID:    "request-method",
	Title: "a method that is not offered is answered",
	Doc: `Frameworks often answer more methods than the documentation names, and nobody
thought about who may use those.`,
	Fix:  "Answer 405 with Allow to every method that is not offered (RFC 9110, 15.5.6).",
	Step: StepRequest, Severity: Medium, OWASP: "API9:2023", CWE: 650, Conversation: []int{8},
	Needs: SawContract,

	Inspect: func(p *Pass) {
		if p.Match.Known && p.Match.Operation == nil && p.Success() && p.Request.Method != "OPTIONS" {
			p.Find(exchange.Evidence{Where: "method", Name: p.Request.Method, Says: "is not offered, and the API answered"})
		}
	},
	Admit: func(p *Pass) {
		// OPTIONS asks what is offered, and is told (RFC 9110, 9.3.7).
		if p.Match.Known && p.Match.Operation == nil && p.Request.Method != "OPTIONS" {
			p.Refuse(http.StatusMethodNotAllowed, exchange.Evidence{Where: "method", Name: p.Request.Method, Says: "is not offered"},
				exchange.Field{Name: "Allow", Value: p.Match.Allow})
		}
	},
	Probe: probeMethod,
}

// probeMethod asks each path for the methods that it does not offer. Where a
// made-up one is answered with 405, and the method itself is so elsewhere,
// another answer shows that there is something behind it.
func probeMethod(t *Trial) {
	if !t.Declared {
		return
	}
	who := t.Attacker
	if who == nil {
		who = t.Victim
	}
	type answer struct {
		at     *offer
		method string
		x, no  *exchange.Exchange
	}
	var told []answer
	elsewhere := map[string]bool{} // methods that are refused at some path
	for _, p := range offers(t) {
		var no *exchange.Exchange
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
			if slices.Contains(p.methods, method) {
				continue
			}
			a, ok := p.ask(t, method, who)
			if !ok || offered(t, method, a.Target) {
				continue
			}
			x := t.Ask(a)
			if saysNoSuchMethod(x) {
				elsewhere[method] = true
				continue
			}
			if s := StatusOf(x); s < 200 || s >= 500 || s >= 300 && s < 400 || s == 429 {
				continue
			}
			if no == nil {
				control, ok := p.ask(t, "PATCH", who)
				if !ok {
					break
				}
				control.Method, control.Control = madeUp, true
				no = t.Ask(control)
			}
			if !saysNoSuchMethod(no) {
				break
			}
			told = append(told, answer{p, method, x, no})
		}
	}
	for _, a := range told {
		if !elsewhere[a.method] {
			continue
		}
		t.Report(&Flaw{
			Place: a.method + " " + a.at.path, By: who,
			Evidence: []exchange.Evidence{{Where: "method", Name: a.method, Says: "is not offered, and something answers to it"}},
			Proof:    []*exchange.Exchange{a.no, a.x},
		})
	}
}
