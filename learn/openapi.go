package learn

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/parley-project/parley/identity"
)

// OpenAPI writes the description that was learnt, as OpenAPI 3.1 in YAML. It is
// the same for the same exchanges in any order.
func (l *Learner) OpenAPI() ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return encode(l.model().document().root)
}

func encode(n *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(n); err != nil {
		return nil, fmt.Errorf("learn: %w", err)
	}
	return b.Bytes(), e.Close()
}

// A document is the description while it is put together.
type document struct {
	m       *model
	root    *yaml.Node
	schemas map[string]*yaml.Node
	byText  map[string]string // what a component says, to its name
	schemes map[string]*yaml.Node
	errors  map[string]*shape // by media type, of all failures
	// requests and replies are the components of operations, for the policy.
	requests map[*operation][]string
	ids      map[*operation]string
	secrets  map[string]map[string]bool // component: members that must not be sent
}

func (m *model) document() *document {
	d := &document{m: m, schemas: map[string]*yaml.Node{}, byText: map[string]string{}, schemes: map[string]*yaml.Node{},
		errors: map[string]*shape{}, requests: map[*operation][]string{}, ids: map[*operation]string{}, secrets: map[string]map[string]bool{}}
	d.gatherErrors()
	ids := map[string]bool{}
	made := map[*operation]*yaml.Node{}
	// Reading comes first, so that what it answers gets the plain names.
	for _, reading := range []bool{true, false} {
		for _, o := range m.ops {
			if (o.method == "GET") == reading {
				made[o] = d.operation(o, ids)
			}
		}
	}
	paths := object()
	for _, o := range m.ops {
		item := get(paths, o.path)
		if item == nil {
			item = object()
			put(paths, o.path, item)
			if ps := d.pathParameters(o); len(ps) > 0 {
				put(item, "parameters", list(ps...))
			}
		}
		put(item, strings.ToLower(o.method), made[o])
	}
	schemas, schemes := object(), object()
	for _, name := range slices.Sorted(maps.Keys(d.schemas)) {
		put(schemas, name, d.schemas[name])
	}
	for _, name := range slices.Sorted(maps.Keys(d.schemes)) {
		put(schemes, name, d.schemes[name])
	}
	components := object()
	if len(schemes.Content) > 0 {
		put(components, "securitySchemes", schemes)
	}
	if len(schemas.Content) > 0 {
		put(components, "schemas", schemas)
	}
	d.root = object("openapi", text("3.1.0"), "info", object("title", text(m.title()), "version", text("learnt")))
	if len(m.bases) > 0 {
		servers := list(flow(object("url", text("/"))))
		for _, b := range m.bases {
			servers.Content = append(servers.Content, flow(object("url", text(b))))
		}
		put(d.root, "servers", servers)
	}
	put(d.root, "paths", paths)
	if len(components.Content) > 0 {
		put(d.root, "components", components)
	}
	return d
}

func (m *model) title() string {
	if m.l.o.Title != "" {
		return m.l.o.Title
	}
	for _, h := range slices.Sorted(maps.Keys(m.l.hosts.m)) {
		if h != "" && !strings.HasPrefix(h, "127.") && !strings.HasPrefix(h, "localhost") && !strings.HasPrefix(h, "[::1]") {
			return h
		}
	}
	return "API"
}

// gatherErrors puts the bodies of all failures together: an API words them alike,
// and each alone was seen too seldom.
func (d *document) gatherErrors() {
	for _, o := range d.m.ops {
		for status, media := range o.cell.replies {
			for mt, c := range media.m {
				if status < 400 || c.shape == nil {
					continue
				}
				if d.errors[mt] == nil {
					d.errors[mt] = d.m.b.fresh()
				}
				d.m.b.merge(d.errors[mt], c.shape)
			}
		}
	}
}

func (d *document) operation(o *operation, ids map[string]bool) *yaml.Node {
	d.ids[o] = unique(ids, o.id())
	n := object("operationId", text(d.ids[o]))
	put(n, "security", d.security(o))
	if ps := d.parameters(o); len(ps) > 0 {
		put(n, "parameters", list(ps...))
	}
	if body := d.requestBody(o); body != nil {
		put(n, "requestBody", body)
	}
	put(n, "responses", d.responses(o))
	return n
}

