package trace_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/trace"
)

// An answer is what the laboratory's API says in one setting: the sound answer
// with some fields changed.
type answer struct {
	status int    // 0 is 200
	body   string // empty is {"id":887}
	fields string // "Name: value" lines; "-Name" leaves one out
}

func (a answer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	for name, v := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
		"X-Frame-Options": "DENY", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Strict-Transport-Security": "max-age=31536000"} {
		h.Set(name, v)
	}
	set := map[string]bool{}
	for line := range strings.Lines(a.fields) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "-"); ok {
			h.Del(name)
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		if !set[name] {
			h.Del(name)
		}
		set[name] = true
		h.Add(name, value)
	}
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	switch {
	case a.body != "":
		io.WriteString(w, a.body)
	case a.status != 204 && a.status != 304:
		io.WriteString(w, `{"id":887}`)
	}
}

// httpRows are the laboratory's settings of steps 6 and 7: what an API answers,
// what is found, and the same API put right, where nothing is.
var httpRows = []struct {
	name   string
	ask    string // "Name: value" lines of the request
	target string // empty is /v1/orders/887
	flawed answer
	want   string
	sound  answer
}{
	{name: "no protection against sniffing", flawed: answer{fields: "-X-Content-Type-Options"}, want: "response-nosniff"},
	{name: "no policy", flawed: answer{fields: "-Content-Security-Policy"}, want: "response-csp"},
	{name: "may be framed", flawed: answer{fields: "-X-Frame-Options"}, want: "response-frame-options"},
	{name: "no HSTS", flawed: answer{fields: "-Strict-Transport-Security"}, want: "response-hsts"},
	{name: "HSTS for a minute", flawed: answer{fields: "Strict-Transport-Security: max-age=60"}, want: "client-hsts-short"},
	{name: "banner", flawed: answer{fields: "Server: Apache/2.4.1 (Unix)\nX-Powered-By: PHP/5.4"}, want: "response-banner"},
	{name: "personal and kept", flawed: answer{fields: "-Cache-Control"}, want: "response-cache-control"},
	{name: "personal and shared", flawed: answer{fields: "Cache-Control: public, max-age=600"}, want: "response-cache-public", sound: answer{fields: "Cache-Control: private, no-store"}},
	{name: "JSON as a page", flawed: answer{fields: "Content-Type: text/html"}, want: "response-content-type"},
	{name: "reflected origin", ask: "Origin: https://evil.test", flawed: answer{fields: "Access-Control-Allow-Origin: https://evil.test\nAccess-Control-Allow-Credentials: true\nVary: Origin"}, want: "client-cors"},
	{name: "null origin", ask: "Origin: null", flawed: answer{fields: "Access-Control-Allow-Origin: null\nAccess-Control-Allow-Credentials: true"}, want: "client-cors"},
	{name: "bare session cookie", flawed: answer{fields: "Set-Cookie: session=s1; Path=/"}, want: "client-cookie", sound: answer{fields: "Set-Cookie: __Host-session=s1; Path=/; Secure; HttpOnly; SameSite=Lax"}},
	{name: "cookie for the whole domain", flawed: answer{fields: "Set-Cookie: session=s1; Domain=parley.test; Path=/; Secure; HttpOnly; SameSite=Lax"}, want: "client-cookie-scope",
		sound: answer{fields: "Set-Cookie: __Host-session=s1; Path=/; Secure; HttpOnly; SameSite=Lax"}},
	{name: "cookie for ten years", flawed: answer{fields: "Set-Cookie: __Host-session=s1; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=315360000"}, want: "client-cookie-lifetime",
		sound: answer{fields: "Set-Cookie: __Host-session=s1; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600"}},
	{name: "cookie that is refused", flawed: answer{fields: "Set-Cookie: __Host-session=s1; Secure; HttpOnly; SameSite=Lax; Domain=example.org; Path=/"}, want: "client-cookie-refused",
		sound: answer{fields: "Set-Cookie: __Host-session=s1; Path=/; Secure; HttpOnly; SameSite=Lax"}},
	{name: "failure as 200", flawed: answer{body: `{"success":false,"error":{"code":500,"message":"database is away"}}`}, want: "status-200-on-failure", sound: answer{status: 503, fields: "Retry-After: 5", body: `{"title":"away","status":503}`}},
	{name: "stack trace", flawed: answer{status: 500, body: `{"error":"java.lang.NullPointerException\n\tat com.shop.Orders.get(Orders.java:42)"}`}, want: "response-error-details", sound: answer{status: 500, body: `{"title":"Internal Server Error","status":500}`}},
	{name: "401 without a challenge", flawed: answer{status: 401}, want: "status-401-challenge", sound: answer{status: 401, fields: `WWW-Authenticate: Bearer realm="api"`}},
	{name: "405 without Allow", flawed: answer{status: 405}, want: "status-405-allow", sound: answer{status: 405, fields: "Allow: GET"}},
	{name: "429 without an end", flawed: answer{status: 429}, want: "status-retry-after", sound: answer{status: 429, fields: "Retry-After: 30"}},
	{name: "redirect to plain HTTP", flawed: answer{status: 307, fields: "Location: http://api.parley.test/"}, want: "status-redirect", sound: answer{status: 307, fields: "Location: /v2/orders/887"}},
	{name: "token in the URL", target: "/v1/orders/887?access_token=0123456789abcdef0123456789abcdef", want: "request-token-in-url"},
	{name: "problem details", flawed: answer{}, want: "", sound: answer{status: 404, fields: "Content-Type: application/problem+json", body: `{"title":"Not Found","status":404}`}},
}

