package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/exchange"
)

// A composed is what the page Compose sends: a collection as it stands there,
// saved or not.
type composed struct {
	// File and Version are those that it was opened from; empty for a new one.
	File    string `json:"file"`
	Version string `json:"version"`
	// As is the name of the file to save it to, in a person's words.
	As         string         `json:"as"`
	Collection collectionForm `json:"collection"`
	// Item is the place of one request in Collection, such as "0.2".
	Item string `json:"item"`
}

// An opened is a collection as the page gets it.
type opened struct {
	File       string          `json:"file"`
	Version    string          `json:"version"`
	Collection *collectionForm `json:"collection"`
	Warnings   []string        `json:"warnings,omitempty"`
	Secrets    int             `json:"secrets,omitempty"` // how many placeholders stand in it
}

// collections lists the files, and what the form offers.
func (c *Console) collections(w http.ResponseWriter, r *http.Request) {
	names, err := c.files()
	if err != nil {
		c.fileProblem(w, err)
		return
	}
	type fact struct {
		Name string `json:"name"`
		Doc  string `json:"doc"`
	}
	v := struct {
		Folder string   `json:"folder,omitempty"`
		Files  []string `json:"files"`
		Facts  []fact   `json:"facts"`
	}{Folder: c.o.Collections, Files: names}
	for _, f := range archive.Facts {
		v.Facts = append(v.Facts, fact{f.Name, f.Doc})
	}
	writeJSON(w, v)
}

// collection opens a file.
func (c *Console) collection(w http.ResponseWriter, r *http.Request) {
	v, err := c.open(r.PathValue("file"))
	if err != nil {
		c.fileProblem(w, err)
		return
	}
	writeJSON(w, v)
}

func (c *Console) open(file string) (*opened, error) {
	data, err := c.readCollection(file)
	if err != nil {
		return nil, err
	}
	plain, err := c.parse(file, data)
	if err != nil {
		return nil, err
	}
	masked, form, known, err := c.hidden(plain, func() (*archive.Collection, error) { return c.parse(file, data) })
	if err != nil {
		return nil, err
	}
	return &opened{file, versionOf(data), form, masked.Warnings, len(known)}, nil
}

// parse reads a collection in Parley's own format.
func (c *Console) parse(file string, data []byte) (*archive.Collection, error) {
	k, err := archive.Parley.Read(filepath.Join(c.o.Collections, file), data)
	if err != nil {
		return nil, archive.HideError(err)
	}
	return k, nil
}

// built is the collection that the page sent, laid over the file that it was
// opened from, with its secrets, which are known, in place; and how many
// placeholders are left.
func (c *Console) built(q *composed) (k *archive.Collection, data []byte, known secrets, left int, err error) {
	var was *archive.Collection
	if q.File != "" {
		old, err := c.readCollection(q.File)
		if err != nil {
			return nil, nil, nil, 0, err
		}
		if versionOf(old) != q.Version {
			return nil, nil, nil, 0, errChanged
		}
		if was, err = c.parse(q.File, old); err != nil {
			return nil, nil, nil, 0, err
		}
		if _, _, known, err = c.hidden(was, func() (*archive.Collection, error) { return c.parse(q.File, old) }); err != nil {
			return nil, nil, nil, 0, err
		}
	}
	left = known.restore(&q.Collection)
	laid, why := q.Collection.over(was)
	if why != "" {
		return nil, nil, nil, 0, &archive.Error{Text: why}
	}
	if data, err = written(laid); err != nil {
		return nil, nil, nil, 0, err
	}
	// Read back, it is what parley call reads: what is wrong in it is told now.
	file := q.File
	if file == "" {
		file = "new.yaml"
	}
	if k, err = c.parse(file, data); err != nil {
		err = c.placed(laid.Items, err)
	}
	return k, data, known, left, err
}

