package check

import (
	"net"
	"strings"
)

// ClientCookieScope flags session cookies that go to more hosts than the one
// that set them.
var ClientCookieScope = &Check{
	ID:      "client-cookie-scope",
	Aliases: []string{"cookie-domain"},
	Title:   "the session's cookie goes to every host of the domain",
	Doc: `With the attribute Domain a cookie goes to all hosts below it, and each of
them may set it. Whoever controls one forgotten subdomain reads the sessions of
all, or plants one of his own.`,
	Fix:  "Leave Domain out; name the cookie __Host-…, and clients hold you to it.",
	Step: StepClient, Severity: Medium, OWASP: "API8:2023", CWE: 668, Conversation: []int{45, 54},
	Needs: SawResponse | SawClient,

	Inspect: func(p *Pass) {
		eachCookie(p, func(name string, attribute func(string) (string, bool)) {
			d, _ := attribute("domain")
			d = strings.ToLower(strings.TrimPrefix(d, "."))
			if host := hostOf(p.Request.Authority); d != "" && !p.LocalName() && (host == d || strings.HasSuffix(host, "."+d)) {
				p.Find(Cookie(name, "goes to every host of "+d))
			}
		})
	},
}

// hostOf is the host of an authority, in lower case.
func hostOf(authority string) string {
	if host, _, err := net.SplitHostPort(authority); err == nil {
		authority = host
	}
	return strings.ToLower(strings.TrimSuffix(authority, "."))
}

// eachCookie goes through the cookies of an answer that carry a session. Of an
// attribute that is given twice the last one counts (RFC 6265, 5.3).
func eachCookie(p *Pass, f func(name string, attribute func(string) (string, bool))) {
	for i := range p.Response.Header {
		h := &p.Response.Header[i]
		if !strings.EqualFold(h.Name, "Set-Cookie") {
			continue
		}
		pair, rest, _ := strings.Cut(h.Value, ";")
		name, _, _ := strings.Cut(pair, "=")
		if name = strings.TrimSpace(name); !carriesSession(p, name) {
			continue
		}
		f(name, func(want string) (value string, ok bool) {
			for a := range strings.SplitSeq(rest, ";") {
				key, v, _ := strings.Cut(a, "=")
				if strings.EqualFold(strings.TrimSpace(key), want) {
					value, ok = strings.TrimSpace(v), true
				}
			}
			return value, ok
		})
	}
}
