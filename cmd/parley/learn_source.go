package main

import (
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/filter"
	"github.com/parley-project/parley/learn"
)

// learnSource learns from a recording or collection, and returns how many
// requests it holds.
func learnSource(stdin io.Reader, stderr io.Writer, l *learn.Learner, e *filter.Expr, in, from string) (int, error) {
	if from == openAPI {
		return 0, &usageError{"an OpenAPI description is not learnt from", "give it with --api"}
	}
	c, err := readCollection(stdin, in, convertOptions{from: from, raw: true})
	if err != nil {
		return 0, archiveError(err)
	}
	if c.Format == openAPI {
		return 0, &usageError{in + ": an OpenAPI description is not learnt from", "give it with --api " + in}
	}
	tellWarnings(stderr, c.Warnings)
	return learnItems(l, e, c.Items, newWritten(nil, c.Scope)), nil
}

// archiveError hides what an error quotes of its input, which may be a secret.
func archiveError(err error) error {
	if h, ok := err.(*hintError); ok {
		return &hintError{archive.HideError(h.err), h.hint, h.code}
	}
	return err
}

// learnItems shows a Learner what was recorded, and requests that were only
// written down as ones that nobody answered.
func learnItems(l *learn.Learner, e *filter.Expr, items []*archive.Item, above *asWritten) (n int) {
	for _, it := range items {
		w := newWritten(above, it.Scope)
		xs := it.Recorded
		if it.Request != nil && len(xs) == 0 {
			xs = append(xs, w.exchange(it.Request))
		}
		for _, x := range xs {
			if e.Match(x) {
				l.Add(x)
				n++
			}
		}
		n += learnItems(l, e, it.Items, w)
	}
	return n
}

// asWritten is what holds for a request where it stands in a collection.
type asWritten struct {
	values map[string]string
	auth   *archive.Auth
}

func newWritten(above *asWritten, s archive.Scope) *asWritten {
	w := &asWritten{values: map[string]string{}, auth: s.Auth}
	if above != nil {
		for k, v := range above.values {
			w.values[k] = v
		}
		if w.auth == nil {
			w.auth = above.auth
		}
	}
	for _, v := range s.Variables {
		if !v.Disabled && !v.Secret {
			w.values[v.Name] = v.Value
		}
	}
	return w
}

var (
	variable = regexp.MustCompile(`\{\{\s*([^{}]+?)\s*\}\}`)
	// bareVariable stands for a whole JSON value, outside of quotes.
	bareVariable = regexp.MustCompile(`([:,\[]\s*)\{\{[^{}]+\}\}(\s*[,\]}])`)
	origin       = regexp.MustCompile(`^(?:[A-Za-z][A-Za-z0-9+.-]*://|\{\{[^{}]+\}\})[^/?#]*`)
)

// fill puts the values of variables in their places; those that have none stay.
func (w *asWritten) fill(text string) string {
	for range 5 { // values may name others
		next := variable.ReplaceAllStringFunc(text, func(v string) string {
			if value, ok := w.values[variable.FindStringSubmatch(v)[1]]; ok && value != "" {
				return value
			}
			return v
		})
		if next == text || len(next) > 1<<20 {
			break
		}
		text = next
	}
	return text
}

// exchange is the request as it would be sent, without an answer.
func (w *asWritten) exchange(r *archive.Request) *exchange.Exchange {
	x := &exchange.Exchange{Source: exchange.FromImport, Request: exchange.Request{Method: r.Method, Scheme: "https"}}
	// Of a path's variables the names say more than the values somebody gave.
	whole := w.fill(r.URL)
	at := origin.FindString(whole)
	target := whole[len(at):]
	if scheme, host, ok := strings.Cut(at, "://"); ok {
		x.Request.Scheme, x.Request.Authority = scheme, host
		if u, err := url.Parse(at); err == nil {
			x.Request.Authority = u.Host
		}
	}
	if target, _, _ = strings.Cut(target, "#"); !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	x.Request.Target = target
	for _, h := range r.Header {
		x.Request.Header = append(x.Request.Header, exchange.Field{Name: h.Name, Value: w.fill(h.Value)})
	}
	w.present(x, r.Auth)
	if b := r.Body; b != nil {
		w.body(x, b)
	}
	return x
}

// present notes that a credential would be sent, whatever it is.
func (w *asWritten) present(x *exchange.Exchange, own *archive.Auth) {
	a := own
	if a == nil {
		a = w.auth
	}
	if a == nil {
		return
	}
	field := func(name, value string) {
		if !x.Request.Header.Has(name) {
			x.Request.Header = append(x.Request.Header, exchange.Field{Name: name, Value: value})
		}
	}
	switch a.Scheme {
	case "bearer", "oauth2":
		field("Authorization", "Bearer {{token}}")
	case "basic":
		field("Authorization", "Basic {{credentials}}")
	case "apikey":
		if in := a.Params["in"]; in == "" || in == "header" {
			if name := w.fill(a.Params["key"]); name != "" {
				field(name, "{{key}}")
			}
		}
	}
}

func (w *asWritten) body(x *exchange.Exchange, b *archive.Body) {
	mt := b.MediaType
	text := ""
	switch b.Mode {
	case "raw":
		text = bareVariable.ReplaceAllString(bareVariable.ReplaceAllString(w.fill(b.Text), "${1}null${2}"), "${1}null${2}")
	case "urlencoded":
		mt = "application/x-www-form-urlencoded"
		v := url.Values{}
		for _, f := range b.Fields {
			if !f.Disabled {
				v.Add(f.Name, w.fill(f.Value))
			}
		}
		text = v.Encode()
	default:
		return
	}
	if text == "" {
		return
	}
	if mt != "" && !x.Request.Header.Has("Content-Type") {
		x.Request.Header = append(x.Request.Header, exchange.Field{Name: "Content-Type", Value: mt})
	}
	x.Request.Body = exchange.Body{Size: int64(len(text)), Data: []byte(text)}
}

// convertToOpenAPI writes a description of what is read, with its values as
// examples but for secrets. Nothing of it is masked: none is kept.
func convertToOpenAPI(stdin io.Reader, stdout, stderr io.Writer, args []string, o convertOptions) error {
	if o.out != "-" {
		if err := notInput(o.out, args); err != nil {
			return err
		}
	}
	l := learn.New(learn.Options{Examples: true})
	for _, in := range args {
		n, err := learnSource(stdin, stderr, l, nil, in, o.from)
		if err != nil {
			return err
		}
		if n == 0 {
			return &usageError{in + ": holds no requests", "give a recording or a collection"}
		}
	}
	text, err := l.OpenAPI()
	if err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	if o.out == "-" {
		_, err = stdout.Write(text)
	} else {
		err = writeSecret(o.out, text)
	}
	if err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	return nil
}
