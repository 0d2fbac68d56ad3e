package archive

import (
	"reflect"
	"slices"
)

// An httpOwn is what stands after "# @parley": of a request, or of a folder,
// what the rest of its block does not say. A nil member says nothing, an empty
// one that there is none.
type httpOwn struct {
	Collection *httpHead `json:"collection,omitempty"`
	// Folder says that the block is a folder: those after it that are deeper
	// stand in it.
	Folder bool `json:"folder,omitempty"`
	Depth  int  `json:"depth,omitempty"`

	ID        string              `json:"id,omitempty"`
	Name      *string             `json:"name,omitempty"`
	Doc       *string             `json:"doc,omitempty"`
	Auth      *Auth               `json:"auth,omitempty"`
	Variables []Variable          `json:"variables,omitempty"`
	Scripts   *[]Script           `json:"scripts,omitempty"`
	Expect    *[]Expectation      `json:"expect,omitempty"`
	Capture   *[]Capture          `json:"capture,omitempty"`
	As        string              `json:"as,omitempty"`
	Needs     []string            `json:"needs,omitempty"`
	Rows      []map[string]any    `json:"rows,omitempty"`
	RowsFile  string              `json:"rows_file,omitempty"`
	Method    *string             `json:"method,omitempty"`
	URL       *string             `json:"url,omitempty"`
	Params    []Field             `json:"params,omitempty"`
	Disabled  []Field             `json:"disabled,omitempty"`
	Header    *[]Field            `json:"header,omitempty"`
	Body      *httpOptional[Body] `json:"body,omitempty"`
	Own       *httpOptional[Auth] `json:"own_auth,omitempty"`
	Options   *Options            `json:"options,omitempty"`
}

// An httpOptional tells something that is to be nothing from nothing said.
type httpOptional[T any] struct {
	Value *T `json:"value"`
}

// An httpHead is what the format has no word for in a whole collection.
type httpHead struct {
	Name      string     `json:"name,omitempty"`
	Doc       string     `json:"doc,omitempty"`
	Variables []Variable `json:"variables,omitempty"`
	Auth      *Auth      `json:"auth,omitempty"`
	Scripts   []Script   `json:"scripts,omitempty"`
}

func (h *httpHead) into(s *Scope) {
	s.Variables, s.Auth, s.Scripts = h.Variables, h.Auth, h.Scripts
}

// fill puts into an item what the directive says of it.
func (o *httpOwn) fill(it *Item) {
	set(&it.Name, o.Name)
	set(&it.Doc, o.Doc)
	setList(&it.Scripts, o.Scripts)
	setList(&it.Expect, o.Expect)
	setList(&it.Capture, o.Capture)
	it.ID, it.Auth, it.Variables = o.ID, o.Auth, o.Variables
	it.As, it.Needs, it.Rows, it.RowsFile = o.As, o.Needs, o.Rows, o.RowsFile
	r := it.Request
	if r == nil {
		return
	}
	set(&r.Method, o.Method)
	set(&r.URL, o.URL)
	setList(&r.Header, o.Header)
	set(&r.Options, o.Options)
	r.Params, r.Disabled = o.Params, o.Disabled
	if o.Body != nil {
		r.Body = o.Body.Value
	}
	if o.Own != nil {
		r.Auth = o.Own.Value
	}
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func setList[T any](to *[]T, from *[]T) {
	if from != nil {
		*to = nil
		*to = append(*to, *from...)
	}
}

// listed returns a list that JSON tells from nothing.
func listed[T any](list []T) *[]T {
	l := append([]T{}, list...)
	return &l
}

// lacking returns what must be said of it besides what reads as got.
func lacking(it, got *Item, depth int) *httpOwn {
	o := &httpOwn{Folder: it.Request == nil, Depth: depth, ID: it.ID, Auth: it.Auth, Variables: it.Variables,
		As: it.As, Needs: it.Needs, Rows: it.Rows, RowsFile: it.RowsFile}
	o.Name, o.Doc = unlike(it.Name, got.Name), unlike(it.Doc, got.Doc)
	if !sameScripts(it.Scripts, got.Scripts) {
		o.Scripts = listed(it.Scripts)
	}
	if !slices.EqualFunc(it.Expect, got.Expect, func(a, b Expectation) bool {
		a.Line, b.Line = 0, 0
		return reflect.DeepEqual(a, b)
	}) {
		o.Expect = listed(it.Expect)
	}
	if !slices.EqualFunc(it.Capture, got.Capture, func(a, b Capture) bool { a.Line, b.Line = 0, 0; return a == b }) {
		o.Capture = listed(it.Capture)
	}
	r, g := it.Request, got.Request
	if r == nil {
		return o
	}
	if g == nil {
		g = &Request{}
	}
	o.Method, o.URL = unlike(r.Method, g.Method), unlike(r.URL, g.URL)
	o.Params, o.Disabled = r.Params, r.Disabled
	if !slices.Equal(r.Header, g.Header) {
		o.Header = listed(r.Header)
	}
	if !reflect.DeepEqual(r.Options, g.Options) {
		o.Options = &r.Options
	}
	if !reflect.DeepEqual(r.Body, g.Body) {
		o.Body = &httpOptional[Body]{r.Body}
	}
	if !reflect.DeepEqual(r.Auth, g.Auth) {
		o.Own = &httpOptional[Auth]{r.Auth}
	}
	return o
}

func unlike(a, b string) *string {
	if a == b {
		return nil
	}
	return &a
}

// said is the directive, or "" when there is nothing to say.
func (o *httpOwn) said() string {
	if reflect.DeepEqual(*o, httpOwn{}) {
		return ""
	}
	t := treeOf(o).lean()
	if t == nil {
		return ""
	}
	return "# @parley " + t.compact()
}
