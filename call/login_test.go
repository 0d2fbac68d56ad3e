package call_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// A clock that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: authority.Now} }
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}
func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// An office is an API with log-ins, which counts them. A token is good until
// the next one is given out, or until all are revoked.
type office struct {
	logins, refused atomic.Int64
	revoked         atomic.Int64 // tokens up to this one
	never           atomic.Bool  // no token is taken
	until           func() time.Time
}

func (o *office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const password = "topsecret-password"
	switch r.URL.Path {
	case "/v1/login", "/api/login":
		var in struct{ User, Password string }
		json.NewDecoder(r.Body).Decode(&in)
		n := o.logins.Add(1)
		if in.Password != password {
			http.Error(w, "wrong: "+in.Password, http.StatusForbidden)
			return
		}
		token := fmt.Sprintf("token-%d", n)
		if o.until != nil {
			token = unsigned(map[string]any{"exp": o.until().Unix(), "n": n})
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: token, Path: "/", HttpOnly: true})
		w.Header().Set("X-Token", "Bearer "+token)
		json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"token": token, "expires_in": 60, "empty": "", "number": 7}})
	case "/moved":
		http.Redirect(w, r, "/v1/login", http.StatusTemporaryRedirect)
	case "/text":
		fmt.Fprint(w, "welcome")
	default:
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if token == "" {
			token = r.Header.Get("X-Session")
		}
		if c, err := r.Cookie("session"); err == nil {
			token = c.Value
		}
		n := int64(0)
		fmt.Sscanf(token, "token-%d", &n)
		if o.never.Load() || token == "" || o.until == nil && n <= o.revoked.Load() {
			o.refused.Add(1)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, token)
	}
}

// unsigned is a JWT that proves nothing.
func unsigned(claims map[string]any) string {
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	return part(map[string]string{"alg": "HS256", "typ": "JWT"}) + "." + part(claims) + "." + base64.RawURLEncoding.EncodeToString([]byte("signature"))
}

func recipe(edit func(*identity.Login)) *identity.Person {
	l := &identity.Login{Method: "POST", URL: "/v1/login", Header: exchange.Header{{Name: "Content-Type", Value: "application/json"}},
		Body: `{"user":"priya","password":"topsecret-password"}`, Token: "$.data.token"}
	if edit != nil {
		edit(l)
	}
	return &identity.Person{Name: "priya", Login: l}
}

// statuses makes a call and says what its requests were answered.
func statuses(c *call.Client, url string, a identity.Auth) (got []int, last *exchange.Exchange) {
	for _, x := range c.Do(context.Background(), &call.Request{Method: "GET", URL: url, Auth: a}) {
		n := 0
		if x.Response != nil {
			n = x.Response.Status
		}
		got, last = append(got, n), x
	}
	return got, last
}

// TestLogin follows recipes of all kinds, and looks how the credential travels.
func TestLogin(t *testing.T) {
	for _, test := range []struct {
		name                   string
		edit                   func(*identity.Login)
		field, value, c, sheme string
	}{
		{"token", nil, "Authorization", "Bearer token-1", "header", "bearer"},
		{"cookie", func(l *identity.Login) { l.Token, l.Cookie = "", "session" }, "Cookie", "session=token-1", "cookie", "cookie"},
		{"field", func(l *identity.Login) { l.Token, l.Field = "", "x-token" }, "Authorization", "Bearer token-1", "header", "bearer"},
		{"as a field", func(l *identity.Login) { l.As = "X-Session" }, "X-Session", "token-1", "header", "api-key"},
		{"as what it is", func(l *identity.Login) { l.As = "authorization" }, "Authorization", "Bearer token-1", "header", "bearer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inVersions(t, func(t *testing.T, version string) {
				var o office
				s := serve(t, &o)
				c := client(t, s, call.Options{HTTP: version})
				a, err := call.As(recipe(test.edit), c, s.URL()+"/v1/orders?x=1", nil)
				if err != nil {
					t.Fatal(err)
				}
				for range 3 {
					got, x := statuses(c, s.URL()+"/v1/orders", a)
					if fmt.Sprint(got) != "[200]" || x.Request.Header.Get(test.field) != test.value || a.Scheme() != test.sheme {
						t.Fatalf("Do found %v with %v, want 200 with %s: %s; %s", got, x.Request.Header, test.field, test.value, x.Failure)
					}
					if k := x.Server.Credential; k == nil || k.Field != test.field || k.Carrier != test.c {
						t.Errorf("Do noted %+v", k)
					}
				}
				if n := o.logins.Load(); n != 1 {
					t.Errorf("Do logged in %d times, want once", n)
				}
			})
		})
	}
}

