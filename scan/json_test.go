package scan_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/scan"
)

func plainText(s string) string                             { return s }
func plainExchange(x *exchange.Exchange) *exchange.Exchange { return x }

// scanBriefly asks a shop with flaws for those flaws alone.
func scanBriefly(t *testing.T, flaws ...string) *scan.Result {
	t.Helper()
	o := shopOptions(t, flaws...)
	if o.Only = flaws; len(flaws) == 0 {
		o.Only = []string{"authz-object"}
	}
	return scanWith(t, o)
}

func jsonOf(t *testing.T, r *scan.Result) string {
	t.Helper()
	r.Mask(plainExchange, plainText)
	var b bytes.Buffer
	if err := scan.JSON(&b, &scan.Document{Result: r, FailOn: "high", Failures: r.Confirmed(exchange.High)}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What is written keeps to its schema, with findings and without, and is read
// back as it was.
func TestJSON(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile("../doc/schema/parley.scan-1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	flawed := scanBriefly(t, "authz-object", "response-excessive-data")
	flawed.Findings[0].Suppressed, flawed.Findings[1].Known = "it is lived with", true
	for name, r := range map[string]*scan.Result{"flawed": flawed, "sound": scanBriefly(t), "empty": {Schema: scan.Schema, Target: "http://localhost"}} {
		text := jsonOf(t, r)
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		d, err := scan.ReadJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if again := jsonOf(t, d.Result); !sameButCurl(again, text) {
			t.Errorf("%s is not read as it was written", name)
		}
	}
	if _, err := scan.ReadJSON([]byte(`{"schema": "parley.scan/2"}`)); err == nil {
		t.Error("a later schema is read")
	}
}

// sameButCurl compares documents, but for command lines: those are made of
// exchanges, which are not read back.
func sameButCurl(a, b string) bool {
	cut := func(s string) string {
		var out []string
		for line := range strings.Lines(s) {
			if !strings.Contains(line, `"curl":`) {
				out = append(out, strings.TrimRight(line, ",\n"))
			}
		}
		return strings.Join(out, "\n")
	}
	return cut(a) == cut(b)
}

// What somebody decided to live with stays to be seen, and counts again when
// its time is over.
func TestSuppress(t *testing.T) {
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	day := func(d int) time.Time { return time.Date(2026, 12, d, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		name                     string
		s                        scan.Suppression
		suppressed               bool
		expired, unused, counted int
	}{
		{"fingerprint", scan.Suppression{ID: "0123456789abcdef01234567", Reason: "r"}, true, 0, 0, 0},
		{"its beginning", scan.Suppression{ID: "01234567", Reason: "r"}, true, 0, 0, 0},
		{"too short", scan.Suppression{ID: "0123", Reason: "r"}, false, 0, 1, 1},
		{"check and operation", scan.Suppression{ID: "authz-object  GET /v1/orders/{id}", Reason: "r"}, true, 0, 0, 0},
		{"another operation", scan.Suppression{ID: "authz-object GET /v1/orders", Reason: "r"}, false, 0, 1, 1},
		{"until today", scan.Suppression{ID: "01234567", Reason: "r", Until: day(1)}, true, 0, 0, 0},
		{"until yesterday", scan.Suppression{ID: "01234567", Reason: "r", Until: day(1).AddDate(0, 0, -1)}, false, 1, 0, 1},
	} {
		f := &scan.Finding{ID: "01234567", Fingerprint: "0123456789abcdef01234567", Check: "authz-object", Operation: "GET /v1/orders/{id}", Verdict: exchange.Confirmed, Severity: exchange.High}
		r := &scan.Result{Findings: []*scan.Finding{f}}
		expired, unused := r.Suppress([]scan.Suppression{c.s}, now)
		if got := f.Suppressed != ""; got != c.suppressed || len(expired) != c.expired || len(unused) != c.unused || r.Confirmed(exchange.Info) != c.counted {
			t.Errorf("%s: suppressed %v, %d expired, %d unused, %d count", c.name, got, len(expired), len(unused), r.Confirmed(exchange.Info))
		}
	}
}

// What was only likely when the baseline was made, and is proved now, is new.
func TestKnow(t *testing.T) {
	for _, c := range []struct {
		then, now exchange.Verdict
		known     bool
	}{{exchange.Confirmed, exchange.Confirmed, true}, {exchange.Confirmed, exchange.Likely, true}, {exchange.Likely, exchange.Likely, true}, {exchange.Likely, exchange.Confirmed, false}, {"", exchange.Confirmed, true}} {
		f := &scan.Finding{Fingerprint: "aa", Verdict: c.now}
		(&scan.Result{Findings: []*scan.Finding{f}}).Know(map[string]exchange.Verdict{"aa": c.then})
		if f.Known != c.known {
			t.Errorf("%s then, %s now: known is %v", c.then, c.now, f.Known)
		}
	}
}

// A terminal of 80 columns shows all of a result, but for command lines.
func TestTextIsNarrow(t *testing.T) {
	r := scanBriefly(t, "authz-object", "response-excessive-data", "authn-missing")
	r.Mask(plainExchange, plainText)
	for _, width := range []int{60, 80, 100} {
		var b bytes.Buffer
		if err := scan.Write(&b, r, scan.View{Width: width}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > width && !strings.Contains(line, "  GET ") && !strings.Contains(line, "{id}") {
				t.Errorf("%d columns of %d: %q", n, width, line)
			}
		}
		if !strings.Contains(b.String(), "rajan read priya's order (200)") {
			t.Errorf("the text does not say who read whose:\n%s", b.String())
		}
	}
}

// A result that somebody wrote by hand is read without a fault.
func TestReadJSONOfNothing(t *testing.T) {
	d, err := scan.ReadJSON([]byte(`{"schema":"parley.scan/1","findings":[null]}`))
	if err != nil || d.Find("9d757a55") != nil || len(d.Findings) != 0 {
		t.Errorf("%v %v", d, err)
	}
}
