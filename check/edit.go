package check

import "github.com/parley-project/parley/exchange"

// EditKind says what an Edit changes.
type EditKind uint8

const (
	EditSetHeader  EditKind = iota + 1 // one field line of this name, with this value
	EditDropHeader                     // no field of this name
	EditFieldLine                      // the field line with this index gets this value
	EditStatus                         // another status
	EditProblem                        // another status, and problem details for a body
	EditCutMember                      // a member of the JSON body goes
	EditMaskMember                     // of a member's value only the last four digits stay
	EditReword                         // guard's own answer of a status, nothing of the API's
)

// An Edit is one change to a response, proposed by a check and applied by
// guard together with all others.
type Edit struct {
	Kind   EditKind
	Check  string
	Name   string // header field
	Value  string
	Index  int // of a field line, or of a violation of the reply
	Status int
	Rule   string
	// Quiet edits are not put on record: the API did nothing wrong.
	Quiet bool
	exchange.Evidence
}

// SetHeader gives the response one field line of a name.
func SetHeader(name, value string) Edit {
	return Edit{Kind: EditSetHeader, Name: name, Value: value, Evidence: Header(name, "added")}
}

// DropHeader takes every field line of a name away.
func DropHeader(name, says string) Edit {
	return Edit{Kind: EditDropHeader, Name: name, Evidence: Header(name, says)}
}

// FieldLine changes the field line with an index.
func FieldLine(index int, value string, ev exchange.Evidence) Edit {
	return Edit{Kind: EditFieldLine, Index: index, Value: value, Evidence: ev}
}

// SetStatus gives the response another status and leaves its body alone.
func SetStatus(status int, ev exchange.Evidence) Edit {
	return Edit{Kind: EditStatus, Status: status, Evidence: ev}
}

// Problem replaces the body with problem details of a status (RFC 9457).
func Problem(status int, ev exchange.Evidence) Edit {
	return Edit{Kind: EditProblem, Status: status, Evidence: ev}
}

// CutMember takes the member that the reply's i-th violation speaks of out.
func CutMember(i int, rule string, ev exchange.Evidence) Edit {
	return Edit{Kind: EditCutMember, Index: i, Rule: rule, Evidence: ev}
}

// MaskMember leaves the last four digits of the value of the member that the
// reply's i-th violation speaks of.
func MaskMember(i int, rule string, ev exchange.Evidence) Edit {
	return Edit{Kind: EditMaskMember, Index: i, Rule: rule, Evidence: ev}
}

// Reword answers in guard's words, with its status and its header: what the API
// said must not be told from what it says elsewhere. A field may be added.
func Reword(status int, ev exchange.Evidence, add ...exchange.Field) Edit {
	e := Edit{Kind: EditReword, Status: status, Evidence: ev}
	if len(add) > 0 {
		e.Name, e.Value = add[0].Name, add[0].Value
	}
	return e
}

// Action says what the edit is to the exchange's record.
func (e *Edit) Action(enforced bool) exchange.Action {
	kind := exchange.Repaired
	if e.Kind == EditCutMember || e.Kind == EditDropHeader {
		kind = exchange.Stripped
	}
	return exchange.Action{Kind: kind, Check: e.Check, Enforced: enforced, Status: e.Status, Rule: e.Rule, Evidence: e.Evidence}
}
