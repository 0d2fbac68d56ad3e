package scan

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// make makes an object as a person, with marks in all fields that are free.
func (s *scanner) make(r *check.Resource, owner *check.Person) *check.Object {
	e := r.Create
	if e == nil || e.Role == check.SignUp || movesValue(e) {
		return nil
	}
	a, ok := s.request(e, nil, owner)
	if !ok {
		return nil
	}
	plain := a.Body
	bodies := s.bodies(e, plain, owner)
	tried := map[string]bool{}
	for _, body := range bodies {
		if tried[string(body)] {
			continue
		}
		tried[string(body)] = true
		b := *a
		b.Body = body
		x := s.ask(&b)
		if !check.Succeeded(x) {
			if st := check.StatusOf(x); st == 0 || st == 401 || st == 403 || st == 404 || st == 405 || st >= 500 {
				e.Honest[owner] = x
				return nil
			}
			continue
		}
		e.Honest[owner], s.proved[e] = x, body
		id := idOf(r, x)
		if id == "" {
			s.note("%s made something that does not say what it is called", e.Name)
			return nil
		}
		o := &check.Object{Resource: r, Owner: owner, Made: true, Sent: body, Seen: x, Params: s.params(r, a.Target, id)}
		if s.wasThere(o) {
			s.note("%s answers with something that was there before: it is left alone", e.Name)
			return nil
		}
		if seen := s.look(o); check.Succeeded(seen) {
			o.Seen = seen
		}
		sent := marksIn(body, s.markSeed)
		for _, m := range sent {
			if check.Contains(o.Seen, m) {
				o.Marks = append(o.Marks, m)
			}
		}
		// An answer may name what somebody else made: without a word of ours in it
		// only a 201 says that it is new.
		if len(o.Marks) == 0 && (len(sent) > 0 && o.Seen != x || x.Response.Status != 201) {
			s.note("%s does not show what was sent to it: what it names is left alone", e.Name)
			s.res.Left = append(s.res.Left, "perhaps "+pathOf(a.Target)+"/"+id)
			return nil
		}
		s.keep(o)
		return o
	}
	return nil
}

// wasThere reports whether an object was seen before the scan made anything.
func (s *scanner) wasThere(o *check.Object) bool {
	path, ok := s.path(o.Resource.Item, o, o.Owner)
	return !ok || s.existing[path]
}

// mostBodies is how many bodies are tried to make something.
const mostBodies = 9

// bodies are what may be taken to make something, the best first: with marks,
// of the sample and of what else was seen; then as they are.
func (s *scanner) bodies(e *check.Endpoint, plain []byte, owner *check.Person) [][]byte {
	forms := [][]byte{plain}
	for _, other := range e.Sample.Others { // which of them is taken, nobody has said
		forms = append(forms, s.settled(e, other, owner))
	}
	marked, bare := [][]byte{s.marked(e, plain, everywhere)}, s.shorter(e, plain)
	for _, f := range forms {
		if m := s.marked(e, f, inText); string(m) != string(f) {
			marked = append(marked, m)
		}
		bare = append(bare, f)
	}
	if keep := mostBodies - 3; len(marked) > keep {
		marked = marked[:keep]
	}
	all := append(marked, bare...)
	return all[:min(len(all), mostBodies)]
}

// adoptMade takes what an answer says was made as an object of a person.
func (s *scanner) adoptMade(r *check.Resource, owner *check.Person, x *exchange.Exchange) *check.Object {
	id := idOf(r, x)
	if id == "" {
		return nil
	}
	o := &check.Object{Resource: r, Owner: owner, Made: true, Params: s.params(r, x.Request.Target, id), Sent: x.Request.Body.Data, Seen: x}
	if slices.ContainsFunc(s.made, func(m *check.Object) bool { return m.Resource == r && m.ID() == id }) {
		return o
	}
	sent := marksIn(o.Sent, s.markSeed)
	shows := slices.ContainsFunc(sent, func(m string) bool { return check.Contains(x, m) })
	if s.wasThere(o) || !shows && (len(sent) > 0 && len(check.Members(x)) > 1 || x.Response.Status != 201) {
		return nil // it may be somebody else's
	}
	s.keep(o)
	return o
}

// movesValue reports whether an endpoint takes something from somebody and gives
// it to somebody else: made by a person who was there before it would change
// what is theirs, and a newcomer has nothing to give.
func movesValue(e *check.Endpoint) bool {
	amount, to := false, false
	for _, l := range check.Leaves(e.Sample.Body) {
		low := strings.ToLower(l.Name)
		for _, w := range []string{"amount", "sum", "value", "credits", "points"} {
			amount = amount || low == w || strings.HasSuffix(low, "_"+w)
		}
		for _, w := range []string{"to_", "to", "recipient", "beneficiary", "payee", "receiver", "dest", "destination", "target"} {
			to = to || low == w || strings.HasPrefix(low, w) && isIDName(l.Name) || strings.HasPrefix(low, w+"_")
		}
	}
	return amount && to
}

