package archive

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/internal/config"
)

// Parley is our own format: YAML, read strictly. What it says and how is in
// doc/call.md.
var Parley = &Format{
	Name:       "parley",
	Extensions: []string{".yaml", ".yml"},
	Is:         isParley,
	Read:       readParley,
	Write:      writeParley,
}

var requestsKey = regexp.MustCompile(`(?m)^"?requests"?\s*:`)

// isParley takes YAML that has requests. An OpenAPI description, and the
// collections of others, have none at the top.
func isParley(file string, data []byte) bool {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".yaml", ".yml":
		return requestsKey.Match(data) && !openAPIKey.Match(data)
	}
	return false
}

var openAPIKey = regexp.MustCompile(`(?m)^"?(openapi|swagger|opencollection)"?\s*:`)

// methods are the words that may stand for method and url.
var methods = []string{"get", "head", "post", "put", "patch", "delete", "options", "trace", "query"}

type parleyReader struct {
	file  string
	names map[string]int // line of each name
	items []*needing
}

// needing is an item whose needs are looked at when all names are known.
type needing struct {
	item *Item
	at   []config.Section
}

func readParley(file string, data []byte) (*Collection, error) {
	s, err := config.Parse(file, data)
	if err != nil {
		return nil, placed(err)
	}
	r := &parleyReader{file: file, names: map[string]int{}}
	c, err := r.collection(s)
	if err != nil {
		return nil, placed(err)
	}
	return c, nil
}

// placed makes an Error of this package.
func placed(err error) error {
	if e, ok := err.(*config.Error); ok {
		return &Error{File: e.File, Line: e.Line, Column: e.Column, Text: e.Text, Hint: e.Hint}
	}
	return err
}

func (r *parleyReader) collection(s config.Section) (*Collection, error) {
	var raw struct {
		Name      string         `yaml:"name"`
		Doc       string         `yaml:"doc"`
		Include   config.Section `yaml:"include"`
		Variables config.Section `yaml:"variables"`
		Auth      config.Section `yaml:"auth"`
		Requests  config.Section `yaml:"requests"`
	}
	if err := s.Decode(&raw); err != nil {
		return nil, err
	}
	c := &Collection{Format: "parley", File: r.file, Name: raw.Name, Doc: raw.Doc}
	var err error
	if raw.Include.Kind() == "text" {
		one, _ := raw.Include.Text()
		c.Include = []string{one}
	} else if err := raw.Include.Decode(&c.Include); err != nil {
		return nil, err
	}
	if c.Scope, err = r.scope(raw.Variables, raw.Auth); err != nil {
		return nil, err
	}
	if !raw.Requests.Present() {
		return nil, s.Errorf(`write "requests:" and a list below`, "has no requests")
	}
	if c.Items, err = r.list(raw.Requests, 1); err != nil {
		return nil, err
	}
	return c, r.checkNeeds(len(c.Include) > 0)
}

func (r *parleyReader) checkNeeds(included bool) error {
	var known []string
	for name := range r.names {
		known = append(known, name)
	}
	slices.Sort(known)
	for _, n := range r.items {
		for _, at := range n.at {
			name, _ := at.Text()
			line, ok := r.names[name]
			switch {
			case !ok && included:
				// It may be in a file that is included: the runner looks.
			case !ok:
				return at.Errorf(near(name, known), "no request is named %q", name)
			case line >= n.item.Line:
				return at.Errorf("write the one that is needed first", "%q comes later", name)
			}
		}
	}
	return nil
}

func near(name string, known []string) string {
	if n := config.Nearest(name, known); n != "" {
		return fmt.Sprintf("did you mean %q?", n)
	}
	if len(known) == 0 {
		return ""
	}
	return "known here: " + strings.Join(known, ", ")
}

func (r *parleyReader) scope(variables, auth config.Section) (sc Scope, err error) {
	if sc.Variables, err = r.variables(variables); err != nil {
		return sc, err
	}
	if auth.Present() {
		sc.Auth, err = readAuth(auth)
	}
	return sc, err
}

