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
	if c.cookie == "" || keep.Carrier == "cookie" {
		return
	}
	lines := r.Header["Cookie"]
	for i, line := range lines {
		if strings.Contains(line, c.cookie) {
			lines[i] = withoutCookie(line, c.cookie)
		}
	}
	if len(lines) == 1 && lines[0] == "" {
		r.Header.Del("Cookie")
	}
}

func withoutCookie(line, name string) string {
	var kept []string
	for pair := range strings.SplitSeq(line, ";") {
		pair = strings.TrimSpace(pair)
		if n, _, _ := strings.Cut(pair, "="); pair != "" && strings.TrimSpace(n) != name {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "; ")
}
