package check

import (
	"net/http"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// RequestParameters flags a path, query or header value that breaks the
// contract and is accepted.
var RequestParameters = &Check{
	ID:    "request-parameters",
	Title: "a parameter that breaks the contract is accepted",
	Doc: `Parameters that are not declared, given twice, or of the wrong type or range
reach code that did not expect them: a page size without bound, a second user
number, a sort order that is SQL.`,
	Fix:  "Validate path, query and header values against their schemas, and answer 400.",
	Step: StepRequest, Severity: Medium, OWASP: "API8:2023", CWE: 20, Conversation: []int{10, 23},
	Needs: SawContract,

	Inspect: func(p *Pass) {
		if f, bad := parameterFault(p); bad && p.Success() {
			p.Find(exchange.Evidence{Where: f.Where, Name: f.Name, Says: f.Says + ", and the API answered"})
		}
	},
	Admit: func(p *Pass) {
		if f, bad := parameterFault(p); bad {
			p.Refuse(faultStatus(p, f), f)
		}
	},
	Probe: probeParameters,
}

// faultStatus is the status for a fault: 428 where the API says that a change
// must name the version that it changes, and this one does not (RFC 6585, 3).
func faultStatus(p *Pass, f exchange.Evidence) int {
	if op := p.Operation(); f.Where == "header" && f.Says == "required" && strings.HasPrefix(strings.ToLower(f.Name), "if-") {
		if r := op.Response(http.StatusPreconditionRequired); r != nil && r.Status == "428" {
			return http.StatusPreconditionRequired
		}
	}
	return http.StatusBadRequest
}

// parameterFault is the first fault, a missing or malformed value before one
// that is merely undeclared.
func parameterFault(p *Pass) (exchange.Evidence, bool) {
	for _, f := range p.Parameters {
		if f.Keyword != "undeclared" {
			return exchange.Evidence{Where: f.In, Name: f.Name, Says: f.Keyword}, true
		}
	}
	for _, f := range p.Parameters {
		return exchange.Evidence{Where: f.In, Name: f.Name, Says: f.Keyword}, true
	}
	return exchange.Evidence{}, false
}

// mostQueries bounds what is tried at one endpoint.
const mostQueries = 5

// probeParameters breaks what the contract says of the query, one parameter at a
// time. An API that puts a sound value in the place of a wrong one is left
// alone: it does so with all of them, and one that forgot to look at a bound
// refuses the others. Where a page size has no contract, a negative one beside
// a huge one that is refused tells the same.
func probeParameters(t *Trial) {
	for _, r := range askable(t) {
		a, ok := r.ask(t)
		if !ok {
			continue
		}
		ws := wrongQueries(a, t.Mark())
		if !t.Declared {
			ws = namedQueries(a)
		}
		var refusals, yes []answeredQuery
		for _, w := range ws[:min(len(ws), mostQueries)] {
			if x := t.Ask(w.Ask); refused(x) {
				refusals = append(refusals, answeredQuery{w, x})
			} else if hasContent(x) && !(pageSize(w.name) && strings.HasSuffix(strings.ToLower(w.keyword), "maximum")) {
				yes = append(yes, answeredQuery{w, x})
			}
		}
		for _, w := range yes {
			var no *exchange.Exchange
			if i := slices.IndexFunc(refusals, w.besides); i >= 0 {
				no = refusals[i].x
			} else if w.value == "-1" { // which means all of it to some
				less := a.inQuery(w.name, "-7")
				less.Control = true
				no = t.Ask(less)
			}
			if !refused(no) {
				continue
			}
			if n, list := items(w.x); pageSize(w.name) && list && len(n) == 1 {
				if all, _ := items(r.e.Honest[r.as]); len(all) > 1 {
					continue // the least there is
				}
			}
			t.Report(&Flaw{
				Endpoint: r.e, Parameter: "query " + w.name, By: r.as,
				Evidence: []exchange.Evidence{Query(w.name, "breaks "+w.keyword+", and the API answers as if it did not")},
				Proof:    []*exchange.Exchange{no, w.x},
			})
			break
		}
	}
}

// An answeredQuery is a wrong question with its answer.
type answeredQuery struct {
	wrongQuery
	x *exchange.Exchange
}

// besides reports whether a refusal shows that what was accepted ought to have
// been refused, too: the other bound of a number, or for all else anything. That
// no word is a number shows nothing: those that cut numbers to size refuse words.
func (w answeredQuery) besides(no answeredQuery) bool {
	bound := func(k string) bool { return strings.HasSuffix(strings.ToLower(k), "imum") }
	return !bound(w.keyword) || bound(no.keyword) && no.name == w.name
}

// namedQueries are page sizes that nobody can mean, where no contract speaks.
func namedQueries(a *Ask) []wrongQuery {
	for _, name := range queries(a.Endpoint) {
		if pageSize(name) {
			return []wrongQuery{
				{a.inQuery(name, "-1"), name, "-1", "minimum"},
				{a.inQuery(name, "1000000"), name, "1000000", "maximum"},
			}
		}
	}
	return nil
}
