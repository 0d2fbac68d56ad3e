package main

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/example/shop"
)

const tracePage = "../../doc/trace.md"

// pageKey is the trace key of the page, and the tests.
const pageKey = "684137417d53b20cdada1767e0a5d33e10865877ea0a5a32bd3e9d110e55a92b"

// A traceWorld is a folder as a person has it who traces: guard in front of the
// shop, a shop with flaws, tokens, a trace key.
type traceWorld struct {
	guarded, flawed string // host:port
	seen            *counter
}

// openTraceWorld opens one and makes its folder the current one.
func openTraceWorld(t *testing.T, flaws ...string) *traceWorld {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := &traceWorld{seen: &counter{}}
	sound, err := shop.New(shop.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sound.Close() })
	behind := httptest.NewServer(sound.Handler())
	t.Cleanup(behind.Close)
	if err := sound.WriteConfiguration(dir, behind.URL); err != nil {
		t.Fatal(err)
	}
	write("trace.key", pageKey+"\n")
	policy, err := os.ReadFile(filepath.Join(dir, "parley.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write("parley.yaml", string(policy)+"\ntrace: {key_file: trace.key}\ntls: {names: [api.shop.test], directory: .}\n")
	k, err := contract.Load(filepath.Join(dir, "parley.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	st, _ := standFor(t, k, "", w.seen)
	w.guarded = st.gateway.Addr().String()

	flawed, err := shop.New(shop.Options{Flaws: flaws})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { flawed.Close() })
	open := httptest.NewServer(flawed.Handler())
	t.Cleanup(open.Close)
	w.flawed = strings.TrimPrefix(open.URL, "http://")
	for name, s := range map[string]*shop.Shop{"priya": sound, "rajan": sound, "asha": sound} {
		token, err := s.Token(name)
		if err != nil {
			t.Fatal(err)
		}
		write(name+".jwt", token)
	}
	other, err := flawed.Token("priya") // its issuer has another key
	if err != nil {
		t.Fatal(err)
	}
	write("flawed.jwt", other)
	t.Chdir(dir)
	return w
}

// run runs a line of the page, and returns it as the page has it.
func (w *traceWorld) run(command string) (stdout, stderr string, code int) {
	line := strings.NewReplacer("\\\n", " ", "api.shop.test:8443", "api.shop.test:"+port(w.guarded), "127.0.0.1:9000", w.flawed).Replace(command)
	var out, talk bytes.Buffer
	code = run(strings.Fields(line)[1:], &out, &talk)
	back := strings.NewReplacer("api.shop.test:"+port(w.guarded), "api.shop.test:8443", "127.0.0.1:"+port(w.guarded), "127.0.0.1:8443", w.flawed, "127.0.0.1:9000")
	return back.Replace(out.String()), back.Replace(talk.String()), code
}

func port(hostPort string) string { return hostPort[strings.LastIndexByte(hostPort, ':')+1:] }

// settle puts values that are always the same in the place of times, so that a
// drawing can be compared and printed.
func settle(text string) string {
	times := []string{"", "", "0.3 ms", "1.9 ms", "0.1 ms", "2.4 ms", "0.1 ms", ""}
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if m := stepLine.FindStringSubmatch(line); m != nil {
			when := times[line[0]-'0']
			if line[0] == '7' || m[2] == "skipped" {
				when = ""
			}
			line = fmt.Sprintf("%s%s%7s  %s", m[1], fmt.Sprintf("%-8s", m[2]), when, m[4])
			line = strings.TrimRight(line, " ")
		}
		switch {
		case !timesLine.MatchString(line):
		case strings.Contains(line, " tls "):
			line = " tcp 0.3  tls 1.9  send 0.1  wait 2.4  receive 0.1  total 4.8 ms"
		case strings.Contains(line, " send ") || strings.Contains(line, " wait "):
			line = " tcp 0.3  send 0.1  wait 2.4  receive 0.1  total 2.9 ms"
		default:
			line = " tcp 0.3  total 0.3 ms"
		}
		for _, v := range [][2]string{
			{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, "2026-11-23T13:20:05Z"},
			{`\b(authn) [0-9.]+`, "$1 0.31"}, {`\b(authz) [0-9.]+`, "$1 0.08"}, {`\b(app) [0-9.]+`, "$1 1.9"}, {`\b(filter|preread) [0-9.]+`, "$1 0.12"},
			{`^(   (authn|authz|app|filter) +)[0-9.]+ ms`, "${1}0.1 ms"}, {`dur=[0-9.]+`, "dur=0.1"},
			{`Parley local authority \d{4}-\d\d-\d\d`, "Parley local authority 2026-11-23"}, {`\b\d\d:\d\d:\d\d\b`, "13:20:05"}, {`until \d{4}-\d\d-\d\d`, "until 2026-11-26"},
			{`Date: .*`, "Date: Mon, 23 Nov 2026 13:20:05 GMT"}, {`sha256/\S+`, "sha256/h7VeXugfMBj17sGmT5CeP34xNeQrKOTei5nT+9OYQmY="},
			{`kid=\S+`, "kid=3nfyo3COCvyD4l3RMunomZlcIs1J22wiAHde8747gJM"}, {`^(   from     127.0.0.1):\d+`, "$1:50412"},
			{`^ [·▓░▒▀█▄]+$`, " " + strings.Repeat("░", 5) + strings.Repeat("▒", 31) + "▀" + strings.Repeat("█", 40) + "▄▄"},
			{`^(verdict ok   )[·▓░▒▀█▄]+   .* total$`, "${1}" + strings.Repeat("░", 3) + strings.Repeat("▒", 19) + "▀" + strings.Repeat("█", 24) + "▄   4.8 ms total"},
			{`(JWT, |exp in )\d+ (min|h|s|days)`, "${1}60 min"},
			{`secret:[0-9a-f]{12}`, "secret:25d81c16be96"},
			{`  [0-9.]+ ms$`, "  4.8 ms"},
		} {
			line = regexp.MustCompile(v[0]).ReplaceAllString(line, v[1])
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

var timesLine = regexp.MustCompile(`^ (\w+ [0-9.]+  )+total .*$`)

var stepLine = regexp.MustCompile(`^([1-7] [A-Z]+ +)(ok|WARN|FAIL|skipped|unknown) +([0-9.]+ m?s)? *(.*)$`)

// Every transcript of doc/trace.md is run and compared, but for its times.
func TestTracePage(t *testing.T) {
	page, err := filepath.Abs(tracePage)
	if err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	w := openTraceWorld(t, "response-excessive-data", "client-cookie", "response-cache-control", "authz-object")
	blocks := regexp.MustCompile("(?s)```\n\\$ (.*?[^\\\\])\n(.*?)```").FindAllStringSubmatchIndex(string(old), -1)
	if len(blocks) < 5 {
		t.Fatalf("doc/trace.md has %d transcripts, want at least 5", len(blocks))
	}
	var b strings.Builder
	last := 0
	for _, at := range blocks {
		command, want := string(old[at[2]:at[3]]), string(old[at[4]:at[5]])
		stdout, stderr, code := w.run(command)
		got := settle(stdout)
		if code != 0 {
			got += stderr
		}
		b.Write(old[last:at[4]])
		b.WriteString(got)
		last = at[5]
		if !*update && got != want {
			t.Errorf("%s prints\n%s\nthe page has\n%s\n(go test ./cmd/parley -run TestTracePage -update)\n%s", command, got, want, stderr)
		}
	}
	b.Write(old[last:])
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
