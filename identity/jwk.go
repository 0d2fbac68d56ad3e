package identity

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"sync/atomic"
)

// A key verifies signatures. It is never changed but for gone.
type key struct {
	kid string
	alg string // the only algorithm it may be used with; "" when it says none
	// material is []byte, *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey.
	material any
	// print is a hash of all the above, to know the key again after a reload.
	print [32]byte
	// private is true when the JWK also held what signs.
	private bool
	// gone is true once the key has left the set: no verdict that rests on
	// it may be used again.
	gone atomic.Bool
}

// A keySet is the keys of one JWK Set that can verify.
type keySet struct {
	keys []*key
	// unusable says why the others cannot, for whoever reads the log.
	unusable []string
}

var errMixed = errors.New("it mixes public keys and secret keys")

// parseKeys reads a JWK Set, or a single JWK (RFC 7517). A key that cannot
// verify signatures is left out, as the RFC wants; a set that is ambiguous as
// a whole is refused: secrets beside public keys (whoever confuses the two
// accepts forgeries) and two keys of one name.
func parseKeys(data []byte) (*keySet, error) {
	m, err := object(data)
	if err != nil {
		return nil, fmt.Errorf("no JWK Set: %w", err)
	}
	list := []any{m}
	if v, ok := m["keys"]; ok {
		if list, ok = v.([]any); !ok {
			return nil, errors.New(`no JWK Set: "keys" is not a list`)
		}
	}
	set, names := &keySet{}, map[string]bool{}
	secrets, publics := false, false
	for i, v := range list {
		j, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("key %d is not an object", i+1)
		}
		if j["kty"] == "oct" {
			secrets = true
		} else {
			publics = true
		}
		if kid, ok := j["kid"].(string); ok {
			if names[kid] {
				return nil, fmt.Errorf("two keys are named %q", kid)
			}
			names[kid] = true
		}
		k, err := parseKey(j)
		if err != nil {
			set.unusable = append(set.unusable, fmt.Sprintf("key %d: %v", i+1, err))
			continue
		}
		set.keys = append(set.keys, k)
	}
	if secrets && publics {
		return nil, errMixed
	}
	return set, nil
}

func parseKey(j map[string]any) (*key, error) {
	k := &key{}
	var use, kty string
	for name, into := range map[string]*string{"kid": &k.kid, "alg": &k.alg, "use": &use, "kty": &kty} {
		s, ok, err := text(j, name)
		if err != nil {
			return nil, err
		}
		if *into = s; ok && s == "" && name != "kid" {
			return nil, fmt.Errorf("its %q is empty", name)
		}
	}
	if use != "" && use != "sig" {
		return nil, fmt.Errorf("its use is %q, not sig", use)
	}
	if ops, ok := j["key_ops"]; ok {
		list, _ := ops.([]any)
		verify := false
		for _, op := range list {
			verify = verify || op == "verify"
		}
		if !verify {
			return nil, errors.New(`its key_ops do not hold "verify"`)
		}
	}
	var err error
	switch kty {
	case "oct":
		k.private = true
		k.material, err = octKey(j)
	case "RSA":
		k.material, err = rsaKey(j)
	case "EC":
		k.material, err = ecKey(j)
	case "OKP":
		k.material, err = okpKey(j)
	default:
		return nil, fmt.Errorf("its type %q is not known here", kty)
	}
	if err != nil {
		return nil, err
	}
	if _, ok := j["d"]; ok {
		k.private = true
	}
	if k.alg != "" {
		a := algorithmNamed(k.alg)
		if a == nil {
			return nil, fmt.Errorf("its algorithm %q is not known here", k.alg)
		}
		if why := a.fits(k.material); why != "" {
			return nil, fmt.Errorf("its algorithm is %s, but %s", k.alg, why)
		}
	}
	var all []byte
	for _, name := range []string{"kid", "alg", "kty", "crv", "n", "e", "x", "y", "k"} {
		all = fmt.Appendf(all, "%q ", j[name])
	}
	k.print = sha256.Sum256(all)
	return k, nil
}

