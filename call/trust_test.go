package call_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/lab"
)

// A key is a credential that goes into a field or a parameter.
type key struct{ scheme, field, param string }

func (k key) Scheme() string { return k.scheme }

func (k key) Apply(_ context.Context, r *exchange.Request) error {
	if k.param != "" {
		r.Target += "?" + k.param + "=topsecret"
		return nil
	}
	r.Header = append(r.Header, exchange.Field{Name: k.field, Value: "topsecret"})
	return nil
}

func (k key) Answer(context.Context, *exchange.Request, *exchange.Response) (bool, error) {
	return false, nil
}

// token is a JWT that says nothing but looks like one.
const token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0b3BzZWNyZXQifQ.dG9wc2VjcmV0dG9wc2VjcmV0dG9wc2VjcmV0dG9wc2U"

// TestUntrusted looks at what reaches a server whose certificate does not
// verify.
func TestUntrusted(t *testing.T) {
	s := serve(t, nil)
	secrets := &call.Request{Method: "POST", URL: s.URL() + "/post?page=2&access_token=topsecret", Body: []byte(`{"password":"topsecret","n":1}`),
		Header: exchange.Header{{Name: "Authorization", Value: "Bearer topsecret"}, {Name: "Proxy-Authorization", Value: "Basic topsecret"},
			{Name: "Cookie", Value: "sid=topsecret"}, {Name: "X-API-Key", Value: "topsecret"}, {Name: "Content-Type", Value: "application/json"}, {Name: "X-Order", Value: "42"}}}
	withheld := []string{"Authorization", "Proxy-Authorization", "Cookie", "X-API-Key", "access_token", "body"}
	for _, test := range []struct {
		name     string
		o        call.Options
		r        *call.Request
		step     exchange.Step
		withheld []string
		arrives  bool // the secret
	}{
		{"trusted", call.Options{Roots: authority.Pool()}, secrets, 0, nil, true},
		{"stop", call.Options{}, secrets, exchange.StepTLS, nil, false},
		{"stop, nothing secret", call.Options{}, &call.Request{Method: "GET", URL: s.URL() + "/get"}, exchange.StepTLS, nil, false},
		{"withhold", call.Options{Untrusted: call.Withhold}, secrets, 0, withheld, false},
		{"send anyway", call.Options{Untrusted: call.SendAnyway}, secrets, 0, nil, true},
		{"bearer", call.Options{Untrusted: call.Withhold}, &call.Request{Method: "GET", URL: s.URL() + "/get", Auth: key{scheme: "bearer", field: "Authorization"}}, 0, []string{"Authorization"}, false},
		{"key in a field", call.Options{Untrusted: call.Withhold}, &call.Request{Method: "GET", URL: s.URL() + "/get", Auth: key{scheme: "api-key", field: "X-Odd"}}, 0, []string{"X-Odd"}, false},
		{"key in the query", call.Options{Untrusted: call.Withhold}, &call.Request{Method: "GET", URL: s.URL() + "/get", Auth: key{scheme: "api-key", param: "odd"}}, 0, []string{"odd"}, false},
		{"in the URL", call.Options{Untrusted: call.Withhold}, &call.Request{Method: "GET", URL: strings.Replace(s.URL(), "://", "://me:topsecret@", 1) + "/get"}, 0, []string{"Authorization"}, false},
		{"a token under any name", call.Options{Untrusted: call.Withhold}, &call.Request{Method: "GET", URL: s.URL() + "/get?who=" + token,
			Header: exchange.Header{{Name: "X-Who", Value: token}, {Name: "X-Order", Value: "42"}}}, 0, []string{"X-Who", "who"}, false},
		{"pinned", call.Options{Roots: authority.Pool(), Pins: []string{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}, secrets, exchange.StepTLS, nil, false},
		{"other name", call.Options{Roots: authority.Pool(), ServerName: "other.parley.test"}, secrets, exchange.StepTLS, nil, false},
		{"more roots", call.Options{Roots: x509.NewCertPool(), More: []*x509.Certificate{authority.Root.Certificate}}, secrets, 0, nil, true},
		{"clear", call.Options{Untrusted: call.Stop}, plain(s, secrets), exchange.StepTLS, nil, false},
		{"clear, nothing secret", call.Options{Untrusted: call.Stop}, plain(s, &call.Request{Method: "GET", URL: s.URL() + "/get"}), 0, nil, false},
		{"clear, withheld", call.Options{Untrusted: call.Withhold}, plain(s, secrets), 0, withheld, false},
		{"clear, permitted", call.Options{Clear: true}, plain(s, secrets), 0, nil, true},
		{"clear, this machine", call.Options{}, &call.Request{Method: "GET", URL: s.PlainURL() + "/get", Auth: key{scheme: "bearer", field: "Authorization"}}, 0, nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			versions := versions
			if strings.HasPrefix(test.r.URL, "http:") {
				versions = []string{""}
			}
			for _, v := range versions {
				o := test.o
				o.HTTP = v
				if o.Roots == nil {
					o.Roots = x509.NewCertPool()
				}
				x := one(t, client(t, s, o), test.r)
				if x.FailedAt != test.step || (x.Failure != "") != (test.step != 0) {
					t.Errorf("HTTP/%s: Do failed at %v: %q, want %v", v, x.FailedAt, x.Failure, test.step)
				}
				var got []string
				if x.Client != nil {
					got = x.Client.Withheld
				}
				if !slices.Equal(got, test.withheld) {
					t.Errorf("HTTP/%s: Do withheld %v, want %v", v, got, test.withheld)
				}
				if x.Response == nil {
					continue
				}
				arrived := strings.Contains(string(x.Response.Body.Data), "topsecret") || strings.Contains(string(x.Response.Body.Data), "bWU6dG9wc2VjcmV0") || strings.Contains(string(x.Response.Body.Data), "dG9wc2VjcmV0dG9w")
				if arrived != test.arrives {
					t.Errorf("HTTP/%s: the secret arrived: %v, want %v\n%s", v, arrived, test.arrives, x.Response.Body.Data)
				}
				if len(test.r.Header) > 0 && !strings.Contains(string(x.Response.Body.Data), `"x-order":"42"`) {
					t.Errorf("HTTP/%s: the order did not arrive\n%s", v, x.Response.Body.Data)
				}
			}
		})
	}
}

