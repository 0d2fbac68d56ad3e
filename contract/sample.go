package contract

import (
	"strings"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/jsonscan"
)

// A Sample is a request that an operation takes, made of what the description
// says of it: its examples, or values that its schemas allow.
type Sample struct {
	// Operation is nil when no request can be matched with it.
	Operation *Operation
	Method    string
	Path      string // template, without the server's path
	Server    string // the first one's URL, its variables at their defaults; may be empty
	Tags      []string
	Summary   string
	Doc       string
	// Values are those outside of the body, in the order of the description.
	Values []SampleValue
	// MediaType is the body's; empty when none is declared.
	MediaType string
	// Body is a body that is one text, Form one that is a form.
	Body []byte
	Form []SampleField
	// Others are further examples of the body that the description has.
	Others [][]byte
	// Answers are the examples of responses.
	Answers []SampleAnswer
	// Faults are what the contract still finds in it, in its own words.
	Faults []string
}

// A SampleValue is one input outside of the body.
type SampleValue struct {
	In, Name string
	// Pairs are what is sent: for a query as many as there are, else one.
	Pairs    []Param
	Required bool
	Doc      string
}

// A SampleField is a field of a form.
type SampleField struct {
	Name, Value string
	MediaType   string
	File        bool // its content is a file
	Required    bool
}

// A SampleAnswer is an example of a response.
type SampleAnswer struct {
	Status    string // "200", "2XX", "default"
	MediaType string
	Body      []byte
}

// Samples returns one for each operation of an API description, in its order.
// file is the one that c was loaded from; c judges each sample.
func (c *Contract) Samples(file string) ([]*Sample, error) {
	ds, err := openDocuments(file)
	if err != nil {
		return nil, err
	}
	s := &sampler{c: c, ds: ds, top: ds.first.top()}
	s.r = &reader{ds: ds, c: newContract(file), schemes: map[string]bool{}, checked: map[string]bool{}, params: map[string]*Parameter{}}
	s.old = s.top.get("swagger").ok()
	var out []*Sample
	for _, p := range s.top.get("paths").members() {
		if strings.HasPrefix(p.name, "x-") {
			continue
		}
		item, err := ds.follow(p.value)
		if err != nil {
			return nil, err
		}
		for _, from := range []cursor{item, p.value} {
			for _, m := range from.members() {
				for _, known := range methods3 {
					if m.name == known {
						out = s.add(out, strings.ToUpper(m.name), p.name, item, m.value)
					}
				}
			}
			for _, m := range from.get("additionalOperations").members() {
				out = s.add(out, m.name, p.name, item, m.value)
			}
			if !p.value.get("$ref").ok() {
				break
			}
		}
	}
	return out, nil
}

type sampler struct {
	c   *Contract
	r   *reader
	ds  *documents
	top cursor
	old bool // OpenAPI 2.0
}

// add makes a sample, unless there is one of this operation.
func (s *sampler) add(out []*Sample, method, path string, item, op cursor) []*Sample {
	for _, o := range out {
		if o.Method == method && o.Path == path {
			return out
		}
	}
	x := &Sample{Method: method, Path: path, Tags: op.get("tags").texts(), Summary: op.get("summary").text(), Doc: op.get("description").text()}
	if x.Summary == "" {
		x.Summary = op.get("operationId").text()
	}
	x.Server = s.server(item, op)
	base := pathOfURL(x.Server)
	for _, o := range s.c.Operations {
		if o.Method == method && strings.TrimPrefix(o.Path, o.base) == path && (x.Operation == nil || o.base == base) {
			x.Operation = o
		}
	}
	all, err := s.r.mergeParameters(item.get("parameters"), op.get("parameters"))
	if err != nil {
		return out // the contract was loaded, so this does not happen
	}
	for _, p := range all {
		if v, ok := s.parameter(x, p); ok {
			x.Values = append(x.Values, v)
		}
	}
	if s.old {
		s.body2(x, op, all)
	} else {
		s.body3(x, op)
	}
	s.answers(x, op)
	x.judge()
	return append(out, x)
}

