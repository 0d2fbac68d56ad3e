package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/quic-go/quic-go/http3"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/example/ledger"
	"github.com/parley-project/parley/example/play"
	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/needs"
)

// An api is an example API with flaws, opened anew for each test.
type api struct {
	flaws      []play.Flaw
	attacks    []play.Attack
	legitimate []play.Step
	open       func(flaws []string) (opened, error)
}

// opened is what every example offers.
type opened interface {
	Handler() http.Handler
	Keys() (play.Keys, error)
	WriteConfiguration(dir, upstream string) error
	Close() error
}

// apis are of different style, so that guard is tuned to none of them.
var apis = map[string]api{
	"shop": {shop.Flaws, shop.Attacks(), shop.Legitimate(), func(flaws []string) (opened, error) {
		return shop.New(shop.Options{Flaws: flaws})
	}},
	"ledger": {ledger.Flaws, ledger.Attacks(), ledger.Legitimate(), func(flaws []string) (opened, error) {
		return ledger.New(ledger.Options{Flaws: flaws})
	}},
}

// behind opens an API with flaws, and guard in front of it with the policy that
// ships with it.
func (a api) behind(t *testing.T, flaws ...string) (open, guarded string, keys play.Keys, direct, through *http.Client) {
	t.Helper()
	return a.recorded(t, &counter{}, flaws...)
}

func (a api) recorded(t *testing.T, r exchange.Recorder, flaws ...string) (open, guarded string, keys play.Keys, direct, through *http.Client) {
	t.Helper()
	s, err := a.open(flaws)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if keys, err = s.Keys(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	dir := t.TempDir()
	if err := s.WriteConfiguration(dir, server.URL); err != nil {
		t.Fatal(err)
	}
	k, err := contract.Load(filepath.Join(dir, "parley.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(k.NotJudged) > 0 {
		t.Errorf("not judged: %q", k.NotJudged)
	}
	st, client := standFor(t, k, "", r)
	return server.URL, st.url(), keys, server.Client(), client
}

// shopBehind is the shop in the same way.
func shopBehind(t *testing.T, flaws ...string) (open, guarded string, keys play.Keys, direct, through *http.Client) {
	t.Helper()
	return apis["shop"].behind(t, flaws...)
}

// before are flaws that something else stops before their check sees them.
var before = map[string]string{
	"status-401-403":   "whom the API would refuse, guard refuses first",
	"status-405-allow": "what the API does not offer, guard refuses first",
	"status-204-body":  "content after 204 breaks the connection to the API",
}

// Each flaw alone: the attack works on the open address, and on the guarded one
// it is refused, filtered or repaired.
func TestGuardStopsEachFlaw(t *testing.T) {
	for name, a := range apis {
		needs.Figure(t, "flaws of the "+name, "%d switches, %d attacks; each works on the open address and is stopped by guard, or a test fails", len(a.flaws), len(a.attacks))
		for _, f := range a.flaws {
			t.Run(name+"/"+f.ID, func(t *testing.T) {
				if check.ByID(f.ID) == nil {
					t.Error("no check has this ID")
				}
				acted := &actions{}
				open, guarded, keys, direct, through := a.recorded(t, acted, f.ID)
				found := false
				for _, attack := range a.attacks {
					if attack.Flaw != f.ID {
						continue
					}
					found = true
					o, err := play.Run(context.Background(), direct, open, keys, attack, nil)
					if err != nil {
						t.Fatal(err)
					}
					if !o.Worked {
						t.Errorf("%s: on the open address: %s, want it to work", o.Title, o.Summary)
					}
					g, err := play.Run(context.Background(), through, guarded, keys, attack, nil)
					if err != nil {
						t.Fatal(err)
					}
					if g.Worked || !g.Stopped {
						t.Errorf("%s: on the guarded address: %s, want it stopped", g.Title, g.Summary)
					}
					if by := acted.take(); !slices.Contains(by, f.ID) && before[f.ID] == "" {
						t.Errorf("%s: stopped by %q, want it by %s", g.Title, by, f.ID)
					}
					t.Logf("%-44s %-20s %s", o.Title, o.Summary, g.Summary)
				}
				if !found {
					t.Fatal("no attack shows it")
				}
			})
		}
	}
}

// All flaws at once: one must not open a way around what stops another.
func TestGuardStopsAllFlawsAtOnce(t *testing.T) {
	for name, a := range apis {
		t.Run(name, func(t *testing.T) {
			_, guarded, keys, _, through := a.behind(t, "all")
			for _, attack := range a.attacks {
				g, err := play.Run(context.Background(), through, guarded, keys, attack, nil)
				if err != nil {
					t.Fatal(err)
				}
				if g.Worked || !g.Stopped {
					t.Errorf("%s: %s: %s, want it stopped", attack.Flaw, g.Title, g.Summary)
				}
			}
		})
	}
}

// However a path is written, no tenant reads another's entry.
func TestTenantsStayApart(t *testing.T) {
	_, guarded, keys, _, through := apis["ledger"].behind(t, "all")
	entry := "/books/main/entries/" + ledger.AnEntry
	n, err := play.NewRunner(through, guarded, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"/api/tenants/acme", "/ledger/api/tenants/acme", "/api/tenants/%61cme", "/api/tenants/acme%20", "/api/tenants/acme;x=1", "/api/tenants/ACME",
		"/api/tenants/bluebird/../acme", "/api/tenants/bluebird/%2e%2e/acme", "/api/tenants/bluebird%2f..%2facme", "/api//tenants/acme", "/api/./tenants/acme",
		"/api/tenants/bluebird", "/api/tenants/bluebird%00", "/api/tenants/acme%5c", "//api/tenants/acme", "/API/tenants/acme", "/api/tenants//acme",
	} {
		for _, as := range []string{"bina", "boris", "bluebird-till"} {
			for _, method := range []string{"GET", "HEAD", "POST", "DELETE"} {
				r, err := n.Send(context.Background(), play.Step{As: as, Method: method, Path: path + entry})
				if err != nil {
					t.Fatal(err)
				}
				if r.Status < 400 || play.Contains(r, "Harbour Estates") {
					t.Errorf("%s %s as %s answered %d: %.80s", method, path+entry, as, r.Status, r.Body)
				}
			}
		}
	}
	if r, err := n.Send(context.Background(), play.Step{As: "carl", Method: "GET", Path: "/api/tenants/acme" + entry}); err != nil || !play.Contains(r, "Harbour Estates") {
		t.Errorf("acme's own clerk got %d, %v, want the entry still there", r.Status, err)
	}
}

// actions notes the checks that acted.
type actions struct {
	mu sync.Mutex
	by []string
}

func (a *actions) Record(x *exchange.Exchange) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, act := range x.Actions {
		a.by = append(a.by, act.Check)
	}
}

func (a *actions) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	by := a.by
	a.by = nil
	return by
}

