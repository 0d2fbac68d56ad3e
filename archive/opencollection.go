package archive

import (
	"path/filepath"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// OpenCollection is what Bruno writes in newer versions: YAML, a file for each
// request, one named folder.yml for each folder, and opencollection.yml at the
// top. It is read and not written.

func isOpenCollection(file string, data []byte) bool {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".yml", ".yaml":
		t := "\n" + decodeText(data[:min(len(data), 1<<16)&^1])
		return strings.Contains(t, "\nopencollection:") ||
			strings.Contains(t, "\ninfo:") && (strings.Contains(t, "\nhttp:") || strings.Contains(t, "\ngraphql:") || strings.Contains(t, "\ngrpc:") || strings.Contains(t, "\nwebsocket:"))
	}
	return false
}

func readOpenCollection(file string, data []byte) (*Collection, error) {
	t, err := yamlTree(file, []byte(decodeText(data)))
	if err != nil {
		return nil, err
	}
	o := &openReader{postmanReader{file: file}}
	c := &Collection{Format: "opencollection", File: file, Foreign: t, Name: t.get("info").get("name").asText(), Doc: openDoc(t)}
	if c.Name == "" {
		c.Name = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	}
	switch {
	case !t.is('{'):
		return nil, &Error{File: file, Line: 1, Column: 1, Text: "is no collection: expected fields"}
	case openRequest(t) != nil:
		c.Doc = ""
		c.Items = []*Item{o.item(t)}
	default:
		o.scope(t.get("request"), &c.Scope)
		c.Items = o.items(t.get("items"), openHeader(t.get("request").get("headers")), 0)
	}
	c.Warnings = o.warnings
	return c, nil
}

// An openReader reads trees made of YAML; their places are not those in the
// file, so messages name only the file.
type openReader struct{ postmanReader }

func (o *openReader) note(format string, args ...any) { o.warn(nil, format, args...) }

func openDoc(t *tree) string {
	if d := t.get("docs"); d != nil {
		return openText(d)
	}
	return openText(t.get("info").get("description"))
}

func openText(t *tree) string {
	if t.is('{') {
		return t.get("content").asText()
	}
	return t.asText()
}

// openRequest returns the part of a file that is a request.
func openRequest(t *tree) *tree {
	for _, kind := range []string{"http", "graphql", "grpc", "websocket"} {
		if r := t.get(kind); r.is('{') {
			return r
		}
	}
	return nil
}

func (o *openReader) items(list *tree, above []Field, depth int) []*Item {
	var out []*Item
	for _, t := range list.list() {
		if depth > maxDepth || !t.is('{') {
			continue
		}
		it := o.item(t)
		if it.Request != nil {
			it.Request.Header = inherited(it.Request.Header, above)
		}
		it.Items = o.items(t.get("items"), append(openHeader(t.get("request").get("headers")), above...), depth+1)
		out = append(out, it)
	}
	return out
}

// inherited adds the header fields of folders, which those of a request go
// before.
func inherited(own, above []Field) []Field {
next:
	for _, f := range above {
		for _, h := range own {
			if strings.EqualFold(h.Name, f.Name) {
				continue next
			}
		}
		own = append(own, f)
	}
	return own
}

