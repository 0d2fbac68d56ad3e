package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/quic-go/quic-go/http3"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/example/shop"
)

// shopBehind starts a shop with flaws, and guard in front of it with the policy
// that ships with it.
func shopBehind(t *testing.T, flaws ...string) (open, guarded string, keys shop.Keys, direct, through *http.Client) {
	t.Helper()
	s, err := shop.New(shop.Options{Flaws: flaws})
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
	st, client := standFor(t, k, "", &counter{})
	return server.URL, st.url(), keys, server.Client(), client
}

// Each flaw alone: the attack works on the open address, and on the guarded one
// it is refused, filtered or repaired.
func TestGuardStopsEachFlaw(t *testing.T) {
	attacks := map[string][]shop.Attack{}
	for _, a := range shop.Attacks() {
		attacks[a.Flaw] = append(attacks[a.Flaw], a)
	}
	for _, f := range shop.Flaws {
		t.Run(f.ID, func(t *testing.T) {
			if len(attacks[f.ID]) == 0 {
				t.Fatal("no attack shows it")
			}
			open, guarded, keys, direct, through := shopBehind(t, f.ID)
			for _, a := range attacks[f.ID] {
				o, err := shop.Run(context.Background(), direct, open, keys, a, nil)
				if err != nil {
					t.Fatal(err)
				}
				if !o.Worked {
					t.Errorf("%s: on the open address: %s, want it to work", o.Title, o.Summary)
				}
				g, err := shop.Run(context.Background(), through, guarded, keys, a, nil)
				if err != nil {
					t.Fatal(err)
				}
				if g.Worked || !g.Stopped {
					t.Errorf("%s: on the guarded address: %s, want it stopped", g.Title, g.Summary)
				}
				t.Logf("%-44s %-20s %s", o.Title, o.Summary, g.Summary)
			}
		})
	}
}

// Honest clients notice nothing: the legitimate script has the same status,
// JSON value and listed header fields through guard as on the sound shop, over
// each version of HTTP.
func TestHonestClientsNoticeNothing(t *testing.T) {
	open, guarded, keys, direct, through := shopBehind(t)
	want, err := shop.PlayLegitimate(context.Background(), direct, open, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(want) < 60 {
		t.Errorf("the script has %d steps, want at least 60", len(want))
	}
	for version, transport := range versions(t, through) {
		t.Run(version, func(t *testing.T) {
			proto := ""
			got, err := shop.PlayLegitimate(context.Background(), &http.Client{Transport: protoOf{transport, &proto}}, guarded, keys, nil)
			if err != nil {
				t.Fatal(err)
			}
			if proto != version {
				t.Errorf("it was spoken %s", proto)
			}
			for _, d := range shop.Differences(want, got) {
				t.Error(d)
			}
			t.Logf("%d requests, %d differ", len(got), len(shop.Differences(want, got)))
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
