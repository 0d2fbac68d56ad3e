package trace_test

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/lab"
)

// What each setting of the laboratory's certificates is found to be. The ones
// before which a "!" stands are not trusted: the call's credential must not
// arrive there.
var certRows = map[string]string{
	"good":                            "",
	"expired":                         "! tls-expired",
	"not yet valid":                   "! tls-not-yet-valid",
	"expired intermediate":            "! tls-expired",
	"half gone":                       "",
	"expires soon":                    "tls-expires-soon",
	"short-lived":                     "",
	"short-lived, hours left":         "tls-expires-soon",
	"very long-lived":                 "tls-weak-certificate",
	"wrong host":                      "! tls-name-mismatch",
	"wildcard":                        "",
	"wildcard depth":                  "! tls-name-mismatch",
	"no SAN":                          "! tls-name-mismatch",
	"address":                         "",
	"address as a name":               "! tls-name-mismatch",
	"self-signed":                     "! tls-self-signed",
	"unknown root":                    "! tls-untrusted-issuer",
	"unknown root, sent":              "! tls-untrusted-issuer",
	"unknown root, AIA":               "! tls-untrusted-issuer",
	"two missing, AIA":                "tls-chain-incomplete",
	"impostor":                        "! tls-chain-invalid",
	"missing intermediate, AIA":       "tls-chain-incomplete",
	"missing intermediate, wrong AIA": "! tls-chain-incomplete",
	"missing intermediate":            "! tls-chain-incomplete",
	"two intermediates":               "",
	"reversed":                        "tls-chain-order",
	"duplicate":                       "tls-chain-order",
	"extra":                           "tls-chain-order",
	"root sent":                       "tls-chain-order",
	"RSA 2048":                        "",
	"RSA 1024":                        "tls-weak-certificate",
	"SHA-256 with RSA":                "",
	"SHA-1 with RSA":                  "! tls-weak-certificate",
	"SHA-1 with ECDSA":                "! tls-weak-certificate",
	"weak key above":                  "tls-weak-certificate",
	"name constraints kept":           "",
	"name constraints violated":       "! tls-chain-invalid",
	"wrong purpose":                   "! tls-certificate-purpose",
	"wrong purpose above":             "! tls-certificate-purpose",
	"not an authority":                "! tls-chain-invalid",
	"authority without keyCertSign":   "! tls-chain-invalid",
	"path too long":                   "! tls-chain-invalid",
	"critical extension":              "! tls-chain-invalid",
	"extension that is not critical":  "",
	"policy asked for":                "! tls-chain-invalid",
	"policy kept":                     "",
	"no SCT":                          "",
	"one SCT":                         "",
	"three SCTs":                      "",
	"OCSP stapled":                    "",
	"client certificate shown":        "",
	"client certificate withheld":     "", // the server breaks off: see TestCertFacts
}

func TestCertRows(t *testing.T) {
	l, err := lab.NewCertLab()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, s := range lab.CertSettings {
		t.Run(s.Name, func(t *testing.T) {
			row, ok := certRows[s.Name]
			if !ok {
				t.Fatalf("%s has no row", s.Name)
			}
			want, untrusted := strings.CutPrefix(row, "! ")
			if s.Sound == "" && row != "" {
				t.Fatalf("%s is sound and wants %s", s.Name, row)
			}
			x, arrived := callCert(t, l, s, call.Options{})
			var found []string
			for _, f := range check.Inspect(x, nil, false, l.Now) {
				if f.Step == exchange.StepTLS {
					found = append(found, f.Check)
				}
			}
			slices.Sort(found)
			if got := strings.Join(found, " "); got != want {
				t.Errorf("Inspect(%s) found %v, want %v\n%+v", s.Name, got, want, x.TLS.Trust)
			}
			if s.Name == "client certificate withheld" {
				return
			}
			if x.Response == nil || x.Response.Status != http.StatusOK {
				t.Errorf("Do(%s) got %+v, failure %q, want 200 in any case", s.Name, x.Response, x.Failure)
			}
			if arrived == untrusted {
				t.Errorf("Do(%s): the credential arrived: %v, trusted: %v", s.Name, arrived, !untrusted)
			}
		})
	}
	for name := range certRows {
		if _, ok := lab.Named(name); !ok {
			t.Errorf("the row %q has no setting", name)
		}
	}
}

