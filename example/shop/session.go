package shop

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// sessionLength is how long a log-in is good for.
const sessionLength = 15 * time.Minute

// Session says who is logged in and until when.
type Session struct {
	UserID    int64    `json:"user_id"`
	Roles     []string `json:"roles"`
	ExpiresAt string   `json:"expires_at"`
	// Token is for scripts to steal. It is sent only by the flaw.
	Token string `json:"token,omitempty"`
}

// enter checks e-mail and password. The path keeps the counts of the two
// log-ins apart.
func (s *Shop) enter(r *request) (userRow, error) {
	o, err := s.readObject(r)
	if err != nil {
		return userRow{}, err
	}
	email, password := o.email("email", true), o.text("password", true, 1, 128)
	if err := o.done(); err != nil {
		return userRow{}, err
	}
	if wait, ok := s.logins.allow(r.URL.Path+" "+email, s.now()); !ok && !s.flawed("authn-rate-limit") {
		return userRow{}, s.comeAgain("too many log-ins for this address", wait)
	}
	u, err := s.db.userByEmail(r.Context(), email)
	if err != nil && !errors.Is(err, errNone) {
		return userRow{}, err
	}
	if errors.Is(err, errNone) && s.flawed("authn-enumeration") {
		return userRow{}, unauthorized(challenge, "no user has this e-mail address")
	}
	ok, err := checkPassword(r.Context(), u.PasswordHash, password)
	if err != nil {
		return userRow{}, err
	}
	if !ok {
		return userRow{}, unauthorized(challenge, "e-mail address or password is wrong")
	}
	return u, nil
}

// comeAgain is a 429 that says when.
func (s *Shop) comeAgain(why string, wait time.Duration) *problem {
	p := refuse(http.StatusTooManyRequests, why)
	if !s.flawed("status-retry-after") {
		p.header = http.Header{"Retry-After": {strconv.Itoa(int(math.Ceil(wait.Seconds())))}}
	}
	return p
}

// login gives a token to programs, which send it on purpose.
func (s *Shop) login(w http.ResponseWriter, r *request) error {
	u, err := s.enter(r)
	if err != nil {
		return err
	}
	token, err := s.tokens.sign(u.ID, u.Role, s.now(), Audience, sessionLength)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]any{"token": token, "token_type": "Bearer", "expires_in": int(sessionLength.Seconds())})
}

// openSession gives the same token to browsers, in a cookie that scripts
// cannot read and that other sites' requests do not carry.
func (s *Shop) openSession(w http.ResponseWriter, r *request) error {
	u, err := s.enter(r)
	if err != nil {
		return err
	}
	now := s.now()
	token, err := s.tokens.sign(u.ID, u.Role, now, Audience, sessionLength)
	if err != nil {
		return err
	}
	s.setCookie(w, token, int(sessionLength.Seconds()))
	opened := Session{UserID: u.ID, Roles: []string{u.Role}, ExpiresAt: stamp(now.Add(sessionLength))}
	if s.flawed("client-token-in-body") {
		opened.Token = token
	}
	return created(w, "/v1/session", opened)
}

func (s *Shop) setCookie(w http.ResponseWriter, token string, age int) {
	c := &http.Cookie{Name: sessionCookie, Value: token, Path: "/", MaxAge: age}
	if !s.flawed("client-cookie") {
		c.Secure, c.HttpOnly, c.SameSite = true, true, http.SameSiteLaxMode
	}
	http.SetCookie(w, c)
}

func (s *Shop) getSession(w http.ResponseWriter, r *request) error {
	return reply(w, http.StatusOK, Session{UserID: r.caller.ID, Roles: r.caller.Roles, ExpiresAt: stamp(r.caller.Expires)})
}

// closeSession makes the token worthless everywhere, not only in this browser.
func (s *Shop) closeSession(w http.ResponseWriter, r *request) error {
	if err := s.db.revoke(r.Context(), r.caller.TokenID, r.caller.Expires, s.now()); err != nil {
		return fmt.Errorf("log-out: %w", err)
	}
	s.setCookie(w, "", -1)
	return noContent(w)
}
