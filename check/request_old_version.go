package check

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// RequestOldVersion flags another version of the API that still answers.
var RequestOldVersion = &Check{
	ID:    "request-old-version",
	Title: "another version of the API still answers",
	Doc: `The fields that version 1 leaves out, and the checks that it makes, are new:
version 0 has neither and was never switched off.`,
	Fix:  "Take old versions away when their last client is gone; until then give them the same checks.",
	Step: StepRequest, Severity: Medium, OWASP: "API9:2023", CWE: 1059, Conversation: []int{8, 56},
	Needs: SawContract, Implies: []string{"request-undeclared-endpoint"},

	Inspect: func(p *Pass) {
		if v, bad := otherVersion(p); bad && p.Success() {
			p.Find(exchange.Evidence{Where: "path", Name: v, Says: "is not the version in the contract, and the API answered"})
		}
	},
	Admit: func(p *Pass) {
		if v, bad := otherVersion(p); bad {
			p.Refuse(http.StatusNotFound, exchange.Evidence{Where: "path", Name: v, Says: "is not the version in the contract"})
		}
	},
}

// otherVersion reports a path that the contract knows under another version.
func otherVersion(p *Pass) (version string, bad bool) {
	if p.Match.Known {
		return "", false
	}
	path := p.Request.Path()
	at := 0
	for range 3 { // /v0/…, /api/v0/…, /shop/api/v0/…
		at++
		if at > len(path) {
			return "", false
		}
		end := at + strings.IndexByte(path[at:], '/')
		if end < at {
			return "", false
		}
		if seg := path[at:end]; isVersion(seg) {
			for v := range 10 {
				other := path[:at] + seg[:1] + strconv.Itoa(v) + path[end:]
				if other != path && p.Contract.Match(p.Request.Method, other).Known {
					return seg, true
				}
			}
			return "", false
		}
		at = end
	}
	return "", false
}

func isVersion(s string) bool {
	if len(s) < 2 || len(s) > 6 || s[0]|0x20 != 'v' {
		return false
	}
	for _, c := range s[1:] {
		if (c < '0' || c > '9') && c != '.' {
			return false
		}
	}
	return true
}
