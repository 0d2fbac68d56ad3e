package scan

import (
	"slices"
	"strings"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// chart makes endpoints of the operations, and resources of their paths.
func (s *scanner) chart() error {
	samples, err := s.o.Contract.Samples(s.o.File)
	if err != nil {
		return err
	}
	for _, x := range samples {
		if x.Operation == nil || s.samples[x.Operation.Name] != nil {
			continue
		}
		e := &check.Endpoint{Operation: x.Operation, Sample: x, Honest: map[*check.Person]*exchange.Exchange{}}
		s.samples[x.Operation.Name] = e
		s.trial.Endpoints = append(s.trial.Endpoints, e)
	}
	slices.SortStableFunc(s.trial.Endpoints, func(a, b *check.Endpoint) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return strings.Compare(a.Method, b.Method)
	})
	s.resources()
	for _, e := range s.trial.Endpoints {
		e.Role = roleOf(e)
		e.Few, e.Personal = s.fewOf(e), personalOf(e)
	}
	for _, r := range s.trial.Resources {
		r.Create = nil
		for _, e := range s.trial.Endpoints {
			if e.Path == r.Collection && e.Method == "POST" && (e.Role == check.Create || e.Role == check.SignUp) {
				e.Resource, r.Create = r, e
			}
		}
	}
	return nil
}

// resources finds the collections: a path that ends in a variable is an object
// of the path before it.
func (s *scanner) resources() {
	for _, e := range s.trial.Endpoints {
		parent, key, ok := itemPath(e.Path)
		if !ok || s.resourceAt(e.Path) != nil {
			continue
		}
		s.trial.Resources = append(s.trial.Resources, &check.Resource{Name: lastNoun(parent), Collection: parent, Item: e.Path, Key: key,
			Objects: map[*check.Person]*check.Object{}})
	}
	// /v1/orders/{id}/events tells of orders although no path ends in {id}.
	for _, e := range s.trial.Endpoints {
		at := strings.LastIndex(e.Path, "}/")
		if at < 0 {
			continue
		}
		item := e.Path[:at+1]
		parent, key, ok := itemPath(item)
		if ok && s.resourceAt(item) == nil {
			s.trial.Resources = append(s.trial.Resources, &check.Resource{Name: lastNoun(parent), Collection: parent, Item: item, Key: key,
				Objects: map[*check.Person]*check.Object{}})
		}
	}
	slices.SortFunc(s.trial.Resources, func(a, b *check.Resource) int {
		if n := strings.Count(a.Item, "/") - strings.Count(b.Item, "/"); n != 0 {
			return n
		}
		return strings.Compare(a.Item, b.Item)
	})
	for _, e := range s.trial.Endpoints {
		for _, r := range s.trial.Resources {
			switch {
			case e.Path == r.Item:
				e.Resource = r
				switch e.Method {
				case "GET":
					r.Read = e
				case "PUT":
					r.Replace = e
				case "PATCH":
					r.Update = e
				case "DELETE":
					r.Remove = e
				}
			case e.Path == r.Collection && e.Method == "GET":
				e.Resource, r.List = r, e
			case e.Path == r.Collection && e.Method == "POST":
				e.Resource = r
			case strings.HasPrefix(e.Path, r.Item+"/") && !strings.Contains(e.Path[len(r.Item):], "{"):
				if s.resourceAt(e.Path) == nil && !s.isCollection(e.Path) {
					e.Resource = r
					r.Others = append(r.Others, e)
				}
			}
		}
	}
}

func (s *scanner) resourceAt(item string) *check.Resource {
	for _, r := range s.trial.Resources {
		if r.Item == item {
			return r
		}
	}
	return nil
}

func (s *scanner) isCollection(path string) bool {
	return slices.ContainsFunc(s.trial.Resources, func(r *check.Resource) bool { return r.Collection == path })
}

// endpointAt is the endpoint of a method and a path as it is sent, or nil.
func (s *scanner) endpointAt(method, path string) *check.Endpoint {
	if op := s.o.Contract.Match(method, path).Operation; op != nil {
		return s.samples[op.Name]
	}
	return nil
}

