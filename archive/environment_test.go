package archive

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestReadEnvironment(t *testing.T) {
	for _, c := range []struct {
		file, env, text string
		want            []Variable
	}{
		{"e.json", "", `{"name":"e","values":[{"key":"a","value":"1","enabled":true},{"key":"b","value":2,"enabled":false},{"key":"s","value":"x","type":"secret"}]}`,
			[]Variable{{Name: "a", Value: "1"}, {Name: "b", Value: "2", Disabled: true}, {Name: "s", Value: "x", Secret: true}}},
		{"g.json", "", `[{"key":"a","value":"1"}]`, []Variable{{Name: "a", Value: "1"}}},
		{"api.json", "", `{"environment":{"values":[{"key":"a","value":"1"}]}}`, []Variable{{Name: "a", Value: "1"}}},
		{"o.json", "", `{"b":"2","a":1.50,"t":true,"n":null,"l":[1, 2]}`, []Variable{{Name: "b", Value: "2"}, {Name: "a", Value: "1.50"}, {Name: "t", Value: "true"}, {Name: "n"}, {Name: "l", Value: "[1,2]"}}},
		{"http-client.env.json", "dev", `{"$shared":{"v":"1"},"dev":{"host":"d"},"prod":{"host":"p"}}`, []Variable{{Name: "v", Value: "1"}, {Name: "host", Value: "d"}}},
		{".env", "", "# c\nexport A=1\nB=\"two\\nlines\" # not in it\nC='a b#c'\n\nD= x # why\nE=\"m\nn\"\r\nF=\n", []Variable{{Name: "A", Value: "1"}, {Name: "B", Value: "two\nlines"}, {Name: "C", Value: "a b#c"}, {Name: "D", Value: "x"}, {Name: "E", Value: "m\nn"}, {Name: "F"}}},
		{"e.yaml", "", "b: two\na: 1\n", []Variable{{Name: "b", Value: "two"}, {Name: "a", Value: "1"}}},
		{"e.yml", "", "name: Dev\nvariables:\n- {name: a, value: x}\n- {name: b, secret: true, enabled: false}\n", []Variable{{Name: "a", Value: "x"}, {Name: "b", Secret: true, Disabled: true}}},
		{"dev.bru", "", "vars {\n  a: 1\n  ~b: 2\n}\nvars:secret [\n  s,\n  ~u\n]\n", []Variable{{Name: "a", Value: "1"}, {Name: "b", Value: "2", Disabled: true}, {Name: "s", Secret: true}, {Name: "u", Secret: true, Disabled: true}}},
	} {
		got, err := ReadEnvironmentOf(c.file, c.env, []byte(c.text))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("ReadEnvironment(%s) = %+v, %v, want %+v", c.file, got, err, c.want)
		}
	}
	for _, c := range []struct{ file, text, want string }{
		{"e.json", `{"values":[{"value":1}]}`, "e.json:1:12: is no variable: it needs key and value"},
		{"e.json", `{"values":[}`, "e.json:1:12: expected a value, found '}'"},
		{"e.json", `3`, "e.json:1:1: is no environment: expected an object of names and values"},
		{"e.json", `{"dev":{},"prod":{}}`, "e.json:1:1: holds several environments"},
		{"e.json", small, "e.json:1:1: is no environment: it looks like a collection or a description"},
		{".env", "A=1\nnothing", `.env:2:1: expected NAME=value, found "nothing"`},
		{".env", "A=\"1\nB=2", ".env:1:1: the value of A has no closing quote"},
		{"e.yaml", "a: [", "e.yaml:1: did not find expected node content"},
		{"dev.bru", "vars {\n a: 1\n", "dev.bru:1:1: the block vars has no end"},
	} {
		_, err := ReadEnvironment(c.file, []byte(c.text))
		var e *Error
		if !errors.As(err, &e) || err.Error() != c.want {
			t.Errorf("ReadEnvironment(%s, %.30q) = %v, want %s", c.file, c.text, err, c.want)
		}
	}
}

