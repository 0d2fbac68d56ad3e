package scan

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sort"
	"strings"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// A Finding is a flaw that was found, with what shows it again.
type Finding struct {
	// ID is the first of the fingerprint: what --replay takes.
	ID          string            `json:"id"`
	Fingerprint string            `json:"fingerprint"`
	Check       string            `json:"check"`
	Title       string            `json:"title"`
	Severity    exchange.Severity `json:"severity"`
	Verdict     exchange.Verdict  `json:"verdict"`
	Step        exchange.Step     `json:"step"`
	// Operation is where it was found, such as "GET /v1/orders/{id}". What holds
	// for many operations is one finding, with all of them in Operations.
	Operation  string   `json:"operation"`
	Operations []string `json:"operations,omitempty"`
	Parameter  string   `json:"parameter,omitempty"`
	// By is who asked, Of whose it was; "nobody" without a credential.
	By       string              `json:"by,omitempty"`
	Of       string              `json:"of,omitempty"`
	Evidence []exchange.Evidence `json:"evidence,omitempty"`
	// Missing names the control without which it is only likely.
	Missing string `json:"missing,omitempty"`
	OWASP   string `json:"owasp,omitempty"`
	CWE     int    `json:"cwe,omitempty"`
	Fix     string `json:"fix,omitempty"`
	Count   int    `json:"count"`
	// Proof are the requests that show it, fewest first; the last one tells.
	Proof []Shown `json:"proof"`
	// Marks are texts in the proof that are to be pointed at.
	Marks []string `json:"marks,omitempty"`
	// Suppressed is the reason why it does not count; Known is true when a
	// baseline has it.
	Suppressed string `json:"suppressed,omitempty"`
	Known      bool   `json:"known,omitempty"`
	// ImpliedBy is the ID of a finding that this one follows from.
	ImpliedBy string `json:"implied_by,omitempty"`

	flaw *check.Flaw
}

// Shown is one exchange of a proof.
type Shown struct {
	Exchange exchange.ID `json:"exchange"`
	As       string      `json:"as"`
	Request  string      `json:"request"` // "GET /v1/orders/5001"
	Status   int         `json:"status"`
	Control  bool        `json:"control,omitempty"`
	// Curl sends it again. It is empty until Mask: a command line has secrets.
	Curl string `json:"curl,omitempty"`

	x *exchange.Exchange
}

// Counts reports whether the finding is one that somebody has to look at.
func (f *Finding) Counts() bool { return f.Suppressed == "" && !f.Known }

// folded reports whether what a check finds is one thing of the API rather than
// one of each operation.
func folded(f *check.Flaw) bool {
	c := f.Check
	if c.Step <= exchange.StepTLS {
		return true
	}
	if len(f.Evidence) == 0 {
		return false
	}
	switch f.Evidence[0].Where {
	case "header", "cookie":
		return c.Step >= exchange.StepResponse
	}
	return strings.HasPrefix(c.ID, "status-") || c.ID == "response-error-details"
}

// addPassive takes in what can be seen in one answer.
func (s *scanner) addPassive(f *check.Flaw) { s.add(f) }

// add takes in a flaw: a new finding, or one more time for one that is there.
func (s *scanner) add(f *check.Flaw) {
	op := f.Place
	if f.Endpoint != nil {
		op = f.Endpoint.Name
	}
	n := &Finding{Check: f.Check.ID, Title: f.Check.Title, Severity: f.Check.Severity, Verdict: f.Verdict, Step: f.Check.Step, Operation: op, Parameter: f.Parameter,
		Evidence: f.Evidence, Missing: f.Missing, OWASP: f.Check.OWASP, CWE: f.Check.CWE, Fix: f.Check.Fix, Count: 1, Marks: f.Marks, flaw: f}
	key := op
	if folded(f) {
		key = "*"
	}
	if !passive(f.Check) {
		n.By, n.Of = f.By.String(), ""
		if f.Of != nil {
			n.Of = f.Of.Name
		}
	}
	n.Fingerprint = fingerprint(f.Check.ID, key, f.Parameter, n.By, n.Of)
	if had := s.findings[n.Fingerprint]; had != nil {
		had.Count++
		had.at(f, op)
		if had.Verdict == exchange.Likely && f.Verdict == exchange.Confirmed {
			n.Operations, n.Count = had.Operations, had.Count
			s.findings[n.Fingerprint] = n
			s.show(n, f)
		}
		return
	}
	n.Operations = []string{op}
	s.show(n, f)
	s.findings[n.Fingerprint] = n
	s.progress.Findings = len(s.findings)
	s.convict(f)
}

// at notes one more operation. A path that nobody declared was asked by the scan
// alone, and is named only where there is nothing else.
func (n *Finding) at(f *check.Flaw, op string) {
	switch {
	case f.Endpoint != nil && n.flaw.Endpoint == nil && folded(n.flaw):
		n.Operation, n.Operations, n.flaw = op, []string{op}, f
	case f.Endpoint == nil && n.flaw.Endpoint != nil:
	case f.Endpoint == nil && len(n.Operations) > 0:
	case !slices.Contains(n.Operations, op):
		n.Operations = append(n.Operations, op)
	}
}

func (s *scanner) show(n *Finding, f *check.Flaw) {
	n.Proof = nil
	for i, x := range f.Proof {
		if x == nil {
			continue
		}
		who := "nobody"
		if name := s.forged[x.ID]; name != "" {
			who = "forged as " + name
		} else if x.Server.Caller != nil {
			who = x.Server.Caller.Name
		}
		asked := exchange.Exchange{Request: exchange.Request{Method: x.Request.Method, Target: x.Request.Target}}
		identity.Mask(&asked, []byte(s.markSeed)) // a credential may stand in the query
		n.Proof = append(n.Proof, Shown{Exchange: x.ID, As: who, Request: asked.Request.Method + " " + asked.Request.Target, Status: check.StatusOf(x),
			Control: i < len(f.Proof)-1 && slices.ContainsFunc(x.Links, func(l exchange.Link) bool { return l.Kind == exchange.Control }), x: x})
	}
	n.ID = n.Fingerprint[:8]
}

// fingerprint names what was found, the same in every run that finds the same.
func fingerprint(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(h[:12])
}

// sorted are the findings: confirmed before likely, the worst first.
func (s *scanner) sorted() []*Finding {
	var out []*Finding
	for _, f := range s.findings {
		sort.Strings(f.Operations)
		out = append(out, f)
	}
	order := map[exchange.Verdict]int{exchange.Confirmed: 0, exchange.Likely: 1, exchange.Unknown: 2}
	slices.SortFunc(out, func(a, b *Finding) int {
		switch {
		case a.Verdict != b.Verdict:
			return order[a.Verdict] - order[b.Verdict]
		case a.Severity != b.Severity:
			return int(b.Severity - a.Severity)
		case a.Check != b.Check:
			return strings.Compare(a.Check, b.Check)
		case a.Operation != b.Operation:
			return strings.Compare(a.Operation, b.Operation)
		}
		return strings.Compare(a.Fingerprint, b.Fingerprint)
	})
	return out
}

// imply marks what follows from something else that was found at the same
// operation.
func imply(all []*Finding) {
	for _, f := range all {
		for _, g := range all {
			c := check.ByID(g.Check)
			if g != f && c != nil && slices.Contains(c.Implies, f.Check) && (g.Operation == f.Operation || slices.Contains(g.Operations, f.Operation)) {
				f.ImpliedBy = g.ID
			}
		}
	}
}
