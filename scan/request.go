package scan

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// request makes the honest request of an endpoint: about an object, or about
// what the person has. It is false when a value is needed that nobody knows.
func (s *scanner) request(e *check.Endpoint, o *check.Object, as *check.Person) (*check.Ask, bool) {
	a := &check.Ask{As: as, Endpoint: e, Method: e.Method}
	if o != nil && o.Owner != as {
		a.Of = o.Owner
	}
	path, ok := s.path(e.Path, o, as)
	if !ok {
		return nil, false
	}
	var query []string
	for _, v := range e.Sample.Values {
		if !v.Required {
			continue
		}
		for _, p := range v.Pairs {
			switch v.In {
			case "query":
				value := p.Value
				if known := s.valueFor(p.Name, as); known != "" {
					value = known
				}
				query = append(query, contract.Escape(p.Name)+"="+contract.Escape(value))
			case "header":
				a.Header = append(a.Header, exchange.Field{Name: p.Name, Value: s.headerValue(p, path)})
			}
		}
	}
	if s.versioned[e] && !a.Header.Has("If-Match") {
		a.Header = append(a.Header, exchange.Field{Name: "If-Match", Value: s.version(path)})
	}
	a.Target = path
	if len(query) > 0 {
		a.Target += "?" + strings.Join(query, "&")
	}
	if len(e.Sample.Body) > 0 {
		a.Body = s.body(e, o, as)
		a.Header = append(a.Header, exchange.Field{Name: "Content-Type", Value: s.mediaType(e)})
	}
	return a, true
}

// mediaType is what the body is called: plain JSON where that is taken, or what
// was taken before.
func (s *scanner) mediaType(e *check.Endpoint) string {
	if mt := s.media[e]; mt != "" {
		return mt
	}
	if e.Requests["application/json"] != nil || e.Sample.MediaType == "" {
		return "application/json"
	}
	return e.Sample.MediaType
}

// otherMedia is another name for JSON that an endpoint may want, or empty.
func (s *scanner) otherMedia(e *check.Endpoint) string {
	for _, mt := range slices.Sorted(maps.Keys(e.Requests)) {
		if mt != s.mediaType(e) && strings.HasSuffix(mt, "json") {
			return mt
		}
	}
	return ""
}

// headerValue is the value of a field that is required. A change that must name
// its version takes the last one seen, or any.
func (s *scanner) headerValue(p contract.Param, path string) string {
	if strings.EqualFold(p.Name, "If-Match") {
		return s.version(path)
	}
	return p.Value
}

// version is what If-Match says of a path: the last version seen, or any.
func (s *scanner) version(path string) string {
	if tag := s.tags[path]; tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return "*"
}

// path fills in the variables of a path template.
func (s *scanner) path(template string, o *check.Object, as *check.Person) (string, bool) {
	parts := strings.Split(template, "/")
	words := slices.Clone(parts) // the template's own
	for i, part := range words {
		open := strings.IndexByte(part, '{')
		if open < 0 {
			continue
		}
		end := strings.IndexByte(part, '}')
		if end < open {
			return "", false
		}
		name, value := part[open+1:end], ""
		prefix := strings.Join(words[:i+1], "/")
		if o != nil && (strings.HasPrefix(o.Resource.Item+"/", prefix+"/")) {
			value = o.Params[name]
		}
		if value == "" {
			value = s.valueAt(prefix, name, as)
		}
		if value == "" {
			return "", false
		}
		parts[i] = part[:open] + escapePath(value) + part[end+1:]
	}
	return strings.Join(parts, "/"), true
}

// valueAt is a value for the variable that a path template ends in.
func (s *scanner) valueAt(prefix, name string, as *check.Person) string {
	r := s.resourceAt(prefix)
	if r != nil {
		if o := r.Of(as); o != nil {
			return o.Params[name]
		}
		if as == nil || as != s.trial.Victim {
			if o := r.Of(s.trial.Victim); o != nil && as == nil {
				return o.Params[name]
			}
		}
	}
	noun := name
	if r != nil && (name == "id" || name == "uuid" || name == "key" || name == "slug") {
		noun = singular(r.Name)
	}
	if v := s.valueFor(noun, as); v != "" {
		return v
	}
	if r != nil {
		for _, p := range append([]*check.Person{as}, s.trial.People...) {
			if os := s.known[r][p]; len(os) > 0 {
				return os[0].Params[name]
			}
		}
		for _, p := range s.trial.People {
			if o := r.Of(p); o != nil {
				return o.Params[name]
			}
		}
	}
	return s.exampleAt(prefix, name)
}

