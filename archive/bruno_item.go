package archive

import (
	"strings"
)

// item reads a request, or what a file says of a folder.
func (b *bruFile) item() *Item {
	it := &Item{Name: b.value("meta", "name"), Doc: b.get("docs").text(), Line: 1, Column: 1, Foreign: b}
	for _, s := range []struct{ block, when string }{{"script:pre-request", "prerequest"}, {"script:post-response", "test"}, {"tests", "test"}} {
		if block := b.get(s.block); block != nil && block.text() != "" {
			it.Scripts = append(it.Scripts, Script{When: s.when, Language: "bruno", Text: block.text(), Line: block.line})
			b.warn(block.line, "a script of Bruno, which is kept and not run")
		}
	}
	for _, p := range b.pairs(b.get("vars:pre-request")) {
		it.Variables = append(it.Variables, Variable{Name: p.name, Value: p.value, Disabled: p.off})
	}
	r := b.request()
	if r == nil {
		it.Auth = b.auth(b.value("auth", "mode"))
		return it
	}
	it.Request = r
	for _, p := range b.pairs(b.get("vars:post-response")) {
		fact, _ := bruFact(p.value)
		switch {
		case p.off:
		case fact == "":
			b.warn(p.line, "the variable %s is made by an expression that is not run", p.name)
		default:
			it.Capture = append(it.Capture, Capture{Variable: p.name, Fact: fact, Line: p.line})
		}
	}
	for _, p := range b.pairs(b.get("assert")) {
		if p.off {
			continue
		}
		if e, ok := bruExpectation(p.name, p.value); ok {
			e.Line = p.line
			it.Expect = append(it.Expect, e)
		} else {
			b.warn(p.line, "the assertion %s is not understood", excerpt(p.name+": "+p.value))
		}
	}
	for i := range b.blocks {
		if b.blocks[i].name == "example" {
			if x := b.example(&b.blocks[i]); x != nil {
				it.Recorded = append(it.Recorded, x)
			}
		}
	}
	return it
}

var bruMethods = []string{"get", "post", "put", "delete", "patch", "options", "head", "connect", "trace"}

// request reads the request's blocks; nil when there is none.
func (b *bruFile) request() *Request {
	var r *Request
	line, mode, auth := "", "", ""
	for _, m := range append([]string{"http", "grpc", "ws"}, bruMethods...) {
		block := b.get(m)
		if block == nil {
			continue
		}
		r = &Request{Method: strings.ToUpper(m)}
		line = m
		for _, p := range b.pairs(block) {
			switch p.name {
			case "url":
				r.URL = p.value
			case "method":
				if m == "http" {
					r.Method = strings.ToUpper(p.value)
				}
			case "body":
				mode = p.value
			case "auth":
				auth = p.value
			}
		}
		break
	}
	if r == nil {
		return nil
	}
	if line == "grpc" || line == "ws" {
		b.warn(b.get(line).line, "a request by %s, which is not run", line)
	}
	query := append(b.fields("params:query"), b.fields("query")...)
	bruQuery(r, query)
	r.Params = append(b.fields("params:path"), b.fields("params")...)
	r.Header = b.fields("headers")
	if mode == "" {
		mode = b.onlyBody()
	}
	r.Body = b.body(mode, nil)
	if auth == "" {
		auth = "none"
	}
	r.Auth = b.auth(auth)
	for _, p := range b.pairs(b.get("settings")) {
		switch p.name {
		case "followRedirects":
			r.Options.NoRedirect = p.value == "false"
		case "maxRedirects":
			r.Options.MaxRedirect = int(number64(p.value))
		case "timeout":
			r.Options.Timeout = number64(p.value) / 1000
		}
	}
	return r
}

// bruQuery puts parameters of the query where they belong: those that are on
// stand in the URL as a rule, and are added when it has no query.
func bruQuery(r *Request, query []Field) {
	bare := !strings.Contains(r.URL, "?")
	for _, q := range query {
		switch {
		case q.Disabled:
			r.Disabled = append(r.Disabled, q)
		case bare:
			mark := "?"
			if strings.Contains(r.URL, "?") {
				mark = "&"
			}
			r.URL += mark + escapeForm(q.Name) + "=" + escapeForm(q.Value)
		}
	}
}

// onlyBody is the mode of the one body that a file has without saying so.
func (b *bruFile) onlyBody() string {
	mode, n := "", 0
	for _, block := range b.blocks {
		if rest, ok := strings.CutPrefix(block.name, "body:"); ok && rest != "graphql:vars" {
			mode = rest
			n++
		} else if block.name == "body" {
			mode = "json"
			n++
		}
	}
	if n != 1 {
		return ""
	}
	return mode
}

