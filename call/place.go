package call

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// A place is a URL taken apart and not decoded: what the person wrote is what
// is sent.
type place struct {
	scheme    string // "http" or "https"
	user      *url.Userinfo
	host      string // a name in ASCII or an address without brackets
	port      string
	authority string // as it belongs into Host
	target    string // path and query
}

// CheckURL says why nothing can be called at a URL, or nil.
func CheckURL(raw string) error {
	if _, err := placeOf(raw); err != nil {
		return fmt.Errorf("call: %w", err)
	}
	return nil
}

// placeOf reads an absolute URL.
func placeOf(raw string) (place, error) {
	var p place
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return p, errors.New("the URL has no scheme: write https:// before it")
	}
	switch p.scheme = strings.ToLower(scheme); p.scheme {
	case "http":
		p.port = "80"
	case "https":
		p.port = "443"
	default:
		return p, fmt.Errorf("the scheme %q is not spoken here: only http and https are", clip(scheme))
	}
	authority, target := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, target = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		name, password, has := strings.Cut(authority[:i], ":")
		authority = authority[i+1:]
		if p.user = url.User(unescape(name)); has {
			p.user = url.UserPassword(unescape(name), unescape(password))
		}
	}
	if err := p.readAuthority(authority); err != nil {
		return p, err
	}
	target, _, _ = strings.Cut(target, "#")
	if target == "" || target[0] == '?' {
		target = "/" + target
	}
	p.target = escaped(target)
	return p, nil
}

// readAuthority reads host and port. A port that is the scheme's own is not
// said (RFC 9110, 4.2.3).
func (p *place) readAuthority(s string) error {
	usual := p.port
	host, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		host, port = s[:i], s[i+1:]
	}
	if port != "" {
		n := 0
		for _, c := range []byte(port) {
			if n = n*10 + int(c-'0'); c < '0' || c > '9' || n > 65535 {
				return fmt.Errorf("%q is no port: those are 1 to 65535", clip(port))
			}
		}
		p.port = port
	}
	switch {
	case host == "":
		return errors.New("the URL names no host")
	case host[0] == '[':
		a, err := netip.ParseAddr(strings.Replace(strings.Trim(host, "[]"), "%25", "%", 1))
		if err != nil || host[len(host)-1] != ']' {
			return fmt.Errorf("%q is no IPv6 address", clip(host))
		}
		p.host, p.authority = a.String(), "["+a.WithZone("").String()+"]"
	default:
		name, err := asciiName(unescape(host))
		if err != nil {
			return fmt.Errorf("%q is no host name", clip(host))
		}
		p.host, p.authority = name, name
	}
	if p.port != usual {
		p.authority += ":" + p.port
	}
	return nil
}

// asciiName returns a name as DNS and certificates have it.
func asciiName(name string) (string, error) {
	plain := true
	for _, c := range []byte(name) {
		switch {
		case c >= 0x80:
			plain = false
		case c <= ' ' || c == 0x7f || strings.IndexByte(`"/<>@[\]^{|}`+"`", c) >= 0:
			return "", errors.New("not a name")
		}
	}
	if plain && len(name) <= 255 {
		return name, nil
	}
	return idna.Lookup.ToASCII(name)
}

// escaped encodes what cannot stand in a request line: controls, spaces and
// what is not ASCII. All else stays as it was written.
func escaped(s string) string {
	clean := true
	for i := 0; i < len(s); i++ {
		clean = clean && s[i] > ' ' && s[i] < 0x7f
	}
	if clean {
		return s
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		if c > ' ' && c < 0x7f {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

func unescape(s string) string {
	if d, err := url.PathUnescape(s); err == nil {
		return d
	}
	return s
}

// address is where to connect.
func (p *place) address() string { return net.JoinHostPort(p.host, p.port) }

// origin tells places apart that may not share a credential (RFC 6454, 4).
func (p *place) origin() string { return p.scheme + "://" + strings.ToLower(p.address()) }

// url is the place in the form that the cookie jar wants.
func (p *place) url() *url.URL {
	path, query, _ := strings.Cut(p.target, "?")
	u := &url.URL{Scheme: p.scheme, Host: p.authority, Path: path, RawQuery: query}
	if d, err := url.PathUnescape(path); err == nil {
		u.Path, u.RawPath = d, path
	}
	return u
}

// localName reports whether a host is this machine, whoever answers for names
// (RFC 6761, 6.3).
func localName(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// clip keeps text from elsewhere short where a person reads it.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
