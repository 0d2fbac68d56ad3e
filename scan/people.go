package scan

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// introduce makes somebody to ask as of each identity that was given.
func (s *scanner) introduce() error {
	for _, p := range s.o.People {
		person := &check.Person{Name: p.Name, Facts: map[string]string{}}
		s.trial.People = append(s.trial.People, person)
		if s.imagined != nil && p.Auth == nil { // a recipe would ask the API
			person.Field, person.Token, person.Subject = "Authorization", "imagined", "imagined-"+p.Name
			continue
		}
		auth, err := call.As(p, s.client, s.base, nil)
		if err != nil {
			return err
		}
		if err := call.Ready(s.ctx, auth); err != nil {
			return &LogInError{p.Name, err}
		}
		s.auth[person] = auth
		person.Field, person.Token = tokenOf(s.ctx, auth)
		for _, q := range s.trial.People {
			if q != person && person.Token != "" && q.Token == person.Token {
				return &SamePersonError{q.Name, p.Name}
			}
		}
		s.readToken(person)
		if strings.EqualFold(person.Field, "Cookie") {
			s.adoptCookies(person)
		}
		s.logins = nil
	}
	if ps := s.trial.People; len(ps) > 0 {
		s.trial.Victim = ps[0]
		if len(ps) > 1 {
			s.trial.Attacker = ps[1]
		}
	}
	return nil
}

// A SamePersonError says that two who ask show one credential: each would be
// found to get what is the other's.
type SamePersonError struct{ One, Other string }

func (e *SamePersonError) Error() string {
	return fmt.Sprintf("scan: %s and %s are the same person to the API", e.One, e.Other)
}

// A LogInError says that somebody could not log in.
type LogInError struct {
	Name string
	Err  error
}

func (e *LogInError) Error() string { return fmt.Sprintf("scan: %s cannot log in: %v", e.Name, e.Err) }
func (e *LogInError) Unwrap() error { return e.Err }

// logInWitness keeps the exchanges that identities log in with, which package
// call makes by itself: what they set is the person's, and is judged.
type logInWitness struct{ s *scanner }

// Record takes what a client made.
func (w logInWitness) Record(x *exchange.Exchange) {
	if x.Response == nil || !x.Response.Header.Has("Set-Cookie") && x.Request.Method == "GET" {
		return
	}
	if w.s.quiet {
		return // scan asked it, and records it
	}
	w.s.logins = append(w.s.logins, x)
	e := w.s.endpointAt(x.Request.Method, x.Request.Path())
	w.s.inspect(x, &check.Ask{Endpoint: e, Method: x.Request.Method, Target: x.Request.Target}, true)
	w.s.record(x)
}

// adoptCookies gives a person the cookies that the log-in set.
func (s *scanner) adoptCookies(p *check.Person) {
	for _, x := range s.logins {
		s.takeCookies(p, x)
	}
}

// takeCookies gives a person the cookies of an answer, and the fields that
// repeat the one against CSRF.
func (s *scanner) takeCookies(p *check.Person, x *exchange.Exchange) {
	var all []string
	var csrf exchange.Header
	for _, line := range x.Response.Header.Values("Set-Cookie") {
		pair, _, _ := strings.Cut(line, ";")
		name, value, ok := strings.Cut(pair, "=")
		if name = strings.TrimSpace(name); !ok || name == "" || value == "" {
			continue
		}
		all = append(all, name+"="+value)
		if low := strings.ToLower(name); strings.Contains(low, "csrf") || strings.Contains(low, "xsrf") {
			csrf = append(csrf, exchange.Field{Name: s.csrfField(low), Value: value}, exchange.Field{Name: "Cookie", Value: name + "=" + value})
		}
	}
	if len(all) > 0 {
		p.Cookies, p.CSRF = identity.Secret(strings.Join(all, "; ")), csrf
	}
}

// csrfField is the field that repeats a cookie against CSRF: the one that the
// description declares, or the usual one.
func (s *scanner) csrfField(cookie string) string {
	for _, e := range s.trial.Endpoints {
		for _, v := range e.Sample.Values {
			if low := strings.ToLower(v.Name); v.In == "header" && (strings.Contains(low, "csrf") || strings.Contains(low, "xsrf")) {
				return v.Name
			}
		}
	}
	if strings.Contains(cookie, "xsrf") {
		return "X-XSRF-TOKEN"
	}
	return "X-CSRF-Token"
}

// unsaid are claims that tell nothing of a person.
var unsaid = []string{"iss", "aud", "exp", "nbf", "iat", "jti", "azp", "auth_time", "typ"}

