package archive

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// postmanTree is a collection as a document of version 2.1.
func postmanTree(c *Collection) *tree {
	src, _ := c.Foreign.(*postmanSource)
	was := &Collection{}
	p := &postmanReader{file: c.File}
	t := object()
	if src != nil {
		t = src.tree
		was = p.head(t)
	}
	info := t.get("info")
	if info == nil {
		info = object(member{"_postman_id", str(postmanID(c))}, member{"name", str(c.Name)})
	}
	if c.Name != was.Name {
		info = info.with("name", str(c.Name))
	}
	if c.Doc != was.Doc {
		info = info.with("description", strOrNone(c.Doc))
	}
	if !strings.Contains(info.get("schema").text(), "v2.1") {
		info = info.with("schema", str(postmanSchema))
	}
	if info != t.get("info") {
		t = t.with("info", info)
	}
	t = t.with("item", postmanItems(c.Items, t.get("item")))
	t = postmanScope(t, &c.Scope, &was.Scope)
	if src != nil && src.outer != nil {
		return src.outer.with("collection", t)
	}
	return t
}

// postmanID names a collection by what is in it, in the form of a UUID: the
// same collection has the same one each time.
func postmanID(c *Collection) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q", c.Name)
	var walk func([]*Item)
	walk = func(items []*Item) {
		for _, it := range items {
			fmt.Fprintf(h, "%q", it.Name)
			if it.Request != nil {
				fmt.Fprintf(h, "%q %q", it.Request.Method, it.Request.URL)
			}
			walk(it.Items)
		}
	}
	walk(c.Items)
	b := h.Sum(nil)
	b[6], b[8] = b[6]&0x0F|0x80, b[8]&0x3F|0x80 // version 8: our own (RFC 9562, 5.8)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

func postmanItems(items []*Item, was *tree) *tree {
	if was == nil && items == nil {
		return array()
	}
	list := array()
	for _, it := range items {
		list.items = append(list.items, postmanItem(it))
	}
	return list
}

// postmanItem writes a folder or a request over what it was read from.
func postmanItem(it *Item) *tree {
	was := &Item{}
	var t *tree
	src, _ := it.Foreign.(*postmanSource)
	p := &postmanReader{}
	if src != nil {
		t = src.tree
		was, _ = p.alone(t, src.above)
	} else {
		t = object(member{"name", str(it.Name)}, member{"id", strOrNone(it.ID)})
	}
	if it.Name != was.Name {
		t = t.with("name", str(it.Name))
	}
	if it.Doc != was.Doc && it.Request == nil {
		t = t.with("description", strOrNone(it.Doc))
	}
	t = postmanScope(t, &it.Scope, &was.Scope)
	if it.Items != nil || it.Request == nil && (src == nil || t.get("item") != nil) {
		t = t.with("item", postmanItems(it.Items, t.get("item")))
	}
	if it.Request != nil {
		t = postmanRequest(t, it, was)
	}
	return postmanOwn(t, it, src)
}

func postmanRequest(t *tree, it, was *Item) *tree {
	r, before := it.Request, was.Request
	if before == nil {
		before = &Request{}
	}
	own := t.get("request")
	changed := postmanRequestOver(r, before, own)
	if it.Doc != was.Doc {
		if changed.is('"') || changed == nil {
			changed = postmanRequestTree(r, nil)
		}
		changed = changed.with("description", strOrNone(it.Doc))
		t = t.with("description", nil)
	}
	if changed != own {
		t = t.with("request", changed)
	}
	if b := postmanBehaviourTree(t.get("protocolProfileBehavior"), r, before); b != t.get("protocolProfileBehavior") {
		t = t.with("protocolProfileBehavior", b)
	}
	if reflect.DeepEqual(it.Recorded, was.Recorded) {
		return t
	}
	list, old := array(), t.get("response").list()
	for i, x := range it.Recorded {
		if i < len(was.Recorded) && reflect.DeepEqual(x, was.Recorded[i]) {
			list.items = append(list.items, old[i])
			continue
		}
		var o *tree
		if i < len(old) {
			o = old[i]
		}
		list.items = append(list.items, postmanResponse(x, o, r))
	}
	return t.with("response", list)
}

