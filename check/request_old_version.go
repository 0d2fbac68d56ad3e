package check

import (
	"net/http"
	"slices"
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
	Probe: probeOldVersion,
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

// mostVersions bounds the questions for other versions.
const mostVersions = 40

// probeOldVersion asks what works under another version. One that nobody can
// have made has to be refused for the answer to mean something.
func probeOldVersion(t *Trial) {
	asked := 0
	controls := map[string]*exchange.Exchange{}
	for _, r := range askable(t) {
		a, ok := r.ask(t)
		if !ok {
			continue
		}
		path, _, _ := strings.Cut(a.Target, "?")
		segments := strings.Split(path, "/")
		at := slices.IndexFunc(segments[:min(len(segments), 5)], isVersion)
		if at < 0 {
			continue
		}
		under := func(version string) string {
			s := slices.Clone(segments)
			s[at] = version
			return strings.Join(s, "/")
		}
		for _, version := range otherVersions(segments[at], t.Declared) {
			target := under(version)
			if !unnamed(t, target) || asked >= mostVersions {
				continue
			}
			asked++
			x := get(t, target, r.as)
			if !hasData(x) {
				continue
			}
			never := under(segments[at][:1] + "9741")
			if controls[never] == nil {
				controls[never] = get(t, never, r.as)
			}
			strange := "/" + strings.Join(segments[1:at], "/")
			strange = strings.TrimSuffix(strange, "/") + "/" + version + "/" + t.Mark()
			no, nothing := controls[never], get(t, strange, r.as)
			if refusedPlace(no) && refusedPlace(nothing) {
				t.Report(&Flaw{
					Place: "GET " + strings.Replace(r.e.Path, "/"+segments[at], "/"+version, 1), By: r.as,
					Evidence: []exchange.Evidence{{Where: "path", Name: version, Says: "is not the version in the contract, and the API answers"}},
					Proof:    []*exchange.Exchange{no, x},
				})
			}
		}
	}
}

func refusedPlace(x *exchange.Exchange) bool {
	s := StatusOf(x)
	return s >= 400 && s < 500
}

// otherVersions are the names of versions beside one. A later one is no news
// where the contract is only what somebody saw.
func otherVersions(version string, declared bool) []string {
	n, err := strconv.Atoi(version[1:])
	if err != nil {
		return nil
	}
	var out []string
	if n > 0 {
		out = append(out, version[:1]+strconv.Itoa(n-1))
	}
	if declared {
		out = append(out, version[:1]+strconv.Itoa(n+1))
	}
	return append(out, "beta")
}