// server is the first server's URL, with its variables at their defaults.
func (s *sampler) server(item, op cursor) string {
	if s.old {
		host := s.top.get("host").text()
		scheme := "https"
		if list := s.top.get("schemes").texts(); len(list) > 0 {
			scheme = list[0]
			for _, l := range list {
				if l == "https" {
					scheme = l
				}
			}
		}
		base := strings.TrimSuffix(s.top.get("basePath").text(), "/")
		if host == "" {
			return base
		}
		return scheme + "://" + host + base
	}
	servers := s.top.get("servers")
	for _, own := range []cursor{item.get("servers"), op.get("servers")} {
		if len(own.items()) > 0 {
			servers = own
		}
	}
	list := servers.items()
	if len(list) == 0 {
		return ""
	}
	u := list[0].get("url").text()
	for _, v := range list[0].get("variables").members() {
		u = strings.ReplaceAll(u, "{"+v.name+"}", v.value.get("default").text())
	}
	return strings.TrimSuffix(u, "/")
}

// body3 makes a body for OpenAPI 3: of the media type that is judged best.
func (s *sampler) body3(x *Sample, op cursor) {
	body, err := s.ds.follow(op.get("requestBody"))
	if err != nil {
		return
	}
	var chosen member
	best := 0
	for _, m := range body.get("content").members() {
		if r := rank(mediaType(m.name)); r > best {
			best, chosen = r, m
		}
	}
	if best == 0 {
		return
	}
	media, err := s.ds.follow(chosen.value)
	if err != nil {
		return
	}
	s.body(x, mediaType(chosen.name), media.get("schema"), s.examples(media), media.get("encoding"))
	for _, m := range body.get("content").members() { // JSON under another name
		if other, err := s.ds.follow(m.value); err == nil && m.name != chosen.name && IsJSON(mediaType(m.name)) && IsJSON(mediaType(chosen.name)) {
			x.more(x.Operation.RequestBody(mediaType(m.name)), s.examples(other))
		}
	}
}

// more takes further examples of a body that are sound.
func (x *Sample) more(declared *Body, examples []any) {
	for _, v := range examples {
		text := jsonText(v)
		if string(text) != string(x.Body) && (declared == nil || len(bodyFaults(declared, text)) == 0) {
			x.Others = append(x.Others, text)
		}
	}
}

// rank says how well a media type can be made up.
func rank(mt string) int {
	switch {
	case mt == "application/json":
		return 8
	case IsJSON(mt):
		return 7
	case mt == "*/*" || mt == "application/*":
		return 6
	case mt == "application/x-www-form-urlencoded":
		return 5
	case mt == "multipart/form-data":
		return 4
	case strings.HasPrefix(mt, "text/"):
		return 3
	}
	return 1
}

func (s *sampler) body2(x *Sample, op cursor, params []cursor) {
	consumes := mediaTypes(op.get("consumes"), s.top.get("consumes"))
	for _, p := range params {
		switch p.get("in").text() {
		case "body":
			mt := consumes[0]
			for _, c := range consumes {
				if rank(mediaType(c)) > rank(mediaType(mt)) {
					mt = c
				}
			}
			s.body(x, mediaType(mt), p.get("schema"), s.examples(p), cursor{})
		case "formData":
			f := SampleField{Name: p.get("name").text(), Required: p.get("required").isTrue(), File: p.get("type").text() == "file"}
			if !f.File {
				v, _ := s.value(p, attempt{examples: true, all: true})
				f.Value = plainText(v)
			}
			x.Form = append(x.Form, f)
			if x.MediaType == "" || f.File {
				x.MediaType = "application/x-www-form-urlencoded"
				for _, c := range consumes {
					if mediaType(c) == "multipart/form-data" || f.File {
						x.MediaType = "multipart/form-data"
					}
				}
			}
		}
	}
}

