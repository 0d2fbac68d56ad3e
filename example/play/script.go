package play

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A Step is one request of an attack or of the legitimate script, as data.
//
// Path, Body and header values may name what earlier steps saved, as {order}.
// There from the start are {run}, which no other run has, and {origin}, the
// origin that the run is sent to.
type Step struct {
	// As is who asks: a user or partner of Keys, or a name that an earlier
	// step saved a token under. Empty is nobody.
	As string
	// By is how the credential travels, and whether it is a good one.
	By     Proof
	Method string
	Path   string
	// Host is what the request says it was sent to, when that is not where it
	// goes: some of what a server does depends on its name.
	Host   string
	Header map[string]string
	// Body is JSON unless Header says otherwise.
	Body string
	// Pad adds so many spaces to the body.
	Pad int
	// After is how long to wait before it is sent: for what was written to show.
	After time.Duration
	// Save keeps values of the answer: a name, and where it is. "/id" is a
	// JSON Pointer, "Location" the last segment of that field, "cookie:session"
	// a cookie.
	Save map[string]string
	// Tells marks the step of an attack that shows whether it worked.
	Tells bool
	// Want is the status that the legitimate script expects.
	Want int
}

// Proof is how a step proves who asks, or pretends to.
type Proof string

// The ways to present a credential. The zero value is Bearer, or an API key if
// a partner asks.
const (
	Bearer    Proof = ""
	Cookie    Proof = "cookie"           // the token in the session cookie
	InQuery   Proof = "token in the URL" // ?access_token=
	Unsigned  Proof = "alg none"         // the same claims, no signature
	OtherKey  Proof = "another key"      // the same claims, signed by somebody else
	Expired   Proof = "expired token"    // good an hour ago
	Elsewhere Proof = "another audience" // good at another API
	Stranger  Proof = "another issuer"   // signed by the same key, for other users
	Confused  Proof = "public key as a secret"
	OtherKid  Proof = "unknown key"   // signed by a key of another name
	PathKid   Proof = "kid is a path" // signed by what an empty file holds
	OwnKey    Proof = "its own key"   // which it brings along
)

// Keys holds the credentials that steps need, by the name of their owner.
type Keys struct {
	Token     map[string]string
	Expired   map[string]string
	Elsewhere map[string]string
	Stranger  map[string]string
	APIKey    map[string]string
	// PublicKey is what tokens are verified with, as PEM: anybody may have it.
	PublicKey []byte
	// Cookie carries the token of a browser, KeyHeader an API key.
	Cookie, KeyHeader string
}

// A Response is what came of a step.
type Response struct {
	Step   Step   // as it was sent: names replaced by their values
	URL    string // as it was sent
	Status int
	Header http.Header
	Body   []byte
	JSON   any // the body decoded, or nil; numbers are json.Number
	// Heard is how many requests the attack's listener had got by then.
	Heard int
}

