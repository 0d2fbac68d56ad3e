package archive

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-project/parley/internal/needs"
)

// Whatever stands in a collection, the commands written of it send requests and
// do nothing else, in the plainest of shells.
func TestCurlRunsNothingElse(t *testing.T) {
	sh := needs.Program(t, "sh")
	for _, text := range []string{
		"\x01'; touch ran #", "\x01'\ntouch ran\n'", "\x7f\\'; touch ran; \\'", "$(touch ran)", "`touch ran`", "\"; touch ran; \"",
		"'; touch ran; '", "\\", "{{a}}'; touch ran #", "{{a;touch ran}}", "a\r\ntouch ran\r\n", "x; touch ran", "!touch", "\x00'; touch ran #",
	} {
		c := &Collection{Name: text, File: text, Items: []*Item{{Name: text, Doc: text, Request: &Request{Method: text, URL: "http://" + text, Params: []Field{{Name: text, Value: text}},
			Header: []Field{{Name: text, Value: text}, {Name: text}}, Options: Options{HTTP: text, Proxy: text, Cert: text, Resolve: []string{text}},
			Auth: &Auth{Scheme: "basic", Params: map[string]string{"username": text, "password": text}},
			Body: &Body{Mode: "form-data", MediaType: text, Fields: []FormField{{Field: Field{Name: text, Value: text}}, {Field: Field{Name: text}, File: text, MediaType: text, FileName: text}}}}}}}
		c.Variables = []Variable{{Name: text, Value: text}, {Name: "a", Value: text}, {Name: "PATH", Value: "."}, {Name: "LD_PRELOAD", Value: text}}
		dir := t.TempDir()
		var out bytes.Buffer
		if err := writeCurl(&out, c); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "\nPATH=") {
			t.Errorf("writeCurl(%q) sets PATH", text)
		}
		cmd := exec.Command(sh, "-c", "curl() { :; }\n"+out.String())
		cmd.Dir = dir
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("sh(%q) found %v: %s\n%s", text, err, said, out.String())
		}
		if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
			t.Errorf("sh(%q) ran a command:\n%s", text, out.String())
		}
	}
}

// Nothing of a collection is read as an option of curl, or as the name of a file.
func TestCurlOptionsOfNobody(t *testing.T) {
	c := &Collection{}
	c.Variables = []Variable{{Name: "u", Value: "-Kevil.cfg"}, {Name: "v", Value: "{{u}}"}, {Name: "f", Value: "@/etc/passwd"}}
	for _, r := range []*Request{
		{URL: "{{u}}"}, {URL: "{{v}}/x"}, {URL: "-Kevil.cfg"},
		{Body: &Body{Mode: "form-data", Fields: []FormField{{Field: Field{Name: "a=@/etc/passwd;type=x", Value: "v"}}}}},
		{Body: &Body{Mode: "form-data", Fields: []FormField{{Field: Field{Name: "a", Value: "v"}, MediaType: "text/plain;headers=@/etc/passwd"}}}},
		{Body: &Body{Mode: "form-data", Fields: []FormField{{Field: Field{Name: "a", Value: "{{f}}"}}}}},
		{Body: &Body{Mode: "form-data", Fields: []FormField{{Field: Field{Name: "a", Value: "x{{f}}"}, MediaType: "text/plain"}}}},
		{Options: Options{HTTP: "1.1 -Kevil.cfg"}},
	} {
		c.Items = []*Item{{Request: r}}
		var out bytes.Buffer
		if err := writeCurl(&out, c); err != nil {
			t.Fatal(err)
		}
		_, command, _ := strings.Cut(out.String(), "\ncurl ")
		for _, bad := range []string{"headers=", `-F a=@`, `-F 'a=@`, `-F a="${f}"`, `-F 'a="x'`, "--http1.1 -K"} {
			if strings.Contains(command, bad) {
				t.Errorf("writeCurl(%+v) wrote %s, want nothing like %s", r, command, bad)
			}
		}
		if r.URL != "" && !strings.HasPrefix(command, "--url ") {
			t.Errorf("writeCurl(%s) wrote %s, want --url before it", r.URL, command)
		}
	}
}

// A backslash outside of quotes quotes one character.
func TestCurlBackslash(t *testing.T) {
	for _, test := range []struct{ command, url string }{
		{`curl http://a.test/a\?b=1\&c=2`, "http://a.test/a?b=1&c=2"},
		{`curl 'http://a.test/'\''x'`, "http://a.test/'x"},
		{`curl "http://a.test/\b\$c"`, `http://a.test/\b$c`},
		{`curl http://a.test/\$a$b`, "http://a.test/$a{{b}}"},
	} {
		c, err := readCurl("", []byte(test.command))
		if err != nil || len(c.Items) != 1 || c.Items[0].Request.URL != test.url {
			t.Errorf("readCurl(%s) found %+v, %v, want %s", test.command, c, err, test.url)
		}
	}
}
