package ledger

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// sessionLength is how long a log-in is good for.
const sessionLength = 20 * time.Minute

// iterations is what a password costs to check. Tests make it cheap.
var iterations = 200_000

// hashPassword returns salt and key.
func hashPassword(password string) ([]byte, error) {
	salt := make([]byte, 16)
	rand.Read(salt)
	key, err := pbkdf2.Key(sha256.New, password, salt, iterations, 32)
	return append(salt, key...), err
}

// checkPassword spends the same time when there is no hash to check with.
func checkPassword(hash []byte, password string) (bool, error) {
	there := len(hash) == 48
	if !there {
		hash = make([]byte, 48)
	}
	key, err := pbkdf2.Key(sha256.New, password, hash[:16], iterations, 32)
	return there && err == nil && subtle.ConstantTimeCompare(key, hash[16:]) == 1, err
}

// openSession logs a browser in: one cookie that scripts cannot read, and one
// that only the ledger's own pages can.
func (l *Ledger) openSession(w http.ResponseWriter, r *request) error {
	in, err := l.read(r, form{"email": required(text(3, 254)), "password": required(text(1, 128))})
	if err != nil {
		return err
	}
	if wait := l.logins.wait(in.text("email"), l.now()); wait > 0 {
		p := refuse(http.StatusTooManyRequests, "tooMany", "too many log-ins for this address")
		p.header = http.Header{"Retry-After": {strconv.Itoa(int(wait/time.Second) + 1)}}
		return p
	}
	u, err := l.db.userByEmail(r.Context(), in.text("email"))
	if err != nil && !errors.Is(err, errNone) {
		return err
	}
	ok, err := checkPassword(u.PasswordHash, in.text("password"))
	if err != nil {
		return err
	}
	if !ok {
		return unauthorized(challenge) // whatever was wrong, in one way
	}
	now := l.now()
	token, err := l.tokens.sign(u.user, now, Audience, sessionLength)
	if err != nil {
		return err
	}
	c, err := l.tokens.verify(token, now, nil)
	if err != nil {
		return err
	}
	l.setCookies(w, token, csrfToken(l.tokens.secret, c.tokenID), int(sessionLength.Seconds()))
	return created(w, r, "/sessions/current", showSession(c))
}

func showSession(c *caller) any {
	return map[string]any{"subject": c.subject, "tenant": c.tenant, "roles": c.roles, "expiresAt": stamp(c.expires)}
}

func (l *Ledger) setCookies(w http.ResponseWriter, token, csrf string, age int) {
	session := &http.Cookie{Name: sessionCookie, Value: token, Path: "/", MaxAge: age}
	if !l.flawed("client-cookie") {
		session.Secure, session.HttpOnly, session.SameSite = true, true, http.SameSiteStrictMode
	}
	http.SetCookie(w, session)
	// Scripts of the ledger's pages copy this one into X-CSRF-Token.
	http.SetCookie(w, &http.Cookie{Name: csrfCookie, Value: csrf, Path: "/", MaxAge: age, Secure: true, SameSite: http.SameSiteStrictMode})
}

func (l *Ledger) getSession(w http.ResponseWriter, r *request) error {
	return reply(w, http.StatusOK, showSession(r.caller), nil)
}

// closeSession makes the token worthless everywhere, not only in this browser.
func (l *Ledger) closeSession(w http.ResponseWriter, r *request) error {
	if err := l.db.revoke(r.Context(), r.caller.tokenID, r.caller.expires); err != nil {
		return err
	}
	l.setCookies(w, "", "", -1)
	return noContent(w)
}

// A turnstile lets each address log in so many times at once, and then one more
// every few seconds.
type turnstile struct {
	mu   sync.Mutex
	free map[string]time.Time // when all are used up no more
}

const (
	mostLogins    = 10
	oneMore       = 6 * time.Second
	mostAddresses = 10_000 // that are counted
)

// wait counts one more, and says how long it has to wait: zero lets it in.
func (t *turnstile) wait(address string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.free == nil {
		t.free = map[string]time.Time{}
	}
	if len(t.free) >= mostAddresses {
		maps.DeleteFunc(t.free, func(_ string, at time.Time) bool { return !at.After(now) })
		if len(t.free) >= mostAddresses {
			return oneMore
		}
	}
	at := t.free[address]
	if at.Before(now) {
		at = now
	}
	at = at.Add(oneMore)
	if over := at.Sub(now) - mostLogins*oneMore; over > 0 {
		return over
	}
	t.free[address] = at
	return 0
}
