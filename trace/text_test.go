package trace

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/parley-project/parley/exchange"
)

var update = flag.Bool("update", false, "write the drawings anew")

func draw(t testing.TB, x *exchange.Exchange, v View) string {
	t.Helper()
	v.Key = []byte("a key for tests")
	var b bytes.Buffer
	if err := Write(&b, x, v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The drawings are kept, at three widths and with all facts: a change of one
// is looked at.
func TestDrawings(t *testing.T) {
	for name, x := range built {
		for file, v := range map[string]View{
			name + "-80.txt":      {As: "priya", Width: 80},
			name + "-100.txt":     {As: "priya", Width: 100},
			name + "-120.txt":     {As: "priya", Width: 120},
			name + "-verbose.txt": {As: "priya", Verbose: true},
			name + "-ascii.txt":   {As: "priya", ASCII: true},
			name + "-quiet.txt":   {As: "priya", Quiet: true},
		} {
			if name == "strange" && v.Width > 80 {
				continue
			}
			got := draw(t, x(), v)
			path := filepath.Join("testdata", file)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s: Write drew\n%s\nwant\n%s(go test ./trace -run TestDrawings -update writes it anew)", file, got, want)
			}
		}
	}
}

// No line is longer than the width, none steers the terminal, none holds a
// secret, and ASCII is nothing else.
func TestLines(t *testing.T) {
	colors := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for name, x := range built {
		for width := 60; width <= 130; width++ {
			for _, v := range []View{{}, {Verbose: true}, {Quiet: true}, {ASCII: true, Verbose: true}, {Color: true, Verbose: true}} {
				v.Width, v.As = width, "priya"
				out := draw(t, x(), v)
				if v.Color {
					out = colors.ReplaceAllString(out, "")
				}
				for line := range strings.Lines(out) {
					line = strings.TrimSuffix(line, "\n")
					if n := columns(line); n > width {
						t.Fatalf("%s, width %d: a line of %d columns: %q", name, width, n, line)
					}
					if strings.TrimRight(line, " ") != line {
						t.Fatalf("%s, width %d: a line ends in spaces: %q", name, width, line)
					}
					for _, r := range line {
						if r < ' ' || r == 0x7f || r == utf8.RuneError || r == 0x202e || v.ASCII && r > '~' {
							t.Fatalf("%s: %q in %q", name, r, line)
						}
					}
				}
				for _, form := range []string{marked, base64.StdEncoding.EncodeToString([]byte(marked)), base64.RawURLEncoding.EncodeToString([]byte(marked)), hex.EncodeToString([]byte(marked))} {
					if strings.Contains(out, form) {
						t.Fatalf("%s: the drawing has the secret %s", name, form)
					}
				}
				if v.Quiet && strings.Count(out, "\n") != 1 {
					t.Fatalf("%s: quiet has %d lines, want 1", name, strings.Count(out, "\n"))
				}
			}
		}
	}
}

// A good day is nine lines at every width: the call, its seven steps, and the
// verdict.
func TestGoodDayIsNineLines(t *testing.T) {
	for _, name := range []string{"good", "http3"} {
		for _, width := range []int{80, 100, 120} {
			out := draw(t, built[name](), View{Width: width, As: "priya"})
			if n := strings.Count(out, "\n"); n != 9 {
				t.Errorf("%s at %d columns has %d lines, want 9:\n%s", name, width, n, out)
			}
			if strings.Contains(out, string(Warn)) || strings.Contains(out, string(Fail)) {
				t.Errorf("%s at %d columns is not ok:\n%s", name, width, out)
			}
		}
	}
}

// Each step has its verdict, and one that was not reached says why.
func TestVerdicts(t *testing.T) {
	tests := map[string]string{
		"good":       "ok ok ok ok ok ok ok",
		"http3":      "ok ok ok ok ok ok ok",
		"bad":        "ok ok FAIL WARN ok FAIL WARN",
		"no-name":    "FAIL skipped skipped skipped skipped skipped skipped",
		"handshake":  "ok ok FAIL skipped skipped skipped skipped",
		"withheld":   "ok ok FAIL WARN WARN ok ok",
		"plain":      "ok ok FAIL ok ok ok ok",
		"broken-off": "ok ok ok ok WARN FAIL skipped",
		"guarded":    "unknown ok ok ok WARN ok ok",
	}
	for name, want := range tests {
		var got []string
		for _, v := range Steps(built[name]()) {
			got = append(got, string(v.Verdict))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("Steps(%s) found %s, want %s", name, s, want)
		}
	}
	vs := Steps(noName())
	for _, v := range vs[1:] {
		if len(v.Says) != 1 || v.Says[0] != "not reached: the name did not resolve" {
			t.Errorf("step %s says %q, want why it was not reached", v.Step, v.Says)
		}
	}
	for _, v := range Steps(&exchange.Exchange{Source: exchange.FromImport}) {
		if v.Verdict != Unknown {
			t.Errorf("Steps(nothing seen): %s is %s, want unknown", v.Step, v.Verdict)
		}
	}
}

// The exchange is not changed by being drawn.
func TestDrawingChangesNothing(t *testing.T) {
	x := badDay()
	before := fmt.Sprintf("%+v %+v %+v", x.Request, *x.Response, x.Findings)
	draw(t, x, View{Verbose: true})
	if after := fmt.Sprintf("%+v %+v %+v", x.Request, *x.Response, x.Findings); after != before {
		t.Errorf("Write changed the exchange:\n%s\nwas\n%s", after, before)
	}
}

// Whatever was recorded can be drawn.
func FuzzWrite(f *testing.F) {
	f.Add("api.shop.test", "/x", "Authorization", "Bearer a.b.c", "says", 80)
	f.Add("[::1]:443", "/\xff\u202e", "Set-Cookie", "a=b;;;=", "\x1b[2J", 61)
	f.Add("注文", "", "Cookie", "; =; a", strings.Repeat("x ", 200), 99)
	f.Fuzz(func(t *testing.T, authority, target, name, value, says string, width int) {
		if width < 60 || width > 200 {
			t.Skip()
		}
		x := badDay()
		x.Request.Authority, x.Request.Target = authority, target
		x.Request.Header = append(x.Request.Header, exchange.Field{Name: name, Value: value})
		x.Response.Header = append(x.Response.Header, exchange.Field{Name: name, Value: value})
		x.TLS.Trust.Problems[0].Says, x.Failure, x.FailedAt = says, says, exchange.StepResponse
		x.TLS.Chain[0].Subject, x.Client.Cookies[0].Name, x.Server.Timing = value, name, []exchange.Timing{{Name: name, Says: says}}
		out := draw(t, x, View{Width: width, Verbose: true, As: says})
		for line := range strings.Lines(out) {
			if line = strings.TrimSuffix(line, "\n"); columns(line) > width || strings.ContainsAny(line, "\x1b\r\x07") || !utf8.ValidString(line) {
				t.Fatalf("a line of %d columns, want %d at most: %q", columns(line), width, line)
			}
		}
	})
}

// What is not there is not told of: the answer of a call that broke off before
// its status, days left of a certificate that has none.
func TestBroken(t *testing.T) {
	noStatus := goodDay()
	noStatus.Response, noStatus.Client = nil, nil
	noStatus.FailedAt, noStatus.Failure = exchange.StepResponse, "the answer cannot be read: it begins with \"garba\""
	halfBody := goodDay()
	halfBody.FailedAt, halfBody.Failure = exchange.StepResponse, "the body broke off"
	find(halfBody, "response-csp")
	expired, future := goodDay(), goodDay()
	expired.TLS.Chain[0].NotAfter, expired.TLS.Trust.Verified = began.Add(-50*time.Hour), false
	future.TLS.Chain[0].NotBefore, future.TLS.Trust.Verified = began.Add(50*time.Hour), false
	for _, c := range []struct {
		name string
		x    *exchange.Exchange
		has  []string
	}{
		{"no status", noStatus, []string{"5 SERVER   unknown", "its answer has no status that can be read", "the answer cannot be read: it begins", "verdict FAIL  the call ended at step response"}},
		{"half a body", halfBody, []string{"200 OK, then the body broke off", "verdict FAIL  the call ended at step response; 1 low"}},
		{"expired", expired, []string{"expired 2 days ago"}},
		{"future", future, []string{"valid in 2 days"}},
	} {
		out := draw(t, c.x, View{Verbose: true})
		for _, want := range c.has {
			if !strings.Contains(out, want) {
				t.Errorf("%s: Write drew\n%s\nwant %q in it", c.name, out, want)
			}
		}
		for _, never := range []string{"not reached: the answer broke off, then", "-2 of"} {
			if strings.Contains(out, never) {
				t.Errorf("%s: Write drew\n%s\nwant no %q in it", c.name, out, never)
			}
		}
	}
}

// A secret that stands in two places looks the same in both, also when nobody
// gave a key.
func TestOneKey(t *testing.T) {
	x := goodDay()
	x.Request.Target = "/v1/orders?access_token=" + marked
	var b bytes.Buffer
	if err := Write(&b, x, View{Verbose: true, Width: 200}); err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`access_token=(secret:[0-9a-f]{12})`).FindAllStringSubmatch(b.String(), -1)
	if len(found) != 2 || found[0][1] != found[1][1] {
		t.Errorf("Write drew\n%s\nwant the same placeholder twice, got %q", b.String(), found)
	}
}
