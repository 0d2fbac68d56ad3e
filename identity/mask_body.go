package identity

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/parley-project/parley/exchange"
)

// maxInflated is the most that a compressed body is unpacked to.
const maxInflated = 8 << 20

// body masks a message's content.
func (m *masker) body(b *exchange.Body, h exchange.Header) {
	if len(b.Data) == 0 {
		return
	}
	rest := b.Size - int64(len(b.Data)) // what was not kept
	data, ok := m.coded(b.Data, h, rest > 0)
	if !ok {
		return
	}
	if b.Data = data; data != nil {
		b.Size = rest + int64(len(data))
	}
}

// coded masks content under its Content-Encoding. Content that cannot be
// unpacked cannot be searched, and is given up.
func (m *masker) coded(data []byte, h exchange.Header, open bool) ([]byte, bool) {
	coding := strings.ToLower(strings.TrimSpace(h.Get("Content-Encoding")))
	if coding == "" || coding == "identity" {
		return m.content(data, h, open)
	}
	var plain []byte
	var err error
	switch coding {
	case "gzip", "x-gzip":
		plain, err = inflate(data, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) })
	case "deflate":
		plain, err = inflate(data, func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) })
	default:
		err = errors.New("unknown coding")
	}
	if err != nil {
		if !isText(data) {
			return nil, true
		}
		return m.content(data, h, open) // only says that it is coded
	}
	plain, changed := m.content(plain, h, open)
	if !changed {
		return data, false
	}
	var out bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&out)
	if coding == "deflate" {
		w = zlib.NewWriter(&out)
	}
	w.Write(plain) // a bytes.Buffer takes everything
	w.Close()
	return out.Bytes(), true
}

// inflate unpacks as much as there is; a body that was cut off is no error.
func inflate(data []byte, open func(io.Reader) (io.Reader, error)) ([]byte, error) {
	r, err := open(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, maxInflated+1))
	if len(out) > maxInflated {
		return nil, errors.New("too large")
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return out, err
}

// isText reports whether the beginning of data is UTF-8 without controls.
func isText(data []byte) bool {
	data = data[:min(len(data), 512)]
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		if r == utf8.RuneError && n == 1 && utf8.FullRune(data) || r < ' ' && r != '\t' && r != '\n' && r != '\r' {
			return false
		}
		data = data[n:]
	}
	return true
}

// content masks content by its type.
func (m *masker) content(data []byte, h exchange.Header, open bool) ([]byte, bool) {
	media := h.MediaType()
	switch {
	case media == "application/x-www-form-urlencoded":
		s, ok := m.form(viewOf(data), open)
		if !ok {
			return data, false
		}
		return []byte(s), true
	case strings.HasPrefix(media, "multipart/"):
		return m.multipart(data, h, open)
	case (strings.HasPrefix(media, "image/") || strings.HasPrefix(media, "video/") ||
		strings.HasPrefix(media, "audio/") || strings.HasPrefix(media, "font/")) && !isText(data):
		return data, false // text under such a name is a picture to nobody
	}
	return m.document(data, media, open)
}

// document masks JSON, however it is labelled, and text.
func (m *masker) document(data []byte, media string, open bool) ([]byte, bool) {
	ok := false
	head := bytes.TrimLeft(data, " \t\r\n\xef\xbb\xbf")
	if strings.Contains(media, "json") || media == "text/event-stream" ||
		len(head) > 0 && (head[0] == '{' || head[0] == '[' || head[0] == '"') {
		data, ok = m.json(data, open)
	}
	if s, changed := m.text(viewOf(data), open); changed {
		return []byte(s), true
	}
	return data, ok
}

// multipart masks the parts whose names say that they are secret, and looks
// into the others (RFC 7578).
func (m *masker) multipart(data []byte, h exchange.Header, open bool) ([]byte, bool) {
	_, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return m.document(data, "", open)
	}
	parts := bytes.Split(data, []byte("--"+params["boundary"]))
	changed := false
	for i, part := range parts {
		head, content, ok := bytes.Cut(part, []byte("\r\n\r\n"))
		if !ok {
			continue
		}
		last := i == len(parts)-1
		content, tail := bytes.CutSuffix(content, []byte("\r\n"))
		name, media := partHeader(string(head))
		masked, ok := content, false
		if isSecretParameter(name, viewOf(content)) {
			masked, ok = []byte(m.placeholder(string(content))), len(content) > 0
		} else {
			masked, ok = m.document(content, media, open && last)
		}
		if !ok {
			continue
		}
		changed = true
		p := append(append(bytes.Clone(head), "\r\n\r\n"...), masked...)
		if tail {
			p = append(p, "\r\n"...)
		}
		parts[i] = p
	}
	if !changed {
		return data, false
	}
	return bytes.Join(parts, []byte("--"+params["boundary"])), true
}

// partHeader returns the name and the media type of a part.
func partHeader(head string) (name, media string) {
	for line := range strings.SplitSeq(head, "\r\n") {
		field, value, _ := strings.Cut(line, ":")
		switch {
		case strings.EqualFold(field, "Content-Disposition"):
			_, params, _ := mime.ParseMediaType(value)
			name = params["name"]
		case strings.EqualFold(field, "Content-Type"):
			media, _, _ = mime.ParseMediaType(value)
		}
	}
	return name, media
}