// body makes a body of a media type.
func (s *sampler) body(x *Sample, mt string, schema cursor, examples []any, encoding cursor) {
	x.MediaType = mt
	isJSON := IsJSON(mt) || mt == "*/*" || mt == "application/*"
	if strings.HasSuffix(mt, "/*") {
		x.MediaType = map[bool]string{true: "application/json", false: "text/plain"}[isJSON]
	}
	switch {
	case isJSON:
		declared := x.Operation.RequestBody(mt)
		for _, v := range s.candidates(schema, examples) {
			text := jsonText(v)
			if x.Body == nil || declared == nil || len(bodyFaults(declared, text)) == 0 {
				x.Body = text
				if declared == nil || len(bodyFaults(declared, text)) == 0 {
					break
				}
			}
		}
		x.more(declared, examples)
	case strings.Contains(mt, "form"):
		var v any
		for _, v = range s.candidates(schema, examples) {
			break
		}
		o, _ := v.(*sampleObject)
		if o == nil {
			return
		}
		view := s.view(schema, attempt{}, 0)
		required := view.required()
		for _, m := range o.members {
			f := SampleField{Name: m.name, Value: plainText(m.value), Required: required[m.name], MediaType: encoding.get(m.name).get("contentType").text()}
			sub := s.viewOf(view.property(m.name), attempt{}, 1)
			f.File = sub.first("format").text() == "binary" || sub.first("contentMediaType").text() == "application/octet-stream"
			if _, nested := m.value.(*sampleObject); nested && f.MediaType == "" && mt == "multipart/form-data" {
				f.MediaType = "application/json"
			}
			x.Form = append(x.Form, f)
		}
	default:
		for _, v := range examples {
			x.Body = []byte(plainText(v))
			return
		}
		if strings.HasPrefix(mt, "text/") {
			v, _ := s.value(schema, attempt{examples: true, all: true})
			x.Body = []byte(plainText(v))
		}
	}
}

// bodyFaults says what a declared body finds in a text.
func bodyFaults(b *Body, text []byte) []string {
	f := b.Scan(text, jsonscan.Limits{})
	if f.Result.Fault != nil {
		return []string{"request body: " + f.Result.Fault.Error()}
	}
	var out []string
	for _, v := range f.Result.Violations {
		out = append(out, "request body "+v.Pointer+": "+v.Kind.String()+" "+v.Keyword)
	}
	return out
}

// Request is the sample as an exchange holds it.
func (x *Sample) Request() *exchange.Request {
	r := &exchange.Request{Method: x.Method, Header: exchange.Header{}}
	path, query := x.target(func(v SampleValue) bool { return v.Required })
	r.Target = pathOfURL(x.Server) + path
	if query != "" {
		r.Target += "?" + query
	}
	for _, v := range x.Values {
		if !v.Required {
			continue
		}
		for _, p := range v.Pairs {
			switch v.In {
			case "header":
				r.Header = append(r.Header, exchange.Field{Name: p.Name, Value: p.Value})
			case "cookie":
				r.Header = append(r.Header, exchange.Field{Name: "Cookie", Value: p.Name + "=" + p.Value})
			}
		}
	}
	return r
}

// judge asks the contract what it makes of the sample.
func (x *Sample) judge() {
	if x.Operation == nil {
		return
	}
	var ps []Param
	for _, v := range x.Values {
		if v.In == "path" {
			ps = append(ps, v.Pairs...)
		}
	}
	for _, f := range x.Operation.CheckParameters(x.Request(), ps) {
		x.Faults = append(x.Faults, f.String())
	}
	if b := x.Operation.RequestBody(x.MediaType); b != nil && len(x.Form) == 0 && b.JSON() {
		x.Faults = append(x.Faults, bodyFaults(b, x.Body)...)
	}
}
