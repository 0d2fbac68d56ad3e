package call_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// An issuer is a small authorization server (RFC 6749) and the API that takes
// its tokens. It holds clients to what the standard says.
type issuer struct {
	body  bool // the client's secret stands in the body
	life  int  // of a token, in seconds; 0 says nothing
	fixed bool // refresh tokens are not rotated

	mu      sync.Mutex
	asked   []string // the grants, in order
	scopes  []string
	codes   map[string]url.Values // by code, what the browser brought
	refresh string                // the one that is good
	token   string
	n       int
	faulty  string // what the token endpoint does instead
	says    string // of the authorization endpoint: an error
}

const (
	clientSecret   = "topsecret client+secret/Zq7"
	personPassword = "topsecret-password&Zq7"
)

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch r.URL.Path {
	case "/token":
		i.tokens(w, r)
	case "/authorize":
		q := r.URL.Query()
		back, err := url.Parse(q.Get("redirect_uri"))
		if err != nil || q.Get("response_type") != "code" || q.Get("client_id") != "parley" || q.Get("code_challenge_method") != "S256" || len(q.Get("state")) < 16 {
			http.Error(w, "bad request", 400)
			return
		}
		answer := url.Values{"state": {q.Get("state")}}
		if i.says != "" {
			answer.Set("error", i.says)
		} else {
			code := rand.Text()
			i.codes = map[string]url.Values{code: q}
			answer.Set("code", code)
		}
		back.RawQuery = answer.Encode()
		http.Redirect(w, r, back.String(), http.StatusFound)
	default:
		if i.token == "" || r.Header.Get("Authorization") != "Bearer "+i.token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		io.WriteString(w, "welcome")
	}
}

func (i *issuer) tokens(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, code string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": "not with " + r.PostForm.Encode()})
	}
	r.ParseForm()
	switch {
	case r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded":
		fail(400, "invalid_request")
		return
	case i.faulty == "text":
		http.Error(w, "out of order: "+r.PostForm.Encode(), http.StatusBadGateway)
		return
	case i.faulty == "echo":
		_, password, _ := r.BasicAuth()
		password, _ = url.QueryUnescape(password)
		fail(400, "no "+password+r.PostForm.Get("client_secret"))
		return
	case i.faulty == "none":
		io.WriteString(w, `{"token_type":"bearer"}`)
		return
	case strings.HasPrefix(i.faulty, "https:"):
		http.Redirect(w, r, i.faulty, http.StatusTemporaryRedirect)
		return
	}
	// RFC 6749, 2.3.1: in the header both are coded as in a form.
	id, secret, header := r.BasicAuth()
	if header {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if id != "parley" || secret != clientSecret || header == i.body {
		fail(401, "invalid_client")
		return
	}
	grant := r.PostForm.Get("grant_type")
	i.asked = append(i.asked, grant)
	i.scopes = strings.Fields(r.PostForm.Get("scope"))
	give := true
	switch grant {
	case "client_credentials":
		give = false
	case "password":
		if r.PostForm.Get("username") != "priya" || r.PostForm.Get("password") != personPassword {
			fail(400, "invalid_grant")
			return
		}
	case "refresh_token":
		if i.refresh == "" || r.PostForm.Get("refresh_token") != i.refresh {
			fail(400, "invalid_grant")
			return
		}
		give = !i.fixed
	case "authorization_code":
		code := r.PostForm.Get("code")
		q, ok := i.codes[code]
		delete(i.codes, code)
		sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
		if !ok || q.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || q.Get("redirect_uri") != r.PostForm.Get("redirect_uri") {
			fail(400, "invalid_grant")
			return
		}
		i.scopes = strings.Fields(q.Get("scope"))
	default:
		fail(400, "unsupported_grant_type")
		return
	}
	i.n++
	i.token = fmt.Sprintf("access-topsecret-%d", i.n)
	out := map[string]any{"access_token": i.token, "token_type": "Bearer"}
	if i.life > 0 {
		out["expires_in"] = i.life
	}
	if give {
		i.refresh = fmt.Sprintf("refresh-topsecret-%d", i.n)
		out["refresh_token"] = i.refresh
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(out)
}

func (i *issuer) grants() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return strings.Join(i.asked, " ")
}

