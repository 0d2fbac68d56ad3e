package identity

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/config"
)

// A Person is somebody, or some program, that Parley can speak as: an entry of
// the section "identities" of parley.yaml. One of Auth, Login and OAuth2 is set.
type Person struct {
	Name string
	// Auth is a credential that is there.
	Auth Auth
	// Login is how to get one from the API itself.
	Login *Login
	// OAuth2 is how to get one from an authorization server.
	OAuth2 *OAuth2
	// Alive is a request that succeeds as long as the credential is good, such
	// as "GET /v1/me"; empty when there is none.
	Alive string
}

// A Login is a recipe: a request, and where in its response the credential is.
type Login struct {
	Method string
	URL    string // a path is one of the API that is called
	Header exchange.Header
	Body   Secret
	// Token is the JSONPath of a token in the response (RFC 9535).
	Token string
	// Cookie is the name of a cookie that the response sets.
	Cookie string
	// Field is a field of the response that has the token.
	Field string
	// As is how the token is sent: the name of a field; empty means
	// Authorization, as a bearer token.
	As string
	// Expires is the JSONPath of the token's life in seconds; empty asks the
	// token itself, if it is a JWT.
	Expires string
}

// OAuth2 is how to get a token from an authorization server (RFC 6749).
type OAuth2 struct {
	Grant        string // "client_credentials", "authorization_code", "refresh_token", "password"
	AuthURL      string
	TokenURL     string
	ClientID     string
	ClientSecret Secret
	Username     string
	Password     Secret
	RefreshToken Secret
	Scopes       []string
	Audience     string
	// Redirect is the address on this machine that the browser comes back to.
	// Empty means a free port of 127.0.0.1.
	Redirect string
	// Tokens is a file, mode 600, that keeps the refresh token between runs;
	// empty keeps nothing.
	Tokens string
}

// ParsePeople reads the section "identities" of parley.yaml. Files are looked
// for in dir, and getenv gives the environment's variables.
func ParsePeople(s config.Section, dir string, getenv func(string) string) (map[string]*Person, error) {
	return parsePeople(s, &sources{dir: dir, getenv: getenv})
}

// CheckPeople judges the section's form alone: files and variables that hold
// secrets need not be where a configuration is checked.
func CheckPeople(s config.Section, dir string) error {
	_, err := parsePeople(s, &sources{dir: dir, unread: true})
	return err
}

func parsePeople(s config.Section, known *sources) (map[string]*Person, error) {
	people := map[string]*Person{}
	if !s.Present() {
		return people, nil
	}
	fields, err := s.Fields()
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		p, err := parsePerson(f.Name, f.Value, known)
		if err != nil {
			return nil, err
		}
		people[f.Name] = p
	}
	return people, nil
}

