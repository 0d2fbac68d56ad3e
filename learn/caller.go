package learn

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// A carrier is a way in which credentials come: "bearer", "basic",
// "cookie:NAME", "header:NAME", "query:NAME". Nothing presented is "".
type carrier string

// who is what is known of who sent a request.
type who struct {
	carrier carrier
	// known: the subject and claims are there to compare with.
	known bool
	// name tells callers apart, without any secret in it.
	name   string
	roles  []string
	claims map[string]string // "id" is the subject
	token  *token            // nil when there was none that can be read
}

// token is what an unmasked JWT says of itself (RFC 7519).
type token struct {
	alg, issuer string
	audience    []string
	rolesClaim  string
}

// group names the roles as one word.
func (w *who) group() string {
	switch {
	case w.carrier == "" && !w.known:
		return nobody
	case !w.known:
		return stranger
	}
	return strings.Join(w.roles, ",")
}

const (
	nobody   = "-" // no credential
	stranger = "?" // a credential that says nothing of its owner
)

// speaker finds out who sent a request. Nothing is verified: whether a
// credential was good shows in the answer.
func speaker(x *exchange.Exchange) *who {
	w := &who{}
	text, cookie := "", ""
	w.carrier, text, cookie = presented(&x.Request)
	if c := x.Server.Credential; w.carrier == "" && c != nil {
		switch c.Scheme {
		case "bearer", "basic":
			w.carrier = carrier(c.Scheme)
		case "cookie":
			w.carrier = carrier("cookie:" + c.Field)
		case "api-key":
			w.carrier = carrier("header:" + c.Field)
		}
	}
	if c := x.Server.Caller; c != nil {
		w.known = true
		w.roles = slices.Clone(c.Roles)
		w.claims = map[string]string{"id": string(c.Subject)}
		for name, v := range c.Claims {
			w.claim(name, v)
		}
		w.name = string(c.Subject)
		if c.Name != "" {
			w.name = c.Name
		}
	}
	claims, t := readToken(text)
	w.token = t
	if t != nil && cookie == "" && w.carrier != "bearer" {
		w.token = nil // a JWT in some other field is not what a policy describes
	}
	if !w.known && t != nil {
		w.fromClaims(claims)
	}
	if !w.known && w.carrier == "basic" {
		if b, err := base64.StdEncoding.DecodeString(text); err == nil {
			if user, _, ok := strings.Cut(string(b), ":"); ok && user != "" && len(user) <= maxValue {
				w.known, w.name, w.claims = true, user, map[string]string{"id": user}
			}
		}
	}
	slices.Sort(w.roles)
	w.roles = slices.Compact(w.roles)
	if len(w.roles) > 20 {
		w.roles = w.roles[:20]
	}
	return w
}

// presented finds the credential of a request. cookie is its cookie's name.
func presented(r *exchange.Request) (c carrier, text, cookie string) {
	if a := r.Header.Get("Authorization"); a != "" {
		scheme, rest, _ := strings.Cut(strings.TrimSpace(a), " ")
		switch {
		case strings.EqualFold(scheme, "bearer"):
			return "bearer", strings.TrimSpace(rest), ""
		case strings.EqualFold(scheme, "basic"):
			return "basic", strings.TrimSpace(rest), ""
		}
		return carrier("header:Authorization"), "", ""
	}
	for i := range r.Header {
		if name := r.Header[i].Name; keyHeader(name) && r.Header[i].Value != "" {
			return carrier("header:" + headerName(name)), r.Header[i].Value, ""
		}
	}
	for _, line := range r.Header.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if value != "" && sessionCookie(name, value) {
				return carrier("cookie:" + name), value, name
			}
		}
	}
	for _, p := range queryOf(r.Query()) {
		if p.secret && p.value != "" {
			return carrier("query:" + p.name), p.value, ""
		}
	}
	return "", "", ""
}

// keyHeader reports whether a field carries an API key.
func keyHeader(name string) bool {
	l := strings.ToLower(name)
	switch l {
	case "cookie", "set-cookie", "authorization", "proxy-authorization", "sec-websocket-key", "idempotency-key":
		return false
	}
	if strings.Contains(l, "csrf") || strings.Contains(l, "xsrf") {
		return false
	}
	return strings.HasSuffix(l, "-key") || strings.HasSuffix(l, "apikey") || strings.HasSuffix(l, "-token") && identity.SecretName(name)
}