func unique(taken map[string]bool, name string) string {
	base := name
	for i := 2; taken[name]; i++ {
		name = fmt.Sprint(base, i)
	}
	taken[name] = true
	return name
}

// id is getOrdersByOrder.
func (o *operation) id() string {
	s := strings.ToLower(o.method)
	for _, g := range o.segs {
		switch {
		case g.value:
			s += "By" + camel(g.word)
		case version.MatchString(g.word) && len(o.segs) > 1 || strings.EqualFold(g.word, "api"):
		default:
			s += camel(g.word)
		}
	}
	return s
}

func camel(s string) string {
	var b strings.Builder
	for _, part := range strings.FieldsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
	}) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

func (d *document) pathParameters(o *operation) []*yaml.Node {
	var out []*yaml.Node
	for i, s := range o.segs {
		if !s.value {
			continue
		}
		// All methods on the path tell what its values are.
		all := d.m.b.fresh()
		example := ""
		for _, other := range d.m.ops {
			if other.path == o.path {
				if i < len(other.cell.places) {
					d.m.b.merge(all, other.cell.places[i])
				}
				if e := other.cell.example; e != nil && example == "" {
					example = e.segments[i]
				}
			}
		}
		all.open, all.words = true, nil // a value is not one of a few
		if all.strings > 0 {
			all.ints, all.floats, all.bools = 0, 0, 0
		}
		schema := d.m.schema(all, "", view{request: true}, 1)
		if len(schema.Content) == 0 {
			schema = flow(object("type", text("string")))
		}
		p := object("name", text(s.word), "in", text("path"), "required", truth(true), "schema", schema)
		if example != "" {
			put(p, "example", value(lexicalAs(example, all)))
		}
		out = append(out, flow(p))
	}
	return out
}

// freeText are parameters whose values are text even if all that were seen are
// numbers.
var freeText = []string{"q", "query", "search", "term", "keyword", "filter", "cursor", "after", "before", "pagetoken", "continuation"}

// lexicalAs is the value of a text where numbers are numbers, if they are.
func lexicalAs(s string, as *shape) any {
	if as.strings > 0 {
		return s
	}
	return lexical(s)
}

func (d *document) parameters(o *operation) []*yaml.Node {
	var out []*yaml.Node
	add := func(in string, ps *least[*param]) {
		for _, name := range slices.Sorted(maps.Keys(ps.m)) {
			p := ps.m[name]
			s := d.m.b.fresh()
			d.m.b.merge(s, p.shape)
			if s.strings > 0 || slices.Contains(freeText, plainWord(name)) && s.total() > 0 { // one of them is text, so all are
				s.strings += s.ints + s.floats + s.bools
				if s.ints+s.floats+s.bools > 0 {
					s.open, s.words, s.formats = true, nil, 0
				}
				s.ints, s.floats, s.bools = 0, 0, 0
			}
			if in == "header" {
				s = d.m.b.fresh()
				s.strings, s.formats = 1, 0
			}
			schema := d.m.schema(s, name, view{request: true}, 1)
			if p.repeat {
				schema = object("type", text("array"), "items", schema)
			}
			n := object("name", text(name), "in", text(in), "schema", schema)
			if e := o.cell.example; in == "query" && e != nil && e.query[name] != "" {
				put(n, "example", value(lexicalAs(e.query[name], s)))
			} else if d.m.l.o.Examples && p.value != "" && !p.repeat && in == "query" {
				put(n, "example", value(lexicalAs(p.value, s)))
			}
			out = append(out, flow(n))
		}
	}
	add("query", o.cell.query)
	add("header", o.cell.headers)
	return out
}

