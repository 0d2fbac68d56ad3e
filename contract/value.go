package contract

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"

	"encoding/json"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Values of JSON as CEL sees them. What comes in here has passed the scanner,
// so the text is known to be well-formed; only what a rule asks for is decoded.

var errAbsent = errors.New("contract: no such value")

// decodeValue makes a value of JSON text. It returns nil for what is not there
// and for what is not of the declared shape: both are absent to a rule.
func decodeValue(raw []byte, s *shape) ref.Val {
	if len(raw) == 0 {
		return nil
	}
	if raw[0] == 'n' {
		if s.nullable || s.kind == anyShape {
			return types.NullValue
		}
		return nil
	}
	switch s.kind {
	case stringShape:
		if raw[0] == '"' {
			return types.String(unquote(raw))
		}
	case intShape:
		if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			return types.Int(n)
		}
		return wholeNumber(raw)
	case doubleShape:
		if raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9' {
			if f, err := strconv.ParseFloat(string(raw), 64); err == nil {
				return types.Double(f)
			}
		}
	case boolShape:
		switch raw[0] {
		case 't':
			return types.True
		case 'f':
			return types.False
		}
	case listShape:
		if raw[0] == '[' {
			return decodeList(raw, s.elem)
		}
	case mapShape:
		if raw[0] == '{' {
			return decodeMap(raw, s.elem)
		}
	case objectShape:
		if raw[0] == '{' {
			return &jsonObject{raw, s}
		}
	default:
		return decodeAny(raw)
	}
	return nil
}

// wholeNumber reads 5.0 and 5e0, which JSON Schema counts as integers.
func wholeNumber(raw []byte) ref.Val {
	if f, err := strconv.ParseFloat(string(raw), 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return types.Int(int64(f))
	}
	return nil
}

func decodeAny(raw []byte) ref.Val {
	switch raw[0] {
	case '"':
		return types.String(unquote(raw))
	case 't':
		return types.True
	case 'f':
		return types.False
	case '[':
		return decodeList(raw, &shape{})
	case '{':
		return decodeMap(raw, &shape{})
	}
	if !bytes.ContainsAny(raw, ".eE") {
		if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			return types.Int(n)
		}
		return nil // larger than any number a rule can compare exactly
	}
	if f, err := strconv.ParseFloat(string(raw), 64); err == nil {
		return types.Double(f)
	}
	return nil
}

func decodeList(raw []byte, elem *shape) ref.Val {
	var out []ref.Val
	for i := nextValue(raw, 1); i < len(raw) && raw[i] != ']'; {
		end := skipValue(raw, i)
		v := decodeValue(raw[i:end], elem)
		if v == nil {
			return nil // an item that is not as declared spoils the list
		}
		out = append(out, v)
		i = nextValue(raw, end)
	}
	return types.NewRefValList(types.DefaultTypeAdapter, out)
}

func decodeMap(raw []byte, elem *shape) ref.Val {
	out := map[ref.Val]ref.Val{}
	sound := true
	eachMember(raw, func(name, value []byte) bool {
		v := decodeValue(value, elem)
		out[types.String(unquote(name))], sound = v, v != nil
		return sound
	})
	if !sound {
		return nil
	}
	return types.NewRefValMap(types.DefaultTypeAdapter, out)
}

// A jsonObject is an object of a declared type, whose members are looked up in
// its text.
type jsonObject struct {
	raw   []byte
	shape *shape
}

func (o *jsonObject) member(name string) []byte {
	var found []byte
	eachMember(o.raw, func(n, value []byte) bool {
		inner := n[1 : len(n)-1]
		if string(inner) == name || bytes.IndexByte(inner, '\\') >= 0 && unquote(n) == name {
			found = value
			return false
		}
		return true
	})
	return found
}

