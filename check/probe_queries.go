package check

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// Questions that differ from the honest one in a parameter of the query.

// A reader is somebody whose honest question was answered.
type reader struct {
	e  *Endpoint
	as *Person
}

// askable lists the endpoints that read and were answered, with who asked: the
// victim where he was, else whoever was. Nobody comes last.
func askable(t *Trial) []reader {
	var out []reader
	for _, e := range t.Endpoints {
		if e.Method != "GET" || e.Operation == nil {
			continue
		}
		for _, p := range append(everybody(t), nil) {
			if e.Answered(p) {
				out = append(out, reader{e, p})
				break
			}
		}
	}
	return out
}

// ask is the honest question again.
func (r reader) ask(t *Trial) (*Ask, bool) { return t.Request(r.e, r.e.Resource.Of(r.as), r.as) }

// inQuery returns a copy of an ask in which a query parameter has one value.
func (a *Ask) inQuery(name, value string) *Ask {
	b := *a
	path, raw, _ := strings.Cut(a.Target, "?")
	var kept []string
	for part := range strings.SplitSeq(raw, "&") {
		n, _, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(n); part != "" && (err != nil || plain != name) {
			kept = append(kept, part)
		}
	}
	b.Target = path + "?" + strings.Join(append(kept, contract.Escape(name)+"="+contract.Escape(value)), "&")
	return &b
}

// faultOf is the keyword that a query breaks with a parameter, or "".
func (a *Ask) faultOf(name string) string {
	for _, f := range a.Endpoint.CheckParameters(&exchange.Request{Method: a.Method, Target: a.Target, Header: a.Header}, nil) {
		if f.In == "query" && f.Name == name {
			return f.Keyword
		}
	}
	return ""
}

// queries are the names of an endpoint's declared parameters of the query.
func queries(e *Endpoint) []string {
	var out []string
	for _, p := range e.Parameters {
		if p.In == "query" && !slices.Contains(out, p.Name) {
			out = append(out, p.Name)
		}
	}
	return out
}

// A wrongQuery is a question with a value that the contract forbids.
type wrongQuery struct {
	*Ask
	name, value, keyword string
}

// wrongQueries are questions that break the contract in one parameter each, one
// for each keyword that can be broken, and those first that are forgotten most.
func wrongQueries(a *Ask, mark string) []wrongQuery {
	var out []wrongQuery
	for _, name := range queries(a.Endpoint) {
		seen := map[string]bool{"": true, "encoding": true, "undeclared": true}
		values := []string{"-1", "0", "987654321", "9007199254740993", mark, "~ " + mark}
		for n := 33; n < 3000; n = 2*n - 1 {
			values = append(values, strings.Repeat("x", n))
		}
		for _, v := range values {
			q := a.inQuery(name, v)
			if k := q.faultOf(name); !seen[k] {
				seen[k] = true
				out = append(out, wrongQuery{q, name, v, k})
			}
		}
	}
	often := []string{"enum", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"}
	slices.SortStableFunc(out, func(a, b wrongQuery) int {
		return cmp.Compare(uint(slices.Index(often, a.keyword)), uint(slices.Index(often, b.keyword)))
	})
	return out
}

// items are the values in the longest list of an answer, and false when it has
// none.
func items(x *exchange.Exchange) (longest []json.RawMessage, ok bool) {
	text := Text(x)
	var list []json.RawMessage
	if json.Unmarshal(text, &list) == nil {
		return list, true
	}
	var top map[string]json.RawMessage
	if json.Unmarshal(text, &top) != nil {
		return nil, false
	}
	for _, v := range top {
		var inner []json.RawMessage
		if json.Unmarshal(v, &inner) == nil && string(v) != "null" {
			ok = true
			if len(inner) > len(longest) {
				longest = inner
			}
		}
	}
	return longest, ok
}

// has reports whether an answer has content to speak of: something in its list,
// or anything at all where there is no list.
func hasContent(x *exchange.Exchange) bool {
	if !worked(x) {
		return false
	}
	if list, ok := items(x); ok {
		return len(list) > 0
	}
	return len(Members(x)) > 0
}

// largestAllowed is the greatest number that the contract allows for a
// parameter, when it has a bound that is worth the name.
func largestAllowed(a *Ask, name string) (int, bool) {
	above := func(n int) bool {
		k := a.inQuery(name, strconv.Itoa(n)).faultOf(name)
		return k == "maximum" || k == "exclusiveMaximum"
	}
	const most = 1_000_000
	if !above(most) {
		return 0, false
	}
	low, high := 0, most // low is allowed, high is not
	for high-low > 1 {
		if mid := (low + high) / 2; above(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return low, true
}
