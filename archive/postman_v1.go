package archive

import (
	"strings"

	"github.com/parley-project/parley/exchange"
)

// helpers1 are the words for authentication in version 1.
var helpers1 = map[string]string{
	"basicAuth": "basic", "bearerAuth": "bearer", "digestAuth": "digest", "hawkAuth": "hawk",
	"oAuth1": "oauth1", "oAuth2": "oauth2", "ntlmAuth": "ntlm", "awsSigV4": "aws-sigv4",
	"apikeyAuth": "apikey", "edgegridAuth": "edgegrid", "noAuth": "none",
}

// collection1 reads version 1: folders and requests are flat lists, and name
// each other by ID.
func (p *postmanReader) collection1(t *tree) *Collection {
	c := &Collection{Name: t.get("name").asText(), Doc: postmanDoc(t.get("description"))}
	p.scope1(t, &c.Scope)
	v := &reader1{p: p, requests: map[string]*tree{}, folders: map[string]*tree{}, done: map[*tree]bool{}}
	for _, r := range t.get("requests").list() {
		v.requests[r.get("id").asText()] = r
	}
	for _, f := range t.get("folders").list() {
		v.folders[f.get("id").asText()] = f
	}
	// Those that a folder names are not at the top, even if nobody orders them.
	below := map[string]bool{}
	for _, f := range v.folders {
		for _, id := range f.get("folders_order").list() {
			below[id.asText()] = true
		}
	}
	c.Items = v.below(t, 0)
	for _, f := range t.get("folders").list() {
		if !v.done[f] && !below[f.get("id").asText()] {
			c.Items = append(c.Items, v.folder(f, 0))
		}
	}
	for _, list := range []string{"folders", "requests"} {
		for _, r := range t.get(list).list() {
			switch {
			case v.done[r] || !r.is('{'):
			case list == "folders":
				c.Items = append(c.Items, v.folder(r, 0))
			default:
				c.Items = append(c.Items, v.request(r))
			}
		}
	}
	return c
}

type reader1 struct {
	p                 *postmanReader
	requests, folders map[string]*tree
	done              map[*tree]bool // so that a folder within itself has an end
}

// below reads what a folder, or the collection, has: folders first, as Postman
// runs them.
func (v *reader1) below(t *tree, depth int) []*Item {
	var out []*Item
	for _, id := range t.get("folders_order").list() {
		if f := v.folders[id.asText()]; f != nil && !v.done[f] && depth < maxDepth {
			out = append(out, v.folder(f, depth+1))
		}
	}
	for _, id := range t.get("order").list() {
		if r := v.requests[id.asText()]; r != nil && !v.done[r] {
			out = append(out, v.request(r))
		}
	}
	return out
}

func (v *reader1) folder(t *tree, depth int) *Item {
	v.done[t] = true
	it := &Item{ID: t.get("id").asText(), Name: t.get("name").asText(), Doc: postmanDoc(t.get("description"))}
	it.Line, it.Column = t.place()
	v.p.scope1(t, &it.Scope)
	it.Items = v.below(t, depth)
	return it
}

func (v *reader1) request(t *tree) *Item {
	v.done[t] = true
	it := &Item{ID: t.get("id").asText(), Name: t.get("name").asText(), Doc: postmanDoc(t.get("description"))}
	it.Line, it.Column = t.place()
	v.p.scope1(t, &it.Scope)
	r := v.p.request1(t)
	// The request's authentication is the item's own.
	r.Auth, it.Auth = it.Auth, nil
	var o behaviour
	postmanBehaviour(&o, t.get("protocolProfileBehavior"))
	r.Options = o.Options
	it.Request = r
	for _, s := range t.get("responses").list() {
		it.Recorded = append(it.Recorded, v.p.response1(s, r))
	}
	return it
}

