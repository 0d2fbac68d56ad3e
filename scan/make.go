package scan

import (
	"encoding/json"
	"net/url"
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
		o := s.adoptMade(r, owner, x)
		if o == nil {
			return nil
		}
		o.Sent, o.Marks = body, nil
		if seen := s.look(o); check.Succeeded(seen) {
			o.Seen = seen
		}
		for _, m := range marksIn(body, s.markSeed) {
			if check.Contains(o.Seen, m) {
				o.Marks = append(o.Marks, m)
			}
		}
		return o
	}
	return nil
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
	if s.lastMade.by == x {
		return s.lastMade.o
	}
	o, why := s.ours(r, owner, x)
	if o == nil {
		s.unclear(r, x, why)
	} else if had := s.madeBefore(o); had != nil {
		o = had
	} else {
		s.keep(o)
	}
	s.lastMade = judged{x, o}
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
// holds it. It is not placed where Location is of something else, such as the
// job that makes it.
func idOf(r *check.Resource, x *exchange.Exchange) (id string, placed bool) {
	if x.Response == nil {
		return "", false
	}
	to := x.Response.Header.Get("Location")
	if id := lastOf(r, to); id != "" {
		u, _ := url.Parse(to)
		return id, u.Host == "" || strings.EqualFold(u.Host, x.Request.Authority)
	}
	return idAmong(r, check.Members(x), ""), to == ""
}

// lastOf is the last segment of the path of a Location that is of a resource's
// item, or empty. Something before may have been taken off by a gateway.
func lastOf(r *check.Resource, to string) string {
	u, err := url.Parse(to)
	if err != nil {
		return ""
	}
	want, got := strings.Split(r.Item, "/"), strings.Split(strings.TrimSuffix(u.EscapedPath(), "/"), "/")
	if len(got) < len(want) {
		return ""
	}
	got = got[len(got)-len(want)+1:]
	for i, part := range want[1:] {
		if !strings.Contains(part, "{") && !strings.EqualFold(part, got[i]) {
			return ""
		}
	}
	v, err := url.PathUnescape(got[len(got)-1])
	if err != nil {
		return ""
	}
	return v
}

// idAmong finds an object's own ID among its leaves below a pointer.
func idAmong(r *check.Resource, leaves []check.Leaf, below string) string {
	noun := singular(r.Name)
	names := []string{r.Key, noun + "_id", noun + "Id", noun + "ID", "id", "uuid", "_id", "slug", "key", noun, "subject", "name", "username", "title"}
	for _, deep := range []int{1, 2, 3} {
		if deep > 1 { // {"tenant": {"id": 1}, "user": {"id": 55}}
			for _, l := range leaves {
				rest, ok := strings.CutPrefix(l.Pointer, below)
				if ok && (l.Name == r.Key || l.Name == "id") && strings.EqualFold(rest, "/"+noun+"/"+l.Name) && (l.Kind == "string" || l.Kind == "number") && l.Value != "" {
					return l.Value
				}
			}
		}
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

// An item is one thing of a list: where it stands, and its leaves.
type item struct {
	at     string // a JSON Pointer
	leaves []check.Leaf
}

// items are the objects of a list, in their order.
func items(leaves []check.Leaf) []*item {
	var out []*item
	by := map[string]*item{}
	for _, l := range leaves {
		i := strings.Index(l.Shape, "/*")
		if i < 0 || strings.Count(l.Shape[:i], "/") > 2 {
			continue
		}
		// The index stands where the shape has its first star.
		rest := l.Pointer[i+1:]
		index, _, deep := strings.Cut(rest, "/")
		if !deep {
			continue
		}
		at := l.Pointer[:i+1+len(index)]
		if by[at] == nil {
			by[at] = &item{at: at}
			out = append(out, by[at])
		}
		by[at].leaves = append(by[at].leaves, l)
	}
	return out
}
