package check

import (
	"net/http"
	"strconv"
	"time"

	"github.com/parley-project/parley/exchange"
)

// AuthnRateLimit flags an operation that may be tried without end.
var AuthnRateLimit = &Check{
	ID:      "authn-rate-limit",
	Aliases: []string{"brute-force"},
	Title:   "a log-in may be tried without end",
	Doc: `Nothing slows down a program that tries one password after another, or one
page after another. What can be asked for without limit is guessed in the end.`,
	Fix: "Count attempts by account and by address, and answer 429 with Retry-After.",
	Remedy: `limits:
  - {operation: POST /v1/login, rate: 5/minute, by: request.body.email}`,
	Step: StepServer, Severity: High, OWASP: "API4:2023", CWE: 307, Conversation: []int{27},
	Needs: SawContract | SawBody,

	Admit: func(p *Pass) {
		op := p.Operation()
		if op == nil || p.Count == nil {
			return
		}
		for _, l := range op.Limits {
			key, ok := l.Key(&p.Input)
			if !ok {
				continue // a value that is absent is for the schema to refuse
			}
			if ok, wait := p.Count(l, key); !ok {
				seconds := int((wait + time.Second - 1) / time.Second)
				p.RefuseBy(l.Place, http.StatusTooManyRequests, exchange.Evidence{Where: "limit", Name: l.By, Says: "used up"},
					exchange.Field{Name: "Retry-After", Value: strconv.Itoa(max(1, seconds))})
				return
			}
		}
	},
	Probe: func(t *Trial) {
		if t.Gentle {
			return
		}
		t.tellings() // and everything else that wants to log in comes before
		logInSpares(t)
		for _, d := range t.doors(false) {
			if d.password.in != "" && guessesFreely(t, d) {
				return // one door is enough
			}
		}
	},
}

// maxGuesses is how many wrong passwords are tried: more than anybody mistypes.
const maxGuesses = 18

// guessesFreely tries one wrong password after another for somebody whom nobody
// misses, and then the right one.
func guessesFreely(t *Trial, d door) bool {
	who := t.knocker()
	name := ""
	if who != nil {
		name = who.Email
	} else {
		name = t.stranger("somebody.who.is.not@example.com")
	}
	var first, last *exchange.Exchange
	for range maxGuesses {
		last = d.try(t, name, "Aa1!"+t.Mark())
		if first == nil {
			first = last
		}
		switch status := StatusOf(last); {
		case status != StatusOf(first), status == 0, status == 404, status == 405, status == 415, status == 429, status >= 500:
			return false
		case last.Times.Wait > 3*first.Times.Wait && last.Times.Wait-first.Times.Wait > 400*time.Millisecond:
			return false // each guess is slower than the one before
		}
	}
	flaw := &Flaw{Endpoint: d.endpoint, Of: who, Proof: []*exchange.Exchange{first, last},
		Evidence: []exchange.Evidence{Status(statusText(StatusOf(last)) + " to the " + strconv.Itoa(maxGuesses) + "th wrong password in a row, as to the first")}}
	if who == nil {
		if Succeeded(last) || StatusOf(last) == 400 || StatusOf(last) == 422 {
			return false // a password may not have been asked for at all
		}
		flaw.Verdict, flaw.Missing = exchange.Likely, "nobody's right password is known, to see whether it still works"
		t.Report(flaw)
		return true
	}
	right := d.try(t, name, string(who.Password))
	if !Succeeded(right) || Succeeded(last) && Alike(last, right, nil) {
		return false
	}
	flaw.Proof = append(flaw.Proof, right)
	flaw.Evidence = append(flaw.Evidence, Status("then the right one was let in"))
	t.Report(flaw)
	return true
}
