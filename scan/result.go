package scan

import (
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// Schema names the JSON form of a Result.
const Schema = "parley.scan/1"

// A Result is what a scan found.
type Result struct {
	Schema   string        `json:"schema"`
	Target   string        `json:"target"`
	Title    string        `json:"title,omitempty"`
	Start    time.Time     `json:"start"`
	Time     time.Duration `json:"time"` // nanoseconds
	Requests int           `json:"requests"`
	// People are who asked.
	People   []Asker    `json:"people"`
	Findings []*Finding `json:"findings"`
	// Access says for each operation what each person gets.
	Access []Row `json:"access"`
	// Left are the objects that were made and could not be taken away again.
	Left []string `json:"left,omitempty"`
	// Notes are what a person should know of how it went, one line each.
	Notes []string `json:"notes,omitempty"`
	// Incomplete says why the scan ended before its end; empty when it did not.
	Incomplete string `json:"incomplete,omitempty"`

	perOperation map[string]int
	scanner      *scanner // that found it; nil in a result that was read
}

// An Asker is one of the people a scan asked as.
type Asker struct {
	Name    string   `json:"name"`
	Subject string   `json:"subject,omitempty"`
	Roles   []string `json:"roles,omitempty"`
	Spare   bool     `json:"spare,omitempty"` // registered by the scan
	Part    string   `json:"part,omitempty"`  // "victim", "attacker"
}

// A Row is what each person gets of one operation.
type Row struct {
	Operation string `json:"operation"`
	Few       string `json:"few,omitempty"` // why it seems to be for few
	Open      bool   `json:"open,omitempty"`
	Cells     []Cell `json:"cells"`
}

// A Cell is what one person gets.
type Cell struct {
	Who string `json:"who"` // "nobody" for without a credential
	// Own is what came of asking for one's own or for nobody's: "allowed",
	// "refused", or empty when it was not asked.
	Own string `json:"own,omitempty"`
	// Others is what came of asking for somebody else's, or for what is for
	// few: "enforced", "bypassed", "unclear", or empty.
	Others string `json:"others,omitempty"`
	// Evidence are the exchanges that say so, at most three.
	Evidence []exchange.ID `json:"evidence,omitempty"`
	Status   int           `json:"status,omitempty"` // of the telling one
	Finding  string        `json:"finding,omitempty"`
}

func (r *Result) asked(operation string) {
	if r.perOperation == nil {
		r.perOperation = map[string]int{}
	}
	r.perOperation[operation]++
}

// PerOperation is how many requests were about each operation.
func (r *Result) PerOperation() map[string]int { return r.perOperation }

// Confirmed counts the findings that were proved, are not known and not
// suppressed, at a severity or above.
func (r *Result) Confirmed(at exchange.Severity) (n int) {
	for _, f := range r.Findings {
		if f.Verdict == exchange.Confirmed && f.Severity >= at && f.Counts() {
			n++
		}
	}
	return n
}

// Exchanges are those that findings show, with the findings on the telling ones.
func (r *Result) Exchanges() []*exchange.Exchange {
	var out []*exchange.Exchange
	seen := map[exchange.ID]*exchange.Exchange{}
	for _, f := range r.Findings {
		for i, p := range f.Proof {
			if p.x == nil {
				continue
			}
			x := seen[p.x.ID]
			if x == nil {
				own := *p.x
				own.Findings = nil
				x = &own
				seen[p.x.ID] = x
				out = append(out, x)
			}
			if i == len(f.Proof)-1 {
				x.Findings = append(x.Findings, exchange.Finding{Check: f.Check, Severity: f.Severity, Verdict: f.Verdict, Step: f.Step, Evidence: f.Evidence, Fingerprint: f.Fingerprint})
			}
		}
	}
	return out
}

// finish puts the result together.
func (s *scanner) finish() *Result {
	r := s.res
	r.Time, r.scanner = time.Since(r.Start), s
	if r.Findings = s.sorted(); r.Incomplete == allFails {
		r.Findings = nil
	}
	imply(r.Findings)
	for _, p := range s.trial.People {
		a := Asker{Name: p.Name, Subject: p.Subject, Roles: p.Roles, Spare: p.Spare}
		switch p {
		case s.trial.Victim:
			a.Part = "victim"
		case s.trial.Attacker:
			a.Part = "attacker"
		}
		r.People = append(r.People, a)
	}
	for _, e := range s.trial.Endpoints {
		row := Row{Operation: e.Name, Few: e.Few, Open: open(e), Cells: []Cell{}}
		for _, p := range append([]*check.Person{nil}, s.trial.People...) {
			if c := s.cells[cellKey{e.Name, p}]; c != nil {
				row.Cells = append(row.Cells, *c)
			}
		}
		r.Access = append(r.Access, row)
	}
	if r.Notes == nil {
		r.Notes = []string{}
	}
	return r
}

type cellKey struct {
	operation string
	who       *check.Person
}

// cell writes down what somebody got.
func (s *scanner) cell(a *check.Ask, x *exchange.Exchange) {
	if a.Endpoint == nil || a.Bare || x.Response == nil || a.Method != a.Endpoint.Method {
		return
	}
	k := cellKey{a.Endpoint.Name, a.As}
	c := s.cells[k]
	if c == nil {
		c = &Cell{Who: a.As.String()}
		if s.cells == nil {
			s.cells = map[cellKey]*Cell{}
		}
		s.cells[k] = c
	}
	st := x.Response.Status
	refused := st == 401 || st == 403
	foreign := a.Of != nil && a.Of != a.As || a.Endpoint.Few != "" && a.As != nil && !s.mayFew(a.Endpoint, a.As)
	if a.Of != nil && a.Of != a.As && a.As != nil && a.Endpoint.Few == "" {
		if s.ofOthers == nil {
			s.ofOthers = map[int]int{}
		}
		s.ofOthers[st]++
	}
	switch {
	case foreign && (refused || st == 404) && c.Others != "bypassed":
		c.Others = "enforced"
	case foreign && c.Others == "":
		c.Others = "unclear"
	case !foreign && check.Succeeded(x):
		c.Own = "allowed"
	case !foreign && refused && c.Own == "":
		c.Own = "refused"
	default:
		return
	}
	c.Status = st
	if len(c.Evidence) < 3 {
		c.Evidence = append(c.Evidence, x.ID)
	}
}

// convict marks the cells that a finding is about.
func (s *scanner) convict(f *check.Flaw) {
	if f.Endpoint == nil || f.Verdict != exchange.Confirmed || !strings.HasPrefix(f.Check.ID, "auth") {
		return
	}
	k := cellKey{f.Endpoint.Name, f.By}
	if strings.HasPrefix(f.Check.ID, "authn-") {
		k.who = nil // whoever forges a credential has none
	}
	c := s.cells[k]
	if c == nil {
		c = &Cell{Who: k.who.String()}
		if s.cells == nil {
			s.cells = map[cellKey]*Cell{}
		}
		s.cells[k] = c
	}
	c.Others = "bypassed"
	if n := len(f.Proof); n > 0 && f.Proof[n-1] != nil {
		c.Status = check.StatusOf(f.Proof[n-1])
		c.Evidence = slices.Insert(c.Evidence, 0, f.Proof[n-1].ID)
		c.Evidence = c.Evidence[:min(3, len(c.Evidence))]
	}
	for _, g := range s.findings {
		if g.flaw == f {
			c.Finding = g.ID
		}
	}
}