// readToken takes the claims of a token that is a JWT.
func (s *scanner) readToken(p *check.Person) {
	claims := claimsOf(string(p.Token))
	for _, l := range check.Leaves(claims) {
		top, _, _ := strings.Cut(strings.TrimPrefix(l.Pointer, "/"), "/")
		switch {
		case slices.Contains(unsaid, top) || l.Kind == "null":
		case l.Name == "roles" || l.Name == "role" || l.Name == "groups" || strings.HasSuffix(l.Shape, "/roles/*"):
			if name := l.Value; !slices.Contains(p.Roles, name) {
				p.Roles = append(p.Roles, name)
			}
		case l.Pointer == "/sub":
			p.Subject, p.Facts["sub"] = l.Value, l.Value
		case l.Kind == "string" || l.Kind == "number":
			if p.Facts[l.Name] == "" {
				p.Facts[l.Name] = l.Value
			}
		}
	}
}

// claimsOf is the payload of a JWT, or nil.
func claimsOf(token string) []byte {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	b := decodeSegment(parts[1])
	if !json.Valid(b) {
		return nil
	}
	return b
}

// decodeSegment is a part of a JWT without its base64, or nil.
func decodeSegment(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}

// meWords are the last words of paths that tell the caller of the caller.
var meWords = []string{"me", "self", "whoami", "profile", "account", "session", "current", "userinfo", "user"}

// readSelf takes what the API tells somebody of themselves.
func (s *scanner) readSelf(e *check.Endpoint, p *check.Person, x *exchange.Exchange) {
	if e.Role != check.Own || !check.Succeeded(x) {
		return
	}
	leaves := check.Members(x)
	word := lastWord(e.Path)
	selfish := slices.Contains(meWords, word)
	for _, l := range leaves {
		if p.Subject != "" && l.Value == p.Subject && isIDName(l.Name) {
			selfish = true
		}
	}
	if !selfish {
		return
	}
	e.Personal = "it tells callers of themselves"
	if p.Subject == "" {
		for _, name := range []string{"id", "sub", "user_id", "userId", "subject", "uuid", "username", "login", "email"} {
			for _, l := range leaves {
				if l.Name == name && strings.Count(l.Pointer, "/") <= 2 && l.Value != "" {
					p.Subject = l.Value
					break
				}
			}
			if p.Subject != "" {
				break
			}
		}
	}
	for _, l := range leaves {
		if strings.Count(l.Pointer, "/") > 2 || l.Kind != "string" && l.Kind != "number" || l.Value == "" {
			continue
		}
		if (l.Name == "role" || l.Name == "roles") && l.Kind == "string" && !slices.Contains(p.Roles, l.Value) {
			p.Roles = append(p.Roles, l.Value)
		}
		if _, there := p.Facts[l.Name]; !there {
			p.Facts[l.Name] = l.Value
		}
	}
}

func lastWord(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	return strings.ToLower(parts[len(parts)-1])
}

// signUp registers somebody for the trial, or returns nil.
func (s *scanner) signUp() *check.Person {
	if s.o.NoSignUp {
		return nil
	}
	for _, e := range s.trial.Endpoints {
		if e.Role != check.SignUp {
			continue
		}
		s.spares++
		p := &check.Person{Name: "newcomer-" + strconv.Itoa(s.spares), Spare: true, Facts: map[string]string{}}
		mark := s.mark()
		p.Email, p.Password = mark+"@example.com", identity.Secret("Aa1!"+mark)
		a, ok := s.request(e, nil, nil)
		if !ok {
			continue
		}
		a.Body = s.fill(e, a.Body, func(l check.Leaf) (any, bool) {
			switch {
			case isPassword(l.Name):
				return string(p.Password), true
			case isLoginName(l.Name) && (strings.Contains(l.Value, "@") || strings.Contains(strings.ToLower(l.Name), "mail")):
				return p.Email, true
			case isLoginName(l.Name):
				return mark, true
			}
			return nil, false
		})
		for _, body := range s.shorter(e, a.Body) {
			b := *a
			b.Body = body
			s.registering = true // who it is, is known here
			x := s.ask(&b)
			s.registering = false
			if !check.Succeeded(x) {
				continue
			}
			e.Honest[nil] = x
			if !hasLeaf(a.Body, p.Email) {
				p.Email = mark
			}
			s.registered(e, p, x, body)
			in := s.logIn(p)
			if !in && p.Email != mark && hasLeaf(a.Body, mark) {
				p.Email = mark // the name beside the address is what logs in
				in = s.logIn(p)
			}
			if in {
				s.trial.People = append(s.trial.People, p)
				return p
			}
			s.note("somebody was registered by %s and could not log in", e.Name)
			return nil
		}
	}
	return nil
}