// placed says in which request a mistake is: its line is of a file that the
// person has not seen.
func (c *Console) placed(items []*archive.Item, err error) error {
	var e *archive.Error
	if !errors.As(err, &e) {
		return err
	}
	var walk func([]*archive.Item) error
	walk = func(items []*archive.Item) error {
		for _, it := range items {
			one := *it
			one.Items = nil
			data, err := written(&archive.Collection{Items: []*archive.Item{&one}})
			if err == nil {
				_, err = c.parse("new.yaml", data)
			}
			var in *archive.Error
			if errors.As(err, &in) {
				return &archive.Error{Text: it.Name + ": " + in.Text, Hint: in.Hint}
			}
			if err := walk(it.Items); err != nil {
				return err
			}
		}
		return nil
	}
	if found := walk(items); found != nil {
		return found
	}
	return &archive.Error{Text: e.Text, Hint: e.Hint}
}

func written(k *archive.Collection) ([]byte, error) {
	var b bytes.Buffer
	if err := archive.Parley.Write(&b, k); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// save writes the collection to its file, or to a new one.
func (c *Console) save(w http.ResponseWriter, r *http.Request) {
	var q composed
	if !readJSON(w, r, &q) {
		return
	}
	if c.o.Client == nil {
		problem(w, http.StatusForbidden, "this console only shows; start it with parley up, or parley console --call, to keep collections")
		return
	}
	_, data, _, _, err := c.built(&q)
	file, version := q.File, q.Version
	if err == nil {
		if file == "" || q.As != "" {
			file, version = fileName(q.As), ""
		}
		err = c.writeCollection(file, version, data)
	}
	if err != nil {
		c.fileProblem(w, err)
		return
	}
	c.answerFile(w, file, q.Collection.notKept())
}

// answerFile answers with a file as it is now.
func (c *Console) answerFile(w http.ResponseWriter, file string, warnings []string) {
	v, err := c.open(file)
	if err != nil {
		c.fileProblem(w, err)
		return
	}
	v.Warnings = append(warnings, v.Warnings...)
	writeJSON(w, v)
}

// importFile reads what another program wrote, and keeps it as a collection.
func (c *Console) importFile(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Name string `json:"name"`
		Text string `json:"text"`
	}
	if !readJSON(w, r, &q) {
		return
	}
	if c.o.Client == nil {
		problem(w, http.StatusForbidden, "this console only shows; start it with parley up, or parley console --call, to keep collections")
		return
	}
	name := filepath.Base(strings.ReplaceAll(q.Name, `\`, "/"))
	text := strings.TrimLeft(q.Text, "\ufeff \t\r\n")
	if text == "" {
		problem(w, http.StatusBadRequest, "there is nothing in it: paste a collection, or a curl command")
		return
	}
	k, err := archive.Read(name, []byte(text))
	if err != nil {
		c.fileProblem(w, archive.HideError(err))
		return
	}
	title := k.Name
	if title == "" {
		title = strings.TrimSuffix(name, filepath.Ext(name))
	}
	if k.Name = title; k.Name == "" || k.Name == "." || k.Name == "pasted" {
		k.Name = "Imported"
	}
	k.Include = nil // they were beside the file, not here
	data, err := written(k)
	if err == nil {
		_, err = c.parse("new.yaml", data)
	}
	file := fileName(k.Name)
	for i := 2; err == nil; i++ {
		if err = c.writeCollection(file, "", data); err != errExists {
			break
		}
		err, file = nil, fileName(k.Name+" "+strconv.Itoa(i))
		if i > 200 {
			err = errExists
		}
	}
	if err != nil {
		c.fileProblem(w, err)
		return
	}
	c.answerFile(w, file, k.Warnings)
}

// fromExchange is an exchange as a new request. Its secrets are placeholders:
// the store never had them.
func (c *Console) fromExchange(w http.ResponseWriter, r *http.Request) {
	id := exchange.ID(r.PathValue("id"))
	if len(id) != 26 {
		problem(w, http.StatusNotFound, "no such exchange: an ID has 26 characters")
		return
	}
	var x *exchange.Exchange
	if !c.query(w, r, func(ctx context.Context) (err error) { x, err = c.source.Get(ctx, id); return err }) {
		return
	}
	k := archive.FromExchanges("", []*exchange.Exchange{x})
	f := formOfItem(k.Items[0])
	var kept []fieldForm
	for _, h := range f.Header {
		switch strings.ToLower(h.Name) {
		case "host", "content-length", "connection", "transfer-encoding", "accept-encoding": // the client's own business
		default:
			kept = append(kept, h)
		}
	}
	f.Header = kept
	writeJSON(w, struct {
		Item *itemForm `json:"item"`
	}{f})
}

// curl is one request as a command. Placeholders stay: a command is pasted
// where others see it.
func (c *Console) curl(w http.ResponseWriter, r *http.Request) {
	var q composed
	if !readJSON(w, r, &q) {
		return
	}
	var was *archive.Collection
	if q.File != "" {
		if data, err := c.readCollection(q.File); err == nil {
			if was, err = c.parse(q.File, data); err == nil {
				archive.Hide(was, c.masker())
			}
		}
	}
	k, why := q.Collection.over(was)
	if why != "" {
		problem(w, http.StatusBadRequest, why)
		return
	}
	one, it := only(k, q.Item)
	if it == nil {
		problem(w, http.StatusBadRequest, "choose a request first")
		return
	}
	if it.Request.Auth == nil {
		it.Request.Auth = inherited(one)
	}
	var b bytes.Buffer
	if err := archive.FormatNamed("curl").Write(&b, &archive.Collection{Name: it.Name, Items: []*archive.Item{it}}); err != nil {
		c.fileProblem(w, err)
		return
	}
	writeJSON(w, struct {
		Curl string `json:"curl"`
	}{b.String()})
}

// only is a collection with nothing in it but one request, and its folders.
func only(k *archive.Collection, at string) (*archive.Collection, *archive.Item) {
	one := *k
	items := k.Items
	to := &one.Items
	for part := range strings.SplitSeq(at, ".") {
		i, err := strconv.Atoi(part)
		if err != nil || i < 0 || i >= len(items) {
			return nil, nil
		}
		it := *items[i]
		items = it.Items
		it.Items = nil
		*to = []*archive.Item{&it}
		to = &it.Items
		if it.Request != nil {
			return &one, &it
		}
	}
	return nil, nil
}

// inherited is the credential of the innermost scope that has one.
func inherited(k *archive.Collection) *archive.Auth {
	auth := k.Auth
	for items := k.Items; len(items) > 0; items = items[0].Items {
		if items[0].Auth != nil {
			auth = items[0].Auth
		}
	}
	return auth
}

// fileProblem says what is wrong with a file, without the way to it.
func (c *Console) fileProblem(w http.ResponseWriter, err error) {
	status, title := http.StatusInternalServerError, "the file could not be used"
	var ae *archive.Error
	text := err.Error()
	switch {
	case errors.As(err, &ae):
		status, title, text = http.StatusBadRequest, "this cannot be read", ae.Text
		if ae.Line > 0 {
			text = fmt.Sprintf("line %d: %s", ae.Line, text)
		}
		if ae.Hint != "" {
			text += "; " + ae.Hint
		}
	case errors.Is(err, fs.ErrNotExist):
		status, text = http.StatusNotFound, "there is no such collection: it may have been renamed"
	case err == errChanged || err == errExists:
		status = http.StatusConflict
	case err == errFileName || err == errTooLarge || err == errNoFolder:
		status = http.StatusBadRequest
	default:
		if c.o.Collections != "" {
			text = strings.ReplaceAll(text, c.o.Collections+string(filepath.Separator), "")
		}
	}
	writeProblem(w, Problem{Status: status, Title: title, Detail: text})
}
