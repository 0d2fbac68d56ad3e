package contract

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/internal/config"
	"github.com/parley-project/parley/internal/jsonscan"
)

// TestPolicyErrors: each wrong policy is one line with its place and, where
// there is one, a hint. Line 1 of the file is "api: openapi.yaml".
func TestPolicyErrors(t *testing.T) {
	const rule = "rules:\n  - operation: GET /v1/loans/{id}\n    "
	for _, tt := range []struct{ policy, want string }{
		{"upstrem: http://x", `2:1: unknown section "upstrem" | did you mean "upstream"?`},
		{"mode: enforced", `2:7: "enforced" is not known here | one of report, enforce`},
		{"default: denied", `2:10: "denied" is not known here | one of security, deny`},
		{"upstream: 127.0.0.1:9000", `2:11: "127.0.0.1:9000" is not the address of an API | write it like http://127.0.0.1:9000`},
		{"upstream: ftp://x", `2:11: "ftp://x" is not the address of an API | write it like http://127.0.0.1:9000`},
		{"body: {request: lots}", `2:17: expected a number of bytes, found "lots" | write it like "64KiB" or "1MiB"`},
		{"body: {reqest: 1MiB}", `2:8: unknown field "reqest" | did you mean "request"?`},
		{"rules: yes", `2:8: expected a list, found "yes"`},
		{"rules:\n  - allow: \"true\"", `3:5: no operation is named | add operation: with a method and a path`},
		{"rules:\n  - operation: GET /v1/loan/{id}\n    owner: response.reader_id", `3:16: no operation of the API is "GET /v1/loan/{id}" | did you mean "GET /v1/loans/{id}"?`},
		{"rules:\n  - operation: GET /loans/{id}\n    owner: response.reader_id", `3:16: no operation of the API is "GET /loans/{id}" | the server's path counts: "GET /v1/loans/{id}"`},
		{"rules:\n  - operation: PUT /v1/loans/{id}\n    owner: request.path.id", `3:16: no operation of the API is "PUT /v1/loans/{id}" | that path has DELETE, GET`},
		{"rules:\n  - operation: getLoans\n    owner: response.reader_id", `3:16: no operation of the API is "getLoans" | did you mean "getLoan"?`},
		{"rules:\n  - operation: \"* /v2/**\"\n    allow: \"true\"", `3:16: no operation of the API is "* /v2/**" | name it like "GET /v1/orders/{id}", by its operationId, or with a pattern such as "DELETE *"`},
		{"rules:\n  - operation: getLoan", `3:5: the rule says nothing | add allow: or owner:`},
		{"rules:\n  - operation: getLoan\n    allw: \"true\"", `4:5: unknown field "allw" | did you mean "allow"?`},
		{rule + "allow: \"true\"\n    owner: response.reader_id", `3:5: a rule has allow or owner, not both | write two rules; both must hold`},
		{rule + "unless: \"true\"", `3:5: the rule says nothing | add allow: or owner:`},
		{rule + "hide_existence: true\n    unless: \"true\"", `5:13: there is nothing to make an exception of | unless belongs to allow or owner`},
		{rule + "owner: response.readr_id", `4:21: response has no "readr_id" | did you mean "reader_id"?`},
		{rule + "owner: response.lender.friend.tennant", `4:35: response.lender.friend has no "tennant" | did you mean "tenant"?`},
		{rule + "owner: respons.reader_id", `4:12: unknown name "respons" | did you mean "response"?`},
		{rule + "owner: response.reader_id", `4:12: the owner is int, and caller.id is string | say identity: subject: {type: integer} when subjects are numbers`},
		{rule + "owner: response.lender", `4:12: the owner is Reader, and caller.id is string`},
		{rule + "owner: response", `4:12: the owner is Loan, and caller.id is string`},
		{rule + "allow: response.reader_id == caller.id", `4:31: == cannot be applied to (int, string) | caller.id is string; say identity: subject: {type: integer} when subjects are numbers`},
		{rule + "allow: response.reader_id", `4:12: the rule gives int, not true or false | compare it with something, or use owner:`},
		{rule + "allow: caller.id == ", `4:24: the expression ends too early`},
		{rule + "allow: 'caller.id == \"1\" && response.redaer_id == 1'", `4:42: response has no "redaer_id" | did you mean "reader_id"?`},
		{rule + "allow: |\n      caller.name == \"x\" ||\n        caller.nam == \"y\"", `6:16: caller has no "nam" | did you mean "name"?`},
		{rule + "allow: >\n      caller.name == \"x\" ||\n      caller.nam == \"y\"", `6:14: caller has no "nam" | did you mean "name"?`},
		{rule + "allow: \"admin\" in caller.role", `4:12: YAML ends the text at the second quote | put quotes around the whole: '"admin" in caller.role'`},
		{rule + "allow: '\"admin\" in caller.role'", `4:31: caller has no "role" | did you mean "roles"?`},
		{rule + "allow: '\"admin\" in caller.name'", `4:21: in cannot be applied to (string, string) | in wants a list on its right`},
		{rule + "allow: size(caller.roles)", `4:12: the rule gives int, not true or false | compare it with something, or use owner:`},
		{rule + "allow: caller == caller", `4:12: caller cannot be used as a whole | name one of its members`},
		{rule + "allow: request.path.idd == 1", `4:25: request.path has no "idd" | did you mean "id"?`},
		{rule + "allow: request.query.limit == 1", `4:26: request.query has no "limit"`},
		{rule + "allow: request.body.x == 1", `4:20: GET /v1/loans/{id} declares no JSON request body`},
		{rule + "allow: \"true\"\n    unless: caller.rols == []", `5:20: caller has no "rols" | did you mean "roles"?`},
		{rule + "owner: object.reader_id", `4:12: GET /v1/loans/{id} is itself how the object is read | use response.…`},
		{"rules:\n  - operation: DELETE /v1/loans/{id}\n    owner: response.reader_id", `4:12: DELETE /v1/loans/{id} changes something: when the response is known, it has happened | use object.…: guard then reads the object first, with GET`},
		{"identity: {subject: {type: integer}}\nrules:\n  - operation: POST /v1/loans\n    owner: response.reader_id", `5:12: POST /v1/loans changes something: when the response is known, it has happened | use object.…: guard then reads the object first, with GET`},
		{"rules:\n  - operation: POST /v1/loans/{id}/notes\n    owner: object.reader_id", `4:12: object needs a GET on /v1/loans/{id}/notes | declare a GET there, or use request.…`},
		{"rules:\n  - operation: GET /v1/public/{name}\n    owner: response.reader_id", `4:12: GET /v1/public/{name} declares no JSON response`},
		{"rules:\n  - operation: GET /v1/loans\n    owner: response.items.reader_id", `4:27: response.items is a list | use allow: response.items.all(o, o.reader_id == caller.id)`},
		{"rules:\n  - operation: GET /v1/loans\n    allow: response.items.all(o, o.readr_id == 1)", `4:35: unknown field "readr_id" | did you mean "reader_id"?`},
		{"rules:\n  - operation: GET /v1/loans\n    allow: response.items.all(o, p.reader_id == 1)", `4:34: unknown name "p" | did you mean "o"?`},
		{"rules:\n  - operation: GET /v1/loans\n    allow: response.items.all(caller, true)", `4:30: "caller" already means something | choose another name`},
		{"identity: {subject: {type: integer}}\n" + rule + "owner: response.lender.tenant", `5:12: the owner is string, and caller.id is int`},
		{"identity: {subject: {type: number}}", `2:28: a subject is not of type "number" | one of string, integer`},
		{"fields:\n  - schema: Readr\n    never_send: [pin_hash]", `3:13: the API has no schema "Readr" | did you mean "Reader"?`},
		{"fields:\n  - schema: Reader\n    never_send: [pin, pin_hsh]", `4:18: the schema Reader has no member "pin" | known here: email, friend, id, name, pin_hash, role, tenant`},
		{"fields:\n  - schema: Reader\n    masked: [pin_hsh]", `4:14: the schema Reader has no member "pin_hsh" | did you mean "pin_hash"?`},
		{"fields:\n  - schema: Reader\n    never_send: [pin_hsh]", `4:18: the schema Reader has no member "pin_hsh" | did you mean "pin_hash"?`},
		{"fields:\n  - schema: Reader\n    writable_by: {roll: [librarian]}", `4:25: the schema Reader has no member "roll" | did you mean "role"?`},
		{"fields:\n  - schema: Reader\n    writable_by: {role: librarian}", `4:25: expected a list, found "librarian"`},
		{"fields:\n  - schema: Reader\n    nver_send: [pin_hash]", `4:5: unknown field "nver_send" | did you mean "never_send"?`},
		{"fields:\n  - never_send: [pin_hash]", `3:5: no schema is named | add schema: with a name from the API description`},
		{"limits:\n  - operation: lend", `3:5: the limit has no rate | add rate: such as 5/minute`},
		{"limits:\n  - {operation: lend, rate: 5/fortnight}", `3:29: "5/fortnight" is not a rate | write it like 5/minute; second, hour and day are known too`},
		{"limits:\n  - {operation: lend, rate: 0/minute}", `3:29: "0/minute" is not a rate | write it like 5/minute; second, hour and day are known too`},
		{"limits:\n  - {operation: lend, rate: 5/minute, by: adress}", `3:43: a limit does not count by "adress" | did you mean "address"?`},
		{"limits:\n  - {operation: lend, rate: 5/minute, by: request.body.email}", `3:56: request.body has no "email" | known here: book_id, reader_id`},
		{"limits:\n  - {operation: lend, rate: 5/minute, by: response.id}", `3:43: POST /v1/loans changes something: when the response is known, it has happened | use object.…: guard then reads the object first, with GET`},
		{"cors: {origins: [\"*\"], credentials: true}", `2:18: every origin together with credentials would let any site act for its visitor | list the origins by name`},
		{"cors: {origins: [app.example]}", `2:18: "app.example" is not an origin | write it like https://app.example, in lower case and without a path`},
		{"cors: {origins: [https://app.example/]}", `2:18: "https://app.example/" is not an origin | write it like https://app.example, in lower case and without a path`},
		{"cors: {origin: [https://app.example]}", `2:8: unknown field "origin" | did you mean "origins"?`},
		{"cors: {origins: [https://app.example], max_age: 10}", `2:49: expected a length of time, found "10" | write it like "5s" or "2m"`},
		{"mode: report\nmode: enforce", `3:1: "mode" is given twice`},
		{"identity:\n\tjwt: {}", `3: is indented with a tab | YAML is indented with spaces`},
		{"rules: [", `2: did not find expected node content | look at the indentation, brackets and quotes before this place`},
		{"rules:\n  - operation: GET /v1/loans/{id}\n    allow: request.path.id.x == 1", `4:28: request.path.id is int and has no members`},
		{rule + "owner: response.reader_id\n    unless: object.reader_id == 1", `4:12: the owner is int, and caller.id is string | say identity: subject: {type: integer} when subjects are numbers`},
		{"identity: {subject: {type: integer}}\nrules:\n  - operation: DELETE /v1/loans/{id}\n    owner: object.reader_id\n    unless: response.id == 1", `6:13: DELETE /v1/loans/{id} changes something: when the response is known, it has happened | use object.…: guard then reads the object first, with GET`},
	} {
		_, err := withPolicy(t, tt.policy+"\n")
		got := "no error"
		if err != nil {
			got = err.Error()
			if i := strings.Index(got, "parley.yaml:"); i >= 0 {
				got = got[i+len("parley.yaml:"):]
			}
			var e *config.Error
			if !errors.As(err, &e) {
				t.Errorf("%s: %v is not a config.Error", tt.policy, err)
			} else if e.Hint != "" {
				got += " | " + e.Hint
			}
			if e != nil && e.Line == 0 || strings.Contains(got, "\n") {
				t.Errorf("%s: %v: not one line with a place", tt.policy, err)
			}
		}
		if got != tt.want {
			t.Errorf("%q:\n got %s\nwant %s", tt.policy, got, tt.want)
		}
	}
}

