package archive

import (
	"encoding/base64"
	"reflect"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// plainRequest reports whether a HAR's own fields say all of r.
func plainRequest(r *Request) bool {
	if r.Auth != nil || len(r.Params) > 0 || len(r.Disabled) > 0 || r.Body != nil && (r.Body.Mode != "raw" || r.Body.Text == "") {
		return false
	}
	for _, f := range r.Header {
		if f.Disabled || f.Doc != "" || strings.EqualFold(f.Name, "Content-Length") {
			return false
		}
	}
	var h exchange.Header
	for _, f := range r.Header {
		h = append(h, exchange.Field{Name: f.Name, Value: f.Value})
	}
	o := Options{Compressed: h.Has("Accept-Encoding")}
	if r.Options.HTTP == "2" || r.Options.HTTP == "3" {
		o.HTTP = r.Options.HTTP
	}
	return reflect.DeepEqual(r.Options, o)
}

// askedEntry is the entry of a request that was written and never sent. Its
// variables stay what they are: names in braces.
func askedEntry(name string, r *Request) *tree {
	x := &exchange.Exchange{}
	x.Request = exchange.Request{Method: r.Method, Proto: "HTTP/1.1"}
	x.Request.Scheme, x.Request.Authority, x.Request.Target = splitURL(r.URL)
	if r.Options.HTTP == "2" || r.Options.HTTP == "3" {
		x.Request.Proto = "HTTP/" + r.Options.HTTP + ".0"
	}
	for _, f := range r.Header {
		if !f.Disabled {
			x.Request.Header = append(x.Request.Header, exchange.Field{Name: f.Name, Value: f.Value})
		}
	}
	if f, ok := authField(r.Auth); ok && !x.Request.Header.Has(f.Name) {
		x.Request.Header = append(x.Request.Header, f)
	}
	b := r.Body
	if r.Options.DropBody {
		b = nil
	}
	if b != nil && b.Mode == "raw" {
		x.Request.Body = exchange.Body{Data: []byte(b.Text), Size: int64(len(b.Text))}
		if b.MediaType != "" && !x.Request.Header.Has("Content-Type") {
			x.Request.Header = append(x.Request.Header, exchange.Field{Name: "Content-Type", Value: b.MediaType})
		}
	}
	extra := &harExtra{Name: name, Unsent: true}
	if !plainRequest(r) {
		extra.Asked = r
	}
	t := harEntry(x, extra)
	request := t.get("request").with("url", str(r.URL))
	if b != nil && b.Mode != "raw" {
		request = request.with("postData", formTree(b))
	}
	// A HAR must have a date: this one is no time at which anything was sent.
	return t.with("startedDateTime", str("1970-01-01T00:00:00Z")).with("request", request)
}

// authField is the header field of the schemes that need nothing else.
func authField(a *Auth) (f exchange.Field, ok bool) {
	if a == nil {
		return f, false
	}
	p := a.Params
	switch a.Scheme {
	case "basic":
		pair := p["username"] + ":" + p["password"]
		if strings.Contains(pair, "{{") || strings.Contains(pair, "secret:") {
			return f, false // not known yet, or not any more
		}
		return exchange.Field{Name: "Authorization", Value: "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))}, true
	case "bearer":
		return exchange.Field{Name: "Authorization", Value: "Bearer " + p["token"]}, true
	case "apikey":
		if in := p["in"]; in == "" || in == "header" {
			return exchange.Field{Name: p["key"], Value: p["value"]}, p["key"] != ""
		}
	}
	return f, false
}

// formTree is a form as postData has it.
func formTree(b *Body) *tree {
	media := map[string]string{"urlencoded": "application/x-www-form-urlencoded", "form-data": "multipart/form-data", "graphql": "application/json"}[b.Mode]
	if b.MediaType != "" {
		media = b.MediaType
	}
	text := b.Text
	if b.Mode == "graphql" {
		text = graphqlText(b)
	}
	params := array()
	for _, f := range b.Fields {
		if f.Disabled {
			continue
		}
		o := nameValue(f.Name, f.Value)
		name := f.FileName
		if name == "" {
			name = f.File
		}
		o.members = append(o.members, member{"fileName", strOrNone(name)}, member{"contentType", strOrNone(f.MediaType)})
		params.items = append(params.items, object(o.members...))
	}
	return object(member{"mimeType", str(media)}, member{"params", params}, member{"text", str(text)})
}
