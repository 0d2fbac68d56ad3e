package archive

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parley-project/parley/exchange"
)

// harEntry is one exchange as HAR has it.
func harEntry(x *exchange.Exchange, extra *harExtra) *tree {
	r := &x.Request
	request := object(
		member{"method", str(r.Method)}, member{"url", str(r.URL())}, member{"httpVersion", str(r.Proto)},
		member{"cookies", requestCookies(r.Header)}, member{"headers", headerTree(r.Header)},
		member{"queryString", queryTree(r.Query())})
	if len(r.Body.Data) > 0 || r.Body.Size > 0 {
		request.members = append(request.members, member{"postData", postData(r.Header.Get("Content-Type"), string(r.Body.Data))})
	}
	request.members = append(request.members, member{"headersSize", number(-1)}, member{"bodySize", number(int(r.Body.Size))})
	t := object(
		member{"startedDateTime", str(x.Start.Format(time.RFC3339Nano))}, member{"time", &tree{kind: '0', raw: harMillis(harTotal(x.Times))}},
		member{"request", request}, member{"response", responseTree(x)}, member{"cache", object()},
		member{"timings", timingsTree(x.Times)})
	if x.TCP != nil && x.TCP.Remote.IsValid() {
		t.members = append(t.members, member{"serverIPAddress", str(x.TCP.Remote.Addr().String())})
	}
	if d := securityDetails(x.TLS); d != nil {
		t.members = append(t.members, member{"_securityDetails", d})
	}
	t.members = append(t.members, member{"_parley", treeOf(extra)})
	return t
}

func responseTree(x *exchange.Exchange) *tree {
	p := x.Response
	if p == nil {
		p = &exchange.Response{}
	}
	data := p.Body.Data
	plain, decoded := unpacked(p.Body, p.Header)
	size := p.Body.Size
	if decoded {
		data, size = plain, int64(len(plain))
	}
	content := object(member{"size", number(int(size))}, member{"mimeType", str(p.Header.Get("Content-Type"))})
	switch {
	case len(data) == 0:
	case isUTF8(data):
		content.members = append(content.members, member{"text", str(string(data))})
	default:
		content.members = append(content.members, member{"text", str(base64.StdEncoding.EncodeToString(data))}, member{"encoding", str("base64")})
	}
	if decoded {
		content.members = append(content.members, member{"compression", number(int(size - p.Body.Size))})
	}
	t := object(
		member{"status", number(p.Status)}, member{"statusText", str(http.StatusText(p.Status))}, member{"httpVersion", str(p.Proto)},
		member{"cookies", responseCookies(p.Header)}, member{"headers", headerTree(p.Header)}, member{"content", content},
		member{"redirectURL", str(p.Header.Get("Location"))}, member{"headersSize", number(-1)}, member{"bodySize", number(int(p.Body.Size))})
	if x.Failure != "" {
		t.members = append(t.members, member{"comment", str(x.Failure)})
	}
	return t
}

// harTotal is the sum that HAR wants: ssl is a part of connect.
func harTotal(t exchange.Times) time.Duration {
	return t.Blocked + t.DNS + t.Connect + t.Send + t.Wait + t.Receive
}

func timingsTree(t exchange.Times) *tree {
	ms := func(d time.Duration, optional bool) *tree {
		if optional && d == 0 {
			return number(-1)
		}
		return &tree{kind: '0', raw: harMillis(d)}
	}
	return object(
		member{"blocked", ms(t.Blocked, true)}, member{"dns", ms(t.DNS, true)}, member{"connect", ms(t.Connect, true)},
		member{"send", ms(t.Send, false)}, member{"wait", ms(t.Wait, false)}, member{"receive", ms(t.Receive, false)},
		member{"ssl", ms(t.TLS, true)})
}

func headerTree(h exchange.Header) *tree {
	t := array()
	for _, f := range h {
		t.items = append(t.items, nameValue(f.Name, f.Value))
	}
	return t
}

func nameValue(name, value string) *tree {
	return object(member{"name", str(name)}, member{"value", str(value)})
}

func queryTree(query string) *tree {
	t := array()
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		t.items = append(t.items, nameValue(unescapeQuery(name), unescapeQuery(value)))
	}
	return t
}

func unescapeQuery(s string) string {
	if u, err := url.QueryUnescape(s); err == nil && utf8.ValidString(u) {
		return u
	}
	return s
}

func postData(mediaType, text string) *tree {
	t := object(member{"mimeType", str(mediaType)}, member{"text", str(text)})
	if m, _, _ := strings.Cut(mediaType, ";"); strings.EqualFold(strings.TrimSpace(m), "application/x-www-form-urlencoded") {
		t.members = append(t.members, member{"params", queryTree(text)})
	}
	return t
}

func requestCookies(h exchange.Header) *tree {
	t := array()
	for _, line := range h.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			if name, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok {
				t.items = append(t.items, nameValue(name, value))
			}
		}
	}
	return t
}

func responseCookies(h exchange.Header) *tree {
	t := array()
	for _, line := range h.Values("Set-Cookie") {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			continue // the field itself stands among the headers
		}
		o := nameValue(c.Name, c.Value)
		o.members = append(o.members, member{"path", strOrNone(c.Path)}, member{"domain", strOrNone(c.Domain)})
		if !c.Expires.IsZero() {
			o.members = append(o.members, member{"expires", str(c.Expires.Format(time.RFC3339))})
		}
		o.members = append(o.members, member{"httpOnly", boolean(c.HttpOnly)}, member{"secure", boolean(c.Secure)})
		t.items = append(t.items, object(o.members...))
	}
	return t
}
