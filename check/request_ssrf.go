package check

import (
	"strings"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// RequestSSRF flags an API that goes wherever a request sends it.
var RequestSSRF = &Check{
	ID:      "request-ssrf",
	Aliases: []string{"ssrf"},
	Title:   "the API calls whatever address a request names",
	Doc: `A webhook, a picture or an import is named by its address, and the API fetches
it: http://127.0.0.1, a neighbour that trusts the network, the cloud's own
address that hands out keys. The caller stands outside and the call comes from
inside.`,
	Fix: "Allow https only, refuse addresses that are not public when they are dialled (not by their text), and follow no redirects.",
	Remedy: `rules:
  - operation: POST /v1/hooks
    allow: request.body.url.startsWith("https://")`,
	Step: StepRequest, Severity: High, OWASP: "API7:2023", CWE: 918, Conversation: []int{19, 23},
	Needs: SawContract | SawBody,

	Inspect: func(p *Pass) { inspectRules(p, namesAddress) },
	Admit:   func(p *Pass) { admitRules(p, namesAddress) },
	Probe: func(t *Trial) {
		if t.Listener == "" || t.Heard == nil {
			return
		}
		var sent []calledBack
		for _, e := range t.Endpoints {
			if e.Role != LogIn && e.Role != SignUp && e.Role != Remove && len(sent) < maxAddresses {
				sent = append(sent, sendAddresses(t, e)...)
			}
		}
		// What is not fetched at once comes a little later, of all alike.
		told := map[*Endpoint]bool{}
		for i, s := range sent {
			if heard := t.Heard(s.path) || i == 0 && t.heard(s.path); heard && !told[s.endpoint] {
				told[s.endpoint] = true
				t.Report(&Flaw{Endpoint: s.endpoint, Parameter: s.in.String(), By: s.by, Proof: []*exchange.Exchange{s.x}, Marks: []string{s.path},
					Evidence: []exchange.Evidence{{Where: s.in.place(), Name: s.in.name, Says: "names an address, and the API asked there"}}})
			}
		}
	},
}

func namesAddress(r *contract.Rule) bool { return tieOf(r) == toAddress }

// maxAddresses bounds the requests that name an address.
const maxAddresses = 40

// calledBack is a request that names an address of ours.
type calledBack struct {
	endpoint *Endpoint
	in       input
	by       *Person
	path     string
	x        *exchange.Exchange
}

// sendAddresses puts an address of ours into each input of an endpoint that is
// for one: of a request that reads, or about an object that was made for it.
func sendAddresses(t *Trial, e *Endpoint) (out []calledBack) {
	as, o := t.Victim, e.Resource.Of(t.Victim)
	if e.Safe() {
		var ok bool
		if as, ok = t.asker(e); !ok {
			return nil
		}
		o = e.Resource.Of(as)
	} else if strings.Contains(e.Path, "{") && (o == nil || !o.Made) || e.Few != "" {
		for _, p := range t.People { // the few may, on what is theirs
			if c := e.Resource.Of(p); c != nil && c.Made {
				as, o = p, c
			}
		}
		if o == nil || !o.Made {
			return nil
		}
	}
	a, ins := t.texts(e, o, as)
	for _, in := range ins {
		if !in.namesURL() {
			continue
		}
		path := "/" + t.Mark()
		x := t.Ask(a.put(in, t.Listener+path).whatever())
		if StatusOf(x) == 0 {
			continue
		}
		out = append(out, calledBack{e, in, as, path, x})
		switch {
		case e.Role == Create && Succeeded(x):
			for _, r := range t.Resources {
				if r.Create == e {
					t.Adopt(r, as, x)
				}
			}
		case (e.Role == Update || e.Role == Replace) && Succeeded(x):
			t.Ask(a.whatever())
		}
	}
	return out
}