// TestCertFacts looks at what is kept of step 3 beside the findings.
func TestCertFacts(t *testing.T) {
	l, err := lab.NewCertLab()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, c := range []struct {
		setting string
		ok      func(*exchange.Exchange) bool
	}{
		{"good", func(x *exchange.Exchange) bool {
			c := x.TLS.Chain[0]
			return len(x.TLS.Chain) == 2 && x.TLS.Trust.Verified && len(x.TLS.Trust.Path) == 3 && !x.TLS.Asked && !x.TLS.Stapled &&
				c.Key == "ECDSA P-256" && c.Signature == "ECDSA-SHA256" && slices.Equal(c.Names, []string{lab.Name}) && !c.CA && len(c.DER) > 0
		}},
		{"no SCT", func(x *exchange.Exchange) bool { return x.TLS.SCTs == 0 }},
		{"one SCT", func(x *exchange.Exchange) bool { return x.TLS.SCTs == 1 }},
		{"three SCTs", func(x *exchange.Exchange) bool { return x.TLS.SCTs == 3 }},
		{"OCSP stapled", func(x *exchange.Exchange) bool { return x.TLS.Stapled }},
		{"missing intermediate, AIA", func(x *exchange.Exchange) bool {
			return x.TLS.Trust.Repaired && x.TLS.Trust.Verified && len(x.TLS.Chain) == 1
		}},
		{"client certificate shown", func(x *exchange.Exchange) bool { return x.TLS.Asked && x.TLS.Shown && x.Failure == "" }},
		{"client certificate withheld", func(x *exchange.Exchange) bool {
			return x.TLS.Asked && !x.TLS.Shown && x.FailedAt == exchange.StepTLS && strings.Contains(x.Failure, "certificate")
		}},
	} {
		s, _ := lab.Named(c.setting)
		if x, _ := callCert(t, l, s, call.Options{}); !c.ok(x) {
			t.Errorf("Do(%s) has TLS %+v, trust %+v, failure %q at %s", c.setting, x.TLS, x.TLS.Trust, x.Failure, x.FailedAt)
		}
	}
}

// TestCertPins pins the key of the server and another.
func TestCertPins(t *testing.T) {
	l, err := lab.NewCertLab()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	fixed := l.Issue(lab.Leaf{})
	s := lab.CertSetting{Name: "pinned", Serve: func(*lab.CertLab) tls.Certificate { return fixed }}
	x, _ := callCert(t, l, s, call.Options{})
	for _, c := range []struct {
		pin, want string
		arrives   bool
	}{
		{x.TLS.Chain[0].PinSHA256, "", true},
		{x.TLS.Chain[1].PinSHA256, "tls-pin-mismatch", false},
	} {
		x, arrived := callCert(t, l, s, call.Options{Pins: []string{c.pin}})
		var found []string
		for _, f := range check.Inspect(x, nil, false, l.Now) {
			found = append(found, f.Check)
		}
		if got := strings.Join(found, " "); got != c.want || arrived != c.arrives {
			t.Errorf("Inspect(pin %s) found %v, want %v; the credential arrived: %v", c.pin, got, c.want, arrived)
		}
	}
}

// callCert calls the server of a setting with a credential, and reports whether
// that arrived.
func callCert(t *testing.T, l *lab.CertLab, s lab.CertSetting, o call.Options) (*exchange.Exchange, bool) {
	t.Helper()
	var arrived atomic.Bool
	server, err := l.Serve(s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived.Store(r.Header.Get("Authorization") != "")
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("X-Frame-Options", "DENY")
		w.Header().Set("Cache-Control", "no-store")
		io.WriteString(w, "{}\n")
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	o.Roots, o.Untrusted, o.Fetch = l.Pool(), call.Withhold, fetch
	o.Resolve = map[string][]netip.Addr{server.Host(): {server.Address.Addr()}}
	o.Now = func() time.Time { return l.Now }
	if s.Client != nil {
		o.Certificates = []tls.Certificate{s.Client(l)}
	}
	client, err := call.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	done := client.Do(t.Context(), &call.Request{Method: "GET", URL: server.URL(), Header: exchange.Header{{Name: "Authorization", Value: "Bearer laboratory"}}})
	x := done[len(done)-1]
	if x.TLS == nil {
		t.Fatalf("Do(%s) saw no TLS: %s", s.Name, x.Failure)
	}
	return x, arrived.Load()
}

// fetch gets a certificate as cmd/parley does.
func fetch(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(io.LimitReader(resp.Body, 1<<20))
}
