package console

import (
	"errors"
	"net/http"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/filter"
	"github.com/parley-project/parley/store"
)

// readFilter reads a filter, or says what is wrong with it as a person can
// use it: without the package's name, with the place.
func readFilter(text string) (*filter.Expr, *Problem) {
	e, err := filter.Parse(text)
	if err == nil {
		return e, nil
	}
	p := &Problem{Status: http.StatusBadRequest, Title: "the filter cannot be read", Detail: err.Error()}
	var fe *filter.Error
	if errors.As(err, &fe) {
		p.Detail = fe.What
		if fe.Hint != "" {
			p.Detail += ": " + fe.Hint
		}
		if fe.Column > 0 {
			at := fe.Column - 1
			p.Offset = &at
		}
	}
	return nil, p
}

// An Explanation is what the catalogue says of a check.
type Explanation struct {
	ID           string            `json:"id"`
	Title        string            `json:"title"`
	Doc          string            `json:"doc"`
	Fix          string            `json:"fix"`
	Step         exchange.Step     `json:"step"`
	Severity     exchange.Severity `json:"severity"`
	OWASP        string            `json:"owasp,omitempty"`
	CWE          int               `json:"cwe,omitempty"`
	Conversation []int             `json:"conversation,omitempty"`
}

// explain looks a check up in the catalogue; nil when it has none of that ID.
func explain(id string) *Explanation {
	c := check.ByID(id)
	if c == nil {
		return nil
	}
	return &Explanation{ID: c.ID, Title: c.Title, Doc: c.Doc, Fix: c.Fix, Step: c.Step, Severity: c.Severity,
		OWASP: c.OWASP, CWE: c.CWE, Conversation: c.Conversation}
}

func catalogue() []*Explanation {
	es := make([]*Explanation, 0, len(check.All))
	for _, c := range check.All {
		es = append(es, explain(c.ID))
	}
	return es
}

// kindWords are the filter's words for what guard did.
var kindWords = map[exchange.ActionKind]string{exchange.Refused: "refused", exchange.Stripped: "stripped", exchange.Repaired: "repaired"}

// actionFilter finds the exchanges that an action was counted on.
func actionFilter(a *store.ActionCount) string {
	ts := filter.And{}
	add := func(key, value string) {
		if value != "" {
			ts = append(ts, filter.Term{Key: key, Op: filter.Is, Value: value})
		}
	}
	add("is", kindWords[a.Kind])
	add("check", a.Check)
	add("operation", a.Operation)
	add("rule", a.Rule)
	// The modes do not mix within an exchange: guard has one.
	would := filter.Node(filter.Term{Key: "is", Op: filter.Is, Value: "would"})
	if a.Enforced {
		would = filter.Not{Node: would}
	}
	return filter.Text(append(ts, would))
}