// plain is the same request in clear, by name.
func plain(s *lab.HTTP, r *call.Request) *call.Request {
	p := *r
	_, port, _ := strings.Cut(s.Plain.String(), ":")
	p.URL = "http://" + lab.Name + ":" + port + strings.TrimPrefix(r.URL, s.URL())
	return &p
}

// TestHandshakes is what is noted of TLS with servers of all kinds.
func TestHandshakes(t *testing.T) {
	cert := authority.Issue(lab.Leaf{})
	mine := authority.Issue(lab.Leaf{Client: true, Names: []string{"me"}})
	for _, test := range []struct {
		name string
		conf *tls.Config
		o    call.Options
		want func(*exchange.TLS) bool
		step exchange.Step
		says string
	}{
		{name: "TLS 1.3", conf: &tls.Config{}, want: func(f *exchange.TLS) bool {
			return f.Version == "TLS 1.3" && f.Group == "X25519MLKEM768" && f.ALPN == "h2" && len(f.Chain) == 2 && f.Trust != nil && f.Trust.Verified && !f.Asked && f.ServerName == lab.Name
		}},
		{name: "TLS 1.0", conf: &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}, want: func(f *exchange.TLS) bool { return f.Version == "TLS 1.0" && f.ALPN == "http/1.1" }},
		{name: "asked", conf: &tls.Config{ClientAuth: tls.RequestClientCert}, want: func(f *exchange.TLS) bool { return f.Asked }},
		{name: "shown", conf: &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority.Pool()}, o: call.Options{Certificates: []tls.Certificate{mine}},
			want: func(f *exchange.TLS) bool { return f.Asked }},
		// The alert comes after the handshake, and may be lost with the connection.
		{name: "not shown in TLS 1.3", conf: &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority.Pool()}, step: exchange.StepTLS, says: "client certificate"},
		{name: "not shown in HTTP/1.1", o: call.Options{HTTP: "1.1"}, conf: &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority.Pool()}, step: exchange.StepTLS, says: "client certificate"},
		{name: "not shown", says: "it asked for a client certificate", conf: &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority.Pool(), MaxVersion: tls.VersionTLS12}, step: exchange.StepTLS},
	} {
		t.Run(test.name, func(t *testing.T) {
			conf := test.conf.Clone()
			conf.Certificates = []tls.Certificate{cert}
			s, err := lab.ServeTLS(conf, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			test.o.Resolve, test.o.Roots = s.Resolve(), authority.Pool()
			x := one(t, client(t, nil, test.o), &call.Request{Method: "GET", URL: s.URL()})
			if x.FailedAt != test.step || !strings.Contains(x.Failure, test.says) || test.want != nil && !test.want(x.TLS) {
				t.Errorf("Do noted %+v, failed at %v: %q", x.TLS, x.FailedAt, x.Failure)
			}
			if test.step == exchange.StepTLS && (x.TLS == nil || x.TLS.Failure == "" || x.TCP == nil || !x.TCP.Remote.IsValid()) {
				t.Errorf("Do noted %+v and %+v of a handshake that failed", x.TCP, x.TLS)
			}
		})
	}
}

