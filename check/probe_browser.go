package check

import (
	"bytes"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// foreignOrigin is where the page of another site would come from.
const foreignOrigin = "https://another-site.example"

// ownOrigin is where the API's own pages come from.
func ownOrigin(x *exchange.Exchange) string { return x.Request.Scheme + "://" + x.Request.Authority }

// browser is somebody with a session's cookie: a spare person before all others,
// as that one's own things may be changed.
func (t *Trial) browser() *Person {
	best := (*Person)(nil)
	for _, p := range t.People {
		if p.Cookies != "" && (best == nil || p.Spare && !best.Spare) {
			best = p
		}
	}
	return best
}

// A forgery is a change that a page of another site may make a browser ask for.
type forgery struct {
	ask *Ask
	// look reads what the change changes; nil: the object is looked at.
	look *Ask
	// object is what is changed, where that is one: its owner reads it.
	object *Object
	mark   string // that is there afterwards; empty: anything that differs
	undo   *Ask
	// simple is true when a browser sends it without asking first (Fetch, 4.9).
	simple bool
}

// maxForgeries is how many changes of a kind are tried.
const maxForgeries = 2

// forgeries are changes of a person's own, those first that any form can send.
func (t *Trial) forgeries(p *Person) []forgery {
	var does, texts, changes []forgery
	if p.Spare {
		does = t.actions(p)
	}
	for _, r := range t.Resources {
		if r.Create == nil || r.Create.Few != "" || len(changes) >= maxForgeries {
			continue
		}
		o := r.Of(p)
		if o == nil || !o.Made {
			o = t.Make(r, p)
		}
		if o == nil || o.Seen == nil {
			continue
		}
		if f, ok := t.sentAsText(r, p, o); ok {
			texts = append(texts, f)
		}
		for _, e := range []*Endpoint{r.Update, r.Replace} {
			if f, ok := t.changed(e, p, o); ok {
				changes = append(changes, f)
				break
			}
		}
	}
	few := func(all []forgery) []forgery { return all[:min(len(all), maxForgeries)] }
	return slices.Concat(few(does), few(texts), few(changes))
}

// leaveAlone are words in paths of what ends a session or an account.
var leaveAlone = []string{"logout", "log-out", "signout", "session", "password", "delete", "close", "token", "revoke", "cancel", "email", "verify", "reset"}

// actions are those without a body on what a person has, where something near
// can be read: POST /account/freeze and GET /account.
func (t *Trial) actions(p *Person) (out []forgery) {
	for _, e := range t.Endpoints {
		if e.Role != Action || e.Method != "POST" || e.BodyRequired || strings.Contains(e.Path, "{") || e.Public || e.Few != "" ||
			slices.ContainsFunc(leaveAlone, func(w string) bool { return strings.Contains(strings.ToLower(e.Path), w) }) {
			continue
		}
		a, ok := t.Request(e, nil, p)
		if !ok {
			continue
		}
		a.Body, a.Header = nil, slices.DeleteFunc(slices.Clone(a.Header), func(f exchange.Field) bool { return strings.EqualFold(f.Name, "Content-Type") })
		f := forgery{ask: a, simple: true}
		above := e.Path[:strings.LastIndexByte(e.Path, '/')]
		for _, near := range t.Endpoints {
			switch {
			case near.Method == "GET" && (near.Path == e.Path || near.Path == above && f.look == nil) && near.Answered(p):
				f.look, _ = t.Request(near, nil, p)
			case near.Method == "DELETE" && near.Path == e.Path:
				f.undo, _ = t.Request(near, nil, p)
			}
		}
		if f.look != nil {
			out = append(out, f)
		}
	}
	return out
}

// sentAsText is an object more, in a body that is called plain text: what a form
// of another site can send. It is read back in the list.
func (t *Trial) sentAsText(r *Resource, p *Person, o *Object) (f forgery, ok bool) {
	if r.Create == nil || r.Create.Role != Create || r.List == nil || !r.List.Answered(p) || len(o.Sent) == 0 || o.Sent[0] != '{' {
		return f, false
	}
	a, ok1 := t.Request(r.Create, nil, p)
	look, ok2 := t.Request(r.List, nil, p)
	if !ok1 || !ok2 {
		return f, false
	}
	a.Body = bytes.Clone(o.Sent)
	mark := t.Mark()
	for _, m := range o.Marks {
		if bytes.Contains(a.Body, []byte(m)) {
			a.Body = bytes.ReplaceAll(a.Body, []byte(m), []byte(mark))
			return forgery{ask: a.Set("Content-Type", "text/plain"), look: look, mark: mark, simple: true}, true
		}
	}
	return f, false
}

// changed is an object that gets another text.
func (t *Trial) changed(e *Endpoint, p *Person, o *Object) (f forgery, ok bool) {
	if e == nil || e.Public {
		return f, false
	}
	a, ok := t.Request(e, o, p)
	if !ok {
		return f, false
	}
	for _, in := range a.inputs() {
		if in.in == "body" && slices.ContainsFunc(o.Marks, func(m string) bool { return strings.Contains(in.value, m) }) {
			mark := t.Mark()
			return forgery{ask: a.put(in, mark), object: o, mark: mark, undo: a}, true
		}
	}
	return f, false
}
