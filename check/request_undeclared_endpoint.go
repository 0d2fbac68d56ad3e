package check

import (
	"net/http"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// RequestUndeclaredEndpoint flags an endpoint that the contract does not name.
var RequestUndeclaredEndpoint = &Check{
	ID:    "request-undeclared-endpoint",
	Title: "an endpoint that the contract does not name answers",
	Doc: `Old versions, debug pages and forgotten functions answer beside the documented
ones. Nobody reviews what nobody knows of.`,
	Fix:  "Take it away, or write it into the contract with its rules.",
	Step: StepRequest, Severity: Medium, OWASP: "API9:2023", CWE: 1059, Conversation: []int{56},
	Needs: SawContract,

	Inspect: func(p *Pass) {
		if !p.Match.Known && p.Success() {
			p.Find(exchange.Evidence{Where: "path", Says: "is not in the contract, and the API answered"})
		}
	},
	Admit: func(p *Pass) {
		if !p.Match.Known {
			p.Refuse(http.StatusNotFound, exchange.Evidence{Where: "path", Says: "is not in the contract"})
		}
	},
	Probe: probeUndeclared,
}

// mostPlaces bounds how many places are looked for.
const mostPlaces = 40

// Names of what somebody made for himself and left behind: at the top, where the
// API's endpoints stand, and above the name of a resource.
var (
	forgottenAtRoot = []string{"/metrics", "/actuator", "/actuator/env", "/debug", "/debug/vars", "/internal", "/admin", "/.env", "/.git/config", "/server-status", "/console", "/backup"}
	forgotten       = []string{"debug", "internal", "admin", "metrics", "config", "env", "dump", "export", "backup", "test"}
	forgottenAbove  = []string{"debug", "internal", "admin", "test", "private", "dev"}
)

// probeUndeclared looks for endpoints by the names that forgotten ones have. A
// place that answers as every other name beside it does is none.
func probeUndeclared(t *Trial) {
	who := t.Attacker
	if who == nil {
		who = t.Victim
	}
	siblings := map[string]*exchange.Exchange{}
	for _, target := range forgottenPlaces(t) {
		if !unnamed(t, target) {
			continue
		}
		x := get(t, target, who)
		if !hasData(x) {
			continue
		}
		beside := target[:strings.LastIndexByte(target, '/')+1]
		if siblings[beside] == nil {
			siblings[beside] = get(t, sibling(t, target), who)
		}
		no := siblings[beside]
		if !refusedPlace(no) {
			continue
		}
		by := who
		if open := get(t, target, nil); hasData(open) {
			x, by = open, nil
		}
		t.Report(&Flaw{
			Place: "GET " + target, By: by,
			Evidence: []exchange.Evidence{{Where: "path", Says: "is not in the contract, and the API answers"}},
			Proof:    []*exchange.Exchange{no, x},
		})
	}
}

// forgottenPlaces are the targets to look at, the likeliest first.
func forgottenPlaces(t *Trial) []string {
	nouns := []string{"users"}
	for _, r := range t.Resources {
		if n := r.Collection[strings.LastIndexByte(r.Collection, '/')+1:]; !slices.Contains(nouns, n) && n != "" && !strings.Contains(n, "{") && len(nouns) < 3 {
			nouns = append(nouns, n)
		}
	}
	var out []string
	under := prefixes(t)
	if len(under) == 0 {
		under = []string{""}
	}
	for i, p := range under[:min(len(under), 2)] {
		for j, n := range nouns {
			for _, w := range forgottenAbove[:len(forgottenAbove)-3*min(j, 1)] {
				if i == 0 || j == 0 {
					out = append(out, p+"/"+w+"/"+n)
				}
			}
		}
		for _, w := range forgotten {
			out = append(out, p+"/"+w)
		}
	}
	return append(out[:min(len(out), mostPlaces-len(forgottenAtRoot))], forgottenAtRoot...)
}