// exampleAt is a value that traffic had at a place. Of a description the
// sampler may have made it up.
func (s *scanner) exampleAt(prefix, name string) string {
	if !s.o.Learnt {
		return ""
	}
	for _, e := range s.trial.Endpoints {
		if !strings.HasPrefix(e.Path+"/", prefix+"/") {
			continue
		}
		for _, v := range e.Sample.Values {
			if v.In == "path" && v.Name == name && len(v.Pairs) > 0 {
				return v.Pairs[0].Value
			}
		}
	}
	return ""
}

// valueFor is what is known of somebody under a name: "tenant", "user_id".
func (s *scanner) valueFor(name string, as *check.Person) string {
	if as == nil {
		as = s.trial.Victim
	}
	if as == nil {
		return ""
	}
	plain := noID(name)
	if v := as.Facts[name]; v != "" && name != "id" && name != "name" {
		return v
	}
	if v := as.Facts[plain]; v != "" && plain != "name" && plain != "id" {
		return v
	}
	if isPeople(plain) || plain == "owner" || plain == "author" {
		return as.Subject
	}
	return ""
}

// noID takes the end off a name that says it is an identifier: user_id, userId.
func noID(name string) string {
	low := strings.ToLower(name)
	for _, end := range []string{"_id", "-id", "_uuid", "_slug", "_key"} {
		if s, ok := strings.CutSuffix(low, end); ok {
			return s
		}
	}
	if s, ok := strings.CutSuffix(name, "Id"); ok && s != "" {
		return strings.ToLower(s)
	}
	if s, ok := strings.CutSuffix(name, "ID"); ok && s != "" {
		return strings.ToLower(s)
	}
	return low
}

func isIDName(name string) bool {
	low := strings.ToLower(name)
	return low == "id" || low == "sub" || low == "subject" || low == "uuid" || low == "uid" || noID(name) != low
}

// privileged are members that give more than an ordinary caller has; an honest
// request leaves them out when it may.
var privileged = []string{"role", "roles", "admin", "isadmin", "superuser", "issuperuser", "staff", "isstaff", "permissions", "permission", "scopes", "scope",
	"groups", "group", "plan", "tier", "verified", "isverified", "emailverified", "approved", "isapproved", "status", "state", "balance", "credit", "credits",
	"owner", "ownerid", "userid", "createdby", "accountid", "fromuserid", "fromaccountid", "tenant", "tenantid"}

func isPrivileged(name string) bool {
	return slices.Contains(privileged, strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name)))
}

// body is the honest body of an endpoint: the sample without what only few may
// set, with what is known in the place of what the sampler made up. A change of
// an object keeps what made it.
func (s *scanner) body(e *check.Endpoint, o *check.Object, as *check.Person) []byte {
	body := s.settled(e, likest(e, o), as)
	if b := s.proved[e]; b != nil && o == nil {
		body = s.settled(e, b, as)
	}
	if o == nil || len(o.Sent) == 0 || e.Role != check.Replace && e.Role != check.Update {
		return body
	}
	var sent, now map[string]json.RawMessage
	if json.Unmarshal(o.Sent, &sent) != nil || json.Unmarshal(body, &now) != nil {
		return body
	}
	for name := range now {
		if v, ok := sent[name]; ok && s.sound(e, set(body, "/"+name, v)) {
			body = set(body, "/"+name, v)
		}
	}
	return body
}