func (i *issuer) set(f func(*issuer)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	f(i)
}

func oauth(at, grant string, edit func(*identity.OAuth2)) *identity.Person {
	o := &identity.OAuth2{Grant: grant, TokenURL: at + "/token", AuthURL: at + "/authorize", ClientID: "parley", ClientSecret: clientSecret,
		Username: "priya", Password: personPassword, Scopes: []string{"orders:read", "openid"}}
	if edit != nil {
		edit(o)
	}
	return &identity.Person{Name: "priya", OAuth2: o}
}

// browser follows a URL, as the person's would, and returns what it came to.
func browser(c *call.Client) func(string) error {
	return func(u string) error {
		h := &http.Client{Transport: call.Transport(c)}
		resp, err := h.Get(u)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if b, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || !strings.Contains(string(b), "can be closed") {
			return fmt.Errorf("the browser shows %d %q", resp.StatusCode, b)
		}
		return nil
	}
}

// TestOAuth2 gets tokens by every grant, with the secret in either place, uses
// them until they end, and renews them.
func TestOAuth2(t *testing.T) {
	inVersions(t, func(t *testing.T, version string) {
		for _, body := range []bool{false, true} {
			for _, test := range []struct {
				grant string
				next  string // the grant after the token has ended
			}{
				{"client_credentials", "client_credentials"},
				{"password", "refresh_token"},
				{"authorization_code", "refresh_token"},
			} {
				name := fmt.Sprintf("%s, in the body: %v", test.grant, body)
				i := &issuer{body: body, life: 60}
				s := serve(t, i)
				at := newClock()
				c := client(t, s, call.Options{HTTP: version, Now: at.now})
				a, err := call.As(oauth(s.URL(), test.grant, nil), c, "", browser(client(t, s, call.Options{})))
				if err != nil {
					t.Fatal(err)
				}
				look := func(status, grants string) {
					t.Helper()
					got, x := statuses(c, s.URL()+"/v1/orders", a)
					if fmt.Sprint(got) != status || i.grants() != grants {
						t.Fatalf("%s: Do found %v after %q, want %s after %q: %s", name, got, i.grants(), status, grants, x.Failure)
					}
				}
				look("[200]", test.grant)
				if !slices.Equal(i.scopes, []string{"orders:read", "openid"}) {
					t.Errorf("%s: asked for %v", name, i.scopes)
				}
				look("[200]", test.grant)
				at.add(45 * time.Second)
				look("[200]", test.grant)
				at.add(10 * time.Second)
				all := test.grant + " " + test.next
				look("[200]", all)
				i.set(func(i *issuer) { i.token = "revoked" })
				all += " " + test.next
				look("[401 200]", all)
				i.set(func(i *issuer) { i.token, i.refresh = "revoked", "revoked" })
				if test.next == "refresh_token" {
					all += " refresh_token" // which has ended: it begins anew
				}
				all += " " + test.grant
				look("[401 200]", all)
			}
		}
	})
}

