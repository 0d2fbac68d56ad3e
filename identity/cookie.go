package identity

import (
	"strings"

	"github.com/parley-project/parley/exchange"
)

// Cookie is the JWT of a browser session, in the cookie that the
// configuration names. A browser sends it unasked, so whoever accepts it must
// also refuse cross-site requests.
var Cookie = &Scheme{
	Name: "cookie",
	Find: func(v *Verifier, r *exchange.Request) (Presented, bool) {
		p := Presented{Scheme: "cookie", Carrier: "cookie", Field: v.c.Cookie}
		if v.c.Cookie == "" {
			return p, false
		}
		n := 0
		for i := range r.Header {
			f := &r.Header[i]
			if len(f.Name) != len("Cookie") || !strings.EqualFold(f.Name, "Cookie") {
				continue
			}
			for rest, more := f.Value, true; more; {
				var pair string
				pair, rest, more = strings.Cut(rest, ";")
				name, value, _ := strings.Cut(pair, "=")
				// Spaces before "=" belong to the name for some readers and not
				// for others, so both count as this cookie.
				if strings.Trim(name, " \t") != v.c.Cookie {
					continue
				}
				if n++; n == 1 {
					p.Value = Secret(strings.Trim(value, " \t"))
				}
			}
		}
		if n > 1 {
			p.problem = ambiguous
		}
		return p, n > 0
	},
	Verify: verifyToken,
}