// likest is of the bodies that an endpoint is known to take the one that is most
// like what made an object, with a text in it to change.
func likest(e *check.Endpoint, o *check.Object) []byte {
	if o == nil || len(e.Sample.Others) == 0 || e.Role != check.Replace && e.Role != check.Update {
		return e.Sample.Body
	}
	had := topNames(o.Sent)
	best, most := e.Sample.Body, -1
	for _, body := range append([][]byte{e.Sample.Body}, e.Sample.Others...) {
		score := 0
		for _, name := range topNames(body) {
			if slices.Contains(had, name) {
				score += 2
			} else {
				score--
			}
		}
		if slices.ContainsFunc(check.Leaves(body), inText) {
			score += 3
		}
		if score > most {
			best, most = body, score
		}
	}
	return best
}

// settled is a body without what only few may set, and with what is known in the
// place of what the sampler made up.
func (s *scanner) settled(e *check.Endpoint, body []byte, as *check.Person) []byte {
	body = s.without(e, body, isPrivileged)
	return s.fill(e, body, func(l check.Leaf) (any, bool) {
		if v := s.foreign(l, as); v != nil {
			return v, true
		}
		return nil, false
	})
}

// foreign is the ID of something that is there, for a member that names one:
// product_id. It is nil when there is none.
func (s *scanner) foreign(l check.Leaf, as *check.Person) any {
	noun := noID(l.Name)
	if noun == strings.ToLower(l.Name) || l.Kind != "string" && l.Kind != "number" {
		return nil
	}
	value := ""
	words := strings.FieldsFunc(noun, func(r rune) bool { return r == '_' || r == '-' })
	last := noun
	if len(words) > 0 {
		last = words[len(words)-1]
	}
	for _, r := range s.trial.Resources {
		if singular(r.Name) != last || isPeople(r.Name) {
			continue
		}
		for _, p := range append([]*check.Person{as, nil}, s.trial.People...) {
			if os := s.known[r][p]; len(os) > 0 && value == "" {
				value = os[0].ID()
			}
		}
	}
	if isPeople(last) && value == "" { // somebody else, who is there
		for _, p := range s.trial.People {
			if p != as && p.Subject != "" && value == "" {
				value = p.Subject
			}
		}
	}
	if value == "" {
		return nil
	}
	if l.Kind == "number" {
		return json.Number(value)
	}
	return value
}

// without takes members at the top out of a body, as far as it stays sound.
func (s *scanner) without(e *check.Endpoint, body []byte, out func(string) bool) []byte {
	for _, name := range topNames(body) {
		if !out(name) {
			continue
		}
		var m map[string]json.RawMessage
		if json.Unmarshal(body, &m) != nil {
			return body
		}
		delete(m, name)
		if less, err := json.Marshal(m); err == nil && (s.sound(e, less) || !s.sound(e, body)) {
			body = less
		}
	}
	return body
}

// fill puts other values into a body, each only as long as it stays sound.
func (s *scanner) fill(e *check.Endpoint, body []byte, value func(check.Leaf) (any, bool)) []byte {
	for _, l := range check.Leaves(body) {
		v, ok := value(l)
		if !ok {
			continue
		}
		raw, err := json.Marshal(v)
		if err != nil {
			continue
		}
		if next := check.SetMember(body, l.Pointer, raw); next != nil && s.sound(e, next) {
			body = next
		}
	}
	return body
}

func set(body []byte, pointer string, value json.RawMessage) []byte {
	if next := check.SetMember(body, pointer, value); next != nil {
		return next
	}
	return body
}

// sound reports whether a body keeps to what the contract declares. Where it
// declares nothing everything does.
func (s *scanner) sound(e *check.Endpoint, body []byte) bool {
	b := e.RequestBody(s.mediaType(e))
	if b == nil {
		return true
	}
	violations, judged := b.Judge(body)
	return !judged || len(violations) == 0
}

// shorter are a body and what is left of it when what need not be there is
// taken away: the next thing to try when an API refuses the first.
func (s *scanner) shorter(e *check.Endpoint, body []byte) [][]byte {
	out := [][]byte{body}
	least := s.without(e, body, func(string) bool { return true })
	if string(least) != string(body) && string(least) != "{}" {
		out = append(out, least)
	}
	return out
}
