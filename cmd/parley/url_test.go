package main

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/internal/needs"
)

// Everything may be read, but for a few paths that other spellings of it might
// mean.
const urlAPI = `openapi: 3.1.0
info: {title: files, version: "1"}
security: []
paths:
  /: {get: &get {responses: {"200": {description: it}}}}
  /{a}: {get: *get}
  /{a}/{b}: {get: *get}
  /{a}/{b}/{c}: {get: *get}
  /{a}/{b}/{c}/{d}: {get: *get}
  /foo/bar: {get: &denied {description: denied, responses: {"200": {description: it}}}}
  /bar: {get: *denied}
  /admin: {get: *denied}
  /v1/admin: {get: *denied}
  /v1/admin/{name}: {get: *denied}
`

const urlPolicy = `api: openapi.yaml
mode: enforce
rules:
  - {operation: GET /foo/bar, allow: "false"}
  - {operation: GET /bar, allow: "false"}
  - {operation: "GET /admin", allow: "false"}
  - {operation: "GET /v1/admin", allow: "false"}
  - {operation: "GET /v1/admin/{name}", allow: "false"}
`

// A lineRecorder is an upstream that keeps request lines as they come.
type lineRecorder struct {
	mu    sync.Mutex
	lines []string
}

func (rec *lineRecorder) take() []string {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	l := rec.lines
	rec.lines = nil
	return l
}

