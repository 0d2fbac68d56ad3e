package archive

import "strings"

// postmanLanguages are what Postman calls the media types of raw bodies.
var postmanLanguages = []struct{ word, mediaType string }{
	{"json", "application/json"},
	{"xml", "application/xml"},
	{"html", "text/html"},
	{"javascript", "application/javascript"},
	{"text", "text/plain"},
}

func (p *postmanReader) body(t *tree) *Body {
	mode := t.get("mode").text()
	if !t.is('{') || mode == "" || t.get("disabled").isTrue() {
		return nil
	}
	switch mode {
	case "raw":
		b := &Body{Mode: "raw", Text: t.get("raw").asText()}
		language := t.get("options").get("raw").get("language").text()
		for _, l := range postmanLanguages {
			if l.word == language {
				b.MediaType = l.mediaType
			}
		}
		return b
	case "urlencoded":
		b := &Body{Mode: "urlencoded"}
		if s := t.get("urlencoded"); s.is('"') {
			b.Fields = formFields(s.text())
		} else {
			b.Fields = p.formFields(s)
		}
		return b
	case "formdata":
		return &Body{Mode: "form-data", Fields: p.formFields(t.get("formdata"))}
	case "file":
		b := &Body{Mode: "file", File: t.get("file").get("src").text()}
		if s := t.get("file"); s.is('"') {
			b.File = s.text()
		} else if c := s.get("content"); c.is('"') && b.File == "" {
			return &Body{Mode: "raw", Text: c.text()}
		}
		return b
	case "graphql":
		g := t.get("graphql")
		return &Body{Mode: "graphql", Text: g.get("query").asText(), Variables: g.get("variables").asText(), Operation: g.get("operationName").asText()}
	}
	p.warn(t, "a body of mode %q, which is not sent", mode)
	return nil
}

// formFields reads the fields of a form written as it is sent, undecoded where
// variables stand in it.
func formFields(s string) []FormField {
	var out []FormField
	for part := range strings.SplitSeq(s, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		out = append(out, FormField{Field: Field{Name: unescapeForm(name), Value: unescapeForm(value)}})
	}
	return out
}

// unescapeForm undoes the encoding of forms; what is no escape stays as it is.
func unescapeForm(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b.WriteByte(' ')
		case s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			b.WriteByte(unhex(s[i+1])<<4 | unhex(s[i+2]))
			i += 2
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

func (p *postmanReader) formFields(list *tree) []FormField {
	var out []FormField
	for _, t := range list.list() {
		f := FormField{Field: Field{Name: t.get("key").asText(), Value: t.get("value").asText(),
			Doc: postmanDoc(t.get("description")), Disabled: postmanOff(t)},
			FileName: t.get("fileName").text(), MediaType: t.get("contentType").text()}
		src := t.get("src")
		if t.get("type").text() != "file" || !src.is('[') {
			if t.get("type").text() == "file" {
				f.File, f.Value = src.text(), ""
			}
			out = append(out, f)
			continue
		}
		f.Value = ""
		for _, s := range src.items {
			f.File = s.text()
			out = append(out, f)
		}
	}
	return out
}

// postmanBodyTree writes a body. Options of was that still hold are kept.
func postmanBodyTree(b *Body, was *tree) *tree {
	if b == nil {
		return nil
	}
	t := object()
	if was.is('{') {
		t = was.with("disabled", nil)
	}
	switch b.Mode {
	case "urlencoded":
		return t.with("mode", str("urlencoded")).with("urlencoded", postmanFormTree(b.Fields, false))
	case "form-data":
		return t.with("mode", str("formdata")).with("formdata", postmanFormTree(b.Fields, true))
	case "file":
		return t.with("mode", str("file")).with("file", object(member{"src", str(b.File)}))
	case "graphql":
		return t.with("mode", str("graphql")).with("graphql", object(
			member{"query", str(b.Text)}, member{"variables", strOrNone(b.Variables)}, member{"operationName", strOrNone(b.Operation)}))
	}
	t = t.with("mode", str("raw")).with("raw", str(b.Text))
	for _, l := range postmanLanguages {
		if b.MediaType == l.mediaType {
			return t.with("options", object(member{"raw", object(member{"language", str(l.word)})}))
		}
	}
	return t
}

func postmanFormTree(fs []FormField, types bool) *tree {
	list := array()
	for _, f := range fs {
		t := object(member{"key", str(f.Name)})
		if f.File != "" {
			t = t.with("src", str(f.File)).with("type", str("file"))
		} else if t = t.with("value", str(f.Value)); types {
			t = t.with("type", str("text"))
		}
		list.items = append(list.items, t.with("fileName", strOrNone(f.FileName)).with("contentType", strOrNone(f.MediaType)).
			with("description", strOrNone(f.Doc)).with("disabled", trueOrNone(f.Disabled)))
	}
	return list
}
