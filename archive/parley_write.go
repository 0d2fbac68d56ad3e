package archive

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// writeParley writes a collection as our own format. What it has no word for,
// such as scripts, is left out: Warnings of the reader named it.
func writeParley(w io.Writer, c *Collection) error {
	m := &mapping{}
	m.text("name", c.Name)
	m.text("doc", c.Doc)
	m.list("include", c.Include)
	m.scope(&c.Scope)
	m.put("requests", (&parleyNames{used: map[string]bool{}}).nodes(c.Items))
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(m.node()); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	return e.Close()
}

// A mapping is a YAML mapping that leaves out what is empty.
type mapping struct{ content []*yaml.Node }

func (m *mapping) node() *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: m.content}
}

func (m *mapping) flow() *yaml.Node {
	n := m.node()
	n.Style = yaml.FlowStyle
	return n
}

func (m *mapping) put(name string, v *yaml.Node) {
	m.content = append(m.content, textNode(name), v)
}

func (m *mapping) text(name, value string) {
	if value != "" {
		m.put(name, textNode(value))
	}
}

func (m *mapping) list(name string, values []string) {
	if len(values) > 0 {
		m.put(name, textNodes(values))
	}
}

func (m *mapping) is(name string, value bool) {
	if value {
		m.put(name, scalarNode(true))
	}
}

// textNode is text; the encoder quotes it when it would else mean something else.
func textNode(s string) *yaml.Node { return scalarNode(s) }

func scalarNode(v any) *yaml.Node {
	n := &yaml.Node{}
	if err := n.Encode(v); err != nil {
		n.SetString(fmt.Sprint(v))
	}
	return n
}

func textNodes(values []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
	for _, v := range values {
		n.Content = append(n.Content, textNode(v))
	}
	return n
}

