package identity

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestBearer(t *testing.T) {
	s, other := newSigner(t, "k1"), newSigner(t, "k1")
	v := verifier(t, shop(write(t, "jwks.json", jwks(t, s))), Options{})
	good := s.sign(t, nil, claims(nil))
	head, rest, _ := strings.Cut(good, ".")
	payload, _ := json.Marshal(claims(nil))
	tests := []struct{ name, token, want string }{
		{"good", good, "good 101"},
		{"integer subject as a number", s.sign(t, nil, claims(map[string]any{"sub": 102})), "good 102"},
		{"no kid", s.sign(t, map[string]any{"kid": nil}, claims(nil)), "good 101"},
		{"no typ", s.sign(t, map[string]any{"typ": nil}, claims(nil)), "good 101"},
		{"at+jwt", s.sign(t, map[string]any{"typ": "application/at+jwt"}, claims(nil)), "good 101"},
		{"list of audiences", s.sign(t, nil, claims(map[string]any{"aud": []string{"a", "shop"}})), "good 101"},
		{"embedded key is ignored", other.sign(t, map[string]any{"jwk": other.jwk(t)}, claims(nil)), "bearer own-key"},
		{"key URL is ignored", other.sign(t, map[string]any{"jku": "http://127.0.0.1:1/", "x5u": "http://127.0.0.1:1/"}, claims(nil)), "bearer own-key"},

		{"other key", other.sign(t, nil, claims(nil)), "bearer signature"},
		{"other kid", s.sign(t, map[string]any{"kid": "k2"}, claims(nil)), "bearer key"},
		{"kid is a path", s.sign(t, map[string]any{"kid": "../../dev/null"}, claims(nil)), "bearer kid"},
		{"kid is a path, alg HS256", s.sign(t, map[string]any{"kid": "/dev/null", "alg": "HS256"}, claims(nil)), "bearer kid"},
		{"kid is a query", s.sign(t, map[string]any{"kid": "x' UNION SELECT 'k"}, claims(nil)), "bearer kid"},
		{"kid is a path and a key comes along", other.sign(t, map[string]any{"kid": "../k", "jwk": other.jwk(t)}, claims(nil)), "bearer own-key"},
		{"kid is a number", s.sign(t, map[string]any{"kid": 1}, claims(nil)), "bearer malformed"},
		{"alg none", s.sign(t, map[string]any{"alg": "none"}, claims(nil)), "bearer unsigned"},
		{"alg none, no signature", unsignedOf(s.sign(t, map[string]any{"alg": "none"}, claims(nil))), "bearer unsigned"},
		{"no signature", unsignedOf(s.sign(t, nil, claims(nil))), "bearer malformed"},
		{"alg None, no signature", s.sign(t, map[string]any{"alg": "None"}, claims(nil))[:40], "bearer malformed"},
		{"alg HS256", s.sign(t, map[string]any{"alg": "HS256"}, claims(nil)), "bearer algorithm"},
		{"alg es256", s.sign(t, map[string]any{"alg": "es256"}, claims(nil)), "bearer algorithm"},
		{"no alg", s.sign(t, map[string]any{"alg": nil}, claims(nil)), "bearer malformed"},
		{"crit", s.sign(t, map[string]any{"crit": []string{"exp"}}, claims(nil)), "bearer malformed"},
		{"b64 false", s.sign(t, map[string]any{"b64": false}, claims(nil)), "bearer malformed"},
		{"typ", s.sign(t, map[string]any{"typ": "dpop+jwt"}, claims(nil)), "bearer malformed"},
		{"duplicate in header", s.raw(t, []byte(`{"alg":"ES256","kid":"k1","alg":"ES256"}`), payload), "bearer malformed"},
		{"duplicate in payload", s.raw(t, []byte(`{"alg":"ES256","kid":"k1"}`), append([]byte(`{"sub":"1",`), payload[1:]...)), "bearer malformed"},
		{"two objects", s.raw(t, []byte(`{"alg":"ES256"}`), append(payload, "{}"...)), "bearer malformed"},
		{"payload is a list", s.raw(t, []byte(`{"alg":"ES256"}`), []byte(`[]`)), "bearer malformed"},
		{"deep payload", s.raw(t, []byte(`{"alg":"ES256"}`), []byte(`{"a":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+"}")), "bearer malformed"},

		{"no token", "", "bearer malformed"},
		{"two parts", head + "." + head, "bearer malformed"},
		{"four parts", good + ".x", "bearer malformed"},
		{"padding", good + "=", "bearer malformed"},
		{"space inside", head + " ." + rest, "bearer malformed"},
		{"line break", head + "\n." + rest, "bearer malformed"},
		{"JSON serialisation", `{"payload":"","signatures":[]}`, "bearer malformed"},
		{"too long", s.sign(t, nil, claims(map[string]any{"x": strings.Repeat("x", maxToken)})), "bearer malformed"},

		{"expired", s.sign(t, nil, claims(map[string]any{"exp": now.Add(-31 * time.Second).Unix()})), "bearer expired"},
		{"expired within leeway", s.sign(t, nil, claims(map[string]any{"exp": now.Add(-29 * time.Second).Unix()})), "good 101"},
		{"expired to the second", s.sign(t, nil, claims(map[string]any{"exp": now.Add(-30 * time.Second).Unix()})), "bearer expired"},
		{"no exp", s.sign(t, nil, claims(map[string]any{"exp": nil})), "bearer malformed"},
		{"exp as text", s.sign(t, nil, claims(map[string]any{"exp": fmt.Sprint(now.Add(time.Hour).Unix())})), "bearer malformed"},
		{"exp beyond all dates", s.raw(t, []byte(`{"alg":"ES256"}`), []byte(`{"exp":1e300}`)), "bearer malformed"},
		{"nbf later", s.sign(t, nil, claims(map[string]any{"nbf": now.Add(time.Minute).Unix()})), "bearer not-yet"},
		{"iat later", s.sign(t, nil, claims(map[string]any{"iat": now.Add(time.Minute).Unix()})), "bearer not-yet"},
		{"issuer", s.sign(t, nil, claims(map[string]any{"iss": "https://login.example/"})), "bearer issuer"},
		{"no issuer", s.sign(t, nil, claims(map[string]any{"iss": nil})), "bearer issuer"},
		{"audience", s.sign(t, nil, claims(map[string]any{"aud": "shop2"})), "bearer audience"},
		{"no audience", s.sign(t, nil, claims(map[string]any{"aud": nil})), "bearer audience"},
		{"no subject", s.sign(t, nil, claims(map[string]any{"sub": nil})), "bearer subject"},
		{"subject is a name", s.sign(t, nil, claims(map[string]any{"sub": "priya"})), "bearer subject"},
		{"subject with zeros", s.sign(t, nil, claims(map[string]any{"sub": "0101"})), "bearer subject"},
		{"subject with a fraction", s.raw(t, []byte(`{"alg":"ES256"}`), []byte(strings.Replace(string(payload), `"sub":"101"`, `"sub":101.0`, 1))), "bearer subject"},
		{"roles is an object", s.sign(t, nil, claims(map[string]any{"roles": map[string]any{"admin": true}})), "bearer malformed"},
	}
	for _, tt := range tests {
		for _, round := range []string{"first", "second"} { // the second meets the cache
			if got := ask(t, v, bearer(tt.token), now); got != tt.want {
				t.Errorf("%s (%s time): %s, want %s", tt.name, round, got, tt.want)
			}
		}
	}
}

// unsignedOf takes the signature away.
func unsignedOf(token string) string { return token[:strings.LastIndexByte(token, '.')+1] }
