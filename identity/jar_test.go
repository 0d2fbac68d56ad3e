package identity

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/needs"
)

// A cookieCase is a test of the IETF's http-state group: fields that were set,
// and the Cookie line that a user agent then sends.
type cookieCase struct {
	name     string
	set      []string
	from, to *url.URL
	want     string
}

func cookieCases(t *testing.T) []cookieCase {
	folder := os.Getenv("PARLEY_FIXTURES")
	if folder == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	files, _ := filepath.Glob(filepath.Join(folder, "cookies", "http-state", "*-test"))
	if len(files) == 0 {
		t.Fatalf("no cases in %s", folder)
	}
	var cases []cookieCase
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), "-test")
		test, err1 := os.ReadFile(file)
		expected, err2 := os.ReadFile(strings.TrimSuffix(file, "test") + "expected")
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		from, err := url.Parse("http://home.example.org:8888/cookie-parser?" + name)
		if err != nil {
			t.Fatal(err)
		}
		c := cookieCase{name: name, from: from}
		c.to, _ = from.Parse("/cookie-parser-result?" + name)
		for line := range strings.SplitSeq(string(test), "\n") {
			line = strings.TrimSuffix(line, "\r")
			field, value, _ := strings.Cut(line, ":")
			switch strings.ToLower(field) {
			case "set-cookie":
				c.set = append(c.set, strings.TrimPrefix(value, " "))
			case "location":
				if c.to, err = from.Parse(strings.TrimSpace(value)); err != nil {
					t.Fatal(err)
				}
			}
		}
		c.want = strings.TrimPrefix(strings.TrimRight(string(expected), "\r\n"), "Cookie: ")
		cases = append(cases, c)
	}
	return cases
}

// The jar sends what the IETF's tests say that user agents send.
func TestJarSuite(t *testing.T) {
	cases := cookieCases(t)
	now := time.Date(2011, 1, 1, 0, 0, 0, 0, time.UTC) // when these tests were written
	equal, library := 0, 0
	for _, c := range cases {
		j := NewJar(JarOptions{})
		var refused []string
		for _, field := range c.set {
			if why := j.Set(c.from, field, now); why != "" {
				refused = append(refused, why)
			}
		}
		if got := j.Cookie(c.to, now); got != c.want {
			t.Errorf("%s: %q to %v sends %q, want %q (refused %q)", c.name, c.set, c.to, got, c.want, refused)
		} else {
			equal++
		}
		// How the standard library would fare, which is why it is not used.
		std, _ := cookiejar.New(nil)
		std.SetCookies(c.from, (&http.Response{Header: http.Header{"Set-Cookie": c.set}}).Cookies())
		r := &http.Request{Header: http.Header{}}
		for _, k := range std.Cookies(c.to) {
			r.AddCookie(k)
		}
		if r.Header.Get("Cookie") == c.want {
			library++
		}
	}
	needs.Figure(t, "cookies, jar", "%d of %d equal (net/http/cookiejar: %d)", equal, len(cases), library)
}

