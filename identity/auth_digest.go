package identity

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

	httpdigest "github.com/icholy/digest"

	"github.com/parley-project/parley/exchange"
)

// NewDigest is a name and a password that never travel (RFC 7616). The first
// request goes without, and what the server then asks is answered from there
// on.
func NewDigest(username string, password Secret) Auth {
	return &digestAuth{username: username, password: password}
}

type digestAuth struct {
	username string
	password Secret

	mu    sync.Mutex
	asked *httpdigest.Challenge
	count int
}

func (a *digestAuth) Scheme() string { return "digest" }

func (a *digestAuth) Apply(_ context.Context, r *exchange.Request) error {
	a.mu.Lock()
	asked := a.asked
	a.count++
	count := a.count
	a.mu.Unlock()
	if asked == nil {
		return nil
	}
	c, err := httpdigest.Digest(asked, httpdigest.Options{Method: r.Method, URI: r.Target, Count: count, Username: a.username, Password: string(a.password),
		GetBody: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.Body.Data)), nil }})
	if err != nil {
		return fmt.Errorf("identity: answer a digest challenge: %w", err)
	}
	setField(r, "Authorization", c.String())
	return nil
}

// Answer takes a challenge. One nonce is answered once: a server that refuses
// the answer without calling it stale does not know the password.
func (a *digestAuth) Answer(_ context.Context, _ *exchange.Request, got *exchange.Response) (bool, error) {
	if got.Status != http.StatusUnauthorized {
		return false, nil
	}
	c, err := httpdigest.FindChallenge(http.Header{"Www-Authenticate": got.Header.Values("WWW-Authenticate")})
	if err != nil {
		return false, nil // it asks for something else
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked != nil && !c.Stale && a.asked.Nonce == c.Nonce {
		return false, nil
	}
	again := a.asked == nil || c.Stale || a.asked.Realm != c.Realm || a.count > 1
	a.asked, a.count = c, 0
	return again, nil
}
