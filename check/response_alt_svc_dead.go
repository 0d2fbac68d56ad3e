package check

// ResponseAltSvcDead flags an offer of HTTP/3 that leads nowhere.
var ResponseAltSvcDead = &Check{
	ID:    "response-alt-svc-dead",
	Title: "HTTP/3 is offered, and nothing answers there",
	Doc: `Clients remember what Alt-Svc says and try HTTP/3 first the next time. Where
nothing answers by UDP, they wait before they come back to TCP, and wait again
when they have forgotten that.`,
	Fix:  "Let UDP through to the port that Alt-Svc names, or send no Alt-Svc (Alt-Svc: clear takes an old one back).",
	Step: StepResponse, Severity: Low, OWASP: "API8:2023", CWE: 684, Conversation: []int{41},
	Needs: SawOffers | SawResponse,

	Inspect: func(p *Pass) {
		if h := p.TLS.Offers.HTTP3; h != nil && h.Failure != "" {
			p.Find(Header("Alt-Svc", "offers HTTP/3 at "+h.At+": "+h.Failure))
		}
	},
}
