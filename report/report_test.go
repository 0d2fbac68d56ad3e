package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

var update = flag.Bool("update", false, "write the golden files")

// catalogue stands in for the real one, so that a better sentence there breaks
// no golden file here.
var catalogue = []*check.Check{
	{ID: "authz-object", Title: "anyone can read another's object", Doc: "An ID is no permission. Whoever counts upwards reads everybody's orders.",
		Fix: "Compare the owner with the caller on every read.", Step: check.StepServer, Severity: check.Critical, OWASP: "API1:2023", CWE: 639,
		Needs: check.SawCaller | check.SawContract | check.SawReply, Inspect: func(*check.Pass) {}},
	{ID: "request-schema", Title: "a body that breaks the schema is accepted", Doc: "What is not checked is trusted.", Fix: "Validate, and answer 400.",
		Step: check.StepRequest, Severity: check.Medium, OWASP: "API8:2023", CWE: 20, Needs: check.SawBody, Inspect: func(*check.Pass) {}},
	{ID: "response-hsts", Title: "response lets a browser fall back to plain HTTP", Doc: "Once is enough.", Fix: "Send Strict-Transport-Security.",
		Step: check.StepResponse, Severity: check.Medium, OWASP: "API8:2023", CWE: 319, Needs: check.SawTransport | check.SawResponse, Inspect: func(*check.Pass) {}},
	{ID: "response-nosniff", Title: "response lets a browser guess its type", Doc: "Guessing makes pages of data.", Fix: "Send nosniff.",
		Step: check.StepResponse, Severity: check.Low, CWE: 430, Needs: check.SawResponse, Inspect: func(*check.Pass) {}},
}

func newReport(xs ...*exchange.Exchange) *Report {
	r := New(Options{Title: "shop.db", Filter: "path:/v1", Version: "v1.2.3", Made: at10, FailOn: exchange.High, Key: []byte("key"),
		Locate: func(op string) (string, int) {
			if op == "GET /v1/orders/{id}" {
				return "openapi.yaml", 41
			}
			return "", 0
		}})
	r.catalogue = catalogue
	for _, x := range xs {
		r.Add(x)
	}
	return r
}

var at10 = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// order is rajan reading priya's order, without a header that should be there.
func order(id string, n string) *exchange.Exchange {
	body := `{"id":` + n + `,"user_id":101,"items":[{"sku":"tea","note":"<b>gift</b>"}],"tags":[],"token":"canary-body"}`
	return &exchange.Exchange{ID: exchange.ID(id), Source: exchange.FromCall, Side: exchange.ClientSide, Start: at10,
		TLS: &exchange.TLS{Version: "TLS 1.3"},
		Request: exchange.Request{Method: "GET", Scheme: "https", Authority: "shop.example", Target: "/v1/orders/" + n + "?access_token=canary-query", Proto: "HTTP/1.1",
			Header: exchange.Header{{Name: "Authorization", Value: "Bearer canary-header"}, {Name: "Accept", Value: "application/json"}}},
		Server: exchange.Server{Operation: "GET /v1/orders/{id}", Caller: &exchange.Caller{Subject: "102", Roles: []string{"customer"}}},
		Response: &exchange.Response{Status: 200, Proto: "HTTP/1.1", Header: exchange.Header{{Name: "Content-Type", Value: "application/json"},
			{Name: "Set-Cookie", Value: "session=canary-cookie; Path=/"}}, Body: exchange.Body{Size: int64(len(body)), Data: []byte(body)}},
		Findings: []exchange.Finding{
			{Check: "authz-object", Severity: exchange.Critical, Verdict: exchange.Confirmed, Step: exchange.StepServer,
				Evidence: []exchange.Evidence{{Where: "rule", Name: "response.user_id", Says: "is false, and the API answered OK"}}},
			{Check: "response-nosniff", Severity: exchange.Low, Verdict: exchange.Confirmed, Step: exchange.StepResponse,
				Evidence: []exchange.Evidence{{Where: "header", Name: "X-Content-Type-Options", Says: "missing"}}},
		}}
}

func likely() *exchange.Exchange {
	body := `{"quantity":-1,"lines":[{"n":1},{"n":0}]}`
	return &exchange.Exchange{ID: "01J00000000000000000000003", Source: exchange.FromGuard, Side: exchange.ClientSide, Start: at10.Add(time.Minute), TLS: &exchange.TLS{Clear: true},
		Request: exchange.Request{Method: "POST", Scheme: "http", Authority: "shop.example", Target: "/v1/carts/7/lines", Proto: "HTTP/2.0",
			Header: exchange.Header{{Name: "Content-Type", Value: "application/json"}}, Body: exchange.Body{Size: int64(len(body)), Data: []byte(body)}},
		Server:   exchange.Server{Mode: "report"},
		Response: &exchange.Response{Status: 201, Proto: "HTTP/2.0"},
		Findings: []exchange.Finding{{Check: "request-schema", Severity: exchange.Medium, Verdict: exchange.Likely, Step: exchange.StepRequest,
			Evidence: []exchange.Evidence{{Where: "request body", Name: "/lines/1/n", Says: "minimum below 1, and the API answered"}}}},
		Actions: []exchange.Action{{Kind: exchange.Refused, Check: "request-schema", Status: 400, Rule: "parley.yaml:14",
			Evidence: exchange.Evidence{Where: "request body", Name: "/lines/1/n", Says: "minimum below 1"}},
			{Kind: exchange.Repaired, Check: "response-nosniff", Enforced: true, Evidence: exchange.Evidence{Where: "header", Name: "X-Content-Type-Options", Says: "added"}}}}
}

