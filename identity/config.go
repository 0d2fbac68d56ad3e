package identity

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/config"
)

// Config says which credentials are accepted and what they mean. The zero
// Config accepts none.
type Config struct {
	// JWT is how bearer tokens are judged; nil when they are not accepted.
	JWT *JWT
	// Cookie is the cookie that may carry the same token; empty for none.
	Cookie string
	// APIKeys is how API keys are judged; nil when they are not accepted.
	APIKeys *APIKeys
	// SubjectClaim is the claim that says who. Empty means "sub".
	SubjectClaim string
	// IntegerSubject is true when subjects are whole numbers.
	IntegerSubject bool
	// Claims are further claims to keep as facts.
	Claims []string
	// Revoked is a file of token ids (jti) and fingerprints, one a line.
	Revoked string
	revoked config.Section
}

// JWT says which tokens are good (RFC 7519). A token must have an exp.
type JWT struct {
	Issuer string
	// Audience must be among the token's. "any" takes tokens for anyone.
	Audience string
	// Keys is the file or URL of a JWK Set.
	Keys string
	// Algorithms are the only ones accepted.
	Algorithms []string
	// Leeway is how far clocks may differ. The configuration's default is 30s.
	Leeway time.Duration
	// Roles and Scopes name the claims that hold them. Empty means "roles"
	// and "scope". A dot descends: realm_access.roles.
	Roles, Scopes string
	// AllowPrivate lets the name in Keys resolve to a private address.
	AllowPrivate bool

	keys, algs config.Section
}

// APIKeys says which API keys are good.
type APIKeys struct {
	// Header is the field that carries them. Empty means X-API-Key.
	Header string
	// File holds the keys, if they are not in Keys.
	File string
	Keys []APIKey
	file config.Section
}

// An APIKey is one program's key, known by its hash only.
type APIKey struct {
	Name    string   `yaml:"name"`
	SHA256  string   `yaml:"sha256"` // of the key, in hex
	Subject string   `yaml:"subject"`
	Roles   []string `yaml:"roles"`
	Scopes  []string `yaml:"scopes"`
	// Claims are facts of the program as a token has of a person: its tenant.
	Claims map[string]any `yaml:"claims"`
	hash   [32]byte
	caller exchange.Caller
}

// isURL reports whether the keys are fetched.
func (j *JWT) isURL() bool { return strings.Contains(j.Keys, "://") }

// Parse reads the section "identity" of parley.yaml. File names are taken
// relative to dir. A section that is not there gives the zero Config.
func Parse(s config.Section, dir string) (*Config, error) {
	var raw struct {
		JWT     config.Section `yaml:"jwt"`
		Cookie  config.Section `yaml:"cookie"`
		APIKeys config.Section `yaml:"api_keys"`
		Subject config.Section `yaml:"subject"`
		Claims  []string       `yaml:"claims"`
		Revoked config.Section `yaml:"revoked"`
	}
	if err := s.Decode(&raw); err != nil {
		return nil, err
	}
	c := &Config{SubjectClaim: "sub", Claims: raw.Claims}
	var err error
	if raw.JWT.Present() {
		if c.JWT, err = parseJWT(raw.JWT, dir); err != nil {
			return nil, err
		}
	}
	if raw.Cookie.Present() {
		if err := raw.Cookie.Decode(&c.Cookie); err != nil {
			return nil, err
		}
		if !isToken(c.Cookie) {
			return nil, raw.Cookie.Errorf("", "%q is no name of a cookie", c.Cookie)
		}
		if c.JWT == nil {
			return nil, raw.Cookie.Errorf(`add "jwt:"; the cookie carries the same token`, "a cookie is named, but no token is accepted")
		}
	}
	if raw.APIKeys.Present() {
		if c.APIKeys, err = parseAPIKeys(raw.APIKeys, dir); err != nil {
			return nil, err
		}
	}
	if raw.Revoked.Present() {
		if err := raw.Revoked.Decode(&c.Revoked); err != nil {
			return nil, err
		}
		c.Revoked, c.revoked = inDir(dir, c.Revoked), raw.Revoked
	}
	return c, c.parseSubject(raw.Subject)
}

func (c *Config) parseSubject(s config.Section) error {
	var raw struct {
		Claim string         `yaml:"claim"`
		Type  config.Section `yaml:"type"`
	}
	if err := s.Decode(&raw); err != nil {
		return err
	}
	if raw.Claim != "" {
		c.SubjectClaim = raw.Claim
	}
	kind := "string"
	if err := raw.Type.Decode(&kind); err != nil {
		return err
	}
	if kind != "string" && kind != "integer" {
		return raw.Type.Errorf("known here: integer, string", "%q is no type of a subject", kind)
	}
	c.IntegerSubject = kind == "integer"
	return nil
}