// TestLoginAgain renews a credential when it ends and when it is refused, and
// does not try without end.
func TestLoginAgain(t *testing.T) {
	for _, test := range []struct {
		name string
		jwt  bool
		edit func(*identity.Login)
	}{
		{"expires", false, func(l *identity.Login) { l.Expires = "$.data.expires_in" }},
		{"the token says so", true, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			at := newClock()
			var o office
			if test.jwt {
				o.until = func() time.Time { return at.now().Add(time.Minute) }
			}
			s := serve(t, &o)
			c := client(t, s, call.Options{Now: at.now})
			a, err := call.As(recipe(test.edit), c, s.URL(), nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, step := range []struct {
				later time.Duration
				want  int64
			}{{0, 1}, {40 * time.Second, 1}, {15 * time.Second, 2}, {0, 2}, {time.Hour, 3}} {
				at.add(step.later)
				if got, x := statuses(c, s.URL()+"/a", a); fmt.Sprint(got) != "[200]" || o.logins.Load() != step.want {
					t.Errorf("call %d: Do found %v after %d log-ins, want %d: %s", i, got, o.logins.Load(), step.want, x.Failure)
				}
			}
		})
	}
	t.Run("401", func(t *testing.T) {
		var o office
		s := serve(t, &o)
		c := client(t, s, call.Options{})
		a, err := call.As(recipe(nil), c, s.URL(), nil)
		if err != nil {
			t.Fatal(err)
		}
		look := func(want string, logins int64) {
			t.Helper()
			if got, x := statuses(c, s.URL()+"/a", a); fmt.Sprint(got) != want || o.logins.Load() != logins {
				t.Fatalf("Do found %v after %d log-ins, want %s after %d: %s", got, o.logins.Load(), want, logins, x.Failure)
			}
		}
		look("[200]", 1)
		o.revoked.Store(1)
		look("[401 200]", 2)
		look("[200]", 2)
		o.never.Store(true)
		look("[401 401]", 3) // once more, with a new one
		for range 5 {
			look("[401]", 3) // which was never taken
		}
		o.never.Store(false)
		look("[200]", 3)
	})
}

// TestLoginAtOnce has many requests wait for one log-in, whether it succeeds or
// not, and for one more when the token is revoked under them.
func TestLoginAtOnce(t *testing.T) {
	const many = 24
	for _, password := range []string{"topsecret-password", "topsecret-wrong"} {
		var o office
		s := serve(t, &o)
		c := client(t, s, call.Options{})
		a, err := call.As(recipe(func(l *identity.Login) {
			l.Body = identity.Secret(strings.ReplaceAll(string(l.Body), "topsecret-password", password))
		}), c, s.URL(), nil)
		if err != nil {
			t.Fatal(err)
		}
		good := func() (n int64) {
			var all sync.WaitGroup
			var ok atomic.Int64
			for range many {
				all.Go(func() {
					if _, x := statuses(c, s.URL()+"/a", a); x.Response != nil && x.Response.Status == 200 {
						ok.Add(1)
					}
				})
			}
			all.Wait()
			return ok.Load()
		}
		if password == "topsecret-wrong" {
			// Those that began after the answer had come may ask once more.
			if n := good(); n != 0 || o.logins.Load() >= many {
				t.Errorf("%d calls got through with a wrong password after %d log-ins", n, o.logins.Load())
			}
			continue
		}
		if n := good(); n != many || o.logins.Load() != 1 {
			t.Errorf("%d of %d calls got through after %d log-ins, want all after one", n, many, o.logins.Load())
		}
		o.revoked.Store(1)
		if n := good(); n != many || o.logins.Load() != 2 {
			t.Errorf("%d of %d calls got through after %d log-ins, want all after two", n, many, o.logins.Load())
		}
	}
}

