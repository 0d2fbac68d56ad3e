package filter

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/parley-project/parley/exchange"
	"pgregory.net/rapid"
)

// seen is an exchange that the terms below are true or false of.
var seen = &exchange.Exchange{
	ID: "01M84JGH0A160XSC47BN2SDWP1", Source: exchange.FromGuard, Side: exchange.ClientSide,
	TLS: &exchange.TLS{Version: "TLS 1.3", Group: "X25519MLKEM768", ServerName: "shop.test"},
	Request: exchange.Request{Method: "GET", Scheme: "https", Authority: "Shop.test:8443", Target: "/v1/Orders/887?user_id=101", Proto: "HTTP/2.0",
		Header: exchange.Header{{Name: "X-Id", Value: "7"}, {Name: "Accept", Value: "*/*"}}, Body: exchange.Body{Size: 5, Data: []byte("HELLO")}},
	Server: exchange.Server{Operation: "GET /v1/orders/{id}", Caller: &exchange.Caller{Subject: "101", Name: "priya"}},
	Response: &exchange.Response{Status: 403, Header: exchange.Header{{Name: "Content-Type", Value: "application/problem+json; charset=utf-8"}},
		Body: exchange.Body{Size: 10240, Data: []byte(`{"title":"Größe"}`)}},
	Times:    exchange.Times{Total: 250 * time.Millisecond},
	Findings: []exchange.Finding{{Check: "tls-version", Step: exchange.StepTLS}},
	Actions:  []exchange.Action{{Kind: exchange.Refused, Check: "authz-object", Rule: "parley.yaml:14"}},
}

func TestMatch(t *testing.T) {
	blank := &exchange.Exchange{}
	for _, c := range []struct {
		text        string
		seen, blank bool
	}{
		{"", true, true},
		{"orders", true, false}, {"ORDERS", true, false}, {"order887", false, false},
		{"hello", true, false}, {"problem+json", true, false}, {"403", true, false}, {"x-id", true, false}, {"priya", true, false}, {"authz-object", true, false},
		{"größe", true, false}, {"GRÖSSE", false, false}, {"GRÖßE", true, false}, {"/Gr..e/", true, false}, {"/gr..e/", false, false}, {"/GR..E/", false, false}, {"/(?i)GR..E/", true, false},
		{"host:shop", true, false}, {"domain:test", true, false}, {"host=shop", false, false}, {"host=shop.test:8443", true, false}, {"host!=shop", true, true},
		{"path:/v1/orders", true, false}, {"url:user_id", true, false}, {`path:/o\w+s/`, false, false}, {`path:/O\w+s/`, true, false},
		{"method:get", true, false}, {"method:GE", false, false}, {"-method:GET", false, true}, {"method!=GET", false, true},
		{"status:403", true, false}, {"status:4xx", true, false}, {"status:5XX", false, false}, {"code>=400", true, false}, {"status>403", false, false},
		{"status<4xx", false, false}, {"status<=4xx", true, false}, {"status>4xx", false, false}, {"status!=403", false, true}, {"status<500", true, false},
		{"type:json", true, false}, {"mime-type=application/problem+json", true, false},
		{"header.x-id:7", true, false}, {"header.content-type:utf-8", true, false}, {"has-request-header:ACCEPT", true, false},
		{"has-response-header:accept", false, false}, {"has-response-header:content-type", true, false},
		{"req.body:hello", true, false}, {"resp.body:hello", false, false}, {"resp.body:title", true, false},
		{"size:10k", true, false}, {"size>10k", false, false}, {"size>=10240", true, false}, {"larger-than:9k", true, false}, {"larger-than:10k", false, false},
		{"time>200ms", true, false}, {"time>0.2s", true, false}, {"time<250", false, false}, {"time<=250", true, false},
		{"identity:101", true, false}, {"caller:PRIYA", true, false}, {"identity:rajan", false, false},
		{"source:guard", true, false}, {"side:client", true, false}, {"side:upstream", false, false},
		{"tls:yes", true, false}, {"tls:no", false, false}, {"tls:unknown", false, true}, {"tls:1.3", true, false}, {"tls:mlkem", true, false}, {"tls!=no", true, true},
		{"proto:h2", true, false}, {"proto:h1", false, false}, {"proto:2.0", true, false},
		{"is:refused", true, false}, {"is:stripped", false, false}, {"is:would", true, false}, {"is:error", false, false}, {"is:finding", true, false},
		{"is:unauthenticated", false, true},
		{"finding:tls", true, false}, {"finding:authz", false, false}, {"check:authz", true, false}, {"check:tls", true, false},
		{"operation:orders", true, false}, {"rule:parley.yaml", true, false}, {"id:01m84", true, false}, {"id:M84", false, false}, {"step:tls", true, false}, {"step:dns", false, false},
		{"status:4xx method:POST OR host:shop", true, false}, {"status:4xx (method:POST OR host:nobody)", false, false}, {"NOT (qqq zzz)", true, true},
	} {
		e, err := Parse(c.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.text, err)
			continue
		}
		if got := e.Match(seen); got != c.seen {
			t.Errorf("%q matches the exchange: %v, want %v", c.text, got, c.seen)
		}
		if got := e.Match(blank); got != c.blank {
			t.Errorf("%q matches a blank exchange: %v, want %v", c.text, got, c.blank)
		}
	}
	if !(*Expr)(nil).Match(seen) {
		t.Error("a nil filter does not let all through")
	}
}

// TestFinder compares the fold search with the plain way to do it.
func TestFinder(t *testing.T) {
	ascii := rapid.StringOfN(rapid.RuneFrom([]rune("abABkKsS \u212a\u017fé")), 0, 30, -1)
	rapid.Check(t, func(t *rapid.T) {
		s, text := ascii.Draw(t, "s"), rapid.StringOfN(rapid.RuneFrom([]rune("abABkKsS \u212aé")), 0, 4, -1).Draw(t, "text")
		lower := func(s string) string {
			return strings.Map(func(r rune) rune {
				if r < utf8.RuneSelf && 'A' <= r && r <= 'Z' {
					return r + 0x20
				}
				return r
			}, s)
		}
		want := strings.Contains(lower(s), lower(text))
		if utf8.RuneCountInString(text) != len(text) { // Unicode folding
			want = false
			rs, n := []rune(s), utf8.RuneCountInString(text)
			for i := 0; i+n <= len(rs); i++ {
				want = want || strings.EqualFold(string(rs[i:i+n]), text)
			}
		}
		if got := newFinder(text).in(s); got != want {
			t.Fatalf("%q in %q: %v, want %v", text, s, got, want)
		}
	})
}

// BenchmarkAnywhere looks for what is not there.
func BenchmarkAnywhere(b *testing.B) {
	e, _ := Parse("no-such-thing")
	x := *seen
	x.Request.Body.Data = []byte(strings.Repeat(`{"id":1,"name":"something","note":"none"},`, 25))
	b.ReportAllocs()
	for b.Loop() {
		if e.Match(&x) {
			b.Fatal("found")
		}
	}
}
