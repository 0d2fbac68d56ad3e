package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parley-project/parley/contract"
)

// A world is an API that nobody designed: resources with keys of some kind,
// owners at some depth, members that may or may not be seen and set, a policy
// that says so, and people. Everything follows from its seed.
type world struct {
	seed      uint64
	r         *mrand.Rand
	integer   bool // subjects are numbers
	people    []*person
	resources []*resource
	contract  *contract.Contract
	api       *careless
}

type person struct {
	subject    string
	roles      []string
	key, token string
}

func (p *person) has(role string) bool { return p != nil && slices.Contains(p.roles, role) }

// A resource is one collection of the API.
type resource struct {
	name     string
	key      string // "integer", "uuid" or "slug"
	nested   bool   // under /v1/users/{uid}
	public   bool   // read by everybody, owned by nobody
	owner    []string
	envelope []string // members around an object in an answer
	bare     bool     // lists are arrays
	hide     bool     // another's object looks as if it were not there
	except   bool     // administrators may do everything
	same     bool     // one schema in both directions
	composed bool     // put together with allOf
	members  []*member
	keys     []string
}

// A member is a part of an object, at its top or under "detail".
type member struct {
	name               string
	detail             bool
	kind               string // "string", "integer" or "map"
	undeclared         bool
	readOnly           bool
	writeOnly          bool
	never              bool
	readable, writable string // a role, or empty
}

// hidden says that nobody may ever read it.
func (m *member) hidden() bool { return m.undeclared || m.writeOnly || m.never }

func (m *member) readableBy(p *person) bool {
	return !m.hidden() && (m.readable == "" || p.has(m.readable))
}

func (m *member) writableBy(p *person) bool {
	return !m.undeclared && !m.readOnly && (m.writable == "" || p.has(m.writable))
}

func (res *resource) base() string {
	if res.nested {
		return "/v1/users/{uid}/" + res.name
	}
	return "/v1/" + res.name
}

func (res *resource) schema(suffix string) string {
	return strings.ToUpper(res.name[:1]) + res.name[1:] + suffix
}

// oracleKeys signs tokens; all worlds share it, since making one takes longer
// than deciding on a thousand requests.
var oracleKeys = func() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}()

// newWorld makes a world and loads its contract.
func newWorld(t testing.TB, seed uint64) *world {
	t.Helper()
	w := &world{seed: seed, r: mrand.New(mrand.NewPCG(seed, 0x9a71))}
	w.integer = w.r.IntN(2) == 0
	w.makePeople(t)
	names := []string{"orders", "invoices", "notes", "letters", "claims", "tickets"}
	w.r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names[:2+w.r.IntN(2)] {
		w.resources = append(w.resources, w.makeResource(name))
	}
	open := w.makeResource("catalogue")
	open.public, open.nested, open.owner = true, false, nil
	w.resources = append(w.resources, open)
	w.api = newCareless(w)

	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	api, err := json.Marshal(w.description())
	if err != nil {
		t.Fatal(err)
	}
	write("openapi.json", string(api))
	write("parley.yaml", w.policy())
	write("jwks.json", oracleJWKS())
	keys := ""
	for _, p := range w.people {
		sum := sha256.Sum256([]byte(p.key))
		keys += fmt.Sprintf("- {name: %q, sha256: %s, subject: %q, roles: [%s]}\n", "key of "+p.subject, hex.EncodeToString(sum[:]), p.subject, strings.Join(p.roles, ", "))
	}
	write("api-keys.yaml", keys)
	if w.contract, err = contract.Load(filepath.Join(dir, "parley.yaml")); err != nil {
		t.Fatalf("world %d: %v\n%s\n%s", seed, err, w.policy(), api)
	}
	if len(w.contract.NotJudged) > 0 {
		t.Fatalf("world %d: not judged: %v", seed, w.contract.NotJudged)
	}
	return w
}

func (w *world) coin(of int) bool { return w.r.IntN(of) == 0 }

