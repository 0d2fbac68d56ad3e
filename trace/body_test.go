package trace

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
	"testing"

	"github.com/parley-project/parley/exchange"
)

// packed is a text in a coding.
func packed(coding, s string) string {
	var b bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zlib":
		w = zlib.NewWriter(&b)
	default:
		w, _ = flate.NewWriter(&b, flate.DefaultCompression)
	}
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

// answered is an exchange with an answer of that type, in that coding.
func answered(media, coding, body string) *exchange.Exchange {
	r := &exchange.Response{Status: 200, Body: exchange.Body{Size: int64(len(body)), Data: []byte(body)}}
	for _, f := range []exchange.Field{{Name: "Content-Type", Value: media}, {Name: "Content-Encoding", Value: coding}} {
		if f.Value != "" {
			r.Header = append(r.Header, f)
		}
	}
	return &exchange.Exchange{TLS: &exchange.TLS{}, Response: r}
}

func TestWriteBody(t *testing.T) {
	const json, indented = `{"id":887,"big":12345678901234567890}`, "{\n  \"id\": 887,\n  \"big\": 12345678901234567890\n}\n"
	png := "\x89PNG\r\n\x1a\n\x00\x00" + strings.Repeat("x", 1194)
	long := strings.Repeat("0123456789abcde\n", 5000) // 80,000 bytes
	cut := answered("application/json", "gzip", packed("gzip", json))
	cut.Response.Body.Data = cut.Response.Body.Data[:len(cut.Response.Body.Data)-2]
	part := answered("text/plain", "", "the beginn\xc3")
	part.Response.Body.Size = 1000
	tests := []struct {
		name string
		x    *exchange.Exchange
		want string
	}{
		{"none", &exchange.Exchange{}, "no body\n"},
		{"empty", answered("text/plain", "", ""), "no body\n"},
		{"JSON", answered("application/json", "", json), indented},
		{"JSON under another name", answered("text/plain", "", json), indented},
		{"JSON that is none", answered("application/json", "", `{"id":`), "{\"id\":\n"},
		{"gzip", answered("application/json", "gzip", packed("gzip", json)), indented},
		{"zlib", answered("application/json", "deflate", packed("zlib", json)), indented},
		{"deflate", answered("application/json", "Deflate", packed("", json)), indented},
		{"two codings", answered("application/json", "deflate, gzip", packed("gzip", packed("zlib", json))), indented},
		{"no gzip", answered("application/json", "gzip", json), indented},
		{"unknown coding", answered("application/json", "br", "\x8b\x03\x80{}\x03"), "6 bytes of application/json, sent as br, not shown\n"},
		{"text", answered("text/plain", "", "one\r\n\ttwo\n"), "one\n\ttwo\n"},
		{"text that acts", answered("text/html", "", "\x1b[2J\x07\u202e \xe9"), "\\x1b[2J\\x07\\u202e \\xe9\n"},
		{"picture", answered("image/png", "", png), "1,204 bytes of image/png, not shown\n"},
		{"picture in words", answered("image/svg+xml", "", "<svg/>"), "<svg/>\n"},
		{"of no type", answered("", "", "\x00"), "1 byte of unknown type, not shown\n"},
		{"long", answered("text/plain", "", long), long[:maxShown] + "… and 14,464 bytes more\n"},
		{"kept in part", part, "the beginn\\xc3\n… and at least 989 bytes more\n"},
		{"secret", answered("application/json", "gzip", packed("gzip", `{"password":"`+marked+`"}`)), "{\n  \"password\": \"secret:"},
		{"secret in a picture", answered("image/svg+xml", "", "\x01<a href='https://x.test/?access_token="+marked+"'/>"), "\\x01<a href='https://x.test/?access_token=secret:"},
	}
	for _, tt := range tests {
		var b bytes.Buffer
		if err := WriteBody(&b, tt.x, View{Key: []byte("a key for tests")}); err != nil {
			t.Fatal(err)
		}
		got := b.String()
		if strings.HasPrefix(tt.name, "secret") && strings.HasPrefix(got, tt.want) {
			got = tt.want
		}
		if got != tt.want || strings.Contains(b.String(), marked) {
			t.Errorf("WriteBody(%s) wrote\n%.200q, want\n%.200q", tt.name, b.String(), tt.want)
		}
	}
	var b bytes.Buffer
	WriteBody(&b, cut, View{})
	if !strings.HasSuffix(b.String(), " bytes more\n") || !strings.Contains(b.String(), "887") {
		t.Errorf("WriteBody(gzip kept in part) wrote %q, want what is there", b.String())
	}
}

// A few bytes that mean gigabytes are not all unpacked.
func TestPlainIsBounded(t *testing.T) {
	r, err := Plain(answered("text/plain", "gzip", packed("gzip", strings.Repeat("\n", 2*maxPlain))).Response)
	if err != nil || len(r.Body.Data) != maxPlain || r.Body.Complete() {
		t.Errorf("Plain: %d bytes, %v, want %d and more to come", len(r.Body.Data), err, maxPlain)
	}
}

// What an answer says of the call itself is noted below its step.
func TestNotes(t *testing.T) {
	clear := func(x *exchange.Exchange) *exchange.Exchange {
		x.TLS, x.Response.Status = &exchange.TLS{Clear: true}, 400
		return x
	}
	const nginx = "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head>"
	for name, tt := range map[string]struct {
		x    *exchange.Exchange
		want string
	}{
		"nginx":       {clear(answered("text/html", "", nginx)), "this port speaks TLS: write https://"},
		"Go":          {clear(answered("", "", "Client sent an HTTP request to an HTTPS server.\n")), "this port speaks TLS: write https://"},
		"another 400": {clear(answered("text/html", "", "Bad Request")), ""},
		"over TLS":    {answered("text/html", "", nginx), ""},
		"no gzip":     {answered("application/json", "gzip", "{}"), "the body cannot be decoded: it says gzip and is not"},
		"gzip":        {answered("application/json", "gzip", packed("gzip", "{}")), ""},
		"br":          {answered("application/json", "br", "\x8b"), ""},
	} {
		if got := strings.Join(Steps(tt.x)[exchange.StepResponse-1].Notes, "; "); got != tt.want {
			t.Errorf("Steps(%s) notes %q, want %q", name, got, tt.want)
		}
	}
}

// A server that asks for a client's certificate is told of without -v when
// there was none; a local name is told from an address that was given.
func TestAskedAndLocal(t *testing.T) {
	const none = "session  the server asked for a client certificate, none was shown"
	x := goodDay()
	x.TLS.Asked, x.DNS.Resolver = true, "local"
	if out := draw(t, x, View{}); !strings.Contains(out, none) || !strings.Contains(out, "local name") {
		t.Errorf("Write drew\n%swant %q and a local name", out, none)
	}
	x.TLS.Shown, x.DNS.Resolver = true, "given"
	if out := draw(t, x, View{}); strings.Contains(out, "session") || !strings.Contains(out, "as given") {
		t.Errorf("Write drew\n%swant no session, and the address as given", out)
	}
}