// itemPath splits a path that ends in a variable.
func itemPath(path string) (parent, key string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	last := path[i+1:]
	if i <= 0 || len(last) < 3 || last[0] != '{' || last[len(last)-1] != '}' {
		return "", "", false
	}
	return path[:i], last[1 : len(last)-1], true
}

// lastNoun is the last segment of a path that is no variable.
func lastNoun(path string) string {
	parts := strings.Split(path, "/")
	for i := len(parts) - 1; i >= 0; i-- {
		if parts[i] != "" && parts[i][0] != '{' && !isVersion(parts[i]) {
			return parts[i]
		}
	}
	return ""
}

// isVersion reports whether a segment of a path says a version: v1, v2.0.
func isVersion(s string) bool {
	return len(s) > 1 && (s[0] == 'v' || s[0] == 'V') && strings.Trim(s[1:], "0123456789.") == ""
}

// singular is the word for one of a noun's things.
func singular(noun string) string {
	low := strings.ToLower(noun)
	switch {
	case strings.HasSuffix(low, "ies"):
		return low[:len(low)-3] + "y"
	case strings.HasSuffix(low, "sses"), strings.HasSuffix(low, "xes"), strings.HasSuffix(low, "ches"):
		return low[:len(low)-2]
	case strings.HasSuffix(low, "ss"):
		return low
	case strings.HasSuffix(low, "s"):
		return low[:len(low)-1]
	}
	return low
}

// isPeople reports whether a resource is of those who ask.
func isPeople(noun string) bool {
	switch singular(noun) {
	case "user", "person", "people", "customer", "account", "member", "profile", "patient", "employee", "client":
		return true
	}
	return false
}

// roleOf says what an endpoint does.
func roleOf(e *check.Endpoint) check.Role {
	r := e.Resource
	switch {
	case e.Method == "POST" && hasPassword(e):
		if open(e) && (looksLogIn(e.Path) || len(topNames(e.Sample.Body)) <= 2 && !looksSignUp(e.Path)) {
			return check.LogIn
		}
		if open(e) {
			return check.SignUp
		}
	case e.Method == "GET" && r != nil && e.Path == r.Item:
		return check.Read
	case e.Method == "GET" && r != nil && e.Path == r.Collection:
		return check.List
	case e.Method == "GET":
		return check.Own
	case e.Method == "PUT" && r != nil && e.Path == r.Item:
		return check.Replace
	case e.Method == "PATCH" && r != nil && e.Path == r.Item:
		return check.Update
	case e.Method == "DELETE" && r != nil && e.Path == r.Item:
		return check.Remove
	}
	if e.Method == "POST" && !strings.HasSuffix(e.Path, "}") && (has201(e) || r != nil && e.Path == r.Collection) {
		return check.Create
	}
	switch e.Method {
	case "POST", "PUT", "PATCH", "DELETE":
		return check.Action
	}
	return check.Other
}

// open reports whether an endpoint may be asked without a credential.
func open(e *check.Endpoint) bool {
	return e.Public || slices.ContainsFunc(e.Security, func(q contract.SecurityRequirement) bool { return len(q) == 0 })
}

func hasPassword(e *check.Endpoint) bool {
	return slices.ContainsFunc(topNames(e.Sample.Body), isPassword)
}

func has201(e *check.Endpoint) bool { return slices.Contains(e.Statuses(), "201") }

func looksLogIn(path string) bool {
	low := strings.ToLower(path)
	for _, w := range []string{"login", "log-in", "signin", "sign-in", "session", "token", "auth"} {
		if strings.Contains(low, w) && !looksSignUp(path) {
			return true
		}
	}
	return false
}

func looksSignUp(path string) bool {
	low := strings.ToLower(path)
	return slices.ContainsFunc([]string{"register", "registration", "signup", "sign-up", "sign_up"}, func(w string) bool { return strings.Contains(low, w) })
}

