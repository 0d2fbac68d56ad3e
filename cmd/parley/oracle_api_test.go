package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
)

// careless is an API without any authorization. It answers with whole rows,
// obeys every write, and reads requests as leniently as any framework might:
// whatever it can be made to do is guard's to prevent. It keeps a journal of
// what it did.
type careless struct {
	w      *world
	mu     sync.Mutex
	rows   map[string][]object // by resource
	reads  []row               // shown in answers to what was asked for, not prereads
	writes []written
	body   []byte // of the last request
	quirk  quirk
}

type row struct {
	res *resource
	o   object
}

type written struct {
	verb    string
	res     *resource // nil for a transfer
	owner   string    // of the row before, or of what is made
	members object    // what was put into it
}

// A quirk is how it labels and packs its answers.
type quirk int

const (
	plainJSON quirk = iota
	labelledText
	vendorJSON
	zipped
	inPieces
	unusualStatus
	strangeType // objects where text was promised
	quirks
)

func newCareless(w *world) *careless {
	c := &careless{w: w, rows: map[string][]object{}}
	for _, res := range w.resources {
		for i := range res.keys {
			c.rows[res.name] = append(c.rows[res.name], c.fresh(res, i))
		}
	}
	return c
}

// fresh is the row with a key as it is at the beginning of each case.
func (c *careless) fresh(res *resource, i int) object {
	detail := object{}
	o := object{"id": res.number(res.keys[i]), "detail": detail}
	who := c.w.people[i%len(c.w.people)]
	word := "OPEN"
	if !res.public {
		word = "OWNED"
		setPath(o, res.owner, c.w.number(who.subject))
		if len(res.owner) > 1 { // undeclared, beside the owner
			setPath(o, []string{res.owner[0], "seen_by"}, "HIDDEN-"+res.name)
		}
	}
	for _, m := range res.members {
		into := o
		if m.detail {
			into = detail
		}
		mark := word
		switch {
		case m.hidden():
			mark = "HIDDEN"
		case m.readable != "":
			mark = "ROLE-" + m.readable
		}
		text := fmt.Sprintf("%s-%s-%s-%s;", mark, res.name, res.keys[i], m.name)
		switch m.kind {
		case "integer":
			into[m.name] = json.Number(strconv.Itoa(1000 + i))
		case "map":
			into[m.name] = object{"a": text, "b c": ""}
		default:
			into[m.name] = text
		}
	}
	return o
}

// number is a key or subject as JSON has it.
func (res *resource) number(key string) any {
	if res.key == "integer" {
		return json.Number(key)
	}
	return key
}

func (w *world) number(subject string) any {
	if w.integer {
		return json.Number(subject)
	}
	return subject
}

func setPath(o object, names []string, v any) {
	for _, n := range names[:len(names)-1] {
		next, ok := o[n].(object)
		if !ok {
			next = object{}
			o[n] = next
		}
		o = next
	}
	o[names[len(names)-1]] = v
}

func getPath(o object, names []string) any {
	for _, n := range names[:len(names)-1] {
		o, _ = o[n].(object)
	}
	return o[names[len(names)-1]]
}

// ownerOf is who owns a row, as text.
func (res *resource) ownerOf(o object) string {
	if res.public {
		return ""
	}
	return fmt.Sprint(getPath(o, res.owner))
}

// begin puts everything back as it was.
func (c *careless) begin(q quirk) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, wr := range c.writes {
		if wr.res == nil {
			continue
		}
		rows := c.rows[wr.res.name][:0]
		for i := range wr.res.keys {
			rows = append(rows, c.fresh(wr.res, i))
		}
		c.rows[wr.res.name] = rows
	}
	c.reads, c.writes, c.body, c.quirk = nil, nil, nil, q
}

func (c *careless) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.body, c.reads = body, nil
	status, answer := c.do(r, lenientBody(r, body))
	data, _ := json.Marshal(answer)
	if c.quirk == strangeType {
		data = bytes.ReplaceAll(data, []byte(`"size":`), []byte(`"size":{"cost":"HIDDEN-cost"},"size_was":`))
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if status < 300 {
		switch c.quirk {
		case labelledText:
			h.Set("Content-Type", "text/html; charset=utf-8")
		case vendorJSON:
			h.Set("Content-Type", "application/vnd.world+json")
		case zipped:
			var z bytes.Buffer
			gz := gzip.NewWriter(&z)
			gz.Write(data)
			gz.Close()
			data = z.Bytes()
			h.Set("Content-Encoding", "gzip")
		case unusualStatus:
			if status == 200 {
				status = 203
			}
		}
	}
	if status == 204 {
		clear(h)
		w.WriteHeader(status)
		return
	}
	if c.quirk != inPieces {
		h.Set("Content-Length", strconv.Itoa(len(data)))
	}
	w.WriteHeader(status)
	if r.Method == "HEAD" {
		return
	}
	for len(data) > 0 {
		n := len(data)
		if c.quirk == inPieces {
			n = min(n, 7)
		}
		w.Write(data[:n])
		data = data[n:]
		if f, ok := w.(http.Flusher); ok && c.quirk == inPieces {
			f.Flush()
		}
	}
}

// lenientBody reads a body whatever it calls itself: JSON in UTF-8 or UTF-16,
// with anything behind it, compressed, or a form.
func lenientBody(r *http.Request, body []byte) object {
	if z, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
		body, _ = io.ReadAll(z)
	}
	if len(body) > 2 && (body[0] == 0 || body[1] == 0 || body[0] >= 0xfe) {
		var units []uint16
		for i := 0; i+1 < len(body); i += 2 {
			u := uint16(body[i])<<8 | uint16(body[i+1])
			if body[1] == 0 {
				u = u>>8 | u<<8
			}
			units = append(units, u)
		}
		body = []byte(string(utf16.Decode(units)))
	}
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	var o object
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&o) == nil {
		return o
	}
	o = object{}
	form, _ := url.ParseQuery(string(body))
	for k, v := range form {
		o[k] = v[len(v)-1]
	}
	return o
}