// Text returns the JSON value at a pointer as text, or "".
func (r Response) Text(pointer string) string {
	v, ok := at(r.JSON, pointer)
	if !ok || v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// Has reports whether there is a value at a pointer.
func (r Response) Has(pointer string) bool { _, ok := at(r.JSON, pointer); return ok }

// at follows a JSON Pointer (RFC 6901) without escapes.
func at(v any, pointer string) (any, bool) {
	for name := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch t := v.(type) {
		case map[string]any:
			next, ok := t[name]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(t) {
				return nil, false
			}
			v = t[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// A Runner sends steps to one address and keeps what they save.
type Runner struct {
	client *http.Client
	base   string
	keys   Keys
	hook   func(*http.Request)
	saved  map[string]string
}

// NewRunner makes a runner. hook, if there is one, sees each request before it
// is sent.
func NewRunner(client *http.Client, base string, keys Keys, hook func(*http.Request)) (*Runner, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("play: %q is not a URL to send to", base)
	}
	c := *client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.Jar = nil // each step says itself what it carries
	id := make([]byte, 5)
	rand.Read(id)
	return &Runner{&c, strings.TrimSuffix(base, "/"), keys, hook,
		map[string]string{"run": hex.EncodeToString(id), "origin": u.Scheme + "://" + u.Host}}, nil
}

func (n *Runner) fill(text string) string {
	for name, value := range n.saved {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// Send makes the request of a step and reads the answer whole.
func (n *Runner) Send(ctx context.Context, s Step) (Response, error) {
	select {
	case <-time.After(s.After):
	case <-ctx.Done():
		return Response{}, ctx.Err()
	}
	s.Path, s.Body = n.fill(s.Path), n.fill(s.Body)
	body := s.Body + strings.Repeat(" ", s.Pad)
	req, err := http.NewRequestWithContext(ctx, s.Method, n.base+s.Path, strings.NewReader(body))
	if err != nil {
		return Response{}, fmt.Errorf("play: %s %s: %w", s.Method, s.Path, err)
	}
	if s.Host != "" {
		req.Host = s.Host
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range s.Header {
		req.Header.Set(name, n.fill(value))
	}
	if err := n.present(req, s); err != nil {
		return Response{}, fmt.Errorf("play: %s %s: %w", s.Method, s.Path, err)
	}
	if n.hook != nil {
		n.hook(req)
	}
	res, err := n.client.Do(req)
	if err != nil {
		return Response{}, fmt.Errorf("play: %w", err)
	}
	defer res.Body.Close()
	r := Response{Step: s, URL: req.URL.String(), Status: res.StatusCode, Header: res.Header}
	if r.Body, err = io.ReadAll(res.Body); err != nil {
		return r, fmt.Errorf("play: %s %s: answer: %w", s.Method, s.Path, err)
	}
	dec := json.NewDecoder(bytes.NewReader(r.Body))
	dec.UseNumber()
	if dec.Decode(&r.JSON) != nil {
		r.JSON = nil
	}
	for name, where := range s.Save {
		n.saved[name] = find(r, where)
	}
	return r, nil
}

// find returns what a step saves.
func find(r Response, where string) string {
	switch name, isCookie := strings.CutPrefix(where, "cookie:"); {
	case isCookie:
		cs := (&http.Response{Header: r.Header}).Cookies()
		if i := slices.IndexFunc(cs, func(c *http.Cookie) bool { return c.Name == name }); i >= 0 {
			return cs[i].Value
		}
		return ""
	case where == "Location":
		l := r.Header.Get("Location")
		if l == "" {
			return r.Text("/id") // a server that forgets the one may say the other
		}
		return l[strings.LastIndexByte(l, '/')+1:]
	}
	return r.Text(where)
}

// present adds the step's credential to the request.
func (n *Runner) present(req *http.Request, s Step) error {
	if s.As == "" {
		return nil
	}
	if key, ok := n.keys.APIKey[s.As]; ok {
		req.Header.Set(n.keys.KeyHeader, key)
		return nil
	}
	token := n.saved[s.As]
	if t, ok := n.keys.Token[s.As]; ok {
		token = t
	}
	var err error
	switch s.By {
	case Expired:
		token = n.keys.Expired[s.As]
	case Elsewhere:
		token = n.keys.Elsewhere[s.As]
	case Unsigned:
		token, err = resign(token, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil)
	case Stranger:
		token = n.keys.Stranger[s.As]
	case OtherKey:
		token, err = forge(token, nil)
	case Confused:
		token, err = resign(token, jwt.SigningMethodHS256, n.keys.PublicKey, nil)
	case OtherKid:
		token, err = forge(token, map[string]any{"kid": "last-year"})
	case PathKid:
		token, err = resign(token, jwt.SigningMethodHS256, []byte{}, map[string]any{"kid": "../../../../dev/null"})
	case OwnKey:
		token, err = forge(token, map[string]any{"jwk": nil})
	}
	if err != nil {
		return err
	}
	if token == "" {
		return fmt.Errorf("there is no token of %s", s.As)
	}
	switch s.By {
	case Cookie:
		req.AddCookie(&http.Cookie{Name: n.keys.Cookie, Value: token})
	case InQuery:
		q := req.URL.Query()
		q.Set("access_token", token)
		req.URL.RawQuery = q.Encode()
	default:
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return nil
}

// forge signs a token's claims with a new key of the same kind. A jwk in the
// header becomes that key.
func forge(token string, header map[string]any) (string, error) {
	old, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
	if err != nil {
		return "", err
	}
	var key any
	switch old.Method.Alg() {
	case "ES256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	case "RS256":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		err = fmt.Errorf("no key is made for %s", old.Method.Alg())
	}
	if err != nil {
		return "", err
	}
	if k, ok := key.(*ecdsa.PrivateKey); ok && err == nil {
		if _, wanted := header["jwk"]; wanted {
			var point []byte
			if point, err = k.PublicKey.Bytes(); err != nil {
				return "", err
			}
			b64 := base64.RawURLEncoding
			header["jwk"] = map[string]string{"kty": "EC", "crv": "P-256", "x": b64.EncodeToString(point[1:33]), "y": b64.EncodeToString(point[33:])}
		}
	}
	return resign(token, old.Method, key, header)
}

// resign takes the claims of a token and signs them anew, under the
// name of the same key.
func resign(token string, method jwt.SigningMethod, key any, header map[string]any) (string, error) {
	var c jwt.MapClaims
	old, _, err := jwt.NewParser().ParseUnverified(token, &c)
	if err != nil {
		return "", err
	}
	j := jwt.NewWithClaims(method, c)
	j.Header["kid"] = old.Header["kid"]
	maps.Copy(j.Header, header)
	return j.SignedString(key)
}
