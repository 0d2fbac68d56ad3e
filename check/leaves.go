package check

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// A Leaf is a value in a JSON text that holds no others.
type Leaf struct {
	Pointer string // RFC 6901
	// Shape is the pointer with * for each array index.
	Shape string
	Name  string // of the member, or of the array that it stands in
	Value string // text without its quotes; numbers as they are written
	Kind  string // "string", "number", "boolean", "null"
}

// maxLeaves, maxDepth and maxPointer bound what is looked at of an answer: a
// long name above many values would stand in the pointer of each.
const (
	maxLeaves  = 20_000
	maxDepth   = 64
	maxPointer = 2 << 10
)

// Leaves lists the values of a JSON text in the order in which they stand. A
// text that is no JSON has none.
func Leaves(text []byte) []Leaf {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var out []Leaf
	if leaves(d, Leaf{}, 0, &out) != nil {
		return nil
	}
	return out
}

func leaves(d *json.Decoder, at Leaf, depth int, out *[]Leaf) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if len(*out) >= maxLeaves || depth > maxDepth {
		return errTooMuch
	}
	switch v := t.(type) {
	case json.Delim:
		for i := 0; d.More(); i++ {
			child := at
			if v == '{' {
				name, err := d.Token()
				if err != nil {
					return err
				}
				child.Name, _ = name.(string)
				step := "/" + pointerEscaper.Replace(child.Name)
				child.Pointer, child.Shape = at.Pointer+step, at.Shape+step
			} else {
				child.Pointer, child.Shape = at.Pointer+"/"+strconv.Itoa(i), at.Shape+"/*"
			}
			if len(child.Pointer) > maxPointer {
				return errTooMuch
			}
			if err := leaves(d, child, depth+1, out); err != nil {
				return err
			}
		}
		_, err = d.Token()
		return err
	case string:
		at.Value, at.Kind = v, "string"
	case json.Number:
		at.Value, at.Kind = v.String(), "number"
	case bool:
		at.Value, at.Kind = strconv.FormatBool(v), "boolean"
	default:
		at.Value, at.Kind = "null", "null"
	}
	*out = append(*out, at)
	return nil
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

type tooMuch struct{}

func (tooMuch) Error() string { return "check: more JSON than is looked at" }

var errTooMuch = tooMuch{}

// Members lists the values of an answer, its codings undone.
func Members(x *exchange.Exchange) []Leaf {
	if x == nil || x.Response == nil {
		return nil
	}
	return Leaves(decoded(x).Response.Body.Data)
}

// Text is an answer's content, its codings undone.
func Text(x *exchange.Exchange) []byte {
	if x == nil || x.Response == nil {
		return nil
	}
	return decoded(x).Response.Body.Data
}

// Contains reports whether an answer's content has a text, as JSON writes it or
// as it is.
func Contains(x *exchange.Exchange, mark string) bool {
	body := Text(x)
	if mark == "" || len(body) == 0 {
		return false
	}
	if bytes.Contains(body, []byte(mark)) {
		return true
	}
	q, _ := json.Marshal(mark)
	return bytes.Contains(body, q[1:len(q)-1])
}

// SetMember returns a JSON text in which the member at a pointer has another
// value, in JSON; it is added when it is not there. It returns nil when there is
// no such place.
func SetMember(text []byte, pointer string, value json.RawMessage) []byte {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var root any
	if d.Decode(&root) != nil {
		return nil
	}
	if !setAt(&root, pointer, value) {
		return nil
	}
	out, err := json.Marshal(root)
	if err != nil {
		return nil
	}
	return out
}

func setAt(at *any, pointer string, value json.RawMessage) bool {
	if pointer == "" {
		*at = value
		return true
	}
	name, rest, _ := strings.Cut(pointer[1:], "/")
	if rest != "" {
		rest = "/" + rest
	}
	name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
	switch v := (*at).(type) {
	case map[string]any:
		child, ok := v[name]
		if !ok && rest != "" {
			child = map[string]any{}
		}
		if !setAt(&child, rest, value) {
			return false
		}
		v[name] = child
		return true
	case []any:
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= len(v) {
			return false
		}
		return setAt(&v[i], rest, value)
	}
	return false
}

// Differences are the shapes at which two answers to the same question differ:
// what changes by itself, such as the time. Of answers that are no JSON it is
// "" when they differ.
func Differences(a, b *exchange.Exchange) map[string]bool {
	ta, tb := Text(a), Text(b)
	if bytes.Equal(ta, tb) {
		return nil
	}
	la, lb := Leaves(ta), Leaves(tb)
	if la == nil || lb == nil {
		return map[string]bool{"": true}
	}
	values := map[string]string{}
	for _, l := range la {
		values[l.Pointer] = l.Value
	}
	out := map[string]bool{}
	for _, l := range lb {
		if v, ok := values[l.Pointer]; !ok || v != l.Value {
			out[l.Shape] = true
		}
		delete(values, l.Pointer)
	}
	for _, l := range la {
		if _, left := values[l.Pointer]; left {
			out[l.Shape] = true
		}
	}
	return out
}

// Alike reports whether two answers say the same but for noise: shapes that
// change by themselves.
func Alike(a, b *exchange.Exchange, noise map[string]bool) bool {
	if StatusOf(a) != StatusOf(b) {
		return false
	}
	for shape := range Differences(a, b) {
		if !noise[shape] {
			return false
		}
	}
	return true
}
