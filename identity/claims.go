package identity

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/parley-project/parley/exchange"
)

// A verdict is a token that was proved, and for how long that holds.
type verdict struct {
	caller  *exchange.Caller
	id      string // jti
	from    time.Time
	expires time.Time // what the token says
	until   time.Time // that and the leeway
}

// judge reads the claims of a payload whose signature was proved.
func (c *Config) judge(payload []byte, now time.Time) (*verdict, error) {
	m, err := object(payload)
	if err != nil {
		return nil, malformed
	}
	v := &verdict{}
	if v.id, _, err = text(m, "jti"); err != nil {
		return nil, malformed
	}
	if err := v.time(m, c.JWT.Leeway, now); err != nil {
		return nil, err
	}
	if iss, _, err := text(m, "iss"); err != nil || iss != c.JWT.Issuer {
		return nil, issuer
	}
	if c.JWT.Audience != "any" && !hasAudience(m["aud"], c.JWT.Audience) {
		return nil, audience
	}
	v.caller = &exchange.Caller{}
	claim := c.SubjectClaim
	if claim == "" {
		claim = "sub"
	}
	var ok bool
	if v.caller.Subject, ok = subject(find(m, claim), c.IntegerSubject); !ok {
		return nil, noSubject
	}
	if v.caller.Roles, ok = words(find(m, either(c.JWT.Roles, "roles")), false); !ok {
		return nil, malformed
	}
	if v.caller.Scopes, ok = words(find(m, either(c.JWT.Scopes, "scope")), true); !ok {
		return nil, malformed
	}
	for _, name := range c.Claims {
		if val := find(m, name); val != nil {
			if v.caller.Claims == nil {
				v.caller.Claims = map[string]any{}
			}
			v.caller.Claims[name] = plain(val)
		}
	}
	return v, nil
}

// time judges exp, nbf and iat. exp must be there: a token that never ends
// cannot be taken back.
func (v *verdict) time(m map[string]any, leeway time.Duration, now time.Time) error {
	exp, there, ok := date(m, "exp")
	if !there || !ok {
		return malformed
	}
	v.expires, v.until = exp, exp.Add(leeway)
	if !now.Before(v.until) {
		return expired
	}
	for _, name := range []string{"nbf", "iat"} {
		t, there, ok := date(m, name)
		if !ok {
			return malformed
		}
		if there && v.from.Before(t.Add(-leeway)) {
			v.from = t.Add(-leeway)
		}
	}
	if now.Before(v.from) {
		return notYet
	}
	return nil
}

// lastDate is the end of the year 9999, after which dates cannot be written.
const lastDate = 253402300799

// date reads a NumericDate (RFC 7519, 2).
func date(m map[string]any, name string) (t time.Time, there, ok bool) {
	v, there := m[name]
	if !there {
		return t, false, true
	}
	n, ok := v.(json.Number)
	if !ok {
		return t, true, false
	}
	f, err := n.Float64()
	if err != nil || math.IsNaN(f) || f < 0 || f > lastDate {
		return t, true, false
	}
	whole, part := math.Modf(f)
	return time.Unix(int64(whole), int64(part*1e9)), true, true
}

func hasAudience(v any, want string) bool {
	switch v := v.(type) {
	case string:
		return v == want
	case []any:
		found := false
		for _, a := range v {
			s, ok := a.(string)
			if !ok {
				return false
			}
			found = found || s == want
		}
		return found
	}
	return false
}

// find returns a claim: the one of that very name, or else the one that the
// dots of the name lead to.
func find(m map[string]any, name string) any {
	if v, ok := m[name]; ok {
		return v
	}
	head, rest, ok := strings.Cut(name, ".")
	if !ok {
		return nil
	}
	if in, ok := m[head].(map[string]any); ok {
		return find(in, rest)
	}
	return nil
}

// subject takes a whole number, as a number or as its decimal digits, when
// integer is set, and else only text. Each subject has one form only: "0101"
// and 101.0 are nobody.
func subject(v any, integer bool) (exchange.Subject, bool) {
	s, isText := v.(string)
	if n, ok := v.(json.Number); ok && integer {
		s = n.String()
	} else if !isText {
		return "", false
	}
	if integer {
		i, err := strconv.ParseInt(s, 10, 64)
		return exchange.Subject(s), err == nil && strconv.FormatInt(i, 10) == s
	}
	return exchange.Subject(s), s != "" && strings.IndexFunc(s, unicode.IsControl) < 0
}

// words reads a list of text, or one text. That is one word, unless split is
// set as for scopes (RFC 8693, 4.2). Nothing is no words.
func words(v any, split bool) ([]string, bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case string:
		if split {
			return strings.Fields(v), true
		}
		return []string{v}, true
	case []any:
		var out []string
		for _, w := range v {
			s, ok := w.(string)
			if !ok {
				return nil, false
			}
			out = append(out, s)
		}
		return out, true
	}
	return nil, false
}

// plain turns numbers into int64 where they are whole and float64 elsewhere.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case int: // of YAML
		return int64(v)
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	}
	return v
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
