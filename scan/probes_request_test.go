package scan_test

import (
	"strings"
	"testing"
)

// TestRequestProbes scans a small API that behaves in one way at a time: each
// flaw is confirmed and nothing else, and what only looks like one is left
// alone.
func TestRequestProbes(t *testing.T) {
	for _, c := range []struct{ ways, want string }{
		{"", ""},
		{"any type", "request-content-type"},
		{"twice", "request-duplicate-member"},
		{"long texts", "request-schema"},
		{"any word", "request-schema"},
		{"any number", "request-schema"},
		{"patch replaces", "request-patch-replaces"},
		{"put merges", "request-put-partial"},
		{"no maximum", "request-page-size"},
		{"no maximum,many", "request-page-size"},
		{"no minimum", "request-parameters"},
		{"any order", "request-parameters"},
		{"override", "request-method-override"},
		{"get changes", "request-get-changes"},
		{"debug", "request-undeclared-endpoint"},
		{"old", "request-old-version"},
		{"hides a method", "request-method"},
		{"redirects", "status-redirect"},
		{"hash", "response-excessive-data"},
		{"card", "response-excessive-data"},

		{"many", ""},
		{"clamps", ""},
		{"clamps,many", ""},
		{"counts views", ""},
		{"counts views,get changes", "request-get-changes"},
		{"changes by itself", ""},
		{"ignores", ""},
		{"catches all", ""},
		{"says 404 to methods", ""},
		{"masked", ""},
	} {
		t.Run(c.ways, func(t *testing.T) {
			r := scanMemos(t, strings.Split(c.ways, ",")...)
			if got := strings.Join(confirmed(r), " "); got != c.want {
				t.Errorf("confirmed %q, want %q:%s", got, c.want, tell(r))
			}
		})
	}
}

// TestHugeBodyIsAHint says only likely where the contract knows of no limit.
func TestHugeBodyIsAHint(t *testing.T) {
	r := scanMemos(t, "huge")
	if len(r.Findings) != 1 || r.Findings[0].Check != "request-size" || r.Findings[0].Verdict != "likely" || r.Findings[0].Missing == "" {
		t.Errorf("found%s\nwant request-size, likely, with what is missing", tell(r))
	}
}