// TestHTTPRows holds what is found of answers, over the three versions of HTTP:
// the flawed setting has exactly its findings, its sound twin none.
func TestHTTPRows(t *testing.T) {
	for _, row := range httpRows {
		for _, version := range []string{"1.1", "2", "3"} {
			t.Run(row.name+"/HTTP "+version, func(t *testing.T) {
				target := row.target
				if target == "" {
					target = "/v1/orders/887"
				}
				ask := func(h http.Handler, target string) string {
					s := serve(t, h)
					r := &call.Request{Method: "GET", URL: s.URL() + target, Auth: identity.NewBearer("priya-token-1")}
					for line := range strings.Lines(row.ask) {
						name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
						r.Header = append(r.Header, exchange.Field{Name: name, Value: value})
					}
					x := follow(t, r, trace.Options{Client: call.Options{HTTP: version, Roots: authority.Pool(), Resolve: s.Resolve(), Jar: call.NewJar()}}).Exchange
					if x.Failure != "" {
						t.Fatalf("the call failed at %s: %s", x.FailedAt, x.Failure)
					}
					return found(x)
				}
				if got, want := ask(row.flawed, target), sortedWords(row.want); got != want {
					t.Errorf("flawed: found %q, want %q", got, want)
				}
				if got := ask(row.sound, "/v1/orders/887"); got != "" {
					t.Errorf("sound: found %q, want nothing", got)
				}
			})
		}
	}
}

// What Alt-Svc offers is tried by --deep: an offer that leads nowhere is found,
// one that is kept is not.
func TestHTTP3Rows(t *testing.T) {
	gone, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close() // it listens, and never answers
	for name, want := range map[string]string{"kept": "", "dead": "response-alt-svc-dead", "elsewhere": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var port string
			s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answer{fields: `Alt-Svc: h3="` + port + `"; ma=60`}.ServeHTTP(w, r)
			}))
			switch name {
			case "kept":
				port = fmt.Sprintf(":%d", s.QUIC.Port())
			case "dead":
				port = fmt.Sprintf(":%d", gone.LocalAddr().(*net.UDPAddr).Port)
			case "elsewhere":
				port = "cdn.parley.test:443"
			}
			resolve := s.Resolve()
			host, _, _ := net.SplitHostPort(s.Host())
			if own, ok := strings.CutPrefix(port, ":"); ok {
				resolve[net.JoinHostPort(host, own)] = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
			}
			x := follow(t, &call.Request{Method: "GET", URL: s.URL() + "/v1/orders/887"},
				trace.Options{Deep: true, Client: call.Options{Roots: authority.Pool(), Resolve: resolve}}).Exchange
			if got := found(x); got != want {
				t.Errorf("found %q, want %q: %+v", got, want, x.TLS.Offers.HTTP3)
			}
			if tried := x.TLS.Offers.HTTP3 != nil; tried == (name == "elsewhere") {
				t.Errorf("HTTP/3 tried: %v", tried)
			}
		})
	}
}

func found(x *exchange.Exchange) string {
	var ids []string
	for _, f := range x.Findings {
		if !slices.Contains(ids, f.Check) {
			ids = append(ids, f.Check)
		}
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

func sortedWords(s string) string {
	w := strings.Fields(s)
	slices.Sort(w)
	return strings.Join(w, " ")
}
