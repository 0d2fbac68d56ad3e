package check

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// RequestGetChanges flags a GET that asks for a change.
var RequestGetChanges = &Check{
	ID:    "request-get-changes",
	Title: "a GET changes something",
	Doc: `GET promises to change nothing (RFC 9110, 9.2.1), and browsers, crawlers and
caches rely on it: they send one for a picture, a link, a preview. An order that
?action=cancel cancels is cancelled by whoever shows its owner a picture.`,
	Fix:  "Change things with POST, PUT, PATCH and DELETE only; ignore or refuse parameters of GET that ask for a change.",
	Step: StepRequest, Severity: High, OWASP: "API8:2023", CWE: 650, Conversation: []int{3},
	Needs: SawContract, Implies: []string{"request-parameters", "request-undeclared-endpoint"},

	Inspect: func(p *Pass) {
		if ev, bad := asksForChange(p); bad && p.Success() {
			ev.Says += ", and the API answered"
			p.Suspect(ev)
		}
	},
	Admit: func(p *Pass) {
		if ev, bad := asksForChange(p); bad && ev.Where == "path" {
			p.Refuse(http.StatusNotFound, ev)
		} else if bad {
			p.Refuse(http.StatusBadRequest, ev)
		}
	},
}

var changeWords = map[string]bool{
	"delete": true, "remove": true, "destroy": true, "drop": true, "purge": true, "cancel": true, "update": true, "edit": true, "create": true,
	"add": true, "set": true, "reset": true, "approve": true, "reject": true, "pay": true, "refund": true, "transfer": true, "disable": true,
	"enable": true, "activate": true, "deactivate": true, "revoke": true, "publish": true, "freeze": true, "unfreeze": true, "logout": true,
}

// asksForChange finds an undeclared verb: ?cancel=1, ?action=cancel, /cancel. A
// GET that the contract declares so is for its author to think about.
func asksForChange(p *Pass) (exchange.Evidence, bool) {
	if p.Request.Method != "GET" && p.Request.Method != "HEAD" {
		return exchange.Evidence{}, false
	}
	for _, f := range p.Parameters {
		if f.In != "query" || f.Keyword != "undeclared" {
			continue
		}
		name := strings.ToLower(f.Name)
		if changeWords[name] {
			return Query(f.Name, "asks for a change with "+p.Request.Method), true
		}
		switch name {
		case "action", "do", "op", "cmd", "command", "method", "act", "task":
			q, _ := url.ParseQuery(p.Request.Query())
			if changeWords[strings.ToLower(q.Get(f.Name))] {
				return Query(f.Name, "asks for a change with "+p.Request.Method), true
			}
		}
	}
	if !p.Match.Known {
		path := p.Request.Path()
		if changeWords[strings.ToLower(path[strings.LastIndexByte(path, '/')+1:])] {
			return exchange.Evidence{Where: "path", Says: "asks for a change with " + p.Request.Method}, true
		}
	}
	return exchange.Evidence{}, false
}
