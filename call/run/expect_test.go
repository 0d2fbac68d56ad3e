package run

import (
	"testing"
	"time"

	"github.com/ohler55/ojg/oj"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/exchange"
)

func TestHolds(t *testing.T) {
	const body = `{"n":7,"f":1.5,"s":"seven","t":true,"z":null,"a":[1,"b",{"c":2}],"o":{"x":1,"y":"2"},"big":12345678901,"e":[]}`
	x := &exchange.Exchange{Request: exchange.Request{Method: "GET", Scheme: "https", Authority: "a.test", Target: "/x?y", Proto: "HTTP/2.0"},
		TLS: &exchange.TLS{Version: "TLS 1.3", ALPN: "h2", Trust: &exchange.Trust{Problems: []exchange.TrustProblem{{Kind: "expired"}}},
			Chain: []exchange.Certificate{{Subject: "CN=a", Names: []string{"a.test", "b.test"}, NotAfter: time.Unix(1000, 0).Add(48 * time.Hour)}}},
		Response: &exchange.Response{Status: 200, Proto: "HTTP/2.0", Header: exchange.Header{{Name: "Content-Type", Value: "application/json; charset=utf-8"}, {Name: "Set-Cookie", Value: "sid=abc; Path=/"},
			{Name: "X-Two", Value: "1"}, {Name: "x-two", Value: "2"}}, Body: exchange.Body{Size: int64(len(body)), Data: []byte(body)}},
		Client: &exchange.Client{Cookies: []exchange.KeptCookie{{Name: "sid", Refused: "no path"}}, HSTS: time.Hour},
		Server: exchange.Server{Timing: []exchange.Timing{{Name: "app", Duration: 5 * time.Millisecond}}},
		Times:  exchange.Times{Total: 120 * time.Millisecond, Wait: 80 * time.Millisecond}}
	look := newSeen([]*exchange.Exchange{x}, nil, time.Unix(1000, 0))
	for _, v := range []struct {
		fact, is string
		want     any
		holds    bool
	}{
		{"status", "==", 200.0, true}, {"status", "!=", 200.0, false}, {"status", "in", []any{200.0, 201.0}, true}, {"status", "<", 300.0, true}, {"status", ">=", 201.0, false},
		{"http", "==", "2", true}, {"type", "==", "application/json", true}, {"header.content-TYPE", "contains", "json", true}, {"header.x-two", "==", "1, 2", true},
		{"headers.x-two", "==", []any{"1", "2"}, true}, {"headers.x-two", "count", 2.0, true}, {"header.nothing", "exists", false, true}, {"header.nothing", "==", "", false},
		{"header.nothing", "!=", "x", true}, {"body.$.n", "==", 7.0, true}, {"body.$.n", "==", "7", false}, {"body.$.n", "type", "integer", true}, {"body.$.n", "type", "number", true},
		{"body.$.f", "type", "integer", false}, {"body.$.f", "type", "number", true}, {"body.$.s", "matches", "^sev", true}, {"body.$.s", "matches", "^eve", false},
		{"body.$.t", "==", true, true}, {"body.$.t", "==", "true", false}, {"body.$.z", "==", nil, true}, {"body.$.z", "type", "null", true}, {"body.$.z", "exists", true, true},
		{"body.$.a", "count", 3.0, true}, {"body.$.a", "contains", "b", true}, {"body.$.a", "contains", map[string]any{"c": 2.0}, true}, {"body.$.a", "==", []any{1.0, "b", map[string]any{"c": 2.0}}, true},
		{"body.$.a[*]", "count", 3.0, true}, {"body.$.a[2].c", "==", 2.0, true}, {"body.$.a[-1].c", "==", 2.0, true}, {"body.$.a[7]", "exists", true, false}, {"body.$..c", "==", []any{2.0}, true},
		{"body.$.o", "contains", map[string]any{"x": 1.0}, true}, {"body.$.o", "contains", "y", true}, {"body.$.o", "==", map[string]any{"x": 1.0}, false}, {"body.$.o", "type", "object", true},
		{"body.$.big", "==", 12345678901.0, true}, {"body.$.big", ">", 1.0, true}, {"body.$.s", ">", 1.0, false}, {"body.$.e", "count", 0.0, true}, {"body.$.nothing[*]", "count", 0.0, true},
		{"body", "contains", "seven", true}, {"size", "==", float64(len(body)), true}, {"tls.version", "==", "TLS 1.3", true}, {"tls.verified", "==", false, true},
		{"tls.problems", "contains", "expired", true}, {"tls.names", "contains", "b.test", true}, {"tls.expires", ">", "24h", true}, {"tls.expires", "<", "47h", false}, {"tls.chain", "count", 1.0, true},
		{"dns.addresses", "exists", false, true}, {"cookies.sid", "==", "abc", true}, {"cookies.sid.kept", "==", false, true}, {"cookies.sid.refused", "==", "no path", true}, {"cookies.other", "exists", false, true},
		{"cookies", "==", []any{"sid"}, true}, {"client.hsts", ">=", "1h", true}, {"server.timing.APP", "<", "6ms", true}, {"times.total", "<", "500ms", true}, {"time", "<", 100.0, false},
		{"times.wait", "==", "80ms", true}, {"url", "==", "https://a.test/x?y", true}, {"redirects", "==", 0.0, true}, {"failure", "exists", false, true}, {"request.method", "in", []any{"GET"}, true},
		{"sha256", "matches", "^[0-9a-f]{64}$", true}, {"response.interim", "count", 0.0, true},
	} {
		e, hint, err := newExpectation(archive.Expectation{Fact: v.fact, Is: v.is, Want: v.want})
		if err != nil {
			t.Errorf("newExpectation(%s %s %v) found %v (%s)", v.fact, v.is, v.want, err, hint)
			continue
		}
		got, ok, err := look.fact(e.fact)
		if err != nil {
			t.Errorf("fact(%s) found %v", v.fact, err)
			continue
		}
		if holds, message := e.holds(v.want, got, ok); holds != v.holds {
			t.Errorf("%s %s %v: found %v (%s), want %v", v.fact, v.is, v.want, holds, message, v.holds)
		}
	}
}

// Every fact has a value, or says that it has none, of every call, also of one
// that did nothing.
func TestEveryFact(t *testing.T) {
	empty := newSeen([]*exchange.Exchange{{}}, nil, time.Now())
	for _, n := range archive.Facts {
		name := n.Name
		switch {
		case name == "response.body.$":
			name += ".a"
		case name[len(name)-1] == '.':
			name += "x"
		}
		f, _, err := archive.ParseFact(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok, err := empty.fact(f); ok && n.Name != "redirects" && n.Kind != archive.TimeFact && n.Kind != archive.ListFact && n.Name[:7] != "request" {
			t.Errorf("fact(%s) of nothing found something (%v)", name, err)
		} else if err != nil && n.Name[:4] != "cont" {
			t.Errorf("fact(%s) of nothing found %v", name, err)
		}
	}
}

// A path is never the end of the program.
func FuzzPath(f *testing.F) {
	f.Add("$.a[0].b", `{"a":[{"b":1}]}`)
	f.Add("$..[?(@.a > 1)]", `[{"a":2}]`)
	f.Add("$[1:2:3,'x',*]", `[1,2]`)
	f.Fuzz(func(t *testing.T, path, doc string) {
		fact, _, err := archive.ParseFact("body." + path)
		if err != nil || fact.Path == nil {
			return
		}
		var p oj.Parser
		v, err := parseJSON(&p, []byte(doc))
		if err != nil {
			return
		}
		find(fact.Path, v)
	})
}
