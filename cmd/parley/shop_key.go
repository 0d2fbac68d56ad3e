package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// signingKey reads the key that signs the shop's tokens from a file, so that
// testers can sign tokens of their own, expired ones for one. A file that is not
// there is made, with a new key, for nobody else to read.
func signingKey(file string) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return nil, err
		}
		return key, writeSecret(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	if err != nil {
		return nil, err
	}
	wrong := func(why string) error {
		return &usageError{fmt.Sprintf("--key: %s: %s", file, why), "a new key is made when the file is not there; or: openssl ecparam -name prime256v1 -genkey -noout -out " + file}
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		var key any
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		default:
			continue // the parameters that openssl puts before it
		}
		if err != nil {
			return nil, wrong("the private key cannot be read")
		}
		k, ok := key.(*ecdsa.PrivateKey)
		if !ok || k.Curve != elliptic.P256() {
			return nil, wrong("the private key is not one on P-256")
		}
		return k, nil
	}
	return nil, wrong("there is no private key in PEM")
}