// jsonNode is a JSON text as YAML, its members in their order.
func jsonNode(text string) (*yaml.Node, bool) {
	if !json.Valid([]byte(text)) {
		return nil, false
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	n, ok := jsonValue(d)
	return n, ok
}

func jsonValue(d *json.Decoder) (*yaml.Node, bool) {
	t, err := d.Token()
	if err != nil {
		return nil, false
	}
	switch v := t.(type) {
	case json.Delim:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if v == '{' {
			n = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		}
		seen := map[string]bool{}
		for d.More() {
			if v == '{' {
				k, err := d.Token()
				name, ok := k.(string)
				if err != nil || !ok || seen[name] {
					return nil, false // a name that is there twice has no form in YAML
				}
				seen[name] = true
				n.Content = append(n.Content, textNode(name))
			}
			one, ok := jsonValue(d)
			if !ok {
				return nil, false
			}
			n.Content = append(n.Content, one)
		}
		if len(n.Content) == 0 {
			n.Style = yaml.FlowStyle
		}
		_, err := d.Token()
		return n, err == nil
	case json.Number:
		tag := "!!int"
		if strings.ContainsAny(v.String(), ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: v.String()}, true
	}
	return scalarNode(t), true
}

func (m *mapping) scope(s *Scope) {
	if len(s.Variables) > 0 {
		vs := &mapping{}
		for _, v := range s.Variables {
			switch {
			case v.Disabled:
			case v.Secret:
				one := &mapping{}
				one.put("value", textNode(v.Value))
				one.is("secret", true)
				vs.put(v.Name, one.flow())
			default:
				vs.put(v.Name, textNode(v.Value))
			}
		}
		if len(vs.content) > 0 {
			m.put("variables", vs.node())
		}
	}
	m.auth(s.Auth)
}

func (m *mapping) auth(a *Auth) {
	if a == nil {
		return
	}
	if a.Scheme == "none" || a.Scheme == "" {
		m.put("auth", textNode("none"))
		return
	}
	params := &mapping{}
	for _, name := range sortedNames(a.Params) {
		params.put(name, textNode(a.Params[name]))
	}
	one := &mapping{}
	one.put(a.Scheme, params.flow())
	m.put("auth", one.flow())
}

func sortedNames(m map[string]string) []string {
	var names []string
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// parleyNames gives each request a name of its own, as needs wants it: in other
// formats several may have one.
type parleyNames struct{ used map[string]bool }

func (p *parleyNames) of(name string) string {
	one := name
	for i := 2; p.used[one]; i++ {
		one = fmt.Sprintf("%s (%d)", name, i)
	}
	p.used[one] = true
	return one
}

func (p *parleyNames) nodes(list []*Item) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, it := range list {
		m := &mapping{}
		if it.Request == nil {
			m.put("folder", textNode(it.Name))
			m.text("doc", it.Doc)
			m.scope(&it.Scope)
			m.put("requests", p.nodes(it.Items))
		} else {
			m.request(it, p)
		}
		n.Content = append(n.Content, m.node())
	}
	return n
}

func (m *mapping) request(it *Item, names *parleyNames) {
	q := it.Request
	if it.Name != q.Method+" "+q.URL && it.Name != "" {
		m.text("name", names.of(it.Name))
	}
	u := q.URL
	if u == "" {
		u = "{{url}}" // it was left open: whoever runs it must say
	}
	m.text("doc", it.Doc)
	if i := slices.Index(methods[:len(methods)-1], strings.ToLower(q.Method)); i >= 0 && q.Method == strings.ToUpper(methods[i]) {
		m.put(methods[i], textNode(u))
	} else {
		m.text("method", q.Method)
		m.put("url", textNode(u))
	}
	m.text("as", it.As)
	scope := it.Scope
	if q.Auth != nil {
		scope.Auth = q.Auth
	}
	m.scope(&scope)
	m.fields("params", q.Params)
	m.fields("headers", slices.DeleteFunc(slices.Clone(q.Header), func(f Field) bool { return !isFieldName(f.Name) }))
	m.body(q)
	m.send(&q.Options)
	m.list("needs", it.Needs)
	m.expect(it.Expect)
	m.capture(it.Capture)
	if it.RowsFile != "" {
		m.text("rows", it.RowsFile)
	} else if len(it.Rows) > 0 {
		m.put("rows", scalarNode(it.Rows))
	}
}

// fields writes names and values; a name that is there twice has a list.
func (m *mapping) fields(name string, fs []Field) {
	fs = slices.DeleteFunc(slices.Clone(fs), func(f Field) bool { return f.Disabled })
	if len(fs) == 0 {
		return
	}
	one := &mapping{}
	for i, f := range fs {
		same := func(o Field) bool { return o.Name == f.Name }
		if slices.IndexFunc(fs, same) < i {
			if i == 0 || fs[i-1].Name != f.Name { // not together: only a list keeps the order
				m.put(name, fieldList(fs))
				return
			}
			continue
		}
		var values []string
		for _, o := range fs {
			if same(o) {
				values = append(values, o.Value)
			}
		}
		if len(values) == 1 {
			one.put(f.Name, textNode(f.Value))
		} else {
			one.put(f.Name, textNodes(values))
		}
	}
	m.put(name, one.node())
}

func fieldList(fs []Field) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, f := range fs {
		one := &mapping{}
		one.put("name", textNode(f.Name))
		one.put("value", textNode(f.Value))
		n.Content = append(n.Content, one.flow())
	}
	return n
}

func (m *mapping) body(q *Request) {
	b := q.Body
	if b == nil {
		return
	}
	switch b.Mode {
	case "file":
		m.put("file", textNode(b.File))
	case "urlencoded":
		var fs []Field
		for _, f := range b.Fields {
			fs = append(fs, f.Field)
		}
		m.fields("form", fs)
	case "form-data":
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, f := range b.Fields {
			if f.Disabled {
				continue
			}
			one := &mapping{}
			one.put("name", textNode(f.Name))
			if f.File != "" {
				one.put("file", textNode(f.File))
			} else {
				one.put("value", textNode(f.Value))
			}
			one.text("filename", f.FileName)
			one.text("type", f.MediaType)
			n.Content = append(n.Content, one.flow())
		}
		m.put("multipart", n)
	case "graphql":
		one := &mapping{}
		one.put("query", textNode(b.Text))
		one.text("variables", b.Variables)
		one.text("operation", b.Operation)
		m.put("graphql", one.node())
	default:
		if b.MediaType == jsonType {
			if n, ok := jsonNode(b.Text); ok {
				m.put("json", n)
				return
			}
		}
		if b.MediaType != "" && !slices.ContainsFunc(q.Header, func(f Field) bool { return strings.EqualFold(f.Name, "Content-Type") && !f.Disabled }) {
			m.addHeader("Content-Type", b.MediaType)
		}
		m.put("text", textNode(b.Text))
	}
}

