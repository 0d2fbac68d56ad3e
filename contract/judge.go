package contract

import (
	"fmt"

	"github.com/parley-project/parley/internal/jsonscan"
)

// Judge says in words what a body does against its declaration; judged is
// false when nothing is declared that it could be held against.
func (b *Body) Judge(raw []byte) (violations []string, judged bool) {
	if b == nil || !b.json || !b.Judged {
		return nil, false
	}
	f := b.Scan(raw, jsonscan.Limits{})
	if f.Result.Fault != nil {
		return []string{fmt.Sprintf("%s at %q", f.Result.Fault.Kind, f.Result.Fault.Pointer)}, true
	}
	for _, v := range f.Result.Violations {
		if v.Kind == jsonscan.Marked {
			continue // the policy speaks of it, not the description
		}
		s := fmt.Sprintf("%s: %s", v.Pointer, v.Kind)
		if v.Keyword != "" {
			s += " " + v.Keyword
		}
		if v.Detail != "" {
			s += ": " + v.Detail
		}
		violations = append(violations, s)
	}
	return violations, true
}
