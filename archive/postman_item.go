package archive

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// bodiless are the methods that Postman sends without a body.
var bodiless = []string{"GET", "COPY", "HEAD", "PURGE", "UNLOCK"}

func (p *postmanReader) items(list *tree, above behaviour) []*Item {
	var out []*Item
	for _, t := range list.list() {
		if t.is('{') {
			out = append(out, p.item(t, above))
		} else {
			p.warn(t, "an item that is no object is left out")
		}
	}
	return out
}

// item reads a folder or a request of version 2, and what is below it.
func (p *postmanReader) item(t *tree, above behaviour) *Item {
	it, o := p.alone(t, above)
	it.Items = p.items(t.get("item"), o)
	return it
}

// alone reads an item without those below it.
func (p *postmanReader) alone(t *tree, above behaviour) (*Item, behaviour) {
	it := &Item{ID: t.get("id").asText(), Name: t.get("name").asText(), Doc: postmanDoc(t.get("description")),
		Foreign: &postmanSource{tree: t, above: above}}
	if it.ID == "" {
		it.ID = t.get("_postman_id").asText()
	}
	it.Line, it.Column = t.place()
	p.scope(t, &it.Scope)
	o := above
	postmanBehaviour(&o, t.get("protocolProfileBehavior"))
	r := t.get("request")
	if r.is('{') || r.is('"') {
		it.Request = p.request(r)
		it.Request.Options = o.Options
		it.Request.Options.DropBody = it.Request.Body != nil && !o.keepBody && slices.Contains(bodiless, strings.ToUpper(it.Request.Method))
		if it.Doc == "" {
			it.Doc = postmanDoc(r.get("description"))
		}
		for _, e := range t.get("response").list() {
			it.Recorded = append(it.Recorded, postmanExchange(p, e, it.Request))
		}
	}
	if own := t.get("_parley").own(); own != nil {
		own.fill(it)
	}
	return it, o
}

// request reads one: an object, or only its URL.
func (p *postmanReader) request(t *tree) *Request {
	r := &Request{Method: "GET"}
	if t.is('"') {
		r.URL = t.text()
		return r
	}
	if m := t.get("method").asText(); m != "" {
		r.Method = m
	}
	p.url(t.get("url"), r)
	r.Header = postmanHeader(t.get("header"))
	r.Body = p.body(t.get("body"))
	r.Auth = p.auth(t.get("auth"))
	return r
}

// url reads a text, or an object of parts. The parts count: Postman's own text
// of them is only for people.
func (p *postmanReader) url(t *tree, r *Request) {
	if !t.is('{') {
		r.URL = t.asText()
		return
	}
	for _, v := range t.get("variable").list() {
		name := v.get("key").asText()
		if name == "" {
			name = v.get("id").asText()
		}
		if name != "" {
			r.Params = append(r.Params, Field{Name: name, Value: v.get("value").asText(), Doc: postmanDoc(v.get("description")), Disabled: postmanOff(v)})
		}
	}
	for _, q := range t.get("query").list() {
		if postmanOff(q) {
			r.Disabled = append(r.Disabled, Field{Name: q.get("key").asText(), Value: q.get("value").asText(), Doc: postmanDoc(q.get("description")), Disabled: true})
		}
	}
	host := postmanJoin(t.get("host"), ".")
	path := t.get("path")
	if host == "" && !path.is('[') && !path.is('"') {
		r.URL = t.get("raw").asText()
		return
	}
	var b strings.Builder
	if s := t.get("protocol").asText(); s != "" {
		b.WriteString(strings.TrimSuffix(s, "://") + "://")
	}
	if a := t.get("auth"); a.is('{') {
		b.WriteString(a.get("user").asText())
		if pw := a.get("password").asText(); pw != "" {
			b.WriteString(":" + pw)
		}
		b.WriteString("@")
	}
	b.WriteString(host)
	if s := t.get("port").asText(); s != "" {
		b.WriteString(":" + s)
	}
	if path.is('[') || path.text() != "" {
		b.WriteString("/" + strings.TrimPrefix(postmanJoin(path, "/"), "/"))
	}
	mark := "?"
	if q := t.get("query"); q.is('"') && q.text() != "" {
		b.WriteString(mark + q.text())
	}
	for _, q := range t.get("query").list() {
		if postmanOff(q) {
			continue
		}
		b.WriteString(mark)
		mark = "&"
		b.WriteString(q.get("key").asText())
		if v := q.get("value"); v != nil && v.kind != 'n' {
			b.WriteString("=" + v.asText())
		}
	}
	if h := t.get("hash").asText(); h != "" {
		b.WriteString("#" + h)
	}
	r.URL = b.String()
}

