// Package config reads YAML into structs, strictly, and says where it is wrong.
//
// An unknown field, a wrong type and a broken document are each one line with
// file, line and column, and a hint when a known name is close by.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// An Error is something wrong in a file, with its place.
type Error struct {
	File         string
	Line, Column int // from 1; 0 when unknown
	Text         string
	Hint         string // what to type instead; may be empty
}

func (e *Error) Error() string { return e.Place() + ": " + e.Text }

// Place is "file:line:column", as far as it is known.
func (e *Error) Place() string {
	switch {
	case e.Line == 0:
		return e.File
	case e.Column == 0:
		return fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	return fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Column)
}

// A Section is a value in a YAML file that has not been decoded yet. The zero
// Section is one that is not in the file.
type Section struct {
	File string
	node *yaml.Node
}

// Present reports whether the section is in the file.
func (s Section) Present() bool { return s.node != nil }

// Line is the section's first line, or 0.
func (s Section) Line() int {
	if s.node == nil {
		return 0
	}
	return s.node.Line
}

// Errorf makes an Error at the section's place.
func (s Section) Errorf(hint, format string, args ...any) error {
	e := &Error{File: s.File, Text: fmt.Sprintf(format, args...), Hint: hint}
	if s.node != nil {
		e.Line, e.Column = s.node.Line, s.node.Column
	}
	return e
}

// HintFile is the hint for a file that cannot be read.
const HintFile = "a name on the command line is relative to the folder you are in, one in a file to that file's"

// Read reads a YAML file as one section.
func Read(file string) (Section, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return Section{}, &Error{File: file, Text: "cannot be read: " + err.Error(),
			Hint: HintFile}
	}
	return Parse(file, data)
}

var lineInError = regexp.MustCompile(`^line (\d+): `)

// Parse makes a section of YAML text; file is its name in errors.
func Parse(file string, data []byte) (Section, error) {
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); err != nil {
		e := &Error{File: file, Text: strings.TrimPrefix(err.Error(), "yaml: "), Hint: "look at the indentation, brackets and quotes before this place"}
		if m := lineInError.FindStringSubmatch(e.Text); m != nil {
			e.Line, _ = strconv.Atoi(m[1])
			e.Text = e.Text[len(m[0]):]
		}
		if e.Text == "EOF" {
			e.Text, e.Hint = "is empty", ""
		}
		if strings.HasPrefix(e.Text, "found character that cannot start any token") && e.Line > 0 {
			if lines := bytes.Split(data, []byte("\n")); e.Line <= len(lines) && bytes.HasPrefix(bytes.TrimLeft(lines[e.Line-1], " "), []byte("\t")) {
				e.Text, e.Hint = "is indented with a tab", "YAML is indented with spaces"
			}
		}
		return Section{}, e
	}
	if len(doc.Content) == 0 {
		return Section{}, &Error{File: file, Text: "is empty"}
	}
	if n := within(doc.Content[0], map[*yaml.Node]bool{}); n != nil {
		return Section{}, &Error{File: file, Line: n.Line, Column: n.Column, Text: fmt.Sprintf("the alias %q stands in what it means", n.Value)}
	}
	return Section{File: file, node: doc.Content[0]}, nil
}

// within returns an alias inside of the node that it is an alias of: without
// end for whoever follows it. An anchor stands before its aliases, so there is
// no other way to go round in a circle.
func within(n *yaml.Node, open map[*yaml.Node]bool) *yaml.Node {
	if n.Kind == yaml.AliasNode && open[n.Alias] {
		return n
	}
	open[n] = true
	defer delete(open, n)
	for _, c := range n.Content {
		if bad := within(c, open); bad != nil {
			return bad
		}
	}
	return nil
}

// Field is a member of a mapping: its name and its value.
type Field struct {
	Name  string
	Value Section
	key   *yaml.Node
}

// Errorf makes an Error at the place of the field's name.
func (f Field) Errorf(hint, format string, args ...any) error {
	return Section{f.Value.File, f.key}.Errorf(hint, format, args...)
}

// Place returns line and column of the field's name.
func (f Field) Place() (line, column int) {
	if f.key == nil {
		return 0, 0
	}
	return f.key.Line, f.key.Column
}

// Fields returns the members of a mapping in order, or an error when the
// section is something else or names a member twice.
func (s Section) Fields() ([]Field, error) {
	if s.node == nil {
		return nil, nil
	}
	n := resolve(s.node)
	if n.Kind != yaml.MappingNode {
		return nil, s.Errorf("", "expected fields, found %s", describe(n))
	}
	seen := map[string]bool{}
	var fs []Field
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if seen[k.Value] {
			return nil, &Error{File: s.File, Line: k.Line, Column: k.Column, Text: fmt.Sprintf("%q is given twice", k.Value)}
		}
		seen[k.Value] = true
		fs = append(fs, Field{k.Value, Section{s.File, n.Content[i+1]}, k})
	}
	return fs, nil
}

// Items returns the members of a sequence.
func (s Section) Items() ([]Section, error) {
	if s.node == nil {
		return nil, nil
	}
	n := resolve(s.node)
	if n.Kind != yaml.SequenceNode {
		return nil, s.Errorf("", "expected a list, found %s", describe(n))
	}
	var out []Section
	for _, c := range n.Content {
		out = append(out, Section{s.File, c})
	}
	return out, nil
}