// Honest clients notice nothing: the legitimate script has the same status,
// JSON value and listed header fields through guard as on the sound API, over
// each version of HTTP.
func TestHonestClientsNoticeNothing(t *testing.T) {
	for name, a := range apis {
		t.Run(name, func(t *testing.T) {
			open, guarded, keys, direct, through := a.behind(t)
			want, err := play.Play(context.Background(), direct, open, keys, a.legitimate, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(want) < 60 {
				t.Errorf("the script has %d steps, want at least 60", len(want))
			}
			for version, transport := range versions(t, through) {
				t.Run(version, func(t *testing.T) {
					proto := ""
					got, err := play.Play(context.Background(), &http.Client{Transport: protoOf{transport, &proto}}, guarded, keys, a.legitimate, nil)
					if err != nil {
						t.Fatal(err)
					}
					if proto != version {
						t.Errorf("it was spoken %s", proto)
					}
					for _, d := range play.Differences(want, got) {
						t.Error(d)
					}
					needs.Figure(t, "honest clients of the "+name+", "+version, "%d requests, %d answers differ", len(got), len(play.Differences(want, got)))
				})
			}
		})
	}
}

// versions are transports that speak one version of HTTP each.
func versions(t *testing.T, client *http.Client) map[string]http.RoundTripper {
	config := client.Transport.(*http.Transport).TLSClientConfig
	one := &http.Transport{TLSClientConfig: config.Clone()}
	two := &http.Transport{TLSClientConfig: config.Clone(), ForceAttemptHTTP2: true}
	three := &http3.Transport{TLSClientConfig: config.Clone()}
	t.Cleanup(func() { one.CloseIdleConnections(); two.CloseIdleConnections(); three.Close() })
	return map[string]http.RoundTripper{"HTTP/1.1": one, "HTTP/2.0": two, "HTTP/3.0": three}
}

// protoOf remembers which version was spoken.
type protoOf struct {
	http.RoundTripper
	proto *string
}

func (p protoOf) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := p.RoundTripper.RoundTrip(r)
	if err == nil {
		*p.proto = resp.Proto
	}
	return resp, err
}