func (p *postmanReader) scope1(t *tree, s *Scope) {
	s.Variables = postmanVariables(t.get("variables"))
	s.Auth = p.auth(t.get("auth"))
	if scheme := helpers1[t.get("currentHelper").text()]; s.Auth == nil && scheme != "" {
		s.Auth = &Auth{Scheme: scheme}
		for _, m := range t.get("helperAttributes").members {
			if m.name != "id" {
				s.Auth.set(m.name, m.value.asText())
			}
		}
		if why, ok := notRun[scheme]; ok {
			p.warn(t, "auth %s is kept and not run: %s", scheme, why)
		}
	}
	if s.Scripts = p.scripts(t.get("events")); len(s.Scripts) > 0 {
		return
	}
	for _, e := range []struct{ when, member string }{{"prerequest", "preRequestScript"}, {"test", "tests"}} {
		if text := postmanLines(t.get(e.member)); text != "" {
			line, _ := t.get(e.member).place()
			s.Scripts = append(s.Scripts, Script{When: e.when, Language: "javascript", Text: text, Line: line})
		}
	}
}

func (p *postmanReader) request1(t *tree) *Request {
	r := &Request{Method: "GET", URL: t.get("url").asText()}
	if m := t.get("method").asText(); m != "" {
		r.Method = m
	}
	r.Header = postmanHeader(t.get("headerData"))
	if h := t.get("headers"); len(r.Header) == 0 {
		r.Header = postmanHeader(h)
	}
	for _, v := range t.get("pathVariableData").list() {
		r.Params = append(r.Params, Field{Name: v.get("key").asText(), Value: v.get("value").asText(), Doc: postmanDoc(v.get("description"))})
	}
	if len(r.Params) == 0 && t.get("pathVariables").is('{') {
		for _, m := range t.get("pathVariables").members {
			r.Params = append(r.Params, Field{Name: m.name, Value: m.value.asText()})
		}
	}
	for _, q := range t.get("queryParams").list() {
		if postmanOff(q) {
			r.Disabled = append(r.Disabled, Field{Name: q.get("key").asText(), Value: q.get("value").asText(), Doc: postmanDoc(q.get("description")), Disabled: true})
		}
	}
	if !t.get("dataDisabled").isTrue() {
		r.Body = p.body1(t)
	}
	return r
}

func (p *postmanReader) body1(t *tree) *Body {
	mode, data, raw := t.get("dataMode").text(), t.get("data"), t.get("rawModeData")
	rawText := postmanLines(raw)
	if mode == "" {
		switch {
		case rawText != "":
			mode = "raw"
		case len(data.list()) > 0:
			mode = "params"
		case data.text() != "":
			mode = "raw"
		}
	}
	switch mode {
	case "raw":
		if rawText == "" {
			rawText = data.text()
		}
		b := &Body{Mode: "raw", Text: rawText}
		language := t.get("dataOptions").get("raw").get("language").text()
		for _, l := range postmanLanguages {
			if l.word == language {
				b.MediaType = l.mediaType
			}
		}
		return b
	case "params":
		return &Body{Mode: "form-data", Fields: p.formFields1(data)}
	case "urlencoded":
		if data.is('"') {
			return &Body{Mode: "urlencoded", Fields: formFields(data.text())}
		}
		return &Body{Mode: "urlencoded", Fields: p.formFields1(data)}
	case "binary":
		return &Body{Mode: "file", File: rawText}
	case "graphql":
		g := t.get("graphqlModeData")
		return &Body{Mode: "graphql", Text: g.get("query").asText(), Variables: g.get("variables").asText(), Operation: g.get("operationName").asText()}
	case "":
		return nil
	}
	p.warn(t, "a body of mode %q, which is not sent", mode)
	return nil
}

// formFields1 reads the fields of a form; version 1 puts the name of a file
// into value.
func (p *postmanReader) formFields1(list *tree) []FormField {
	fs := p.formFields(list)
	for i, t := range list.list() {
		if i < len(fs) && t.get("type").text() == "file" && t.get("src") == nil {
			fs[i].File = t.get("value").asText()
		}
	}
	return fs
}

func (p *postmanReader) response1(t *tree, of *Request) *exchange.Exchange {
	if o := t.get("request"); o.is('{') {
		of = p.request1(o)
	}
	if strings.TrimSpace(t.get("text").asText()) != "" && t.get("body") == nil {
		t = t.with("body", t.get("text"))
	}
	if code := t.get("responseCode").get("code"); code != nil {
		t = t.with("code", code)
	}
	if h := t.get("headers"); h != nil {
		t = t.with("header", h)
	}
	if ms := t.get("time"); ms != nil {
		t = t.with("responseTime", ms)
	}
	return postmanExchange(p, t, of)
}