// item reads a request or folder.
func (o *openReader) item(t *tree) *Item {
	it := &Item{Name: t.get("info").get("name").asText(), Doc: openDoc(t), Foreign: t}
	q := openRequest(t)
	if q == nil {
		o.scope(t.get("request"), &it.Scope)
		return it
	}
	r := &Request{Method: strings.ToUpper(q.get("method").asText()), URL: q.get("url").asText()}
	if r.Method == "" {
		r.Method = "GET"
		if t.get("graphql") != nil {
			r.Method = "POST"
		}
	}
	if t.get("grpc") != nil || t.get("websocket") != nil {
		o.note("%s: a request by gRPC or WebSocket, which is not run", it.Name)
	}
	var query []Field
	params := q.get("params").list()
	kinds := map[*tree]string{}
	for _, kind := range []string{"query", "path"} { // an object of two lists says the same
		for _, p := range q.get("params").get(kind).list() {
			params = append(params, p)
			kinds[p] = kind
		}
	}
	for _, p := range params {
		f := Field{Name: p.get("name").asText(), Value: openText(p.get("value")), Doc: openText(p.get("description")), Disabled: openOff(p)}
		if p.get("type").text() == "path" || kinds[p] == "path" {
			r.Params = append(r.Params, f)
		} else {
			query = append(query, f)
		}
	}
	bruQuery(r, query)
	r.Header = openHeader(q.get("headers"))
	r.Body = o.body(q.get("body"))
	if t.get("graphql") != nil {
		r.Body = &Body{Mode: "graphql", Text: q.get("body").get("query").asText(), Variables: q.get("body").get("variables").asText()}
	}
	run := t.get("runtime")
	r.Auth = o.auth(either(q.get("auth"), run.get("auth")))
	it.Request = r
	o.runtime(run, it)
	o.runtime(q, it)
	s := either(t.get("settings"), q.get("settings"))
	r.Options.NoRedirect = s.get("followRedirects").isFalse()
	r.Options.MaxRedirect = int(number64(s.get("maxRedirects").asText()))
	r.Options.Timeout = number64(s.get("timeout").asText()) / 1000
	for _, e := range t.get("examples").list() {
		it.Recorded = append(it.Recorded, o.example(e, r))
	}
	return it
}

// either returns the first that is there.
func either(ts ...*tree) *tree {
	for _, t := range ts {
		if t != nil {
			return t
		}
	}
	return nil
}

func openOff(t *tree) bool { return t.get("disabled").isTrue() || t.get("enabled").isFalse() }

func openHeader(list *tree) []Field {
	var out []Field
	for _, h := range list.list() {
		if name := h.get("name").asText(); name != "" {
			out = append(out, Field{Name: name, Value: openText(h.get("value")), Doc: openText(h.get("description")), Disabled: openOff(h)})
		}
	}
	return out
}

func (o *openReader) scope(t *tree, s *Scope) {
	s.Variables = openVariables(t.get("variables"))
	s.Auth = o.auth(t.get("auth"))
	s.Scripts = o.openScripts(t.get("scripts"))
}

// openVariables reads a list of variables, or an object.
func openVariables(t *tree) []Variable {
	if t.is('{') {
		return objectVariables(t)
	}
	var out []Variable
	for _, v := range t.list() {
		name := v.get("name").asText()
		if name == "" {
			continue
		}
		value := v.get("value")
		if d := value.get("data"); d != nil {
			value = d
		}
		out = append(out, Variable{Name: name, Value: value.asText(), Secret: v.get("secret").isTrue(), Disabled: openOff(v)})
	}
	return out
}

// openScripts reads a list of scripts with their kinds, or an object of them.
func (o *openReader) openScripts(t *tree) []Script {
	var out []Script
	put := func(kind, text string) {
		when := "test"
		if strings.Contains(kind, "before") || strings.Contains(kind, "pre") {
			when = "prerequest"
		}
		if text != "" {
			out = append(out, Script{When: when, Language: "bruno", Text: strings.TrimRight(text, "\n")})
			o.note("a script of Bruno, which is kept and not run")
		}
	}
	for _, s := range t.list() {
		put(s.get("type").asText(), s.get("code").asText())
	}
	if t.is('{') {
		for _, m := range t.members {
			put(m.name, m.value.asText())
		}
	}
	return out
}

func (o *openReader) auth(t *tree) *Auth {
	if t.is('"') {
		switch s := t.text(); s {
		case "inherit", "":
			return nil
		default:
			return &Auth{Scheme: s}
		}
	}
	mode := t.get("type").asText()
	if mode == "" || mode == "inherit" {
		return nil
	}
	b := &bruFile{file: o.file}
	a := &Auth{Scheme: mode}
	members := t.members
	if in := t.get(mode); in.is('{') {
		members = in.members
	}
	for _, m := range members {
		if m.name != "type" {
			a.setBruno(mode, m.name, m.value.asText())
		}
	}
	a = b.known(a, mode, nil)
	o.warnings = append(o.warnings, b.warnings...)
	return a
}