func (rec *lineRecorder) serve(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				first, br := "", bufio.NewReader(c)
				for {
					line, err := br.ReadString('\n')
					switch {
					case err != nil:
						return
					case first == "":
						first = strings.TrimRight(line, "\r\n")
						continue
					case line != "\r\n":
						continue
					}
					rec.mu.Lock()
					rec.lines = append(rec.lines, first)
					rec.mu.Unlock()
					first = ""
					c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"))
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// No URL is one path to guard and another to who comes after it: not by
// net/url, not as browsers read it (the URL standard of WHATWG), not by any
// reading that servers are known for.
func TestURLsMeanOnePath(t *testing.T) {
	folder := os.Getenv("PARLEY_FIXTURES")
	if folder == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	rec := &lineRecorder{}
	base := rec.serve(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"openapi.yaml": urlAPI, "parley.yaml": urlPolicy} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k, err := contract.Load(filepath.Join(dir, "parley.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s, client := standFor(t, k, base, &counter{})
	raw := &rawClient{address: s.gateway.Addr().String(), config: client.Transport.(*http.Transport).TLSClientConfig}
	defer raw.close()

	targets := urlTargets(t, folder)
	passed, refused := 0, 0
	for _, target := range targets {
		status, err := raw.get(target)
		if err != nil {
			t.Errorf("%q: %v", target, err)
			continue
		}
		if status >= 500 && status != 501 && status != 505 {
			t.Errorf("%q was answered %d", target, status)
		}
		lines := rec.take()
		if len(lines) == 0 {
			refused++
			continue
		}
		passed++
		if len(lines) > 1 {
			t.Errorf("%q became %d requests: %q", target, len(lines), lines)
		}
		checkOnePath(t, k, target, lines[0])
	}
	needs.Figure(t, "url", "%d targets, %d refused, %d passed and mean one path to all readings", len(targets), refused, passed)
	if passed == 0 || refused == 0 {
		t.Errorf("%d passed, %d refused: the test tests nothing", passed, refused)
	}
}

// checkOnePath compares what guard decided on with what may be read upstream.
func checkOnePath(t *testing.T, k *contract.Contract, target, line string) {
	t.Helper()
	parts := strings.Split(line, " ")
	if len(parts) != 3 {
		t.Errorf("%q became %q", target, line)
		return
	}
	sent, _, _ := strings.Cut(parts[1], "?")
	if why, bad := contract.AmbiguousPath(sent); bad {
		t.Errorf("%q went upstream as %q: %s", target, sent, why)
	}
	op := k.Match("GET", sent).Operation
	if op == nil || len(op.Rules) > 0 {
		t.Errorf("%q went upstream as %q, which is not allowed", target, sent)
		return
	}
	u, err := url.ParseRequestURI(parts[1])
	if err != nil {
		t.Errorf("%q went upstream as %q, which net/url does not read: %v", target, parts[1], err)
		return
	}
	for _, reading := range append(readings(sent), u.EscapedPath(), whatwgPath(parts[1])) {
		// The reading as a path of its own: names that it holds may need escapes.
		escaped := (&url.URL{Path: reading}).EscapedPath()
		if other := k.Match("GET", reading).Operation; other != op {
			if other = k.Match("GET", escaped).Operation; other != op {
				t.Errorf("%q went upstream as %q, may be read as %q, and is then %v instead of %v", target, sent, reading, nameOf(other), op.Name)
			}
		}
	}
}

func nameOf(o *contract.Operation) string {
	if o == nil {
		return "nothing"
	}
	return o.Name
}

// whatwgPath is the path of a target as the URL standard reads it: tabs and
// line ends are dropped, a backslash is a slash, dot segments are resolved also
// when they are escaped.
func whatwgPath(target string) string {
	target = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(target)
	if i := strings.IndexAny(target, "?#"); i >= 0 {
		target = target[:i]
	}
	segments := strings.Split(strings.TrimPrefix(strings.ReplaceAll(target, `\`, "/"), "/"), "/")
	var out []string
	for i, s := range segments {
		last := i == len(segments)-1
		switch strings.ReplaceAll(strings.ToLower(s), "%2e", ".") {
		case "..":
			out = out[:max(0, len(out)-1)]
			if last {
				out = append(out, "")
			}
		case ".":
			if last {
				out = append(out, "")
			}
		default:
			out = append(out, s)
		}
	}
	return "/" + strings.Join(out, "/")
}

// urlTargets makes request targets of the corpora: the URLs as they are, their
// paths, and both behind prefixes that are allowed or denied.
func urlTargets(t *testing.T, folder string) []string {
	var out []string
	add := func(s string) {
		if s != "" && !strings.ContainsAny(s, " \r\n") && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	each := func(s string) {
		for _, s := range []string{s, strings.ReplaceAll(s, " ", "%20"), strings.Trim(s, " \t\r\n")} {
			add(s)
			add("/" + s)
			add("/v1/" + s)
			add("/v1/x/../" + s)
			add("/v1/admin/" + s)
		}
	}
	for _, name := range []string{"urltestdata.json", "ada_extra_urltestdata.json"} {
		var cases []json.RawMessage
		read(t, filepath.Join(folder, "url", name), &cases)
		for _, c := range cases {
			var o struct{ Input, Pathname, Href string }
			if json.Unmarshal(c, &o) != nil { // a comment
				continue
			}
			for _, s := range []string{o.Input, o.Pathname, o.Href} {
				each(s)
			}
			if i := strings.Index(o.Input, "://"); i >= 0 {
				if j := strings.IndexAny(o.Input[i+3:], `/\?#`); j >= 0 {
					each(o.Input[i+3+j:])
				}
			}
		}
	}
	var cases []json.RawMessage
	read(t, filepath.Join(folder, "url", "percent-encoding.json"), &cases)
	for _, c := range cases {
		var o struct {
			Input  string
			Output map[string]string
		}
		if json.Unmarshal(c, &o) == nil {
			each(o.Input)
			for _, s := range o.Output {
				each(s)
			}
		}
	}
	if len(out) < 100 {
		t.Fatalf("%d targets in %s", len(out), folder)
	}
	return out
}

func read(t *testing.T, file string, v any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// The bytes that an escape stands for are those that rules see.
func TestPercentEncodingIsRead(t *testing.T) {
	folder := os.Getenv("PARLEY_FIXTURES")
	if folder == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	file := filepath.Join(t.TempDir(), "openapi.yaml")
	if err := os.WriteFile(file, []byte(urlAPI), 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := contract.FromAPI(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []json.RawMessage
	read(t, filepath.Join(folder, "url", "percent-encoding.json"), &cases)
	n := 0
	for _, c := range cases {
		var o struct {
			Input  string
			Output map[string]string
		}
		if json.Unmarshal(c, &o) != nil {
			continue
		}
		path := "/" + o.Output["utf-8"]
		if _, bad := contract.AmbiguousPath(path); bad {
			continue
		}
		n++
		if m := k.Match("GET", path); m.Operation == nil || len(m.Params) != 1 || m.Params[0].Value != o.Input {
			t.Errorf("Match(%q) read %+v, want %q", path, m.Params, o.Input)
		}
	}
	if n == 0 {
		t.Error("no case was read")
	}
	needs.Figure(t, "url, escapes read", "%d", n)
}
