package identity

import (
	"net/url"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// Credentials in a URL end in logs, histories and Referer fields; those in a
// form are sent by any page that posts one. Both are found and never accepted.

// queryNames are parameters that carry credentials; bodyNames those of a form.
// A form of an OAuth token endpoint rightly carries "token" and "password",
// and a pagination "key" is none: see isKey.
var (
	queryNames = nameSet("accesstoken token apikey jwt idtoken refreshtoken authtoken bearer bearertoken authorization " +
		"sessiontoken sessionid jsessionid phpsessid xapikey xaccesstoken xauthtoken clientsecret secret password passwd pwd")
	bodyNames = nameSet("accesstoken apikey jwt xapikey")
)

// nextParameter takes the first name and value off a query or form, undecoded.
func nextParameter(q string) (name, value, rest string) {
	if i := strings.IndexAny(q, "&;"); i >= 0 {
		q, rest = q[:i], q[i+1:]
	}
	name, value, _ = strings.Cut(q, "=")
	return name, value, rest
}

// unescape decodes percent and plus, as far as they are sound.
func unescape(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	if d, err := url.QueryUnescape(s); err == nil {
		return d
	}
	return s
}

// misplaced returns the first credential at a wrong place, or nil.
func (v *Verifier) misplaced(r *exchange.Request) *exchange.Credential {
	if cs := v.appendMisplaced(nil, r); len(cs) > 0 {
		return &cs[0]
	}
	return nil
}

func (v *Verifier) appendMisplaced(out []exchange.Credential, r *exchange.Request) []exchange.Credential {
	for rest := r.Query(); rest != ""; {
		var name, value string
		name, value, rest = nextParameter(rest)
		if value == "" {
			continue
		}
		name, value = unescape(name), unescape(value)
		var buf [32]byte
		n := fold(&buf, name)
		if queryNames.has(n) || string(n) == "key" && v.isKey(value) || isJWT(value) {
			p := Presented{Scheme: v.schemeOf(value), Carrier: "query", Field: name, Value: Secret(value)}
			out = append(out, *v.bad(p, inQuery))
		}
	}
	if len(r.Body.Data) == 0 || r.Header.MediaType() != "application/x-www-form-urlencoded" {
		return out
	}
	for rest := viewOf(r.Body.Data); rest != ""; {
		var name, value string
		name, value, rest = nextParameter(rest)
		if value == "" {
			continue
		}
		name = strings.Clone(unescape(name)) // the credential outlives the body
		var buf [32]byte
		if bodyNames.has(fold(&buf, name)) {
			p := Presented{Scheme: v.schemeOf(value), Carrier: "body", Field: name, Value: Secret(unescape(value))}
			out = append(out, *v.bad(p, inBody))
		}
	}
	return out
}

func (v *Verifier) schemeOf(value string) string {
	if isJWT(value) {
		return "bearer"
	}
	if v.apiKey(value) != nil {
		return "api-key"
	}
	return "unknown"
}

// isKey tells a key from a word: it is a known one, or long and mixed.
func (v *Verifier) isKey(value string) bool {
	return v.apiKey(value) != nil || len(value) >= 16 &&
		strings.ContainsAny(value, "0123456789") &&
		strings.ContainsAny(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") && !strings.Contains(value, " ")
}
