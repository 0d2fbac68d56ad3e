package archive

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// Collections of Postman: versions 1, 2.0 and 2.1 are read, 2.1 is written.
//
// A document of version 2 is kept as the tree it was. A writer goes through it
// again, puts in what has changed since, and leaves everything else alone.

const postmanSchema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"

// isPostman looks for words of the format. Broken JSON and JSON that is
// something else are taken too when the file's name says JSON: reading it then
// says what is wrong.
func isPostman(file string, data []byte) bool {
	name := strings.ToLower(file)
	if strings.HasSuffix(name, ".postman_collection.json") {
		return true
	}
	text := strings.TrimSpace(decodeText(data[:min(len(data), 1<<20)&^1]))
	if !strings.HasPrefix(text, "{") {
		return filepath.Ext(name) == ".json"
	}
	return filepath.Ext(name) == ".json" || bytes.Contains(data, []byte("schema.getpostman.com")) ||
		strings.Contains(text, `"info"`) && strings.Contains(text, `"item"`) ||
		strings.Contains(text, `"requests"`) && strings.Contains(text, `"order"`)
}

// A postmanReader goes through one document.
type postmanReader struct {
	file     string
	warnings []string
}

func (p *postmanReader) warn(t *tree, format string, args ...any) {
	line, column := t.place()
	p.warnings = append(p.warnings, (&Error{File: p.file, Line: line, Column: column, Text: fmt.Sprintf(format, args...)}).Error())
}

// A postmanSource is where something was read from.
type postmanSource struct {
	tree *tree
	// above is the protocol behaviour that was inherited.
	above behaviour
	// outer is the object around the collection, as Postman's own API sends it.
	outer *tree
}

func readPostman(file string, data []byte) (*Collection, error) {
	t, err := parseTree(file, data)
	if err != nil {
		return nil, err
	}
	var outer *tree
	if in := t.get("collection"); in.is('{') && t.get("info") == nil && t.get("item") == nil {
		outer, t = t, in
	}
	p := &postmanReader{file: file}
	var c *Collection
	switch {
	case t.get("item").is('[') && (t.get("info").is('{') || looksLikeItems(t.get("item"))):
		if v := t.get("info").get("schema").text(); strings.Contains(v, "/v2.0") {
			t = modernAuths(t, 0)
		}
		c = p.collection(t)
		c.Foreign = &postmanSource{tree: t, outer: outer}
	case t.get("requests").is('['):
		c = p.collection1(t)
	default:
		return nil, refusePostman(file, t)
	}
	c.Format, c.File, c.Warnings = "postman", file, p.warnings
	return c, nil
}

// looksLikeItems reports whether a list holds requests or folders: some write
// collections without info.
func looksLikeItems(list *tree) bool {
	for _, it := range list.items {
		if it.get("request") != nil || it.get("item").is('[') {
			return true
		}
	}
	return false
}

// refusePostman says what a JSON text is instead.
func refusePostman(file string, t *tree) error {
	line, column := t.place()
	e := &Error{File: file, Line: line, Column: column,
		Text: "is JSON, but no collection: it has neither info and item (Postman 2) nor requests (Postman 1)"}
	switch {
	case t.get("values").is('[') || t.is('[') && len(t.items) > 0 && t.items[0].get("key") != nil:
		e.Hint = "it looks like an environment: give it as one"
	case t.get("log") != nil:
		e.Hint = "it looks like a HAR file: name it .har"
	case t.get("openapi") != nil || t.get("swagger") != nil:
		e.Hint = "it looks like an OpenAPI description: give it as --api"
	case t.is('['):
		e.Hint = "it looks like rows of data: give them as --data"
	case t.get("item") != nil && t.get("info") == nil:
		e.Text, e.Hint = "is no Postman collection: info is missing", "info holds name and schema"
	case t.get("info") != nil && t.get("item") == nil:
		e.Text, e.Hint = "is no Postman collection: item is missing", "item is the list of requests and folders"
	}
	return e
}

