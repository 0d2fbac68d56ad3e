package call

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// FromContract makes a collection of an API description: one request for each
// operation, with values that the contract allows, in folders by tag. file is
// what c was loaded from. The server is the variable baseUrl; credentials are
// variables that are still empty, named after the security schemes.
//
// What is not required is there and disabled: optional parameters of the query
// and optional header fields.
func FromContract(c *contract.Contract, file string) (*archive.Collection, error) {
	samples, err := c.Samples(file)
	if err != nil {
		return nil, err
	}
	f := &fromContract{c: c, col: &archive.Collection{Format: "openapi", File: file, Name: c.Title}, servers: map[string]string{}}
	if f.col.Name == "" {
		f.col.Name = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	}
	folders := map[string]*archive.Item{}
	for _, s := range samples {
		it := f.item(s)
		if len(s.Tags) == 0 {
			f.col.Items = append(f.col.Items, it)
			continue
		}
		folder := folders[s.Tags[0]]
		if folder == nil {
			folder = &archive.Item{Name: s.Tags[0]}
			folders[s.Tags[0]] = folder
			f.col.Items = append(f.col.Items, folder)
		}
		folder.Items = append(folder.Items, it)
	}
	return f.col, nil
}

type fromContract struct {
	c       *contract.Contract
	col     *archive.Collection
	servers map[string]string // URL to variable
}

func (f *fromContract) variable(name, value string, secret bool) string {
	if !slices.ContainsFunc(f.col.Variables, func(v archive.Variable) bool { return v.Name == name }) {
		f.col.Variables = append(f.col.Variables, archive.Variable{Name: name, Value: value, Secret: secret})
	}
	return "{{" + name + "}}"
}

// server is the variable of a server: baseUrl, and baseUrl2 for another one.
func (f *fromContract) server(u string) string {
	if u == "" || strings.HasPrefix(u, "/") {
		// It is relative to where the description was found, which nobody said.
		u = "http://localhost:8080" + u
	}
	name := f.servers[u]
	if name == "" {
		name = "baseUrl"
		if n := len(f.servers); n > 0 {
			name += strconv.Itoa(n + 1)
		}
		f.servers[u] = name
	}
	return f.variable(name, u, false)
}

func (f *fromContract) item(s *contract.Sample) *archive.Item {
	r := &archive.Request{Method: s.Method}
	it := &archive.Item{Name: s.Summary, Doc: s.Doc, Request: r}
	if it.Name == "" {
		it.Name = s.Method + " " + s.Path
	}
	path := s.Path
	var query []string
	for _, v := range s.Values {
		for _, p := range v.Pairs {
			switch v.In {
			case "path":
				path = f.segment(r, path, v, p.Value)
			case "query":
				if v.Required {
					query = append(query, contract.Escape(p.Name)+"="+contract.Escape(p.Value))
				} else {
					r.Disabled = append(r.Disabled, archive.Field{Name: p.Name, Value: p.Value, Doc: v.Doc, Disabled: true})
				}
			case "header":
				r.Header = append(r.Header, archive.Field{Name: p.Name, Value: p.Value, Doc: v.Doc, Disabled: !v.Required})
			case "cookie":
				if v.Required {
					addCookie(r, p.Name+"="+p.Value)
				}
			}
		}
	}
	r.URL = f.server(s.Server) + path
	if s.Operation != nil {
		query = append(query, f.credentials(r, s.Operation)...)
	}
	if len(query) > 0 {
		r.URL += "?" + strings.Join(query, "&")
	}
	f.body(r, s)
	for _, a := range s.Answers {
		if x := exampleOf(s, a); x != nil {
			it.Recorded = append(it.Recorded, x)
		}
	}
	return it
}

// segment puts a path variable in: as a named segment if it is a whole one,
// else as its value.
func (f *fromContract) segment(r *archive.Request, path string, v contract.SampleValue, value string) string {
	whole := "/{" + v.Name + "}"
	i := strings.Index(path, whole)
	end := i + len(whole)
	if i >= 0 && (end == len(path) || path[end] == '/') && strings.Count(path, whole) == 1 && plainName(v.Name) && contract.Escape(value) == value {
		r.Params = append(r.Params, archive.Field{Name: v.Name, Value: value, Doc: v.Doc})
		return path[:i] + "/:" + v.Name + path[end:]
	}
	return strings.ReplaceAll(path, "{"+v.Name+"}", contract.Escape(value))
}

func plainName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

