package check

import (
	"net/http"
	"net/url"
	"strconv"
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
