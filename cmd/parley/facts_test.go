package main

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quic-go/quic-go"

	"github.com/parley-project/parley/example/play"
	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/gateway"
)

// Facts of the conversation that no check keeps, shown on the sound shop behind
// guard (doc/conversation.md).

// PATCH changes what it names, and nothing else.
func TestPatchKeepsTheRest(t *testing.T) {
	_, guarded, keys, _, through := shopBehind(t)
	n, err := play.NewRunner(through, guarded, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	send := func(s shop.Step) shop.Response {
		t.Helper()
		r, err := n.Send(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		if r.Status >= 400 {
			t.Fatalf("%s %s answered %d: %s", s.Method, s.Path, r.Status, r.Body)
		}
		return r
	}
	before := send(shop.Step{As: "priya", Method: "GET", Path: "/v1/users/101"})
	send(shop.Step{As: "priya", Method: "PATCH", Path: "/v1/users/101", Body: `{"phone":"+91 98000 99999"}`})
	after := send(shop.Step{As: "priya", Method: "GET", Path: "/v1/users/101"})
	if got := after.Text("/phone"); got != "+91 98000 99999" {
		t.Errorf("the phone is %q", got)
	}
	for _, p := range []string{"/email", "/name", "/role", "/plan"} {
		if before.Text(p) == "" || before.Text(p) != after.Text(p) {
			t.Errorf("%s was %q and is %q", p, before.Text(p), after.Text(p))
		}
	}
}

// User-Agent names a program and proves nothing: it changes no decision.
func TestUserAgentProvesNothing(t *testing.T) {
	_, guarded, keys, _, through := shopBehind(t)
	for _, agent := range []string{"", "curl/8.0", "ShopAdmin/2.1 (internal)", "Googlebot/2.1", strings.Repeat("x", 4000)} {
		for token, want := range map[string]int{"": 401, keys.Token["rajan"]: 403, keys.Token["asha"]: 200} {
			r, err := http.NewRequest("GET", guarded+"/v1/admin/reports", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("User-Agent", agent)
			if token != "" {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			resp, err := through.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("User-Agent %.30q: %d, want %d", agent, resp.StatusCode, want)
			}
		}
	}
}

// A header block that is small on the line and large once it is unpacked
// (HPACK, RFC 7541, 7.3) is not taken apart without end.
func TestCompressedHeadersAreBounded(t *testing.T) {
	_, guarded, _, _, through := shopBehind(t)
	for version, transport := range versions(t, through) {
		r, err := http.NewRequest("GET", guarded+"/v1/products/2", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Large", strings.Repeat("a", 200<<10)) // a repeated letter packs well
		resp, err := transport.RoundTrip(r)
		if err != nil {
			continue // cut off, which is an answer too
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%s: 200 KiB of header: %d, want 431", version, resp.StatusCode)
		}
	}
}

// A header table that requests of several people share is a place to guess at
// what others sent (RFC 7541, 7.1). Guard speaks HTTP/1.1 to the API, also to
// one that offers HTTP/2: a credential is indexed nowhere.
func TestCredentialsAreNeverIndexed(t *testing.T) {
	var proto, credential string
	api := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		proto, credential = r.Proto, r.Header.Get("Authorization")
	}))
	api.EnableHTTP2 = true
	api.StartTLS()
	defer api.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	up, err := gateway.NewUpstream(api.URL, gateway.UpstreamOptions{CAFile: ca})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/v1/me", nil)
	r.Header.Set("Authorization", "Bearer abc")
	w := httptest.NewRecorder()
	up.ServeHTTP(w, r)
	if w.Code != 200 || proto != "HTTP/1.1" || credential != "Bearer abc" {
		t.Errorf("%d, spoken %q with %q, want 200, HTTP/1.1 and the credential", w.Code, proto, credential)
	}
}

// Early data of TLS 1.3 may be replayed by whoever saw it: guard takes none,
// neither on TCP nor on QUIC.
func TestEarlyDataIsOff(t *testing.T) {
	_, guarded, _, _, through := shopBehind(t)
	config := through.Transport.(*http.Transport).TLSClientConfig.Clone()
	config.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	config.NextProtos = []string{"h3"}
	config.ServerName = "localhost"
	address := strings.TrimPrefix(guarded, "https://")
	tokens := quic.NewLRUTokenStore(1, 1)
	for i := range 2 {
		c, err := quic.DialAddrEarly(context.Background(), address, config, &quic.Config{TokenStore: tokens})
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-c.HandshakeComplete():
		case <-t.Context().Done():
			t.Fatal("no handshake")
		}
		if c.ConnectionState().Used0RTT {
			t.Errorf("connection %d: early data was taken", i+1)
		}
		// A stream the server answers brings the session ticket in.
		s, err := c.OpenStreamSync(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		io.ReadAll(s)
		c.CloseWithError(0, "")
	}
}
