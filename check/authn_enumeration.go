package check

import (
	"bytes"
	"net/http"

	"github.com/parley-project/parley/exchange"
)

// AuthnEnumeration flags a log-in that tells who has an account.
var AuthnEnumeration = &Check{
	ID:    "authn-enumeration",
	Title: "a log-in tells who has an account",
	Doc: `An unknown name is refused in other words, or with another status, than a
wrong password. Whoever has a list of addresses learns which are worth guessing
passwords for.`,
	Fix: "Answer a failed log-in or reset in one way, whatever failed, and take the same time for it.",
	Remedy: `rules:
  - operation: POST /v1/login
    hide_existence: true`,
	Step: StepServer, Severity: Medium, OWASP: "API2:2023", CWE: 204, Conversation: []int{24, 26},
	Needs: SawContract | SawResponse,

	Inspect: func(p *Pass) {
		if !hidesAccounts(p) {
			return
		}
		switch says := tellsAccount(p); {
		case p.Response.Status != http.StatusUnauthorized:
			p.Find(Status("tells an unknown account from a wrong password"))
		case says:
			p.Suspect(ResponseBody("", "tells an unknown account from a wrong password"))
		}
	},
	Release: func(p *Pass) {
		if !hidesAccounts(p) {
			return
		}
		says := "may tell an unknown account from a wrong password"
		e := Reword(http.StatusUnauthorized, Status(says), challenge(p))
		e.Quiet = p.Response.Status == http.StatusUnauthorized && !tellsAccount(p)
		p.Repair(e)
	},
	Probe: func(t *Trial) {
		for _, tl := range t.tellings() {
			f := &Flaw{Endpoint: tl.endpoint, Of: tl.who, Evidence: []exchange.Evidence{{Where: "response", Says: tl.says}},
				Proof: []*exchange.Exchange{tl.stranger, tl.known}}
			if tl.missing != "" {
				f.Verdict, f.Missing = exchange.Likely, tl.missing
			}
			t.Report(f)
		}
	},
}

// hidesAccounts reports a refusal by an operation for everybody whose policy
// hides what exists: by a log-in, or what resets a password.
func hidesAccounts(p *Pass) bool {
	op := p.Operation()
	if op == nil || !op.Public || !op.HideExistence {
		return false
	}
	switch p.Response.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusLocked:
		return true
	}
	return false
}

var accountWords = [][]byte{
	[]byte("no such user"), []byte("no such account"), []byte("user not found"), []byte("account not found"), []byte("unknown user"),
	[]byte("unknown account"), []byte("no user has"), []byte("no account"), []byte("not registered"), []byte("does not exist"),
	[]byte("wrong password"), []byte("incorrect password"), []byte("invalid password"), []byte("password is wrong"), []byte("password does not match"),
}

func tellsAccount(p *Pass) bool {
	text := p.Response.Body.Data
	text = bytes.ToLower(text[:min(len(text), 2048)])
	if bytes.Contains(text, []byte(" or password")) { // "name or password": it does not tell
		return false
	}
	for _, w := range accountWords {
		if bytes.Contains(text, w) {
			return true
		}
	}
	return false
}
