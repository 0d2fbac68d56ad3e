package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-project/parley/internal/needs"
)

// TestSamplesOfFixtures makes a request for every operation of the fixtures: the
// contract itself must find nothing wrong with them.
func TestSamplesOfFixtures(t *testing.T) {
	made, faulty := 0, 0
	for _, file := range fixtureFiles(t, "openapi/*") {
		name := filepath.Base(file)
		if strings.HasPrefix(name, "bad-") {
			continue
		}
		c, err := FromAPI(file)
		if err != nil {
			t.Errorf("FromAPI(%s): %v", name, err)
			continue
		}
		samples, err := c.Samples(file)
		if err != nil {
			t.Errorf("Samples(%s): %v", name, err)
			continue
		}
		have := map[*Operation]bool{}
		for _, s := range samples {
			made++
			have[s.Operation] = true
			if len(s.Faults) > 0 {
				faulty++
				t.Errorf("%s: %s %s: %s\n%.1500s", name, s.Method, s.Path, strings.Join(s.Faults[:min(5, len(s.Faults))], "; "), s.Body)
			}
		}
		for _, o := range c.Operations {
			if !have[o] && !have[c.sibling(o, have)] {
				t.Errorf("%s: no sample of %s", name, o.Name)
			}
		}
	}
	needs.Figure(t, "operations with a sample", "%d, with faults %d", made, faulty)
}

// sibling is the same operation on another server.
func (c *Contract) sibling(o *Operation, have map[*Operation]bool) *Operation {
	for other := range have {
		if other != nil && other.Place == o.Place {
			return other
		}
	}
	return nil
}

func samplesOf(t *testing.T, doc string) []*Sample {
	t.Helper()
	file := filepath.Join(t.TempDir(), "api.yaml")
	if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := FromAPI(file)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := c.Samples(file)
	if err != nil {
		t.Fatal(err)
	}
	return samples
}

func TestSample(t *testing.T) {
	samples := samplesOf(t, `openapi: 3.1.0
info: {title: t, version: "1"}
servers: [{url: "https://{env}.test/v1/", variables: {env: {default: api}}}]
paths:
  /a/{id}/{kind}:
    parameters:
    - {name: id, in: path, required: true, schema: {type: integer, minimum: 7, exclusiveMaximum: 9, multipleOf: 4}}
    - {name: kind, in: path, required: true, schema: {enum: [x y]}}
    post:
      tags: [one]
      parameters:
      - {name: list, in: query, required: true, explode: false, schema: {type: array, minItems: 2, uniqueItems: true, items: {type: string, pattern: "^[a-c]{3}-\\d$"}}}
      - {name: deep, in: query, style: deepObject, required: true, schema: {type: object, required: [k], properties: {k: {type: boolean}}}}
      - {name: X-When, in: header, required: true, schema: {type: string, format: date}}
      - {name: later, in: query, example: 5, schema: {type: integer}}
      - {name: sid, in: cookie, required: true, schema: {type: string, minLength: 6, maxLength: 6}}
      requestBody:
        content:
          application/json:
            schema:
              allOf:
              - {$ref: "#/components/schemas/Base"}
              - type: object
                required: [pet, code]
                properties:
                  pet: {oneOf: [{$ref: "#/components/schemas/Cat"}, {type: "null"}], discriminator: {propertyName: type}}
                  code: {type: string, example: not a number, pattern: "^[0-9]+$"}
                  note: {type: [string, "null"], maxLength: 2}
      responses:
        "201": {description: made, content: {application/json: {examples: {a: {value: {z: 1, b: [2.50]}}}}}}
  /form:
    put:
      requestBody:
        content:
          multipart/form-data:
            schema: {type: object, required: [file], properties: {file: {type: string, format: binary}, meta: {type: object, properties: {a: {const: 3}}}}}
      responses: {default: {description: d}}
components:
  schemas:
    Base: {type: object, required: [id, made], properties: {id: {type: integer, readOnly: true}, made: {type: string, format: date-time}}}
    Cat: {type: object, required: [type, self], properties: {type: {type: string}, self: {type: array, items: {$ref: "#/components/schemas/Cat"}}}}
`)
	if len(samples) != 2 {
		t.Fatalf("Samples made %d, want 2", len(samples))
	}
	s := samples[0]
	r := s.Request()
	if want := "/v1/a/8/x%20y?list=aaa-0,bbb-1&deep%5Bk%5D=true"; r.Target != want {
		t.Errorf("Target = %s, want %s", r.Target, want)
	}
	if got := r.Header.Get("X-When") + " " + r.Header.Get("Cookie"); got != "2026-01-02 sid=textxx" {
		t.Errorf("Header = %s", got)
	}
	if want := `{"made":"2026-01-02T03:04:05Z","pet":{"type":"Cat","self":[{"type":"text","self":[]}]},"code":"0","note":"te"}`; string(compact(s.Body)) != want {
		t.Errorf("Body = %s, want %s", compact(s.Body), want)
	}
	if len(s.Faults) > 0 {
		t.Errorf("Faults = %q", s.Faults)
	}
	if len(s.Answers) != 1 || s.Answers[0].Status != "201" || string(compact(s.Answers[0].Body)) != `{"z":1,"b":[2.50]}` {
		t.Errorf("Answers = %+v", s.Answers)
	}
	f := samples[1].Form
	if len(f) != 2 || !f[0].File || !f[0].Required || f[1].MediaType != "application/json" || f[1].Value != `{"a":3}` {
		t.Errorf("Form = %+v", f)
	}
}

func compact(text []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return text
	}
	return b.Bytes()
}

// What means a great deal, or has no end, still makes a small sample.
func TestSampleIsBounded(t *testing.T) {
	var names, bomb []string
	for i := range 8 {
		names = append(names, fmt.Sprintf("p%d: {$ref: '#/components/schemas/A'}", i))
	}
	bomb = append(bomb, "x-0: &l0 [x,x,x,x,x,x,x,x,x]")
	for i := 1; i < 9; i++ {
		bomb = append(bomb, fmt.Sprintf("x-%d: &l%d [%s]", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*l%d,", i-1), 9), ",")))
	}
	samples := samplesOf(t, strings.Join(bomb, "\n")+`
openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /a:
    post:
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/A"}}}}
      responses: {"200": {description: d, content: {application/json: {example: *l8}}}}
  /b:
    post:
      requestBody: {content: {application/json: {schema: {type: string, minLength: 400, pattern: "^(((a*)*)*)*$"}}}}
      responses: {default: {description: d}}
components:
  schemas:
    A: {type: object, required: [p0, p1, p2, p3, p4, p5, p6, p7], properties: {`+strings.Join(names, ", ")+`}}
`)
	for _, s := range samples {
		size := len(s.Body)
		for _, a := range s.Answers {
			size += len(a.Body)
		}
		if size > 4<<20 {
			t.Errorf("the sample of %s has %d bytes, want at most 4 MiB", s.Path, size)
		}
	}
}
