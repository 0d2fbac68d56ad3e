package contract

import (
	"fmt"
	"strings"

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
		return []string{fmt.Sprintf("%s at /%s", f.Result.Fault.Kind, strings.TrimPrefix(f.Result.Fault.Pointer, "/"))}, true
	}
	for _, v := range f.Result.Violations {
		if v.Kind == jsonscan.Marked {
			continue // the policy speaks of it, not the description
		}
		where := v.Pointer
		if where == "" {
			where = "/"
		}
		s := fmt.Sprintf("%s: %s", where, v.Kind)
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