func (r *parleyReader) variables(s config.Section) ([]Variable, error) {
	fs, err := s.Fields()
	if err != nil {
		return nil, err
	}
	var out []Variable
	for _, f := range fs {
		v := Variable{Name: f.Name}
		switch f.Value.Kind() {
		case "fields":
			var raw struct {
				Value  config.Section `yaml:"value"`
				Secret bool           `yaml:"secret"`
			}
			if err := f.Value.Decode(&raw); err != nil {
				return nil, err
			}
			v.Secret = raw.Secret
			if v.Value, err = textOf(raw.Value); err != nil {
				return nil, err
			}
		default:
			if v.Value, err = textOf(f.Value); err != nil {
				return nil, err
			}
		}
		if strings.ContainsAny(v.Name, "{}") || v.Name == "" {
			return nil, f.Errorf("", "%q is no name of a variable", v.Name)
		}
		out = append(out, v)
	}
	return out, nil
}

// textOf is a value as text: a scalar as it is written, anything else as JSON.
func textOf(s config.Section) (string, error) {
	if t, ok := s.Text(); ok {
		return t, nil
	}
	if k := s.Kind(); k == "" || k == "nothing" {
		return "", nil
	}
	b, err := s.JSON()
	return string(b), err
}

// maxFolders is how deep folders may stand in folders.
const maxFolders = 64

