package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/needs"
)

func harFiles(t testing.TB, pattern string) []string {
	t.Helper()
	dir := os.Getenv("PARLEY_FIXTURES")
	if dir == "" {
		needs.Missing(t, "PARLEY_FIXTURES", "set it to the folder of the corpora")
	}
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob(%s) found %v, %v, want files", pattern, files, err)
	}
	return files
}

// sameTree compares as text compares: numbers by their digits, members with
// their order and twice if they stand there twice.
func sameTree(t *testing.T, got, want []byte) {
	t.Helper()
	g, err := parseTree("got", got)
	if err != nil {
		t.Fatal(err)
	}
	w, err := parseTree("want", want)
	if err != nil {
		t.Fatal(err)
	}
	if g.compact() != w.compact() {
		t.Errorf("wrote %s, want %s", aroundDiff(g.compact(), w.compact()), aroundDiff(w.compact(), g.compact()))
	}
}

func aroundDiff(s, other string) string {
	i := 0
	for i < len(s) && i < len(other) && s[i] == other[i] {
		i++
	}
	return fmt.Sprintf("at %d %q", i, s[max(0, i-40):min(len(s), i+40)])
}

func writtenAs(t *testing.T, format string, c *Collection) string {
	t.Helper()
	var b bytes.Buffer
	if err := FormatNamed(format).Write(&b, c); err != nil {
		t.Fatalf("Write(%s): %v", format, err)
	}
	return b.String()
}

func TestHARFixtures(t *testing.T) {
	for _, file := range harFiles(t, "har/*.har") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			c, err := Read(file, data)
			if strings.HasPrefix(filepath.Base(file), "bad-") {
				var place *Error
				if !errors.As(err, &place) || place.Line == 0 || place.Column == 0 {
					t.Fatalf("Read found %v, want an error with line and column", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			sameTree(t, []byte(writtenAs(t, "har", c)), data)
			// What HAR says of an exchange, our own HAR says as well.
			var xs []*exchange.Exchange
			for _, it := range c.Items {
				xs = append(xs, it.Recorded...)
			}
			if len(xs) == 0 {
				t.Fatal("Read found no exchange")
			}
			again := rewritten(t, xs)
			for i := range xs {
				sameExchange(t, again[i], xs[i])
			}
		})
	}
}

