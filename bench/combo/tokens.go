package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

// maxTokens bounds the cache; it is emptied when it is full.
const maxTokens = 100_000

var errToken = errors.New("no usable token")

// tokens verifies bearer tokens and remembers those that were good until they
// expire.
type tokens struct {
	options []jwt.ParseOption
	mu      sync.RWMutex
	good    map[[sha256.Size]byte]verified
}

type verified struct {
	subject int64
	expires time.Time
}

func newTokens(jwks, issuer, audience string) (*tokens, error) {
	data, err := os.ReadFile(jwks)
	if err != nil {
		return nil, err
	}
	set, err := jwk.Parse(data)
	if err != nil {
		return nil, err
	}
	return &tokens{
		options: []jwt.ParseOption{jwt.WithKeySet(set), jwt.WithIssuer(issuer), jwt.WithAudience(audience)},
		good:    map[[sha256.Size]byte]verified{},
	}, nil
}

// verify returns the subject of a request's Authorization.
func (t *tokens) verify(authorization string) (int64, error) {
	token, ok := strings.CutPrefix(authorization, "Bearer ")
	if !ok {
		return 0, errToken
	}
	key := sha256.Sum256([]byte(token))
	now := time.Now()
	t.mu.RLock()
	v, ok := t.good[key]
	t.mu.RUnlock()
	if ok && now.Before(v.expires) {
		return v.subject, nil
	}
	parsed, err := jwt.Parse([]byte(token), t.options...)
	if err != nil {
		return 0, err
	}
	name, _ := parsed.Subject()
	subject, err := strconv.ParseInt(name, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("subject %q: %w", name, err)
	}
	expires, ok := parsed.Expiration()
	if !ok {
		return 0, errToken
	}
	t.mu.Lock()
	if len(t.good) >= maxTokens {
		clear(t.good)
	}
	t.good[key] = verified{subject, expires}
	t.mu.Unlock()
	return subject, nil
}
