package check

import (
	"github.com/parley-project/parley/internal/jsonscan"
)

// ResponseExcessiveData flags members that the client was never promised.
var ResponseExcessiveData = &Check{
	ID:      "response-excessive-data",
	Aliases: []string{"excessive-data"},
	Title:   "response carries more than the client was promised",
	Doc: `A whole row is put into the answer, and the client is trusted not to look:
password_hash, internal_notes, the numbers of a card. Everybody can look.`,
	Fix:  "Build each answer from the members that its schema declares; never serialize a row.",
	Step: StepResponse, Severity: High, OWASP: "API3:2023", CWE: 213, Conversation: []int{37, 53},
	Needs: SawContract | SawReply,

	Inspect: func(p *Pass) {
		for _, v := range p.ReplyViolations() {
			if says, _, bad := excess(p, v); bad {
				p.Find(ResponseBody(v.Pointer, says))
				return // one finding a response; the next is stripped the same way
			}
		}
	},
	Release: func(p *Pass) {
		for i, v := range p.ReplyViolations() {
			if says, rule, bad := excess(p, v); bad && !cutAlready(p, i) {
				p.Repair(CutMember(i, rule, ResponseBody(v.Pointer, says)))
			}
		}
	},
}

// excess reports whether a member must not leave, why, and by which line.
func excess(p *Pass, v jsonscan.Violation) (says, rule string, bad bool) {
	switch v.Kind {
	case jsonscan.Undeclared, jsonscan.WriteOnly:
		return v.Kind.String(), "", true
	case jsonscan.Marked:
		f := p.Contract.Mark(v.Mark)
		switch {
		case f == nil:
		case f.NeverSend:
			return "is never sent", f.Place, true
		case f.ReadableBy != nil && !p.Caller().HasRole(f.ReadableBy...):
			return "may be read by others only", f.Place, true
		}
	}
	return "", "", false
}

// cutAlready reports whether another check has taken this member out.
func cutAlready(p *Pass, i int) bool {
	for j := range p.Edits {
		if p.Edits[j].Kind == EditCutMember && p.Edits[j].Index == i {
			return true
		}
	}
	return false
}
