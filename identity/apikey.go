package identity

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/config"
)

// Key is an API key in a header field: it identifies a program.
var Key = &Scheme{
	Name: "api-key",
	Find: func(v *Verifier, r *exchange.Request) (Presented, bool) {
		p := Presented{Scheme: "api-key", Carrier: "header"}
		if v.c.APIKeys == nil {
			return p, false
		}
		p.Field = v.c.APIKeys.header()
		n := 0
		for i := range r.Header {
			if f := &r.Header[i]; len(f.Name) == len(p.Field) && strings.EqualFold(f.Name, p.Field) {
				if n++; n == 1 {
					p.Value = Secret(f.Value)
				}
			}
		}
		if n > 1 {
			p.problem = ambiguous
		}
		return p, n > 0
	},
	Verify: func(_ context.Context, v *Verifier, p Presented, _ time.Time) (*exchange.Caller, *exchange.Credential, error) {
		k := v.apiKey(string(p.Value))
		if k == nil {
			return nil, v.bad(p, unknown), nil
		}
		c := v.bad(p, "")
		if v.revoked.Load().has("", c.Fingerprint) {
			c.Problem = string(revoked)
			return nil, c, nil
		}
		c.Verified = true
		return &k.caller, c, nil
	},
}

// apiKey finds a key by its hash. It compares with all of them, each in
// constant time.
func (v *Verifier) apiKey(value string) *APIKey {
	keys := v.apiKeys.Load()
	if keys == nil {
		return nil
	}
	sum := digest(value)
	found := -1
	for i := range *keys {
		same := subtle.ConstantTimeCompare((*keys)[i].hash[:], sum[:])
		found = subtle.ConstantTimeSelect(same, i, found)
	}
	if found < 0 {
		return nil
	}
	return &(*keys)[found]
}

func (a *APIKeys) header() string { return either(a.Header, "X-API-Key") }

// prepare checks a list of keys and makes it ready for use; at gives the
// place of the i-th to an error.
func prepare(keys []APIKey, fail func(i int, hint, text string) error) error {
	for i := range keys {
		k := &keys[i]
		if k.Subject == "" || k.Name == "" {
			return fail(i, "", "an API key needs a name and a subject")
		}
		h, err := hex.DecodeString(k.SHA256)
		if err != nil || len(h) != len(k.hash) {
			return fail(i, "printf %s KEY | sha256sum", fmt.Sprintf("the sha256 of API key %q is not 64 hex digits", k.Name))
		}
		k.hash = [32]byte(h)
		if slices.ContainsFunc(keys[:i], func(o APIKey) bool { return o.hash == k.hash || o.Name == k.Name }) {
			return fail(i, "", fmt.Sprintf("API key %q is given twice", k.Name))
		}
		for name, v := range k.Claims {
			k.Claims[name] = plain(v)
		}
		k.caller = exchange.Caller{Subject: exchange.Subject(k.Subject), Roles: k.Roles, Scopes: k.Scopes, Name: k.Name, Claims: k.Claims}
	}
	return nil
}

// parseKeyList reads a list of API keys.
func parseKeyList(s config.Section) ([]APIKey, error) {
	items, err := s.Items()
	if err != nil {
		return nil, err
	}
	keys := make([]APIKey, len(items))
	for i, item := range items {
		if err := item.Decode(&keys[i]); err != nil {
			return nil, err
		}
	}
	return keys, prepare(keys, func(i int, hint, text string) error { return items[i].Errorf(hint, "%s", text) })
}

// loadAPIKeys reads the API keys for the first time.
func (v *Verifier) loadAPIKeys() error {
	a := v.c.APIKeys
	if a == nil {
		return nil
	}
	if a.File == "" {
		keys := slices.Clone(a.Keys)
		v.apiKeys.Store(&keys)
		return prepare(keys, func(_ int, _, text string) error { return fmt.Errorf("identity: %s", text) })
	}
	v.apiKeyFile = watched{path: a.File, limit: 16 << 20}
	if err := v.rereadAPIKeys(); err != nil {
		if _, ok := err.(*config.Error); ok {
			return err
		}
		return place(a.file, "a list is wanted: - {name: ..., sha256: ..., subject: ...}", err)
	}
	return nil
}

// rereadAPIKeys reads the file of API keys if it has changed: a list, alone or
// under "keys".
func (v *Verifier) rereadAPIKeys() error {
	data, changed, err := v.apiKeyFile.read()
	if err != nil || !changed {
		return err
	}
	s, err := config.Parse(v.apiKeyFile.path, data)
	if err != nil {
		return err
	}
	if _, err := s.Fields(); err == nil {
		var raw struct {
			Keys config.Section `yaml:"keys"`
		}
		if err := s.Decode(&raw); err != nil {
			return err
		}
		s = raw.Keys
	}
	keys, err := parseKeyList(s)
	if err != nil {
		return err
	}
	v.apiKeys.Store(&keys)
	return nil
}
