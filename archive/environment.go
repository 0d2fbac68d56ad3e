package archive

import (
	"path/filepath"
	"strings"

	"github.com/parley-project/parley/internal/config"
)

// ReadEnvironment reads variables: Postman's environments and globals, a JSON
// object of names and values, a YAML one, environments of Bruno, and lines of
// NAME=value.
func ReadEnvironment(file string, data []byte) ([]Variable, error) {
	return ReadEnvironmentOf(file, "", data)
}

// ReadEnvironmentOf is the same for a file that holds several environments by
// name, as JetBrains and REST Client have them; those of $shared come first.
func ReadEnvironmentOf(file, env string, data []byte) ([]Variable, error) {
	name := strings.ToLower(filepath.Base(file))
	text := strings.TrimSpace(decodeText(data))
	switch ext := filepath.Ext(name); {
	case ext == ".bru":
		return bruEnvironment(file, data)
	case ext == ".yaml" || ext == ".yml":
		return yamlEnvironment(file, []byte(decodeText(data)))
	case ext == ".json" || strings.HasPrefix(text, "{") || strings.HasPrefix(text, "["):
		return jsonEnvironment(file, env, data)
	}
	return dotEnvironment(file, decodeText(data))
}

func jsonEnvironment(file, env string, data []byte) ([]Variable, error) {
	t, err := parseTree(file, data)
	if err != nil {
		return nil, err
	}
	for _, outer := range []string{"environment", "globals"} {
		if in := t.get(outer); in.get("values").is('[') {
			t = in
		}
	}
	values := t.get("values")
	if t.is('[') {
		values = t
	}
	if values.is('[') {
		for _, v := range values.items {
			if !v.is('{') || v.get("key") == nil && v.get("id") == nil {
				line, column := v.place()
				return nil, &Error{File: file, Line: line, Column: column, Text: "is no variable: it needs key and value"}
			}
		}
		return postmanVariables(values), nil
	}
	line, column := t.place()
	if !t.is('{') {
		return nil, &Error{File: file, Line: line, Column: column, Text: "is no environment: expected an object of names and values"}
	}
	if t.get("item") != nil || t.get("requests").is('[') || t.get("openapi") != nil || t.get("log").get("entries") != nil {
		return nil, &Error{File: file, Line: line, Column: column, Text: "is no environment: it looks like a collection or a description", Hint: "an environment is an object of names and values"}
	}
	if !several(t) {
		return objectVariables(t), nil
	}
	out := objectVariables(t.get("$shared"))
	if env == "" && len(t.members) == 1 {
		env = t.members[0].name
	}
	if chosen := t.get(env); chosen != nil && env != "$shared" {
		return append(out, objectVariables(chosen)...), nil
	}
	var names []string
	for _, m := range t.members {
		if m.name != "$shared" {
			names = append(names, m.name)
		}
	}
	if env == "" {
		return nil, &Error{File: file, Line: line, Column: column, Text: "holds several environments", Hint: "say which: " + strings.Join(names, ", ")}
	}
	return nil, &Error{File: file, Line: line, Column: column, Text: "has no environment " + env, Hint: "it has " + strings.Join(names, ", ")}
}

// several reports whether an object holds environments by name, rather than
// being one.
func several(t *tree) bool {
	for _, m := range t.members {
		if !m.value.is('{') {
			return false
		}
	}
	return len(t.members) > 0
}

func objectVariables(t *tree) []Variable {
	var out []Variable
	if !t.is('{') {
		return nil
	}
	for _, m := range t.members {
		out = append(out, Variable{Name: m.name, Value: m.value.asText()})
	}
	return out
}

// yamlEnvironment reads an object of names and values, or the list of
// variables of OpenCollection.
func yamlEnvironment(file string, data []byte) ([]Variable, error) {
	t, err := yamlTree(file, data)
	if err != nil {
		return nil, err
	}
	if vs := t.get("variables"); vs.is('[') || vs.is('{') {
		return openVariables(vs), nil
	}
	if t.is('[') {
		return openVariables(t), nil
	}
	if !t.is('{') {
		return nil, &Error{File: file, Line: 1, Text: "is no environment: expected names and values"}
	}
	return objectVariables(t), nil
}

// yamlTree reads YAML as the tree that the same document in JSON is.
func yamlTree(file string, data []byte) (*tree, error) {
	if len(data) > maxFile {
		return nil, &Error{File: file, Text: "is too large"}
	}
	s, err := config.Parse(file, data)
	if err != nil {
		return nil, configError(err)
	}
	text, err := s.JSON()
	if err != nil {
		return nil, configError(err)
	}
	return parseTree(file, text)
}

func configError(err error) error {
	if e, ok := err.(*config.Error); ok {
		return &Error{File: e.File, Line: e.Line, Column: e.Column, Text: e.Text, Hint: e.Hint}
	}
	return err
}

// dotEnvironment reads lines of NAME=value, as shells and many programs do:
// with export before it, quotes around the value, and comments after #.
func dotEnvironment(file, text string) ([]Variable, error) {
	var out []Variable
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at := i + 1
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" {
			return nil, &Error{File: file, Line: at, Column: 1, Text: "expected NAME=value, found " + excerpt(line), Hint: "a comment begins with #"}
		}
		value = strings.TrimSpace(value)
		if value == "" || !strings.ContainsRune(`"'`+"`", rune(value[0])) {
			if j := strings.Index(value, " #"); j >= 0 {
				value = strings.TrimSpace(value[:j])
			}
			out = append(out, Variable{Name: name, Value: value})
			continue
		}
		mark := value[:1]
		rest := value[1:]
		for !closes(rest, mark) {
			if i++; i >= len(lines) {
				return nil, &Error{File: file, Line: at, Column: 1, Text: "the value of " + name + " has no closing quote"}
			}
			rest += "\n" + strings.TrimSuffix(lines[i], "\r")
		}
		rest = rest[:end(rest, mark)]
		if mark == `"` {
			rest = strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t", `\"`, `"`, `\\`, `\`).Replace(rest)
		}
		out = append(out, Variable{Name: name, Value: rest})
	}
	return out, nil
}

func closes(s, mark string) bool { return end(s, mark) >= 0 }

// end returns where the closing quote stands.
func end(s, mark string) int {
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && mark == `"` {
			i++
		} else if s[i] == mark[0] {
			return i
		}
	}
	return -1
}