func addCookie(r *archive.Request, pair string) {
	for i, h := range r.Header {
		if strings.EqualFold(h.Name, "Cookie") {
			r.Header[i].Value += "; " + pair
			return
		}
	}
	r.Header = append(r.Header, archive.Field{Name: "Cookie", Value: pair})
}

// credentials puts in what the first way to be let in asks for. What is for the
// query is returned.
func (f *fromContract) credentials(r *archive.Request, o *contract.Operation) (query []string) {
	if o.Public && len(o.Security) == 0 {
		r.Auth = &archive.Auth{Scheme: "none"}
		return nil
	}
	if len(o.Security) == 0 {
		return nil
	}
	names := make([]string, 0, len(o.Security[0]))
	for name := range o.Security[0] {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s, known := f.c.Schemes[name]
		if !known {
			continue
		}
		switch {
		case s.Type == "basic" || s.Type == "http" && s.Scheme == "basic" || s.Type == "http" && s.Scheme == "digest":
			scheme := "basic"
			if s.Scheme == "digest" {
				scheme = "digest"
			}
			r.Auth = &archive.Auth{Scheme: scheme, Params: map[string]string{
				"username": f.variable("username", "", false), "password": f.variable("password", "", true)}}
		case s.Type == "apiKey" && s.In == "cookie":
			addCookie(r, s.Name+"="+f.variable(variableName(name), "", true))
		case s.Type == "apiKey" && r.Auth == nil:
			r.Auth = &archive.Auth{Scheme: "apikey", Params: map[string]string{
				"key": s.Name, "value": f.variable(variableName(name), "", true), "in": s.In}}
		case s.Type == "apiKey" && s.In == "query":
			query = append(query, contract.Escape(s.Name)+"="+f.variable(variableName(name), "", true))
		case s.Type == "apiKey":
			r.Header = append(r.Header, archive.Field{Name: s.Name, Value: f.variable(variableName(name), "", true)})
		case s.Type == "oauth2" || s.Type == "openIdConnect" || s.Type == "http":
			r.Auth = &archive.Auth{Scheme: "bearer", Params: map[string]string{"token": f.variable(variableName(name), "", true)}}
		}
	}
	return query
}

// variableName is a security scheme's name as that of a variable.
func variableName(s string) string {
	return strings.Map(func(c rune) rune {
		if plainName(string(c)) {
			return c
		}
		return '_'
	}, s)
}

func (f *fromContract) body(r *archive.Request, s *contract.Sample) {
	switch {
	case s.MediaType == "":
		return
	case s.MediaType == "application/x-www-form-urlencoded":
		r.Body = &archive.Body{Mode: "urlencoded"}
	case strings.HasPrefix(s.MediaType, "multipart/"):
		r.Body = &archive.Body{Mode: "form-data"}
	case s.Body == nil && !strings.Contains(s.MediaType, "json"):
		r.Body = &archive.Body{Mode: "file", MediaType: s.MediaType}
		r.Header = append(r.Header, archive.Field{Name: "Content-Type", Value: s.MediaType})
		f.col.Warnings = append(f.col.Warnings, f.col.File+": "+s.Method+" "+s.Path+": a body of "+s.MediaType+" is a file that nobody has named")
		return
	default:
		r.Body = &archive.Body{Mode: "raw", Text: string(s.Body), MediaType: s.MediaType}
		r.Header = append(r.Header, archive.Field{Name: "Content-Type", Value: s.MediaType})
		return
	}
	for _, v := range s.Form {
		field := archive.FormField{Field: archive.Field{Name: v.Name, Value: v.Value, Disabled: v.File && !v.Required}, MediaType: v.MediaType}
		if v.File {
			field.Value, field.File = "", v.Name+".bin"
		}
		r.Body.Fields = append(r.Body.Fields, field)
	}
}

// exampleOf is an example of a response as an exchange that was recorded.
func exampleOf(s *contract.Sample, a contract.SampleAnswer) *exchange.Exchange {
	status, err := strconv.Atoi(strings.ReplaceAll(strings.ToLower(a.Status), "xx", "00"))
	if err != nil || status < 100 || status > 599 {
		return nil
	}
	x := &exchange.Exchange{Source: exchange.FromImport, Request: *s.Request()}
	x.Request.Scheme, x.Request.Authority, _ = strings.Cut(s.Server, "://")
	x.Request.Authority, _, _ = strings.Cut(x.Request.Authority, "/")
	x.Response = &exchange.Response{Status: status, Header: exchange.Header{{Name: "Content-Type", Value: a.MediaType}},
		Body: exchange.Body{Size: int64(len(a.Body)), Data: a.Body}, Fidelity: exchange.Canonical}
	return x
}
