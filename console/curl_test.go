package console

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/needs"
)

// TestCurl runs what a person would paste: a shell must hand curl exactly the
// words of the request, and run nothing.
func TestCurl(t *testing.T) {
	sh := needs.Program(t, "sh")
	dir := t.TempDir()
	// A curl that writes its words down, each ended by a NUL.
	fakeCurl := "#!" + sh + "\nfor w in \"$@\"; do printf '%s\\0' \"$w\"; done > \"$OUT\"\n"
	if err := os.WriteFile(filepath.Join(dir, "curl"), []byte(fakeCurl), 0o777); err != nil {
		t.Fatal(err)
	}
	hostile := []string{
		"plain", "", "a b", "'; touch PWNED; '", "$(touch PWNED)", "`touch PWNED`", `"; touch PWNED; "`, `\'; touch PWNED #`, "a\ntouch PWNED\n", "a\r\ntouch PWNED",
		"\x1b[2J\x1b]0;title\x07", "-o PWNED", "--config=PWNED", "@PWNED", "{a,b}[1-3]", "~/x", "!!", "a;b|c&d>PWNED<e", "%s%n%%", `\\`, "\x00"[:0], "ü€😀", "\u202eevil", "=x", "a'b'c", "\t", "\x7f", "#", "*", "? [a-z]",
	}
	for _, h := range hostile {
		x := &exchange.Request{Method: "POST", Scheme: "https", Authority: "api.test", Target: "/" + h, Proto: "HTTP/1.1",
			Header: exchange.Header{{Name: "X-" + h, Value: h}, {Name: "Authorization", Value: "Bearer secret:0123456789ab"}}, Body: body(h + "!")}
		line := Curl(x)
		out := filepath.Join(dir, "words")
		os.Remove(out)
		cmd := exec.Command(sh, "-c", line)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + dir + ":/usr/bin:/bin", "OUT=" + out, "HOME=" + dir}
		if b, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%q: %v: %s\n%s", h, err, b, line)
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "PWNED")); err == nil {
			t.Fatalf("%q ran a command:\n%s", h, line)
		}
		b, _ := os.ReadFile(out)
		words := strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
		header := "X-" + h + ": " + h
		if h == "" {
			header = "X-;"
		}
		want := []string{"-X", "POST", "--globoff", "--path-as-is", "https://api.test/" + h, "-H", header, "-H", "Authorization: Bearer secret:0123456789ab", "--data-raw", h + "!"}
		// A command substitution drops line ends at the end of a word.
		for i := range want {
			want[i] = strings.TrimRight(want[i], "\n")
		}
		if got := strings.Join(words, "\x00"); got != strings.Join(want, "\x00") {
			t.Errorf("%q: curl got %q, want %q\n%s", h, words, want, line)
		}
		for i := 0; i < len(line); i++ {
			if ch := line[i]; ch < ' ' && ch != '\n' || ch == 0x7f {
				t.Errorf("%q: the line to paste holds the control character %#x", h, ch)
			}
		}
		if strings.Count(line, "\n") != strings.Count(line, "\\\n") {
			t.Errorf("%q: a line end that is not continued:\n%s", h, line)
		}
	}
	if got := Curl(&exchange.Request{Method: "GET", Scheme: "http", Authority: "a", Target: "/", Body: exchange.Body{Size: 9, Data: []byte("cut")}}); !strings.Contains(got, "--data-binary @body") {
		t.Errorf("a body that was cut: %s", got)
	}
}