// addHeader adds a field to the headers that were written.
func (m *mapping) addHeader(name, value string) {
	for i := 0; i+1 < len(m.content); i += 2 {
		if m.content[i].Value != "headers" {
			continue
		}
		h := m.content[i+1]
		if h.Kind == yaml.MappingNode {
			h.Content = append(h.Content, textNode(name), textNode(value))
		} else {
			h.Content = append(h.Content, fieldList([]Field{{Name: name, Value: value}}).Content...)
		}
		return
	}
	m.fields("headers", []Field{{Name: name, Value: value}})
}

func (m *mapping) send(o *Options) {
	s := &mapping{}
	s.text("http", o.HTTP)
	s.is("send_anyway", o.Insecure)
	switch {
	case o.MaxRedirect > 0:
		s.put("redirects", scalarNode(o.MaxRedirect))
	case o.NoRedirect:
		s.put("redirects", scalarNode(false))
	case o.Redirects:
		s.put("redirects", scalarNode(true))
	}
	if o.Timeout > 0 {
		s.text("timeout", (time.Duration(o.Timeout * float64(time.Second))).String())
	}
	s.text("proxy", o.Proxy)
	s.text("cert", o.Cert)
	s.text("key", o.Key)
	s.text("cacert", o.CACert)
	s.text("pin", o.Pin)
	s.list("resolve", o.Resolve)
	s.is("compressed", o.Compressed)
	s.is("no_cookies", o.NoCookies)
	if len(s.content) > 0 {
		m.put("send", s.node())
	}
}

func (m *mapping) expect(es []Expectation) {
	one := &mapping{}
	for i, e := range es {
		if slices.IndexFunc(es, func(o Expectation) bool { return o.Fact == e.Fact }) < i {
			continue // written with the first
		}
		name := e.Fact
		if f, _, err := ParseFact(e.Fact); err == nil {
			name = f.String()
		}
		var same []Expectation
		for _, o := range es {
			if o.Fact == e.Fact {
				same = append(same, o)
			}
		}
		one.put(name, expected(same))
	}
	if len(one.content) > 0 {
		m.put("expect", one.node())
	}
}

// expected is a value if that says it, and predicates if not.
func expected(es []Expectation) *yaml.Node {
	if len(es) == 1 {
		e := es[0]
		if text, ok := e.Want.(string); e.Is == "==" {
			if is, _ := operator(text); ok && is == "==" && !strings.HasPrefix(text, "== ") {
				return textNode(text)
			}
			if _, object := e.Want.(map[string]any); !ok && !object {
				return scalarNode(e.Want)
			}
		} else if slices.Contains(operators, e.Is) {
			if n, ok := e.Want.(float64); ok {
				return textNode(e.Is + " " + strconv.FormatFloat(n, 'f', -1, 64))
			}
			if is, want := operator(e.Is + " " + text); ok && is == e.Is && want == any(text) {
				return textNode(e.Is + " " + text)
			}
		}
	}
	m := &mapping{}
	for _, e := range es {
		for _, p := range predicates {
			if p.is == e.Is {
				m.put(p.word, scalarNode(e.Want))
			}
		}
	}
	return m.flow()
}

func (m *mapping) capture(cs []Capture) {
	one := &mapping{}
	for _, c := range cs {
		fact := c.Fact
		if f, _, err := ParseFact(c.Fact); err == nil {
			fact = f.String()
		}
		if !c.Secret && c.Matches == "" {
			one.put(c.Variable, textNode(fact))
			continue
		}
		v := &mapping{}
		v.text("fact", fact)
		v.text("matches", c.Matches)
		v.is("secret", c.Secret)
		one.put(c.Variable, v.flow())
	}
	if len(one.content) > 0 {
		m.put("capture", one.node())
	}
}
