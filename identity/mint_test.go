package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parley-project/parley/exchange"
)

// now is the time in these tests.
var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// A signer makes tokens for tests.
type signer struct {
	kid string
	key *ecdsa.PrivateKey
}

func newSigner(t testing.TB, kid string) *signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{kid, k}
}

// jwk is the public key.
func (s *signer) jwk(t testing.TB) map[string]any {
	b, err := s.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	return map[string]any{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": s.kid,
		"x": enc(b[1:33]), "y": enc(b[33:])}
}

func jwks(t testing.TB, ss ...*signer) []byte {
	keys := []any{}
	for _, s := range ss {
		keys = append(keys, s.jwk(t))
	}
	b, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// claims are those of a good token, with changes: a nil takes a claim away.
func claims(changes map[string]any) map[string]any {
	m := map[string]any{"iss": "https://login.example", "aud": "shop", "sub": "101",
		"exp": now.Add(time.Hour).Unix(), "iat": now.Unix(), "jti": "t-1",
		"roles": []string{"customer"}, "scope": "orders:read orders:write", "plan": "free"}
	for k, v := range changes {
		if m[k] = v; v == nil {
			delete(m, k)
		}
	}
	return m
}

// sign makes a token with the header and claims given.
func (s *signer) sign(t testing.TB, header, claims map[string]any) string {
	h := map[string]any{"alg": "ES256", "typ": "JWT", "kid": s.kid}
	for k, v := range header {
		if h[k] = v; v == nil {
			delete(h, k)
		}
	}
	hb, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return s.raw(t, hb, cb)
}

func (s *signer) raw(t testing.TB, header, payload []byte) string {
	enc := base64.RawURLEncoding.EncodeToString
	text := enc(header) + "." + enc(payload)
	sig, err := jwt.SigningMethodES256.Sign(text, s.key)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + enc(sig)
}

func write(t testing.TB, name string, data []byte) string {
	t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(t.TempDir(), name)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// shop is a configuration like the example's.
func shop(keys string) *Config {
	return &Config{Cookie: "session", IntegerSubject: true, Claims: []string{"plan"},
		JWT: &JWT{Issuer: "https://login.example", Audience: "shop", Keys: keys, Algorithms: []string{"ES256"}, Leeway: 30 * time.Second}}
}

func verifier(t testing.TB, c *Config, o Options) *Verifier {
	t.Helper()
	o.Now = clock
	v, err := New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// request is a GET with header fields "Name: value".
func request(target string, fields ...string) *exchange.Request {
	r := &exchange.Request{Method: "GET", Scheme: "https", Authority: "api.shop.test", Target: target, Proto: "HTTP/1.1"}
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header = append(r.Header, exchange.Field{Name: fields[i], Value: fields[i+1]})
	}
	return r
}

func bearer(token string) *exchange.Request {
	return request("/v1/orders", "Authorization", "Bearer "+token)
}

// outcome is a short form of what Identify said.
func outcome(c *exchange.Caller, cred *exchange.Credential, err error) string {
	switch {
	case err != nil:
		return "undecided"
	case c != nil && cred != nil && cred.Verified && cred.Problem == "":
		return "good " + string(c.Subject)
	case c == nil && cred == nil:
		return "nothing"
	case c == nil && !cred.Verified && cred.Problem != "":
		return fmt.Sprintf("%s %s", cred.Scheme, cred.Problem)
	}
	return fmt.Sprintf("inconsistent: %+v %+v", c, cred)
}

func ask(t testing.TB, v *Verifier, r *exchange.Request, at time.Time) string {
	t.Helper()
	return outcome(v.Identify(t.Context(), r, at))
}