func (d *document) requestBody(o *operation) *yaml.Node {
	if len(o.cell.requests.m) == 0 || o.method == "GET" {
		return nil
	}
	content := object()
	// What is sent in several types is one: JSON and merge patches.
	together := d.m.b.fresh()
	for _, mt := range slices.Sorted(maps.Keys(o.cell.requests.m)) {
		if c := o.cell.requests.m[mt]; c.shape != nil && jsonType(mt) {
			d.m.b.merge(together, c.shape)
		}
	}
	for _, mt := range slices.Sorted(maps.Keys(o.cell.requests.m)) {
		c := o.cell.requests.m[mt]
		media := object()
		if c.shape != nil {
			s := c.shape
			if jsonType(mt) {
				s = together
			}
			v := view{request: true, patch: o.method == "PATCH", login: o.cell.login, other: related(s, d.membersOf(o, false))}
			schema := d.m.schema(s, "", v, 0)
			e := o.cell.example
			if e != nil && e.partial {
				memberExamples(schema, e.body)
			}
			put(media, "schema", d.component(schema, o.requestName(), o, true))
		}
		putExamples(media, o.cell.sent, mt) // also of what was only ever refused
		put(content, mt, media)
	}
	n := object()
	if o.cell.bodies == o.cell.taken {
		put(n, "required", truth(true))
	}
	put(n, "content", content)
	return n
}

// putExamples gives a media type the bodies that were seen of it.
func putExamples(media *yaml.Node, sent []*example, mt string) {
	var of []*example
	for _, e := range sent {
		if e.media == mt && (len(of) == 0 || e.rank < refusedRank) {
			of = append(of, e)
		}
	}
	if len(of) == 1 {
		put(media, "example", value(of[0].body))
		return
	}
	all := object()
	for i, e := range of {
		one := object()
		put(one, "value", value(e.body))
		put(all, "seen"+strconv.Itoa(i+1), one)
	}
	if len(of) > 0 {
		put(media, "examples", all)
	}
}

// memberExamples gives members the values of a body that lacks some.
func memberExamples(schema *yaml.Node, body any) {
	o, _ := body.(map[string]any)
	props := get(schema, "properties")
	for name, v := range o {
		p := get(props, name)
		_, isObject := v.(map[string]any)
		_, isList := v.([]any)
		if p != nil && v != nil && !isObject && !isList {
			put(p, "example", value(v))
		}
	}
}

func jsonType(mt string) bool {
	return mt == "application/json" || strings.HasSuffix(mt, "+json")
}

// noun is what an operation is about: Order.
func (o *operation) noun() string {
	for i := len(o.segs) - 1; i >= 0; i-- {
		if !o.segs[i].value {
			return camel(singular(o.segs[i].word))
		}
	}
	return "Root"
}

func (o *operation) last() segment {
	if len(o.segs) == 0 {
		return segment{}
	}
	return o.segs[len(o.segs)-1]
}

func (o *operation) requestName() string {
	switch last := o.last(); {
	case o.method == "POST" && !last.value && singular(last.word) != last.word:
		return o.noun() + "New"
	case o.method == "PUT" || o.method == "PATCH":
		return o.noun() + camel(strings.ToLower(o.method))
	case o.method == "POST" && !last.value:
		return camel(last.word) + "Request"
	}
	return camel(o.id()) + "Request"
}

func (o *operation) replyName(status int) string {
	if o.method == "GET" && status == 200 {
		if last := o.last(); last.value {
			return o.noun()
		} else if camel(last.word) != "" {
			return camel(last.word)
		}
	}
	return o.noun() + camel(strings.ToLower(o.method)) + "Reply"
}

// component puts a schema of an object among the components and returns a
// reference; equal ones share a name.
func (d *document) component(schema *yaml.Node, name string, o *operation, request bool) *yaml.Node {
	if t := get(schema, "type"); t == nil || t.Value != "object" || get(schema, "properties") == nil {
		return schema
	}
	b, err := encode(schema)
	if err != nil {
		return schema
	}
	key := string(b)
	if request {
		key = "request " + d.m.privilegesOf(o) + "\n" + key
	}
	shared, ok := d.byText[key]
	if !ok {
		if name == "" || name[0] >= '0' && name[0] <= '9' {
			name = "Body" + name
		}
		if d.schemas[name] != nil {
			name = camel(o.id()) + map[bool]string{true: "Request", false: "Reply"}[request]
		}
		base := name
		for i := 2; d.schemas[name] != nil; i++ {
			name = fmt.Sprint(base, i)
		}
		d.schemas[name], d.byText[key], shared = schema, name, name
	}
	if request && !slices.Contains(d.requests[o], shared) {
		d.requests[o] = append(d.requests[o], shared)
	}
	return reference("schemas", shared)
}

