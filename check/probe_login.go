package check

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// A door is an endpoint that is told a name and a password, or a name alone to
// have the password sent anew.
type door struct {
	endpoint       *Endpoint
	ask            *Ask
	name, password input // password.in is empty at a reset
}

// doors are the log-ins, and with resets what is asked by who forgot a password.
func (t *Trial) doors(resets bool) (out []door) {
	for _, e := range t.Endpoints {
		if e.Method != "POST" || !(e.Role == LogIn || resets && isReset(e)) {
			continue
		}
		a, ok := t.Request(e, nil, nil)
		if !ok {
			continue
		}
		d := door{endpoint: e, ask: a.With(nil)}
		for _, i := range a.inputs() {
			switch {
			case d.password.in == "" && isPassword(i.word()):
				d.password = i
			case (d.name.in == "" || isAddress(i.word())) && isName(i.word()):
				d.name = i
			}
		}
		if d.name.in != "" && (d.password.in != "" || isReset(e)) {
			out = append(out, d)
		}
	}
	return out
}

// isReset reports whether an endpoint is for who forgot a password.
func isReset(e *Endpoint) bool {
	path := strings.ToLower(e.Path)
	forgot := slices.ContainsFunc([]string{"forgot", "reset", "recover", "lost"}, func(w string) bool { return strings.Contains(path, w) })
	return forgot && e.Public && len(e.Parameters) == 0 && !strings.Contains(path, "{")
}

func isPassword(word string) bool {
	return identity.SecretName(word) || strings.Contains(word, "pass") || word == "pwd" || word == "pin"
}

func isAddress(word string) bool { return strings.Contains(word, "mail") }

func isName(word string) bool {
	return isAddress(word) || slices.ContainsFunc([]string{"user", "login", "name", "account", "phone", "identifier", "handle"},
		func(w string) bool { return strings.Contains(word, w) })
}

// try knocks at the door. A reset takes no password.
func (d door) try(t *Trial, name, password string) *exchange.Exchange {
	a := d.ask.put(d.name, name)
	if d.password.in != "" {
		a = a.put(d.password, password)
	}
	a.Bare = true
	return t.Ask(a)
}

// logIn lets a spare person in by a door, once a trial.
func (t *Trial) logIn(d door, p *Person) *exchange.Exchange {
	if x, ok := t.known.logIns[d.endpoint]; ok {
		return x
	}
	if t.known.logIns == nil {
		t.known.logIns = map[*Endpoint]*exchange.Exchange{}
	}
	x := d.try(t, p.Email, string(p.Password))
	t.known.logIns[d.endpoint] = x
	return x
}

// logInSpares has a spare person log in everywhere, for what can be seen in the
// answers.
func logInSpares(t *Trial) {
	p := t.knocker()
	if p == nil {
		return
	}
	for _, d := range t.doors(false) {
		if d.password.in != "" {
			t.logIn(d, p)
		}
	}
}

// knocker is a spare person whose password is known: the last one, whose account
// nobody misses when it is locked. It is nil when there is none.
func (t *Trial) knocker() *Person {
	for _, p := range slices.Backward(t.People) {
		if p.Spare && p != t.Victim && p != t.Attacker && p.Email != "" && p.Password != "" {
			return p
		}
	}
	return nil
}

// stranger is an address of the same form as another, of somebody who does not
// exist.
func (t *Trial) stranger(like string) string {
	local, host, ok := strings.Cut(like, "@")
	mark := t.Mark()
	for len(mark) < len(local) {
		mark += t.Mark()
	}
	if n := len(local); n >= 12 { // as long as the other, and different at its end
		mark = mark[len(mark)-n:]
	}
	if !ok {
		return mark
	}
	return mark + "@" + host
}

// unechoed is an answer's text without what it repeats of the request.
func unechoed(x *exchange.Exchange, said ...string) []byte {
	text := bytes.Clone(Text(x))
	for _, s := range said {
		if s == "" {
			continue
		}
		q, _ := json.Marshal(s)
		text = bytes.ReplaceAll(text, q[1:len(q)-1], []byte("*"))
		text = bytes.ReplaceAll(text, []byte(s), []byte("*"))
	}
	return text
}