func parsePerson(name string, s config.Section, known *sources) (*Person, error) {
	p := &Person{Name: name}
	if text, ok := s.Text(); ok {
		a, err := known.credential(text)
		if err != nil {
			return nil, s.Errorf(hintCredential, "identity %s: %v", name, err)
		}
		p.Auth = a
		return p, nil
	}
	var raw struct {
		Alive      string         `yaml:"alive"`
		Credential config.Section `yaml:"credential"`
		Bearer     config.Section `yaml:"bearer"`
		Basic      config.Section `yaml:"basic"`
		Digest     config.Section `yaml:"digest"`
		APIKey     config.Section `yaml:"api_key"`
		SigV4      config.Section `yaml:"aws_sigv4"`
		OAuth2     config.Section `yaml:"oauth2"`
		Login      config.Section `yaml:"login"`
	}
	if err := s.Decode(&raw); err != nil {
		return nil, err
	}
	p.Alive = raw.Alive
	var ways []config.Section
	var err error
	for _, w := range []struct {
		s    config.Section
		make func(config.Section) error
	}{
		{raw.Credential, func(s config.Section) error { return known.text(s, p, known.credential) }},
		{raw.Bearer, func(s config.Section) error {
			return known.text(s, p, func(t string) (Auth, error) { v, err := known.value(t); return NewBearer(v), err })
		}},
		{raw.Basic, func(s config.Section) error {
			return known.pair(s, p, func(u string, pw Secret) Auth { return NewBasic(u, pw) })
		}},
		{raw.Digest, func(s config.Section) error {
			return known.pair(s, p, func(u string, pw Secret) Auth { return NewDigest(u, pw) })
		}},
		{raw.APIKey, func(s config.Section) error { return known.apiKey(s, p) }},
		{raw.SigV4, func(s config.Section) error { return known.sigV4(s, p) }},
		{raw.OAuth2, func(s config.Section) (err error) { p.OAuth2, err = known.oauth2(s); return err }},
		{raw.Login, func(s config.Section) (err error) { p.Login, err = known.login(s); return err }},
	} {
		if !w.s.Present() {
			continue
		}
		if ways = append(ways, w.s); len(ways) > 1 {
			return nil, w.s.Errorf("keep one", "identity %s has two credentials", name)
		}
		err = w.make(w.s)
	}
	if len(ways) == 0 {
		return nil, s.Errorf(`add one of: credential, bearer, basic, digest, api_key, aws_sigv4, oauth2, login`, "identity %s has no credential", name)
	}
	return p, err
}

const hintCredential = `a credential is "@file", "env:NAME", "Bearer TOKEN", "Basic NAME:PASSWORD", "X-API-Key:KEY", or a token`

// sources find what configuration only names.
type sources struct {
	dir    string
	getenv func(string) string
	unread bool // whatever is named is there, and its content is not looked at
}

// value resolves "@file" and "env:NAME"; other text is the value itself.
func (k *sources) value(text string) (Secret, error) {
	if k.unread && (strings.HasPrefix(text, "@") || strings.HasPrefix(text, "env:")) {
		return "unread", nil
	}
	if file, ok := strings.CutPrefix(text, "@"); ok {
		if k.dir != "" && !filepath.IsAbs(file) {
			file = filepath.Join(k.dir, file)
		}
		f, err := os.Open(file)
		if err != nil {
			return "", errors.New(strings.Replace(err.Error(), "open ", "", 1))
		}
		defer f.Close()
		buf := make([]byte, maxSecret+1)
		n := 0
		for n < len(buf) {
			m, err := f.Read(buf[n:])
			n += m
			if err != nil {
				break
			}
		}
		if n > maxSecret {
			return "", fmt.Errorf("%s holds more than %d bytes", file, maxSecret)
		}
		v := strings.TrimRight(string(buf[:n]), "\r\n")
		if v == "" {
			return "", fmt.Errorf("%s is empty", file)
		}
		return Secret(v), nil
	}
	if name, ok := strings.CutPrefix(text, "env:"); ok {
		v := k.getenv(name)
		if v == "" {
			return "", fmt.Errorf("the environment has no %s", name)
		}
		return Secret(v), nil
	}
	return Secret(text), nil
}

const maxSecret = 64 << 10

// ParseCredential makes an Auth of what is written after --as NAME=: "@file",
// "env:NAME", "Bearer TOKEN", "Basic NAME:PASSWORD", "X-API-Key:KEY", or a token.
// A file or variable may hold any of these. Errors do not repeat the text.
func ParseCredential(text, dir string, getenv func(string) string) (Auth, error) {
	return (&sources{dir: dir, getenv: getenv}).credential(text)
}