// octets reads a base64url member; empty ones are refused.
func octets(j map[string]any, name string) ([]byte, error) {
	s, ok, err := text(j, name)
	if err != nil {
		return nil, err
	}
	b, err := decodeBase64(s)
	if !ok || err != nil || len(b) == 0 {
		return nil, fmt.Errorf("its %q is missing or no base64url", name)
	}
	return b, nil
}

func octKey(j map[string]any) (any, error) {
	k, err := octets(j, "k")
	if err != nil {
		return nil, err
	}
	if len(k) < 32 {
		return nil, errors.New("its secret is shorter than 256 bits")
	}
	return k, nil
}

// Bounds on RSA: below 2048 bits a key can be broken; above 8192 a signature
// costs the verifier too much. Exponents are odd and fit 32 bits; 1 would
// accept any signature.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

func rsaKey(j map[string]any) (any, error) {
	nb, err := octets(j, "n")
	if err != nil {
		return nil, err
	}
	eb, err := octets(j, "e")
	if err != nil {
		return nil, err
	}
	n, e := new(big.Int).SetBytes(nb), new(big.Int).SetBytes(eb)
	switch {
	case n.BitLen() < minRSABits || n.BitLen() > maxRSABits:
		return nil, fmt.Errorf("its modulus has %d bits; wanted are %d to %d", n.BitLen(), minRSABits, maxRSABits)
	case n.Bit(0) == 0:
		return nil, errors.New("its modulus is even")
	case e.BitLen() > 32 || e.Cmp(big.NewInt(3)) < 0 || e.Bit(0) == 0:
		return nil, errors.New("its exponent is not odd and between 3 and 2^32")
	case hasROCA(n):
		return nil, errors.New("it comes from a broken generator (CVE-2017-15361)")
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}

// hasROCA reports whether a modulus is a product of primes of the form that
// the generator of CVE-2017-15361 makes: modulo every small prime it is then a
// power of 65537. A sound modulus is that by chance once in about 2^27.
func hasROCA(n *big.Int) bool {
	rest := new(big.Int)
	for p := int64(3); p <= 167; p += 2 {
		if !big.NewInt(p).ProbablyPrime(0) {
			continue
		}
		want := rest.Mod(n, big.NewInt(p)).Int64()
		power, found := int64(1), false
		for range p {
			found = found || power == want
			power = power * 65537 % p
		}
		if !found {
			return false
		}
	}
	return true
}

func ecKey(j map[string]any) (any, error) {
	crv, _, err := text(j, "crv")
	if err != nil {
		return nil, err
	}
	var c elliptic.Curve
	switch crv {
	case "P-256":
		c = elliptic.P256()
	case "P-384":
		c = elliptic.P384()
	case "P-521":
		c = elliptic.P521()
	default:
		return nil, fmt.Errorf("its curve %q is not known here", crv)
	}
	x, err := octets(j, "x")
	if err != nil {
		return nil, err
	}
	y, err := octets(j, "y")
	if err != nil {
		return nil, err
	}
	size := (c.Params().BitSize + 7) / 8
	if len(x) != size || len(y) != size { // RFC 7518, 6.2.1.2: full octets
		return nil, errors.New("its coordinates do not have the length of its curve")
	}
	point := append(append([]byte{4}, x...), y...)
	k, err := ecdsa.ParseUncompressedPublicKey(c, point)
	if err != nil {
		return nil, errors.New("its point is not on its curve")
	}
	return k, nil
}

func okpKey(j map[string]any) (any, error) {
	if j["crv"] != "Ed25519" {
		return nil, fmt.Errorf("its curve %q is not known here", j["crv"])
	}
	x, err := octets(j, "x")
	if err != nil {
		return nil, err
	}
	if len(x) != ed25519.PublicKeySize {
		return nil, errors.New("its point has the wrong length")
	}
	return ed25519.PublicKey(x), nil
}
