package guard

import (
	"net/http"
	"strings"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// carriers are the places where credentials travel. Only the one that decided
// goes upstream: an API that looked at another place would act for somebody
// whom guard did not judge.
type carriers struct {
	headers []string
	cookie  string
}

func carriersOf(v *identity.Verifier) carriers {
	c := carriers{headers: []string{"Authorization"}}
	for _, k := range v.Carriers() {
		switch k.In {
		case "header":
			c.headers = append(c.headers, http.CanonicalHeaderKey(k.Name))
		case "cookie":
			c.cookie = k.Name
		}
	}
	return c
}

// keepOnly removes every credential from the request but the verified one.
func (c carriers) keepOnly(r *http.Request, decided *exchange.Credential) {
	keep := exchange.Credential{}
	if decided != nil && decided.Verified {
		keep = *decided
	}
	for _, name := range c.headers {
		if !(keep.Carrier == "header" && http.CanonicalHeaderKey(keep.Field) == name) {
			r.Header.Del(name)
		}
	}
	if c.cookie == "" {
		return
	}
	lines := r.Header["Cookie"]
	for i, line := range lines {
		if strings.Contains(line, c.cookie) {
			lines[i] = keepCookies(line, c.cookie, keep.Carrier == "cookie")
		}
	}
	if len(lines) == 1 && lines[0] == "" {
		r.Header.Del("Cookie")
	}
}

// keepCookies returns the pairs of a Cookie line without those of a name, or
// with them when decided says that they were judged. Pairs whose value hides
// another of that name go in either case: some programs split lines at commas
// too, or inside of quotes, and would find it there.
func keepCookies(line, name string, decided bool) string {
	var kept []string
	for pair := range strings.SplitSeq(line, ";") {
		pair = strings.TrimSpace(pair)
		n, value, _ := strings.Cut(pair, "=")
		if pair == "" || strings.TrimSpace(n) == name && !decided || hidesCookie(value, name) {
			continue
		}
		kept = append(kept, pair)
	}
	return strings.Join(kept, "; ")
}

// hidesCookie reports whether a value holds the name, as a word of its own,
// before an equals sign.
func hidesCookie(value, name string) bool {
	for {
		i := strings.Index(value, name)
		if i < 0 {
			return false
		}
		rest := strings.TrimLeft(value[i+len(name):], " \t\"")
		if strings.HasPrefix(rest, "=") && (i == 0 || strings.IndexByte(" \t,\"'", value[i-1]) >= 0) {
			return true
		}
		value = value[i+len(name):]
	}
}