// postmanRequestOver puts into own what differs between r and was.
func postmanRequestOver(r, was *Request, own *tree) *tree {
	a, b := *r, *was
	a.Options, b.Options = Options{}, Options{}
	if own != nil && reflect.DeepEqual(a, b) {
		return own
	}
	if !own.is('{') {
		return postmanRequestTree(r, nil)
	}
	t := own
	if r.Method != was.Method {
		t = t.with("method", str(r.Method))
	}
	if r.URL != was.URL || !reflect.DeepEqual(r.Params, was.Params) || !reflect.DeepEqual(r.Disabled, was.Disabled) {
		t = t.with("url", postmanURL(r))
	}
	if !reflect.DeepEqual(r.Header, was.Header) {
		t = t.with("header", postmanFields(r.Header))
	}
	if !reflect.DeepEqual(r.Body, was.Body) {
		t = t.with("body", postmanBodyTree(r.Body, t.get("body")))
	}
	if !reflect.DeepEqual(r.Auth, was.Auth) {
		t = t.with("auth", postmanAuthTree(r.Auth))
	}
	return t
}

// postmanRequestTree writes a request that comes from elsewhere.
func postmanRequestTree(r *Request, was *tree) *tree {
	return object(
		member{"auth", postmanAuthTree(r.Auth)},
		member{"method", str(r.Method)},
		member{"header", postmanFields(r.Header)},
		member{"body", postmanBodyTree(r.Body, was)},
		member{"url", postmanURL(r)})
}

func postmanFields(fs []Field) *tree {
	list := array()
	for _, f := range fs {
		list.items = append(list.items, object(member{"key", str(f.Name)}, member{"value", str(f.Value)},
			member{"description", strOrNone(f.Doc)}, member{"disabled", trueOrNone(f.Disabled)}))
	}
	return list
}

