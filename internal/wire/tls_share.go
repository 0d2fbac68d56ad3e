package wire

import (
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"fmt"
	"slices"
)

// NewKeyShare makes a key for a group and forgets the private half: it is good
// for being answered, not for a connection.
func NewKeyShare(g Group) (KeyShare, error) {
	key := func(c ecdh.Curve) ([]byte, error) {
		k, err := c.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		return k.PublicKey().Bytes(), nil
	}
	var parts [][]byte
	var err error
	add := func(b []byte, e error) {
		if e != nil {
			err = e
		}
		parts = append(parts, b)
	}
	// draft-ietf-tls-ecdhe-mlkem: the elliptic curve first, but for X25519.
	switch g {
	case X25519:
		add(key(ecdh.X25519()))
	case SecP256r1:
		add(key(ecdh.P256()))
	case SecP384r1:
		add(key(ecdh.P384()))
	case SecP521r1:
		add(key(ecdh.P521()))
	case X25519MLKEM768:
		add(encapsulation768())
		add(key(ecdh.X25519()))
	case SecP256r1MLKEM768:
		add(key(ecdh.P256()))
		add(encapsulation768())
	case SecP384r1MLKEM1024:
		add(key(ecdh.P384()))
		k, e := mlkem.GenerateKey1024()
		if e != nil {
			return KeyShare{}, e
		}
		add(k.EncapsulationKey().Bytes(), nil)
	default:
		return KeyShare{}, fmt.Errorf("wire: no keys are made for %s", g)
	}
	return KeyShare{g, slices.Concat(parts...)}, err
}

func encapsulation768() ([]byte, error) {
	k, err := mlkem.GenerateKey768()
	if err != nil {
		return nil, err
	}
	return k.EncapsulationKey().Bytes(), nil
}