// topNames are the members at the top of a JSON object.
func topNames(body []byte) []string {
	var out []string
	for _, l := range check.Leaves(body) {
		name, _, _ := strings.Cut(strings.TrimPrefix(l.Pointer, "/"), "/")
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// personalOf says by its words why an endpoint's answers are for one person
// only.
func personalOf(e *check.Endpoint) string {
	for _, text := range []string{e.Sample.Summary, e.Sample.Doc} {
		low := " " + strings.ToLower(text) + " "
		for _, w := range []string{"the caller's", "your ", "my own", " own ", "one's own", "of the caller", "the user's own", "logged-in user's", "current user"} {
			if strings.Contains(low, w) && !strings.Contains(low, "everybody") && !strings.Contains(low, "anybody") {
				return "its description says so"
			}
		}
	}
	return ""
}

// fewWords are what people call those who may do more than others.
var fewWords = []string{"admin", "administrator", "superuser", "staff", "moderator", "operator", "owner", "auditor", "manager", "backoffice", "internal"}

// fewOf says why an endpoint seems to be for few people only.
func (s *scanner) fewOf(e *check.Endpoint) string {
	if open(e) {
		return ""
	}
	for _, t := range e.Sample.Tags {
		if w := fewWord(t); w != "" && w != "owner" {
			return "it is tagged " + t
		}
	}
	for _, part := range strings.Split(strings.ToLower(e.Path), "/") {
		switch part {
		case "admin", "administration", "internal", "staff", "backoffice", "superuser", "management":
			return "its path says " + part
		}
	}
	for _, q := range e.Security {
		for _, scopes := range q {
			for _, scope := range scopes {
				if fewWord(scope) != "" {
					return "it needs the scope " + scope
				}
			}
		}
	}
	if w := forFew(e.Sample.Summary); w != "" {
		return "its description says for " + w
	}
	if w := forFew(e.Sample.Doc); w != "" {
		return "its description says for " + w
	}
	return s.usedByFew(e)
}

// forFew finds "for administrators" at the end of a clause that speaks of
// nobody else.
func forFew(text string) string {
	low := strings.ToLower(strings.TrimRight(text, ". \n"))
	for clause := range strings.SplitSeq(low, ";") {
		clause = strings.TrimSpace(clause)
		for _, lead := range []string{"for ", "only by ", "needs the role ", "requires "} {
			i := strings.LastIndex(clause, lead)
			if i < 0 || strings.Contains(low, "any user's") || strings.Contains(low, "that user") || strings.Contains(low, "caller") {
				continue
			}
			rest := clause[i+len(lead):]
			words := strings.FieldsFunc(rest, func(r rune) bool { return r == ' ' || r == ',' })
			few := ""
			for _, w := range words {
				switch {
				case fewWord(w) != "":
					few = rest
				case w == "and" || w == "or" || w == "the" || w == "only" || w == "role":
				default:
					few = ""
					words = nil
				}
				if words == nil {
					break
				}
			}
			if few != "" {
				return few
			}
		}
	}
	return ""
}

func fewWord(w string) string {
	w = strings.ToLower(strings.Trim(w, "'\"`.,:"))
	for _, f := range fewWords {
		if w == f || w == f+"s" || strings.HasPrefix(w, f+":") || strings.HasSuffix(w, ":"+f) {
			return f
		}
	}
	return ""
}

// tellsOfOthers reports whether a path is of what ordinary people have no use
// for: lists of people, reports and logs.
func tellsOfOthers(path string) bool {
	word := lastNoun(path)
	if isPeople(word) && singular(word) != strings.ToLower(word) { // one account is one's own
		return true
	}
	switch singular(word) {
	case "report", "metric", "statistic", "stat", "audit", "log", "backup", "dashboard", "configuration", "config":
		return true
	}
	return false
}

// usedByFew says that only people with a role that neither victim nor attacker
// has were seen to use an endpoint.
func (s *scanner) usedByFew(e *check.Endpoint) string {
	used := s.o.Used[e.Name]
	if len(used) == 0 || e.Method == "GET" && !tellsOfOthers(e.Path) {
		return "" // whoever asked first is not for that reason the only one
	}
	for _, u := range used {
		for _, p := range []*check.Person{s.trial.Victim, s.trial.Attacker} {
			if p != nil && (p.HasRole(u) || u == p.Name || u == p.Subject) || u == "" {
				return ""
			}
		}
		if !slices.ContainsFunc(s.trial.People, func(p *check.Person) bool { return p.HasRole(u) }) && fewWord(u) == "" {
			return "" // a stranger is no proof of a higher rank
		}
	}
	return "only " + strings.Join(used, ", ") + " was seen to use it"
}