// body reads the body of a mode, from the file or from the blocks of an example.
func (b *bruFile) body(mode string, within map[string]*bruBlock) *Body {
	get := func(name string) *bruBlock {
		if within != nil {
			return within[name]
		}
		return b.get(name)
	}
	switch mode {
	case "", "none":
		return nil
	case "formUrlEncoded", "form-urlencoded":
		return &Body{Mode: "urlencoded", Fields: b.form(get("body:form-urlencoded"))}
	case "multipartForm", "multipart-form":
		return &Body{Mode: "form-data", Fields: b.form(get("body:multipart-form"))}
	case "file":
		for _, f := range b.form(get("body:file")) {
			if !f.Disabled {
				return &Body{Mode: "file", File: f.File, MediaType: f.MediaType}
			}
		}
		return &Body{Mode: "file"}
	case "graphql":
		return &Body{Mode: "graphql", Text: get("body:graphql").text(), Variables: get("body:graphql:vars").text()}
	}
	block := get("body:" + mode)
	if block == nil && mode == "json" {
		block = get("body")
	}
	types := map[string]string{"json": "application/json", "xml": "application/xml", "text": "text/plain", "sparql": "application/sparql-query"}
	return &Body{Mode: "raw", Text: block.text(), MediaType: types[mode]}
}

// form reads the fields of a form: "name: value", "name: @file(a|b)", and
// "@contentType(type)" after either.
func (b *bruFile) form(block *bruBlock) []FormField {
	var out []FormField
	for _, p := range b.pairs(block) {
		f := FormField{Field: Field{Name: p.name, Value: p.value, Doc: p.doc, Disabled: p.off}}
		if before, after, ok := strings.Cut(f.Value, "@contentType("); ok && strings.HasSuffix(after, ")") {
			f.Value, f.MediaType = strings.TrimSpace(before), strings.TrimSuffix(after, ")")
		}
		rest, isFile := strings.CutPrefix(f.Value, "@file(")
		if !isFile || !strings.HasSuffix(rest, ")") {
			out = append(out, f)
			continue
		}
		f.Value = ""
		for name := range strings.SplitSeq(strings.TrimSuffix(rest, ")"), "|") {
			f.File = name
			out = append(out, f)
		}
	}
	return out
}

// authBruno are the words of Bruno for the parameters that Postman calls
// otherwise.
var authBruno = map[string]map[string]string{
	"awsv4":  {"accessKeyId": "accessKey", "secretAccessKey": "secretKey"},
	"apikey": {"placement": "in"},
	"oauth2": {"callback_url": "redirect_uri", "authorization_url": "authUrl", "access_token_url": "accessTokenUrl", "refresh_token_url": "refreshTokenUrl",
		"client_id": "clientId", "client_secret": "clientSecret", "credentials_placement": "client_authentication",
		"token_placement": "addTokenTo", "token_header_prefix": "headerPrefix", "token_query_key": "tokenQueryKey", "credentials_id": "tokenName"},
}

// auth reads the block of a mode. "inherit" is that of the scope above.
func (b *bruFile) auth(mode string) *Auth {
	switch mode {
	case "", "inherit":
		return nil
	case "none":
		return &Auth{Scheme: "none"}
	}
	a := &Auth{Scheme: mode}
	block := b.get("auth:" + mode)
	for _, p := range b.pairs(block) {
		a.setBruno(mode, p.name, p.value)
	}
	return b.known(a, mode, block)
}

func (a *Auth) setBruno(mode, name, value string) {
	if theirs := authBruno[mode][name]; theirs != "" {
		name = theirs
	}
	switch {
	case name == "in" && strings.HasPrefix(value, "query"):
		value = "query"
	case name == "client_authentication" && value == "basic_auth_header":
		value = "header"
	case name == "addTokenTo" && (value == "url" || value == "query"):
		value = "queryParams"
	}
	a.set(name, value)
}

func (b *bruFile) known(a *Auth, mode string, block *bruBlock) *Auth {
	if mode == "awsv4" {
		a.Scheme = "aws-sigv4"
	}
	if why, ok := notRun[a.Scheme]; ok {
		line := 0
		if block != nil {
			line = block.line
		}
		b.warn(line, "auth %s is kept and not run: %s", a.Scheme, why)
	}
	return a
}
