package contract

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/parley-project/parley/internal/jsonscan"
)

// An order as a shop gets it, and its schema with the words that contracts use.
const (
	benchOrder = `{
  "order_number": "ORD-2026-0008871", "user_id": 101, "status": "pending", "currency": "EUR",
  "created_at": "2026-11-23T15:36:00Z", "contact": "priya@example.com",
  "ship_to": {"name": "Priya Nair", "street": "12 Mill Lane", "city": "Kochi", "postcode": "682001", "country": "IN"},
  "bill_to": {"name": "Priya Nair", "street": "12 Mill Lane", "city": "Kochi", "postcode": "682001", "country": "IN"},
  "items": [
    {"product_id": 5501, "sku": "MUG-BLUE-350", "name": "Blue mug, 350 ml", "quantity": 2, "unit_price": 12.50},
    {"product_id": 5507, "sku": "TEA-ASSAM-250", "name": "Assam tea, 250 g", "quantity": 1, "unit_price": 8.95},
    {"product_id": 6120, "sku": "SPOON-OLIVE-01", "name": "Spoon, olive wood", "quantity": 4, "unit_price": 3.20}
  ],
  "discounts": [{"code": "WELCOME10", "percent": 10}], "gift": false, "coupon": null,
  "note": "Please leave the parcel with the neighbour at number 14."
}`
	benchSchema = `{
  "type": "object", "additionalProperties": false,
  "required": ["order_number", "user_id", "status", "currency", "ship_to", "items"],
  "properties": {
    "order_number": {"type": "string", "pattern": "^ORD-[0-9]{4}-[0-9]{7}$"},
    "user_id": {"type": "integer", "minimum": 1},
    "status": {"type": "string", "enum": ["pending", "paid", "shipped", "cancelled"]},
    "currency": {"type": "string", "minLength": 3, "maxLength": 3},
    "created_at": {"type": "string", "format": "date-time"},
    "contact": {"type": "string", "format": "email", "maxLength": 254},
    "ship_to": {"$ref": "#/$defs/address"}, "bill_to": {"$ref": "#/$defs/address"},
    "items": {"type": "array", "minItems": 1, "maxItems": 100, "items": {
      "type": "object", "additionalProperties": false, "required": ["product_id", "quantity"],
      "properties": {
        "product_id": {"type": "integer", "minimum": 1}, "sku": {"type": "string", "maxLength": 32},
        "name": {"type": "string", "maxLength": 200}, "quantity": {"type": "integer", "minimum": 1, "maximum": 99},
        "unit_price": {"type": "number", "minimum": 0}}}},
    "discounts": {"type": "array", "items": {"type": "object", "required": ["code"], "additionalProperties": false,
      "properties": {"code": {"type": "string", "maxLength": 20}, "percent": {"type": "number", "minimum": 0, "maximum": 100}}}},
    "gift": {"type": "boolean"}, "coupon": {"type": ["string", "null"]}, "note": {"type": "string", "maxLength": 500}
  },
  "$defs": {"address": {"type": "object", "additionalProperties": false, "required": ["name", "street", "city", "country"],
    "properties": {"name": {"type": "string", "maxLength": 100}, "street": {"type": "string", "maxLength": 100},
      "city": {"type": "string", "maxLength": 100}, "postcode": {"type": "string", "maxLength": 12},
      "country": {"type": "string", "minLength": 2, "maxLength": 2}}}}
}`
)

// benchBody is the order at 929 bytes: blanks as pretty printers leave them.
func benchBody(b testing.TB) []byte {
	body := []byte(benchOrder)
	if len(body) < 929 {
		body = append(body, bytes.Repeat([]byte(" "), 929-len(body))...)
	}
	for len(body) > 929 { // long lines lose the blanks after their colons
		i := bytes.Index(body, []byte(": "))
		if i < 0 {
			b.Fatal("the order is too long")
		}
		body = append(body[:i+1], body[i+2:]...)
	}
	return body
}

func benchProgram(b testing.TB, closed bool) *jsonscan.Program {
	var schema any
	if err := decodeJSON([]byte(benchSchema), &schema); err != nil {
		b.Fatal(err)
	}
	p, err := compileSchema(schema, "#", schemaOptions{Dialect: openapi31, Request: true, Closed: closed, Captures: []string{"/user_id"}})
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func BenchmarkSchema(b *testing.B) {
	body := benchBody(b)
	run := func(name string, once func() bool) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if !once() {
					b.Fatal("a sound order is refused")
				}
			}
		})
	}
	var r jsonscan.Result
	run("text only", func() bool {
		(*jsonscan.Program)(nil).Scan(body, jsonscan.Limits{}, &r)
		return r.Fault == nil
	})
	for _, closed := range []bool{false, true} {
		p := benchProgram(b, closed)
		name := "jsonscan"
		if closed {
			name = "jsonscan closed"
		}
		run(name, func() bool {
			p.Scan(body, jsonscan.Limits{}, &r)
			return r.Fault == nil && len(r.Violations) == 0
		})
	}
	var schema any
	if err := decodeJSON([]byte(benchSchema), &schema); err != nil {
		b.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", schema); err != nil {
		b.Fatal(err)
	}
	s := c.MustCompile("schema.json")
	run("santhosh-tekuri", func() bool { // does not see duplicate names
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		return err == nil && s.Validate(v) == nil
	})
}