// TestPolicy reads one with something of everything.
func TestPolicy(t *testing.T) {
	c, err := Load("testdata/store/parley.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if c.Mode != Enforce || c.Default != BySecurity || c.Upstream != "http://127.0.0.1:9000" || c.MaxRequest != 64<<10 || c.MaxResponse != 2<<20 {
		t.Errorf("settings: %v %v %v %d %d", c.Mode, c.Default, c.Upstream, c.MaxRequest, c.MaxResponse)
	}
	if !c.Sections["identity"].Present() || !c.Sections["listen"].Present() || len(c.Sections) != 2 {
		t.Errorf("sections: %v", c.Sections)
	}
	if c.CORS == nil || !c.CORS.Credentials || c.CORS.MaxAge != 10*time.Minute || c.CORS.Origins[0] != "https://app.library.example" {
		t.Errorf("cors: %+v", c.CORS)
	}
	loan := operation(t, c, "GET /v1/loans/{id}")
	if !loan.HideExistence || len(loan.Rules) != 1 || !loan.Rules[0].Owner || loan.Rules[0].Place != "parley.yaml:14" || loan.ID != "getLoan" {
		t.Errorf("GET /v1/loans/{id}: %+v %+v", loan, loan.Rules[0])
	}
	if d := operation(t, c, "DELETE /v1/loans/{id}"); d.Preread != loan || d.HideExistence {
		t.Errorf("DELETE /v1/loans/{id}: preread %v", d.Preread)
	}
	if s := operation(t, c, "GET /v1/admin/stock"); len(s.Rules) != 1 || s.Public {
		t.Errorf("GET /v1/admin/stock: %d rules", len(s.Rules))
	}
	var unjudged []string
	for _, o := range c.Unjudged {
		unjudged = append(unjudged, o.Name)
	}
	if got, want := strings.Join(unjudged, ", "), "GET /v1/books, POST /v1/loans/{id}/notes, POST /v1/login, GET /v1/public/{name}, GET /v1/readers/me, GET /v1/readers/{id}"; got != want {
		t.Errorf("unjudged: %s, want %s", got, want)
	}
	for name, public := range map[string]bool{"GET /v1/books": true, "POST /v1/login": true, "GET /v1/loans": false} {
		if o := operation(t, c, name); o.Public != public {
			t.Errorf("%s: public %v", name, o.Public)
		}
	}
}

