package trace

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The JSON form of every call is as doc/schema says, and holds no secret.
func TestJSON(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile("../doc/schema/parley.trace-1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range built {
		r := &Result{Exchange: x(), Probed: []Probed{{Probe: Probe{Name: "no credential", Want: []int{401}}, Exchange: withheld()}, {Probe: Probe{Name: "as rajan", Want: []int{403, 404}}}}}
		var b bytes.Buffer
		if err := JSON(&b, r, JSONOptions{As: "priya", Exit: 1}); err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("JSON(%s): %v\n%s", name, err, b.String())
		}
		if strings.Contains(b.String(), marked) {
			t.Errorf("JSON(%s) holds the secret", name)
		}
		var got struct {
			Steps []struct {
				Verdict string
			}
			Probes []struct{ Right bool }
		}
		if err := json.Unmarshal(b.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		for i, v := range Steps(x()) {
			if got.Steps[i].Verdict != strings.ToLower(string(v.Verdict)) {
				t.Errorf("JSON(%s): step %s is %s, want %s as it is drawn", name, v.Step, got.Steps[i].Verdict, v.Verdict)
			}
		}
		if len(got.Probes) != 2 || !got.Probes[0].Right || got.Probes[1].Right {
			t.Errorf("JSON(%s) has the probes %v, want one that is right and one that was not sent", name, got.Probes)
		}
	}
	// A schema that takes anything proves nothing.
	for _, bad := range []string{`{}`, `{"schema":"parley.trace/1","id":"","started":"2026-11-23T13:20:05Z","method":"GET","url":"","verdict":"FAIL","exit":0,"steps":[],"timings":{},"findings":[]}`} {
		v, _ := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if schema.Validate(v) == nil {
			t.Errorf("the schema takes %s", bad)
		}
	}
}
