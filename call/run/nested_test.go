package run

import (
	"strings"
	"testing"

	"github.com/ohler55/ojg/oj"
)

// A body cannot be nested so deep that to look at it uses up the stack.
func TestNesting(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"a":[`, n/2) + strings.Repeat("]}", n/2) }
	for _, test := range []struct {
		body string
		ok   bool
	}{
		{deep(maxNesting), true}, {deep(maxNesting + 2), false}, {deep(4 << 20), false}, {strings.Repeat("[", 4<<20), false},
		{`["` + strings.Repeat("[", 2000) + `\"{"]`, true}, {"[" + strings.Repeat("[],", 2000) + "[]]", true},
	} {
		var p oj.Parser
		if _, err := parseJSON(&p, []byte(test.body)); (err == nil) != test.ok {
			t.Errorf("parseJSON(%.40s) found %v, want %v", test.body, err, test.ok)
		}
	}
}
