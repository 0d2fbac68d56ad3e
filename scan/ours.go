package scan

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// What an API says that a new thing is called is believed only when it is seen
// that the thing is new: a number may be that of a job, of what was there
// already, or of something above. What is believed is changed and deleted.

// ours is what the thing is called that an answer says was made, or why it
// cannot be told from what was there before.
func (s *scanner) ours(r *check.Resource, owner *check.Person, x *exchange.Exchange) (o *check.Object, why string) {
	id, placed := idOf(r, x)
	if id == "" {
		return nil, "made something that does not say what it is called"
	}
	if !plainID(id) {
		return nil, "calls what it made by a path"
	}
	o = &check.Object{Resource: r, Owner: owner, Made: true, Sent: x.Request.Body.Data, Seen: x, Params: s.params(r, x.Request.Target, id)}
	path, ok := s.path(r.Item, o, owner)
	switch {
	case !ok:
		return nil, "made something that cannot be asked for"
	case s.existing[path]:
		return nil, "answers with something that was there before"
	case slices.ContainsFunc(s.trial.Endpoints, func(e *check.Endpoint) bool { return e.Path == path }):
		return nil, "calls what it made as another operation is called"
	}
	sent := marksIn(o.Sent, s.markSeed)
	shows := func(y *exchange.Exchange) bool {
		low := bytes.ToLower(check.Text(y)) // some keep capitals
		return slices.ContainsFunc(sent, func(m string) bool { return check.Contains(y, m) || bytes.Contains(low, []byte(m)) })
	}
	if len(sent) == 0 && s.unsure[r] {
		return nil, "answered before with what is not the scan's"
	}
	if x.Response.Status == 201 && placed {
		if len(sent) == 0 || shows(x) {
			return o, ""
		}
		if seen := s.look(o); shows(seen) || r.Read == nil && !check.Succeeded(seen) {
			return o, ""
		}
		return nil, "says that it made what has nothing of the scan's in it"
	}
	switch {
	case len(sent) > 0 && (shows(x) || shows(s.look(o))):
		return o, ""
	case len(sent) == 0 && len(s.known[r][owner]) < fewListed && r.List != nil && wholeList(r.List.Honest[owner]):
		return o, "" // the list was whole, and it was not in it
	}
	return nil, "does not show that what it made is new"
}

// fewListed is how many items a list has that is surely no page of a longer one.
const fewListed = 10

// wholeList reports whether an answer is so short that all in it was looked at.
func wholeList(x *exchange.Exchange) bool {
	return check.Succeeded(x) && x.Response.Body.Complete() && len(check.Text(x)) < 64<<10
}

// plainID reports whether an ID stays where a path has it: programs in between
// take dots and slashes for steps to somewhere else, encoded ones too.
func plainID(id string) bool {
	for range 3 {
		if id == "." || id == ".." || len(id) > 500 || strings.ContainsAny(id, "/\\\x00\r\n") {
			return false
		}
		next, err := url.PathUnescape(id)
		if err != nil || next == id {
			return true
		}
		id = next
	}
	return false
}

// stray takes over what a probe made in passing, so that it is taken away again.
// What cannot be told from what was there before is left, and told.
func (s *scanner) stray(a *check.Ask, x *exchange.Exchange) {
	e := a.Endpoint
	if e == nil || e.Resource == nil || s.registering || !check.Succeeded(x) {
		return
	}
	switch r := e.Resource; {
	case a.Method == "POST" && r.Create == e && e.Role == check.Create && !movesValue(e):
		if o := s.adoptMade(r, a.As, x); o != nil && a.Of != nil && a.Of != a.As {
			s.perhapsOf[o] = a.Of // it says so, and may be believed
		}
	case a.Method == "POST" && r.Create == e && e.Role == check.SignUp:
		s.adoptMade(r, nil, x)
	case a.Method == "PUT" && r.Replace == e && x.Response.Status == 201: // there was none (RFC 9110, 9.3.4)
		path := pathOf(a.Target)
		id, err := url.PathUnescape(path[strings.LastIndexByte(path, '/')+1:])
		o := &check.Object{Resource: r, Owner: a.As, Made: true, Sent: a.Body, Seen: x, Params: s.params(r, path, id)}
		if err == nil && s.madeBefore(o) == nil {
			s.keep(o)
		}
	}
}

// judged is what one answer was found to have made; nil is nothing that is known.
type judged struct {
	by *exchange.Exchange
	o  *check.Object
}

// unclear remembers that something was perhaps made that nobody takes away.
func (s *scanner) unclear(r *check.Resource, x *exchange.Exchange, why string) {
	name := x.Request.Method + " " + r.Collection
	s.note("%s %s: it is not touched", name, why)
	s.unsure[r] = true
	if left := "perhaps something by " + name; !slices.Contains(s.res.Left, left) {
		s.res.Left = append(s.res.Left, left)
	}
}

// madeBefore is what is already kept under a name, or nil.
func (s *scanner) madeBefore(o *check.Object) *check.Object {
	i := slices.IndexFunc(s.made, func(m *check.Object) bool { return m.Resource == o.Resource && m.ID() == o.ID() })
	if i < 0 {
		return nil
	}
	return s.made[i]
}
