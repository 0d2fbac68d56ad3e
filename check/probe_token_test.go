package check

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parley-project/parley/exchange"
)

// A token that is made with a key in any of its forms verifies with that key,
// says what it should, and names the algorithm that its key is for.
func TestSigners(t *testing.T) {
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	jwk := func(m map[string]string) []byte { b, _ := json.Marshal(m); return b }
	pkcs8 := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	sec1, _ := x509.MarshalECPrivateKey(p256)
	d, _ := p256.Bytes()
	for name, test := range map[string]struct {
		lent      []byte
		wish, alg string
		public    any
	}{
		"P-256":         {pkcs8(p256), "ES256", "ES256", &p256.PublicKey},
		"P-256 SEC 1":   {pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}), "ES256", "ES256", &p256.PublicKey},
		"P-256 JWK":     {jwk(map[string]string{"kty": "EC", "crv": "P-256", "d": b64(d)}), "ES256", "ES256", &p256.PublicKey},
		"P-384":         {pkcs8(p384), "ES256", "ES384", &p384.PublicKey},
		"Ed25519":       {pkcs8(ed), "EdDSA", "EdDSA", ed.Public()},
		"Ed25519 JWK":   {jwk(map[string]string{"kty": "OKP", "crv": "Ed25519", "d": b64(ed.Seed())}), "EdDSA", "EdDSA", ed.Public()},
		"RSA":           {pkcs8(rs), "RS384", "RS384", &rs.PublicKey},
		"RSA, PSS":      {pkcs8(rs), "PS256", "PS256", &rs.PublicKey},
		"RSA PKCS 1":    {pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rs)}), "RS256", "RS256", &rs.PublicKey},
		"RSA JWK":       {jwk(map[string]string{"kty": "RSA", "n": b64(rs.N.Bytes()), "e": b64(big.NewInt(int64(rs.E)).Bytes()), "d": b64(rs.D.Bytes()), "p": b64(rs.Primes[0].Bytes()), "q": b64(rs.Primes[1].Bytes())}), "RS256", "RS256", &rs.PublicKey},
		"secret":        {jwk(map[string]string{"kty": "oct", "k": b64([]byte("a secret that is long"))}), "HS512", "HS512", []byte("a secret that is long")},
		"another's alg": {pkcs8(ed), "ES256", "EdDSA", ed.Public()},
	} {
		s := lentSigner(test.lent, test.wish)
		if s == nil {
			t.Errorf("%s: the key cannot be read", name)
			continue
		}
		k := &token{head: map[string]any{"alg": test.wish, "kid": "a"}, claims: []byte(`{"sub":"7"}`)}
		text := k.signed(s, map[string]any{"kid": "b"})
		var c jwt.MapClaims
		got, err := jwt.NewParser(jwt.WithValidMethods([]string{test.alg})).ParseWithClaims(text, &c, func(*jwt.Token) (any, error) { return test.public, nil })
		if err != nil || c["sub"] != "7" || got.Header["kid"] != "b" {
			t.Errorf("%s: %v, claims %v", name, err, c)
		}
		if k.head["kid"] != "a" {
			t.Errorf("%s: the token itself was changed", name)
		}
	}
	for _, bad := range []string{"", "no key", "{}", `{"kty":"EC","crv":"P-256","d":"AA"}`, `{"kty":"RSA"}`, "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"} {
		if lentSigner([]byte(bad), "ES256") != nil {
			t.Errorf("lentSigner(%q) is a signer", bad)
		}
	}
}

func TestParseToken(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "a.b.c": false, "opaque-token-of-some-length": false, "eyJhbGciOiJIUzI1NiJ9.e30.AA": true, "eyJhbGciOiJIUzI1NiJ9.e30.": true,
		"eyJhbGciOiJIUzI1NiJ9.e30": false, "eyJhbGciOiJIUzI1NiJ9.e3.AA": false, "e30.e30.AA": false,
	} {
		if got := parseToken(text) != nil; got != want {
			t.Errorf("parseToken(%q) is a token: %v, want %v", text, got, want)
		}
	}
}

func TestGuess(t *testing.T) {
	k := &token{head: map[string]any{}, claims: []byte(`{}`)}
	for secret, want := range map[string]bool{"secret": true, "your-256-bit-secret": true, "": true, rand.Text(): false} {
		if _, got := parseToken(k.signed(secretSigner("HS256", []byte(secret)), nil)).guess(); got != want {
			t.Errorf("the secret %q is guessed: %v, want %v", secret, got, want)
		}
	}
}

