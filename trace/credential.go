package trace

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A credentialView describes a credential without revealing it.
type credentialView struct {
	short string // "Bearer JWT, 12 min left"
	long  string // with its claims and a placeholder that tells it from others
}

// credentials describes what the request presented: what is masked in its
// fields is a secret.
func (d *drawing) credentials() (out []credentialView) {
	for i := range d.x.Request.Header {
		// The masked copy has the same fields in the same order.
		f, raw := &d.x.Request.Header[i], ""
		if i < len(d.raw.Request.Header) {
			raw = d.raw.Request.Header[i].Value
		}
		switch {
		case strings.EqualFold(f.Name, "Parley-Trace"):
			continue // it proves nothing to the API
		case strings.EqualFold(f.Name, "Authorization"):
			scheme, value, ok := strings.Cut(f.Value, " ")
			_, secret, _ := strings.Cut(raw, " ")
			if !ok {
				scheme, value, secret = "a bare secret", f.Value, raw
			}
			out = append(out, d.token(scheme, value, secret))
		case strings.EqualFold(f.Name, "Cookie"):
			for i, pair := range strings.Split(f.Value, ";") {
				name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
				secret := ""
				if pairs := strings.Split(raw, ";"); i < len(pairs) {
					_, secret, _ = strings.Cut(strings.TrimSpace(pairs[i]), "=")
				}
				if name != "" && i < 8 {
					out = append(out, d.token("cookie "+name, value, secret))
				}
			}
		case strings.Contains(f.Value, "secret:"):
			out = append(out, d.token(f.Name, f.Value, raw))
		}
	}
	return out
}

// token describes one; a JWT by what it says of itself, which nobody verified
// here.
func (d *drawing) token(scheme, placeholder, secret string) credentialView {
	v := credentialView{short: scheme, long: scheme}
	if placeholder != "" {
		v.long += "  [" + placeholder + "]"
	}
	head, claims, ok := jwt(secret)
	if !ok {
		return v
	}
	v.short, v.long = scheme+" JWT", scheme+" JWT"
	text := func(m map[string]any, name string) {
		switch s := m[name].(type) {
		case string:
			if s != "" {
				v.long += " " + name + "=" + cut(d.masker.Text(s), 60)
			}
		case []any:
			var all []string
			for _, a := range s {
				if t, ok := a.(string); ok && len(all) < 4 {
					all = append(all, cut(d.masker.Text(t), 40))
				}
			}
			v.long += " " + name + "=" + strings.Join(all, ",")
		}
	}
	text(head, "alg")
	text(head, "kid")
	text(claims, "iss")
	text(claims, "aud")
	if exp, ok := claims["exp"].(float64); ok && exp > 0 && exp < 1e12 {
		switch left := time.Unix(int64(exp), 0).Sub(d.x.Start); {
		case left <= 0:
			v.short += ", expired"
			v.long += fmt.Sprintf(" expired %s ago", ahead(-left))
		default:
			v.short += ", " + ahead(left) + " left"
			v.long += " exp in " + ahead(left)
		}
	} else {
		v.long += " without exp"
	}
	if alg, _ := head["alg"].(string); strings.EqualFold(alg, "none") {
		v.short += ", unsigned"
	}
	if placeholder != "" {
		v.long += "  [" + placeholder + "]"
	}
	return v
}

// maxJWT bounds what is read of a token.
const maxJWT = 64 << 10

// jwt reads header and claims of a compact JWS.
func jwt(s string) (head, claims map[string]any, ok bool) {
	parts := strings.Split(s, ".")
	if len(s) > maxJWT || len(parts) != 3 {
		return nil, nil, false
	}
	for i, into := range []*map[string]any{&head, &claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(b, into) != nil || *into == nil {
			return nil, nil, false
		}
	}
	_, ok = head["alg"]
	return head, claims, ok
}
