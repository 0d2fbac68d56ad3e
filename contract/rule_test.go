package contract

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/jsonscan"
)

// withPolicy loads the library's API with the given lines of policy.
func withPolicy(t testing.TB, policy string) (*Contract, error) {
	t.Helper()
	dir := t.TempDir()
	api, err := os.ReadFile("testdata/store/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"openapi.yaml": string(api), "parley.yaml": "api: openapi.yaml\n" + policy} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(filepath.Join(dir, "parley.yaml"))
}

func operation(t testing.TB, c *Contract, name string) *Operation {
	t.Helper()
	for _, o := range c.Operations {
		if o.Name == name {
			return o
		}
	}
	t.Fatalf("no operation %s", name)
	return nil
}

// input makes what a rule is evaluated on: caller, target, and the three
// bodies, each "" for none.
func input(o *Operation, caller *exchange.Caller, target, body, reply, object string, header ...exchange.Field) *Input {
	path, _, _ := strings.Cut(target, "?")
	r, _ := newRouter([]*Operation{o})
	in := &Input{
		Caller: caller, Address: "192.0.2.1",
		Request: &exchange.Request{Method: o.Method, Target: target, Header: header},
		Params:  r.match(o.Method, path).Params,
	}
	if body != "" {
		in.Body = o.RequestBody("application/json").Scan([]byte(body), jsonscan.Limits{})
	}
	if reply != "" {
		in.Reply = o.Response(200).Body("application/json").Scan([]byte(reply), jsonscan.Limits{})
	}
	if object != "" {
		in.Object = o.Preread.Response(200).Body("application/json").Scan([]byte(object), jsonscan.Limits{})
	}
	return in
}

var (
	priya = &exchange.Caller{Subject: "101", Name: "priya", Roles: []string{"reader"}, Scopes: []string{"loans"},
		Claims: map[string]any{"tenant": "north", "level": json.Number("3"), "vip": false}}
	admin = &exchange.Caller{Subject: "7", Roles: []string{"librarian"}}
)

// TestRules is a matrix: each rule with what makes it true, what makes it
// false, and what is not there.
func TestRules(t *testing.T) {
	const integers = "identity: {subject: {type: integer}}\n"
	type try struct {
		caller                      *exchange.Caller
		target, body, reply, object string
		want                        bool
	}
	for _, tt := range []struct {
		operation, rule, head string
		phase                 Phase
		tries                 []try
	}{
		{"GET /v1/loans", "allow: request.query.reader_id == caller.id", integers, OnRequest, []try{
			{caller: priya, target: "/v1/loans?reader_id=101", want: true},
			{caller: priya, target: "/v1/loans?reader_id=102"},
			{caller: priya, target: "/v1/loans"},
			{caller: priya, target: "/v1/loans?reader_id="},
			{caller: priya, target: "/v1/loans?reader_id=0101"},
			{caller: priya, target: "/v1/loans?reader_id=101&reader_id=102"},
			{caller: priya, target: "/v1/loans?reader_id=102&reader_id=101"},
			{caller: priya, target: "/v1/loans?reader%5fid=101", want: true},
			{target: "/v1/loans?reader_id=101"},
		}},
		{"GET /v1/loans", "allow: '!has(request.query.reader_id) || request.query.reader_id == caller.id'", integers, OnRequest, []try{
			{caller: priya, target: "/v1/loans", want: true},
			{caller: priya, target: "/v1/loans?reader_id=101", want: true},
			{caller: priya, target: "/v1/loans?reader_id=102"},
			{caller: priya, target: "/v1/loans?reader_id=102&reader_id=101"},
			{caller: priya, target: "/v1/loans?reader_id=x"},
			{caller: priya, target: "/v1/loans?reader_id=%zz"},
		}},
		{"GET /v1/loans/{id}", "owner: response.reader_id", integers, OnResponse, []try{
			{caller: priya, target: "/v1/loans/1", reply: `{"id":1,"reader_id":101}`, want: true},
			{caller: priya, target: "/v1/loans/1", reply: `{"id":1,"reader_id":102}`},
			{caller: priya, target: "/v1/loans/1", reply: `{"id":1}`},
			{caller: priya, target: "/v1/loans/1", reply: `{"id":1,"reader_id":null}`},
			{caller: priya, target: "/v1/loans/1", reply: `{"id":1,"reader_id":"101"}`},
			{caller: priya, target: "/v1/loans/1", reply: `{"id":1,"reader_id":102,"reader_id":101}`},
			{caller: priya, target: "/v1/loans/1", reply: `{"id":1,"book":{"reader_id":101}}`},
			{caller: priya, target: "/v1/loans/1", reply: `{"reader_id":101`},
			{caller: priya, target: "/v1/loans/1"},
			{target: "/v1/loans/1", reply: `{"id":1,"reader_id":101}`},
			{caller: &exchange.Caller{Subject: "9007199254740993"}, target: "/v1/loans/1", reply: `{"id":1,"reader_id":9007199254740993}`, want: true},
			{caller: &exchange.Caller{Subject: "9007199254740993"}, target: "/v1/loans/1", reply: `{"id":1,"reader_id":9007199254740992}`},
			{caller: &exchange.Caller{Subject: "9007199254740993"}, target: "/v1/loans/1", reply: `{"id":1,"reader_id":9007199254740993.0}`},
			{caller: priya, target: "/v1/loans/1", reply: `{"id":1,"reader_id":101.0}`, want: true},
			{caller: &exchange.Caller{Subject: ""}, target: "/v1/loans/1", reply: `{"id":1,"reader_id":0}`},
			{caller: &exchange.Caller{Subject: "101 "}, target: "/v1/loans/1", reply: `{"id":1,"reader_id":101}`},
		}},
		{"GET /v1/loans/{id}", "owner: response.reader_id\n    unless: '\"librarian\" in caller.roles'", integers, OnResponse, []try{
			{caller: admin, target: "/v1/loans/1", reply: `{"id":1,"reader_id":102}`, want: true},
			{caller: priya, target: "/v1/loans/1", reply: `{"id":1,"reader_id":102}`},
			{caller: priya, target: "/v1/loans/1", reply: `{"id":1,"reader_id":101}`, want: true},
			{target: "/v1/loans/1", reply: `{"id":1,"reader_id":101}`},
		}},
		{"GET /v1/loans/{id}", "allow: response.lender.friend.name == caller.name", "", OnResponse, []try{
			{caller: priya, target: "/v1/loans/1", reply: `{"id":1,"reader_id":1,"lender":{"friend":{"name":"priya"}}}`, want: true},
			{caller: priya, target: "/v1/loans/1", reply: `{"id":1,"reader_id":1,"lender":{"friend":{"name":"p\u0072iya"}}}`, want: true},
			{caller: priya, target: "/v1/loans/1", reply: `{"id":1,"reader_id":1,"lender":{"name":"priya"}}`},
			{caller: priya, target: "/v1/loans/1", reply: `{"id":1,"reader_id":1,"lender":null}`},
			{caller: admin, target: "/v1/loans/1", reply: `{"id":1,"reader_id":1,"lender":{"friend":{"name":""}}}`},
		}},
		{"GET /v1/loans/{id}", "allow: response.returned_at == null", "", OnResponse, []try{
			{caller: priya, target: "/v1/loans/1", reply: `{"id":1,"reader_id":1,"returned_at":null}`, want: true},
			{caller: priya, target: "/v1/loans/1", reply: `{"id":1,"reader_id":1,"returned_at":"2026-01-01T00:00:00Z"}`},
			{caller: priya, target: "/v1/loans/1", reply: `{"id":1,"reader_id":1}`},
		}},
		{"GET /v1/loans", "allow: response.items.all(o, o.reader_id == caller.id)", integers, OnResponse, []try{
			{caller: priya, target: "/v1/loans", reply: `{"items":[{"id":1,"reader_id":101},{"id":2,"reader_id":101}]}`, want: true},
			{caller: priya, target: "/v1/loans", reply: `{"items":[]}`, want: true},
			{caller: priya, target: "/v1/loans", reply: `{"items":[{"id":1,"reader_id":101},{"id":2,"reader_id":102}]}`},
			{caller: priya, target: "/v1/loans", reply: `{"items":[{"id":1,"reader_id":101},{"id":2}]}`},
			{caller: priya, target: "/v1/loans", reply: `{"items":[{"id":1,"reader_id":101},7]}`},
			{caller: priya, target: "/v1/loans", reply: `{"items":null}`},
			{caller: priya, target: "/v1/loans", reply: `{}`},
			{target: "/v1/loans", reply: `{"items":[{"id":1,"reader_id":101}]}`},
		}},
		{"GET /v1/books", "allow: response.all(b, !has(b.cost) || \"clerk\" in caller.roles)", "", OnResponse, []try{
			{caller: priya, target: "/v1/books", reply: `[{"id":1},{"id":2}]`, want: true},
			{caller: priya, target: "/v1/books", reply: `[{"id":1},{"id":2,"cost":3.5}]`},
			{caller: &exchange.Caller{Subject: "1", Roles: []string{"clerk"}}, target: "/v1/books", reply: `[{"id":2,"cost":3.5}]`, want: true},
			{caller: priya, target: "/v1/books", reply: `{}`},
		}},
		{"DELETE /v1/loans/{id}", "owner: object.reader_id", integers, OnObject, []try{
			{caller: priya, target: "/v1/loans/1", object: `{"id":1,"reader_id":101}`, want: true},
			{caller: priya, target: "/v1/loans/1", object: `{"id":1,"reader_id":102}`},
			{caller: priya, target: "/v1/loans/1"},
		}},
		{"POST /v1/loans", "allow: request.body.reader_id == caller.id", integers, OnRequest, []try{
			{caller: priya, target: "/v1/loans", body: `{"book_id":4,"reader_id":101}`, want: true},
			{caller: priya, target: "/v1/loans", body: `{"book_id":4,"reader_id":102}`},
			{caller: priya, target: "/v1/loans", body: `{"book_id":4}`},
			{caller: priya, target: "/v1/loans"},
		}},
		{"POST /v1/loans", "allow: '!has(request.body.reader_id) || request.body.reader_id == caller.id'", integers, OnRequest, []try{
			{caller: priya, target: "/v1/loans", body: `{"book_id":4}`, want: true},
			{caller: priya, target: "/v1/loans", body: `{"book_id":4,"reader_id":"102"}`},
			{caller: priya, target: "/v1/loans", body: `{"book_id":4,"reader_id":101,"reader_id":102}`},
			{caller: priya, target: "/v1/loans", want: true},
		}},
		{"PATCH /v1/readers/{id}", `allow: request.path.id == caller.id && caller.claims.tenant == request.header["x-tenant"]`, integers, OnRequest, []try{
			{caller: priya, target: "/v1/readers/101"},
		}},
		{"PATCH /v1/readers/{id}", "owner: request.path.id", integers, OnRequest, []try{
			{caller: priya, target: "/v1/readers/101", want: true},
			{caller: priya, target: "/v1/readers/102"},
			{caller: priya, target: "/v1/readers/10%31", want: true},
			{caller: priya, target: "/v1/readers/101x"},
		}},
		{"GET /v1/admin/stock", `allow: caller.claims.level >= 3 && !caller.claims.vip && "loans" in caller.scopes`, "", OnRequest, []try{
			{caller: priya, target: "/v1/admin/stock", want: true},
			{caller: admin, target: "/v1/admin/stock"},
			{target: "/v1/admin/stock"},
		}},
		{"GET /v1/admin/stock", `allow: '!("banned" in caller.roles)'`, "", OnRequest, []try{
			{caller: priya, target: "/v1/admin/stock", want: true},
			{target: "/v1/admin/stock"},
		}},
		{"GET /v1/admin/stock", `allow: request.method == "GET"`, "", OnRequest, []try{
			{target: "/v1/admin/stock", want: true},
		}},
		{"PATCH /v1/readers/{id}", "owner: request.path.id\n    unless: object.tenant == caller.claims.tenant", integers, OnObject, []try{
			{caller: priya, target: "/v1/readers/102", object: `{"tenant":"north"}`, want: true},
			{caller: priya, target: "/v1/readers/102", object: `{"tenant":"south"}`},
			{caller: priya, target: "/v1/readers/102"},
			{caller: priya, target: "/v1/readers/101", want: true},
		}},
	} {
		c, err := withPolicy(t, tt.head+"rules:\n  - operation: "+tt.operation+"\n    "+tt.rule+"\n")
		if err != nil {
			t.Errorf("%s %s: %v", tt.operation, tt.rule, err)
			continue
		}
		o := operation(t, c, tt.operation)
		rule := o.Rules[0]
		if rule.Phase != tt.phase {
			t.Errorf("%s %s: phase %v, want %v", tt.operation, tt.rule, rule.Phase, tt.phase)
		}
		for _, try := range tt.tries {
			in := input(o, try.caller, try.target, try.body, try.reply, try.object)
			if got, err := rule.Allows(in); got != try.want || err != nil {
				t.Errorf("%s %s: %+v: %v (%v), want %v", tt.operation, tt.rule, try, got, err, try.want)
			}
		}
	}
}

func TestRuleHeader(t *testing.T) {
	c, err := withPolicy(t, "rules:\n  - operation: GET /v1/admin/stock\n    allow: request.header[\"x-tenant\"] == caller.claims.tenant\n")
	if err != nil {
		t.Fatal(err)
	}
	o := operation(t, c, "GET /v1/admin/stock")
	for _, tt := range []struct {
		header []exchange.Field
		want   bool
	}{
		{[]exchange.Field{{Name: "X-Tenant", Value: "north"}}, true},
		{[]exchange.Field{{Name: "X-Tenant", Value: "south"}}, false},
		{[]exchange.Field{{Name: "X-Tenant", Value: "north"}, {Name: "x-tenant", Value: "south"}}, false},
		{nil, false},
	} {
		if got, err := o.Rules[0].Allows(input(o, priya, "/v1/admin/stock", "", "", "", tt.header...)); got != tt.want || err != nil {
			t.Errorf("%v: %v (%v), want %v", tt.header, got, err, tt.want)
		}
	}
}

func BenchmarkRule(b *testing.B) {
	c, err := withPolicy(b, "identity: {subject: {type: integer}}\nrules:\n  - operation: GET /v1/loans/{id}\n    owner: response.reader_id\n    unless: '\"librarian\" in caller.roles'\n  - operation: GET /v1/loans\n    allow: response.items.all(o, o.reader_id == caller.id)\n  - operation: GET /v1/books\n    allow: request.query.limit < 10\n")
	if err != nil {
		b.Fatal(err)
	}
	for _, bb := range []struct{ name, operation, target, reply string }{
		{"owner", "GET /v1/loans/{id}", "/v1/loans/1", `{"id":1,"reader_id":101,"book":{"title":"Emma"}}`},
		{"all20", "GET /v1/loans", "/v1/loans", `{"items":[` + strings.TrimSuffix(strings.Repeat(`{"id":1,"reader_id":101,"returned_at":null},`, 20), ",") + `]}`},
		{"query", "GET /v1/books", "/v1/books?limit=5", ""},
	} {
		b.Run(bb.name, func(b *testing.B) {
			o := operation(b, c, bb.operation)
			in := input(o, priya, bb.target, "", bb.reply, "")
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := o.Rules[0].Allows(in); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}