// postmanJoin joins a list of texts, or of objects with a value; a text is
// itself.
func postmanJoin(t *tree, by string) string {
	if !t.is('[') {
		return t.asText()
	}
	var parts []string
	for _, s := range t.items {
		if s.is('{') {
			s = s.get("value")
		}
		parts = append(parts, s.asText())
	}
	return strings.Join(parts, by)
}

// postmanHeader reads a list of fields, or field lines as one text.
func postmanHeader(t *tree) []Field {
	if t.is('"') {
		return fieldLines(t.text())
	}
	var out []Field
	for _, h := range t.list() {
		if h.is('"') {
			out = append(out, fieldLines(h.text())...)
			continue
		}
		f := Field{Name: h.get("key").asText(), Value: h.get("value").asText(), Doc: postmanDoc(h.get("description")), Disabled: postmanOff(h)}
		if f.Name != "" {
			out = append(out, f)
		}
	}
	return out
}

// fieldLines reads "Name: value" lines. One that begins with // is switched off.
func fieldLines(text string) []Field {
	var out []Field
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		off := strings.HasPrefix(line, "//")
		name, value, _ := strings.Cut(strings.TrimPrefix(line, "//"), ":")
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, Field{Name: name, Value: strings.TrimSpace(value), Disabled: off})
		}
	}
	return out
}

// postmanExchange reads a saved response.
func postmanExchange(p *postmanReader, t *tree, of *Request) *exchange.Exchange {
	x := &exchange.Exchange{Source: exchange.FromImport}
	if o := t.get("originalRequest"); o.is('{') || o.is('"') {
		of = p.request(o)
	}
	x.Request = asWritten(of)
	res := &exchange.Response{Fidelity: exchange.Canonical}
	res.Status, _ = strconv.Atoi(t.get("code").asText())
	for _, f := range postmanHeader(t.get("header")) {
		if !f.Disabled {
			res.Header = append(res.Header, exchange.Field{Name: f.Name, Value: f.Value})
		}
	}
	if b := t.get("body").asText(); b != "" {
		res.Body = exchange.Body{Size: int64(len(b)), Data: []byte(b)}
	}
	x.Response = res
	if ms, err := strconv.ParseFloat(t.get("responseTime").asText(), 64); err == nil && ms > 0 && ms < 1e9 {
		x.Times.Total = time.Duration(ms * float64(time.Millisecond))
	}
	return x
}

// asWritten is a request whose variables nobody has resolved, as an exchange
// holds it.
func asWritten(r *Request) exchange.Request {
	x := exchange.Request{Method: r.Method, Fidelity: exchange.Canonical}
	rest := r.URL
	if s, after, ok := strings.Cut(rest, "://"); ok {
		x.Scheme, rest = s, after
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		x.Authority, x.Target = rest[:i], rest[i:]
	} else {
		x.Authority = rest
	}
	x.Target, _, _ = strings.Cut(x.Target, "#")
	if !strings.HasPrefix(x.Target, "/") {
		x.Target = "/" + x.Target
	}
	for _, f := range r.Header {
		if !f.Disabled {
			x.Header = append(x.Header, exchange.Field{Name: f.Name, Value: f.Value})
		}
	}
	if r.Body != nil && r.Body.Mode == "raw" && r.Body.Text != "" {
		x.Body = exchange.Body{Size: int64(len(r.Body.Text)), Data: []byte(r.Body.Text)}
	}
	return x
}

// postmanResponse writes a recorded exchange as a saved response. Of was is
// kept what an exchange does not hold, such as the name.
func postmanResponse(x *exchange.Exchange, was *tree, r *Request) *tree {
	t := was
	if t == nil {
		t = object(member{"name", str(r.Method + " " + r.URL)})
	}
	o := &Request{Method: x.Request.Method, URL: x.Request.Scheme + "://" + x.Request.Authority + x.Request.Target}
	if x.Request.Scheme == "" {
		o.URL = strings.TrimPrefix(o.URL, "://")
	}
	for _, f := range x.Request.Header {
		o.Header = append(o.Header, Field{Name: f.Name, Value: f.Value})
	}
	if len(x.Request.Body.Data) > 0 {
		o.Body = &Body{Mode: "raw", Text: string(x.Request.Body.Data)}
	}
	t = t.with("originalRequest", postmanRequestTree(o, nil))
	if x.Response == nil {
		return t
	}
	if was.get("status") == nil {
		t = t.with("status", strOrNone(http.StatusText(x.Response.Status)))
	}
	t = t.with("code", number(x.Response.Status))
	var hs []Field
	for _, f := range x.Response.Header {
		hs = append(hs, Field{Name: f.Name, Value: f.Value})
	}
	t = t.with("header", postmanFields(hs))
	t = t.with("body", str(string(x.Response.Body.Data)))
	if ms := x.Times.Total.Milliseconds(); ms > 0 {
		t = t.with("responseTime", number(int(ms)))
	}
	return t
}
