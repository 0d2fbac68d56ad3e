package check

import (
	"bytes"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// Places that the contract does not name.

// prefixes are the paths that an API's endpoints stand under, the commonest
// first: "/v1", "/ledger/api".
func prefixes(t *Trial) []string {
	count := map[string]int{}
	for _, e := range t.Endpoints {
		if e.Operation == nil {
			continue
		}
		segments := strings.Split(e.Path, "/")[1:]
		end := 0
		for i, s := range segments[:min(len(segments), 4)] {
			if s == "api" || s == "rest" || isVersion(s) {
				end = i + 1
			}
		}
		if end > 0 {
			count["/"+strings.Join(segments[:end], "/")]++
		}
	}
	var out []string
	for p := range count {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return strings.Compare(a, b)
	})
	return out
}

// get asks a place that may not exist.
func get(t *Trial, target string, as *Person) *exchange.Exchange {
	return t.Ask(&Ask{As: as, Method: "GET", Target: target, Header: exchange.Header{{Name: "Accept", Value: "*/*"}}})
}

// hasData reports whether an answer has data rather than a page or nothing.
func hasData(x *exchange.Exchange) bool {
	if !worked(x) {
		return false
	}
	text := bytes.TrimSpace(Text(x))
	switch {
	case LooksJSON(text):
		return len(Leaves(text)) > 0
	case len(text) == 0 || bytes.HasPrefix(text, []byte("<")):
		return false
	}
	return !strings.Contains(x.Response.Header.MediaType(), "html")
}

// sibling is a name that nothing has, of the length of another one.
func sibling(t *Trial, target string) string {
	return target[:strings.LastIndexByte(target, '/')+1] + t.Mark()
}

// unnamed reports whether the contract has nothing at a path.
func unnamed(t *Trial, path string) bool {
	return t.Contract == nil || !t.Contract.Match("GET", path).Known
}

// refusedPlace reports whether an answer says that there is nothing at a place.
func refusedPlace(x *exchange.Exchange) bool {
	s := StatusOf(x)
	return s >= 400 && s < 500 || Succeeded(x) && !worked(x)
}