// calledAs finds the resource of people that somebody belongs to who registered
// somewhere else, and what they are called there: as Location says, or by the
// name that was sent, which nobody else has.
func (s *scanner) calledAs(x *exchange.Exchange, body []byte) (*check.Resource, string) {
	for _, r := range s.trial.Resources {
		if !isPeople(r.Name) && !check.NamesPerson(r.Key) || strings.Count(r.Item, "{") != 1 {
			continue
		}
		if rest, ok := strings.CutPrefix(x.Response.Header.Get("Location"), r.Collection+"/"); ok && x.Response.Status == 201 && plainID(rest) {
			return r, rest
		}
		for _, l := range check.Leaves(body) {
			if (l.Name == r.Key || l.Name == "username") && strings.Contains(l.Value, s.markSeed) {
				return r, l.Value
			}
		}
	}
	return nil, ""
}

// registered notes who was made, so that they are taken away again.
func (s *scanner) registered(e *check.Endpoint, p *check.Person, x *exchange.Exchange, body []byte) {
	o := &check.Object{Resource: e.Resource, Owner: p, Made: true, Params: map[string]string{}, Sent: body, Seen: x}
	if e.Resource == nil {
		if r, id := s.calledAs(x, body); r != nil {
			o.Resource, o.Params[r.Key], o.Marks = r, id, marksIn(body, s.markSeed)
			if path, ok := s.path(r.Item, o, p); ok && !s.existing[path] {
				p.Subject, r.Objects[p] = id, o
			} else {
				o.Resource = nil
			}
		}
	} else {
		id, _ := idOf(e.Resource, x)
		o.Params[e.Resource.Key] = id
		if path, ok := s.path(e.Resource.Item, o, p); !ok || id == "" || !plainID(id) || s.existing[path] || s.madeBefore(o) != nil {
			s.unclear(e.Resource, x, "does not say what newcomers are called")
			return
		}
		p.Subject = o.ID()
		o.Marks = marksIn(body, s.markSeed)
		e.Resource.Objects[p] = o
	}
	s.keep(o)
}

// logIn gets a credential for a spare person by every log-in that there is.
func (s *scanner) logIn(p *check.Person) bool {
	got := false
	for _, e := range s.trial.Endpoints {
		if e.Role != check.LogIn {
			continue
		}
		a, ok := s.request(e, nil, nil)
		if !ok {
			continue
		}
		a.Body = s.fill(e, a.Body, func(l check.Leaf) (any, bool) {
			switch {
			case isPassword(l.Name):
				return string(p.Password), true
			case isLoginName(l.Name):
				return p.Email, true
			}
			return nil, false
		})
		x := s.ask(a)
		if !check.Succeeded(x) {
			continue
		}
		e.Honest[nil] = x
		s.takeCookies(p, x)
		for _, l := range check.Members(x) {
			if got || l.Kind != "string" || !isTokenName(l.Name) || len(l.Value) < 8 {
				continue
			}
			p.Field, p.Token = "Authorization", identity.Secret(l.Value)
			s.auth[p] = identity.NewBearer(p.Token)
			got = true
		}
	}
	if !got && p.Cookies != "" {
		// Only browsers log in here.
		pair, _, _ := strings.Cut(string(p.Cookies), ";")
		name, value, _ := strings.Cut(pair, "=")
		if auth, err := identity.NewAPIKey("cookie", name, identity.Secret(value)); err == nil {
			p.Field, p.Token, s.auth[p], got = "Cookie", identity.Secret(value), auth, true
		}
	}
	if got {
		s.dead[p] = ""
		s.readToken(p)
	}
	return got
}

func isPassword(name string) bool {
	low := strings.ToLower(name)
	return strings.Contains(low, "password") || low == "pass" || low == "passwd" || low == "secret" || low == "pin"
}

func isLoginName(name string) bool {
	switch strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name)) {
	case "email", "mail", "emailaddress", "username", "user", "login", "name", "userid", "handle", "identifier", "account":
		return true
	}
	return false
}

func isTokenName(name string) bool {
	switch strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name)) {
	case "token", "accesstoken", "authtoken", "jwt", "idtoken", "sessiontoken", "bearer", "key", "apikey", "authtok", "authenticationtoken":
		return true
	}
	return false
}

func hasLeaf(body []byte, value string) bool {
	return slices.ContainsFunc(check.Leaves(body), func(l check.Leaf) bool { return l.Value == value })
}
