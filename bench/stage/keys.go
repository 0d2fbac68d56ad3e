package stage

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// Keys are what the peers are given in files, and the load generator keeps.
type Keys struct {
	Roots  *x509.CertPool
	Tokens []string // one a person
}

// The names of the files in the stage's folder.
const (
	CertFile = "server.pem"
	KeyFile  = "server-key.pem"
	JWKSFile = "jwks.json"
)

// MakeKeys writes a certificate and a key set to dir and signs the tokens.
func MakeKeys(dir string) (*Keys, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: ServerTLS}, DNSNames: []string{ServerTLS},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		return nil, err
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	k := &Keys{Roots: x509.NewCertPool()}
	k.Roots.AddCert(cert)

	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	point, err := signer.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	jwks, err := json.Marshal(map[string]any{"keys": []any{map[string]string{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "bench",
		"x": b64(point[1:33]), "y": b64(point[33:]),
	}}})
	if err != nil {
		return nil, err
	}
	for i := range People {
		t, err := sign(signer, i)
		if err != nil {
			return nil, err
		}
		k.Tokens = append(k.Tokens, t)
	}
	for name, data := range map[string][]byte{
		CertFile: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		KeyFile:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
		JWKSFile: jwks,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// sign makes the i-th person's token (RFC 7515, 7519).
func sign(key *ecdsa.PrivateKey, i int) (string, error) {
	now := time.Now().Unix()
	claims, err := json.Marshal(map[string]any{
		"iss": Issuer, "aud": Audience, "sub": fmt.Sprint(Subject(i)), "jti": fmt.Sprintf("bench-%d", i),
		"iat": now, "nbf": now - 60, "exp": now + 24*3600, "roles": []string{"customer"},
	})
	if err != nil {
		return "", err
	}
	text := b64([]byte(`{"alg":"ES256","typ":"JWT","kid":"bench"}`)) + "." + b64(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return "", err
	}
	var sig [64]byte
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return text + "." + b64(sig[:]), nil
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