// Decode fills the struct that into points to. Field names come from `yaml`
// tags. Fields of type Section are left undecoded; those of type
// time.Duration are written "5s"; those of type Size "1MiB".
func (s Section) Decode(into any) error {
	if s.node == nil {
		return nil
	}
	return s.decode(resolve(s.node), reflect.ValueOf(into).Elem())
}

// A Size is a number of bytes, written 4096, "32KiB" or "1MiB".
type Size int64

var (
	durationType = reflect.TypeFor[time.Duration]()
	sectionType  = reflect.TypeFor[Section]()
	sizeType     = reflect.TypeFor[Size]()
)

func (s Section) at(n *yaml.Node, hint, format string, args ...any) error {
	return &Error{File: s.File, Line: n.Line, Column: n.Column, Text: fmt.Sprintf(format, args...), Hint: hint}
}

func (s Section) decode(n *yaml.Node, v reflect.Value) error {
	n = resolve(n)
	switch v.Type() {
	case sectionType:
		v.Set(reflect.ValueOf(Section{s.File, n}))
		return nil
	case durationType:
		d, err := time.ParseDuration(n.Value)
		if err != nil || n.Kind != yaml.ScalarNode {
			return s.at(n, `write it like "5s" or "2m"`, "expected a length of time, found %s", describe(n))
		}
		v.SetInt(int64(d))
		return nil
	case sizeType:
		b, err := ParseSize(n.Value)
		if err != nil || n.Kind != yaml.ScalarNode {
			return s.at(n, `write it like "64KiB" or "1MiB"`, "expected a number of bytes, found %s", describe(n))
		}
		v.SetInt(int64(b))
		return nil
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return s.decode(n, v.Elem())
	case reflect.Struct:
		return s.decodeStruct(n, v)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			return s.at(n, "", "expected a list, found %s", describe(n))
		}
		out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
		for i, c := range n.Content {
			if err := s.decode(c, out.Index(i)); err != nil {
				return err
			}
		}
		v.Set(out)
		return nil
	case reflect.Map:
		fs, err := Section{s.File, n}.Fields()
		if err != nil {
			return err
		}
		out := reflect.MakeMap(v.Type())
		for _, f := range fs {
			e := reflect.New(v.Type().Elem()).Elem()
			if err := s.decode(f.Value.node, e); err != nil {
				return err
			}
			out.SetMapIndex(reflect.ValueOf(f.Name).Convert(v.Type().Key()), e)
		}
		v.Set(out)
		return nil
	case reflect.String:
		if n.Kind != yaml.ScalarNode {
			return s.at(n, "", "expected text, found %s", describe(n))
		}
		v.SetString(n.Value)
		return nil
	}
	if err := n.Decode(v.Addr().Interface()); err != nil {
		return s.at(n, "", "expected %s, found %s", wanted(v.Kind()), describe(n))
	}
	return nil
}

func (s Section) decodeStruct(n *yaml.Node, v reflect.Value) error {
	fs, err := Section{s.File, n}.Fields()
	if err != nil {
		return err
	}
	byName := map[string]reflect.Value{}
	var names []string
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		byName[name] = v.Field(i)
		names = append(names, name)
	}
	for _, f := range fs {
		dst, ok := byName[f.Name]
		if !ok {
			hint := "known here: " + strings.Join(names, ", ")
			if near := Nearest(f.Name, names); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			return &Error{File: s.File, Line: keyLine(n, f.Name), Column: keyColumn(n, f.Name),
				Text: fmt.Sprintf("unknown field %q", f.Name), Hint: hint}
		}
		if err := s.decode(f.Value.node, dst); err != nil {
			return err
		}
	}
	return nil
}

// ParseSize reads a Size.
func ParseSize(t string) (Size, error) {
	unit := Size(1)
	for suffix, u := range map[string]Size{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if strings.HasSuffix(t, suffix) {
			t, unit = strings.TrimSpace(strings.TrimSuffix(t, suffix)), u
		}
	}
	n, err := strconv.ParseInt(t, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/int64(unit) {
		return 0, fmt.Errorf("config: %q is not a number of bytes", t)
	}
	return Size(n) * unit, nil
}

func key(n *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i]
		}
	}
	return n
}
func keyLine(n *yaml.Node, name string) int   { return key(n, name).Line }
func keyColumn(n *yaml.Node, name string) int { return key(n, name).Column }

func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "fields"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	return strconv.Quote(n.Value)
}

func wanted(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "a whole number"
}

// Nearest returns the name that differs from word in at most two letters, or in
// one if the word has fewer than four; or "".
func Nearest(word string, names []string) string {
	best, at := "", 2
	if len(word) >= 4 {
		at = 3
	}
	for _, n := range names {
		if d := distance(word, n); d < at {
			best, at = n, d
		}
	}
	return best
}

// distance counts the letters to add, drop or change to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		left, diagonal := i, row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			left = min(row[j]+1, left+1, diagonal+cost)
			diagonal, row[j] = row[j], left
		}
	}
	return row[len(b)]
}