// postmanURL takes a URL apart as Postman does: at its own marks, because
// variables may stand anywhere.
func postmanURL(r *Request) *tree {
	t := object(member{"raw", str(r.URL)})
	rest := r.URL
	rest, hash, hashed := cutOutside(rest, "#")
	rest, query, queried := cutOutside(rest, "?")
	if s, after, ok := cutOutside(rest, "://"); ok && !strings.Contains(s, "/") || ok && strings.HasPrefix(s, "{{") && strings.HasSuffix(s, "}}") {
		t = t.with("protocol", str(s))
		rest = after
	}
	host, path, pathed := cutOutside(rest, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		user, password, ok := strings.Cut(host[:i], ":")
		auth := object(member{"user", str(user)})
		if ok {
			auth = auth.with("password", str(password))
		}
		t, host = t.with("auth", auth), host[i+1:]
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.Contains(host[i:], "]") && !strings.Contains(host[i:], "}") || i >= 0 && strings.HasSuffix(host, "}}") && strings.HasPrefix(host[i+1:], "{{") {
		t, host = t.with("port", str(host[i+1:])), host[:i]
	}
	labels := []*tree{str(host)}
	if !strings.ContainsAny(host, "{[") {
		labels = texts(strings.Split(host, "."))
	}
	t = t.with("host", array(labels...))
	if pathed {
		t = t.with("path", array(texts(splitOutside(path, '/'))...))
	}
	if queried || len(r.Disabled) > 0 {
		list := array()
		if queried {
			for _, part := range splitOutside(query, '&') {
				name, value, ok := strings.Cut(part, "=")
				q := object(member{"key", str(name)}, member{"value", &tree{kind: 'n'}})
				if ok {
					q = q.with("value", str(value))
				}
				list.items = append(list.items, q)
			}
		}
		list.items = append(list.items, postmanFields(r.Disabled).items...)
		t = t.with("query", list)
	}
	if hashed {
		t = t.with("hash", str(hash))
	}
	if len(r.Params) > 0 {
		t = t.with("variable", postmanFields(r.Params))
	}
	return t
}

func texts(list []string) []*tree {
	var out []*tree
	for _, s := range list {
		out = append(out, str(s))
	}
	return out
}

// longestName bounds how far the end of {{name}} is looked for.
const longestName = 300

// cutOutside cuts at the first mark that is not within {{ }}.
func cutOutside(s, mark string) (before, after string, found bool) {
	for i := 0; i < len(s); i++ {
		if strings.HasPrefix(s[i:], "{{") {
			if end := strings.Index(s[i:min(i+longestName, len(s))], "}}"); end > 0 {
				i += end + 1
				continue
			}
		}
		if strings.HasPrefix(s[i:], mark) {
			return s[:i], s[i+len(mark):], true
		}
	}
	return s, "", false
}

func splitOutside(s string, mark byte) []string {
	var out []string
	for {
		before, after, found := cutOutside(s, string(mark))
		out = append(out, before)
		if !found {
			return out
		}
		s = after
	}
}

func postmanScope(t *tree, s, was *Scope) *tree {
	if !slices.Equal(s.Scripts, was.Scripts) && !sameScripts(s.Scripts, was.Scripts) {
		list := array()
		for _, sc := range s.Scripts {
			language := "text/" + sc.Language
			list.items = append(list.items, object(member{"listen", str(sc.When)}, member{"script", object(
				member{"type", str(language)}, member{"exec", array(texts(strings.Split(sc.Text, "\n"))...)})}))
		}
		if len(list.items) == 0 {
			list = nil
		}
		t = t.with("event", list)
	}
	if !slices.Equal(s.Variables, was.Variables) {
		list := array()
		for _, v := range s.Variables {
			o := object(member{"key", str(v.Name)}, member{"value", str(v.Value)})
			if v.Secret {
				o = o.with("type", str("secret"))
			}
			list.items = append(list.items, o.with("disabled", trueOrNone(v.Disabled)))
		}
		t = t.with("variables", nil).with("variable", list)
	}
	if !reflect.DeepEqual(s.Auth, was.Auth) {
		t = t.with("auth", postmanAuthTree(s.Auth))
	}
	return t
}

func sameScripts(a, b []Script) bool {
	return slices.EqualFunc(a, b, func(x, y Script) bool { return x.When == y.When && x.Language == y.Language && x.Text == y.Text })
}

// postmanBehaviourTree puts into t what differs between the options of r and
// was.
func postmanBehaviourTree(t *tree, r, was *Request) *tree {
	o, b := r.Options, was.Options
	set := func(name string, now, before, means bool) {
		if now != before {
			t = t.with(name, boolean(now == means))
		}
	}
	set("followRedirects", o.NoRedirect, b.NoRedirect, false)
	set("strictSSL", o.Insecure, b.Insecure, false)
	set("disableCookies", o.NoCookies, b.NoCookies, true)
	set("followOriginalHttpMethod", o.KeepMethod, b.KeepMethod, true)
	prunes := r.Body != nil && slices.Contains(bodiless, strings.ToUpper(r.Method))
	prunedBefore := was.Body != nil && slices.Contains(bodiless, strings.ToUpper(was.Method))
	set("disableBodyPruning", prunes && !o.DropBody, prunedBefore && !b.DropBody, true)
	if o.MaxRedirect != b.MaxRedirect {
		t = t.with("maxRedirects", number(o.MaxRedirect))
	}
	if o.HTTP != b.HTTP {
		version := map[string]string{"1.1": "http1", "2": "http2"}[o.HTTP]
		t = t.with("protocolVersion", strOrNone(version))
	}
	if t.is('{') && len(t.members) == 0 {
		return nil
	}
	return t
}