// do finds the function by what the path may mean.
func (c *careless) do(r *http.Request, body object) (int, any) {
	method := strings.ToUpper(r.Method)
	if m := r.Header.Get("X-Http-Method-Override"); m != "" {
		method = strings.ToUpper(m)
	}
	p := r.URL.Path
	for _, name := range []string{"X-Original-Url", "X-Rewrite-Url"} {
		if other := r.Header.Get(name); strings.HasPrefix(other, "/") {
			p = other
		}
	}
	for range 3 {
		if d, err := url.PathUnescape(p); err == nil {
			p = d
		}
	}
	p, _, _ = strings.Cut(p, ";")
	p, _, _ = strings.Cut(p, "\x00")
	segments := strings.Split(strings.ToLower(strings.Trim(path.Clean("/"+strings.ReplaceAll(p, `\`, "/")), "/")), "/")
	query := r.URL.Query()
	one := func(name string) string {
		for k, v := range query {
			if strings.EqualFold(strings.TrimRight(k, "[]\x00"), name) {
				return v[len(v)-1]
			}
		}
		for k, v := range body {
			if s, ok := v.(json.Number); ok && strings.EqualFold(k, name) {
				return s.String()
			}
			if s, ok := v.(string); ok && strings.EqualFold(k, name) {
				return s
			}
		}
		return ""
	}
	if len(segments) < 2 || segments[0] != "v1" {
		return 404, object{"title": "no such thing"}
	}
	switch {
	case segments[1] == "admin":
		return 200, []any{"OWNED-by-everybody;", "the report"}
	case segments[1] == "transfers" && method == "POST":
		c.writes = append(c.writes, written{verb: "transfer", owner: fmt.Sprint(body["from"])})
		return 201, body
	case segments[1] == "users" && len(segments) > 3:
		segments = segments[2:]
	}
	name, how := segments[1], ""
	for _, h := range []string{"-by-query", "-by-header"} {
		if n, ok := strings.CutSuffix(name, h); ok {
			name, how = n, h
		}
	}
	i := slices.IndexFunc(c.w.resources, func(res *resource) bool { return res.name == name })
	if i < 0 {
		return 404, object{"title": "no such thing"}
	}
	res := c.w.resources[i]
	switch key := one("id"); {
	case how == "-by-header" && r.Header.Get("X-Object-Id") != "":
		return c.item(res, method, r.Header.Get("X-Object-Id"), body)
	case key != "" && (method == "GET" || method == "HEAD" || method == "DELETE"):
		return c.item(res, method, key, body)
	case len(segments) > 2:
		return c.item(res, method, segments[2], body)
	}
	return c.collection(res, method, one("user_id"), body)
}

func (c *careless) item(res *resource, method, key string, body object) (int, any) {
	key = strings.ToLower(strings.TrimSpace(key))
	if n, err := strconv.ParseFloat(key, 64); err == nil && res.key == "integer" {
		key = strconv.Itoa(int(n))
	}
	rows := c.rows[res.name]
	i := slices.IndexFunc(rows, func(o object) bool { return strings.EqualFold(fmt.Sprint(o["id"]), key) })
	if i < 0 {
		return 404, object{"title": "there is no " + res.name + " of that number"}
	}
	o := rows[i]
	switch method {
	case "PUT", "PATCH":
		c.writes = append(c.writes, written{method, res, res.ownerOf(o), body})
		o = merge(o, body)
		rows[i] = o
	case "DELETE":
		c.writes = append(c.writes, written{method, res, res.ownerOf(o), nil})
		c.rows[res.name] = slices.Delete(rows, i, i+1)
		return 204, nil
	}
	c.reads = append(c.reads, row{res, o})
	return 200, res.wrapped(o)
}

// merge writes members into a row, however their names are written.
func merge(o, body object) object {
	o = maps.Clone(o)
	for k, v := range body {
		at := k
		for known := range o {
			if strings.EqualFold(known, k) {
				at = known
			}
		}
		inner, ok1 := v.(object)
		old, ok2 := o[at].(object)
		if ok1 && ok2 && at == "detail" {
			o[at] = merge(old, inner)
		} else {
			o[at] = v
		}
	}
	return o
}

// wrapped puts a row into its envelope, with something beside it that nobody
// was promised.
func (res *resource) wrapped(v any) any {
	return wrap(res.envelope, v, func(o object) object {
		o["debug"] = "HIDDEN-debug"
		return o
	})
}

func (c *careless) collection(res *resource, method, user string, body object) (int, any) {
	if method == "POST" {
		o := merge(object{"id": res.number(map[string]string{"integer": "9001", "uuid": "ffffffff-0000-4000-8000-000000000001", "slug": "made"}[res.key])}, body)
		c.writes = append(c.writes, written{method, res, res.ownerOf(o), body})
		o["password_hash"] = "HIDDEN-new"
		c.rows[res.name] = append(c.rows[res.name], o)
		return 201, res.wrapped(o)
	}
	items := []any{}
	for _, o := range c.rows[res.name] {
		if user == "" || res.public || res.ownerOf(o) == user {
			c.reads = append(c.reads, row{res, o})
			items = append(items, o)
		}
	}
	if res.bare {
		return 200, items
	}
	return 200, res.wrapped(object{"items": items, "next": "", "total_rows": "HIDDEN-total"})
}
