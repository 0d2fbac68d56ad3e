package archive

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

func readHAR(file string, data []byte) (*Collection, error) {
	root, err := parseTree(file, data)
	if err != nil {
		return nil, err
	}
	log := root.get("log")
	if !log.is('{') {
		line, column := orFirst(log.place())
		return nil, &Error{File: file, Line: line, Column: column, Text: `is no HAR: it has no object "log"`}
	}
	entries := log.get("entries")
	if !entries.is('[') {
		line, column := log.place()
		return nil, &Error{File: file, Line: line, Column: column, Text: `is no HAR: its log has no list "entries"`}
	}
	c := &Collection{Format: "har", File: file, Foreign: root, Doc: log.get("comment").text()}
	if pages := log.get("pages").list(); len(pages) == 1 {
		c.Name = pages[0].get("title").text()
	}
	for i, e := range entries.items {
		line, column := e.place()
		request := e.get("request")
		if !request.is('{') || !request.get("url").is('"') {
			return nil, &Error{File: file, Line: line, Column: column, Text: fmt.Sprintf("entry %d has no request with a url", i+1)}
		}
		x, warning := harExchange(e)
		if warning != "" {
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s:%d: %s", file, line, warning))
		}
		it := &Item{Doc: e.get("comment").text(), Line: line, Column: column, Foreign: harEntries{e}, Request: harRequest(request, x)}
		extra := e.get("_parley")
		if (x.Response != nil || !x.Start.IsZero()) && !extra.get("unsent").isTrue() {
			it.Recorded = []*exchange.Exchange{x}
		}
		if asked := extra.get("asked"); asked != nil {
			var r Request
			if decode(asked, &r) == nil && r.Method != "" {
				it.Request = &r
			}
		}
		it.Name = extra.get("name").text()
		if it.Name == "" {
			it.Name = requestName(it.Request)
		}
		if n := len(c.Items); n > 0 && extra.get("again").isTrue() {
			last := c.Items[n-1]
			last.Recorded = append(last.Recorded, x)
			last.Foreign = append(last.Foreign.(harEntries), e)
			continue
		}
		c.Items = append(c.Items, it)
	}
	return c, nil
}

func orFirst(line, column int) (int, int) { return max(line, 1), max(column, 1) }

// requestName is what a request is called when nobody named it.
func requestName(r *Request) string {
	path := r.URL
	if i := strings.Index(path, "://"); i >= 0 {
		path = path[i+3:]
		if i = strings.IndexByte(path, '/'); i >= 0 {
			path = path[i:]
		} else {
			path = "/"
		}
	}
	path, _, _ = strings.Cut(path, "?")
	path, _, _ = strings.Cut(path, "#")
	return r.Method + " " + path
}

// harExchange reads what was recorded of an entry.
func harExchange(e *tree) (x *exchange.Exchange, warning string) {
	request, response := e.get("request"), e.get("response")
	x = &exchange.Exchange{Source: exchange.FromImport, Start: harTime(e.get("startedDateTime").text())}
	if at := x.Start; at.Year() < 1970 || at.Year() > 9999 {
		x.ID = exchange.NewID(time.Unix(0, 0)) // an ID tells no other time
	} else {
		x.ID = exchange.NewID(at)
	}
	r := &x.Request
	r.Method = request.get("method").text()
	r.Scheme, r.Authority, r.Target = splitURL(request.get("url").text())
	r.Proto = harProto(request.get("httpVersion").text())
	r.Fidelity = exchange.Canonical
	r.Header = harHeader(request.get("headers"))
	if !r.Header.Has("Cookie") {
		if v := harCookies(request.get("cookies")); v != "" {
			r.Header = append(r.Header, exchange.Field{Name: "Cookie", Value: v})
		}
	}
	r.Body, warning = harBody(request.get("postData"), request.get("bodySize"))
	if status, ok := whole(response.get("status")); ok && status > 0 {
		p := &exchange.Response{Status: status, Proto: harProto(response.get("httpVersion").text()), Fidelity: exchange.Canonical}
		p.Header = harHeader(response.get("headers"))
		var w string
		content := response.get("content")
		p.Body, w = harBody(content, content.get("size"))
		if w != "" {
			warning = w
		}
		x.Response = p
	}
	x.Failure = response.get("_error").asText()
	if message := response.get("_error").get("message").text(); message != "" {
		x.Failure = message
	}
	harTimes(e, &x.Times)
	harPeer(e, x)
	harSecurity(e.get("_securityDetails"), x)
	readExtra(e.get("_parley"), x)
	return x, warning
}

// splitURL takes a URL apart as it was written, without decoding it.
func splitURL(s string) (scheme, authority, target string) {
	s, _, _ = strings.Cut(s, "#")
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return "", "", s
	}
	i := strings.IndexAny(rest, "/?*")
	if i < 0 {
		return strings.ToLower(scheme), rest, "/"
	}
	authority, target = rest[:i], rest[i:]
	if target[0] == '?' {
		target = "/" + target
	}
	return strings.ToLower(scheme), authority, target
}

// harHeader leaves out the pseudo-fields of HTTP/2, which say again what the
// request says.
func harHeader(list *tree) exchange.Header {
	var h exchange.Header
	for _, f := range list.list() {
		name := f.get("name").text()
		if name == "" || name[0] == ':' {
			continue
		}
		h = append(h, exchange.Field{Name: name, Value: f.get("value").asText()})
	}
	return h
}

