package ledger

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A caller is somebody who was proved to speak, for one tenant.
type caller struct {
	subject, tenant string
	roles           []string
	by              string // "bearer", "cookie", "key"
	tokenID         string
	expires         time.Time
}

func (c *caller) is(roles ...string) bool {
	return c != nil && slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(c.roles, r) })
}

// Where credentials travel.
const (
	sessionCookie = "ledger_session"
	csrfCookie    = "csrf"
	csrfHeader    = "X-CSRF-Token"
	keyHeader     = "Ledger-Key"
)

const (
	challenge        = `Bearer realm="ledger"`
	challengeInvalid = `Bearer realm="ledger", error="invalid_token"`
)

// identify finds out who speaks. Nobody is nil without an error.
func (l *Ledger) identify(r *http.Request) (*caller, error) {
	if fields := r.Header.Values("Authorization"); len(fields) > 0 {
		scheme, token, _ := strings.Cut(fields[0], " ")
		if len(fields) > 1 || !strings.EqualFold(scheme, "Bearer") {
			return nil, unauthorized(challengeInvalid)
		}
		return l.verify(r.Context(), strings.TrimSpace(token), "bearer")
	}
	if key := r.Header.Get(keyHeader); key != "" {
		for _, a := range l.apiKeys {
			if subtle.ConstantTimeCompare([]byte(key), []byte(a.key)) == 1 {
				return &caller{subject: a.subject, tenant: a.tenant, roles: []string{"till"}, by: "key"}, nil
			}
		}
		return nil, unauthorized(challengeInvalid)
	}
	if c, err := r.Cookie(sessionCookie); err == nil {
		return l.verify(r.Context(), c.Value, "cookie")
	}
	if t := r.URL.Query().Get("access_token"); t != "" && l.flawed("request-token-in-url") {
		return l.verify(r.Context(), t, "bearer")
	}
	return nil, nil
}

func (l *Ledger) verify(ctx context.Context, token, by string) (*caller, error) {
	c, err := l.tokens.verify(token, l.now(), l.flaws)
	if err != nil {
		return nil, unauthorized(challengeInvalid)
	}
	good, err := l.db.tokenGood(ctx, c.subject, c.tokenID)
	if err != nil {
		return nil, err
	}
	if !good {
		return nil, unauthorized(challengeInvalid)
	}
	c.by = by
	return c, nil
}

// fromElsewhere refuses a change with a cookie that does not repeat the token
// of the other cookie in a header: a page of another site can make the browser
// send both cookies, but read neither (double submit).
func (l *Ledger) fromElsewhere(r *http.Request, c *caller) error {
	if c == nil || c.by != "cookie" || r.Method == "GET" || r.Method == "HEAD" || l.flawed("client-csrf") {
		return nil
	}
	token, err := r.Cookie(csrfCookie)
	sent := r.Header.Get(csrfHeader)
	if err != nil || token.Value == "" || !hmac.Equal([]byte(token.Value), []byte(sent)) ||
		!hmac.Equal([]byte(token.Value), []byte(csrfToken(l.tokens.secret, c.tokenID))) {
		return refuse(http.StatusForbidden, "csrf", csrfHeader+" does not repeat the cookie "+csrfCookie)
	}
	return nil
}

// csrfToken belongs to one session, so that a cookie planted by a neighbouring
// host is worth nothing.
func csrfToken(secret []byte, session string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(session))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

// claims are what a token says.
type claims struct {
	jwt.RegisteredClaims
	Tenant string   `json:"tenant"`
	Roles  []string `json:"roles"`
}

// tokens signs and verifies.
type tokens struct {
	key    ed25519.PrivateKey
	public ed25519.PublicKey
	kid    string
	secret []byte // of the tokens against CSRF
	jwks   []byte
}

func newTokens(key ed25519.PrivateKey) (*tokens, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, errors.New("ledger: signing key: EdDSA needs an Ed25519 key")
	}
	t := &tokens{key: key, public: key.Public().(ed25519.PublicKey), secret: make([]byte, 32)}
	rand.Read(t.secret)
	x := base64.RawURLEncoding.EncodeToString(t.public)
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`)) // RFC 7638
	t.kid = base64.RawURLEncoding.EncodeToString(sum[:])
	var err error
	t.jwks, err = json.Marshal(map[string]any{"keys": []any{map[string]string{
		"kty": "OKP", "crv": "Ed25519", "x": x, "use": "sig", "alg": "EdDSA", "kid": t.kid,
	}}})
	return t, err
}

func (t *tokens) sign(u user, now time.Time, audience string, good time.Duration) (string, error) {
	j := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: Issuer, Audience: jwt.ClaimStrings{audience}, Subject: u.Subject, ID: newUUID(),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(good)),
		},
		Tenant: u.Tenant, Roles: []string{u.Role},
	})
	j.Header["kid"] = t.kid
	return j.SignedString(t.key)
}

func (t *tokens) verify(token string, now time.Time, flaws map[string]bool) (*caller, error) {
	methods := []string{"EdDSA"}
	if flaws["authn-jwt-none"] {
		methods = append(methods, "none")
	}
	var c claims
	signed, err := jwt.NewParser(jwt.WithValidMethods(methods), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation()).
		ParseWithClaims(token, &c, func(j *jwt.Token) (any, error) {
			switch {
			case j.Method.Alg() == "none":
				return jwt.UnsafeAllowNoneSignatureType, nil
			case j.Header["kid"] != t.kid:
				return nil, errors.New("another key")
			}
			return t.public, nil
		})
	if flaws["authn-invalid"] && errors.Is(err, jwt.ErrTokenSignatureInvalid) && signed.Method.Alg() == "EdDSA" {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	must := []jwt.ParserOption{jwt.WithIssuer(Issuer), jwt.WithExpirationRequired()}
	if flaws["authn-jwt-expired"] && c.IssuedAt != nil {
		now = c.IssuedAt.Time
	}
	if !flaws["authn-jwt-audience"] {
		must = append(must, jwt.WithAudience(Audience))
	}
	must = append(must, jwt.WithTimeFunc(func() time.Time { return now }))
	if err := jwt.NewValidator(must...).Validate(c); err != nil {
		return nil, err
	}
	if c.Subject == "" || c.Tenant == "" {
		return nil, errors.New("the token does not say who speaks for which tenant")
	}
	return &caller{subject: c.Subject, tenant: c.Tenant, roles: c.Roles, tokenID: c.ID, expires: c.ExpiresAt.Time}, nil
}

// An apiKey lets one program of one tenant in.
type apiKey struct{ name, subject, tenant, key string }

// newAPIKeys gives each program a new key, kept in memory only.
func newAPIKeys() []apiKey {
	return []apiKey{
		{"acme-till", "key_acme_till", "acme", "lk-" + rand.Text()},
		{"bluebird-till", "key_bluebird_till", "bluebird", "lk-" + rand.Text()},
	}
}

// newUUID makes an ID (RFC 9562, version 4).
func newUUID() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