func sample() *Report {
	return newReport(order("01J00000000000000000000001", "887"), order("01J00000000000000000000002", "888"), likely(),
		&exchange.Exchange{ID: "01J00000000000000000000004", Source: exchange.FromCall, Start: at10, TLS: &exchange.TLS{Version: "TLS 1.3"},
			Request: exchange.Request{Method: "GET", Target: "/v1/products"}, Server: exchange.Server{Operation: "GET /v1/products"}, Response: &exchange.Response{Status: 200}})
}

func written(t *testing.T, f Format, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b, r); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for _, c := range []struct {
		name string
		r    *Report
	}{{"sample", sample()}, {"empty", newReport()}} {
		for _, f := range Formats {
			file := filepath.Join("testdata", "golden", c.name+f.Extension)
			got := written(t, f, c.r)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s is no longer what is written; look at the difference and run the test with -update\n%s", file, firstDifference(got, string(want)))
			}
		}
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got  " + g[i] + "\nwant " + w[i]
		}
	}
	return "one is longer than the other"
}

// The same exchanges in any order make the same report, but for which of them
// is the example.
func TestOrderDoesNotMatter(t *testing.T) {
	a := newReport(order("01J00000000000000000000001", "887"), likely())
	b := newReport(likely(), order("01J00000000000000000000001", "887"))
	for _, f := range Formats {
		if got, want := written(t, f, b), written(t, f, a); got != want {
			t.Errorf("%s depends on the order\n%s", f.Name, firstDifference(got, want))
		}
	}
}

func TestFormats(t *testing.T) {
	for _, f := range Formats {
		if got, ok := FormatOf("out/findings" + strings.ToUpper(f.Extension)); !ok || got.Name != f.Name {
			t.Errorf("FormatOf(%q) = %v, want %s", f.Extension, got.Name, f.Name)
		}
		if got, ok := FormatByName(f.Name); !ok || got.Extension != f.Extension {
			t.Errorf("FormatByName(%q) = %v", f.Name, got)
		}
	}
	if _, ok := FormatOf("findings.pdf"); ok {
		t.Error("a PDF is a format")
	}
}

// Secrets do not leave, wherever they were, even when the recorder kept them.
func TestMasked(t *testing.T) {
	x := order("01J00000000000000000000001", "887")
	jwt := "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnktand0In0.c2lnbmF0dXJlLWNhbmFyeQ"
	x.Findings[0].Evidence[0].Says = "was sent with " + jwt
	x.Request.Header = append(x.Request.Header, exchange.Field{Name: "Cookie", Value: "session=canary-cookie"}, exchange.Field{Name: "X-API-Key", Value: "canary-key"})
	x.Request.Body = exchange.Body{Size: 30, Data: []byte(`{"password":"canary-password"}`)}
	r := newReport(x)
	for _, f := range Formats {
		got := written(t, f, r)
		for _, secret := range []string{"canary-header", "canary-query", "canary-body", "canary-cookie", "canary-key", "canary-password", jwt, "c2lnbmF0dXJlLWNhbmFyeQ"} {
			if strings.Contains(got, secret) {
				t.Errorf("%s contains %s", f.Name, secret)
			}
		}
	}
	if got := x.Request.Header.Get("Authorization"); got != "Bearer canary-header" {
		t.Errorf("Add changed the exchange: Authorization is now %q", got)
	}
}

// What is kept is bounded, however much is given.
func TestBounded(t *testing.T) {
	r := newReport()
	big := bytes.Repeat([]byte("x"), 1<<20)
	for i := range maxEntries + 10 {
		x := order("01J00000000000000000000001", "887")
		x.Server.Operation = "GET /v1/things" + strings.Repeat("i", i%97) + string(rune('a'+i%26)) + strings.Repeat("j", i/97)
		x.Findings = x.Findings[:1]
		if i < 3 {
			x.Response.Body = exchange.Body{Size: int64(len(big)), Data: big}
		}
		r.Add(x)
	}
	if n := len(r.Entries()); n > maxEntries {
		t.Errorf("%d entries, want at most %d", n, maxEntries)
	}
	if r.Omitted == 0 {
		t.Error("nothing was said to be omitted")
	}
	for _, e := range r.Entries() {
		if e.Example != nil && len(e.Example.Response.Body.Data) > maxBody {
			t.Fatalf("an example keeps %d bytes of body", len(e.Example.Response.Body.Data))
		}
	}
	if r.examples > maxExamples+1<<20 {
		t.Errorf("examples take %d bytes", r.examples)
	}
	if len(r.seen) > maxShapes {
		t.Errorf("%d operations are remembered", len(r.seen))
	}
}

func TestTextIsNarrow(t *testing.T) {
	for _, width := range []int{60, 80, 100} {
		r := sample()
		r.Width = width
		for line := range strings.Lines(written(t, Formats[0], r)) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%d columns in a report of %d: %q", n, width, line)
			}
		}
	}
	if got := written(t, Formats[0], sample()); strings.Contains(got, "\x1b") {
		t.Error("there are colours without Options.Color")
	}
	r := sample()
	r.Color = true
	if got := written(t, Formats[0], r); !strings.Contains(got, "\x1b[1;31mCRITICAL") {
		t.Error("there are no colours with Options.Color")
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		on   exchange.Severity
		want int
	}{{exchange.Info, 2}, {exchange.Low, 2}, {exchange.Medium, 1}, {exchange.Critical, 1}, {exchange.Critical + 1, 0}} {
		r := sample()
		r.FailOn = c.on
		if got := r.Failures(); got != c.want {
			t.Errorf("Failures from %s on: %d, want %d (likely ones do not count)", c.on, got, c.want)
		}
	}
}
