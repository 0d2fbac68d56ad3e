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

// probeOldVersion asks what works under another version: all of it under the one
// before, then the rest as far as the bound goes. One that nobody can have made
// has to be refused for the answer to mean something, and so has a name under
// the version that nothing has.
func probeOldVersion(t *Trial) {
	type question struct {
		r              reader
		target, op     string
		version        string
		never, nothing string
	}
	var byVersion [3][]question
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
		before, after := strings.Join(segments[:at], "/")+"/", "/"+strings.Join(segments[at+1:], "/")
		for i, version := range otherVersions(segments[at], t.Declared) {
			if target := before + version + after; version != "" && unnamed(t, target) {
				byVersion[i] = append(byVersion[i], question{r, target, strings.Replace(r.e.Path, "/"+segments[at]+"/", "/"+version+"/", 1), version,
					before + segments[at][:1] + "9741" + after, before + version + "/" + t.Mark()})
			}
		}
	}
	all := slices.Concat(byVersion[:]...)
	for _, q := range all[:min(len(all), mostVersions)] {
		x := get(t, q.target, q.r.as)
		if !hasData(x) {
			continue
		}
		no, nothing := get(t, q.never, q.r.as), get(t, q.nothing, q.r.as)
		if refusedPlace(no) && refusedPlace(nothing) {
			t.Report(&Flaw{
				Place: "GET " + q.op, By: q.r.as,
				Evidence: []exchange.Evidence{{Where: "path", Name: q.version, Says: "is not the version in the contract, and the API answers"}},
				Proof:    []*exchange.Exchange{no, x},
			})
		}
	}
}

// otherVersions are the names of versions beside one, the likeliest first. A
// later one is no news where the contract is only what somebody saw.
func otherVersions(version string, declared bool) (out [3]string) {
	n, err := strconv.Atoi(version[1:])
	if err != nil {
		return out
	}
	if n > 0 {
		out[0] = version[:1] + strconv.Itoa(n-1)
	}
	if declared {
		out[1] = version[:1] + strconv.Itoa(n+1)
	}
	out[2] = "beta"
	return out
}
