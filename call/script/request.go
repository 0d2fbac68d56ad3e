package script

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dop251/goja"

	"github.com/parley-project/parley/archive"
)

// wireRequest is a request as it crosses between the library and the program,
// in the words of Postman's format.
type wireRequest struct {
	ID     string      `json:"id,omitempty"`
	Name   string      `json:"name,omitempty"`
	Method string      `json:"method"`
	URL    string      `json:"url"`
	Header []wireField `json:"header"`
	Body   *wireBody   `json:"body,omitempty"`
	Auth   *wireAuth   `json:"auth,omitempty"`
}

type wireField struct {
	Key      string `json:"key"`
	Value    any    `json:"value"`
	Disabled bool   `json:"disabled,omitempty"`
	// Of fields of forms.
	Type        string `json:"type,omitempty"`
	Src         any    `json:"src,omitempty"`
	FileName    string `json:"fileName,omitempty"`
	ContentType string `json:"contentType,omitempty"`
	Description any    `json:"description,omitempty"`
}

type wireBody struct {
	Mode       string      `json:"mode,omitempty"`
	Raw        *string     `json:"raw,omitempty"`
	URLEncoded []wireField `json:"urlencoded,omitempty"`
	FormData   []wireField `json:"formdata,omitempty"`
	GraphQL    *struct {
		Query     string `json:"query"`
		Variables any    `json:"variables,omitempty"`
	} `json:"graphql,omitempty"`
	File *struct {
		Src any `json:"src"`
	} `json:"file,omitempty"`
	Options any `json:"options,omitempty"`
}

type wireAuth struct {
	Scheme string
	Params map[string]string
}

// MarshalJSON writes {"type": "basic", "basic": [{"key": …, "value": …}]}.
func (a *wireAuth) MarshalJSON() ([]byte, error) {
	list := []wireField{}
	for k, v := range a.Params {
		list = append(list, wireField{Key: k, Value: v})
	}
	slices.SortFunc(list, func(a, b wireField) int { return strings.Compare(a.Key, b.Key) })
	return json.Marshal(map[string]any{"type": a.Scheme, a.Scheme: list})
}

// UnmarshalJSON reads that, and the older form with an object.
func (a *wireAuth) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	json.Unmarshal(raw["type"], &a.Scheme)
	var list []wireField
	var object map[string]any
	a.Params = map[string]string{}
	if json.Unmarshal(raw[a.Scheme], &list) == nil {
		for _, f := range list {
			a.Params[f.Key] = Text(f.Value)
		}
	} else if json.Unmarshal(raw[a.Scheme], &object) == nil {
		for k, v := range object {
			a.Params[k] = Text(v)
		}
	}
	return nil
}

// requestObject is the event's request as the library takes it: after the
// response with the URL that was asked.
func requestObject(vm *goja.Runtime, e *Event) goja.Value {
	w := wireOf(e.Request)
	w.ID, w.Name = e.ID, e.Item
	if e.Sent != nil {
		w.Method, w.URL = e.Sent.Method, e.Sent.URL()
		w.Header = nil
		for _, f := range e.Sent.Header {
			w.Header = append(w.Header, wireField{Key: f.Name, Value: f.Value})
		}
	}
	data, err := json.Marshal(w)
	if err != nil {
		return goja.Undefined()
	}
	parse, _ := goja.AssertFunction(vm.Get("JSON").ToObject(vm).Get("parse"))
	v, err := parse(goja.Undefined(), vm.ToValue(string(data)))
	if err != nil {
		return goja.Undefined()
	}
	return v
}

