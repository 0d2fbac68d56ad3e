// Package identity is who is speaking: find, apply, verify and mask
// credentials.
//
// A Verifier judges what a request presents: a JWT in the Authorization field
// or in a cookie, or an API key. Each scheme is one file and one value of
// Schemes. The form of a token, its algorithm and its key are bound to each
// other here, before the library that knows the mathematics is asked. Mask
// takes secrets out of what is kept or shown.
package identity

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/config"
)

// Options says how a Verifier works. The zero Options is good.
type Options struct {
	// LazyKeys lets New succeed while the URL of the keys does not answer.
	// Until it does, no token can be judged.
	LazyKeys bool
	// Timeout bounds one fetch of the keys. Zero means 5 seconds.
	Timeout time.Duration
	// CacheSize is how many verified tokens are remembered. Zero means 65,536.
	CacheSize int
	// Roots are the authorities to trust when keys are fetched. Nil means
	// the system's.
	Roots *x509.CertPool
	// Warn is told of keys and lists that cannot be read again; the old ones
	// stay in force. Nil ignores it. It must be safe for concurrent use.
	Warn func(error)
	// Now is the clock used by New. Nil means time.Now.
	Now func() time.Time
}

// A Verifier judges credentials. It is safe for concurrent use.
type Verifier struct {
	c       *Config
	allowed []*algorithm
	keys    *keySource // nil when no JWT is accepted
	cache   *cache
	warn    func(error)
	salt    [16]byte

	apiKeys     atomic.Pointer[[]APIKey]
	apiKeyFile  watched
	revoked     atomic.Pointer[revocations]
	revokedFile watched

	looked   atomic.Int64 // when the files were last looked at, unix nanoseconds
	upkeepMu sync.Mutex
}

