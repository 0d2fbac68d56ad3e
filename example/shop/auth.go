package shop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A caller is somebody who was proved to speak.
type caller struct {
	ID      int64
	Roles   []string
	Partner bool   // a program with an API key
	By      string // "bearer", "cookie", "key"
	TokenID string // jti
	Expires time.Time
}

func (c *caller) admin() bool { return c != nil && slices.Contains(c.Roles, "admin") }

// challenge is what 401 answers carry (RFC 6750, 3).
const (
	challenge        = `Bearer realm="shop"`
	challengeInvalid = `Bearer realm="shop", error="invalid_token"`
	challengePartner = `ApiKey realm="shop", header="X-API-Key"`
)

// sessionCookie is the cookie that carries the token of a browser session.
const sessionCookie = "session"

// identify finds out who speaks. Nobody is nil without an error; a credential
// that proves nothing is a 401.
func (s *Shop) identify(r *http.Request) (*caller, error) {
	if auth := r.Header.Values("Authorization"); len(auth) > 0 {
		scheme, token, _ := strings.Cut(auth[0], " ")
		if len(auth) > 1 || !strings.EqualFold(scheme, "Bearer") {
			return nil, unauthorized(challengeInvalid, "the Authorization header is not one bearer token")
		}
		return s.verify(r, strings.TrimSpace(token), "bearer")
	}
	if key := r.Header.Get("X-API-Key"); key != "" {
		for _, p := range s.apiKeys {
			if subtle.ConstantTimeCompare([]byte(key), []byte(p.Key)) == 1 {
				return &caller{ID: p.ID, Roles: p.Roles, Partner: true, By: "key"}, nil
			}
		}
		return nil, unauthorized(challengePartner, "the API key is not known")
	}
	if c, err := r.Cookie(sessionCookie); err == nil {
		return s.verify(r, c.Value, "cookie")
	}
	if s.flawed("request-token-in-url") {
		if t := r.URL.Query().Get("access_token"); t != "" {
			return s.verify(r, t, "bearer")
		}
	}
	return nil, nil
}

func (s *Shop) verify(r *http.Request, token, by string) (*caller, error) {
	c, err := s.tokens.verify(token, s.now(), s.flaws)
	if err == nil {
		c.By = by
		var good bool
		if good, err = s.db.tokenGood(r.Context(), c.ID, c.TokenID); err != nil {
			return nil, err
		}
		if good {
			return c, nil
		}
	}
	return nil, unauthorized(challengeInvalid, "the token is not valid")
}

// fromElsewhere refuses what another site's page may have sent: a browser adds
// the cookie to it by itself. Programs send tokens on purpose and are not asked.
func (s *Shop) fromElsewhere(r *http.Request, c *caller) error {
	if c == nil || c.By != "cookie" || s.flawed("client-csrf") {
		return nil
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	if r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Site") == "" {
		return forbidden("a request with a session cookie must say where it comes from (Origin)")
	}
	if s.crossSite.Check(r) != nil {
		return forbidden("the request comes from another site")
	}
	return nil
}

// claims are what a token says.
type claims struct {
	jwt.RegisteredClaims
	Roles []string `json:"roles"`
}

// tokens signs and verifies.
type tokens struct {
	key  *ecdsa.PrivateKey
	kid  string
	jwks []byte
	pem  []byte // the public key
}

func newTokens(key *ecdsa.PrivateKey) (*tokens, error) {
	point, err := key.PublicKey.Bytes() // 4, x, y (SEC 1, 2.3.3)
	if err != nil || len(point) != 65 {
		return nil, fmt.Errorf("shop: signing key: ES256 needs a key on P-256")
	}
	b64 := base64.RawURLEncoding
	x, y := b64.EncodeToString(point[1:33]), b64.EncodeToString(point[33:])
	// The thumbprint of RFC 7638: members in this order, no spaces.
	sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + x + `","y":"` + y + `"}`))
	t := &tokens{key: key, kid: b64.EncodeToString(sum[:])}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("shop: signing key: %w", err)
	}
	t.pem = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})
	t.jwks, err = json.Marshal(map[string]any{"keys": []any{map[string]string{
		"kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": "ES256", "kid": t.kid,
	}}})
	return t, err
}

