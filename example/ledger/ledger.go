package ledger

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/parley-project/parley/example/play"
)

// Issuer and Audience are what the ledger's tokens say in iss and aud.
const (
	Issuer   = "https://id.ledger.example"
	Audience = "ledger"
)

// Options say how a ledger is opened. The zero value is a sound ledger in
// memory.
type Options struct {
	// File is the SQLite database. Empty keeps everything in memory.
	File string
	// Flaws are switched on by ID; "all" is all of them. See Flaws.
	Flaws []string
	// Key signs tokens (EdDSA). Nil makes a new one.
	Key ed25519.PrivateKey
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Log gets one line for each request that broke. Nil discards them.
	Log *slog.Logger
}

// A Ledger is the API with its database. Close it when done.
type Ledger struct {
	flaws   map[string]bool
	db      *store
	tokens  *tokens
	apiKeys []apiKey
	logins  turnstile
	now     func() time.Time
	log     *slog.Logger
	handler http.Handler
}

// New opens a ledger.
func New(o Options) (*Ledger, error) {
	on, err := play.ParseFlaws(Flaws, o.Flaws)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	l := &Ledger{flaws: on, now: o.Now, log: o.Log, apiKeys: newAPIKeys()}
	if l.now == nil {
		l.now = time.Now
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if o.Key == nil {
		if _, o.Key, err = ed25519.GenerateKey(rand.Reader); err != nil {
			return nil, fmt.Errorf("ledger: signing key: %w", err)
		}
	}
	if l.tokens, err = newTokens(o.Key); err != nil {
		return nil, err
	}
	if l.db, err = openStore(o.File); err != nil {
		return nil, err
	}
	l.handler = l.routes()
	return l, nil
}

// Handler is the API. Put it behind TLS.
func (l *Ledger) Handler() http.Handler { return l.handler }

// Close closes the database.
func (l *Ledger) Close() error { return l.db.db.Close() }

// flawed reports whether the ledger is to make this mistake.
func (l *Ledger) flawed(id string) bool { return l.flaws[id] }

// Token returns a bearer token, good for twelve hours, of one of the users who
// are there from the start: olga, carl, cleo and anna of acme, boris and bina of
// bluebird.
func (l *Ledger) Token(name string) (string, error) {
	i := slices.IndexFunc(seedUsers, func(u seededUser) bool { return u.short() == name })
	if i < 0 {
		return "", fmt.Errorf("ledger: token: no user is called %q", name)
	}
	return l.tokens.sign(seedUsers[i].user, l.now(), Audience, tokenLength)
}

// tokenLength is how long the tokens are good that are given out by hand.
const tokenLength = 12 * time.Hour

// APIKey returns the key of a program: acme-till or bluebird-till.
func (l *Ledger) APIKey(name string) (string, error) {
	i := slices.IndexFunc(l.apiKeys, func(a apiKey) bool { return a.name == name })
	if i < 0 {
		return "", fmt.Errorf("ledger: API key: no program is called %q", name)
	}
	return l.apiKeys[i].key, nil
}

// Keys returns every credential that attacks and the legitimate script need.
func (l *Ledger) Keys() (play.Keys, error) {
	k := play.Keys{Token: map[string]string{}, Expired: map[string]string{}, Elsewhere: map[string]string{}, APIKey: map[string]string{},
		Cookie: sessionCookie, KeyHeader: keyHeader}
	now := l.now()
	for _, u := range seedUsers {
		var errs [3]error
		k.Token[u.short()], errs[0] = l.tokens.sign(u.user, now, Audience, tokenLength)
		k.Expired[u.short()], errs[1] = l.tokens.sign(u.user, now.Add(-2*time.Hour), Audience, time.Hour)
		k.Elsewhere[u.short()], errs[2] = l.tokens.sign(u.user, now, "payroll", time.Hour)
		if err := errors.Join(errs[:]...); err != nil {
			return play.Keys{}, fmt.Errorf("ledger: token of %s: %w", u.short(), err)
		}
	}
	for _, a := range l.apiKeys {
		k.APIKey[a.name] = a.key
	}
	return k, nil
}