func (k *sources) credential(text string) (Auth, error) {
	v, err := k.value(text)
	if err != nil {
		return nil, err
	}
	s := strings.TrimSpace(string(v))
	scheme, rest, _ := strings.Cut(s, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case s == "":
		return nil, errors.New("the credential is empty")
	case strings.EqualFold(scheme, "bearer") && rest != "":
		return NewBearer(Secret(rest)), nil
	case strings.EqualFold(scheme, "basic") && rest != "":
		if name, password, ok := strings.Cut(rest, ":"); ok {
			pw, err := k.value(password)
			return NewBasic(name, pw), err
		}
		return &field{scheme: "basic", name: "Authorization", value: Secret("Basic " + rest)}, nil
	}
	if name, value, ok := strings.Cut(s, ":"); ok && isToken(name) && !strings.HasPrefix(value, "//") {
		v, err := k.value(strings.TrimSpace(value))
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(name, "cookie") {
			if cn, cv, ok := strings.Cut(string(v), "="); ok {
				return NewAPIKey("cookie", cn, Secret(cv))
			}
		}
		return NewAPIKey("header", name, v)
	}
	if strings.ContainsAny(s, " \t\r\n") {
		return nil, errors.New("the credential has a space in it and begins with no scheme that is known here")
	}
	return NewBearer(Secret(s)), nil
}

func (k *sources) text(s config.Section, p *Person, make func(string) (Auth, error)) error {
	var text string
	if err := s.Decode(&text); err != nil {
		return err
	}
	a, err := make(text)
	if err != nil {
		return s.Errorf(hintCredential, "identity %s: %v", p.Name, err)
	}
	p.Auth = a
	return nil
}

// secret reads a field that is a secret.
func (k *sources) secret(s config.Section) (Secret, error) {
	var text string
	if err := s.Decode(&text); err != nil {
		return "", err
	}
	v, err := k.value(text)
	if err != nil {
		return "", s.Errorf(`a secret is "@file", "env:NAME", or the value itself`, "%v", err)
	}
	return v, nil
}

func (k *sources) pair(s config.Section, p *Person, make func(string, Secret) Auth) error {
	var raw struct {
		Username config.Section `yaml:"username"`
		Password config.Section `yaml:"password"`
	}
	if err := s.Decode(&raw); err != nil {
		return err
	}
	if !raw.Username.Present() {
		return s.Errorf(`add "username:"`, "identity %s has no name", p.Name)
	}
	user, err := k.secret(raw.Username)
	if err != nil {
		return err
	}
	password, err := k.secret(raw.Password)
	p.Auth = make(string(user), password)
	return err
}

func (k *sources) apiKey(s config.Section, p *Person) error {
	var raw struct {
		In    string         `yaml:"in"`
		Name  string         `yaml:"name"`
		Value config.Section `yaml:"value"`
	}
	if err := s.Decode(&raw); err != nil {
		return err
	}
	v, err := k.secret(raw.Value)
	if err != nil {
		return err
	}
	if raw.Name == "" {
		raw.Name = "X-API-Key"
	}
	if v == "" {
		return s.Errorf(`add "value:"`, "identity %s has no key", p.Name)
	}
	if p.Auth, err = NewAPIKey(raw.In, raw.Name, v); err != nil {
		return s.Errorf("", "%s", strings.TrimPrefix(err.Error(), "identity: "))
	}
	return nil
}