func wireOf(r *archive.Request) *wireRequest {
	w := &wireRequest{Header: []wireField{}}
	if r == nil {
		return w
	}
	w.Method, w.URL = r.Method, r.URL
	for _, f := range r.Header {
		w.Header = append(w.Header, wireField{Key: f.Name, Value: f.Value, Disabled: f.Disabled})
	}
	if r.Auth != nil {
		w.Auth = &wireAuth{r.Auth.Scheme, r.Auth.Params}
	}
	b := r.Body
	if b == nil {
		return w
	}
	w.Body = &wireBody{}
	switch b.Mode {
	case "urlencoded":
		w.Body.Mode = "urlencoded"
		w.Body.URLEncoded = formOf(b.Fields)
	case "form-data":
		w.Body.Mode = "formdata"
		w.Body.FormData = formOf(b.Fields)
	case "graphql":
		w.Body.Mode = "graphql"
		w.Body.GraphQL = &struct {
			Query     string `json:"query"`
			Variables any    `json:"variables,omitempty"`
		}{b.Text, b.Variables}
	case "file":
		w.Body.Mode = "file"
		w.Body.File = &struct {
			Src any `json:"src"`
		}{b.File}
	default:
		w.Body.Mode, w.Body.Raw = "raw", &b.Text
	}
	return w
}

func formOf(fields []archive.FormField) []wireField {
	out := []wireField{}
	for _, f := range fields {
		w := wireField{Key: f.Name, Value: f.Value, Disabled: f.Disabled, Type: "text", FileName: f.FileName, ContentType: f.MediaType}
		if f.File != "" {
			w.Type, w.Src = "file", f.File
		}
		out = append(out, w)
	}
	return out
}

func parseRequest(text string) (*archive.Request, error) {
	r := &archive.Request{}
	return r, readRequest(text, r)
}

// readRequest puts what a program made of a request into r. What the program
// has no words for stays as it is.
func readRequest(text string, r *archive.Request) error {
	var w wireRequest
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		return fmt.Errorf("script: a request that cannot be read: %w", err)
	}
	r.Method, r.URL = w.Method, w.URL
	r.Header = nil
	for _, f := range w.Header {
		if f.Key == "" {
			continue
		}
		r.Header = append(r.Header, archive.Field{Name: f.Key, Value: valueText(f.Value), Disabled: f.Disabled})
	}
	if w.Auth != nil && w.Auth.Scheme != "" {
		if r.Auth == nil || r.Auth.Scheme != w.Auth.Scheme || len(w.Auth.Params) > 0 {
			r.Auth = &archive.Auth{Scheme: schemeOf(w.Auth.Scheme), Params: w.Auth.Params}
		}
	}
	if w.Body == nil {
		r.Body = nil
		return nil
	}
	b := &archive.Body{}
	if r.Body != nil {
		b.MediaType = r.Body.MediaType
	}
	switch w.Body.Mode {
	case "urlencoded":
		b.Mode = "urlencoded"
		b.Fields = fieldsOf(w.Body.URLEncoded)
	case "formdata":
		b.Mode = "form-data"
		b.Fields = fieldsOf(w.Body.FormData)
	case "graphql":
		b.Mode = "graphql"
		if g := w.Body.GraphQL; g != nil {
			b.Text, b.Variables = g.Query, valueText(g.Variables)
		}
	case "file":
		b.Mode = "file"
		if w.Body.File == nil {
			return errors.New("script: a body without its file")
		}
		b.File = valueText(w.Body.File.Src)
	default:
		b.Mode = "raw"
		if w.Body.Raw != nil {
			b.Text = *w.Body.Raw
		}
	}
	r.Body = b
	return nil
}

// schemeOf translates Postman's words for schemes.
func schemeOf(s string) string {
	switch s {
	case "noauth":
		return "none"
	case "awsv4":
		return "aws-sigv4"
	}
	return s
}

func valueText(v any) string {
	if v == nil {
		return ""
	}
	return Text(v)
}

func fieldsOf(list []wireField) []archive.FormField {
	var out []archive.FormField
	for _, f := range list {
		x := archive.FormField{Field: archive.Field{Name: f.Key, Value: valueText(f.Value), Disabled: f.Disabled}, FileName: f.FileName, MediaType: f.ContentType}
		if f.Type == "file" {
			x.File = valueText(f.Src)
		}
		out = append(out, x)
	}
	return out
}