func TestCookieDates(t *testing.T) {
	folder := os.Getenv("PARLEY_FIXTURES")
	if folder == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	data, err := os.ReadFile(filepath.Join(folder, "cookies", "dates.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Test     string
		Expected *string
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		got, ok := ParseCookieDate(c.Test)
		switch {
		case ok != (c.Expected != nil):
			t.Errorf("ParseCookieDate(%q) = %v, %v; want a date: %v", c.Test, got, ok, c.Expected != nil)
		case ok && got.Format(http.TimeFormat) != *c.Expected:
			t.Errorf("ParseCookieDate(%q) = %s, want %s", c.Test, got.Format(http.TimeFormat), *c.Expected)
		}
	}
	needs.Figure(t, "cookies, dates", "%d read", len(cases))
}

// What is refused says why; what RFC 6265bis adds holds.
func TestJarRefuses(t *testing.T) {
	for _, test := range []struct{ from, field, want string }{
		{"https://a.example/", "n=v", ""},
		{"https://a.example/", "n", "no equals sign"},
		{"https://a.example/", "=v", "no name"},
		{"https://a.example/", "n=" + strings.Repeat("v", 4096), "too large"},
		{"https://a.example/", "n=v\x00", "control character"},
		{"https://a.example/", "n=v; domain=b.example", "domain of somebody else"},
		{"https://a.example/", "n=v; domain=example", "domain belongs to everybody"},
		{"https://127.0.0.1/", "n=v; domain=0.0.1", "domain of somebody else"},
		{"http://a.example/", "n=v; Secure", "secure, and set in clear"},
		{"http://localhost/", "n=v; Secure", ""},
		{"https://a.example/", "__Secure-n=v", "prefix __Secure- without Secure"},
		{"https://a.example/", "__Host-n=v; Secure; Path=/; domain=a.example", "prefix __Host- without what it promises"},
		{"https://a.example/x", "__host-n=v; Secure", "prefix __Host- without what it promises"},
		{"https://a.example/", "__Host-n=v; Secure; Path=/", ""},
	} {
		u, err := url.Parse(test.from)
		if err != nil {
			t.Fatal(err)
		}
		if got := NewJar(JarOptions{}).Set(u, test.field, now); got != test.want {
			t.Errorf("Set(%s, %.40q) = %q, want %q", test.from, test.field, got, test.want)
		}
	}
}

func TestJarForgets(t *testing.T) {
	u, _ := url.Parse("https://a.example/")
	j := NewJar(JarOptions{Max: 20})
	j.Set(u, "a=1; max-age=60", now)
	j.Set(u, "b=1; expires=Mon, 23 Nov 2026 12:00:30 GMT", now)
	if got := j.Cookie(u, now); got != "a=1; b=1" {
		t.Errorf("sent %q", got)
	}
	if got := j.Cookie(u, now.Add(45*time.Second)); got != "a=1" {
		t.Errorf("after 45 seconds sent %q", got)
	}
	j.Set(u, "a=2; max-age=0", now)
	if got := j.Cookie(u, now); got != "b=1" {
		t.Errorf("after max-age=0 sent %q", got)
	}
	for i := range 100 { // two for a domain, twenty in all
		v, _ := url.Parse("https://h" + string(rune('a'+i%26)) + ".example/")
		j.Set(v, "n"+string(rune('a'+i/26))+"=1", now)
	}
	if len(j.cookies) > 20 {
		t.Errorf("%d cookies are kept, want at most 20", len(j.cookies))
	}
}

// The session cookie that guard judges is the one that the application would
// take, whichever of several it takes, or guard takes none.
func TestSessionCookieIsTheApplications(t *testing.T) {
	lines := map[string]bool{}
	for _, c := range cookieCases(t) {
		lines[c.want] = true
		for _, s := range c.set {
			lines[s] = true // as hostile clients may send it
		}
	}
	picked, refused := 0, 0
	for line := range lines {
		for _, name := range []string{"foo", "key", "aBc", "a", "session", "bar", "name"} {
			v := &Verifier{c: &Config{Cookie: name}}
			p, found := Cookie.Find(v, &exchange.Request{Header: exchange.Header{{Name: "Cookie", Value: line}}})
			all := readAs(line, name)
			switch {
			case found && p.problem != "":
				refused++
			case found && len(all) > 0:
				picked++
				for _, value := range all {
					// Quotes and spaces around it do not make it another's.
					if strings.Trim(value, "\" \t") != strings.Trim(string(p.Value), "\" \t") {
						t.Errorf("of %q guard takes %s=%q, an application may take %q", line, name, string(p.Value), value)
					}
				}
			case !found && len(all) > 0:
				t.Errorf("of %q guard takes no %s, an application may take %q", line, name, all)
			}
		}
	}
	needs.Figure(t, "cookies, session", "%d lines and 7 names: %d picked as every reading does, %d refused", len(lines), picked, refused)
}

// readAs lists what applications read as the cookie of that name: net/http,
// and one that splits at semicolons and trims.
func readAs(line, name string) []string {
	var out []string
	for _, c := range (&http.Request{Header: http.Header{"Cookie": {line}}}).CookiesNamed(name) {
		out = append(out, c.Value)
	}
	for part := range strings.SplitSeq(line, ";") {
		if n, v, ok := strings.Cut(part, "="); ok && strings.TrimSpace(n) == name {
			out = append(out, strings.TrimSpace(v))
		}
	}
	return out
}