func (r *parleyReader) list(s config.Section, depth int) ([]*Item, error) {
	if depth > maxFolders {
		return nil, s.Errorf("", "folders stand in folders more than %d times", maxFolders)
	}
	items, err := s.Items()
	if err != nil {
		return nil, err
	}
	var out []*Item
	for _, one := range items {
		it, err := r.item(one, depth)
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

type rawItem struct {
	Name      string         `yaml:"name"`
	Folder    string         `yaml:"folder"`
	Doc       string         `yaml:"doc"`
	Variables config.Section `yaml:"variables"`
	Auth      config.Section `yaml:"auth"`
	Requests  config.Section `yaml:"requests"`

	Method  string         `yaml:"method"`
	URL     config.Section `yaml:"url"`
	Get     config.Section `yaml:"get"`
	Head    config.Section `yaml:"head"`
	Post    config.Section `yaml:"post"`
	Put     config.Section `yaml:"put"`
	Patch   config.Section `yaml:"patch"`
	Delete  config.Section `yaml:"delete"`
	Opts    config.Section `yaml:"options"`
	Trace   config.Section `yaml:"trace"`
	Query_  config.Section `yaml:"query"`
	As      string         `yaml:"as"`
	Params  config.Section `yaml:"params"`
	Headers config.Section `yaml:"headers"`

	JSON      config.Section `yaml:"json"`
	Form      config.Section `yaml:"form"`
	Multipart config.Section `yaml:"multipart"`
	Text      config.Section `yaml:"text"`
	File      config.Section `yaml:"file"`
	GraphQL   config.Section `yaml:"graphql"`

	Send    config.Section `yaml:"send"`
	Needs   config.Section `yaml:"needs"`
	Expect  config.Section `yaml:"expect"`
	Capture config.Section `yaml:"capture"`
	Rows    config.Section `yaml:"rows"`
}

func (r *parleyReader) item(s config.Section, depth int) (*Item, error) {
	it := &Item{}
	it.Line, it.Column = s.LineColumn()
	if t, ok := s.Text(); ok { // "- https://api.example/orders" is a GET
		it.Request = &Request{Method: "GET", URL: t}
		it.Name = "GET " + t
		return it, nil
	}
	var raw rawItem
	if err := s.Decode(&raw); err != nil {
		return nil, err
	}
	it.Name, it.Doc, it.As = raw.Name, raw.Doc, raw.As
	var err error
	if it.Scope, err = r.scope(raw.Variables, raw.Auth); err != nil {
		return nil, err
	}
	if raw.Requests.Present() || raw.Folder != "" {
		if raw.Folder != "" {
			it.Name = raw.Folder
		}
		if err := onlyIn(s, "a folder", "name", "folder", "doc", "variables", "auth", "requests"); err != nil {
			return nil, err
		}
		it.Items, err = r.list(raw.Requests, depth+1)
		if it.Items == nil {
			it.Items = []*Item{}
		}
		return it, err
	}
	if it.Request, err = r.request(s, &raw); err != nil {
		return nil, err
	}
	it.Request.Auth, it.Scope.Auth = it.Scope.Auth, nil
	if it.Name == "" {
		it.Name = it.Request.Method + " " + it.Request.URL
	} else {
		if line, ok := r.names[it.Name]; ok {
			return nil, s.Errorf("names are how other requests mean it: give it another", "a request is named %q already, in line %d", it.Name, line)
		}
		r.names[it.Name] = it.Line
	}
	return it, r.rest(it, &raw)
}

// onlyIn refuses members that have no meaning here.
func onlyIn(s config.Section, what string, names ...string) error {
	fs, err := s.Fields()
	if err != nil {
		return err
	}
	for _, f := range fs {
		if !slices.Contains(names, f.Name) {
			return f.Errorf("known here: "+strings.Join(names, ", "), "%q has no meaning in %s", f.Name, what)
		}
	}
	return nil
}

// rest reads what is around the request: needs, expect, capture, rows.
func (r *parleyReader) rest(it *Item, raw *rawItem) error {
	if raw.Needs.Kind() == "text" {
		one, _ := raw.Needs.Text()
		it.Needs = []string{one}
		r.items = append(r.items, &needing{it, []config.Section{raw.Needs}})
	} else {
		at, err := raw.Needs.Items()
		if err != nil {
			return err
		}
		if err := raw.Needs.Decode(&it.Needs); err != nil {
			return err
		}
		r.items = append(r.items, &needing{it, at})
	}
	var err error
	if it.Expect, err = readExpect(raw.Expect); err != nil {
		return err
	}
	if it.Capture, err = readCapture(raw.Capture); err != nil {
		return err
	}
	if raw.Rows.Kind() == "text" {
		it.RowsFile, _ = raw.Rows.Text()
		return nil
	}
	rows, err := raw.Rows.Items()
	if err != nil {
		return err
	}
	for _, row := range rows {
		v, err := row.Value()
		if err != nil {
			return err
		}
		m, ok := v.(map[string]any)
		if !ok {
			return row.Errorf(`write "- {name: value}"`, "a row has fields")
		}
		it.Rows = append(it.Rows, m)
	}
	return nil
}

func (r *parleyReader) request(s config.Section, raw *rawItem) (*Request, error) {
	q := &Request{Method: raw.Method}
	var places []config.Section
	for i, v := range []config.Section{raw.Get, raw.Head, raw.Post, raw.Put, raw.Patch, raw.Delete, raw.Opts, raw.Trace} {
		if !v.Present() {
			continue
		}
		if m := methods[i]; m == "options" && v.Kind() == "fields" {
			return nil, v.Errorf(`how to send it is below "send:"`, "options is a method here")
		} else if q.Method == "" {
			q.Method = strings.ToUpper(m)
		} else if len(places) == 0 {
			return nil, v.Errorf("write one of them", "both a method and %q", m)
		}
		places = append(places, v)
	}
	if raw.URL.Present() {
		places = append(places, raw.URL)
	}
	switch len(places) {
	case 0:
		return nil, s.Errorf(`write "get: https://..." or "url:"`, "a request without a URL")
	case 1:
	default:
		return nil, places[1].Errorf("write one of them", "the URL is given twice")
	}
	if q.Method == "" {
		q.Method = "GET"
	}
	if !isMethod(q.Method) {
		return nil, s.Errorf("", "%q is no method", q.Method)
	}
	if err := places[0].Decode(&q.URL); err != nil {
		return nil, err
	}
	if q.URL == "" {
		return nil, places[0].Errorf("", "the URL is empty")
	}
	query, err := fields(raw.Query_)
	if err != nil {
		return nil, err
	}
	q.URL = withQuery(q.URL, query)
	if q.Params, err = fields(raw.Params); err != nil {
		return nil, err
	}
	if q.Header, err = fields(raw.Headers); err != nil {
		return nil, err
	}
	for _, h := range q.Header {
		if !isFieldName(h.Name) {
			return nil, raw.Headers.Errorf("", "%q is no name of a header field", h.Name)
		}
	}
	if q.Body, err = r.body(raw); err != nil {
		return nil, err
	}
	q.Options, err = readSend(raw.Send)
	return q, err
}

// isFieldName reports whether a header field may have that name, which may name
// variables.
func isFieldName(name string) bool {
	return isMethod(strings.NewReplacer("{", "", "}", "", "$", "").Replace(name))
}

// isMethod reports whether s is a token (RFC 9110, 5.6.2), as methods and
// field names are.
func isMethod(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"(),/:;<=>?@[\\]{}", c) >= 0 {
			return false
		}
	}
	return s != ""
}

