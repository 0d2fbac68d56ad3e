package check

import (
	"strings"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/jsonscan"
)

// ResponseAccountNumber flags account numbers that are sent whole.
var ResponseAccountNumber = &Check{
	ID:    "response-account-number",
	Title: "an account number is sent whole",
	Doc: `Four digits are enough to know one's own account by. The rest is for whoever
reads the answer where it does not belong: a log, a screenshot, a stolen
telephone.`,
	Fix: "Send account and card numbers as XXXX and the last four digits.",
	Remedy: `fields:
  - schema: Account
    masked: [account_number]`,
	Step: StepResponse, Severity: High, OWASP: "API3:2023", CWE: 359, Conversation: []int{38},
	Needs: SawContract | SawReply, Implies: []string{"response-schema"},

	Inspect: func(p *Pass) {
		for i := range p.ReplyViolations() {
			if v, _, bad := wholeNumber(p, i); bad {
				p.Find(ResponseBody(v.Pointer, "is a whole account number"))
				return
			}
		}
	},
	Release: func(p *Pass) {
		for i := range p.ReplyViolations() {
			switch v, rule, bad := wholeNumber(p, i); {
			case bad && rule == "":
				p.Find(ResponseBody(v.Pointer, "is a whole account number"))
			case bad:
				p.Repair(MaskMember(i, rule, ResponseBody(v.Pointer, "is a whole account number")))
			}
		}
	},
	Probe: probeAccountNumbers,
}

// wholeNumber reports a number that the policy wants masked and that is not,
// or one that its pattern would not have let through.
func wholeNumber(p *Pass, i int) (v *jsonscan.Violation, rule string, bad bool) {
	v = &p.Input.Reply.Result.Violations[i]
	switch v.Kind {
	case jsonscan.Marked:
		if f := p.Contract.Mark(v.Mark); f != nil && f.Masked {
			start, end := Value(p.Input.Reply.Raw, v)
			return v, f.Place, digits(p.Input.Reply.Raw[start:end]) > 4
		}
	case jsonscan.Invalid:
		if v.Keyword == "pattern" {
			name := strings.ToLower(pointerName(v.Pointer))
			return v, "", strings.Contains(name, "account_number") || strings.Contains(name, "accountnumber") || name == "iban" || strings.Contains(name, "card_number")
		}
	}
	return v, "", false
}

// Value returns where the value of a member stands that a violation spans with
// its name and comma.
func Value(data []byte, v *jsonscan.Violation) (start, end int) {
	if v.Start < 0 || v.End > len(data) || v.Start >= v.End {
		return 0, 0
	}
	start, end = v.Start, v.End
	for start < end && data[start] != '"' { // the comma before it
		start++
	}
	for start++; start < end && data[start] != '"'; start++ { // the name
		if data[start] == '\\' {
			start++
		}
	}
	for start < end && data[start] != ':' {
		start++
	}
	for start++; start < end && strings.IndexByte(" \t\r\n", data[start]) >= 0; start++ {
	}
	for end > start && strings.IndexByte(" \t\r\n,", data[end-1]) >= 0 {
		end--
	}
	if start > end {
		return 0, 0
	}
	return start, end
}

func digits(b []byte) (n int) {
	for _, c := range b {
		if c >= '0' && c <= '9' {
			n++
		}
	}
	return n
}

// probeAccountNumbers looks for whole account numbers where no schema speaks of
// them. One that does knows why: an API for payments has to show them.
func probeAccountNumbers(t *Trial) {
	told(t, func(e *Endpoint, p *Person, x *exchange.Exchange, l Leaf, _ map[string]bool, objected, judged bool) bool {
		if judged && t.Declared || objected || !accountIn(l) {
			return false
		}
		t.Report(&Flaw{
			Endpoint: e, Parameter: "response body " + l.Shape, By: p,
			Evidence: []exchange.Evidence{ResponseBody(l.Pointer, "is a whole account number")},
			Proof:    []*exchange.Exchange{x},
		})
		return true
	})
}