func harCookies(list *tree) string {
	var pairs []string
	for _, c := range list.list() {
		if name := c.get("name").text(); name != "" {
			pairs = append(pairs, name+"="+c.get("value").asText())
		}
	}
	return strings.Join(pairs, "; ")
}

// harBody reads postData or content.
func harBody(t, size *tree) (b exchange.Body, warning string) {
	if n, ok := whole(size); ok && n > 0 {
		b.Size = int64(n)
	}
	text := t.get("text")
	if text == nil {
		if params := t.get("params").list(); len(params) > 0 && t.get("mimeType").text() != "" && !strings.HasPrefix(t.get("mimeType").text(), "multipart/") {
			b.Data = []byte(paramsText(params))
			b.Size = int64(len(b.Data))
		}
		return b, ""
	}
	data := []byte(text.asText())
	encoding := t.get("encoding").text()
	if encoding == "" {
		encoding = t.get("_encoding").text()
	}
	if strings.EqualFold(encoding, "base64") {
		plain, err := base64.StdEncoding.DecodeString(strings.Map(func(r rune) rune {
			if r == '\n' || r == '\r' || r == ' ' {
				return -1
			}
			return r
		}, string(data)))
		if err != nil {
			warning = "a body is not in base64 as it says, and is kept as it is"
		} else {
			data = plain
		}
	}
	if len(data) > 0 {
		b.Data, b.Size = data, int64(len(data))
	}
	return b, warning
}

// paramsText joins parameters that a producer kept instead of the text.
func paramsText(params []*tree) string {
	var pairs []string
	for _, p := range params {
		pairs = append(pairs, url.QueryEscape(p.get("name").asText())+"="+url.QueryEscape(p.get("value").asText()))
	}
	return strings.Join(pairs, "&")
}

func whole(t *tree) (int, bool) {
	if t == nil {
		return 0, false
	}
	n, err := strconv.Atoi(t.asText())
	if err != nil {
		f, ferr := strconv.ParseFloat(t.asText(), 64)
		if ferr != nil || f < 0 || f > 1<<53 {
			return 0, false
		}
		return int(f), true
	}
	return n, true
}

func harTimes(e *tree, t *exchange.Times) {
	timings := e.get("timings")
	for _, p := range []struct {
		name string
		to   *time.Duration
	}{
		{"blocked", &t.Blocked}, {"dns", &t.DNS}, {"connect", &t.Connect}, {"ssl", &t.TLS},
		{"send", &t.Send}, {"wait", &t.Wait}, {"receive", &t.Receive},
	} {
		*p.to, _ = millis(timings.get(p.name))
	}
	t.Total, _ = millis(e.get("time"))
}

// harPeer reads whom the request went to.
func harPeer(e *tree, x *exchange.Exchange) {
	ip, err := netip.ParseAddr(strings.Trim(e.get("serverIPAddress").text(), "[] "))
	if err != nil {
		return
	}
	port := 80
	if x.Request.Scheme == "https" || x.Request.Scheme == "wss" {
		port = 443
	}
	if u, err := url.Parse(x.Request.Scheme + "://" + x.Request.Authority); err == nil && u.Port() != "" {
		if n, err := strconv.Atoi(u.Port()); err == nil {
			port = n
		}
	}
	if n, ok := whole(e.get("_serverPort")); ok && n > 0 {
		port = n
	}
	if port > 0 && port < 1<<16 {
		x.TCP = &exchange.TCP{Remote: netip.AddrPortFrom(ip, uint16(port))}
	}
}

// harRequest is the request as it can be sent again: without the fields that
// whoever sends it makes itself.
func harRequest(t *tree, x *exchange.Exchange) *Request {
	r := &Request{Method: x.Request.Method, URL: t.get("url").text()}
	if r.Method == "" {
		r.Method = "GET"
	}
	for _, f := range x.Request.Header {
		switch strings.ToLower(f.Name) {
		case "content-length", "transfer-encoding", "connection", "proxy-connection", "keep-alive":
			continue
		case "host":
			if strings.EqualFold(f.Value, x.Request.Authority) {
				continue
			}
		case "accept-encoding":
			r.Options.Compressed = true
		}
		r.Header = append(r.Header, Field{Name: f.Name, Value: f.Value})
	}
	switch x.Request.Proto {
	case "HTTP/2.0":
		r.Options.HTTP = "2"
	case "HTTP/3.0":
		r.Options.HTTP = "3"
	}
	post := t.get("postData")
	if len(x.Request.Body.Data) > 0 {
		r.Body = &Body{Mode: "raw", Text: string(x.Request.Body.Data), MediaType: post.get("mimeType").text()}
		if x.Request.Header.Has("Content-Type") {
			r.Body.MediaType = "" // the field says it
		}
	} else if params := post.get("params").list(); len(params) > 0 {
		r.Body = &Body{Mode: "form-data", MediaType: post.get("mimeType").text()}
		for _, p := range params {
			r.Body.Fields = append(r.Body.Fields, FormField{
				Field:    Field{Name: p.get("name").asText(), Value: p.get("value").asText()},
				FileName: p.get("fileName").asText(), MediaType: p.get("contentType").text(),
			})
		}
	}
	return r
}
