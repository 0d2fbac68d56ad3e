package scan

import (
	"time"

	"slices"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// passive reports whether a check may judge every exchange of a scan: those of
// the request and of the server judge what was asked, and that was asked on
// purpose. They have probes.
func passive(c *check.Check) bool {
	if c.Inspect == nil || c.Step == exchange.StepRequest || c.Step == exchange.StepServer {
		return false
	}
	return c.Admit == nil || c.Step < exchange.StepRequest
}

// needsDeclaration are checks that hold an answer against what the API's makers
// declared.
var needsDeclaration = []string{"response-schema", "status-undeclared", "response-excessive-data"}

// ofAnswers are checks of fields that an API's own answers are to have. What a
// server says by itself to a method or path that nobody made up but the scan is
// none of them.
var ofAnswers = []string{"response-csp", "response-hsts", "response-nosniff", "response-frame-options", "response-cache-control", "response-content-type"}

// promised reports whether an exchange is about an operation that is there, and
// was answered as such.
func (s *scanner) promised(a *check.Ask, x *exchange.Exchange) bool {
	return a.Endpoint != nil && (a.Method == a.Endpoint.Method || a.Method == "HEAD") && x.Response.Status < 500
}

// declared reports whether the API's makers described what is asked about.
func (s *scanner) declared(a *check.Ask) bool {
	return !s.o.Learnt && (a.Endpoint == nil || !slices.Contains(s.o.Shadow, a.Endpoint.Name))
}

// inspect lets the passive checks judge an exchange.
func (s *scanner) inspect(x *exchange.Exchange, a *check.Ask, known bool) {
	if x.Response == nil || x.Response.Status == 101 { // after which HTTP is over
		return
	}
	p := check.PassOf(x, s.o.Contract, time.Now())
	if known {
		p.Saw |= check.SawCaller
	}
	if a.Endpoint == nil {
		p.Match = contract.Match{} // a place that is not in the contract
	}
	for _, c := range s.checks {
		if !passive(c) || !s.declared(a) && slices.Contains(needsDeclaration, c.ID) || !s.promised(a, x) && slices.Contains(ofAnswers, c.ID) {
			continue
		}
		p.Run(c, c.Inspect)
	}
	for _, f := range p.Findings() {
		c := check.ByID(f.Check)
		flaw := &check.Flaw{Check: c, Verdict: f.Verdict, Endpoint: a.Endpoint, By: a.As, Evidence: f.Evidence, Proof: []*exchange.Exchange{x}}
		if a.Endpoint == nil {
			flaw.Place = a.Method + " " + pathOf(a.Target)
		}
		if len(f.Evidence) > 0 {
			flaw.Parameter = whereOf(f.Evidence[0])
		}
		s.addPassive(flaw)
	}
	x.Findings = nil
}

// whereOf is the part of a message that evidence is about, in words that stay:
// without the numbers of a list.
func whereOf(e exchange.Evidence) string {
	name := e.Name
	if e.Where == "response body" || e.Where == "request body" {
		name = shapeOf(name)
	}
	if name == "" {
		return e.Where
	}
	return e.Where + " " + name
}

// shapeOf is a JSON Pointer with * for each number.
func shapeOf(pointer string) string {
	out := []byte(nil)
	for i := 0; i < len(pointer); {
		j := i + 1
		for j < len(pointer) && pointer[j] != '/' {
			j++
		}
		part := pointer[i:j]
		digits := len(part) > 1
		for k := 1; k < len(part); k++ {
			digits = digits && part[k] >= '0' && part[k] <= '9'
		}
		if digits {
			part = "/*"
		}
		out = append(out, part...)
		i = j
	}
	return string(out)
}
