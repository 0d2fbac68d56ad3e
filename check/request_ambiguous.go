package check

import (
	"net/http"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// RequestAmbiguous flags a path that two programs may read in two ways.
var RequestAmbiguous = &Check{
	ID:      "request-ambiguous",
	Aliases: []string{"smuggling"},
	Title:   "a path that two programs read in two ways",
	Doc: `Dot segments, encoded slashes, backslashes and the like are resolved by some
programs and not by others. What one of them takes for a public file another
takes for an administrator's function.`,
	Fix:  "Refuse such targets; never decide on one reading and act on another.",
	Step: StepRequest, Severity: High, OWASP: "API8:2023", CWE: 22, Conversation: []int{8},

	Admit: func(p *Pass) {
		if why, bad := contract.AmbiguousPath(p.Request.Path()); bad {
			p.Refuse(http.StatusBadRequest, exchange.Evidence{Where: "path", Says: why})
		}
	},
}