func (k *sources) sigV4(s config.Section, p *Person) error {
	var raw struct {
		AccessKey config.Section `yaml:"access_key"`
		SecretKey config.Section `yaml:"secret_key"`
		Session   config.Section `yaml:"session_token"`
		Region    string         `yaml:"region"`
		Service   string         `yaml:"service"`
	}
	if err := s.Decode(&raw); err != nil {
		return err
	}
	access, err1 := k.secret(raw.AccessKey)
	secret, err2 := k.secret(raw.SecretKey)
	session, err3 := k.secret(raw.Session)
	if err := errors.Join(err1, err2, err3); err != nil {
		return first(err1, err2, err3)
	}
	if access == "" || secret == "" {
		return s.Errorf(`add "access_key:" and "secret_key:"`, "identity %s has no keys", p.Name)
	}
	p.Auth = NewSigV4(SigV4{AccessKey: string(access), SecretKey: secret, SessionToken: session, Region: raw.Region, Service: raw.Service})
	return nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

var grants = []string{"client_credentials", "authorization_code", "refresh_token", "password"}

func (k *sources) oauth2(s config.Section) (*OAuth2, error) {
	var raw struct {
		Grant        config.Section `yaml:"grant"`
		AuthURL      string         `yaml:"auth_url"`
		TokenURL     string         `yaml:"token_url"`
		ClientID     string         `yaml:"client_id"`
		ClientSecret config.Section `yaml:"client_secret"`
		Username     string         `yaml:"username"`
		Password     config.Section `yaml:"password"`
		RefreshToken config.Section `yaml:"refresh_token"`
		Scopes       []string       `yaml:"scopes"`
		Audience     string         `yaml:"audience"`
		Redirect     string         `yaml:"redirect"`
		Tokens       string         `yaml:"tokens"`
	}
	if err := s.Decode(&raw); err != nil {
		return nil, err
	}
	o := &OAuth2{Grant: "client_credentials", AuthURL: raw.AuthURL, TokenURL: raw.TokenURL, ClientID: raw.ClientID, Username: raw.Username,
		Scopes: raw.Scopes, Audience: raw.Audience, Redirect: raw.Redirect, Tokens: raw.Tokens}
	if o.Tokens != "" {
		o.Tokens = inDir(k.dir, o.Tokens)
	}
	if err := raw.Grant.Decode(&o.Grant); err != nil {
		return nil, err
	}
	var err1, err2, err3 error
	o.ClientSecret, err1 = k.secret(raw.ClientSecret)
	o.Password, err2 = k.secret(raw.Password)
	o.RefreshToken, err3 = k.secret(raw.RefreshToken)
	if err := first(err1, err2, err3); err != nil {
		return nil, err
	}
	switch {
	case !slices.Contains(grants, o.Grant):
		return nil, raw.Grant.Errorf("known here: "+strings.Join(grants, ", "), "%q is no grant", o.Grant)
	case o.TokenURL == "" || o.ClientID == "":
		return nil, s.Errorf(`add "token_url:" and "client_id:"`, "an OAuth 2.0 client needs to know where to ask and who it is")
	case o.Grant == "authorization_code" && o.AuthURL == "":
		return nil, s.Errorf(`add "auth_url:"`, "the person must be sent somewhere to log in")
	case o.Grant == "refresh_token" && o.RefreshToken == "" && o.Tokens == "":
		return nil, s.Errorf(`add "refresh_token:" or "tokens:"`, "there is no refresh token")
	}
	return o, nil
}

func (k *sources) login(s config.Section) (*Login, error) {
	var raw struct {
		Request config.Section    `yaml:"request"`
		Header  map[string]string `yaml:"headers"`
		JSON    map[string]any    `yaml:"json"`
		Form    map[string]string `yaml:"form"`
		Token   string            `yaml:"token"`
		Cookie  string            `yaml:"cookie"`
		Field   string            `yaml:"field"`
		As      string            `yaml:"as"`
		Expires string            `yaml:"expires"`
	}
	if err := s.Decode(&raw); err != nil {
		return nil, err
	}
	l := &Login{Token: raw.Token, Cookie: raw.Cookie, Field: raw.Field, As: raw.As, Expires: raw.Expires}
	request, _ := raw.Request.Text()
	method, target, ok := strings.Cut(request, " ")
	if !ok || !isToken(method) {
		return nil, s.Errorf(`add "request: POST /v1/login"`, "a log-in needs a request")
	}
	l.Method, l.URL = method, strings.TrimSpace(target)
	if err := k.body(s, l, raw.JSON, raw.Form); err != nil {
		return nil, err
	}
	for _, name := range sorted(raw.Header) {
		v, err := k.value(raw.Header[name])
		if err != nil {
			return nil, s.Errorf("", "%v", err)
		}
		l.Header = append(l.Header, exchange.Field{Name: name, Value: string(v)})
	}
	n := 0
	for _, way := range []string{l.Token, l.Cookie, l.Field} {
		if way != "" {
			n++
		}
	}
	if n != 1 {
		return nil, s.Errorf(`add "token: $.token", "cookie: NAME" or "field: NAME"`, "a log-in says in one place where the credential is")
	}
	return l, nil
}
