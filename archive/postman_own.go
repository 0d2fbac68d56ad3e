package archive

import (
	"encoding/json"
	"reflect"
)

// An own is what Postman has no word for. It stands in a member _parley, which
// it leaves alone.
type own struct {
	As       string           `json:"as,omitempty"`
	Expect   []Expectation    `json:"expect,omitempty"`
	Capture  []Capture        `json:"capture,omitempty"`
	Needs    []string         `json:"needs,omitempty"`
	Rows     []map[string]any `json:"rows,omitempty"`
	RowsFile string           `json:"rows_file,omitempty"`
	// Body and Options are there when Postman's words for them do not say all.
	Body    *httpOptional[Body] `json:"body,omitempty"`
	Options *Options            `json:"options,omitempty"`
}

// postmanOwn puts into t what it does not say of an item.
func postmanOwn(t *tree, it *Item, src *postmanSource) *tree {
	var above behaviour
	if src != nil {
		above = src.above
	}
	before := t.get("_parley")
	t = t.with("_parley", nil)
	got, _ := (&postmanReader{}).alone(t, above)
	o := own{As: it.As, Expect: it.Expect, Capture: it.Capture, Needs: it.Needs, Rows: it.Rows, RowsFile: it.RowsFile}
	if r := it.Request; r != nil && got.Request != nil {
		if !reflect.DeepEqual(r.Body, got.Request.Body) {
			o.Body = &httpOptional[Body]{r.Body}
		}
		if !reflect.DeepEqual(r.Options, got.Request.Options) {
			o.Options = &r.Options
		}
	}
	now := treeOf(o).lean()
	if now == nil { // a value that JSON cannot hold
		now = object()
	}
	var was own
	switch {
	case before.is('{') && json.Unmarshal([]byte(before.compact()), &was) == nil && treeOf(was).lean().compact() == now.compact():
		return t.with("_parley", before) // it says the same, perhaps in other words
	case len(now.members) == 0:
		return t
	}
	return t.with("_parley", now)
}

func (t *tree) own() *own {
	var o own
	if !t.is('{') || json.Unmarshal([]byte(t.compact()), &o) != nil {
		return nil
	}
	return &o
}

// fill puts into an item what Postman has no word for.
func (o *own) fill(it *Item) {
	it.As, it.Expect, it.Capture, it.Needs, it.Rows, it.RowsFile = o.As, o.Expect, o.Capture, o.Needs, o.Rows, o.RowsFile
	if it.Request == nil {
		return
	}
	if o.Body != nil {
		it.Request.Body = o.Body.Value
	}
	set(&it.Request.Options, o.Options)
}

// lean leaves out of our own values what is empty anyway: the members that are
// named as in Go. What an expectation wants, and rows, are somebody's data.
func (t *tree) lean() *tree {
	if t == nil {
		return nil
	}
	out := *t
	out.members, out.items = nil, nil
	for _, m := range t.members {
		ours := m.name != "" && m.name[0] >= 'A' && m.name[0] <= 'Z'
		empty := m.value.is('n') || m.value.isFalse() || m.value.raw == "0" || m.value.raw == `""` || m.value.is('[') && len(m.value.items) == 0
		switch {
		case m.name == "Want" || m.name == "rows" || m.name == "Params" && m.value.is('{'):
			out.members = append(out.members, m)
		case !ours || !empty:
			out.members = append(out.members, member{m.name, m.value.lean()})
		}
	}
	for _, i := range t.items {
		out.items = append(out.items, i.lean())
	}
	return &out
}
