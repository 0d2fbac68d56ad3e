package check

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // tokens are signed with these
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
)

// A signer signs tokens with one key in one way (RFC 7518, 3).
type signer struct {
	alg string
	// public is the key as a JWK, for whoever is to verify; nil for a secret.
	public map[string]any
	sign   func(text []byte) []byte
}

// ownKey makes a key of our own for an algorithm, once a trial: nobody has any
// reason to believe it.
func (t *Trial) ownKey(alg string) *signer {
	if t.known.own[alg] == nil {
		if t.known.own == nil {
			t.known.own = map[string]*signer{}
		}
		t.known.own[alg] = t.freshKey(alg)
	}
	return t.known.own[alg]
}

// freshKey makes another one.
func (t *Trial) freshKey(alg string) *signer {
	var key any
	var err error
	switch {
	case strings.HasPrefix(alg, "ES"):
		key, err = ecdsa.GenerateKey(curveOf(alg), rand.Reader)
	case strings.HasPrefix(alg, "RS"), strings.HasPrefix(alg, "PS"):
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case strings.HasPrefix(alg, "Ed"):
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		key = []byte(rand.Text())
	}
	if s := signerOf(key, alg); err == nil && s != nil {
		return s
	}
	return secretSigner("HS256", []byte(rand.Text()))
}

func curveOf(alg string) elliptic.Curve {
	switch alg {
	case "ES384":
		return elliptic.P384()
	case "ES512":
		return elliptic.P521()
	}
	return elliptic.P256()
}

func hashOf(alg string) crypto.Hash {
	switch {
	case strings.HasSuffix(alg, "384"):
		return crypto.SHA384
	case strings.HasSuffix(alg, "512"):
		return crypto.SHA512
	}
	return crypto.SHA256
}

func digestOf(h crypto.Hash, text []byte) []byte {
	d := h.New()
	d.Write(text)
	return d.Sum(nil)
}

// secretSigner signs with a secret that the verifier has, too.
func secretSigner(alg string, secret []byte) *signer {
	return &signer{alg: alg, sign: func(text []byte) []byte {
		m := hmac.New(hashOf(alg).New, secret)
		m.Write(text)
		return m.Sum(nil)
	}}
}

// signerOf signs with a private key, in the way of an algorithm if the key is
// one for it and in its own otherwise. It is nil when there is none.
func signerOf(key any, alg string) *signer {
	b64 := base64.RawURLEncoding.EncodeToString
	switch k := key.(type) {
	case []byte:
		if !strings.HasPrefix(alg, "HS") {
			alg = "HS256"
		}
		return secretSigner(alg, k)
	case *ecdsa.PrivateKey:
		size := (k.Curve.Params().BitSize + 7) / 8
		switch alg = "ES256"; size {
		case 48:
			alg = "ES384"
		case 66:
			alg = "ES512"
		}
		point, err := k.PublicKey.Bytes()
		if err != nil {
			return nil
		}
		return &signer{alg, map[string]any{"kty": "EC", "crv": k.Curve.Params().Name, "x": b64(point[1 : 1+size]), "y": b64(point[1+size:])},
			func(text []byte) []byte {
				r, s, err := ecdsa.Sign(rand.Reader, k, digestOf(hashOf(alg), text))
				if err != nil {
					return nil
				}
				out := make([]byte, 2*size) // RFC 7518, 3.4
				r.FillBytes(out[:size])
				s.FillBytes(out[size:])
				return out
			}}
	case ed25519.PrivateKey:
		if !strings.HasPrefix(alg, "Ed") {
			alg = "EdDSA"
		}
		return &signer{alg, map[string]any{"kty": "OKP", "crv": "Ed25519", "x": b64(k.Public().(ed25519.PublicKey))},
			func(text []byte) []byte { return ed25519.Sign(k, text) }}
	case *rsa.PrivateKey:
		if !strings.HasPrefix(alg, "RS") && !strings.HasPrefix(alg, "PS") {
			alg = "RS256"
		}
		h := hashOf(alg)
		return &signer{alg, map[string]any{"kty": "RSA", "n": b64(k.N.Bytes()), "e": b64(big.NewInt(int64(k.E)).Bytes())},
			func(text []byte) (sig []byte) {
				if strings.HasPrefix(alg, "PS") {
					sig, _ = rsa.SignPSS(rand.Reader, k, h, digestOf(h, text), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
				} else {
					sig, _ = rsa.SignPKCS1v15(rand.Reader, k, h, digestOf(h, text))
				}
				return sig
			}}
	}
	return nil
}

// lentSigner reads the key that an API's people lent: PEM, or a private JWK.
func lentSigner(key []byte, alg string) *signer {
	if b, _ := pem.Decode(key); b != nil {
		for _, parse := range []func([]byte) (any, error){
			x509.ParsePKCS8PrivateKey,
			func(der []byte) (any, error) { return x509.ParseECPrivateKey(der) },
			func(der []byte) (any, error) { return x509.ParsePKCS1PrivateKey(der) },
		} {
			if k, err := parse(b.Bytes); err == nil {
				return signerOf(k, alg)
			}
		}
		return nil
	}
	var jwk map[string]any
	if json.Unmarshal(key, &jwk) != nil {
		return nil
	}
	if list, ok := jwk["keys"].([]any); ok && len(list) > 0 {
		jwk, _ = list[0].(map[string]any)
	}
	k, err := privateKey(jwk)
	if err != nil {
		return nil
	}
	return signerOf(k, alg)
}

// privateKey reads a private JWK (RFC 7518, 6; RFC 8037).
func privateKey(jwk map[string]any) (any, error) {
	part := func(name string) []byte {
		s, _ := jwk[name].(string)
		b, _ := base64.RawURLEncoding.DecodeString(s)
		return b
	}
	number := func(name string) *big.Int { return new(big.Int).SetBytes(part(name)) }
	switch d := part("d"); jwk["kty"] {
	case "oct":
		return part("k"), nil
	case "EC":
		for _, c := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
			if jwk["crv"] == c.Params().Name {
				return ecdsa.ParseRawPrivateKey(c, d)
			}
		}
	case "OKP":
		if len(d) == ed25519.SeedSize {
			return ed25519.NewKeyFromSeed(d), nil
		}
	case "RSA":
		e := number("e")
		if len(part("p")) == 0 || len(part("q")) == 0 || !e.IsInt64() {
			break
		}
		k := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: number("n"), E: int(e.Int64())}, D: number("d"), Primes: []*big.Int{number("p"), number("q")}}
		if err := k.Validate(); err != nil {
			return nil, err
		}
		k.Precompute()
		return k, nil
	}
	return nil, errors.New("check: no private key")
}
