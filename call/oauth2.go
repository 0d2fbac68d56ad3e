package call

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/parley-project/parley/identity"
)

// grant gets tokens from an authorization server (RFC 6749). The library speaks
// to it, through the client, so that its certificate is judged like any other.
type grant struct {
	*identity.OAuth2
	name    string
	c       *Client
	open    func(url string) error
	refresh identity.Secret
	code    *oauth2.Config            // for all grants but
	own     *clientcredentials.Config // the client's own
	known   bool                      // whether the server wants the secret in the header or in the body
}

func newOAuth2(p *identity.Person, c *Client, open func(string) error) (identity.Auth, error) {
	o := p.OAuth2
	u, err := placeOf(o.TokenURL)
	if err != nil {
		return nil, fmt.Errorf("call: identity %s: %s is no URL of an authorization server: %w", p.Name, plainURL(o.TokenURL), err)
	}
	if u.scheme == "http" && !localName(u.host) && !c.o.Clear && c.o.Untrusted != SendAnyway {
		// All that is said there proves who asks, even a code without a secret.
		return nil, fmt.Errorf("call: identity %s: %s: no token is asked for without TLS", p.Name, plainURL(o.TokenURL))
	}
	if _, err := placeOf(o.AuthURL); o.Grant == "authorization_code" && err != nil { // a browser will be sent there
		return nil, fmt.Errorf("call: identity %s: %s is no URL to log in at: %w", p.Name, plainURL(o.AuthURL), err)
	}
	g := &grant{OAuth2: o, name: p.Name, c: c, open: open, refresh: o.RefreshToken,
		code: &oauth2.Config{ClientID: o.ClientID, ClientSecret: string(o.ClientSecret), Scopes: o.Scopes,
			Endpoint: oauth2.Endpoint{AuthURL: o.AuthURL, TokenURL: o.TokenURL}},
		own: &clientcredentials.Config{ClientID: o.ClientID, ClientSecret: string(o.ClientSecret), TokenURL: o.TokenURL, Scopes: o.Scopes}}
	g.style(oauth2.AuthStyleInHeader)
	if g.known = o.ClientSecret == ""; g.known { // a public client only says who it is (RFC 6749, 3.2.1)
		g.style(oauth2.AuthStyleInParams)
	}
	if o.Audience != "" {
		g.own.EndpointParams = url.Values{"audience": {o.Audience}}
	}
	if o.Tokens != "" {
		if err := g.load(); err != nil {
			return nil, err
		}
	}
	return newRenewed("bearer", "Authorization", g.get, c.now), nil
}

func (g *grant) get(ctx context.Context) (identity.Auth, time.Time, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: Transport(g.c),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}) // it may lead elsewhere
	t, err := g.token(ctx)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("call: get a token for %s from %s: %w", g.name, plainURL(g.TokenURL), g.plainly(err))
	}
	if t.RefreshToken != "" && t.RefreshToken != string(g.refresh) {
		g.refresh = identity.Secret(t.RefreshToken)
		if err := g.save(); err != nil {
			return nil, time.Time{}, err
		}
	}
	var until time.Time
	if !t.Expiry.IsZero() { // the library's clock is not ours
		until = g.c.now().Add(time.Until(t.Expiry))
	}
	return identity.NewBearer(identity.Secret(t.AccessToken)), until, nil
}

func (g *grant) token(ctx context.Context) (*oauth2.Token, error) {
	if g.refresh != "" {
		t, err := g.ask(func() (*oauth2.Token, error) {
			return g.code.TokenSource(ctx, &oauth2.Token{RefreshToken: string(g.refresh)}).Token()
		})
		var refused *oauth2.RetrieveError
		if err == nil || g.Grant == "refresh_token" || !errors.As(err, &refused) {
			return t, err
		}
		g.refresh = "" // it has ended: begin anew
	}
	switch g.Grant {
	case "password":
		return g.ask(func() (*oauth2.Token, error) {
			return g.code.PasswordCredentialsToken(ctx, g.Username, string(g.Password))
		})
	case "authorization_code":
		return g.authorize(ctx)
	case "refresh_token":
		return nil, errors.New("there is no refresh token")
	}
	return g.ask(func() (*oauth2.Token, error) { return g.own.Token(ctx) })
}

func (g *grant) style(s oauth2.AuthStyle) { g.code.Endpoint.AuthStyle, g.own.AuthStyle = s, s }

// ask asks with the client's secret in the header, which every server must know
// (RFC 6749, 2.3.1), and once in the body when it was the client that the
// server did not like. The library would do so after any failure, which tries a
// wrong password twice.
func (g *grant) ask(f func() (*oauth2.Token, error)) (*oauth2.Token, error) {
	t, err := f()
	if g.known = g.known || err == nil; g.known || !dislikes(err) {
		return t, err
	}
	g.style(oauth2.AuthStyleInParams)
	t, again := f()
	if again == nil || !dislikes(again) {
		g.known = true
		return t, again
	}
	g.style(oauth2.AuthStyleInHeader)
	return nil, err
}