func (d *document) responses(o *operation) *yaml.Node {
	n := object()
	statuses := slices.Sorted(maps.Keys(o.cell.statuses))
	for _, status := range statuses {
		if status < 100 || status == 405 {
			continue
		}
		r := object("description", text(statusText(status)))
		if media := o.cell.replies[status]; media != nil && len(media.m) > 0 {
			content := object()
			for _, mt := range slices.Sorted(maps.Keys(media.m)) {
				put(content, mt, d.media(o, status, mt, media.m[mt]))
			}
			put(r, "content", content)
		}
		put(n, strconv.Itoa(status), r)
	}
	if len(n.Content) == 0 {
		put(n, "default", object("description", text("No answer was seen.")))
	}
	return n
}

func statusText(status int) string {
	if t := http.StatusText(status); t != "" {
		return t
	}
	return "Status " + strconv.Itoa(status)
}

func (d *document) media(o *operation, status int, mt string, c *content) *yaml.Node {
	if c.shape == nil {
		return flow(object())
	}
	s, name := c.shape, o.replyName(status)
	v := view{login: o.cell.login}
	if status >= 400 {
		s, name = d.errors[mt], "Error"
		if mt == "application/problem+json" {
			name = "Problem"
		}
	} else {
		v.other = related(s, d.membersOf(o, true))
	}
	var secrets []string
	v.secret = func(name string) { secrets = append(secrets, name) }
	schema := d.component(d.m.schema(s, "", v, 0), name, o, false)
	if ref := get(schema, "$ref"); ref != nil {
		comp := ref.Value[strings.LastIndexByte(ref.Value, '/')+1:]
		for _, s := range secrets {
			if d.secrets[comp] == nil {
				d.secrets[comp] = map[string]bool{}
			}
			d.secrets[comp][s] = true
		}
	}
	return object("schema", schema)
}

// membersOf are the names in the requests, or in the successful answers, of all
// operations on the resource: the same path, and its collection. Nil when there
// are no such bodies.
func (d *document) membersOf(o *operation, requests bool) map[string]bool {
	var out map[string]bool
	take := func(s *shape) {
		if s == nil || s.members == nil {
			return
		}
		if out == nil {
			out = map[string]bool{}
		}
		for name := range s.members.m {
			out[name] = true
		}
	}
	for _, other := range d.m.ops {
		if other.resource() != o.resource() {
			continue
		}
		if requests {
			for _, c := range other.cell.requests.m {
				take(c.shape)
			}
			continue
		}
		for status, media := range other.cell.replies {
			if status >= 300 {
				continue
			}
			for _, c := range media.m {
				take(c.shape)
			}
		}
	}
	return out
}

// related returns names that a body of the other direction has, unless the two
// have none in common and are of different things. A secret in a request is
// only written whatever is answered.
func related(s *shape, other map[string]bool) map[string]bool {
	if s.members == nil {
		return nil
	}
	for name := range s.members.m {
		if other[name] || identity.SecretName(name) && other != nil {
			return other
		}
	}
	return nil
}

func (o *operation) resource() string {
	if o.last().value {
		return o.path[:strings.LastIndexByte(o.path, '/')]
	}
	return o.path
}

// value writes a value as YAML.
func value(v any) *yaml.Node {
	switch v := v.(type) {
	case map[string]any:
		n := object()
		for _, name := range slices.Sorted(maps.Keys(v)) {
			put(n, name, value(v[name]))
		}
		return flow(n)
	case []any:
		n := list()
		for _, e := range v {
			n.Content = append(n.Content, value(e))
		}
		return flow(n)
	case string:
		return text(v)
	case bool:
		return truth(v)
	case nil:
		return raw("!!null", "null")
	}
	s := fmt.Sprint(v)
	if strings.ContainsAny(s, ".eE") {
		return raw("!!float", s)
	}
	return raw("!!int", s)
}
