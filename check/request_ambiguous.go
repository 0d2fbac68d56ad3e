package check

import (
	"net/http"
	"strings"

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
		} else if name, why := disguised(p); why != "" {
			p.Refuse(http.StatusBadRequest, Header(name, why))
		}
	},
}

// disguised finds a header that frameworks believe in place of the request
// line.
func disguised(p *Pass) (name, why string) {
	for i := range p.Request.Header {
		f := &p.Request.Header[i]
		if n := len(f.Name); n != len("X-Original-Url") && n != len("X-Rewrite-Url") || f.Name[0]|0x20 != 'x' {
			continue
		}
		if !strings.EqualFold(f.Name, "X-Original-Url") && !strings.EqualFold(f.Name, "X-Rewrite-Url") {
			continue
		}
		if path := strings.TrimPrefix(f.Value, p.Request.Scheme+"://"+p.Request.Authority); path != p.Request.Target {
			return f.Name, "names another path"
		}
	}
	return "", ""
}
