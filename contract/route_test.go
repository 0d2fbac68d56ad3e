package contract

import (
	"bufio"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func routes(t testing.TB, names ...string) *Contract {
	t.Helper()
	c := &Contract{}
	for _, n := range names {
		method, p, _ := strings.Cut(n, " ")
		c.Operations = append(c.Operations, &Operation{Name: n, Method: method, Path: p})
	}
	var lost []*Operation
	if c.router, lost = newRouter(c.Operations); len(lost) > 0 {
		t.Fatalf("lost %v", lost[0].Name)
	}
	return c
}

func TestMatch(t *testing.T) {
	c := routes(t,
		"GET /", "GET /users", "POST /users", "GET /users/me", "GET /users/{id}", "DELETE /users/{id}",
		"GET /users/{user}/orders/{order}", "GET /users/me/orders/first", "GET /files/{name}.json", "GET /files/{name}.{ext}",
		"GET /files/{name}", "GET /pair/{a}-{b}", "HEAD /head", "GET /head", "GET /slash/", "OPTIONS /own",
		"GET /a b/{x}", "PURGE /cache", "GET /deep/{a}/x", "GET /deep/lit/y", "GET /dot/.well-known",
	)
	for _, tt := range []struct{ method, path, want, params, allow string }{
		{"GET", "/", "GET /", "", "GET, HEAD, OPTIONS"},
		{"GET", "/users", "GET /users", "", "GET, HEAD, OPTIONS, POST"},
		{"HEAD", "/users", "GET /users", "", "GET, HEAD, OPTIONS, POST"},
		{"OPTIONS", "/users", "", "", "GET, HEAD, OPTIONS, POST"},
		{"DELETE", "/users", "", "", "GET, HEAD, OPTIONS, POST"},
		{"get", "/users", "", "", "GET, HEAD, OPTIONS, POST"},
		{"GET", "/users/", "", "", ""},
		{"GET", "/slash/", "GET /slash/", "", "GET, HEAD, OPTIONS"},
		{"GET", "/slash", "", "", ""},
		{"GET", "/users/me", "GET /users/me", "", "GET, HEAD, OPTIONS"},
		{"DELETE", "/users/me", "", "", "GET, HEAD, OPTIONS"},
		{"DELETE", "/users/m%65", "", "", "GET, HEAD, OPTIONS"},
		{"GET", "/users/7", "GET /users/{id}", "id=7", "DELETE, GET, HEAD, OPTIONS"},
		{"GET", "/users/a%20b+c", "GET /users/{id}", "id=a b+c", "DELETE, GET, HEAD, OPTIONS"},
		{"GET", "/users/50%25", "GET /users/{id}", "id=50%", "DELETE, GET, HEAD, OPTIONS"},
		{"GET", "/users/%e2%82%ac", "GET /users/{id}", "id=€", "DELETE, GET, HEAD, OPTIONS"},
		{"GET", "/users/me/orders/9", "GET /users/{user}/orders/{order}", "user=me order=9", "GET, HEAD, OPTIONS"},
		{"GET", "/users/me/orders/first", "GET /users/me/orders/first", "", "GET, HEAD, OPTIONS"},
		{"GET", "/files/a.json", "GET /files/{name}.json", "name=a", "GET, HEAD, OPTIONS"},
		{"GET", "/files/a.b.json", "GET /files/{name}.json", "name=a.b", "GET, HEAD, OPTIONS"},
		{"GET", "/files/a.tar.gz", "GET /files/{name}.{ext}", "name=a ext=tar.gz", "GET, HEAD, OPTIONS"},
		{"GET", "/files/.json", "GET /files/{name}", "name=.json", "GET, HEAD, OPTIONS"},
		{"GET", "/pair/1-2-3", "GET /pair/{a}-{b}", "a=1 b=2-3", "GET, HEAD, OPTIONS"},
		{"GET", "/pair/1-", "", "", ""},
		{"HEAD", "/head", "HEAD /head", "", "GET, HEAD, OPTIONS"},
		{"OPTIONS", "/own", "OPTIONS /own", "", "OPTIONS"},
		{"GET", "/a%20b/x", "GET /a b/{x}", "x=x", "GET, HEAD, OPTIONS"},
		{"PURGE", "/cache", "PURGE /cache", "", "OPTIONS, PURGE"},
		{"GET", "/deep/lit/x", "GET /deep/{a}/x", "a=lit", "GET, HEAD, OPTIONS"},
		{"GET", "/dot/.well-known", "GET /dot/.well-known", "", "GET, HEAD, OPTIONS"},
		{"GET", "/nothing", "", "", ""},
		{"GET", "", "", "", ""},
		{"OPTIONS", "*", "", "", ""},
		{"GET", "/" + strings.Repeat("a/", 200), "", "", ""},
	} {
		m := c.Match(tt.method, tt.path)
		got, params := "", []string{}
		if m.Operation != nil {
			got = m.Operation.Name
		}
		for _, p := range m.Params {
			params = append(params, p.Name+"="+p.Value)
		}
		if got != tt.want || strings.Join(params, " ") != tt.params || m.Allow != tt.allow || m.Known != (tt.allow != "") {
			t.Errorf("Match(%s %s) = %q %v %q %v, want %q %q %q", tt.method, tt.path, got, params, m.Allow, m.Known, tt.want, tt.params, tt.allow)
		}
	}
}

func TestAmbiguousPath(t *testing.T) {
	for _, p := range []string{
		"", "a", "//", "/a//b", "/a/./b", "/a/../b", "/a/..", "/.", "/a/%2e%2e/b", "/a/.%2E/b", "/a/%2e", "/a%2fb", "/a%5cb", `/a\b`,
		"/a;x=1/b", "/a%3bx", "/..;/b", "/a\x00b", "/a%00", "/a%0d%0ab", "/a\tb", "/a b", "/a%252e", "/%25%32%65", "/a%25zz%2541",
		"/a%", "/a%4", "/a%zz", "/a%u002e", "/a%c0%ae", "/a%ff", "/a\xff", "/a%ed%a0%80", "/a#b", "/a?b", "/%ef%bc%8e%ef%bc%8e/b", "/a%ef%bc%8fb",
		"/a/.../b", "/a/%20../b", "/a%7f", "/a%c2%85", "https://x/", "/a/%e2%80%a5/b",
	} {
		if why, bad := AmbiguousPath(p); !bad || why == "" {
			t.Errorf("%q was taken as plain", p)
		}
	}
	for _, p := range []string{"/", "/a", "/a/", "/a.b", "/a..b", "/.well-known/x", "/a%20b", "/50%25", "/a%2Bb", "/€", "/%e2%82%ac", "/a:b@c", "/a,b", "/~x", "/(1)", "*", "/a%25", "/a.%20b", "/..a", "/%2ea"} {
		if why, bad := AmbiguousPath(p); bad {
			t.Errorf("%q: %s", p, why)
		}
	}
}

// lands returns every path that a program could make of a raw one: decoded
// not at all, once or twice, with backslashes as slashes, with path parameters
// cut off, and cleaned.
func lands(raw string) []string {
	decoded := []string{raw}
	for range 2 {
		for _, d := range slices.Clone(decoded) {
			if u, err := url.PathUnescape(d); err == nil {
				decoded = append(decoded, u)
			}
			decoded = append(decoded, lenient(d))
		}
	}
	var out []string
	for _, d := range decoded {
		for _, slash := range []string{d, strings.ReplaceAll(d, `\`, "/")} {
			var cut []string
			for _, s := range strings.Split(slash, "/") {
				s, _, _ = strings.Cut(s, ";")
				cut = append(cut, s)
			}
			nul, _, _ := strings.Cut(slash, "\x00")
			out = append(out, path.Clean(slash), path.Clean(strings.Join(cut, "/")), path.Clean(nul))
		}
	}
	return out
}

// lenient decodes what it can and leaves the rest, as some programs do.
func lenient(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if v, ok := decodeSegment(s[i : i+3]); ok {
				b.WriteString(v)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// TestHostilePaths: whatever stands behind a public prefix, no reading of a
// path that is routed there leads away from it.
func TestHostilePaths(t *testing.T) {
	c := routes(t, "GET /v1/public/{name}", "GET /v1/public/{dir}/{name}", "GET /v1/public/{a}/{b}/{c}", "GET /v1/admin/users", "GET /v1/{section}/users")
	matched, lines := 0, 0
	for _, file := range fixtureFiles(t, "url/paths/*.txt") {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		for in := bufio.NewScanner(f); in.Scan(); lines++ {
			line := in.Text()
			for _, tail := range []string{line, strings.ReplaceAll(line, "{FILE}", "admin/users"), line + "/../admin/users", line + "admin/users"} {
				raw, _, _ := strings.Cut("/v1/public/"+tail, "?")
				m := c.Match("GET", raw)
				if !m.Known {
					continue
				}
				matched++
				for _, to := range lands(raw) {
					if to != "/v1/public" && !strings.HasPrefix(to, "/v1/public/") || strings.Contains(to, "/../") {
						t.Errorf("%s: %q is routed to %v and may be read as %q", filepath.Base(file), raw, m.Operation, to)
					}
				}
			}
			// As a value of the query it is a value, or a fault; never a path.
			if m := c.Match("GET", "/v1/public/x"); m.Operation == nil || m.Operation.Name != "GET /v1/public/{name}" {
				t.Fatal("the plain path is lost")
			}
		}
		f.Close()
	}
	t.Logf("%d lines, %d readings routed", lines, matched)
	if matched == 0 {
		t.Error("nothing was routed: the test shows nothing")
	}
}

// FuzzMatch: no path makes Match panic, and what is routed can be read in one
// way only.
func FuzzMatch(f *testing.F) {
	c := routes(f, "GET /v1/public/{name}", "GET /v1/public/{a}/{b}", "GET /v1/public/{n}.json", "GET /v1/admin/users")
	for _, s := range []string{"x", "../admin/users", "%2e%2e/a", "%252e", "a.json", "..;/x", "%c0%ae", "a%00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, tail string) {
		raw := "/v1/public/" + tail
		m := c.Match("GET", raw)
		if !m.Known {
			return
		}
		if !utf8.ValidString(raw) {
			t.Errorf("%q is not text", raw)
		}
		for _, to := range lands(raw) {
			if to != "/v1/public" && !strings.HasPrefix(to, "/v1/public/") {
				t.Errorf("%q may be read as %q", raw, to)
			}
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	c := routes(b, "GET /v1/orders/{id}", "GET /v1/orders", "DELETE /v1/orders/{id}", "GET /v1/users/{id}/orders/{order}", "GET /v1/users/me")
	b.ReportAllocs()
	for b.Loop() {
		if c.Match("GET", "/v1/users/101/orders/887").Operation == nil {
			b.Fatal("no match")
		}
	}
}