// head reads what version 2 says of a collection as a whole.
func (p *postmanReader) head(t *tree) *Collection {
	name := t.get("info").get("name")
	if name == nil {
		name = t.get("name")
	}
	c := &Collection{Name: name.asText(), Doc: postmanDoc(t.get("info").get("description"))}
	p.scope(t, &c.Scope)
	return c
}

// collection reads version 2.
func (p *postmanReader) collection(t *tree) *Collection {
	c := p.head(t)
	var o behaviour
	postmanBehaviour(&o, t.get("protocolProfileBehavior"))
	c.Items = p.items(t.get("item"), o)
	return c
}

// postmanDoc is a description: a text, or an object with one.
func postmanDoc(t *tree) string {
	if t.is('{') {
		return t.get("content").asText()
	}
	return t.text()
}

func (p *postmanReader) scope(t *tree, s *Scope) {
	vars := t.get("variable")
	if !vars.is('[') {
		vars = t.get("variables")
	}
	s.Variables = postmanVariables(vars)
	s.Auth = p.auth(t.get("auth"))
	s.Scripts = p.scripts(t.get("event"))
}

func postmanVariables(list *tree) []Variable {
	var out []Variable
	for _, v := range list.list() {
		name := v.get("key").asText()
		if name == "" {
			name = v.get("id").asText()
		}
		if name == "" {
			continue
		}
		out = append(out, Variable{Name: name, Value: v.get("value").asText(),
			Secret: v.get("type").text() == "secret", Disabled: postmanOff(v)})
	}
	return out
}

// postmanOff reports whether an entry is switched off: newer files say
// disabled, older ones enabled.
func postmanOff(t *tree) bool { return t.get("disabled").isTrue() || t.get("enabled").isFalse() }

// scripts reads events: a list, or one alone.
func (p *postmanReader) scripts(events *tree) []Script {
	list := events.list()
	if events.is('{') {
		list = []*tree{events}
	}
	var out []Script
	for _, e := range list {
		s, when := e.get("script"), e.get("listen").text()
		exec := s
		if s.is('{') {
			exec = s.get("exec")
		}
		text := postmanLines(exec)
		if text == "" || e.get("disabled").isTrue() || when != "prerequest" && when != "test" {
			continue
		}
		line, _ := exec.place()
		if exec.is('[') && len(exec.items) > 0 {
			line, _ = exec.items[0].place()
		}
		language := s.get("type").text()
		if _, word, ok := strings.Cut(language, "/"); ok {
			language = word
		}
		if language == "" || language == "x-javascript" || language == "ecmascript" {
			language = "javascript"
		}
		out = append(out, Script{When: when, Language: language, Text: text, Line: line})
	}
	return out
}

// postmanLines is a text, or its lines as a list.
func postmanLines(t *tree) string {
	if !t.is('[') {
		return t.text()
	}
	var lines []string
	for _, l := range t.items {
		lines = append(lines, l.asText())
	}
	return strings.Join(lines, "\n")
}

// A behaviour is how requests are sent; that of a folder holds below it.
type behaviour struct {
	Options
	keepBody bool
}

func postmanBehaviour(o *behaviour, t *tree) {
	set := func(name string, to *bool, value bool) {
		if v := t.get(name); v.isTrue() || v.isFalse() {
			*to = v.isTrue() == value
		}
	}
	set("followRedirects", &o.NoRedirect, false)
	set("strictSSL", &o.Insecure, false)
	set("disableCookies", &o.NoCookies, true)
	set("disableBodyPruning", &o.keepBody, true)
	set("followOriginalHttpMethod", &o.KeepMethod, true)
	if n := t.get("maxRedirects"); n.is('0') {
		fmt.Sscanf(n.raw, "%d", &o.MaxRedirect)
	}
	switch t.get("protocolVersion").text() {
	case "http1":
		o.HTTP = "1.1"
	case "http2":
		o.HTTP = "2"
	}
}

func writePostman(w io.Writer, c *Collection) error {
	return postmanTree(c).writeTo(w, "\t")
}
