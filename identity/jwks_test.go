package identity

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// An issuer publishes a key set and counts how often it is fetched.
type testIssuer struct {
	*httptest.Server
	mu      sync.Mutex
	body    []byte
	status  int
	fetches atomic.Int32
}

func newIssuer(t *testing.T, body []byte) *testIssuer {
	is := &testIssuer{body: body, status: http.StatusOK}
	is.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		is.fetches.Add(1)
		is.mu.Lock()
		defer is.mu.Unlock()
		w.WriteHeader(is.status)
		w.Write(is.body)
	}))
	t.Cleanup(is.Close)
	return is
}

func (is *testIssuer) set(status int, body []byte) {
	is.mu.Lock()
	defer is.mu.Unlock()
	is.status, is.body = status, body
}

func TestKeysFromURL(t *testing.T) {
	old, fresh, foreign := newSigner(t, "old"), newSigner(t, "fresh"), newSigner(t, "x")
	is := newIssuer(t, jwks(t, old))
	v := verifier(t, shop(is.URL+"/jwks.json"), Options{})
	at := now
	want := func(token, what string, fetches int32) {
		t.Helper()
		if got := ask(t, v, bearer(token), at); got != what {
			t.Errorf("%s, want %s", got, what)
		}
		if got := is.fetches.Load(); got != fetches {
			t.Errorf("%d fetches, want %d", got, fetches)
		}
	}
	exp := map[string]any{"exp": now.Add(72 * time.Hour).Unix()}
	oldToken, freshToken := old.sign(t, nil, claims(exp)), fresh.sign(t, nil, claims(exp))
	want(oldToken, "good 101", 1)

	// The keys change: an unknown kid fetches, but not at once after a fetch.
	is.set(http.StatusOK, jwks(t, fresh))
	want(freshToken, "bearer key", 1)
	at = at.Add(retryAfter)
	want(freshToken, "good 101", 2)
	want(oldToken, "bearer key", 2) // its remembered verdict is gone, too

	// Made-up kids cost at most one fetch in a while.
	for range 100 {
		want(foreign.sign(t, nil, claims(exp)), "bearer key", 2)
	}
	at = at.Add(retryAfter)
	want(foreign.sign(t, nil, claims(exp)), "bearer key", 3)

	// The issuer breaks: known keys go on, unknown ones cannot be decided.
	is.set(http.StatusInternalServerError, nil)
	at = at.Add(3 * refreshEvery)
	want(freshToken, "good 101", 4)
	want(foreign.sign(t, nil, claims(exp)), "undecided", 4)
	at = at.Add(staleFor)
	want(freshToken, "undecided", 5)

	// And comes back.
	is.set(http.StatusOK, jwks(t, fresh))
	at = at.Add(retryAfter)
	want(freshToken, "good 101", 6)
}

func TestKeysAreRefreshedInTheBackground(t *testing.T) {
	s, s2 := newSigner(t, "k1"), newSigner(t, "k2")
	is := newIssuer(t, jwks(t, s))
	v := verifier(t, shop(is.URL), Options{})
	token := s.sign(t, nil, claims(nil))
	ask(t, v, bearer(token), now)
	is.set(http.StatusOK, jwks(t, s2))
	if got := ask(t, v, bearer(token), now.Add(refreshEvery)); got != "good 101" {
		t.Errorf("%s: a request waited for a refresh", got)
	}
	v.keys.work.Wait()
	if got := ask(t, v, bearer(token), now.Add(refreshEvery)); got != "bearer key" {
		t.Errorf("%s, want key: it left the set", got)
	}
}

func TestOneFetchForAll(t *testing.T) {
	s := newSigner(t, "k1")
	is := newIssuer(t, jwks(t, s))
	v := verifier(t, shop(is.URL), Options{})
	at := now.Add(time.Hour)
	token := s.sign(t, nil, claims(map[string]any{"exp": at.Add(time.Hour).Unix()}))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if got := ask(t, v, bearer(token), at); got != "good 101" {
				t.Error(got)
			}
		})
	}
	wg.Wait()
	if got := is.fetches.Load(); got != 2 {
		t.Errorf("%d fetches, want 2", got)
	}
}

