package gateway

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-project/parley/internal/needs"
)

// h2specMisses are the cases that the HTTP/2 server of net/http does not pass.
// Each lies below anything that a handler or this package sees.
var h2specMisses = map[string]string{
	"Sends multiple values of SETTINGS_INITIAL_WINDOW_SIZE":                                        "RFC 9113, 6.5.3: a setting given twice in one frame closes the connection, where both were to be processed",
	"Sends a HEADERS frame that contains the connection-specific header field":                     "RFC 9113, 8.2.2: Connection in a request is answered 400, where a stream error was expected (8.1.1 lets a server answer first)",
	`Sends a HEADERS frame that contains the TE header field with any value other than "trailers"`: "RFC 9113, 8.2.2: TE: other than trailers is answered 400, as above",
}

var (
	h2specSum  = regexp.MustCompile(`(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed`)
	h2specMiss = regexp.MustCompile(`(?m)× \d+: (.*)$`)
)

// TestH2Spec plays the 145 cases of h2spec against the gateway. A case that
// fails must be one of those named above.
func TestH2Spec(t *testing.T) {
	tool := needs.Program(t, "h2spec")
	s := start(t, http.HandlerFunc(echo), func(o *Options) { o.Limits.PerAddress = -1 }, UpstreamOptions{})
	_, port, _ := net.SplitHostPort(s.Addr().String())
	// It exits 1 when a case fails; what it says is judged instead.
	out, _ := exec.CommandContext(t.Context(), tool, "-h", "127.0.0.1", "-p", port, "-t", "-k", "-o", "5").CombinedOutput()
	sum := h2specSum.FindStringSubmatch(string(out))
	if sum == nil {
		t.Fatalf("h2spec said %s", out)
	}
	tests, _ := strconv.Atoi(sum[1])
	passed, _ := strconv.Atoi(sum[2])
	if tests != 145 || passed < 142 {
		t.Errorf("h2spec: %s, want at least 142 of 145", sum[0])
	}
	needs.Figure(t, "h2spec", "%d of %d passed", passed, tests)
	var misses []string
	for _, m := range h2specMiss.FindAllStringSubmatch(string(out), -1) {
		if name := strings.TrimSpace(m[1]); !slices.Contains(misses, name) {
			misses = append(misses, name)
		}
	}
	for i, name := range misses {
		why := h2specMisses[name]
		if why == "" {
			t.Errorf("h2spec: failed: %s", name)
			continue
		}
		needs.Figure(t, fmt.Sprintf("h2spec, miss %d, in net/http", i+1), "%s", why)
	}
}