func rewritten(t testing.TB, xs []*exchange.Exchange) []*exchange.Exchange {
	t.Helper()
	var b bytes.Buffer
	if err := WriteHAR(&b, xs); err != nil {
		t.Fatal(err)
	}
	if !json.Valid(b.Bytes()) {
		t.Fatalf("WriteHAR wrote no JSON: %.200s", b.String())
	}
	c, err := Read("again.har", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var again []*exchange.Exchange
	for _, it := range c.Items {
		again = append(again, it.Recorded...)
	}
	if len(again) != len(xs) {
		t.Fatalf("Read found %d exchanges, want %d", len(again), len(xs))
	}
	return again
}

func sameExchange(t interface {
	Helper()
	Errorf(string, ...any)
}, got, want *exchange.Exchange) {
	t.Helper()
	if !got.Start.Equal(want.Start) {
		t.Errorf("Start is %v, want %v", got.Start, want.Start)
	}
	g, w := *got, *want
	g.Start, w.Start = time.Time{}, time.Time{}
	gj, _ := json.Marshal(g)
	wj, _ := json.Marshal(w)
	if !bytes.Equal(gj, wj) {
		t.Errorf("read %s, want %s", aroundDiff(string(gj), string(wj)), aroundDiff(string(wj), string(gj)))
	}
}

// TestHARProperty writes exchanges as our tools would record them, and reads
// them back.
func TestHARProperty(t *testing.T) {
	word := rapid.StringMatching(`[a-zA-Z][a-zA-Z0-9-]{0,8}`)
	header := rapid.Custom(func(t *rapid.T) exchange.Header {
		var h exchange.Header
		for range rapid.IntRange(0, 4).Draw(t, "fields") {
			h = append(h, exchange.Field{
				Name:  rapid.OneOf(word, rapid.SampledFrom([]string{"Set-Cookie", "Content-Type", "Content-Encoding", "Location", "Cookie"})).Draw(t, "name"),
				Value: rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"a=b; Path=/", "gzip", "text/plain", "x; y=1"})).Draw(t, "value"),
			})
		}
		return h
	})
	duration := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.Int64Range(0, 1e13).Draw(t, "ns"))
	})
	body := rapid.Custom(func(t *rapid.T) exchange.Body {
		data := rapid.OneOf(rapid.SliceOfN(rapid.Byte(), 0, 60), rapid.Map(rapid.String(), func(s string) []byte { return []byte(s) })).Draw(t, "data")
		if len(data) == 0 {
			data = nil
		}
		return exchange.Body{Data: data, Size: int64(len(data)) + rapid.Int64Range(0, 1).Draw(t, "more")}
	})
	proto := rapid.SampledFrom([]string{"HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/3.0", "", "odd"})
	rapid.Check(t, func(t *rapid.T) {
		start := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "s"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).UTC()
		x := &exchange.Exchange{ID: exchange.NewID(start), Start: start,
			Source: rapid.SampledFrom([]exchange.Source{exchange.FromGuard, exchange.FromCall, exchange.FromTrace}).Draw(t, "source")}
		x.Request = exchange.Request{
			Method: rapid.SampledFrom([]string{"GET", "POST", "CONNECT", "OPTIONS"}).Draw(t, "method"),
			Scheme: "https", Authority: rapid.SampledFrom([]string{"a.test", "a.test:8443", "[::1]:1"}).Draw(t, "authority"),
			Target: rapid.SampledFrom([]string{"/", "/a?b=c&d=%20", "*", "", "//x?#", "/{{id}}"}).Draw(t, "target"),
			Proto:  proto.Draw(t, "proto"), Header: header.Draw(t, "header"), Body: body.Draw(t, "body"), Fidelity: exchange.OnTheWire}
		if rapid.Bool().Draw(t, "answered") {
			x.Response = &exchange.Response{Status: rapid.IntRange(100, 599).Draw(t, "status"), Proto: proto.Draw(t, "proto2"),
				Header: header.Draw(t, "header2"), Trailer: header.Draw(t, "trailer"), Body: body.Draw(t, "body2"), Fidelity: exchange.Canonical}
		} else {
			x.Failure, x.FailedAt = "no answer", exchange.StepTCP
		}
		if rapid.Bool().Draw(t, "peer") {
			x.TCP = &exchange.TCP{Remote: netip.MustParseAddrPort("[2001:db8::1%eth0]:443")}
			x.TLS = &exchange.TLS{Version: "TLS 1.3", Suite: "TLS_AES_128_GCM_SHA256", Group: "X25519", PeerExpiry: start,
				Chain: []exchange.Certificate{{Subject: "a", Issuer: "b", NotBefore: start, DER: []byte{1, 2}}}}
			x.DNS = &exchange.DNS{Name: "a.test", Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}
			x.Server.Timing = []exchange.Timing{{Name: "app", Duration: 3}}
			x.Links = []exchange.Link{{Kind: exchange.Retry, ID: x.ID}}
			x.Findings = []exchange.Finding{{Check: "c", Severity: exchange.High, Step: exchange.StepTLS}}
		}
		x.Times = exchange.Times{Blocked: duration.Draw(t, "blocked"), DNS: duration.Draw(t, "dns"), Connect: duration.Draw(t, "connect"),
			TLS: duration.Draw(t, "tls"), Wait: duration.Draw(t, "wait"), Receive: duration.Draw(t, "receive")}
		if rapid.Bool().Draw(t, "sum") {
			x.Times.Total = harTotal(x.Times)
		} else {
			x.Times.Total = duration.Draw(t, "total") + 1
		}
		var b bytes.Buffer
		if err := WriteHAR(&b, []*exchange.Exchange{x}); err != nil {
			t.Fatal(err)
		}
		c, err := Read("again.har", b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Items) != 1 || len(c.Items[0].Recorded) != 1 {
			t.Fatalf("Read found %d items, want 1", len(c.Items))
		}
		sameExchange(t, c.Items[0].Recorded[0], x)
		// And as a document: what is read is written.
		var second bytes.Buffer
		if err := writeHAR(&second, c); err != nil {
			t.Fatal(err)
		}
		one, _ := parseTree("", b.Bytes())
		two, err := parseTree("", second.Bytes())
		if err != nil || one.compact() != two.compact() {
			t.Fatalf("the second HAR differs: %v", err)
		}
	})
}

