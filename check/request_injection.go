package check

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// RequestInjection flags a parameter whose value is part of a query or program.
var RequestInjection = &Check{
	ID:      "request-injection",
	Aliases: []string{"injection", "sqli", "sql-injection"},
	Title:   "a parameter is read as part of a query or a template",
	Doc: `A sort order, a filter or a name is put into SQL, a database's JSON or a template
as text. Whoever writes the parameter then writes the query: one that is true
for half of the passwords, or reads another table.`,
	Fix:  "Bind values, never join them; choose orders and columns from a list, and declare the list in the contract.",
	Step: StepRequest, Severity: Critical, OWASP: "API8:2023", CWE: 943, Conversation: []int{10, 23},
	Needs: SawContract, Implies: []string{"request-parameters"},

	Inspect: func(p *Pass) {
		if e, bad := writtenQuery(p); bad && p.Success() {
			e.Says += ", and the API answered"
			p.Suspect(e)
		}
	},
	Admit: func(p *Pass) {
		if e, bad := writtenQuery(p); bad {
			p.Refuse(http.StatusBadRequest, e)
		}
	},
	Probe: func(t *Trial) {
		left := maxInjected
		for _, e := range t.Endpoints {
			as, ok := t.asker(e)
			if e.Method != "GET" || !ok || slices.Contains(e.Statuses(), "101") {
				continue
			}
			a, ins := t.texts(e, e.Resource.Of(as), as)
			ins = append(ins, pathTexts(a)...)
			for _, in := range ins {
				if left--; left < 0 {
					break
				}
				if t.injected(e, a, in) {
					break // one parameter of an operation is enough
				}
			}
		}
		for _, d := range t.doors(false) {
			t.operatorLetsIn(d)
		}
		for _, r := range t.Resources {
			t.evaluates(r)
		}
	},
}

// writtenQuery reports a parameter that breaks the contract with a value, or a
// name, that has a meaning in a query language. What the contract allows is
// left alone, quotation marks included: nothing can be told of it from outside
// but by asking twice.
func writtenQuery(p *Pass) (e exchange.Evidence, bad bool) {
	var q url.Values
	for _, f := range p.Parameters {
		if f.In == "query" && f.Keyword == "undeclared" && strings.Contains(f.Name, "[$") {
			return Query(f.Name, "is an operator of a query"), true
		}
		switch f.Keyword {
		case "enum", "const", "pattern", "type":
		default:
			continue
		}
		var value string
		switch f.In {
		case "query":
			if q == nil {
				q, _ = url.ParseQuery(p.Request.Query())
			}
			value = strings.Join(q[f.Name], " ")
		case "path":
			for _, param := range p.Match.Params {
				if param.Name == f.Name {
					value = param.Value
				}
			}
		}
		if word := querySyntax(value); word != "" {
			return exchange.Evidence{Where: f.In, Name: f.Name, Says: "has " + word + ", which queries and templates read"}, true
		}
	}
	return e, false
}

// querySyntax is the first sign in a value that is syntax in SQL, in a query
// written in JSON, or in a template; "" when there is none.
func querySyntax(value string) string {
	lower := strings.ToLower(value)
	for _, sign := range []string{"'", `"`, "`", ";", "--", "/*", "||", "${", "{{", "#{", "<%", `{"$`, "(select", " union ", " or ", " and "} {
		if strings.Contains(lower, sign) {
			return strings.TrimSpace(sign)
		}
	}
	if i := strings.IndexByte(value, '('); i >= 0 && strings.Contains(value[i:], ")") {
		return "(…)"
	}
	return ""
}

// maxInjected bounds the parameters that are tried.
const maxInjected = 40