// fields reads names and values: a mapping, whose values may be lists, or a
// list of {name, value}.
func fields(s config.Section) ([]Field, error) {
	if s.Kind() == "list" {
		var raw []struct {
			Name  string         `yaml:"name"`
			Value config.Section `yaml:"value"`
		}
		if err := s.Decode(&raw); err != nil {
			return nil, err
		}
		var out []Field
		for _, f := range raw {
			v, err := textOf(f.Value)
			if err != nil {
				return nil, err
			}
			out = append(out, Field{Name: f.Name, Value: v})
		}
		return out, nil
	}
	fs, err := s.Fields()
	if err != nil {
		return nil, err
	}
	var out []Field
	for _, f := range fs {
		if f.Value.Kind() != "list" {
			v, err := textOf(f.Value)
			if err != nil {
				return nil, err
			}
			out = append(out, Field{Name: f.Name, Value: v})
			continue
		}
		items, err := f.Value.Items()
		if err != nil {
			return nil, err
		}
		for _, one := range items {
			v, err := textOf(one)
			if err != nil {
				return nil, err
			}
			out = append(out, Field{Name: f.Name, Value: v})
		}
	}
	return out, nil
}

// withQuery adds parameters to a URL. Names of variables stay as they are.
func withQuery(u string, query []Field) string {
	sep := "?"
	u, fragment, cut := strings.Cut(u, "#")
	if strings.Contains(u, "?") {
		sep = "&"
	}
	for _, f := range query {
		u += sep + escapeQuery(f.Name) + "=" + escapeQuery(f.Value)
		sep = "&"
	}
	if cut {
		u += "#" + fragment
	}
	return u
}

var variableName = regexp.MustCompile(`\{\{[^{}]*\}\}`)

func escapeQuery(s string) string {
	var b strings.Builder
	at := 0
	for _, m := range variableName.FindAllStringIndex(s, -1) {
		b.WriteString(url.QueryEscape(s[at:m[0]]))
		b.WriteString(s[m[0]:m[1]])
		at = m[1]
	}
	b.WriteString(url.QueryEscape(s[at:]))
	return b.String()
}

// readSend reads how to send.
func readSend(s config.Section) (Options, error) {
	var raw struct {
		HTTP       config.Section `yaml:"http"`
		SendAnyway bool           `yaml:"send_anyway"`
		Redirects  config.Section `yaml:"redirects"`
		Timeout    time.Duration  `yaml:"timeout"`
		Proxy      string         `yaml:"proxy"`
		Cert       string         `yaml:"cert"`
		Key        string         `yaml:"key"`
		CACert     string         `yaml:"cacert"`
		Pin        string         `yaml:"pin"`
		Resolve    []string       `yaml:"resolve"`
		Compressed bool           `yaml:"compressed"`
		NoCookies  bool           `yaml:"no_cookies"`
	}
	if err := s.Decode(&raw); err != nil {
		return Options{}, err
	}
	o := Options{Insecure: raw.SendAnyway, Timeout: raw.Timeout.Seconds(), Proxy: raw.Proxy, Cert: raw.Cert, Key: raw.Key,
		CACert: raw.CACert, Pin: raw.Pin, Resolve: raw.Resolve, Compressed: raw.Compressed, NoCookies: raw.NoCookies}
	if raw.HTTP.Present() {
		o.HTTP, _ = raw.HTTP.Text()
		if !slices.Contains([]string{"1.1", "2", "3"}, o.HTTP) {
			return o, raw.HTTP.Errorf(`known here: "1.1", 2, 3`, "%q is no version of HTTP that is spoken here", o.HTTP)
		}
	}
	switch raw.Redirects.Kind() {
	case "bool":
		var follow bool
		if err := raw.Redirects.Decode(&follow); err != nil {
			return o, err
		}
		o.Redirects, o.NoRedirect = follow, !follow
	case "":
	default:
		if err := raw.Redirects.Decode(&o.MaxRedirect); err != nil {
			return o, err
		}
		if o.MaxRedirect < 0 || o.MaxRedirect > 100 {
			return o, raw.Redirects.Errorf("", "redirects is not between 0 and 100")
		}
		o.Redirects, o.NoRedirect = o.MaxRedirect > 0, o.MaxRedirect == 0
	}
	if raw.Timeout < 0 {
		return o, s.Errorf("", "timeout is less than nothing")
	}
	return o, nil
}