func TestReadRows(t *testing.T) {
	for _, c := range []struct {
		file, text string
		want       []map[string]any
	}{
		{"a.csv", "\xef\xbb\xbfa, b ,c\r\n1,\"x, y\",007\r\n\r\n-2.5, \"say \"\"hi\"\"\" ,\n", []map[string]any{{"a": 1.0, "b": "x, y", "c": "007"}, {"a": -2.5, "b": `say "hi"`, "c": ""}}},
		{"a.csv", "a,b\n\"1\",\"two\nlines\"\nx\ny,z,more\n", []map[string]any{{"a": "1", "b": "two\nlines"}, {"a": "x", "b": ""}, {"a": "y", "b": "z"}}},
		{"a.csv", "a\n99999999999999999999\n1e5\ntrue\nsay \"x\" twice\n", []map[string]any{{"a": "99999999999999999999"}, {"a": "1e5"}, {"a": "true"}, {"a": `say "x" twice`}}},
		{"a.tsv", "a\tb\n1\t x\n", []map[string]any{{"a": 1.0, "b": "x"}}},
		{"a.json", `[{"a":1,"b":{"c":[true]}},{"a":null}]`, []map[string]any{{"a": 1.0, "b": map[string]any{"c": []any{true}}}, {"a": nil}}},
		{"a.jsonl", "{\"a\":1}\n\n{\"a\":\"2\"}\n", []map[string]any{{"a": 1.0}, {"a": "2"}}},
		{"rows", "{\"a\":1}\n{\"a\":2}\n", []map[string]any{{"a": 1.0}, {"a": 2.0}}},
		{"a.csv", "", nil},
	} {
		got, err := ReadRows(c.file, []byte(c.text))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("ReadRows(%s, %.30q) = %v, %v, want %v", c.file, c.text, got, err, c.want)
		}
	}
	for _, c := range []struct{ file, text, want string }{
		{"a.csv", "a,b\n1,2\n\"x,y\n", "a.csv:3:1: a value that begins with a quote has no closing quote"},
		{"a.json", `[{"a":1},2]`, "a.json:1:10: row 2 is no object of names and values"},
		{"a.jsonl", "{\"a\":1}\n{\"a\":}\n", "a.jsonl:2:6: expected a value, found '}'"},
	} {
		if _, err := ReadRows(c.file, []byte(c.text)); err == nil || err.Error() != c.want {
			t.Errorf("ReadRows(%s) = %v, want %s", c.file, err, c.want)
		}
	}
}

// The environments, globals and rows that come with the collections.
func TestEnvironmentCorpus(t *testing.T) {
	for _, pattern := range []string{"*.postman_environment.json", "*.postman_globals.json"} {
		for _, file := range corpus(t, "postman", pattern) {
			if vs, err := ReadEnvironment(filepath.Base(file), contents(t, file)); err != nil || len(vs) == 0 {
				t.Errorf("ReadEnvironment(%s) = %v, %v", filepath.Base(file), vs, err)
			}
		}
	}
	for _, file := range corpus(t, "postman", "*.postman_data.*") {
		if rows, err := ReadRows(filepath.Base(file), contents(t, file)); err != nil || len(rows) == 0 {
			t.Errorf("ReadRows(%s) = %v, %v", filepath.Base(file), rows, err)
		}
	}
	csv := filepath.Join(os.Getenv("PARLEY_FIXTURES"), "postman", "newman-comma-test-csv.postman_data.csv")
	if data, err := os.ReadFile(csv); err == nil {
		rows, err := ReadRows("a.csv", data)
		want := map[string]any{"nameWithComma": "Abhijit, Kane", "nameWithDoubleQuotes": `Abhijit "KDOS" Kane`, "numberWithQuotes": "00123",
			"numberWithoutQuotes": 7890.0, "negativeNumberWithoutQuotes": -7890.0, "nullValue": "", "longNumber": "89111702272002019559",
			"spaceAfterComma": "foo", "spaceBeforeComma": "bar", "nameWithUnescapedQuotes": `Abhijit "KDOS" Kane`}
		if err != nil || len(rows) != 1 || !reflect.DeepEqual(rows[0], want) {
			t.Errorf("ReadRows found %v, %v, want %v", rows, err, want)
		}
	}
}

func FuzzEnvironment(f *testing.F) {
	f.Add("e.json", `{"values":[{"key":"a"}]}`)
	f.Add(".env", "A=\"b\\\"c\"\nD='e'")
	f.Add("a.csv", "a,\"b\"\"\n\",c\n1,2")
	f.Add("a.jsonl", "{}\n{}")
	f.Fuzz(func(t *testing.T, file, text string) {
		if len(file) > 20 || strings.HasSuffix(file, ".zip") {
			return
		}
		_, _ = ReadEnvironment(file, []byte(text))
		_, _ = ReadRows(file, []byte(text))
	})
}
