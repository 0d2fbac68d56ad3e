package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"

	"github.com/golang-jwt/jwt/v5"
)

// An algorithm is one way to sign, with what a key must be to be used for it.
type algorithm struct {
	name   string
	secret bool // the verifier could sign as well
	method jwt.SigningMethod
	// fits says why a key cannot be used with this algorithm, or "".
	fits func(material any) string
}

// algorithms are all that can be configured. "none" is not among them.
var algorithms = []*algorithm{
	hmacAlgorithm("HS256", jwt.SigningMethodHS256, 32),
	hmacAlgorithm("HS384", jwt.SigningMethodHS384, 48),
	hmacAlgorithm("HS512", jwt.SigningMethodHS512, 64),
	{"RS256", false, jwt.SigningMethodRS256, isRSA},
	{"RS384", false, jwt.SigningMethodRS384, isRSA},
	{"RS512", false, jwt.SigningMethodRS512, isRSA},
	{"PS256", false, strictPSS("PS256", crypto.SHA256), isRSA},
	{"PS384", false, strictPSS("PS384", crypto.SHA384), isRSA},
	{"PS512", false, strictPSS("PS512", crypto.SHA512), isRSA},
	{"ES256", false, jwt.SigningMethodES256, isCurve(elliptic.P256())},
	{"ES384", false, jwt.SigningMethodES384, isCurve(elliptic.P384())},
	{"ES512", false, jwt.SigningMethodES512, isCurve(elliptic.P521())},
	{"EdDSA", false, jwt.SigningMethodEdDSA, isEd25519},
	{"Ed25519", false, jwt.SigningMethodEdDSA, isEd25519}, // RFC 9864
}

func algorithmNamed(name string) *algorithm {
	for _, a := range algorithms {
		if a.name == name {
			return a
		}
	}
	return nil
}

func algorithmNames() []string {
	var names []string
	for _, a := range algorithms {
		names = append(names, a.name)
	}
	return names
}

// hmacAlgorithm wants keys at least as long as the hash (RFC 7518, 3.2).
func hmacAlgorithm(name string, m *jwt.SigningMethodHMAC, least int) *algorithm {
	return &algorithm{name, true, m, func(k any) string {
		b, ok := k.([]byte)
		switch {
		case !ok:
			return "it is no secret key"
		case len(b) < least:
			return "its secret is too short"
		}
		return ""
	}}
}

// strictPSS takes only salts as long as the hash (RFC 7518, 3.5); the
// library's own methods take any length.
func strictPSS(name string, h crypto.Hash) jwt.SigningMethod {
	o := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: h}
	return &jwt.SigningMethodRSAPSS{
		SigningMethodRSA: &jwt.SigningMethodRSA{Name: name, Hash: h},
		Options:          o, VerifyOptions: o,
	}
}

func isRSA(k any) string {
	if _, ok := k.(*rsa.PublicKey); !ok {
		return "it is no RSA key"
	}
	return ""
}

func isCurve(c elliptic.Curve) func(any) string {
	return func(k any) string {
		if p, ok := k.(*ecdsa.PublicKey); !ok || p.Curve != c {
			return "it is no key on " + c.Params().Name
		}
		return ""
	}
}

func isEd25519(k any) string {
	if _, ok := k.(ed25519.PublicKey); !ok {
		return "it is no Ed25519 key"
	}
	return ""
}
