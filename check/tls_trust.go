package check

import (
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// What the checks of certificates share: each speaks for some kinds of the
// problems that were found in the chain, and makes one finding of them.

// Certificate is evidence about what the peer showed. A sentence about the
// whole chain is about that.
func Certificate(says string) exchange.Evidence {
	if rest, ok := strings.CutPrefix(says, "the chain "); ok {
		return exchange.Evidence{Where: "chain", Says: rest}
	}
	return exchange.Evidence{Where: "certificate", Says: strings.TrimPrefix(says, "the certificate ")}
}

// problems are those of some kinds, those that prevent trust first.
func problems(p *Pass, kinds ...string) (found []exchange.TrustProblem) {
	for _, t := range p.TLS.Trust.Problems {
		if slices.Contains(kinds, t.Kind) {
			found = append(found, t)
		}
	}
	return found
}

// findProblems reports problems as one finding. When none of them prevents
// trust, it is no worse than mild.
func findProblems(p *Pass, mild exchange.Severity, found []exchange.TrustProblem) {
	if len(found) == 0 {
		return
	}
	fatal := false
	var evidence []exchange.Evidence
	for _, t := range found {
		fatal = fatal || t.Fatal
		evidence = append(evidence, Certificate(t.Says))
	}
	p.Find(evidence...)
	if !fatal {
		p.found[len(p.found)-1].Severity = min(mild, p.check.Severity)
	}
}

// findKinds is findProblems for all of some kinds.
func findKinds(mild exchange.Severity, kinds ...string) func(*Pass) {
	return func(p *Pass) { findProblems(p, mild, problems(p, kinds...)) }
}