// TestResumed takes up a session again on a new connection.
func TestResumed(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Connection", "close") }))
	c := client(t, s, call.Options{HTTP: "1.1"})
	for i := range 2 {
		x := one(t, c, &call.Request{Method: "GET", URL: s.URL()})
		if x.Failure != "" || x.TLS.Resumed != (i == 1) || !x.TLS.Trust.Verified || len(x.TLS.Chain) != 2 {
			t.Errorf("call %d: %q, noted %+v", i, x.Failure, x.TLS)
		}
	}
}

// TestMissingIntermediate fetches what the server forgot to send, when it may.
func TestMissingIntermediate(t *testing.T) {
	const at = "http://aia.parley.test/intermediate.der"
	cert := authority.Issue(lab.Leaf{Above: []*x509.Certificate{}, Edit: func(c *x509.Certificate) { c.IssuingCertificateURL = []string{at} }})
	s, err := lab.ServeTLS(&tls.Config{Certificates: []tls.Certificate{cert}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var asked []string
	fetch := func(_ context.Context, url string) ([]byte, error) {
		asked = append(asked, url)
		return authority.Intermediate.Certificate.Raw, nil
	}
	for _, test := range []struct {
		name     string
		fetch    func(context.Context, string) ([]byte, error)
		verified bool
	}{{"fetched", fetch, true}, {"not fetched", nil, false}} {
		x := one(t, client(t, nil, call.Options{Roots: authority.Pool(), Resolve: s.Resolve(), Fetch: test.fetch}), &call.Request{Method: "GET", URL: s.URL()})
		if trust := x.TLS.Trust; trust.Verified != test.verified || trust.Repaired != test.verified || (x.FailedAt == exchange.StepTLS) == test.verified {
			t.Errorf("%s: Do judged %+v and failed at %v: %q", test.name, trust, x.FailedAt, x.Failure)
		}
		if len(x.TLS.Chain) != 1 {
			t.Errorf("%s: Do noted %d certificates, want the one that was sent", test.name, len(x.TLS.Chain))
		}
	}
	if !slices.Equal(asked, []string{at}) {
		t.Errorf("Do fetched %v, want %v", asked, at)
	}
}
