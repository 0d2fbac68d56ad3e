package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parley-project/parley/example/shop"
)

func TestSigningKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.pem")
	made, err := signingKey(file)
	if err != nil {
		t.Fatal(err)
	}
	if i, err := os.Stat(file); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v, want 600", i.Mode(), err)
	}
	read, err := signingKey(file)
	if err != nil || !read.Equal(made) {
		t.Errorf("it was read as another key: %v", err)
	}

	// Both forms that openssl writes.
	sec1, err := x509.MarshalECPrivateKey(made)
	if err != nil {
		t.Fatal(err)
	}
	text := append([]byte("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})...)
	write(t, file, text)
	if read, err := signingKey(file); err != nil || !read.Equal(made) {
		t.Errorf("SEC 1: it was read as another key: %v", err)
	}

	_, other, _ := ed25519.GenerateKey(rand.Reader)
	der, _ := x509.MarshalPKCS8PrivateKey(other)
	long, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	longDER, _ := x509.MarshalPKCS8PrivateKey(long)
	for want, text := range map[string][]byte{
		"no private key in PEM": []byte("key"),
		"cannot be read":        pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1, 2}}),
		"not one on P-256":      pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		"is not one on P-256":   pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: longDER}),
	} {
		write(t, file, text)
		if _, err := signingKey(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %v, want %s", text, err, want)
		}
		if now, _ := os.ReadFile(file); !bytes.Equal(now, text) {
			t.Errorf("the file was written over: %.40s", now)
		}
	}
}

func write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Whoever has the key signs tokens that the shop takes, until they expire.
func TestSigningKeySigns(t *testing.T) {
	key, err := signingKey(filepath.Join(t.TempDir(), "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := shop.New(shop.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	good, err := s.Token("priya")
	if err != nil {
		t.Fatal(err)
	}
	old, _, err := jwt.NewParser().ParseUnverified(good, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	for expires, want := range map[time.Duration]int{time.Hour: 200, -time.Hour: 401} {
		claims := old.Claims.(jwt.MapClaims)
		claims["exp"] = time.Now().Add(expires).Unix()
		j := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
		j.Header["kid"] = old.Header["kid"]
		token, err := j.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/v1/me", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		s.Handler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("a token that expires in %v answers %d, want %d", expires, w.Code, want)
		}
	}
}
