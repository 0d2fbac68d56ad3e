package shop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/parley-project/parley/example/play"
)

// Issuer and Audience are what the shop's tokens say in iss and aud.
const (
	Issuer   = "https://login.shop.example"
	Audience = "shop"
)

// Options say how a shop is opened. The zero value is a sound shop in memory.
type Options struct {
	// File is the SQLite database. Empty keeps everything in memory. A file
	// that does not exist yet is filled with the same data as the memory.
	File string
	// Flaws are switched on by ID; "all" is all of them. See Flaws.
	Flaws []string
	// Key signs tokens (ES256, so P-256). Nil makes a new one.
	Key *ecdsa.PrivateKey
	// Origins are further web origins, such as "https://localhost:8443", whose
	// pages may use the session cookie. The origin that a request was sent to
	// needs no mention, as long as whoever stands in front keeps the Host.
	Origins []string
	// LoginRate is how many log-ins a minute one e-mail address may try. Zero
	// means 5.
	LoginRate int
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Log gets one line for each request that broke. Nil discards them.
	Log *slog.Logger
}

// A Shop is the API with its database. Close it when done.
type Shop struct {
	flaws     map[string]bool
	db        *store
	tokens    *tokens
	apiKeys   []Partner
	logins    *limiter
	files     *limiter // statements
	crossSite *http.CrossOriginProtection
	outside   *http.Client // for addresses that customers name
	events    *events
	opened    time.Time
	now       func() time.Time
	log       *slog.Logger
	handler   http.Handler
}

// New opens a shop.
func New(o Options) (*Shop, error) {
	on, err := play.ParseFlaws(Flaws, o.Flaws)
	if err != nil {
		return nil, fmt.Errorf("shop: %w", err)
	}
	s := &Shop{flaws: on, now: o.Now, log: o.Log, opened: time.Now(), outside: newOutside(), events: newEvents(), crossSite: http.NewCrossOriginProtection()}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	for _, origin := range o.Origins {
		if err := s.crossSite.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("shop: origin %q: %w", origin, err)
		}
	}
	if o.LoginRate == 0 {
		o.LoginRate = 5
	}
	s.logins = newLimiter(o.LoginRate, time.Minute)
	s.files = newLimiter(10, time.Minute)
	if o.Key == nil {
		if o.Key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return nil, fmt.Errorf("shop: signing key: %w", err)
		}
	}
	if s.tokens, err = newTokens(o.Key); err != nil {
		return nil, err
	}
	s.apiKeys = newPartners()
	if s.db, err = openStore(o.File); err != nil {
		return nil, err
	}
	s.handler = s.routes()
	return s, nil
}

// Handler is the API. Put it behind TLS.
func (s *Shop) Handler() http.Handler { return s.handler }

// Close ends the event streams and closes the database.
func (s *Shop) Close() error {
	s.events.close()
	return s.db.close()
}

// FlawsOn lists the flaws that are switched on, in the order of Flaws.
func (s *Shop) FlawsOn() []string {
	var on []string
	for _, f := range Flaws {
		if s.flaws[f.ID] {
			on = append(on, f.ID)
		}
	}
	return on
}

// flawed reports whether the shop is to make this mistake.
func (s *Shop) flawed(id string) bool { return s.flaws[id] }

// tokenLength is how long the tokens are good that Token gives out by hand.
const tokenLength = 12 * time.Hour

// Token returns a bearer token, good for twelve hours, of one of the users who are
// there from the start: asha (the administrator), priya, rajan, sara, meera.
func (s *Shop) Token(name string) (string, error) {
	u, ok := seedUser(name)
	if !ok {
		return "", fmt.Errorf("shop: token: no user is called %q", name)
	}
	return s.tokens.sign(u.ID, u.Role, s.now(), Audience, tokenLength)
}

// APIKey returns the key of a partner: swift or dart.
func (s *Shop) APIKey(name string) (string, error) {
	i := slices.IndexFunc(s.apiKeys, func(p Partner) bool { return p.Name == name })
	if i < 0 {
		return "", fmt.Errorf("shop: API key: no partner is called %q", name)
	}
	return s.apiKeys[i].Key, nil
}

// Partners lists the programs that have an API key.
func (s *Shop) Partners() []Partner { return slices.Clone(s.apiKeys) }

// JWKS returns the public keys that tokens are verified with (RFC 7517).
func (s *Shop) JWKS() []byte { return slices.Clone(s.tokens.jwks) }

// Keys returns every credential that attacks and the legitimate script need.
func (s *Shop) Keys() (Keys, error) {
	k := Keys{Token: map[string]string{}, Expired: map[string]string{}, Elsewhere: map[string]string{}, Stranger: map[string]string{}, APIKey: map[string]string{},
		Cookie: sessionCookie, KeyHeader: "X-API-Key"}
	now := s.now()
	for _, u := range seedUsers {
		var errs [4]error
		name := u.short()
		k.Token[name], errs[0] = s.tokens.sign(u.ID, u.Role, now, Audience, tokenLength)
		k.Expired[name], errs[1] = s.tokens.sign(u.ID, u.Role, now.Add(-2*time.Hour), Audience, time.Hour)
		k.Elsewhere[name], errs[2] = s.tokens.sign(u.ID, u.Role, now, "warehouse", time.Hour)
		k.Stranger[name], errs[3] = s.tokens.signAs("https://login.warehouse.example", u.ID, u.Role, now, Audience, time.Hour)
		if err := errors.Join(errs[:]...); err != nil {
			return Keys{}, fmt.Errorf("shop: token of %s: %w", name, err)
		}
	}
	k.PublicKey = s.tokens.pem
	for _, p := range s.apiKeys {
		k.APIKey[p.Name] = p.Key
	}
	return k, nil
}
