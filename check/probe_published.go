package check

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// A publicKey is one that the API publishes for its tokens.
type publicKey struct {
	kid, kty string
	text     []byte // the JWK as it is sent
	set      []byte // and the set that it stands in
	key      any
	from     *exchange.Exchange
}

// maxPublished bounds the keys that are looked at.
const maxPublished = 8

// published finds the keys: in the answers of endpoints, and where they usually
// are.
func (t *Trial) published() []publicKey {
	if t.known.sought {
		return t.known.keys
	}
	t.known.sought = true
	for _, e := range t.Endpoints {
		if e.Method != "GET" {
			continue
		}
		for _, p := range []*Person{nil, t.Victim} {
			if keys := keysIn(e.Honest[p]); len(keys) > 0 {
				t.known.keys = keys
				return keys
			}
		}
	}
	for _, at := range []string{"/.well-known/jwks.json", "/jwks.json", "/oauth/jwks"} {
		if keys := keysIn(t.Ask(&Ask{Method: "GET", Target: at, Control: true})); len(keys) > 0 {
			t.known.keys = keys
			return keys
		}
	}
	return nil
}

func keysIn(x *exchange.Exchange) (out []publicKey) {
	if !Succeeded(x) {
		return nil
	}
	text := Text(x)
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if len(text) > 256<<10 || json.Unmarshal(text, &set) != nil {
		return nil
	}
	for _, raw := range set.Keys {
		var jwk map[string]any
		if json.Unmarshal(raw, &jwk) != nil || len(out) == maxPublished {
			continue
		}
		if use, _ := jwk["use"].(string); use != "" && use != "sig" {
			continue
		}
		k := publicKey{text: raw, set: text, key: publicOf(jwk), from: x}
		k.kid, _ = jwk["kid"].(string)
		k.kty, _ = jwk["kty"].(string)
		if k.key != nil {
			out = append(out, k)
		}
	}
	return out
}

func publicOf(jwk map[string]any) any {
	part := func(name string) []byte {
		s, _ := jwk[name].(string)
		b, _ := base64.RawURLEncoding.DecodeString(s)
		return b
	}
	switch jwk["kty"] {
	case "EC":
		for _, c := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
			if jwk["crv"] != c.Params().Name {
				continue
			}
			if k, err := ecdsa.ParseUncompressedPublicKey(c, append(append([]byte{4}, part("x")...), part("y")...)); err == nil {
				return k
			}
		}
	case "OKP":
		if x := part("x"); jwk["crv"] == "Ed25519" && len(x) == ed25519.PublicKeySize {
			return ed25519.PublicKey(x)
		}
	case "RSA":
		n, e := new(big.Int).SetBytes(part("n")), new(big.Int).SetBytes(part("e"))
		if n.BitLen() >= 1024 && n.BitLen() <= 16384 && e.BitLen() > 1 && e.BitLen() <= 32 {
			return &rsa.PublicKey{N: n, E: int(e.Int64())}
		}
	}
	return nil
}

// asSecrets are the bytes that a server may hold of a key, and so may take for a
// shared secret: the file that its library was given, in the usual forms.
func (k publicKey) asSecrets() (out [][]byte) {
	if der, err := x509.MarshalPKIXPublicKey(k.key); err == nil {
		file := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		out = append(out, file, []byte(strings.TrimSpace(string(file))), der)
	}
	out = append(out, k.text)
	switch key := k.key.(type) {
	case *rsa.PublicKey:
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(key)}), key.N.Bytes())
	case ed25519.PublicKey:
		out = append(out, key)
	case *ecdsa.PublicKey:
		if point, err := key.Bytes(); err == nil {
			out = append(out, point)
		}
	}
	return append(out, k.set)
}