func parseJWT(s config.Section, dir string) (*JWT, error) {
	var raw struct {
		Issuer       string         `yaml:"issuer"`
		Audience     string         `yaml:"audience"`
		Keys         config.Section `yaml:"keys"`
		Algorithms   config.Section `yaml:"algorithms"`
		Leeway       config.Section `yaml:"leeway"`
		Roles        string         `yaml:"roles"`
		Scopes       string         `yaml:"scopes"`
		AllowPrivate bool           `yaml:"allow_private"`
	}
	if err := s.Decode(&raw); err != nil {
		return nil, err
	}
	j := &JWT{Issuer: raw.Issuer, Audience: raw.Audience, Roles: raw.Roles, Scopes: raw.Scopes,
		Leeway: 30 * time.Second, AllowPrivate: raw.AllowPrivate, keys: raw.Keys, algs: raw.Algorithms}
	if err := raw.Keys.Decode(&j.Keys); err != nil {
		return nil, err
	}
	if err := raw.Leeway.Decode(&j.Leeway); err != nil {
		return nil, err
	}
	switch {
	case j.Issuer == "":
		return nil, s.Errorf("write the value that the tokens have in iss", "jwt has no issuer")
	case j.Audience == "":
		return nil, s.Errorf(`write the value that the tokens have in aud, or "audience: any"`, "jwt has no audience")
	case j.Keys == "":
		return nil, s.Errorf(`write "keys: jwks.json" or "keys: https://..."`, "jwt has no keys")
	case !raw.Algorithms.Present():
		return nil, s.Errorf(`write "algorithms: [ES256]" or what your issuer signs with`, "jwt has no algorithms")
	case j.Leeway < 0 || j.Leeway > 10*time.Minute:
		return nil, raw.Leeway.Errorf("30s is usual", "leeway is not between 0s and 10m")
	}
	if err := raw.Algorithms.Decode(&j.Algorithms); err != nil {
		return nil, err
	}
	if err := checkAlgorithms(raw.Algorithms); err != nil {
		return nil, err
	}
	if j.isURL() {
		if err := checkKeysURL(j.Keys); err != nil {
			return nil, raw.Keys.Errorf("use https://, or http:// on loopback only", "%v", err)
		}
		return j, nil
	}
	j.Keys = inDir(dir, j.Keys)
	return j, nil
}

// checkAlgorithms refuses what is not known, and secrets beside public keys.
func checkAlgorithms(s config.Section) error {
	items, err := s.Items()
	if err != nil {
		return err
	}
	if len(items) == 0 {
		return s.Errorf(`write "[ES256]" or what your issuer signs with`, "no algorithm is accepted")
	}
	secret := false
	for i, item := range items {
		var name string
		if err := item.Decode(&name); err != nil {
			return err
		}
		a := algorithmNamed(name)
		if a == nil {
			hint := "known here: " + strings.Join(algorithmNames(), ", ")
			if near := config.Nearest(name, algorithmNames()); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			if strings.EqualFold(name, "none") {
				hint = "a token that nobody signed proves nothing"
			}
			return item.Errorf(hint, "%q is no algorithm that is accepted", name)
		}
		if i > 0 && a.secret != secret {
			return item.Errorf("configure one family; who holds a public key could else sign with it",
				"%s beside the others mixes shared secrets and public keys", name)
		}
		secret = a.secret
	}
	return nil
}

func checkKeysURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("keys is no URL")
	case u.Host == "" || u.User != nil || u.Fragment != "":
		return errors.New("keys is no plain URL of a JWK Set")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("keys would be fetched in clear from %s", u.Host)
}

func parseAPIKeys(s config.Section, dir string) (*APIKeys, error) {
	var raw struct {
		Header config.Section `yaml:"header"`
		File   config.Section `yaml:"file"`
		Keys   config.Section `yaml:"keys"`
	}
	if err := s.Decode(&raw); err != nil {
		return nil, err
	}
	a := &APIKeys{Header: "X-API-Key", file: raw.File}
	if err := raw.Header.Decode(&a.Header); err != nil {
		return nil, err
	}
	if !isToken(a.Header) || strings.EqualFold(a.Header, "Authorization") || strings.EqualFold(a.Header, "Cookie") {
		return nil, raw.Header.Errorf("X-API-Key is usual", "%q cannot carry API keys", a.Header)
	}
	if err := raw.File.Decode(&a.File); err != nil {
		return nil, err
	}
	if raw.Keys.Present() == (a.File != "") {
		return nil, s.Errorf(`write either "file: keys.yaml" or "keys: [...]"`, "api_keys needs a file or keys, and not both")
	}
	if a.File != "" {
		a.File = inDir(dir, a.File)
		return a, nil
	}
	var err error
	a.Keys, err = parseKeyList(raw.Keys)
	return a, err
}

func inDir(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// isToken reports whether s is a token of RFC 9110, 5.6.2.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}
