package gateway

import (
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// h2specReasons are the tests of h2spec that net/http fails by choice.
var h2specReasons = map[string]string{
	"Sends multiple values of SETTINGS_INITIAL_WINDOW_SIZE":                                        "net/http takes a setting that is given twice for an attack and closes; RFC 9113, 6.5.3 would have it process both",
	"Sends a HEADERS frame that contains the connection-specific header field":                     "refused with 400 instead of a reset; RFC 9113, 8.1.1 lets a server answer first",
	`Sends a HEADERS frame that contains the TE header field with any value other than "trailers"`: "refused with 400 instead of a reset, as above",
}

// TestH2Spec plays h2spec's 145 tests, when the tool is there.
func TestH2Spec(t *testing.T) {
	tool, err := exec.LookPath("h2spec")
	if err != nil {
		t.Skip("h2spec is not installed; go install github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible")
	}
	s := start(t, http.HandlerFunc(echo), func(o *Options) { o.Limits.PerAddress = -1 }, UpstreamOptions{})
	_, port, _ := net.SplitHostPort(s.Addr().String())
	out, _ := exec.Command(tool, "-h", "127.0.0.1", "-p", port, "-t", "-k", "-o", "5").CombinedOutput()
	sum := regexp.MustCompile(`\d+ tests, \d+ passed, \d+ skipped, \d+ failed`).Find(out)
	if sum == nil {
		t.Fatalf("h2spec said %s", out)
	}
	t.Logf("%s", sum)
	for _, m := range regexp.MustCompile(`(?m)× \d+: (.*)$`).FindAllStringSubmatch(string(out), -1) {
		name := strings.TrimSpace(m[1])
		if why := h2specReasons[name]; why != "" {
			t.Logf("%s: %s", name, why)
		} else {
			t.Errorf("failed: %s", name)
		}
	}
}