// New makes a Verifier. Files that are missing or wrong, and keys that nothing
// can be verified with, are errors; so is a URL that does not answer, but for
// Options.LazyKeys. Close it when done.
func New(c *Config, o Options) (*Verifier, error) {
	if c == nil {
		c = &Config{}
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Warn == nil {
		o.Warn = func(error) {}
	}
	v := &Verifier{c: c, cache: newCache(o.CacheSize), salt: newSalt(),
		warn: func(err error) { o.Warn(fmt.Errorf("identity: %w", err)) }}
	if err := v.loadAPIKeys(); err != nil {
		return nil, err
	}
	if err := v.loadRevoked(); err != nil {
		return nil, err
	}
	if c.JWT != nil {
		if err := v.loadKeys(o); err != nil {
			return nil, err
		}
	}
	v.looked.Store(o.Now().UnixNano())
	return v, nil
}

// Close ends what the Verifier does in the background.
func (v *Verifier) Close() {
	if v.keys != nil {
		v.keys.close()
	}
}

// loadKeys gets the key set for the first time.
func (v *Verifier) loadKeys(o Options) error {
	j := v.c.JWT
	for _, name := range j.Algorithms {
		a := algorithmNamed(name)
		if a == nil {
			return fmt.Errorf("identity: algorithm %q is not known", name)
		}
		if len(v.allowed) > 0 && a.secret != v.allowed[0].secret {
			return errors.New("identity: shared secrets and public keys cannot be mixed")
		}
		v.allowed = append(v.allowed, a)
	}
	s := &keySource{jwt: j, allowed: v.allowed, timeout: o.Timeout, warn: v.warn, file: watched{path: j.Keys, limit: maxKeys}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	v.keys = s
	var err error
	if !j.isURL() {
		err = s.reread(o.Now())
		return j.fault(err)
	}
	if s.fetch, err = fetcher(j, o.Roots); err == nil {
		err = s.refresh(s.ctx, o.Now(), true)
	}
	if err != nil && !o.LazyKeys {
		s.close()
		return j.fault(err)
	}
	return nil
}

// fault puts the place and a hint to what is wrong with the keys.
func (j *JWT) fault(err error) error {
	if err == nil {
		return nil
	}
	hint, at := "", j.keys
	var private *privateError
	var fit *fitError
	switch {
	case errors.As(err, &fit) && len(fit.offered) > 0:
		hint = "these keys are for " + strings.Join(fit.offered, ", ")
	case errors.As(err, &private):
		hint = "if that is meant, write \"allow_private: true\""
	case errors.Is(err, errReadable):
		hint = "chmod 600 " + j.Keys
	case errors.Is(err, errMixed):
		hint = "keep shared secrets in a file of their own"
	case j.isURL():
		hint = "is the issuer running? try: curl " + j.Keys
	default:
		hint = "a JWK Set is wanted: {\"keys\": [...]}"
	}
	return place(at, hint, err)
}

// place makes a configuration error of err, if the place is known.
func place(at config.Section, hint string, err error) error {
	if !at.Present() {
		return fmt.Errorf("identity: %w", err)
	}
	return at.Errorf(hint, "%v", err)
}

// loadRevoked reads the list of revoked tokens for the first time.
func (v *Verifier) loadRevoked() error {
	v.revoked.Store(&revocations{})
	if v.c.Revoked == "" {
		return nil
	}
	v.revokedFile = watched{path: v.c.Revoked, limit: 64 << 20}
	if err := v.rereadRevoked(); err != nil {
		return place(v.c.revoked, "create it; an empty file revokes nothing", err)
	}
	return nil
}

func (v *Verifier) rereadRevoked() error {
	data, changed, err := v.revokedFile.read()
	if err != nil || !changed {
		return err
	}
	r := parseRevocations(data)
	v.revoked.Store(&r)
	return nil
}

// lookEvery is how long a changed file may go unnoticed.
const lookEvery = time.Second

// upkeep looks once a second whether files have changed or keys are old. It
// runs on the back of requests, so that an idle program does nothing.
func (v *Verifier) upkeep(now time.Time) {
	last := v.looked.Load()
	if d := now.UnixNano() - last; d > -int64(lookEvery) && d < int64(lookEvery) {
		return
	}
	if !v.looked.CompareAndSwap(last, now.UnixNano()) || !v.upkeepMu.TryLock() {
		return
	}
	defer v.upkeepMu.Unlock()
	if v.keys != nil {
		v.keys.upkeep(now)
	}
	if v.c.Revoked != "" {
		if err := v.rereadRevoked(); err != nil {
			v.warn(err)
		}
	}
	if v.c.APIKeys != nil && v.c.APIKeys.File != "" {
		if err := v.rereadAPIKeys(); err != nil {
			v.warn(err)
		}
	}
}

// Identify says who sent a request.
//
// Nothing presented: nil, nil, nil. Presented and good: the caller and the
// credential. Presented and bad: no caller, and the credential with its
// Problem. An error means that it could not be decided: refuse with 503.
//
// The first scheme of Schemes that finds something decides; nothing else the
// request carries makes up for it. The Caller is shared between all requests
// with the same token: nobody may change it. The Credential is the caller's own.
func (v *Verifier) Identify(ctx context.Context, r *exchange.Request, now time.Time) (*exchange.Caller, *exchange.Credential, error) {
	v.upkeep(now)
	for _, s := range Schemes {
		p, ok := s.Find(v, r)
		if !ok {
			continue
		}
		if p.problem != "" {
			return nil, v.bad(p, p.problem), nil
		}
		return s.Verify(ctx, v, p, now)
	}
	if c := v.misplaced(r); c != nil {
		return nil, c, nil
	}
	return nil, nil, nil
}

// CredentialsIn lists everything in a request that looks like a credential,
// at the right place or not. Nothing is verified.
func (v *Verifier) CredentialsIn(r *exchange.Request) []exchange.Credential {
	var out []exchange.Credential
	for _, s := range Schemes {
		if p, ok := s.Find(v, r); ok {
			out = append(out, *v.bad(p, p.problem))
		}
	}
	return v.appendMisplaced(out, r)
}

// A Carrier is a place where credentials travel.
type Carrier struct {
	Scheme string // as in Credential
	In     string // "header" or "cookie"
	Name   string // of the field or cookie
}

// Carriers lists where credentials that are accepted here travel.
func (v *Verifier) Carriers() []Carrier {
	var out []Carrier
	if v.c.JWT != nil {
		out = append(out, Carrier{"bearer", "header", "Authorization"})
	}
	if v.c.Cookie != "" {
		out = append(out, Carrier{"cookie", "cookie", v.c.Cookie})
	}
	if v.c.APIKeys != nil {
		out = append(out, Carrier{"api-key", "header", v.c.APIKeys.header()})
	}
	return out
}

// Challenge is the value of WWW-Authenticate for a request that presented
// nothing (RFC 9110, 11.6.1).
func (v *Verifier) Challenge() string {
	if v.c.JWT == nil && v.c.APIKeys != nil {
		return `ApiKey realm="api"`
	}
	return `Bearer realm="api"`
}

// ChallengeFor is the value of WWW-Authenticate after c was presented: it says
// that a bad token was one (RFC 6750, 3.1), and nothing of why.
func (v *Verifier) ChallengeFor(c *exchange.Credential) string {
	if c == nil || c.Verified || v.c.JWT == nil && v.c.APIKeys != nil {
		return v.Challenge()
	}
	return `Bearer realm="api", error="invalid_token"`
}