func (o *openReader) body(t *tree) *Body {
	mode := either(t.get("mode"), t.get("type")).asText()
	data := either(t.get("data"), t.get(mode))
	switch mode {
	case "", "none":
		return nil
	case "form-urlencoded", "formUrlEncoded", "urlencoded":
		return &Body{Mode: "urlencoded", Fields: openForm(either(t.get("data"), t.get("formUrlEncoded"), t.get("form-urlencoded")))}
	case "multipart-form", "multipartForm", "multipart":
		return &Body{Mode: "form-data", Fields: openForm(either(t.get("data"), t.get("multipartForm"), t.get("multipart-form")))}
	case "file":
		for _, f := range data.list() {
			if !f.get("selected").isFalse() {
				return &Body{Mode: "file", File: either(f.get("filePath"), f.get("value")).asText(), MediaType: f.get("contentType").asText()}
			}
		}
		return &Body{Mode: "file", File: data.asText()}
	case "graphql":
		g := either(data, t)
		return &Body{Mode: "graphql", Text: g.get("query").asText(), Variables: g.get("variables").asText()}
	}
	types := map[string]string{"json": "application/json", "xml": "application/xml", "text": "text/plain", "sparql": "application/sparql-query"}
	return &Body{Mode: "raw", Text: strings.TrimRight(data.asText(), "\n"), MediaType: types[mode]}
}

func openForm(list *tree) []FormField {
	var out []FormField
	for _, t := range list.list() {
		f := FormField{Field: Field{Name: t.get("name").asText(), Doc: openText(t.get("description")), Disabled: openOff(t)}, MediaType: t.get("contentType").asText()}
		value := t.get("value")
		if t.get("type").text() != "file" {
			f.Value = openText(value)
			out = append(out, f)
			continue
		}
		names := value.list()
		if !value.is('[') {
			names = []*tree{value}
		}
		for _, n := range names {
			f.File = n.asText()
			out = append(out, f)
		}
	}
	return out
}

// runtime reads what happens around a request: variables, scripts, assertions.
func (o *openReader) runtime(t *tree, it *Item) {
	it.Scripts = append(it.Scripts, o.openScripts(t.get("scripts"))...)
	it.Variables = append(it.Variables, openVariables(t.get("variables"))...)
	for _, a := range t.get("assertions").list() {
		name := either(a.get("expression"), a.get("name")).asText()
		value := strings.TrimSpace(a.get("operator").asText() + " " + a.get("value").asText())
		if openOff(a) {
			continue
		}
		if e, ok := bruExpectation(name, value); ok {
			it.Expect = append(it.Expect, e)
		} else {
			o.note("%s: the assertion %s is not understood", it.Name, excerpt(name+" "+value))
		}
	}
	for _, a := range t.get("actions").list() {
		fact, _ := bruFact(a.get("selector").get("expression").asText())
		if name := a.get("variable").get("name").asText(); fact != "" && name != "" && !openOff(a) {
			it.Capture = append(it.Capture, Capture{Variable: name, Fact: fact})
		}
	}
}

func (o *openReader) example(t *tree, of *Request) *exchange.Exchange {
	r := *of
	if q := t.get("request"); q.is('{') {
		r = Request{Method: strings.ToUpper(q.get("method").asText()), URL: q.get("url").asText(), Header: openHeader(q.get("headers")), Body: o.body(q.get("body"))}
	}
	res := t.get("response")
	x := &exchange.Exchange{Source: exchange.FromImport, Request: asWritten(&r), Response: &exchange.Response{Fidelity: exchange.Canonical}}
	x.Response.Status = int(min(number64(res.get("status").asText()), 999))
	for _, h := range openHeader(res.get("headers")) {
		x.Response.Header = append(x.Response.Header, exchange.Field{Name: h.Name, Value: h.Value})
	}
	if b := either(res.get("body").get("data"), res.get("body")); b != nil {
		text := b.asText()
		x.Response.Body = exchange.Body{Size: int64(len(text)), Data: []byte(text)}
	}
	return x
}
