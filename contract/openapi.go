package contract

import (
	"fmt"
	"slices"
	"strings"
)

// A reader turns an API description into operations. What says how a request
// must be is either understood or an error: guard would let everything in.
// What says how a response will be may be broken in one place; that body is
// then listed as not judged.
type reader struct {
	ds      *documents
	c       *Contract
	dialect dialect
	// security that holds where an operation does not say; nil: nowhere said.
	security cursor
	// secured is true once any security was declared.
	secured bool
	schemes map[string]bool
	checked map[string]bool // schema locations whose references were followed
	params  map[string]*Parameter
	bodies  []*Body
}

// readAPI reads an OpenAPI 2.0 or 3.x file into c.
func readAPI(file string, c *Contract) (*reader, error) {
	ds, err := openDocuments(file)
	if err != nil {
		return nil, err
	}
	r := &reader{ds: ds, c: c, schemes: map[string]bool{}, checked: map[string]bool{}, params: map[string]*Parameter{}}
	top := ds.first.top()
	if !top.isMap() {
		return nil, top.errorf("", "is not an OpenAPI document: expected fields")
	}
	c.Title, c.Version = top.get("info").get("title").text(), top.get("info").get("version").text()
	c.Schemes = map[string]SecurityScheme{}

	read := r.read3
	switch v := top.get("openapi").text(); {
	case v == "3.0" || strings.HasPrefix(v, "3.0."):
		r.dialect = openapi30
	case v == "3.1" || strings.HasPrefix(v, "3.1."), v == "3.2" || strings.HasPrefix(v, "3.2."):
		r.dialect = openapi31
		switch d := top.get("jsonSchemaDialect").text(); {
		case strings.Contains(d, "draft-04"):
			r.dialect = draft4
		case strings.Contains(d, "draft-06"), strings.Contains(d, "draft-07"):
			r.dialect = draft7
		}
	case v != "":
		return nil, top.get("openapi").errorf("3.0, 3.1 and 3.2 are; for 2.0 write swagger: \"2.0\"", "OpenAPI %q is not known", v)
	case top.get("swagger").ok():
		if v := top.get("swagger").text(); v != "2.0" && v != "2" {
			return nil, top.get("swagger").errorf("OpenAPI 2.0, 3.0, 3.1 and 3.2 are", "Swagger %q is not known", v)
		}
		r.dialect = openapi30
		read = r.read2
	default:
		return nil, top.errorf("it begins with a line such as openapi: 3.1.0", "is not an OpenAPI document")
	}
	if err := read(top); err != nil {
		return nil, err
	}
	slices.SortFunc(c.Operations, func(a, b *Operation) int {
		if n := strings.Compare(a.Path, b.Path); n != 0 {
			return n
		}
		return strings.Compare(a.Method, b.Method)
	})
	if !r.secured && len(c.Operations) > 0 {
		c.Notes = append(c.Notes, top.place()+": no security is declared anywhere: every operation counts as public")
	}
	return r, nil
}

// expect returns an error when the cursor holds something that is not fields
// (or, with list, not a list).
func expect(c cursor, list bool, what string) error {
	if !c.ok() || list && c.isList() || !list && c.isMap() || c.value() == nil {
		return nil
	}
	if list {
		return c.errorf("", "%s: expected a list", what)
	}
	return c.errorf("", "%s: expected fields", what)
}

var methods3 = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"}

func (r *reader) read3(top cursor) error {
	for _, m := range top.get("components").get("securitySchemes").members() {
		s, err := r.ds.follow(m.value)
		if err != nil {
			return err
		}
		r.addScheme(m.name, s)
	}
	r.security = top.get("security")
	paths := top.get("paths")
	if err := expect(paths, false, "paths"); err != nil {
		return err
	}
	for _, p := range paths.members() {
		if strings.HasPrefix(p.name, "x-") {
			continue
		}
		item, err := r.ds.follow(p.value)
		if err != nil {
			return err
		}
		if err := expect(item, false, p.name); err != nil {
			return err
		}
		operations := map[string]cursor{}
		var order []string
		for _, from := range []cursor{item, p.value} {
			for _, m := range from.members() {
				if slices.Contains(methods3, m.name) && !operations[strings.ToUpper(m.name)].ok() {
					operations[strings.ToUpper(m.name)] = m.value
					order = append(order, strings.ToUpper(m.name))
				}
			}
			for _, m := range from.get("additionalOperations").members() { // OpenAPI 3.2
				if !operations[m.name].ok() {
					operations[m.name] = m.value
					order = append(order, m.name)
				}
			}
		}
		for _, method := range order {
			op := operations[method]
			if err := expect(op, false, method+" "+p.name); err != nil {
				return err
			}
			servers := top.get("servers")
			for _, s := range []cursor{item.get("servers"), op.get("servers")} {
				if len(s.items()) > 0 {
					servers = s
				}
			}
			o, err := r.operation(method, p, op, item.get("parameters"))
			if err != nil {
				return err
			}
			if o == nil {
				continue
			}
			if err := r.requestBody(o, op.get("requestBody")); err != nil {
				return err
			}
			if err := r.responses(o, op.get("responses"), r.response3); err != nil {
				return err
			}
			r.add(o, basePaths(servers))
		}
	}
	return nil
}

