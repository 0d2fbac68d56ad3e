package check

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/parley-project/parley/exchange"
)

// RequestPageSize flags pages of any size.
var RequestPageSize = &Check{
	ID:    "request-page-size",
	Title: "a page may be as long as the client likes",
	Doc: `A page of a million items costs the client one line and the server a minute, and
takes the whole table out in one request.`,
	Fix:  "Declare a maximum for each page size, 100 or so, and answer 400 beyond it.",
	Step: StepRequest, Severity: Medium, OWASP: "API4:2023", CWE: 770, Conversation: []int{10},
	Needs: SawContract, Implies: []string{"request-parameters"},

	Inspect: func(p *Pass) {
		if name, bad := hugePage(p); bad && p.Success() {
			p.Find(Query(name, "asks for more than a page, and the API answered"))
		}
	},
	Admit: func(p *Pass) {
		if name, bad := hugePage(p); bad {
			p.Refuse(http.StatusBadRequest, Query(name, "asks for more than a page"))
		}
	},
	Probe: probePageSize,
}

// maxPage bounds a page size for which the contract declares no maximum.
const maxPage = 1000

func hugePage(p *Pass) (name string, bad bool) {
	for _, f := range p.Parameters {
		if f.In == "query" && pageSize(f.Name) && (f.Keyword == "maximum" || f.Keyword == "exclusiveMaximum") {
			return f.Name, true
		}
	}
	op := p.Operation()
	if op == nil || p.Request.Query() == "" {
		return "", false
	}
	var q url.Values
	for _, d := range op.Parameters {
		if d.In != "query" || d.Bounded || !pageSize(d.Name) {
			continue
		}
		if q == nil {
			q, _ = url.ParseQuery(p.Request.Query())
		}
		if n, err := strconv.ParseFloat(q.Get(d.Name), 64); err == nil && n > maxPage {
			return d.Name, true
		}
	}
	return "", false
}

func pageSize(name string) bool {
	switch name {
	case "limit", "per_page", "perPage", "page_size", "pageSize", "page[size]", "size", "count", "first", "top", "$top", "take", "max_results", "maxResults":
		return true
	}
	return false
}

// probePageSize asks for a page of a million. Where there are more objects than
// a page may have, they tell: an API that gives as many as it may is sound.
// Where there are not, the contract's bound and an API that refuses another size
// show that this one is not looked at.
func probePageSize(t *Trial) {
	for _, r := range askable(t) {
		a, ok := r.ask(t)
		if !ok {
			continue
		}
		for _, name := range queries(r.e) {
			if !pageSize(name) {
				continue
			}
			most, declared := largestAllowed(a, name)
			declared = declared && t.Declared
			if !declared {
				most = maxPage
			}
			x := t.Ask(a.inQuery(name, "1000000"))
			list, _ := items(x)
			if !worked(x) || len(list) == 0 {
				break
			}
			f := &Flaw{
				Endpoint: r.e, Parameter: "query " + name, By: r.as,
				Evidence: []exchange.Evidence{Query(name, "asks for a million, and the API answers "+strconv.Itoa(len(list)))},
				Proof:    []*exchange.Exchange{r.e.Honest[r.as], x},
			}
			switch {
			case len(list) > most:
				if usual, _ := items(r.e.Honest[r.as]); len(usual) < len(list) {
					t.Report(f)
				}
			case declared && len(list) < most:
				less := a.inQuery(name, "-7") // -1 means all of it to some
				less.Control = true
				if no := t.Ask(less); refused(no) {
					f.Evidence[0].Says = "is above the maximum, and the API answers as if it were not"
					f.Proof = []*exchange.Exchange{no, x}
					t.Report(f)
				}
			}
			break
		}
	}
}