func (o *jsonObject) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("contract: an object cannot become a %v", t)
}
func (o *jsonObject) ConvertToType(t ref.Type) ref.Val {
	return types.NewErr("contract: an object cannot become a %s", t.TypeName())
}
func (o *jsonObject) Equal(other ref.Val) ref.Val {
	p, ok := other.(*jsonObject)
	if !ok {
		return types.False
	}
	return decodeAny(o.raw).Equal(decodeAny(p.raw))
}
func (o *jsonObject) Type() ref.Type { return o.shape.celType() }
func (o *jsonObject) Value() any     { return o }

// eachMember visits the members of an object until visit returns false.
func eachMember(raw []byte, visit func(name, value []byte) bool) {
	for i := nextValue(raw, 1); i < len(raw) && raw[i] == '"'; {
		nameEnd := skipValue(raw, i)
		v := nextValue(raw, nameEnd)
		end := skipValue(raw, v)
		if end <= v || !visit(raw[i:nameEnd], raw[v:end]) {
			return
		}
		i = nextValue(raw, end)
	}
}

// nextValue steps over white space, commas and colons.
func nextValue(raw []byte, i int) int {
	for i < len(raw) {
		switch raw[i] {
		case ' ', '\t', '\n', '\r', ',', ':':
			i++
		default:
			return i
		}
	}
	return i
}

// skipValue returns the end of the value that begins at i.
func skipValue(raw []byte, i int) int {
	if i >= len(raw) {
		return i
	}
	switch raw[i] {
	case '"':
		for i++; i < len(raw); i++ {
			switch raw[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			}
		}
		return len(raw)
	case '{', '[':
		depth := 0
		for i < len(raw) {
			switch raw[i] {
			case '"':
				i = skipValue(raw, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return len(raw)
	}
	for i < len(raw) {
		switch raw[i] {
		case ',', '}', ']', ' ', '\t', '\n', '\r':
			return i
		}
		i++
	}
	return i
}

// unquote reads a JSON string.
func unquote(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// claim makes a value of what a token says.
func claim(v any) ref.Val {
	switch v := v.(type) {
	case json.Number:
		return decodeAny([]byte(v))
	case float64:
		// A whole number beyond 2^53 has lost digits: two subjects could be
		// taken for one.
		if v == math.Trunc(v) {
			if math.Abs(v) >= 1<<53 {
				return nil
			}
			return types.Int(int64(v))
		}
		return types.Double(v)
	case []any:
		out := make([]ref.Val, 0, len(v))
		for _, e := range v {
			c := claim(e)
			if c == nil {
				return nil
			}
			out = append(out, c)
		}
		return types.NewRefValList(types.DefaultTypeAdapter, out)
	case map[string]any:
		out := make(map[ref.Val]ref.Val, len(v))
		for k, e := range v {
			if c := claim(e); c != nil {
				out[types.String(k)] = c
			}
		}
		return types.NewRefValMap(types.DefaultTypeAdapter, out)
	case nil:
		return nil
	}
	if c := types.DefaultTypeAdapter.NativeToValue(v); !types.IsError(c) {
		return c
	}
	return nil
}

// parseText makes a value of a parameter's text. What does not parse is absent.
func parseText(t string, s *shape) ref.Val {
	switch s.kind {
	case intShape:
		if isInteger(t) { // 0101 may be 65 to whoever reads it next
			if n, err := strconv.ParseInt(t, 10, 64); err == nil {
				return types.Int(n)
			}
		}
		return nil
	case doubleShape:
		if isNumber(t) {
			if f, err := strconv.ParseFloat(t, 64); err == nil {
				return types.Double(f)
			}
		}
		return nil
	case boolShape:
		switch t {
		case "true":
			return types.True
		case "false":
			return types.False
		}
		return nil
	}
	return types.String(t)
}

// parseTexts makes a list of the texts of an array parameter.
func parseTexts(ts []string, s *shape) ref.Val {
	out := make([]ref.Val, len(ts))
	for i, t := range ts {
		if out[i] = parseText(t, s); out[i] == nil {
			return nil
		}
	}
	return types.NewRefValList(types.DefaultTypeAdapter, out)
}
