package contract

import (
	"slices"
	"strconv"
	"strings"
)

// A Description is an operation in words, for the console and guard --check.
type Description struct {
	Operation string   `json:"operation"`
	ID        string   `json:"id,omitempty"`
	Place     string   `json:"place"`
	Public    bool     `json:"public"`
	Security  []string `json:"security,omitempty"` // "bearer", "key + session"
	Rules     []string `json:"rules,omitempty"`    // "owner: response.user_id (parley.yaml:14)"
	Limits    []string `json:"limits,omitempty"`   // "5 in 1m0s by address"
	// Ruled is true when a rule decides who may; Judged when each schema of
	// the operation's JSON bodies was compiled.
	Ruled  bool `json:"ruled"`
	Judged bool `json:"judged"`
}

// Describe says what is known of each operation.
func (c *Contract) Describe() []Description {
	out := make([]Description, 0, len(c.Operations))
	for _, o := range c.Operations {
		d := Description{Operation: o.Name, ID: o.ID, Place: o.Place, Public: o.Public, Ruled: len(o.Rules) > 0, Judged: true}
		for _, alternative := range o.Security {
			var names []string
			for n := range alternative {
				names = append(names, n)
			}
			slices.Sort(names)
			if len(names) > 0 {
				d.Security = append(d.Security, strings.Join(names, " + "))
			}
		}
		for _, r := range o.Rules {
			word := "allow: "
			if r.Owner {
				word = "owner: "
			}
			d.Rules = append(d.Rules, word+r.Source+" ("+r.Place+")")
		}
		for _, l := range o.Limits {
			d.Limits = append(d.Limits, l.String())
		}
		for _, b := range o.bodies() {
			if b.unjudged {
				d.Judged = false
			}
		}
		for _, p := range o.Parameters {
			if p.unjudged {
				d.Judged = false
			}
		}
		out = append(out, d)
	}
	return out
}

func (o *Operation) bodies() []*Body {
	var out []*Body
	for _, b := range o.Requests {
		out = append(out, b)
	}
	for _, r := range o.responses {
		for _, b := range r.Bodies {
			out = append(out, b)
		}
	}
	return out
}

// String is "5 in 1m0s by request.body.email".
func (l *Limit) String() string {
	return strconv.Itoa(l.Count) + " in " + l.Per.String() + " by " + l.By
}