// operation reads what OpenAPI 2 and 3 say alike. It returns nil for one that
// no request can be matched with.
func (r *reader) operation(method string, path member, op, shared cursor) (*Operation, error) {
	at := path.value.atName()
	if !strings.HasPrefix(path.name, "/") {
		return nil, at.errorf("", "the path %q does not begin with a slash", path.name)
	}
	o := &Operation{
		ID:        op.get("operationId").text(),
		Method:    method,
		Path:      path.name,
		Place:     op.atName().place(),
		responses: map[string]*Response{},
	}
	o.Name = method + " " + path.name
	if _, err := parseTemplate(path.name); err != nil {
		return nil, at.errorf("", "the path %q: %v", path.name, err)
	}
	if strings.ContainsAny(path.name, "?#") {
		r.notJudged(at, o.Name, "a path has no query or fragment; no request is matched with it")
		return nil, nil
	}
	if err := r.parameters(o, shared, op.get("parameters")); err != nil {
		return nil, err
	}
	security := op.get("security")
	if !security.ok() {
		security = r.security
	}
	return o, r.readSecurity(o, security)
}

func (r *reader) readSecurity(o *Operation, security cursor) error {
	if err := expect(security, true, o.Name+": security"); err != nil {
		return err
	}
	if !security.ok() || !security.isList() {
		o.Public = true
		return nil
	}
	r.secured = true
	alternatives := security.items()
	o.Public = len(alternatives) == 0
	for _, a := range alternatives {
		req := SecurityRequirement{}
		for _, m := range a.members() {
			req[m.name] = m.value.texts()
			if _, known := r.c.Schemes[m.name]; !known && !r.schemes[m.name] {
				r.schemes[m.name] = true
				r.note(m.value.atName(), fmt.Sprintf("the security scheme %q is not declared", m.name))
			}
		}
		if len(req) == 0 {
			o.Public = true
		}
		o.Security = append(o.Security, req)
	}
	return nil
}

func (r *reader) addScheme(name string, s cursor) {
	r.c.Schemes[name] = SecurityScheme{
		Type:   s.get("type").text(),
		Scheme: strings.ToLower(s.get("scheme").text()),
		In:     s.get("in").text(),
		Name:   s.get("name").text(),
	}
}

// add puts the operation under each base path.
func (r *reader) add(o *Operation, bases []string) {
	for i, base := range bases {
		on := o
		if i > 0 {
			c := *o
			on = &c
		}
		on.base = base
		on.Path = base + strings.TrimPrefix(o.Name, o.Method+" ")
		r.c.Operations = append(r.c.Operations, on)
	}
	for _, on := range r.c.Operations[len(r.c.Operations)-len(bases):] {
		on.Name = on.Method + " " + on.Path
	}
}

