package identity

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// The jar follows RFC 6265, 5 to the letter, and RFC 6265bis where that is
// stricter without keeping another cookie: sizes, control characters, prefixes,
// and Secure cookies set in clear. The standard library's jar is of no use
// here: it takes cookies that net/http has parsed, and that parser drops what
// user agents keep, such as text that is not ASCII.

// JarOptions says how a Jar works. The zero JarOptions is good.
type JarOptions struct {
	// Public reports whether a domain belongs to a registry, such as co.uk, so
	// that no cookie may be set for all of it. Nil knows only that a name
	// without a dot does.
	Public func(domain string) bool
	// Max is how many cookies are kept in all, the least recently used going
	// first; for one domain it is a tenth of that. Zero means 3,000.
	Max int
}

// A Jar keeps cookies for a client. It is safe for concurrent use.
type Jar struct {
	o       JarOptions
	mu      sync.Mutex
	cookies []*kept
	serial  uint64
}

// kept is a cookie in the jar.
type kept struct {
	name, value, domain, path string
	hostOnly, secure          bool
	expires                   time.Time // zero: with the session
	made, used                uint64    // in the order of what happened
}

// NewJar makes an empty jar.
func NewJar(o JarOptions) *Jar {
	if o.Public == nil {
		o.Public = func(domain string) bool { return !strings.Contains(domain, ".") }
	}
	if o.Max <= 0 {
		o.Max = 3000
	}
	return &Jar{o: o}
}

const (
	maxPair      = 4096 // name and value together (RFC 6265bis, 5.7)
	maxAttribute = 1024 // a longer one counts as not given
)

// Clear forgets all cookies.
func (j *Jar) Clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.cookies = nil
}

