package archive

import (
	"encoding/base64"
	"regexp"
	"strings"
	"unicode/utf8"
)

// foreign hides what is in a document of another format. One of a kind that
// is not known here is given up: its writer goes by the collection then.
func (h *hider) foreign(f any) any {
	switch f := f.(type) {
	case *tree:
		h.tree(f, place{})
		return f
	case harEntries:
		for _, e := range f {
			h.tree(e, place{})
		}
		return f
	case *postmanSource:
		h.tree(f.tree, place{})
		h.tree(f.outer, place{})
		return f
	case *httpSource:
		h.block(&f.block)
		for i := range f.before {
			h.block(&f.before[i])
		}
		return f
	case []httpBlock:
		for i := range f {
			h.block(&f[i])
		}
		return f
	case *curlForeign:
		for i := 1; i < len(f.Extra); i++ {
			o := curlLong[strings.TrimPrefix(f.Extra[i-1], "--")]
			if o == nil || !o.value {
				continue
			}
			k := textLink
			if o.secret {
				k = textSecret
			}
			name, rest, named := strings.Cut(f.Extra[i], ":")
			if k == textSecret && named && !strings.Contains(f.Extra[i], "://") {
				f.Extra[i] = name + ":" + h.text(k, "", rest) // user:password, file:password
			} else {
				if strings.Contains(f.Extra[i], "://") {
					k = textLink
				}
				h.in(k, "", &f.Extra[i])
			}
		}
		return f
	}
	return nil
}

var fieldName = regexp.MustCompile(`^\s*[A-Za-z][A-Za-z0-9_-]*\s*$`)

// block hides what is in the lines of a .http file: fields, variables, and
// whatever else is text.
func (h *hider) block(b *httpBlock) {
	h.in(textPlain, "", &b.title)
	for i, line := range b.lines {
		name, v, ok := strings.Cut(line, ":")
		if at, after, is := strings.Cut(line, "="); is && strings.HasPrefix(strings.TrimSpace(line), "@") {
			name, v, ok = at, after, true
			trimmed := strings.TrimSpace(v)
			b.lines[i] = name + "=" + strings.Replace(v, trimmed, h.text(textValue, strings.Trim(name, " @"), trimmed), 1)
			continue
		}
		if ok && fieldName.MatchString(name) {
			trimmed := strings.TrimSpace(v)
			if hidden := h.text(textValue, strings.TrimSpace(name), trimmed); hidden != trimmed {
				b.lines[i] = name + ":" + strings.Replace(v, trimmed, hidden, 1)
				continue
			}
		}
		b.lines[i] = h.text(textScript, "", h.text(textBody, "", line))
	}
}

// place is where in a tree something stands.
type place struct {
	name    string
	secret  bool // below a member whose name is that of a secret
	auth    bool // in a Postman auth
	cookies bool // in a list of cookies
	script  bool
	body    bool // content; name is its media type
}

// tree hides what is in a JSON document, in place.
func (h *hider) tree(t *tree, at place) {
	if t == nil || h.seen[t] {
		return
	}
	h.seen[t] = true
	switch t.kind {
	case '{':
		h.object(t, at)
	case '[':
		for _, v := range t.items {
			h.tree(v, at)
		}
	case '"':
		s := t.text()
		k := textValue
		switch {
		case at.secret:
			k = textSecret
		case at.script:
			k = textScript
		case at.body:
			k = textBody
		case at.name == "url", at.name == "raw" && strings.Contains(s, "://"):
			k = textLink
		case at.name == "raw":
			k = textBody
		}
		name := at.name
		if k == textBody && !at.body {
			name = ""
		}
		out := h.text(k, name, s)
		if out == s && h.sweeping != nil {
			out = h.encoded(s)
		}
		if out != s {
			t.raw = quote(out)
		}
	case '0':
		if out := h.text(textValue, at.name, t.raw); h.sweeping == nil && out != t.raw && len(t.raw) > 2 {
			*t = tree{kind: '"', raw: quote(out), line: t.line, column: t.column}
		}
	}
}

// object hides what is in the members of an object. Many formats write a
// name and its value as two members.
func (h *hider) object(t *tree, at place) {
	name := firstText(t, "name", "key", "Name")
	content := t.get("text").is('"') && (t.get("mimeType") != nil || t.get("encoding") != nil)
	if content {
		h.harContent(t)
	}
	h.opaque(t)
	alone := firstText(t, "password") == "" && !t.get("password").is('[')
	for _, m := range t.members {
		in := place{name: m.name, secret: at.secret, auth: at.auth, script: at.script}
		nested := m.value.is('{') || m.value.is('[')
		switch {
		case content && m.name == "text":
			continue // done above
		case (m.name == "value" || m.name == "Value") && name != "":
			in.name = name
			long := len(m.value.text()) >= 8
			in.secret = at.secret || at.cookies || t.get("type").text() == "secret" || t.get("Secret").isTrue() ||
				at.auth && !publicParams[name] && !nested || !at.auth && long && everydayName.MatchString(name)
		case m.name == "cookies" || m.name == "cookie":
			in.cookies = true
		case strings.EqualFold(m.name, "auth"):
			in.auth = true
		case m.name == "exec" || m.name == "script":
			in.script = true
		case m.name == "Text" && m.value.is('"'):
			in.name, in.body = t.get("MediaType").text(), true
		case nested && m.name != "credential" && m.name != "authorization" && h.names(m.name):
			in.secret = at.secret || !at.auth
		case at.auth && m.value.is('"') && m.name != "type" && m.name != "key" && m.name != "Scheme":
			in.secret = !publicParams[m.name] || m.name == "username" && alone && at.name == "Params"
		}
		h.tree(m.value, in)
	}
}

// opaque empties the content of a response in a coding that cannot be read
// here, and so not be searched.
func (h *hider) opaque(t *tree) {
	content := t.get("content")
	if !content.is('{') || !strings.EqualFold(content.get("encoding").text(), "base64") {
		return
	}
	for _, f := range t.get("headers").list() {
		if !strings.EqualFold(f.get("name").text(), "Content-Encoding") {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(f.get("value").text())) {
		case "", "identity", "gzip", "x-gzip", "deflate":
			continue
		}
		data, err := base64.StdEncoding.DecodeString(content.get("text").text())
		media := strings.ToLower(content.get("mimeType").text())
		if err == nil && !utf8.Valid(data) && !strings.HasPrefix(media, "image/") && !strings.HasPrefix(media, "font/") {
			content.get("text").raw = `""`
		}
	}
}

// firstText is the text of the first of the members that is there.
func firstText(t *tree, names ...string) string {
	for _, n := range names {
		if s := t.get(n).text(); s != "" {
			return s
		}
	}
	return ""
}

// names reports whether a name is that of a secret.
func (h *hider) names(name string) bool {
	const probe = "probe-of-a-value"
	return h.m.Value(name, probe) != probe
}

// harContent hides what is in the text of postData and content.
func (h *hider) harContent(t *tree) {
	text, media := t.get("text"), t.get("mimeType").text()
	s := text.text()
	if strings.EqualFold(t.get("encoding").text(), "base64") {
		data, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			data, media = []byte(s), ""
		}
		if out, ok := h.content(media, data); ok {
			text.raw = quote(base64.StdEncoding.EncodeToString(out))
		}
		h.seen[text] = true
		return
	}
	refs := anyReference.FindAllString(s, -1)
	var out string
	if h.sweeping != nil {
		out = h.sweeping.Replace(s)
	} else {
		out = restore(h.body(media, protect(s, refs)), refs)
	}
	if out != s {
		text.raw = quote(out)
	}
	h.seen[text] = true
}