func (r *reader) requestBody(o *Operation, body cursor) error {
	if !body.ok() {
		return nil
	}
	b, err := r.ds.follow(body)
	if err != nil {
		return err
	}
	if err := expect(b, false, o.Name+": requestBody"); err != nil {
		return err
	}
	o.BodyRequired = b.get("required").isTrue()
	o.Requests = map[string]*Body{}
	for _, m := range b.get("content").members() {
		media, err := r.ds.follow(m.value) // a reference from OpenAPI 3.2 on
		if err != nil {
			return err
		}
		if err := r.requestMedia(o, m, media.get("schema")); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) requestMedia(o *Operation, m member, schema cursor) error {
	if err := r.checkReferences(schema); err != nil {
		return err
	}
	mt := mediaType(m.name)
	body := r.body(mt, schema, true)
	if schema.ok() && !body.json {
		r.note(m.value.atName(), o.Name+": request "+mt+": only JSON bodies are judged")
	}
	r.addBody(o, o.Requests, body, "request", m.value.atName())
	return nil
}

// addBody keeps a body under its media type. Two that differ only in the
// parameters of the type cannot be told apart, and neither is judged.
func (r *reader) addBody(o *Operation, bodies map[string]*Body, b *Body, what string, at cursor) {
	if other := bodies[b.MediaType]; other != nil && other.schema != b.schema {
		r.notJudged(at, o.Name, what+" "+b.MediaType+": declared twice with different parameters")
		other.schema, other.unjudged = cursor{}, true
		return
	}
	bodies[b.MediaType] = b
	r.bodies = append(r.bodies, b)
	if b.name == "" {
		b.name = o.Name + ": " + what + " " + b.MediaType
	}
}

func (r *reader) body(mt string, schema cursor, request bool) *Body {
	b := &Body{MediaType: mt, request: request, json: IsJSON(mt) || strings.HasSuffix(mt, "/*") && (mt == "*/*" || mt == "application/*")}
	if schema.ok() && b.json {
		b.schema = schema
	}
	return b
}

func (r *reader) responses(o *Operation, responses cursor, read func(*Operation, *Response, cursor) error) error {
	if err := expect(responses, false, o.Name+": responses"); err != nil {
		return err
	}
	for _, m := range responses.members() {
		if strings.HasPrefix(m.name, "x-") {
			continue
		}
		status := strings.ToUpper(m.name)
		if m.name == "default" {
			status = m.name
		}
		res := &Response{Status: status, Bodies: map[string]*Body{}}
		o.responses[status] = res
		c, err := r.ds.follow(m.value)
		if err == nil {
			err = read(o, res, c)
		}
		if _, remote := err.(*remoteReference); remote {
			return err
		}
		if err != nil {
			res.Bodies = map[string]*Body{"*/*": {MediaType: "*/*", unjudged: true}}
			r.c.NotJudged = append(r.c.NotJudged, fmt.Sprintf("%v: %s: response %s", err, o.Name, status))
			continue
		}
		for _, h := range c.get("headers").members() {
			res.Header = append(res.Header, &Parameter{Name: h.name, In: "header", Required: h.value.get("required").isTrue()})
		}
		for mt := range res.Bodies {
			if !slices.Contains(o.Produces, mt) {
				o.Produces = append(o.Produces, mt)
			}
		}
	}
	slices.Sort(o.Produces)
	return nil
}

func (r *reader) response3(o *Operation, res *Response, c cursor) error {
	for _, m := range c.get("content").members() {
		media, err := r.ds.follow(m.value)
		if err != nil {
			return err
		}
		if err := r.responseMedia(o, res, m.name, media.get("schema"), m.value.atName()); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) responseMedia(o *Operation, res *Response, name string, schema, at cursor) error {
	b := r.body(mediaType(name), schema, false)
	if err := r.checkReferences(b.schema); err != nil {
		if _, remote := err.(*remoteReference); remote {
			return err
		}
		r.c.NotJudged = append(r.c.NotJudged, fmt.Sprintf("%v: %s: response %s %s", err, o.Name, res.Status, b.MediaType))
		b.schema, b.unjudged = cursor{}, true
	}
	r.addBody(o, res.Bodies, b, "response "+res.Status, at)
	return nil
}

// checkReferences follows every reference that the schema reaches.
func (r *reader) checkReferences(schema cursor) error {
	if !schema.ok() || r.checked[schema.location()] {
		return nil
	}
	r.checked[schema.location()] = true
	if ref := schema.get("$ref"); schema.isMap() && ref.ok() && ref.text() != "" {
		to, err := r.ds.follow(schema)
		if err != nil {
			delete(r.checked, schema.location()) // the next one to ask is told again
			return err
		}
		if err := r.checkReferences(to); err != nil {
			delete(r.checked, schema.location())
			return err
		}
	}
	for _, s := range subschemas(schema) {
		if err := r.checkReferences(s); err != nil {
			delete(r.checked, schema.location())
			return err
		}
	}
	return nil
}

// subschemas lists the schemas directly within a schema, leaving out examples
// and values, which may look like some.
func subschemas(c cursor) []cursor {
	var out []cursor
	for _, m := range c.members() {
		switch m.name {
		case "properties", "patternProperties", "dependentSchemas", "dependencies":
			for _, p := range m.value.members() {
				if p.value.isMap() {
					out = append(out, p.value)
				}
			}
		case "allOf", "anyOf", "oneOf", "prefixItems":
			out = append(out, m.value.items()...)
		case "items", "additionalItems", "additionalProperties", "unevaluatedProperties", "unevaluatedItems",
			"not", "if", "then", "else", "contains", "propertyNames", "contentSchema":
			if m.value.isMap() {
				out = append(out, m.value)
			}
			out = append(out, m.value.items()...)
		}
	}
	return out
}

func (r *reader) notJudged(at cursor, what, why string) {
	r.c.NotJudged = append(r.c.NotJudged, at.errorf("", "%s: %s", what, why).Error())
}

func (r *reader) note(at cursor, text string) {
	r.c.Notes = append(r.c.Notes, at.errorf("", "%s", text).Error())
}

// A SecurityScheme is how the API says that callers prove who they are.
type SecurityScheme struct {
	Type   string // "http", "apiKey", "oauth2", "openIdConnect", "mutualTLS", "basic"
	Scheme string // of type http, in lower case: "bearer"
	In     string // of type apiKey: "header", "query", "cookie"
	Name   string // of type apiKey: the header, parameter or cookie
}