func (t *tokens) sign(subject int64, role string, now time.Time, audience string, good time.Duration) (string, error) {
	return t.signAs(Issuer, subject, role, now, audience, good)
}

func (t *tokens) signAs(issuer string, subject int64, role string, now time.Time, audience string, good time.Duration) (string, error) {
	id := make([]byte, 12)
	rand.Read(id)
	j := jwt.NewWithClaims(jwt.SigningMethodES256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: strconv.FormatInt(subject, 10), ID: hex.EncodeToString(id),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(good)),
		},
		Roles: []string{role},
	})
	j.Header["kid"] = t.kid
	return j.SignedString(t.key)
}

// errOtherKey says that no key has the name that a token gives.
var errOtherKey = errors.New("another key")

func (t *tokens) verify(token string, now time.Time, flaws map[string]bool) (*caller, error) {
	var c claims
	methods := []string{"ES256"}
	if flaws["authn-jwt-none"] {
		methods = append(methods, "none")
	}
	if flaws["authn-jwt-algorithm"] || flaws["authn-jwt-kid"] {
		methods = append(methods, "HS256")
	}
	parser := jwt.NewParser(jwt.WithValidMethods(methods), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	signed, err := parser.ParseWithClaims(token, &c, func(j *jwt.Token) (any, error) { return t.keyFor(j, flaws) })
	if signed != nil && signed.Method.Alg() == "ES256" && signed.Header["jwk"] == nil {
		if flaws["authn-invalid"] && errors.Is(err, jwt.ErrTokenSignatureInvalid) || flaws["authn-jwt-key"] && errors.Is(err, errOtherKey) {
			err = nil
		}
	}
	if err != nil {
		return nil, err
	}
	must := []jwt.ParserOption{jwt.WithExpirationRequired()}
	if !flaws["authn-jwt-issuer"] {
		must = append(must, jwt.WithIssuer(Issuer))
	}
	if !flaws["authn-jwt-audience"] {
		must = append(must, jwt.WithAudience(Audience))
	}
	if flaws["authn-jwt-expired"] && c.IssuedAt != nil {
		now = c.IssuedAt.Time
	}
	must = append(must, jwt.WithTimeFunc(func() time.Time { return now }))
	if err := jwt.NewValidator(must...).Validate(c); err != nil {
		return nil, err
	}
	id, err := strconv.ParseInt(c.Subject, 10, 64)
	if err != nil {
		return nil, err
	}
	return &caller{ID: id, Roles: c.Roles, TokenID: c.ID, Expires: c.ExpiresAt.Time}, nil
}

// keyFor chooses what a token is verified with. The sound shop has one key.
func (t *tokens) keyFor(j *jwt.Token, flaws map[string]bool) (any, error) {
	kid, _ := j.Header["kid"].(string)
	switch alg := j.Method.Alg(); {
	case alg == "none":
		return jwt.UnsafeAllowNoneSignatureType, nil
	case alg == "HS256" && flaws["authn-jwt-kid"] && path.Clean("/keys/"+kid) == "/dev/null":
		return []byte{}, nil // what that file holds
	case alg == "HS256" && flaws["authn-jwt-algorithm"] && kid == t.kid:
		return t.pem, nil // the bytes of the file that the library was given
	case alg == "HS256":
		return nil, errOtherKey
	}
	if jwk, ok := j.Header["jwk"].(map[string]any); ok && flaws["authn-jwt-header"] {
		point := []byte{4}
		for _, name := range []string{"x", "y"} {
			text, _ := jwk[name].(string)
			part, err := base64.RawURLEncoding.DecodeString(text)
			if err != nil {
				return nil, err
			}
			point = append(point, part...)
		}
		return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	}
	if kid != t.kid {
		return nil, errOtherKey
	}
	return &t.key.PublicKey, nil
}

// A Partner is a program of somebody else's that reads from the shop.
type Partner struct {
	Name  string
	ID    int64 // the subject; no user has it
	Roles []string
	Key   string
}

// newPartners gives each partner a new key. The shop keeps them in memory only.
func newPartners() []Partner {
	ps := []Partner{
		{Name: "swift", ID: 9001, Roles: []string{"partner"}}, // a courier
		{Name: "dart", ID: 9002, Roles: []string{"partner"}},  // another
	}
	for i := range ps {
		ps[i].Key = "shop-" + rand.Text()
	}
	return ps
}
