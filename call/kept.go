package call

import (
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// NewJar makes a cookie jar that knows which domains belong to everybody.
func NewJar() *identity.Jar {
	return identity.NewJar(identity.JarOptions{Public: func(domain string) bool {
		suffix, _ := publicsuffix.PublicSuffix(domain)
		return suffix == domain
	}})
}

// addCookies adds the jar's cookies to those that the person gave, which win
// over those of the same name.
func (c *Client) addCookies(q *exchange.Request, p *place) {
	if c.o.Jar == nil {
		return
	}
	ours := c.o.Jar.Cookie(p.url(), c.now())
	if ours == "" {
		return
	}
	for i := range q.Header {
		f := &q.Header[i]
		if !strings.EqualFold(f.Name, "Cookie") {
			continue
		}
		given := map[string]bool{}
		for pair := range strings.SplitSeq(f.Value, ";") {
			n, _, _ := strings.Cut(pair, "=")
			given[strings.TrimSpace(n)] = true
		}
		for pair := range strings.SplitSeq(ours, "; ") {
			if n, _, _ := strings.Cut(pair, "="); !given[n] {
				f.Value += "; " + pair
			}
		}
		return
	}
	q.Header = append(q.Header, exchange.Field{Name: "Cookie", Value: ours})
}

// learn notes what a client keeps of an answer, and what the server told of
// its work.
func (c *Client) learn(x *exchange.Exchange, p *place) {
	if x.Response == nil {
		return
	}
	if x.Client == nil {
		x.Client = &exchange.Client{}
	}
	k := x.Client
	for _, f := range x.Response.Header {
		switch {
		case strings.EqualFold(f.Name, "Set-Cookie"):
			c.learnCookie(k, p, f.Value, x.TLS)
		case strings.EqualFold(f.Name, "Strict-Transport-Security") && c.hsts(x, p):
			if age, ok := maxAge(f.Value); ok && k.HSTS == 0 {
				k.HSTS = age
			}
		case strings.EqualFold(f.Name, "Alt-Svc"):
			for v := range strings.SplitSeq(f.Value, ",") {
				if v = strings.TrimSpace(v); v != "" && len(k.AltSvc) < 32 {
					k.AltSvc = append(k.AltSvc, v)
				}
			}
		case strings.EqualFold(f.Name, "Server-Timing"):
			x.Server.Timing = appendTimings(x.Server.Timing, f.Value)
		}
	}
}

// learnCookie offers a cookie to the jar. Without a jar nothing is kept.
func (c *Client) learnCookie(k *exchange.Client, p *place, field string, tls *exchange.TLS) {
	const most = 256
	if len(k.Cookies) == most {
		return
	}
	pair, _, _ := strings.Cut(field, ";")
	name, _, ok := strings.Cut(pair, "=")
	if !ok {
		name = ""
	}
	kept := exchange.KeptCookie{Name: strings.Trim(name, " \t"), Refused: "no jar is in use"}
	switch {
	case c.o.Jar == nil:
	case tls != nil && !tls.Clear && (tls.Trust == nil || !tls.Trust.Verified) && c.o.Untrusted != SendAnyway:
		// Whoever answered would choose the session.
		kept.Refused = "the channel was not verified"
	default:
		kept.Refused = c.o.Jar.Set(p.url(), field, c.now())
	}
	k.Cookies = append(k.Cookies, kept)
}

// hsts reports whether a client believes Strict-Transport-Security here: only
// over a channel without flaw, and not for addresses (RFC 6797, 8.1).
func (c *Client) hsts(x *exchange.Exchange, p *place) bool {
	return x.TLS != nil && x.TLS.Trust != nil && x.TLS.Trust.Verified && sentName(p.host) != ""
}

// maxAge reads the directive max-age.
func maxAge(v string) (time.Duration, bool) {
	for d := range strings.SplitSeq(v, ";") {
		name, value, _ := strings.Cut(d, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "max-age") {
			continue
		}
		n, ok := digits(strings.Trim(strings.TrimSpace(value), `"`))
		return time.Duration(min(n, int64(100*365*24*time.Hour/time.Second))) * time.Second, ok
	}
	return 0, false
}

// appendTimings reads entries such as `db;dur=53.2;desc="the database"`.
func appendTimings(ts []exchange.Timing, v string) []exchange.Timing {
	for _, entry := range splitQuoted(v, ',') {
		parts := splitQuoted(entry, ';')
		t := exchange.Timing{Name: strings.TrimSpace(parts[0])}
		for _, param := range parts[1:] {
			name, value, _ := strings.Cut(param, "=")
			value = unquoted(strings.TrimSpace(value))
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "dur":
				if ms, err := strconv.ParseFloat(value, 64); err == nil && ms >= 0 && ms < 1e9 {
					t.Duration = time.Duration(ms * float64(time.Millisecond))
				}
			case "desc":
				t.Says = value
			}
		}
		if t.Name != "" && len(ts) < 64 {
			ts = append(ts, t)
		}
	}
	return ts
}

// unquoted is a quoted string without its quotes (RFC 9110, 5.6.4), or else
// the value as it is.
func unquoted(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return strings.Trim(s, `"`)
	}
	if s = s[1 : len(s)-1]; !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// splitQuoted splits at a separator outside of quotes.
func splitQuoted(s string, sep byte) (parts []string) {
	quoted, from := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == sep && !quoted:
			parts, from = append(parts, s[from:i]), i+1
		}
	}
	return append(parts, s[from:])
}