// Set takes a Set-Cookie field that came from u. When the cookie is not kept
// the reason is returned: in a few words, without its value.
func (j *Jar) Set(u *url.URL, field string, now time.Time) (refused string) {
	pair, attributes, _ := strings.Cut(field, ";")
	name, value, ok := strings.Cut(pair, "=")
	name, value = strings.Trim(name, " \t"), strings.Trim(value, " \t")
	switch {
	case !ok:
		return "no equals sign"
	case name == "":
		return "no name"
	case len(name)+len(value) > maxPair:
		return "too large"
	case strings.ContainsFunc(field, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return "control character"
	}
	host := hostOf(u)
	c := &kept{name: name, value: value, domain: host, hostOnly: true, path: defaultPath(u.EscapedPath())}
	hasPath, hasAge := false, false
	for more := attributes != ""; more; {
		var part string
		part, attributes, more = strings.Cut(attributes, ";")
		key, v, _ := strings.Cut(part, "=")
		key, v = strings.ToLower(strings.Trim(key, " \t")), strings.Trim(v, " \t")
		if len(v) > maxAttribute {
			continue
		}
		switch key {
		case "expires":
			if t, ok := ParseCookieDate(v); ok && !hasAge {
				c.expires = t
			}
		case "max-age":
			if seconds, ok := parseAge(v); ok {
				hasAge, c.expires = true, now.Add(time.Duration(seconds)*time.Second)
				if seconds <= 0 {
					c.expires = time.Unix(0, 0)
				}
			}
		case "domain":
			// The last one counts, and an empty one takes it back.
			c.domain, c.hostOnly = host, true
			if d := strings.ToLower(strings.TrimPrefix(v, ".")); d != "" {
				c.domain, c.hostOnly = d, false
			}
		case "path":
			hasPath = strings.HasPrefix(v, "/")
			if c.path = defaultPath(u.EscapedPath()); hasPath {
				c.path = v
			}
		case "secure":
			c.secure = true
		}
	}
	if !c.hostOnly {
		switch {
		case j.o.Public(c.domain) && c.domain != host:
			return "domain belongs to everybody"
		case j.o.Public(c.domain):
			c.hostOnly = true
		case !domainMatch(host, c.domain):
			return "domain of somebody else"
		}
	}
	lower := strings.ToLower(name)
	switch safe := u.Scheme == "https"; {
	case c.secure && !safe && !loopback(host):
		return "secure, and set in clear"
	case strings.HasPrefix(lower, "__secure-") && !c.secure:
		return "prefix __Secure- without Secure"
	case strings.HasPrefix(lower, "__host-") && !(c.secure && c.hostOnly && hasPath && c.path == "/"):
		return "prefix __Host- without what it promises"
	}
	j.keep(c, now)
	return ""
}

// keep puts a cookie in the place of one that is the same but for its value.
func (j *Jar) keep(c *kept, now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.serial++
	c.made, c.used = j.serial, j.serial
	j.cookies = slices.DeleteFunc(j.cookies, func(o *kept) bool {
		if o.name == c.name && o.domain == c.domain && o.hostOnly == c.hostOnly && o.path == c.path {
			c.made = o.made
			return true
		}
		return o.dead(now)
	})
	if c.dead(now) {
		return
	}
	j.cookies = append(j.cookies, c)
	j.evict(func(o *kept) bool { return o.domain == c.domain }, max(1, j.o.Max/10))
	j.evict(func(*kept) bool { return true }, j.o.Max)
}

// evict drops the cookie that was not used for longest, if more than most are
// of that kind.
func (j *Jar) evict(of func(*kept) bool, most int) {
	n, oldest := 0, -1
	for i, o := range j.cookies {
		if of(o) {
			if n++; oldest < 0 || o.used < j.cookies[oldest].used {
				oldest = i
			}
		}
	}
	if n > most {
		j.cookies = slices.Delete(j.cookies, oldest, oldest+1)
	}
}

func (c *kept) dead(now time.Time) bool { return !c.expires.IsZero() && !c.expires.After(now) }

// Cookie returns the value of the Cookie field for a request to u, or the empty
// string when there is none to send (RFC 6265, 5.4).
func (j *Jar) Cookie(u *url.URL, now time.Time) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	host, path := hostOf(u), u.EscapedPath()
	if path == "" {
		path = "/"
	}
	var found []*kept
	for _, c := range j.cookies {
		if !c.dead(now) && (c.domain == host || !c.hostOnly && domainMatch(host, c.domain)) && pathMatch(path, c.path) &&
			(!c.secure || u.Scheme == "https" || loopback(host)) {
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b *kept) int {
		if d := len(b.path) - len(a.path); d != 0 {
			return d
		}
		return int(int64(a.made) - int64(b.made))
	})
	j.serial++
	var b strings.Builder
	for i, c := range found {
		c.used = j.serial
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s=%s", c.name, c.value)
	}
	return b.String()
}

// hostOf is the host that a cookie of u is for.
func hostOf(u *url.URL) string { return strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")) }

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}

// domainMatch is RFC 6265, 5.1.3.
func domainMatch(host, domain string) bool {
	if host == domain {
		return true
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	return strings.HasSuffix(host, "."+domain)
}

// defaultPath is RFC 6265, 5.1.4: the folder of what was asked for.
func defaultPath(path string) string {
	i := strings.LastIndexByte(path, '/')
	if i <= 0 || path[0] != '/' {
		return "/"
	}
	return path[:i]
}

// pathMatch is RFC 6265, 5.1.4: the same, or a whole segment deeper.
func pathMatch(path, cookie string) bool {
	return path == cookie || strings.HasPrefix(path, cookie) && (strings.HasSuffix(cookie, "/") || path[len(cookie)] == '/')
}

// parseAge reads Max-Age (RFC 6265, 5.2.2), bounded to 400 days as RFC 6265bis
// has it.
func parseAge(s string) (seconds int64, ok bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	if digits != s {
		return -1, true
	}
	const most = 400 * 24 * 60 * 60
	for _, d := range digits {
		if seconds = seconds*10 + int64(d-'0'); seconds > most {
			return most, true
		}
	}
	return seconds, true
}