// TestLoginFails says who, where and what, and never with what.
func TestLoginFails(t *testing.T) {
	var o office
	s := serve(t, &o)
	other := serve(t, &o)
	for _, test := range []struct {
		name, base string
		edit       func(*identity.Login)
		o          call.Options
		says       []string
	}{
		{"wrong password", "", func(l *identity.Login) { l.Body = `{"password":"topsecret-2"}` }, call.Options{}, []string{"the answer is 403"}},
		{"no JSON", "", func(l *identity.Login) { l.URL = "/text" }, call.Options{}, []string{"the answer is no JSON"}},
		{"nothing there", "", func(l *identity.Login) { l.Token = "$.token" }, call.Options{}, []string{"nothing at $.token"}},
		{"empty", "", func(l *identity.Login) { l.Token = "$.data.empty" }, call.Options{}, []string{"is no text"}},
		{"a number", "", func(l *identity.Login) { l.Token = "$.data.number" }, call.Options{}, []string{"is no text"}},
		{"no cookie", "", func(l *identity.Login) { l.Token, l.Cookie = "", "sid" }, call.Options{}, []string{"sets no cookie sid"}},
		{"no field", "", func(l *identity.Login) { l.Token, l.Field = "", "X-Other" }, call.Options{}, []string{"has no field X-Other"}},
		{"a secret in the URL", "", func(l *identity.Login) { l.URL = "/text?key=topsecret-3#topsecret-4" }, call.Options{}, []string{"no JSON"}},
		{"a secret before the host", strings.Replace(s.URL(), "://", "://me:topsecret-5@", 1), func(l *identity.Login) { l.URL = "/text" }, call.Options{}, []string{"no JSON"}},
		{"not verified", other.URL(), nil, call.Options{Roots: x509.NewCertPool()}, []string{"nothing was sent"}},
		{"not verified, and asked nevertheless", other.URL(), nil, call.Options{Roots: x509.NewCertPool(), Untrusted: call.Withhold}, []string{"withheld"}},
		{"in clear", strings.Replace(s.PlainURL(), "127.0.0.1", s.Name, 1), nil, call.Options{}, []string{"nothing was sent", "there is no TLS"}},
		{"nobody there", "http://127.0.0.1:1", nil, call.Options{}, []string{"127.0.0.1:1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := o.logins.Load()
			test.o.Resolve = s.Resolve()
			for at, as := range other.Resolve() {
				test.o.Resolve[at] = as
			}
			base := test.base
			if base == "" {
				base = s.URL()
			}
			a, err := call.As(recipe(test.edit), client(t, nil, test.o), base, nil)
			if err != nil {
				t.Fatal(err)
			}
			// The API's own channel is sound: only the log-in fails.
			_, x := statuses(client(t, s, call.Options{}), s.URL()+"/a", a)
			for _, want := range append(test.says, "log in as priya at POST ") {
				if !strings.Contains(x.Failure, want) {
					t.Errorf("Do says %q, want %q", x.Failure, want)
				}
			}
			if x.FailedAt != exchange.StepRequest || x.Response != nil || strings.Contains(x.Failure, "topsecret") {
				t.Errorf("Do failed at %v: %q", x.FailedAt, x.Failure)
			}
			if strings.Contains(test.name, "verified") || strings.Contains(test.name, "clear") {
				// A channel to be asked anyway gets a request without the password.
				if n := o.logins.Load() - before; n > 1 || n == 1 && test.o.Untrusted == call.Stop {
					t.Errorf("the other side saw %d log-ins", n)
				}
			}
		})
	}
	for name, p := range map[string]*identity.Person{
		"no credential": {Name: "priya"},
		"no path":       recipe(func(l *identity.Login) { l.Token = "$[" }),
		"no time":       recipe(func(l *identity.Login) { l.Expires = "$[" }),
	} {
		if _, err := call.As(p, client(t, s, call.Options{}), s.URL(), nil); err == nil || !strings.Contains(err.Error(), "priya") {
			t.Errorf("As(%s) found %v, want an error with the name", name, err)
		}
	}
	for _, base := range []string{"", "localhost:8443"} {
		if _, err := call.As(recipe(nil), client(t, s, call.Options{}), base, nil); err == nil {
			t.Errorf("As found nothing wrong with the base %q", base)
		}
	}
}

// TestLoginURL is where a recipe's path leads, as a link would.
func TestLoginURL(t *testing.T) {
	var o office
	s := serve(t, &o)
	for _, test := range []struct {
		base, url string
		ok        bool
	}{
		{s.URL(), "/v1/login", true},
		{s.URL() + "/v1/orders/7?a=b#c", "/v1/login", true},
		{s.URL() + "/api/", "login", true},
		{s.URL() + "/api/orders", "login", true},
		{s.URL() + "/api/", "../v1/login", true},
		{"http://127.0.0.1:1", s.URL() + "/v1/login", true},
		{s.URL() + "/v1/", "/login", false},
	} {
		c := client(t, s, call.Options{})
		a, err := call.As(recipe(func(l *identity.Login) { l.URL = test.url }), c, test.base, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := call.Ready(context.Background(), a); (err == nil) != test.ok {
			t.Errorf("Ready(%s at %s) found %v", test.url, test.base, err)
		}
	}
}

// TestWithheldLogin wants nobody to be logged in for a request that goes without.
func TestWithheldLogin(t *testing.T) {
	var o office
	s := serve(t, &o)
	c := client(t, s, call.Options{})
	a, err := call.As(recipe(func(l *identity.Login) { l.As = "X-Session" }), c, s.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, x := statuses(client(t, s, call.Options{Roots: x509.NewCertPool(), Untrusted: call.Withhold}), s.URL()+"/a", a)
	if fmt.Sprint(got) != "[401]" || o.logins.Load() != 0 || x.Client == nil || fmt.Sprint(x.Client.Withheld) != "[X-Session]" {
		t.Errorf("Do found %v, withheld %+v after %d log-ins", got, x.Client, o.logins.Load())
	}
}

// TestDigest asks once, and from then on answers before it is asked.
func TestDigest(t *testing.T) {
	s := serve(t, nil)
	inVersions(t, func(t *testing.T, version string) {
		c := client(t, s, call.Options{HTTP: version})
		a := identity.NewDigest("postman", "password")
		for i, want := range []string{"[401 200]", "[200]", "[200]"} {
			got, x := statuses(c, s.URL()+fmt.Sprintf("/digest-auth?n=%d", i), a)
			if fmt.Sprint(got) != want || !strings.Contains(x.Request.Header.Get("Authorization"), fmt.Sprintf("nc=%08x", i+1)) {
				t.Errorf("call %d: Do found %v with %s, want %s", i, got, x.Request.Header.Get("Authorization"), want)
			}
			if strings.Contains(fmt.Sprint(x.Request), "password") {
				t.Errorf("call %d: the password travelled", i)
			}
		}
	})
}