func TestHARQuirks(t *testing.T) {
	for text, want := range map[string]string{
		"http/2.0": "HTTP/2.0", "HTTP/2": "HTTP/2.0", "h2": "HTTP/2.0", "h3": "HTTP/3.0", "HTTP/3": "HTTP/3.0", "h3-29": "HTTP/3.0",
		"HTTP/1.1": "HTTP/1.1", "http/1.1": "HTTP/1.1", "HTTP/1.0": "HTTP/1.0", "": "", "unknown": "", "me:": "", "ori": "", "http/2+quic/46": "",
	} {
		if got := harProto(text); got != want {
			t.Errorf("harProto(%q) found %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]time.Duration{
		"14.666000031866133": 14666000, "0.2": 200000, "-1": 0, "107": 107 * time.Millisecond, "1e3": time.Second, `"5"`: 5 * time.Millisecond, "null": 0, "1e300": 0,
	} {
		v, err := parseTree("", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := millis(v); got != want {
			t.Errorf("millis(%s) found %v, want %v", text, got, want)
		}
	}
}

// entryOf reads a HAR of one entry.
func entryOf(t *testing.T, entry string) (*Collection, *exchange.Exchange) {
	t.Helper()
	c, err := Read("x.har", []byte(`{"log":{"version":"1.1","entries":[`+entry+`]}}`))
	if err != nil {
		t.Fatal(err)
	}
	return c, c.Items[0].Recorded[0]
}

func TestHARFacts(t *testing.T) {
	_, x := entryOf(t, `{"startedDateTime":"2026-01-02T03:04:05.678+01:00","time":9,
		"request":{"method":"GET","url":"https://a.test/x?y=1#z","httpVersion":"h2","headers":[{"name":":path","value":"/x"},{"name":"accept","value":"*/*"}],
		  "cookies":[{"name":"sid","value":"7"}]},
		"response":{"status":200,"httpVersion":"","headers":[{"name":"content-encoding","value":"gzip"}],
		  "content":{"size":3,"text":"H4sIAAAA","encoding":"base64"}},
		"timings":{"send":1,"wait":2,"receive":-1},"serverIPAddress":"[2001:db8::1]","_serverPort":8443,
		"_securityDetails":{"protocol":"TLS 1.2","keyExchange":"ECDHE_RSA","keyExchangeGroup":"X25519","cipher":"AES_128_GCM","subjectName":"a.test","issuer":"CA","validFrom":1,"validTo":2}}`)
	if got := x.Request.URL(); got != "https://a.test/x?y=1" {
		t.Errorf("URL found %q", got)
	}
	if want := (exchange.Header{{Name: "accept", Value: "*/*"}, {Name: "Cookie", Value: "sid=7"}}); !reflect.DeepEqual(x.Request.Header, want) {
		t.Errorf("Header found %v, want %v", x.Request.Header, want)
	}
	if got := string(x.Response.Body.Data); got != "\x1f\x8b\x08\x00\x00\x00" {
		t.Errorf("a corrupt body is kept as it is: found %q", got)
	}
	if x.TCP == nil || x.TCP.Remote.String() != "[2001:db8::1]:8443" {
		t.Errorf("TCP found %v", x.TCP)
	}
	if x.TLS == nil || x.TLS.Suite != "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" || x.TLS.Group != "X25519" {
		t.Errorf("TLS found %v", x.TLS)
	}
	if x.Times.Send != time.Millisecond || x.Times.Receive != 0 || x.Times.Total != 9*time.Millisecond {
		t.Errorf("Times found %v", x.Times)
	}
}

func TestHARRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"log":{}}`:                            "x.har:1:8: is no HAR: its log has no list \"entries\"",
		`[]`:                                    "x.har:1:1: is no HAR: it has no object \"log\"",
		"{\"log\":{\"entries\":[\n {}]}}":       "x.har:2:2: entry 1 has no request with a url",
		"{\"log\":{\"entries\":[]}\n\"a\":1}":   "x.har:2:1: ",
		"{\"log\":{\"entries\":[":               "x.har:1:",
		"\xef\xbb\xbf{\"log\":\n{\"entries\":x": "x.har:2:12: ",
	} {
		_, err := Read("x.har", []byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Read(%q) found %v, want %s", text, err, want)
		}
	}
}

func FuzzHAR(f *testing.F) {
	f.Add([]byte(`{"log":{"entries":[{"request":{"url":"http://a/","postData":{"params":[{}]}},"response":{"status":1}}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := readHAR("x.har", data)
		if err != nil {
			return
		}
		if err := writeHAR(&bytes.Buffer{}, c); err != nil {
			t.Fatal(err)
		}
		c.Format = ""
		if err := writeHAR(&bytes.Buffer{}, c); err != nil {
			t.Fatal(err)
		}
	})
}

// TestHARHoldsRequests writes the requests of other formats into a HAR and
// reads them back, with who sends them and what is not sent.
func TestHARHoldsRequests(t *testing.T) {
	n := 0
	for _, pattern := range []string{"postman/*collection.json", "http/*.http"} {
		for _, file := range harFiles(t, pattern) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, err := Read(file, data)
			if err != nil {
				continue // bad-*: other tests
			}
			again, err := Read("again.har", []byte(writtenAs(t, "har", c)))
			if err != nil {
				t.Fatal(err)
			}
			got, want := requestsOf(again.Items, nil), requestsOf(c.Items, c.Auth)
			if len(got) != len(want) {
				t.Errorf("%s: Read found %d requests, want %d", filepath.Base(file), len(got), len(want))
				continue
			}
			n += len(got)
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("%s: request %d: %s, want %s", filepath.Base(file), i+1, aroundDiff(got[i], want[i]), aroundDiff(want[i], got[i]))
				}
			}
		}
	}
	t.Logf("%d requests", n)
}

func requestsOf(items []*Item, auth *Auth) (out []string) {
	for _, it := range items {
		a := auth
		if it.Auth != nil {
			a = it.Auth
		}
		if it.Request != nil {
			r := *it.Request
			if r.Auth == nil && a != nil && a.Scheme != "none" {
				r.Auth = a
			}
			data, _ := json.Marshal(r)
			out = append(out, string(data))
		}
		out = append(out, requestsOf(it.Items, a)...)
	}
	return out
}