// TestFields: what the policy says of members is found in requests and in
// responses, at any depth and through allOf.
func TestFields(t *testing.T) {
	c, err := Load("testdata/store/parley.yaml")
	if err != nil {
		t.Fatal(err)
	}
	reader := operation(t, c, "PATCH /v1/readers/{id}")
	marked := func(f *Facts) string {
		var out []string
		if f.Result.Fault != nil {
			t.Fatal(f.Result.Fault)
		}
		for _, v := range f.Result.Violations {
			if v.Kind == jsonscan.Marked {
				m := c.Mark(v.Mark)
				out = append(out, v.Pointer+" "+m.Schema+"."+m.Member)
			} else {
				out = append(out, v.Pointer+" "+v.Kind.String()+" "+v.Keyword)
			}
		}
		slices.Sort(out)
		return strings.Join(out, ", ")
	}
	const body = `{"name":"A","role":"librarian","email":"a@b.c","friend":{"role":"x","pin_hash":"y"},"pin_hash":"z","extra":1}`
	if got, want := marked(reader.RequestBody("application/json").Scan([]byte(body), jsonscan.Limits{})),
		"/extra undeclared properties, /friend/role Reader.role, /role Reader.role"; got != want {
		t.Errorf("request: %s, want %s", got, want)
	}
	if got, want := marked(reader.Response(200).Body("application/json").Scan([]byte(body), jsonscan.Limits{})),
		"/email Reader.email, /extra undeclared properties, /friend/pin_hash Reader.pin_hash, /pin_hash Reader.pin_hash"; got != want {
		t.Errorf("response: %s, want %s", got, want)
	}
	loan := operation(t, c, "GET /v1/loans/{id}")
	if got, want := marked(loan.Response(200).Body("application/json").Scan([]byte(`{"id":1,"reader_id":2,"lender":{"pin_hash":"x"}}`), jsonscan.Limits{})),
		"/lender/pin_hash Reader.pin_hash"; got != want {
		t.Errorf("loan: %s, want %s", got, want)
	}
	for i, want := range []FieldRule{
		{Schema: "Reader", Member: "pin_hash", NeverSend: true, Place: "parley.yaml:27"},
		{Schema: "Reader", Member: "role", WritableBy: []string{"librarian"}, Place: "parley.yaml:27"},
		{Schema: "Reader", Member: "email", ReadableBy: []string{"librarian", "clerk"}, Place: "parley.yaml:27"},
	} {
		if got := c.Mark(i + 1); !reflect.DeepEqual(*got, want) {
			t.Errorf("mark %d: %+v, want %+v", i+1, *got, want)
		}
	}
	if c.Mark(0) != nil || c.Mark(4) != nil {
		t.Error("a mark that is none")
	}
}

func TestLimits(t *testing.T) {
	c, err := Load("testdata/store/parley.yaml")
	if err != nil {
		t.Fatal(err)
	}
	o := operation(t, c, "POST /v1/login")
	if len(o.Limits) != 2 || o.Limits[0].Count != 5 || o.Limits[0].Per != time.Minute || o.Limits[1].By != "address" {
		t.Fatalf("limits: %+v", o.Limits)
	}
	for _, tt := range []struct {
		body, want string
		ok         bool
	}{
		{`{"email":" A@b.C","password":"x"}`, "a@b.c", true},
		{`{"password":"x"}`, "", false},
		{`{"email":7}`, "", false},
		{``, "", false},
	} {
		in := input(o, nil, "/v1/login", tt.body, "", "")
		if got, ok := o.Limits[0].Key(in); got != tt.want || ok != tt.ok {
			t.Errorf("%s: %q %v, want %q", tt.body, got, ok, tt.want)
		}
		if got, ok := o.Limits[1].Key(in); got != "192.0.2.1" || !ok {
			t.Errorf("address: %q %v", got, ok)
		}
	}
}
