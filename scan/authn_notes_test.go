package scan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/parley-project/parley/check"
)

// Mistakes that the examples do not make, and what looks like one and is none.
func TestAuthnOfNotes(t *testing.T) {
	for _, test := range []struct{ flaw, confirmed, likely string }{
		{"", "", ""},
		{"opaque", "", ""},
		{"weak secret", "authn-invalid", ""},
		{"blank signature", "authn-invalid", ""},
		{"opaque,half", "authn-invalid", ""},
		{"fetches keys", "authn-jwt-header", ""},
		{"token in query", "request-token-in-url", ""},
		{"nobody deletes", "authn-missing", ""},
		{"nobody writes", "authn-missing", ""},
		{"open health", "", "authn-missing"},
		{"guess freely", "authn-rate-limit", ""},
		{"locks silently", "", ""},
		{"tells by text", "authn-enumeration", ""},
		{"tells by time", "", "authn-enumeration"},
		{"any form", "client-csrf", ""},
		{"any page", "", "client-csrf"}, // no form can send JSON
		{"quotes", "request-injection", ""},
		{"null", "client-cors", ""},
		{"longer names", "client-cors", ""},
		{"names before", "client-cors", ""},
		{"reflects", "client-cors", ""},
		{"numbers", "request-injection", ""},
		{"query operators", "request-injection", ""},
		{"operators", "request-injection", ""},
		{"templates", "request-injection", ""},
		{"sleeps", "request-injection", ""},
	} {
		t.Run(test.flaw, func(t *testing.T) {
			o := notesOptions(t, splitWords(test.flaw)...)
			o.Only = []string{"authn-missing", "authn-jwt-none", "authn-jwt-algorithm", "authn-jwt-kid", "authn-jwt-key", "authn-invalid",
				"authn-rate-limit", "authn-enumeration", "request-token-in-url", "request-ssrf", "request-injection", "client-csrf", "client-cors", "client-cookie"}
			if test.flaw == "" || test.flaw == "fetches keys" { // it waits for a call
				o.Only = append(o.Only, "authn-jwt-header")
			}
			for _, id := range o.Only {
				if check.ByID(id) == nil {
					t.Fatalf("there is no check %s", id)
				}
			}
			r := scanWith(t, o)
			var likely []string
			for _, f := range r.Findings {
				for _, p := range f.Proof {
					if strings.Contains(p.Request, "eyJ") {
						t.Errorf("the finding shows a token: %s", p.Request)
					}
				}
				if f.Verdict != "confirmed" && !slices.Contains(likely, f.Check) {
					likely = append(likely, f.Check)
				}
			}
			if got := confirmed(r); !slices.Equal(got, splitWords(test.confirmed)) || !slices.Equal(likely, splitWords(test.likely)) {
				t.Errorf("scan confirmed %v, and found %v likely; want %q and %q:%s", got, likely, test.confirmed, test.likely, tell(r))
			}
		})
	}
}

func splitWords(list string) []string {
	return slices.DeleteFunc(strings.Split(list, ","), func(s string) bool { return s == "" })
}
