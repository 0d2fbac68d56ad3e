package archive

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

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
