package guard

import (
	"cmp"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// Rehearsed is what a policy would have done to recorded traffic.
type Rehearsed struct {
	// Exchanges is how many were judged.
	Exchanges int `json:"exchanges"`
	// Refused were answered, and would be refused.
	Refused int `json:"refused"`
	// Removed and Masked count members of answers.
	Removed int `json:"removed"`
	Masked  int `json:"masked"`
	// Repaired are exchanges of which something else would be put right:
	// header fields, a status, the words of a failure.
	Repaired int `json:"repaired"`
	// RefusedAlready would be refused, and got no answer then either.
	RefusedAlready int `json:"refused_already"`
	// LetIn were refused by guard then, and would now reach the API. What that
	// would answer is not known.
	LetIn int `json:"let_in"`
	// Elsewhere went to hosts that are asked for nothing of the contract.
	Elsewhere int `json:"elsewhere"`

	// What could not be decided, and counts nowhere above. Objects are by rule:
	// the object that it needs is not in the traffic. Callers are exchanges of
	// which it is not known who asked; Bodies those of which a body that
	// matters was not kept; MaskedValues those with a placeholder in its place.
	Objects      map[string]int `json:"objects"`
	Callers      int            `json:"callers"`
	Bodies       int            `json:"bodies"`
	MaskedValues int            `json:"masked_values"`

	// Rows are what would be done, by rule; Omitted counts what had no room.
	Rows    []*Row `json:"rules"`
	Omitted int    `json:"omitted,omitempty"`
	// Unruled are operations of the traffic that no rule speaks of, Unmatched
	// the requests that no operation matches.
	Unruled   []*Row `json:"without_rule"`
	Unmatched []*Row `json:"without_operation"`
}

// Found reports whether an honest client would have noticed: something refused
// or taken out.
func (r *Rehearsed) Found() bool { return r.Refused+r.Removed+r.Masked > 0 }

// A Row counts what would be done for one reason.
type Row struct {
	// Rule is the line of the policy, or the check when it needs none, and what
	// it says.
	Rule  string `json:"rule,omitempty"`
	Check string `json:"check,omitempty"`
	// Would is "refuse", "remove", "mask" or "repair".
	Would  string `json:"would,omitempty"`
	Status int    `json:"status,omitempty"` // of a refusal
	// Operation is the contract's, or the method and the shape of the path.
	Operation string `json:"operation,omitempty"`
	Count     int    `json:"count"`
	// Example is one request, "GET /v1/orders/887 as rajan", and its ID.
	Example  string      `json:"example,omitempty"`
	Exchange exchange.ID `json:"exchange,omitempty"`
}

type rowKey struct {
	rule, would string
	status      int
}

// count takes in what became of an exchange.
func (r *Rehearsal) count(t *trial, y *exchange.Exchange) {
	s := &r.result
	s.Exchanges++
	if t.who {
		s.Callers++
	}
	if t.bodies {
		s.Bodies++
	}
	if t.masked {
		s.MaskedValues++
	}
	for _, rule := range t.objects {
		s.Objects[rule]++
	}
	switch op := t.match.Operation; {
	case op != nil && r.unruled[op]:
		r.row(y, rowKey{rule: op.Name, would: "no rule"}, Row{Operation: op.Name})
	case op == nil && !t.match.Known:
		shape := y.Request.Method + " " + pathShape(y.Request.Path())
		r.row(y, rowKey{rule: shape, would: "no operation"}, Row{Operation: shape})
	}
	refused, repaired := false, false
	for i := range y.Actions {
		a := &y.Actions[i]
		rule := label(a.Rule, a.Check, a.Evidence)
		row := Row{Rule: rule, Check: a.Check}
		switch {
		case a.Kind == exchange.Refused:
			refused = true
			if !answered(t.recorded) {
				continue
			}
			row.Would, row.Status = "refuse", a.Status
		case a.Kind == exchange.Stripped && a.Where == "response body":
			if t.unknown && strings.HasSuffix(a.Says, "by others only") {
				if !t.who {
					t.who = true
					s.Callers++
				}
				continue
			}
			row.Would = "remove"
			s.Removed++
		case a.Where == "response body" && a.Rule != "":
			row.Would = "mask"
			s.Masked++
		default:
			row.Would, row.Rule = "repair", a.Check
			repaired = true
		}
		r.row(y, rowKey{row.Rule, row.Would, row.Status}, row)
	}
	switch {
	case refused && answered(t.recorded):
		s.Refused++
	case refused:
		s.RefusedAlready++
	case guardRefused(t.recorded):
		s.LetIn++
	}
	if repaired {
		s.Repaired++
	}
}

func (r *Rehearsal) row(x *exchange.Exchange, key rowKey, row Row) {
	known := r.rows[key]
	if known == nil {
		if len(r.rows) == maxRows {
			r.result.Omitted++
			return
		}
		row.Example, row.Exchange = exampleOf(x), x.ID
		known = &row
		r.rows[key] = known
	}
	known.Count++
}

// Result is what was seen so far, in the order of reports.
func (r *Rehearsal) Result() *Rehearsed {
	out := r.result
	out.Rows, out.Unruled, out.Unmatched = []*Row{}, []*Row{}, []*Row{}
	for key, row := range r.rows {
		switch key.would {
		case "no rule":
			out.Unruled = append(out.Unruled, row)
		case "no operation":
			out.Unmatched = append(out.Unmatched, row)
		default:
			out.Rows = append(out.Rows, row)
		}
	}
	order := []string{"refuse", "remove", "mask", "repair", ""}
	for _, rows := range [][]*Row{out.Rows, out.Unruled, out.Unmatched} {
		slices.SortFunc(rows, func(a, b *Row) int {
			return cmp.Or(slices.Index(order, a.Would)-slices.Index(order, b.Would), b.Count-a.Count,
				strings.Compare(a.Rule, b.Rule), strings.Compare(a.Operation, b.Operation), a.Status-b.Status)
		})
	}
	return &out
}

// label names what decided: the line of the policy and its expression, or the
// check and what it looked at.
func label(rule, check string, ev exchange.Evidence) string {
	name := ev.Name
	if strings.HasSuffix(ev.Where, "body") {
		name = anyIndex(name)
	}
	switch {
	case rule != "" && name != "":
		return rule + " " + name
	case rule != "":
		return rule
	case ev.Where == "credential":
		return check
	case name != "":
		return check + " " + name
	}
	return check
}

// anyIndex is a JSON Pointer with * for the places in lists.
func anyIndex(pointer string) string {
	parts := strings.Split(pointer, "/")
	for i, p := range parts {
		if p != "" && strings.Trim(p, "0123456789") == "" {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}

// maxShape bounds what is kept of a stranger's path.
const maxShape = 256

// pathShape is a path with {} for segments with digits in them.
func pathShape(path string) string {
	parts := strings.Split(path[:min(len(path), maxShape)], "/")
	for i, p := range parts {
		if len(p) > 24 || strings.ContainsAny(p, "0123456789") && !(len(p) < 4 && p[0] == 'v') {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

// exampleOf says in a line what was asked for, and by whom. The query stays
// out: it may hold anything.
func exampleOf(x *exchange.Exchange) string {
	path := x.Request.Path()
	s := x.Request.Method + " " + path[:min(len(path), maxShape)]
	if c := x.Server.Caller; c != nil && c.Name != "" {
		s += " as " + c.Name
	} else if c != nil {
		s += " as " + string(c.Subject)
	}
	return s
}
