package archive

import (
	"slices"
	"strings"

	"github.com/parley-project/parley/internal/config"
)

// body reads the one of json, form, multipart, text, file and graphql that is
// there.
func (r *parleyReader) body(raw *rawItem) (*Body, error) {
	var one string
	for _, b := range []struct {
		name string
		s    config.Section
	}{{"json", raw.JSON}, {"form", raw.Form}, {"multipart", raw.Multipart}, {"text", raw.Text}, {"file", raw.File}, {"graphql", raw.GraphQL}} {
		if !b.s.Present() {
			continue
		}
		if one != "" {
			return nil, b.s.Errorf("write one of them", "a body as %s and as %s", one, b.name)
		}
		one = b.name
	}
	switch one {
	case "":
		return nil, nil
	case "json":
		data, err := raw.JSON.JSON()
		return &Body{Mode: "raw", Text: string(data), MediaType: jsonType}, err
	case "text":
		text, err := textOf(raw.Text)
		return &Body{Mode: "raw", Text: text}, err
	case "file":
		name, ok := raw.File.Text()
		if !ok || name == "" {
			return nil, raw.File.Errorf("write the file's name", "no file is named")
		}
		return &Body{Mode: "file", File: name}, nil
	case "form":
		fs, err := fields(raw.Form)
		b := &Body{Mode: "urlencoded"}
		for _, f := range fs {
			b.Fields = append(b.Fields, FormField{Field: f})
		}
		return b, err
	case "graphql":
		var g struct {
			Query     string         `yaml:"query"`
			Variables config.Section `yaml:"variables"`
			Operation string         `yaml:"operation"`
		}
		if raw.GraphQL.Kind() == "text" {
			g.Query, _ = raw.GraphQL.Text()
		} else if err := raw.GraphQL.Decode(&g); err != nil {
			return nil, err
		}
		vars, err := textOf(g.Variables)
		return &Body{Mode: "graphql", Text: g.Query, Variables: vars, Operation: g.Operation}, err
	}
	return readMultipart(raw.Multipart)
}

const jsonType = "application/json"

// readMultipart reads the parts: a value, or {file, filename, type, value}. A
// list of them, each with its name, can name one twice.
func readMultipart(s config.Section) (*Body, error) {
	type part struct {
		Name     string         `yaml:"name"`
		Value    config.Section `yaml:"value"`
		File     string         `yaml:"file"`
		FileName string         `yaml:"filename"`
		Type     string         `yaml:"type"`
	}
	field := func(p part) (FormField, error) {
		v, err := textOf(p.Value)
		return FormField{Field: Field{Name: p.Name, Value: v}, File: p.File, FileName: p.FileName, MediaType: p.Type}, err
	}
	b := &Body{Mode: "form-data"}
	if s.Kind() == "list" {
		var parts []part
		if err := s.Decode(&parts); err != nil {
			return nil, err
		}
		for _, p := range parts {
			f, err := field(p)
			if err != nil {
				return nil, err
			}
			b.Fields = append(b.Fields, f)
		}
		return b, nil
	}
	fs, err := s.Fields()
	if err != nil {
		return nil, err
	}
	for _, f := range fs {
		p := part{Name: f.Name, Value: f.Value}
		if f.Value.Kind() == "fields" {
			p.Value = config.Section{}
			if err := f.Value.Decode(&p); err != nil {
				return nil, err
			}
			p.Name = f.Name
		}
		one, err := field(p)
		if err != nil {
			return nil, err
		}
		b.Fields = append(b.Fields, one)
	}
	return b, nil
}

// authWords are the schemes, and the parameter that a mere text stands for.
var authWords = []struct{ scheme, only string }{
	{"none", ""}, {"basic", ""}, {"bearer", "token"}, {"apikey", "value"}, {"digest", ""}, {"oauth2", ""}, {"aws-sigv4", ""},
}

// readAuth reads "none", {bearer: TOKEN} or {basic: {username, password}}.
func readAuth(s config.Section) (*Auth, error) {
	var known []string
	for _, w := range authWords {
		known = append(known, w.scheme)
	}
	if t, ok := s.Text(); ok {
		if t == "none" {
			return &Auth{Scheme: "none"}, nil
		}
		return nil, s.Errorf("write none, or like bearer: TOKEN", "%q says nothing of the credential", t)
	}
	fs, err := s.Fields()
	if err != nil {
		return nil, err
	}
	if len(fs) != 1 {
		return nil, s.Errorf("known are "+strings.Join(known, ", "), "wants one scheme")
	}
	f := fs[0]
	i := slices.Index(known, f.Name)
	if i < 0 && slices.Contains(NotRun(), f.Name) {
		i = 0 // kept, with its parameters
	}
	if i < 0 {
		return nil, f.Errorf(near(f.Name, known), "%q is no scheme that is known here", f.Name)
	}
	a := &Auth{Scheme: f.Name, Params: map[string]string{}}
	if t, ok := f.Value.Text(); ok {
		switch {
		case authWords[i].only != "":
			a.Params[authWords[i].only] = t
		case f.Name == "basic" || f.Name == "digest":
			user, password, _ := strings.Cut(t, ":")
			a.Params["username"], a.Params["password"] = user, password
		default:
			return nil, f.Value.Errorf("", "wants fields, not a text")
		}
		return a, nil
	}
	params, err := f.Value.Fields()
	if err != nil {
		return nil, err
	}
	for _, p := range params {
		v, err := textOf(p.Value)
		if err != nil {
			return nil, err
		}
		a.Params[p.Name] = v
	}
	return a, nil
}
