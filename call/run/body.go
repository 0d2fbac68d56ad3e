package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/parley-project/parley/archive"
)

// maxFile bounds a file that is sent: bodies are held in memory.
const maxFile = 256 << 20

// body makes a request's content of what is written. mediaType is what its
// Content-Type says unless a header field says another; "" says nothing.
func (w *writer) body(b *archive.Body) (data []byte, mediaType string, err error) {
	if b == nil {
		return nil, "", nil
	}
	switch b.Mode {
	case "", "raw":
		if w.own && b.MediaType == "application/json" {
			return []byte(w.escaped(b.Text, jsonEscape)), b.MediaType, nil
		}
		mt := w.text(b.MediaType)
		if mt == "" && b.Text != "" {
			mt = "text/plain"
		}
		return []byte(w.text(b.Text)), mt, nil
	case "urlencoded":
		var out strings.Builder
		for _, f := range b.Fields {
			if f.Disabled {
				continue
			}
			if out.Len() > 0 {
				out.WriteByte('&')
			}
			out.WriteString(formEscape(w.text(f.Name)) + "=" + formEscape(w.text(f.Value)))
		}
		return []byte(out.String()), "application/x-www-form-urlencoded", nil
	case "form-data":
		return w.multipart(b)
	case "file":
		data, err := w.file(w.text(b.File))
		if b.Joined {
			data = joined(data)
		}
		return data, b.MediaType, err
	case "pieces":
		return w.pieces(b)
	case "graphql":
		g := struct {
			Query     string          `json:"query"`
			Operation string          `json:"operationName,omitempty"`
			Variables json.RawMessage `json:"variables,omitempty"`
		}{Query: w.text(b.Text), Operation: w.text(b.Operation)}
		if v := strings.TrimSpace(w.text(b.Variables)); v != "" {
			if !json.Valid([]byte(v)) {
				return nil, "", errors.New("the variables of the GraphQL query are no JSON")
			}
			g.Variables = json.RawMessage(v)
		}
		data, err := json.Marshal(g)
		return data, "application/json", err
	}
	return nil, "", fmt.Errorf("a body of the kind %q cannot be sent", b.Mode)
}

// pieces puts a body together.
func (w *writer) pieces(b *archive.Body) ([]byte, string, error) {
	var out bytes.Buffer
	for _, p := range b.Pieces {
		out.WriteString(w.text(p.Text))
		if p.File == "" {
			continue
		}
		data, err := w.file(w.text(p.File))
		if err != nil {
			return nil, "", err
		}
		if p.Joined {
			data = joined(data)
		}
		if p.Encoded {
			data = []byte(strings.ReplaceAll(url.QueryEscape(string(data)), "+", "%20"))
		}
		if out.Write(data); out.Len() > maxFile {
			return nil, "", fmt.Errorf("the body is larger than %d MiB", maxFile>>20)
		}
	}
	return out.Bytes(), b.MediaType, nil
}

// joined takes out line ends and zero bytes.
func joined(data []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r == '\r' || r == '\n' || r == 0 {
			return -1
		}
		return r
	}, data)
}

// formEscape is the serializer of the URL standard's forms.
func formEscape(s string) string { return url.QueryEscape(s) }

// jsonEscape puts a value into a JSON string.
func jsonEscape(_, value string) string {
	q, err := json.Marshal(value)
	if err != nil {
		return value
	}
	return string(q[1 : len(q)-1])
}

func (w *writer) multipart(b *archive.Body) ([]byte, string, error) {
	var out bytes.Buffer
	m := multipart.NewWriter(&out)
	for _, f := range b.Fields {
		if f.Disabled {
			continue
		}
		h := textproto.MIMEHeader{}
		disposition := `form-data; name="` + quoted(w.text(f.Name)) + `"`
		data := []byte(w.text(f.Value))
		mt := w.text(f.MediaType)
		if f.File != "" {
			name := w.text(f.File)
			var err error
			if data, err = w.file(name); err != nil {
				return nil, "", err
			}
			shown := w.text(f.FileName)
			if shown == "" && !f.Inline {
				shown = filepath.Base(name)
			}
			if shown != "" {
				disposition += `; filename="` + quoted(shown) + `"`
			}
			if mt == "" && !f.Inline {
				mt = "application/octet-stream"
			}
		} else if f.FileName != "" {
			disposition += `; filename="` + quoted(w.text(f.FileName)) + `"`
		}
		h.Set("Content-Disposition", disposition)
		if mt != "" {
			h.Set("Content-Type", mt)
		}
		part, err := m.CreatePart(h)
		if err != nil {
			return nil, "", err
		}
		if _, err := part.Write(data); err != nil {
			return nil, "", err
		}
	}
	if err := m.Close(); err != nil {
		return nil, "", err
	}
	return out.Bytes(), m.FormDataContentType(), nil
}

// quoted escapes as the HTML standard does for names in multipart forms.
func quoted(s string) string {
	return strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A").Replace(s)
}

// file reads a file that is sent. It must be in the collection's folder, or
// below, links followed: a collection that came from somewhere else could else
// send any file of whoever runs it.
func (w *writer) file(name string) ([]byte, error) {
	if name == "" {
		return nil, errors.New("the file that is sent has no name")
	}
	var f *os.File
	var err error
	if w.anyFile {
		if !filepath.IsAbs(name) {
			name = filepath.Join(w.dir, name)
		}
		f, err = os.OpenFile(name, atOnce, 0)
	} else {
		var root *os.Root
		if root, err = os.OpenRoot(w.dir); err == nil {
			defer root.Close()
			inside := name
			if filepath.IsAbs(name) {
				if dir, err2 := filepath.Abs(w.dir); err2 == nil {
					if rel, err2 := filepath.Rel(dir, name); err2 == nil {
						inside = rel
					}
				}
			}
			if !filepath.IsLocal(inside) {
				return nil, fmt.Errorf("the file %q is outside of the collection's folder: allow it with --allow-files", name)
			}
			f, err = root.OpenFile(inside, atOnce, 0)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the file %q cannot be read: %w", name, plain(err))
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is no file", name)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("it is larger than %d MiB", maxFile>>20)
	}
	if err != nil {
		return nil, fmt.Errorf("the file %q cannot be read: %w", name, plain(err))
	}
	return data, nil
}
