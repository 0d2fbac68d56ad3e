package script

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// Variables are named values, in the order in which they were first set. A
// value has one of JSON's types: string, float64, bool, nil, []any,
// map[string]any. The zero value is empty. It is not safe for concurrent use.
type Variables struct {
	// Name is the scope's own name, such as that of the environment.
	Name   string
	values map[string]variable
	order  []string
	// below is looked into when there is nothing here; it is never changed.
	below *Variables
}

type variable struct {
	value  any
	secret bool
	unset  bool // hides one below
}

// Over returns empty variables over others: what is set and unset here leaves
// those as they are.
func (v *Variables) Over() *Variables { return &Variables{Name: v.Name, below: v} }

func (v *Variables) find(name string) (variable, bool) {
	for ; v != nil; v = v.below {
		if x, ok := v.values[name]; ok {
			return x, !x.unset
		}
	}
	return variable{}, false
}

// Get returns a value.
func (v *Variables) Get(name string) (any, bool) {
	x, ok := v.find(name)
	return x.value, ok
}

// Has reports whether there is a variable of that name.
func (v *Variables) Has(name string) bool { _, ok := v.find(name); return ok }

// Secret reports whether the variable's value must not be shown.
func (v *Variables) Secret(name string) bool { x, _ := v.find(name); return x.secret }

// Set sets a variable. One that was secret stays so.
func (v *Variables) Set(name string, value any) {
	old, _ := v.find(name)
	v.put(name, variable{value: value, secret: old.secret})
}

// SetSecret sets a variable whose value must not be shown.
func (v *Variables) SetSecret(name string, value any) {
	v.put(name, variable{value: value, secret: true})
}

// Unset removes a variable.
func (v *Variables) Unset(name string) {
	if _, ok := v.find(name); ok {
		v.put(name, variable{unset: true})
	}
}

// Clear removes all.
func (v *Variables) Clear() {
	for name := range v.All() {
		v.Unset(name)
	}
}

func (v *Variables) put(name string, x variable) {
	if v.values == nil {
		v.values = map[string]variable{}
	}
	if _, ok := v.values[name]; !ok {
		v.order = append(v.order, name)
	}
	v.values[name] = x
}

// All returns a copy of the values by name.
func (v *Variables) All() map[string]any {
	out := map[string]any{}
	if v == nil {
		return out
	}
	maps.Copy(out, v.below.All())
	for name, x := range v.values {
		if x.unset {
			delete(out, name)
		} else {
			out[name] = x.value
		}
	}
	return out
}

// Copy returns the same variables, on their own.
func (v *Variables) Copy() *Variables {
	out := &Variables{Name: v.Name, values: maps.Clone(v.values), order: slices.Clone(v.order), below: v.below}
	return out
}

// Names returns the names in the order in which they were first set.
func (v *Variables) Names() []string {
	if v == nil {
		return nil
	}
	names := slices.DeleteFunc(v.below.Names(), func(n string) bool { return v.values[n].unset })
	for _, n := range v.order {
		if !v.values[n].unset && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// Text is what stands for a value in a request: text as it is, anything else
// as JSON.
func Text(value any) string {
	switch x := value.(type) {
	case string:
		return x
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case int:
		return strconv.Itoa(x)
	case float64:
		if x == float64(int64(x)) && x > -1e15 && x < 1e15 {
			return strconv.FormatInt(int64(x), 10)
		}
	}
	b, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(b)
}

// Secrets returns the names of those that were set here and must not be shown.
func (v *Variables) Secrets() []string {
	var names []string
	for n, x := range v.values {
		if x.secret && !x.unset {
			names = append(names, n)
		}
	}
	return names
}