func (w *world) makePeople(t testing.TB) {
	for i := range 4 {
		p := &person{subject: fmt.Sprint(101 + i), key: fmt.Sprintf("key-%d-%d", w.seed, i)}
		if !w.integer {
			p.subject = []string{"asha", "priya", "rajan", "meera"}[i]
		}
		switch i {
		case 0:
			p.roles = []string{"admin"}
		case 1:
			p.roles = []string{"editor"}
		}
		p.token = signOracle(t, oracleKeys, p.subject, p.roles)
		w.people = append(w.people, p)
	}
}

func signOracle(t testing.TB, key *ecdsa.PrivateKey, subject string, roles []string) string {
	token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"iss": "https://login.example", "aud": "api", "sub": subject,
		"roles": roles, "exp": time.Now().Add(24 * time.Hour).Unix()})
	token.Header["kid"] = "k1"
	s, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func oracleJWKS() string {
	b, err := oracleKeys.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	return fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"k1","x":%q,"y":%q}]}`, enc(b[1:33]), enc(b[33:]))
}

func (w *world) makeResource(name string) *resource {
	pick := func(options ...[]string) []string { return options[w.r.IntN(len(options))] }
	res := &resource{
		name: name, key: pick([]string{"integer", "uuid", "slug"})[w.r.IntN(3)], nested: w.coin(3), bare: w.coin(4),
		owner:    pick([]string{"owner"}, []string{"user_id"}, []string{"meta", "owner"}, []string{"meta", "by", "id"}),
		envelope: pick(nil, nil, []string{"data"}, []string{"data", "item"}),
		hide:     w.coin(2), except: w.coin(2), same: w.coin(2), composed: w.coin(3),
	}
	for i := range 3 + w.r.IntN(6) {
		m := &member{name: fmt.Sprintf("m%d", i), detail: w.coin(3), kind: []string{"string", "string", "integer", "map"}[w.r.IntN(4)]}
		switch w.r.IntN(8) {
		case 0:
			m.readOnly = true
		case 1:
			m.writeOnly = true
		case 2:
			m.never = true
		case 3:
			m.readable = []string{"admin", "editor"}[w.r.IntN(2)]
		case 4:
			m.writable = []string{"admin", "editor"}[w.r.IntN(2)]
		}
		res.members = append(res.members, m)
	}
	// Rows always hold what no schema knows of. Both places have a member that is
	// declared: a schema without any says nothing, and closes nothing.
	res.members = append(res.members, &member{name: "title", kind: "string"}, &member{name: "size", kind: "integer", detail: true},
		&member{name: "password_hash", kind: "string", undeclared: true},
		&member{name: "internal", kind: "string", undeclared: true, detail: true})
	for i := range 6 {
		switch res.key {
		case "integer":
			res.keys = append(res.keys, fmt.Sprint(11+i*7))
		case "uuid":
			res.keys = append(res.keys, fmt.Sprintf("%08x-0000-4000-8000-%012x", w.r.Uint32(), i+1))
		default:
			res.keys = append(res.keys, fmt.Sprintf("%s-no-%c", name, 'a'+i))
		}
	}
	return res
}

type object = map[string]any

func (w *world) subjectType() object {
	if w.integer {
		return object{"type": "integer"}
	}
	return object{"type": "string"}
}

func (res *resource) keyType() object {
	switch res.key {
	case "integer":
		return object{"type": "integer"}
	case "uuid":
		return object{"type": "string", "format": "uuid"}
	}
	return object{"type": "string", "maxLength": 40}
}

func ref(name string) object { return object{"$ref": "#/components/schemas/" + name} }

// wrap puts a schema or value under names.
func wrap(names []string, inner any, each func(object) object) any {
	for _, n := range slices.Backward(names) {
		inner = each(object{n: inner})
	}
	return inner
}

func asSchema(properties object) object { return object{"type": "object", "properties": properties} }

func (w *world) description() object {
	schemas, paths := object{}, object{}
	for _, res := range w.resources {
		w.schemas(res, schemas)
		w.paths(res, paths)
	}
	paths["/v1/admin/report"] = object{"get": object{"responses": jsonAnswer("200", object{"type": "array", "items": object{"type": "string"}})}}
	paths["/v1/transfers"] = object{"post": object{
		"requestBody": jsonBody(asSchema(object{"from": w.subjectType(), "to": w.subjectType(), "amount": object{"type": "integer", "minimum": 1}})),
		"responses":   jsonAnswer("201", asSchema(object{"from": w.subjectType(), "to": w.subjectType(), "amount": object{"type": "integer"}})),
	}}
	return object{"openapi": "3.1.0", "info": object{"title": "generated", "version": "1"}, "security": []any{object{"token": []any{}}},
		"paths": paths, "components": object{"schemas": schemas}}
}

func jsonBody(schema any) object {
	return object{"required": true, "content": object{"application/json": object{"schema": schema}}}
}

func jsonAnswer(status string, schema any) object {
	return object{status: object{"description": "it", "content": object{"application/json": object{"schema": schema}}}}
}

// schemas declares a resource: as it is read, changed and made.
func (w *world) schemas(res *resource, schemas object) {
	id := res.keyType()
	id["readOnly"] = true
	fixed, input := object{"id": id}, object{}
	if !res.public {
		owner := w.subjectType()
		owner["readOnly"] = true
		fixed[res.owner[0]] = wrap(res.owner[1:], owner, asSchema)
	}
	detail := object{}
	for _, m := range res.members {
		if m.undeclared {
			continue
		}
		s := object{"type": m.kind}
		if m.kind == "map" {
			s = object{"type": "object", "additionalProperties": object{"type": "string"}}
		}
		if m.readOnly {
			s["readOnly"] = true
		}
		if m.writeOnly {
			s["writeOnly"] = true
		}
		if m.detail {
			detail[m.name] = s
		} else {
			input[m.name] = s
		}
	}
	schemas[res.schema("Detail")] = asSchema(detail)
	input["detail"] = ref(res.schema("Detail"))
	all := asSchema(input)
	if res.composed {
		schemas[res.schema("Base")] = asSchema(fixed)
		all = object{"allOf": []any{ref(res.schema("Base")), asSchema(input)}}
	} else {
		for k, v := range fixed {
			input[k] = v
		}
	}
	schemas[res.schema("")] = all
	plain := object{}
	for k, v := range input {
		if k != "id" && (res.public || k != res.owner[0]) {
			plain[k] = v
		}
	}
	schemas[res.schema("In")] = asSchema(plain)
	if !res.public {
		made := object{}
		for k, v := range plain {
			made[k] = v
		}
		made[res.owner[0]] = wrap(res.owner[1:], w.subjectType(), asSchema)
		schemas[res.schema("New")] = object{"type": "object", "properties": made, "required": []any{res.owner[0]}}
	}
}

// input names the schema of what clients send to change an object.
func (res *resource) input() string {
	if res.same {
		return res.schema("")
	}
	return res.schema("In")
}

func (w *world) paths(res *resource, paths object) {
	one := jsonAnswer("200", wrap(res.envelope, ref(res.schema("")), asSchema))
	many := object{"type": "array", "items": ref(res.schema(""))}
	list := jsonAnswer("200", wrap(res.envelope, asSchema(object{"items": many, "next": object{"type": "string"}}), asSchema))
	if res.bare {
		list = jsonAnswer("200", many)
	}
	parameter := func(name, in string, schema object) object {
		return object{"name": name, "in": in, "required": in != "query" || name == "id", "schema": schema}
	}
	var outer []any
	if res.nested {
		outer = append(outer, parameter("uid", "path", w.subjectType()))
	}
	secure := func(op object) object {
		if res.public {
			op["security"] = []any{}
		}
		return op
	}
	collection := object{"parameters": outer, "get": secure(object{"responses": list, "parameters": []any{parameter("user_id", "query", w.subjectType())}})}
	item := object{"parameters": append(slices.Clone(outer), parameter("id", "path", res.keyType())), "get": secure(object{"responses": one})}
	if !res.public {
		made := jsonAnswer("201", wrap(res.envelope, ref(res.schema("")), asSchema))
		collection["post"] = object{"requestBody": jsonBody(ref(res.schema("New"))), "responses": made}
		item["put"] = object{"requestBody": jsonBody(ref(res.input())), "responses": one}
		item["patch"] = object{"requestBody": jsonBody(ref(res.input())), "responses": one}
		item["delete"] = object{"responses": object{"204": object{"description": "gone"}}}
	}
	paths[res.base()] = collection
	paths[res.base()+"/{id}"] = item
	paths["/v1/"+res.name+"-by-query"] = object{"get": secure(object{"responses": one, "parameters": []any{parameter("id", "query", res.keyType())}})}
	paths["/v1/"+res.name+"-by-header"] = object{"get": secure(object{"responses": one, "parameters": []any{parameter("X-Object-Id", "header", res.keyType())}})}
}

// policy writes parley.yaml.
func (w *world) policy() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("api: openapi.json\nmode: enforce\nupstream: http://127.0.0.1:1")
	line("identity:\n  jwt: {issuer: https://login.example, audience: api, keys: jwks.json, algorithms: [ES256]}")
	line("  cookie: session\n  api_keys: {header: X-API-Key, file: api-keys.yaml}")
	line("  subject: {claim: sub, type: %s}", w.subjectType()["type"])
	line("rules:\n  - {operation: GET /v1/admin/report, allow: '\"admin\" in caller.roles'}")
	line("  - {operation: POST /v1/transfers, allow: request.body.from == caller.id}")
	for _, res := range w.resources {
		if res.public {
			continue
		}
		rule := func(operation, verb, expr string) {
			except := ""
			if res.except {
				except = `, unless: '"admin" in caller.roles'`
			}
			line("  - {operation: %q, %s: '%s'%s, hide_existence: %v}", operation, verb, expr, except, res.hide)
		}
		owner, around := strings.Join(res.owner, "."), strings.Join(append([]string{""}, res.envelope...), ".")
		for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} {
			from := "object"
			if method == "GET" {
				from = "response"
			}
			rule(method+" "+res.base()+"/{id}", "owner", from+around+"."+owner)
		}
		rule("GET /v1/"+res.name+"-by-query", "owner", "response"+around+"."+owner)
		rule("GET /v1/"+res.name+"-by-header", "owner", "response"+around+"."+owner)
		items := "response" + around + ".items"
		if res.bare {
			items = "response"
		}
		rule("GET "+res.base(), "allow", items+".all(o, o."+owner+" == caller.id)")
		rule("GET "+res.base(), "allow", "!has(request.query.user_id) || request.query.user_id == caller.id")
		rule("POST "+res.base(), "allow", "request.body."+owner+" == caller.id")
		if res.nested {
			rule("* "+strings.ReplaceAll(res.base(), "{uid}", "*")+"/**", "allow", "request.path.uid == caller.id")
		}
	}
	line("fields:")
	for _, res := range w.resources {
		for _, m := range res.members {
			top := []string{res.schema("")}
			if m.detail {
				top = []string{res.schema("Detail")}
			}
			in := slices.Clone(top)
			if !m.detail && !res.public {
				in = append(in, res.schema("In"), res.schema("New"))
			}
			switch {
			case m.never:
				line("  - {schema: %s, never_send: [%s]}", top[0], m.name)
			case m.readable != "":
				line("  - {schema: %s, readable_by: {%s: [%s]}}", top[0], m.name, m.readable)
			case m.writable != "":
				for _, s := range in {
					line("  - {schema: %s, writable_by: {%s: [%s]}}", s, m.name, m.writable)
				}
			}
		}
	}
	return strings.TrimSuffix(b.String(), "fields:\n")
}