// What is forged stands where the person's own credential stood, and nothing of
// that is left.
func TestPresent(t *testing.T) {
	for _, test := range []struct {
		p           Person
		field, want string
	}{
		{Person{Field: "Authorization", Token: "own-token"}, "Authorization", "Bearer X"},
		{Person{Field: "Authorization", Token: "Basic b3du"}, "Authorization", "Basic X"},
		{Person{Field: "X-API-Key", Token: "own-key"}, "X-API-Key", "X"},
		{Person{Field: "Cookie", Token: "abc123", Cookies: "sid=abc123; csrf=t"}, "Cookie", "sid=X; csrf=t"},
		{Person{Field: "Cookie", Token: "sid=abc123"}, "Cookie", "sid=X"},
	} {
		a := present(&Ask{}, &test.p, "X")
		if got := a.Header.Get(test.field); got != test.want || !a.Bare {
			t.Errorf("present(%s %s) sends %q, want %q", test.p.Field, string(test.p.Token), got, test.want)
		}
	}
}

func TestTurned(t *testing.T) {
	for _, s := range []string{"0123456789", "abcdef", "ABCDEF", "lk-GHJKMNPQRSTVWXYZ"} {
		got := turned(s)
		for i := range s {
			if strings.EqualFold(got[i:i+1], s[i:i+1]) && s[i] != '-' {
				t.Errorf("turned(%q) is %q: the same at %d", s, got, i)
			}
		}
	}
}

func TestInputs(t *testing.T) {
	a := &Ask{Target: "/a/b%20c?q=x+y&n=1", Header: exchange.Header{{Name: "Content-Type", Value: "application/json"}}, Body: []byte(`{"a":{"b":"t"},"n":1}`)}
	got := map[string]string{}
	for _, i := range a.inputs() {
		got[i.String()] = i.value
	}
	if want := map[string]string{"query q": "x y", "query n": "1", "request body /a/b": "t"}; !maps.Equal(got, want) {
		t.Errorf("inputs() are %v, want %v", got, want)
	}
	for in, want := range map[input]string{
		{"query", "q", ""}:      "/a/b%20c?q=%27&n=1",
		{"query", "new", ""}:    "/a/b%20c?q=x+y&n=1&new=%27",
		{"path", "c", ""}:       "/a/%27?q=x+y&n=1",
		{"body", "/a/b", ""}:    `{"a":{"b":"'"},"n":1}`,
		{"body", "/other", ""}:  `{"a":{"b":"t"},"n":1,"other":"'"}`,
		{"body", "/n/none", ""}: string(a.Body), // no such place
	} {
		b := a.put(in, "'")
		if got := b.Target; in.in != "body" && got != want {
			t.Errorf("put(%s) asks %s, want %s", in, got, want)
		}
		if got := string(b.Body); in.in == "body" && got != want {
			t.Errorf("put(%s) sends %s, want %s", in, got, want)
		}
	}
	form := &Ask{Header: exchange.Header{{Name: "Content-Type", Value: "application/x-www-form-urlencoded"}}, Body: []byte("user=a&password=b")}
	if got := string(form.put(input{in: "form", name: "user"}, "x y").Body); got != "user=x+y&password=b" {
		t.Errorf("put(form user) sends %s", got)
	}
}

// The same of everybody tells nothing; an empty shell and a stand-in neither.
func TestAlikeInKind(t *testing.T) {
	answer := func(mediaType, body string) *exchange.Exchange {
		return &exchange.Exchange{Response: &exchange.Response{Status: 200, Header: exchange.Header{{Name: "Content-Type", Value: mediaType}},
			Body: exchange.Body{Size: int64(len(body)), Data: []byte(body)}}}
	}
	mine := `{"id":7,"name":"Priya","email":"p@x.test","items":[{"id":1,"text":"some"}]}`
	for _, test := range []struct {
		nobody string
		want   bool
	}{
		{`{"id":9,"name":"Rajan","email":"r@x.test","items":[{"id":2,"text":"other"}]}`, true},
		{`{"id":0,"name":"","email":null,"items":[]}`, false},
		{`{"id":1,"name":"Guest","email":"guest@x.test","items":[{"id":1,"text":"none"}]}`, false},
		{`{"error":"log in first"}`, false},
		{`{}`, false},
	} {
		if got := alikeInKind(answer("application/json", mine), answer("application/json", test.nobody)); got != test.want {
			t.Errorf("alikeInKind(%s) is %v, want %v", test.nobody, got, test.want)
		}
	}
	if !alikeInKind(answer("text/csv", "a,b\n1,2\n"), answer("text/csv", "a,b\n3,4\n")) || alikeInKind(answer("text/csv", "a,b\n1,2\n"), answer("text/csv", "a,b\n")) {
		t.Error("alikeInKind judges tables wrongly")
	}
}