// params are the values of an item path's variables: those of the collection's
// path as it was asked, and the new object's own.
func (s *scanner) params(r *check.Resource, target, id string) map[string]string {
	out := map[string]string{r.Key: id}
	want, got := strings.Split(r.Collection, "/"), strings.Split(pathOf(target), "/")
	for i, part := range want {
		if strings.HasPrefix(part, "{") && i < len(got) {
			if v, err := url.PathUnescape(got[i]); err == nil {
				out[strings.Trim(part, "{}")] = v
			}
		}
	}
	return out
}

// look reads an object as its owner. What was just written may take a moment to
// show.
func (s *scanner) look(o *check.Object) *exchange.Exchange {
	if o.Resource.Read == nil {
		return s.lookInList(o)
	}
	a, ok := s.request(o.Resource.Read, o, o.Owner)
	if !ok {
		return &exchange.Exchange{Failure: "there is no way to read it"}
	}
	a.Control = true
	var x *exchange.Exchange
	for try := range 6 {
		x = s.ask(a)
		if check.StatusOf(x) != 404 || !o.Made || try > 0 && o.Seen != nil && o.Seen.Request.Method == "GET" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return x
}

// lookInList reads the list that an object stands in.
func (s *scanner) lookInList(o *check.Object) *exchange.Exchange {
	if o.Resource.List == nil {
		return &exchange.Exchange{Failure: "there is no way to read it"}
	}
	a, ok := s.request(o.Resource.List, o, o.Owner)
	if !ok {
		return &exchange.Exchange{Failure: "there is no way to read it"}
	}
	a.Control = true
	return s.ask(a)
}

// everywhere and inText choose the members that get marks.
func everywhere(l check.Leaf) bool {
	return l.Kind == "string" && !isIDName(l.Name) && !isPassword(l.Name)
}

func inText(l check.Leaf) bool {
	if !everywhere(l) {
		return false
	}
	low := strings.ToLower(l.Name)
	for _, w := range []string{"note", "memo", "title", "name", "desc", "text", "comment", "message", "address", "subject", "label", "content", "body", "question", "answer", "review", "reason"} {
		if strings.Contains(low, w) {
			return true
		}
	}
	return false
}

// marked puts marks into a body.
func (s *scanner) marked(e *check.Endpoint, body []byte, where func(check.Leaf) bool) []byte {
	for _, l := range check.Leaves(body) {
		if !where(l) || isPrivileged(l.Name) {
			continue
		}
		mark := s.mark()
		for _, v := range []string{mark, mark + "@example.com"} {
			if strings.Contains(l.Value, "@") != strings.Contains(v, "@") {
				continue
			}
			raw, _ := json.Marshal(v)
			if next := check.SetMember(body, l.Pointer, raw); next != nil && s.sound(e, next) {
				body = next
				break
			}
		}
	}
	return body
}

// marksIn are the marks of this scan that stand in a text.
func marksIn(body []byte, seed string) []string {
	var out []string
	for _, l := range check.Leaves(body) {
		if i := strings.Index(l.Value, "parley"+seed); i >= 0 && len(l.Value) >= i+6+len(seed)+3 {
			out = append(out, l.Value[i:i+6+len(seed)+3])
		}
	}
	return out
}

// idOf is what a new object is called: the end of Location, or the member that
// holds it.
func idOf(r *check.Resource, x *exchange.Exchange) string {
	if x.Response == nil {
		return ""
	}
	if to := x.Response.Header.Get("Location"); to != "" {
		if u, err := url.Parse(to); err == nil && strings.Count(u.Path, "/") >= strings.Count(r.Item, "/") {
			parts := strings.Split(strings.TrimSuffix(u.Path, "/"), "/")
			if v, err := url.PathUnescape(parts[len(parts)-1]); err == nil && v != "" {
				return v
			}
		}
	}
	return idAmong(r, check.Members(x), "")
}

// idAmong finds an object's own ID among its leaves below a pointer.
func idAmong(r *check.Resource, leaves []check.Leaf, below string) string {
	noun := singular(r.Name)
	names := []string{r.Key, noun + "_id", noun + "Id", noun + "ID", "id", "uuid", "_id", "slug", "key", noun, "subject", "name", "username", "title"}
	for _, deep := range []int{1, 2, 3} {
		for _, name := range names {
			for _, l := range leaves {
				rest, ok := strings.CutPrefix(l.Pointer, below)
				if ok && l.Name == name && strings.Count(rest, "/") == deep && (l.Kind == "string" || l.Kind == "number") && l.Value != "" {
					return l.Value
				}
			}
		}
	}
	return ""
}

// items are the objects of a list that an answer holds, as pointers.
func items(x *exchange.Exchange) []string {
	var out []string
	for _, l := range check.Members(x) {
		i := strings.Index(l.Shape, "/*")
		if i < 0 || strings.Count(l.Shape[:i], "/") > 2 {
			continue
		}
		// The index stands where the shape has its first star.
		rest := l.Pointer[i+1:]
		index, _, deep := strings.Cut(rest, "/")
		if at := l.Pointer[:i] + "/" + index; deep && !slices.Contains(out, at) {
			out = append(out, at)
			if len(out) >= 200 {
				break
			}
		}
	}
	return out
}
