package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// Proved is a finding that somebody proved by asking: with more to tell than
// an exchange that passed by has.
type Proved struct {
	Finding    exchange.Finding // Check, Severity, Verdict, Step, Evidence, Fingerprint
	Operation  string
	Operations []string
	Count      int
	Proof
	// Exchanges are what shows it, in their order; the last one tells.
	Exchanges []*exchange.Exchange
	// Marks are texts in them that are to be pointed at.
	Marks []string
	// Curl are the commands that send them again.
	Curl []string
}

// A Proof is what is known of a finding that was proved.
type Proof struct {
	// Says is the finding in one sentence.
	Says string
	// Parameter is what was changed to show it.
	Parameter string
	// By is who asked, Of whose it was.
	By, Of string
	// Missing names the control without which it is only likely.
	Missing string
	// Suppressed is why it does not count; Known is true when a baseline has it.
	Suppressed string
	Known      bool
	// Again is the command that shows it again.
	Again string

	Operations []string
	Steps      []*ProofStep
}

// A ProofStep is one exchange of a proof.
type ProofStep struct {
	Title   string // visible: "GET /v1/orders/5001 as rajan: 200"
	Control bool
	Curl    string

	entry Entry
}

// RequestLines are the request's lines.
func (s *ProofStep) RequestLines() []Line { return s.entry.RequestLines() }

// ResponseLines are the response's lines.
func (s *ProofStep) ResponseLines() []Line { return s.entry.ResponseLines() }

// Prove takes in a finding with its proof.
func (r *Report) Prove(p Proved) {
	e := Entry{Kind: Finding, Check: r.checkOf(p.Finding.Check), Severity: p.Finding.Severity, Verdict: p.Finding.Verdict, Step: p.Finding.Step,
		Operation: p.Operation, Evidence: p.Finding.Evidence, Fingerprint: p.Finding.Fingerprint}
	last := &exchange.Exchange{Server: exchange.Server{Operation: p.Operation}, Request: exchange.Request{Method: "GET", Target: "/"}}
	if n := len(p.Exchanges); n > 0 {
		last = p.Exchanges[n-1]
	}
	proof := p.Proof
	for _, s := range []*string{&proof.Says, &proof.Parameter, &proof.By, &proof.Of, &proof.Missing, &proof.Suppressed, &proof.Again} {
		*s = r.line(*s)
	}
	proof.Operations = nil
	for _, op := range p.Operations {
		proof.Operations = append(proof.Operations, r.line(op))
	}
	for i, x := range p.Exchanges {
		if r.examples >= maxExamples {
			r.Omitted++
			break
		}
		own := r.example(x)
		r.examples += sizeOf(own)
		step := &ProofStep{Title: stepTitle(own), Control: slices.ContainsFunc(x.Links, func(l exchange.Link) bool { return l.Kind == exchange.Control })}
		step.entry = Entry{Example: own, Step: p.Finding.Step, marks: p.Marks}
		if i == len(p.Exchanges)-1 {
			step.entry.Evidence = p.Finding.Evidence
		}
		if i < len(p.Curl) {
			step.Curl = r.masker.Text(p.Curl[i])
		}
		proof.Steps = append(proof.Steps, step)
	}
	example := func() *exchange.Exchange {
		if n := len(proof.Steps); n > 0 && n == len(p.Exchanges) {
			return proof.Steps[n-1].entry.Example
		}
		return nil
	}
	r.add(last, example, e)
	kept := r.entries[Visible(e.Fingerprint)]
	if kept == nil {
		return
	}
	kept.Proof, kept.marks, kept.Exchanges, kept.Count = &proof, p.Marks, nil, max(p.Count, 1)
	for _, x := range p.Exchanges {
		if len(kept.Exchanges) < maxIDs {
			kept.Exchanges = append(kept.Exchanges, exchange.ID(Visible(string(x.ID))))
		}
	}
}

func stepTitle(x *exchange.Exchange) string {
	who := "nobody"
	if c := x.Server.Caller; c != nil {
		if who = c.Name; who == "" {
			who = string(c.Subject)
		}
	}
	target := x.Request.Target
	if len(target) > 200 {
		target = target[:200] + "…"
	}
	return Visible(fmt.Sprintf("%s %s as %s: %d", x.Request.Method, target, who, check.StatusOf(x)))
}

// Counts reports whether an entry is one that somebody has to look at: it is
// neither known nor suppressed.
func (e *Entry) Counts() bool {
	return e.Proof == nil || e.Proof.Suppressed == "" && !e.Proof.Known
}

// Standing says how sure a finding is, and whether it counts.
func (e *Entry) Standing() string {
	switch {
	case e.Proof != nil && e.Proof.Suppressed != "":
		return string(e.Verdict) + ", suppressed"
	case e.Proof != nil && e.Proof.Known:
		return string(e.Verdict) + ", known"
	}
	return string(e.Verdict)
}

// standing is Standing with the reason, for one line.
func (e *Entry) standing() string {
	s := e.Standing()
	if p := e.Proof; p != nil && p.Suppressed != "" {
		s += " (" + p.Suppressed + ")"
	}
	if p := e.Proof; p != nil && p.Missing != "" {
		s += " (not proved: " + p.Missing + ")"
	}
	return s
}

func (e *Entry) title() string {
	if e.Proof != nil {
		return e.Proof.Says
	}
	return e.Check.Title
}

// Point returns the columns of a line that marks are at, as a line of ^ to be
// put under it, or nothing.
func (e *ProofStep) Point(line string) string {
	under := []rune(strings.Repeat(" ", utf8.RuneCountInString(line)))
	found := false
	for _, m := range e.entry.marks {
		for at := 0; m != ""; {
			i := strings.Index(line[at:], m)
			if i < 0 {
				break
			}
			from := utf8.RuneCountInString(line[:at+i])
			for j := range utf8.RuneCountInString(m) {
				under[from+j] = '^'
			}
			found, at = true, at+i+len(m)
		}
	}
	if !found {
		return ""
	}
	return strings.TrimRight(string(under), " ")
}

// marked marks the lines in which a text stands that is to be pointed at.
func (e *Entry) marked(ls []Line) []Line {
	for i := range ls {
		for _, m := range e.marks {
			ls[i].Mark = ls[i].Mark || m != "" && strings.Contains(ls[i].Text, m)
		}
	}
	return ls
}