// TestOAuth2Code has the browser bring back what it should not.
func TestOAuth2Code(t *testing.T) {
	i := &issuer{}
	s := serve(t, i)
	c := client(t, s, call.Options{Timeout: 10 * time.Second})
	get := func(u string) (int, error) {
		resp, err := http.Get(u)
		if err != nil {
			return 0, err
		}
		return resp.StatusCode, resp.Body.Close()
	}
	t.Run("a stranger's answer", func(t *testing.T) {
		a, err := call.As(oauth(s.URL(), "authorization_code", nil), c, "", func(u string) error {
			to, err := url.Parse(u)
			if err != nil {
				return err
			}
			back := to.Query().Get("redirect_uri")
			for _, q := range []string{"?code=forged", "?code=forged&state=guess", "?error=access_denied", "/other?code=forged&state=" + url.QueryEscape(to.Query().Get("state"))} {
				if status, err := get(back + q); err != nil || status != 404 {
					t.Errorf("%s was answered %d, %v, want 404", q, status, err)
				}
			}
			return browser(client(t, s, call.Options{}))(u)
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, x := statuses(c, s.URL()+"/a", a); fmt.Sprint(got) != "[200]" || i.grants() != "authorization_code" {
			t.Errorf("Do found %v: %s", got, x.Failure)
		}
	})
	t.Run("two at once, and other pages", func(t *testing.T) {
		seen := map[string]bool{}
		for range 2 {
			a, _ := call.As(oauth(s.URL(), "authorization_code", nil), c, "", func(u string) error {
				to, _ := url.Parse(u)
				q := to.Query()
				if back, err := url.Parse(q.Get("redirect_uri")); err != nil || back.Hostname() != "127.0.0.1" || back.Scheme != "http" {
					t.Errorf("the redirect is %s, want this machine", q.Get("redirect_uri"))
				}
				if seen[q.Get("state")] || seen[q.Get("code_challenge")] {
					t.Error("state or challenge came twice")
				}
				seen[q.Get("state")], seen[q.Get("code_challenge")] = true, true
				if strings.Contains(u, "topsecret") {
					t.Error("the browser gets a secret")
				}
				return browser(client(t, s, call.Options{}))(u)
			})
			if err := call.Ready(context.Background(), a); err != nil {
				t.Error(err)
			}
		}
	})
	for _, test := range []struct {
		name string
		edit func(*identity.OAuth2)
		open func(string) error
		says string
	}{
		{"nobody is here", nil, nil, "nobody is here"},
		{"no browser", nil, func(string) error { return errors.New("there is no screen") }, "there is no screen"},
		{"nobody comes", nil, func(string) error { return nil }, "nobody logged in"},
		{"elsewhere", func(o *identity.OAuth2) { o.Redirect = "http://192.0.2.1:8000/callback" }, func(string) error { return nil }, "does not lead to this machine"},
		{"a name that begins like ours", func(o *identity.OAuth2) { o.Redirect = "http://127.0.0.1.shop.test:8000/" }, func(string) error { return nil }, "does not lead to this machine"},
		{"not http", func(o *identity.OAuth2) { o.Redirect = "https://127.0.0.1:8000/callback" }, func(string) error { return nil }, "does not lead to this machine"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, err := call.As(oauth(s.URL(), "authorization_code", test.edit), c, "", test.open)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if test.name == "nobody comes" {
				a, _ = call.As(oauth(s.URL(), "authorization_code", nil), c, "", func(string) error { cancel(); return nil })
			}
			if err := call.Ready(ctx, a); err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "priya") {
				t.Errorf("Ready found %v, want %q", err, test.says)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		i.set(func(i *issuer) { i.says = "access_denied " + clientSecret })
		a, _ := call.As(oauth(s.URL(), "authorization_code", nil), c, "", browser(client(t, s, call.Options{})))
		if err := call.Ready(context.Background(), a); err == nil || !strings.Contains(err.Error(), "access_denied") || strings.Contains(err.Error(), "topsecret") {
			t.Errorf("Ready found %v", err)
		}
	})
	t.Run("a redirect of one's own", func(t *testing.T) {
		i.set(func(i *issuer) { i.says = "" })
		for _, path := range []string{"/back/here", ""} {
			at := freeAddress(t)
			a, _ := call.As(oauth(s.URL(), "authorization_code", func(o *identity.OAuth2) { o.Redirect = "http://" + at + path }), c, "", browser(client(t, s, call.Options{})))
			if err := call.Ready(context.Background(), a); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestOAuth2Tokens keeps the refresh token in a file, as it changes.
func TestOAuth2Tokens(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "priya.json")
	i := &issuer{}
	s := serve(t, i)
	run := func(grant string) error {
		a, err := call.As(oauth(s.URL(), grant, func(o *identity.OAuth2) { o.Tokens = file }), client(t, s, call.Options{}), "", nil)
		if err != nil {
			return err
		}
		return call.Ready(context.Background(), a)
	}
	if err := os.WriteFile(file, []byte("{}\n"), 0o644); err != nil { // as somebody else left it
		t.Fatal(err)
	}
	for n, want := range []string{"password", "password refresh_token", "password refresh_token refresh_token"} {
		before, _ := os.Stat(file)
		if err := run("password"); err != nil || i.grants() != want {
			t.Fatalf("run %d: Ready found %v after %q, want %q", n, err, i.grants(), want)
		}
		after, err := os.Stat(file)
		if err != nil || after.Mode().Perm() != 0o600 || os.SameFile(before, after) {
			t.Errorf("run %d: the file is %v, %v, want another one with mode 600", n, after, err)
		}
		data, _ := os.ReadFile(file)
		var got map[string]string
		if err := json.Unmarshal(data, &got); err != nil || got["refresh_token"] != i.refresh || len(got) != 1 {
			t.Errorf("run %d: the file holds %s, want %s alone", n, data, i.refresh)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("run %d: the folder holds %v", n, left)
		}
	}
	if err := run("refresh_token"); err != nil {
		t.Errorf("Ready found %v", err)
	}
	// One that is taken back: the grant that needs nobody begins anew.
	i.set(func(i *issuer) { i.refresh = "another" })
	if err := run("refresh_token"); err == nil || !strings.Contains(err.Error(), `400, "invalid_grant"`) || strings.Contains(err.Error(), "topsecret") {
		t.Errorf("Ready found %v", err)
	}
	if err := run("password"); err != nil {
		t.Errorf("Ready found %v", err)
	}
	// A wrong password is tried once.
	tried := len(i.grants())
	a, err := call.As(oauth(s.URL(), "password", func(o *identity.OAuth2) { o.Password = "topsecret-wrong" }), client(t, s, call.Options{}), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := call.Ready(context.Background(), a); err == nil || !strings.Contains(err.Error(), `400, "invalid_grant"`) || i.grants()[tried:] != " password" {
		t.Errorf("Ready found %v after %q", err, i.grants()[tried:])
	}
	// An authorization server that is out of reach ends nothing.
	data, _ := os.ReadFile(file)
	s.Close()
	if err := run("password"); err == nil || strings.Contains(err.Error(), "topsecret") {
		t.Errorf("Ready found %v", err)
	}
	if now, _ := os.ReadFile(file); string(now) != string(data) {
		t.Error("the file was changed by a call that failed")
	}
	for name, data := range map[string]string{"broken": `{"refresh_token":"topsecret`, "a list": `["topsecret"]`} {
		if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := run("password"); err == nil || !strings.Contains(err.Error(), "remove it") || strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%s: As found %v", name, err)
		}
	}
	a, err = call.As(oauth("https://127.0.0.1:1", "refresh_token", func(o *identity.OAuth2) { o.Tokens = filepath.Join(dir, "none") }), client(t, nil, call.Options{}), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := call.Ready(context.Background(), a); err == nil || !strings.Contains(err.Error(), "there is no refresh token") {
		t.Errorf("Ready found %v", err)
	}
}

// TestOAuth2Fails says who, where and what, and never with what; and no secret
// goes where it may be read.
func TestOAuth2Fails(t *testing.T) {
	i := &issuer{}
	s := serve(t, i)
	var mu sync.Mutex
	var heard []string // what somebody else was sent
	listener := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, fmt.Sprint(r.Header, string(b)))
		w.WriteHeader(400)
	})
	other := serve(t, listener)
	resolve := s.Resolve()
	for at, as := range other.Resolve() {
		resolve[at] = as
	}
	for _, test := range []struct {
		name, grant, faulty, at string
		o                       call.Options
		says                    string
	}{
		{"text", "password", "text", s.URL(), call.Options{}, "the answer is 502 and no token"},
		{"an echo", "client_credentials", "echo", s.URL(), call.Options{}, `the answer is 400, "no ***"`},
		{"no token", "client_credentials", "none", s.URL(), call.Options{}, "access_token"},
		{"elsewhere", "password", other.URL() + "/token", s.URL(), call.Options{}, "the answer is 307 and no token"},
		{"not verified", "client_credentials", "", other.URL(), call.Options{Roots: x509.NewCertPool()}, "nothing was sent"},
		{"not verified, password", "password", "", other.URL(), call.Options{Roots: x509.NewCertPool()}, "nothing was sent"},
		{"not verified, refresh", "refresh_token", "", other.URL(), call.Options{Roots: x509.NewCertPool()}, "nothing was sent"},
		{"withheld", "client_credentials", "", other.URL(), call.Options{Roots: x509.NewCertPool(), Untrusted: call.Withhold}, "withheld"},
		{"withheld, password", "password", "", other.URL(), call.Options{Roots: x509.NewCertPool(), Untrusted: call.Withhold}, "withheld"},
		{"in clear", "client_credentials", "", "http://" + other.Name, call.Options{}, "without TLS"},
		{"in clear, withheld", "password", "", "http://me:topsecret@" + other.Name + "/?key=topsecret", call.Options{Untrusted: call.Withhold}, "without TLS"},
		{"no URL", "password", "", "topsecret", call.Options{}, "no URL of an authorization server"},
	} {
		t.Run(test.name, func(t *testing.T) {
			i.set(func(i *issuer) { i.faulty = test.faulty })
			test.o.Resolve = resolve
			a, err := call.As(oauth(test.at, test.grant, func(o *identity.OAuth2) { o.RefreshToken = "" }), client(t, nil, test.o), "", nil)
			if test.grant == "refresh_token" {
				a, err = call.As(oauth(test.at, test.grant, func(o *identity.OAuth2) { o.RefreshToken, o.ClientSecret = "topsecret-refresh", "" }), client(t, nil, test.o), "", nil)
			}
			says := ""
			if err != nil {
				says = err.Error()
			} else {
				got, x := statuses(client(t, s, call.Options{}), s.URL()+"/a", a)
				if says = x.Failure; fmt.Sprint(got) != "[0]" || x.FailedAt != exchange.StepRequest {
					t.Errorf("Do found %v at %v", got, x.FailedAt)
				}
			}
			if !strings.Contains(says, test.says) || !strings.Contains(says, "priya") || test.name != "no URL" && strings.Contains(says, "topsecret") {
				t.Errorf("it says %q, want %q", says, test.says)
			}
		})
	}
	mu.Lock()
	defer mu.Unlock()
	for _, h := range heard {
		if strings.Contains(h, "topsecret") || strings.Contains(h, "Basic") {
			t.Errorf("somebody else was sent %s", h)
		}
	}
}

// TestOAuth2AtOnce has many requests wait for one token.
func TestOAuth2AtOnce(t *testing.T) {
	i := &issuer{life: 3600}
	s := serve(t, i)
	c := client(t, s, call.Options{})
	a, err := call.As(oauth(s.URL(), "client_credentials", nil), c, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 24 {
		all.Go(func() {
			if got, x := statuses(c, s.URL()+"/a", a); fmt.Sprint(got) != "[200]" {
				t.Errorf("Do found %v: %s", got, x.Failure)
			}
		})
	}
	all.Wait()
	if i.grants() != "client_credentials" {
		t.Errorf("Do asked %q, want once", i.grants())
	}
}

// freeAddress is one of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
