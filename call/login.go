package call

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/ohler55/ojg/jp"
	"github.com/ohler55/ojg/oj"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// As makes the Auth of a person, who may have to log in first: at the first
// request that needs it, again when the credential ends, and again when the API
// no longer takes it. base is the API's URL, for paths in recipes; open shows a
// URL to whoever sits here, and nil means that nobody does.
func As(p *identity.Person, c *Client, base string, open func(url string) error) (identity.Auth, error) {
	switch {
	case p.Auth != nil:
		return p.Auth, nil
	case p.OAuth2 != nil:
		return newOAuth2(p, c, open)
	case p.Login == nil:
		return nil, fmt.Errorf("call: identity %s has no credential", p.Name)
	}
	u, err := join(base, p.Login.URL)
	if err != nil {
		return nil, fmt.Errorf("call: log in as %s: %w", p.Name, err)
	}
	l := &login{Login: p.Login, name: p.Name, url: u, c: c}
	if p.Login.Token != "" {
		if l.token, err = jp.ParseString(p.Login.Token); err != nil {
			return nil, fmt.Errorf("call: log in as %s: %q is no JSONPath", p.Name, p.Login.Token)
		}
	}
	if p.Login.Expires != "" {
		if l.expires, err = jp.ParseString(p.Login.Expires); err != nil {
			return nil, fmt.Errorf("call: log in as %s: %q is no JSONPath", p.Name, p.Login.Expires)
		}
	}
	scheme, field := "bearer", "Authorization"
	if p.Login.Cookie != "" {
		scheme, field = "cookie", "Cookie"
	} else if l.otherField() {
		scheme, field = "api-key", p.Login.As
	}
	return newRenewed(scheme, field, l.get, c.now), nil
}

// join makes an absolute URL of one that may be a path of the API, as a link
// on a page there would be (RFC 3986, 5). Who asks there has nothing to do with
// who logs in.
func join(base, target string) (string, error) {
	if strings.Contains(target, "://") {
		return target, nil
	}
	if base == "" {
		return "", errors.New("its URL is only a path, and the API's address is not known")
	}
	b, err := url.Parse(base)
	if err != nil || b.Host == "" {
		return "", errors.New("the API's address is no URL")
	}
	t, err := url.Parse(target)
	if err != nil {
		return "", errors.New("its URL is none")
	}
	b.User = nil
	return b.ResolveReference(t).String(), nil
}

// login is a recipe with what it needs to be followed.
type login struct {
	*identity.Login
	name, url      string
	token, expires jp.Expr
	c              *Client
}

func (l *login) get(ctx context.Context) (identity.Auth, time.Time, error) {
	r := &Request{Method: l.Method, URL: l.url, Header: l.Header, Body: []byte(l.Body)}
	all := l.c.Do(ctx, r)
	x := all[len(all)-1]
	fail := func(format string, args ...any) (identity.Auth, time.Time, error) {
		return nil, time.Time{}, fmt.Errorf("call: log in as %s at %s %s: "+format, append([]any{l.name, l.Method, plainURL(l.url)}, args...)...)
	}
	switch {
	case x.Failure != "":
		return fail("%s", x.Failure)
	case x.Client != nil && len(x.Client.Withheld) > 0:
		return fail("the channel was not verified, so that what proves who asks was withheld")
	case x.Response == nil:
		return fail("no response")
	case x.Response.Status < 200 || x.Response.Status > 399:
		return fail("the answer is %d", x.Response.Status)
	case l.Cookie != "":
		for _, one := range all { // the cookie may come with a redirect
			if v, ok := cookieOf(one.Response, l.Cookie); ok {
				a, err := identity.NewAPIKey("cookie", l.Cookie, identity.Secret(v))
				return a, time.Time{}, err
			}
		}
		return fail("the answer sets no cookie %s", l.Cookie)
	case l.Field != "":
		v := x.Response.Header.Get(l.Field)
		if v == "" {
			return fail("the answer has no field %s", l.Field)
		}
		return l.auth(strings.TrimPrefix(v, "Bearer "), time.Time{})
	}
	body, err := oj.Parse(x.Response.Body.Data)
	if err != nil {
		return fail("the answer is no JSON")
	}
	found := l.token.Get(body)
	if len(found) == 0 {
		return fail("the answer has nothing at %s", l.Token)
	}
	token, ok := found[0].(string)
	if !ok || token == "" {
		return fail("%s is no text", l.Token)
	}
	var until time.Time
	if l.expires != nil {
		if seconds, ok := secondsOf(l.expires.Get(body)); ok {
			until = l.c.now().Add(time.Duration(seconds * float64(time.Second)))
		}
	}
	return l.auth(token, until)
}

// auth is how the token is sent from now on.
func (l *login) auth(token string, until time.Time) (identity.Auth, time.Time, error) {
	if until.IsZero() {
		until = expiryOf(token)
	}
	if l.otherField() {
		a, err := identity.NewAPIKey("header", l.As, identity.Secret(token))
		return a, until, err
	}
	return identity.NewBearer(identity.Secret(token)), until, nil
}

// otherField reports whether the token is sent by itself in a field of its own.
func (l *login) otherField() bool { return l.As != "" && !strings.EqualFold(l.As, "Authorization") }

// expiryOf is when a token says that it ends, if it is a JWT. Nothing is
// verified: it only tells when to log in again.
func expiryOf(token string) time.Time {
	var claims jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &claims); err != nil || claims.ExpiresAt == nil {
		return time.Time{}
	}
	return claims.ExpiresAt.Time
}

func secondsOf(found []any) (float64, bool) {
	if len(found) == 0 {
		return 0, false
	}
	var n float64
	switch v := found[0].(type) {
	case int64:
		n = float64(v)
	case float64:
		n = v
	case string:
		n, _ = strconv.ParseFloat(v, 64)
	}
	return n, n > 0 && n < 1e9
}

func cookieOf(r *exchange.Response, name string) (string, bool) {
	if r == nil {
		return "", false
	}
	for _, line := range r.Header.Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(line); err == nil && c.Name == name && c.Value != "" {
			return c.Value, true
		}
	}
	return "", false
}

// plainURL is a URL without what may be a secret in it.
func plainURL(u string) string {
	p, err := url.Parse(u)
	if err != nil {
		return "a URL that cannot be read"
	}
	return (&url.URL{Scheme: p.Scheme, Host: p.Host, Path: p.Path}).String()
}