func TestLazyKeys(t *testing.T) {
	s := newSigner(t, "k1")
	is := newIssuer(t, nil)
	if _, err := New(shop(is.URL), Options{Now: clock}); err == nil {
		t.Error("New succeeded without keys")
	}
	v := verifier(t, shop(is.URL), Options{LazyKeys: true})
	token := s.sign(t, nil, claims(nil))
	if got := ask(t, v, bearer(token), now); got != "undecided" {
		t.Error(got)
	}
	is.set(http.StatusOK, jwks(t, s))
	if got := ask(t, v, bearer(token), now.Add(retryAfter)); got != "good 101" {
		t.Error(got)
	}
}

func TestFetchIsBounded(t *testing.T) {
	elsewhere := newIssuer(t, jwks(t, newSigner(t, "k1")))
	mux := http.NewServeMux()
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"keys":[` + strings.Repeat(" ", maxKeys)))
	})
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusFound)
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/near", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/keys", http.StatusFound) })
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("{}")) })
	hang := make(chan struct{})
	mux.HandleFunc("/hang", func(http.ResponseWriter, *http.Request) { <-hang })
	srv := httptest.NewServer(mux)
	defer srv.Close()
	defer close(hang)
	for path, want := range map[string]string{"/large": "larger than", "/redirect": "redirected elsewhere",
		"/loop": "redirected elsewhere", "/near": "", "/missing": "status 404", "/hang": "deadline"} {
		fetch, err := fetcher(&JWT{Keys: srv.URL + path}, nil)
		if err != nil {
			t.Fatal(err)
		}
		limit := time.Minute
		if path == "/hang" {
			limit = time.Millisecond
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		_, err = fetch(ctx)
		cancel()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if elsewhere.fetches.Load() != 0 {
		t.Error("a redirect to another host was followed")
	}
}

func TestMayDial(t *testing.T) {
	for _, tt := range []struct {
		url, addr string
		allow, ok bool
	}{
		{"https://login.example.com/", "93.184.216.34", false, true},
		{"https://login.example.com/", "10.0.0.1", false, false},
		{"https://login.example.com/", "10.0.0.1", true, true},
		{"https://login.example.com/", "127.0.0.1", false, false},
		{"https://login.example.com/", "169.254.169.254", false, false},
		{"https://login.example.com/", "100.64.0.1", false, false},
		{"https://login.example.com/", "fd00::1", false, false},
		{"https://login.example.com/", "64:ff9b::a00:1", false, false},
		{"https://login.example.com./", "::1", false, false},
		{"https://keycloak/", "172.18.0.2", false, true},
		{"https://login.corp/", "10.0.0.1", false, true},
		{"https://10.0.0.1/", "10.0.0.1", false, true},
		{"http://localhost/", "127.0.0.1", false, true},
		{"http://localhost/", "10.0.0.1", true, false},
	} {
		u, err := url.Parse(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		if err := mayDial(u, netip.MustParseAddr(tt.addr), tt.allow); (err == nil) != tt.ok {
			t.Errorf("mayDial(%s, %s, %v) = %v", tt.url, tt.addr, tt.allow, err)
		}
	}
}

// TestKeptKeysKeepTheirVerdicts: a reload that still has the key does not
// throw the memory away; one that changes the key under its old name does.
func TestKeptKeysKeepTheirVerdicts(t *testing.T) {
	s, s2, impostor := newSigner(t, "k1"), newSigner(t, "k2"), newSigner(t, "k1")
	file := write(t, "jwks.json", jwks(t, s))
	v := verifier(t, shop(file), Options{})
	before := v.keys.set.Load().keys[0]
	write(t, file, jwks(t, s2, s))
	v.keys.upkeep(now)
	if after := v.keys.set.Load().keys[1]; after != before || after.gone.Load() {
		t.Error("a key that stayed was taken for a new one")
	}
	write(t, file, jwks(t, s2, impostor))
	v.keys.upkeep(now)
	if after := v.keys.set.Load().keys[1]; after == before || !before.gone.Load() {
		t.Error("another key of the same name was taken for the old one")
	}
}