// sessionCookie reports whether a cookie says who is there: it is a token, or
// is named like a session.
func sessionCookie(name, value string) bool {
	l := strings.ToLower(name)
	if strings.Contains(l, "csrf") || strings.Contains(l, "xsrf") || len(name) > 100 {
		return false
	}
	if _, t := readToken(value); t != nil {
		return true
	}
	return strings.Contains(l, "sess") || strings.Contains(l, "auth") || strings.Contains(l, "token") || l == "sid" || strings.HasSuffix(l, ".sid")
}

// headerName is a field's name with capitals where they usually are.
func headerName(name string) string {
	parts := strings.Split(strings.ToLower(name), "-")
	for i, p := range parts {
		switch {
		case p == "api" || p == "id" || p == "csrf" || p == "xsrf":
			parts[i] = strings.ToUpper(p)
		case p != "":
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "-")
}

// registered are claims that say nothing of who the caller is.
var registered = []string{"iss", "aud", "exp", "iat", "nbf", "jti", "sub", "typ", "azp", "sid", "nonce", "auth_time", "acr", "amr",
	"at_hash", "c_hash", "scope", "scp", "session_state", "email_verified", "roles", "role", "groups", "token_use", "ver"}

func readToken(text string) (map[string]any, *token) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || len(text) > 16<<10 || len(parts[0]) < 10 {
		return nil, nil
	}
	var head struct {
		Alg string `json:"alg"`
	}
	var claims map[string]any
	h, err1 := base64.RawURLEncoding.DecodeString(parts[0])
	p, err2 := base64.RawURLEncoding.DecodeString(parts[1])
	if err1 != nil || err2 != nil || json.Unmarshal(h, &head) != nil || head.Alg == "" || len(head.Alg) > 20 {
		return nil, nil
	}
	v, ok := parse(p)
	if claims, _ = v.(map[string]any); !ok || claims == nil {
		return nil, nil
	}
	t := &token{alg: head.Alg}
	t.issuer, _ = claims["iss"].(string)
	switch a := claims["aud"].(type) {
	case string:
		t.audience = []string{a}
	case []any:
		for _, e := range a {
			if s, ok := e.(string); ok && len(t.audience) < 8 {
				t.audience = append(t.audience, s)
			}
		}
	}
	return claims, t
}

// fromClaims takes what a token says of its owner.
func (w *who) fromClaims(claims map[string]any) {
	sub, ok := scalar(claims["sub"])
	if !ok || sub == "" {
		return
	}
	w.known, w.name = true, sub
	w.claims = map[string]string{"id": sub}
	for name, v := range claims {
		if !slices.Contains(registered, name) {
			w.claim(name, v)
		}
	}
	for _, name := range []string{"roles", "role", "groups", "realm_access.roles"} {
		v := claims[name]
		if name == "realm_access.roles" {
			in, _ := claims["realm_access"].(map[string]any)
			v = in["roles"]
		}
		switch v := v.(type) {
		case string:
			w.roles = []string{v}
		case []any:
			for _, e := range v {
				if s, ok := e.(string); ok && len(s) <= maxValue {
					w.roles = append(w.roles, s)
				}
			}
		default:
			continue
		}
		w.token0().rolesClaim = name
		return
	}
}

func (w *who) token0() *token {
	if w.token == nil {
		w.token = &token{}
	}
	return w.token
}

func (w *who) claim(name string, v any) {
	if s, ok := scalar(v); ok && s != "" && sayable(name) && len(w.claims) < 12 && !masked(s) {
		w.claims[name] = s
	}
}

// scalar is a short text or whole number as text.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, len(v) <= maxValue
	case json.Number:
		return v.String(), digits.MatchString(v.String())
	case int, int64, uint64:
		return fmt.Sprint(v), true
	case float64:
		if v == float64(int64(v)) {
			return fmt.Sprint(int64(v)), true
		}
	}
	return "", false
}

// A parameter of a query or form, decoded.
type parameter struct {
	name, value string
	secret      bool
}

// queryOf reads a raw query leniently, up to 200 parameters.
func queryOf(raw string) []parameter {
	var ps []parameter
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" || len(ps) == 200 {
			continue
		}
		n, v, _ := strings.Cut(part, "=")
		name, err1 := url.QueryUnescape(n)
		value, err2 := url.QueryUnescape(v)
		if err1 != nil || err2 != nil || name == "" || len(name) > 100 {
			continue
		}
		ps = append(ps, parameter{name, value, identity.SecretParameter(name, value)})
	}
	return ps
}