// dislikes reports whether an answer may be about how the client proves itself.
func dislikes(err error) bool {
	var r *oauth2.RetrieveError
	if !errors.As(err, &r) {
		return false
	}
	switch r.ErrorCode {
	case "invalid_client", "invalid_request":
		return true
	}
	return r.ErrorCode == "" && r.Response != nil && (r.Response.StatusCode == 400 || r.Response.StatusCode == 401)
}

// authorize sends the person to the authorization server and waits on loopback
// for the code that the browser brings back (RFC 8252), bound to this run by a
// state and by PKCE (RFC 7636).
func (g *grant) authorize(ctx context.Context) (*oauth2.Token, error) {
	if g.open == nil {
		return nil, errors.New("somebody must log in, and nobody is here to do it: use a refresh token")
	}
	address, path := "127.0.0.1:0", "/callback"
	if g.Redirect != "" {
		u, err := url.Parse(g.Redirect)
		if err != nil || u.Scheme != "http" || !isLoopback(u.Hostname()) {
			return nil, fmt.Errorf("the redirect %q does not lead to this machine", g.Redirect)
		}
		if address = u.Host; u.Path != "" {
			path = u.Path
		} else {
			path = "/"
		}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	c := g.code // calls of get follow one another
	c.RedirectURL = g.Redirect
	if c.RedirectURL == "" {
		c.RedirectURL = "http://" + l.Addr().String() + path
	}
	state, verifier := rand.Text(), oauth2.GenerateVerifier()
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier)}
	if g.Audience != "" {
		options = append(options, oauth2.SetAuthURLParam("audience", g.Audience))
	}
	type answer struct {
		code string
		err  error
	}
	came := make(chan answer, 1)
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if r.URL.Path != path || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(state)) != 1 {
			http.NotFound(w, r)
			return
		}
		a := answer{code: q.Get("code")}
		if a.code == "" {
			a.err = fmt.Errorf("the authorization server says %q", g.shorten(q.Get("error")))
		}
		select {
		case came <- a:
		default:
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		fmt.Fprintln(w, "Thank you. This page can be closed.")
	})}
	go server.Serve(l)
	defer server.Close()
	if err := g.open(c.AuthCodeURL(state, options...)); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, errors.New("nobody logged in")
	case a := <-came:
		if a.err != nil {
			return nil, a.err
		}
		return g.ask(func() (*oauth2.Token, error) { return c.Exchange(ctx, a.code, oauth2.VerifierOption(verifier)) })
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// plainly keeps what an authorization server says of an error within bounds:
// its answer may repeat what was sent.
func (g *grant) plainly(err error) error {
	var r *oauth2.RetrieveError
	if !errors.As(err, &r) {
		var u *url.Error
		if errors.As(err, &u) {
			return u.Err
		}
		return err
	}
	status := 0
	if r.Response != nil {
		status = r.Response.StatusCode
	}
	if r.ErrorCode == "" {
		return fmt.Errorf("the answer is %d and no token", status)
	}
	return fmt.Errorf("the answer is %d, %q", status, g.shorten(r.ErrorCode))
}

// shorten keeps a stranger's word short, and free of what was sent to them.
func (g *grant) shorten(s string) string {
	for _, secret := range []identity.Secret{g.ClientSecret, g.Password, g.refresh, g.RefreshToken} {
		if secret != "" {
			s = strings.ReplaceAll(s, string(secret), "***")
		}
	}
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}

// kept is what lies in the file of tokens.
type kept struct {
	RefreshToken string `json:"refresh_token"`
}

func (g *grant) load() error {
	data, err := os.ReadFile(g.Tokens)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("call: tokens of %s: %w", g.name, err)
	}
	var k kept
	if json.Unmarshal(data, &k) != nil {
		return fmt.Errorf("call: tokens of %s: %s is not what was written: remove it to log in again", g.name, g.Tokens)
	}
	if k.RefreshToken != "" {
		g.refresh = identity.Secret(k.RefreshToken)
	}
	return nil
}

// save replaces the file at once, so that a crash leaves the old one.
func (g *grant) save() error {
	if g.Tokens == "" {
		return nil
	}
	data, err := json.Marshal(kept{string(g.refresh)})
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(g.Tokens), ".tokens-*") // mode 600
	if err != nil {
		return fmt.Errorf("call: tokens of %s: %w", g.name, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(data, '\n'))
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("call: tokens of %s: %w", g.name, err)
	}
	if err := os.Rename(f.Name(), g.Tokens); err != nil {
		return fmt.Errorf("call: tokens of %s: %s", g.name, strings.TrimPrefix(err.Error(), "rename "))
	}
	return nil
}
