package script

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/exchange"
)

var engine Engine

// after is an event whose response has come.
func after(body string) *Event {
	e := before()
	e.When = "test"
	e.Sent = &exchange.Request{Method: "GET", Scheme: "https", Authority: "api.test", Target: "/get?a=1", Header: exchange.Header{{Name: "X-Sent", Value: "yes"}}}
	e.Response = &exchange.Response{Status: 200, Header: exchange.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "Set-Cookie", Value: "sid=s1; Path=/"}}}
	e.Body = []byte(body)
	e.Times = exchange.Times{Wait: 12 * time.Millisecond}
	e.URL = "https://api.test/get?a=1"
	return e
}

func before() *Event {
	env := &Variables{Name: "dev"}
	env.Set("host", "api.test")
	return &Event{When: "prerequest", Item: "list", ID: "id1", Path: []string{"folder"}, Iterations: 1,
		Scopes:  &Scopes{Environment: env, Collection: &Variables{}, Globals: &Variables{}, Local: &Variables{}, Data: &Variables{}},
		Request: &archive.Request{Method: "POST", URL: "https://{{host}}/v1?x=1&y", Header: []archive.Field{{Name: "A", Value: "b"}}, Body: &archive.Body{Mode: "raw", Text: `{"a":1}`}}}
}

func run(t *testing.T, text string, e *Event) error {
	t.Helper()
	p, err := engine.Compile(archive.Script{When: e.When, Text: text}, "c.json:7")
	if err != nil {
		t.Fatalf("Compile(%s): %v", text, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return p.Run(ctx, e)
}

// said is the event's assertions, a line each: "ok name" or "not name: why".
func said(e *Event) string {
	var lines []string
	for _, a := range e.Assertions {
		switch {
		case a.Skipped:
			lines = append(lines, "skip "+a.Name)
		case a.Passed:
			lines = append(lines, "ok "+a.Name)
		default:
			lines = append(lines, "not "+a.Name+": "+a.Message)
		}
	}
	return strings.Join(lines, "\n")
}

// Each line is an expectation that holds; with "not" after the first word of
// its chain it must not.
var truths = []string{
	`expect(1).to.equal(1)`, `expect({a:1}).to.eql({a:1})`, `expect([1,{b:2}]).to.deep.equal([1,{b:2}])`, `expect("x").to.be.a("string")`, `expect([]).to.be.an("array")`,
	`expect(null).to.be.null`, `expect(undefined).to.be.undefined`, `expect(NaN).to.be.NaN`, `expect(0).to.exist`, `expect("").to.be.empty`, `expect({}).to.be.empty`, `expect([]).to.be.empty`,
	`expect(5).to.be.above(4)`, `expect(5).to.be.at.least(5)`, `expect(5).to.be.below(6)`, `expect(5).to.be.at.most(5)`, `expect(5).to.be.within(1,9)`, `expect(1.05).to.be.closeTo(1,0.1)`,
	`expect("abc").to.include("b")`, `expect([1,2]).to.include(2)`, `expect({a:1,b:2}).to.include({a:1})`, `expect([{a:1}]).to.deep.include({a:1})`,
	`expect({a:{b:[1]}}).to.have.nested.property("a.b[0]", 1)`, `expect({a:1}).to.have.property("a", 1)`, `expect({a:{b:1}}).to.have.deep.property("a", {b:1})`,
	`expect({a:1,b:2}).to.have.keys("a","b")`, `expect({a:1,b:2}).to.have.all.keys(["a","b"])`, `expect({a:1,b:2}).to.have.any.keys("a","z")`, `expect({a:1,b:2}).to.include.keys("a")`,
	`expect([1,2]).to.have.lengthOf(2)`, `expect("abc").to.have.length(3)`, `expect([1,2,3]).to.have.length.above(2)`, `expect([3,1,2]).to.have.members([1,2,3])`, `expect([1,2,3]).to.include.members([2])`,
	`expect(2).to.be.oneOf([1,2])`, `expect("a1").to.match(/\d/)`, `expect("abc").to.have.string("bc")`, `expect(() => { throw new Error("bad") }).to.throw("bad")`, `expect(() => 1).to.not.throw()`,
	`expect(new Date()).to.be.an.instanceof(Date)`, `expect(4).to.satisfy((n) => n % 2 === 0)`, `expect(true).to.be.true`, `expect(false).to.be.false`, `expect(1).to.be.ok`,
	`expect({}).to.not.have.property("x")`, `expect({a:1}).to.not.be.empty`, `expect([1]).to.be.an("array").that.is.not.empty`, `expect({a:[1]}).to.have.property("a").that.includes(1)`,
	`pm.response.to.have.status(200)`, `pm.response.to.have.status("OK")`, `pm.response.to.be.ok`, `pm.response.to.be.success`, `pm.response.to.not.be.error`, `pm.response.to.have.header("content-type")`,
	`pm.response.to.have.header("Content-Type", "application/json")`, `pm.response.to.have.jsonBody("a.b", 2)`, `pm.response.to.have.jsonBody()`, `pm.response.to.be.json`,
	`pm.expect(pm.response.code).to.equal(200)`, `pm.expect(pm.response).to.have.status(200)`, `pm.expect(pm.response.json().a.b).to.eql(2)`, `pm.expect(pm.response.responseTime).to.be.below(200)`,
	`pm.expect(pm.response.headers.get("content-type")).to.include("json")`, `pm.response.to.have.jsonSchema({type: "object", required: ["a"]})`, `pm.response.to.not.have.jsonSchema({type: "array"})`,
	`pm.expect(tv4.validate({a:1}, {properties: {a: {type: "integer"}}})).to.be.true`, `pm.expect(pm.response.cookies.get("sid")).to.equal("s1")`, `pm.expect(responseBody.has("a")).to.be.true`,
	`pm.expect(responseCode.code).to.equal(200)`, `pm.expect(postman.getResponseHeader("content-TYPE")).to.equal("application/json")`, `pm.expect(pm.request.url.toString()).to.equal("https://api.test/get?a=1")`,
	`pm.expect(pm.request.headers.get("x-sent")).to.equal("yes")`, `pm.expect(CryptoJS.SHA256("abc").toString()).to.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")`,
	`pm.expect(CryptoJS.enc.Base64.stringify(CryptoJS.HmacSHA1("a", "k"))).to.equal("QOfUQcrbF7B/BQNBqiOmgg7YHIs=")`, `pm.expect(CryptoJS.MD5("").toString()).to.equal("d41d8cd98f00b204e9800998ecf8427e")`,
	`pm.expect(btoa("hé")).to.equal("aOk=")`, `pm.expect(atob("aOk=")).to.equal("hé")`, `pm.expect(_.get({a:[{b:1}]}, "a[0].b")).to.equal(1)`, `pm.expect(_.isEqual({a:[1]}, {a:[1]})).to.be.true`,
	`pm.expect(_([3,1]).sortBy().map((n) => n * 2).value()).to.eql([2,6])`, `pm.expect(_.parseInt("08")).to.equal(8)`, `pm.expect(xml2Json("<a x='1'><b>2</b><b>3</b></a>").a.b).to.eql(["2","3"])`,
	`pm.expect(require("lodash").last([1,2])).to.equal(2)`, `pm.expect(pm.variables.replaceIn("https://{{host}}/")).to.equal("https://api.test/")`, `pm.expect(pm.environment.name).to.equal("dev")`,
	`pm.expect(pm.info.requestName).to.equal("list")`, `pm.expect(new (require("postman-collection").Url)("http://a.b:8/c/d?e=f#g").getPath()).to.equal("/c/d")`,
	`const {Property} = require("postman-collection"); pm.expect(Property.replaceSubstitutions("{{host}}")).to.equal("api.test")`,
	`pm.expect(Buffer.from("a:b").toString("base64")).to.equal("YTpi")`, `pm.environment.set("u", undefined); pm.expect(pm.environment.get("u")).to.equal(undefined)`,
	`postman.setGlobalVariable("c", 0); postman.setGlobalVariable("c", 1); pm.expect(pm.globals.get("c")).to.equal("1")`,
	`assert.equal(1, "1")`, `pm.expect(environment.host).to.equal("api.test")`,
}

func TestExpectations(t *testing.T) {
	for _, text := range truths {
		e := after(`{"a":{"b":2}}`)
		if err := run(t, `pm.test("it", () => { const expect = pm.expect; `+text+` })`, e); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got := said(e); got != "ok it" {
			t.Errorf("%s gave %q, want it to hold", text, got)
		}
		if !strings.Contains(text, ".to.") || strings.Contains(text, ".not.") {
			continue
		}
		e = after(`{"a":{"b":2}}`)
		run(t, `pm.test("it", () => { const expect = pm.expect; `+strings.Replace(text, ".to.", ".to.not.", 1)+` })`, e)
		if got := said(e); !strings.HasPrefix(got, "not it: ") {
			t.Errorf("%s with not gave %q, want it to fail", text, got)
		}
	}
}

func TestScripts(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"older", `tests["a"] = responseCode.code === 200; tests["b"] = false`, "ok a\nnot b: expected b to be truthy"},
		{"skip", `pm.test.skip("later", () => {}); pm.test("now", () => {})`, "skip later\nok now"},
		{"thrown", `pm.test("t", () => { undefined.x })`, "not t: TypeError: Cannot read property 'x' of undefined"},
		{"done", `pm.test("t", (done) => setTimeout(done, 1))`, "ok t"},
		{"never done", `pm.test("t", (done) => {})`, "not t: the test did not come to its end"},
		{"promise", `pm.test("t", async () => { await Promise.resolve(); pm.expect(1).to.equal(2) })`, "not t: expected 1 to equal 2"},
		{"await", `const v = await Promise.resolve(3); pm.test("t", () => pm.expect(v).to.equal(3))`, "ok t"},
		{"order", `setTimeout(() => pm.test("late", () => {}), 2); setTimeout(() => pm.test("soon", () => {}), 1); pm.test("now", () => {})`, "ok now\nok soon\nok late"},
		{"interval", `let n = 0; const i = setInterval(() => { if (++n === 3) { clearInterval(i); pm.test("three", () => {}) } }, 1)`, "ok three"},
		{"cleared", `const i = setTimeout(() => pm.test("no", () => {}), 1); clearTimeout(i)`, ""},
	} {
		e := after(`{}`)
		if err := run(t, c.text, e); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := said(e); got != c.want {
			t.Errorf("%s said %q, want %q", c.name, got, c.want)
		}
	}
}

// Variables keep their types, and one script does not see another's globals.
func TestScriptVariables(t *testing.T) {
	e := before()
	err := run(t, `pm.environment.set("n", 3); pm.globals.set("o", {a: [1]}); pm.collectionVariables.set("s", "x"); pm.variables.set("l", true);
		pm.environment.unset("host"); leaked = 1; postman.setEnvironmentVariable("old", "1")`, e)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		v    *Variables
		name string
		want any
	}{{e.Scopes.Environment, "n", 3.0}, {e.Scopes.Collection, "s", "x"}, {e.Scopes.Local, "l", true}, {e.Scopes.Environment, "old", "1"}} {
		if got, ok := c.v.Get(c.name); !ok || got != c.want {
			t.Errorf("%s is %v, want %v", c.name, got, c.want)
		}
	}
	if e.Scopes.Environment.Has("host") {
		t.Errorf("unset left host")
	}
	if err := run(t, `if (typeof leaked !== "undefined") throw new Error("leaked"); if (pm.globals.get("o").a[0] !== 1) throw new Error("o")`, e); err != nil {
		t.Error(err)
	}
}

// What a script changes of the request before it is sent is sent.
func TestRequestIsChanged(t *testing.T) {
	e := before()
	err := run(t, `pm.request.headers.add({key: "X-New", value: "1"}); pm.request.headers.remove("a"); pm.request.method = "PUT";
		pm.request.url.addQueryParams("z=3"); pm.request.body.update(JSON.stringify({b: 2}))`, e)
	if err != nil {
		t.Fatal(err)
	}
	r := e.Request
	if got := fmt.Sprint(r.Method, " ", r.URL, " ", r.Header, " ", r.Body.Text); got != `PUT https://{{host}}/v1?x=1&y&z=3 [{X-New 1  false}] {"b":2}` {
		t.Errorf("the request is %s", got)
	}
	e = before()
	if err := run(t, `pm.execution.skipRequest(); pm.environment.set("after", 1)`, e); err != nil || !e.Skip || e.Scopes.Environment.Has("after") {
		t.Errorf("skipRequest gave %v, skip %v", err, e.Skip)
	}
	if run(t, `pm.setNextRequest("other")`, e); e.Next == nil || e.Next.Name != "other" {
		t.Errorf("next is %+v", e.Next)
	}
	if run(t, `postman.setNextRequest(null)`, e); e.Next == nil || !e.Next.End {
		t.Errorf("next is %+v", e.Next)
	}
}

func TestSendRequest(t *testing.T) {
	e := after(`{}`)
	var asked []string
	e.Send = func(_ context.Context, r *archive.Request) (*Answer, error) {
		asked = append(asked, r.Method+" "+r.URL)
		if strings.Contains(r.URL, "bad") {
			return nil, fmt.Errorf("connection refused")
		}
		return &Answer{Response: &exchange.Response{Status: 201}, Body: []byte(`{"ok":true}`)}, nil
	}
	err := run(t, `pm.sendRequest("https://a.test/x", (e, r) => pm.test("callback", () => { pm.expect(e).to.be.null; pm.expect(r.json().ok).to.be.true; pm.expect(r).to.have.status(201) }));
		pm.sendRequest({url: "https://bad.test", method: "POST", header: {A: "b"}, body: {mode: "raw", raw: "x"}}, (e) => pm.test("error", () => pm.expect(e.message).to.include("refused")));
		pm.sendRequest("https://c.test").then((r) => pm.test("promise", () => pm.expect(r.code).to.equal(201)))`, e)
	if err != nil {
		t.Fatal(err)
	}
	if got := said(e); got != "ok callback\nok error\nok promise" {
		t.Errorf("said %q", got)
	}
	if got := strings.Join(asked, ", "); got != "GET https://a.test/x, POST https://bad.test, GET https://c.test" {
		t.Errorf("asked %s", got)
	}
}

// Errors name the place, and endless programs end.
func TestScriptErrors(t *testing.T) {
	if _, err := engine.Compile(archive.Script{Text: "let a = ;"}, "c.json:7"); err == nil || err.Error() != "script line 1, column 9: Unexpected token ;" {
		t.Errorf("Compile says %v, want the place", err)
	}
	if _, err := engine.Compile(archive.Script{Text: "puts 1", Language: "ruby"}, "c.json:7"); err == nil {
		t.Errorf("Compile(ruby) says nothing")
	}
	for text, want := range map[string]string{
		"\nthrow new Error('no')":               "Error: no (c.json:7, script line 2)",
		"undefinedFunction()":                   "ReferenceError: undefinedFunction is not defined",
		"(function f() { f() })()":              "the script calls itself more than",
		`require("fs")`:                         `module "fs" is not there`,
		"'a'.repeat(1e9)":                       "a text of more than 64 MiB",
		"const f = () => setTimeout(f, 0); f()": "more than 10000 timers",
		"const a = []; for (;;) a.push('x'.repeat(1e6)+a.length)": "the script uses more than",
		"pm.response.json()": "JSONError: the response is no JSON",
	} {
		err := run(t, text, after("{"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s says %v, want %q", text, err, want)
		}
	}
	p, err := engine.Compile(archive.Script{Text: "for (;;) {}"}, "c.json:7")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := p.Run(ctx, before()); err == nil || !strings.Contains(err.Error(), "did not come to its end in time") {
		t.Errorf("an endless script says %v", err)
	}
}

// JSON that is nested without end comes from servers, and what scripts nest
// themselves must not end the program either.
func TestDeepValues(t *testing.T) {
	for _, body := range []string{strings.Repeat("[", 3_000_000), strings.Repeat(`{"a":`, 500_000) + "1" + strings.Repeat("}", 500_000)} {
		e := after(body)
		if err := run(t, `pm.test("t", () => pm.response.json())`, e); err != nil {
			t.Fatal(err)
		}
		if got := said(e); !strings.Contains(got, "nested more than 1000 deep") {
			t.Errorf("a body of %d bytes said %q, want that it is too deep", len(body), got)
		}
	}
	const nest = `let a = []; for (let i = 0; i < 100000; i++) a = [a]; `
	for _, text := range []string{"JSON.stringify(a)", "String(a)", "a.join()", "a.flat(Infinity)", "pm.environment.set('a', a)", "console.log(a)", "pm.expect(a).to.eql([])"} {
		e := after("{}")
		e.Print = func(string, string) {}
		err := run(t, nest+`pm.test("t", () => { `+text+` })`, e)
		if got := said(e); err == nil && !strings.HasPrefix(got, "not t: ") && text != "console.log(a)" {
			t.Errorf("%s said %q", text, got)
		}
	}
	if got := nesting(`{"a":"[[[","b":[{"c":"\"["}]}`); got != 3 {
		t.Errorf("nesting is %d, want 3", got)
	}
}

// A program may run on several events at a time.
func TestScriptsAtOnce(t *testing.T) {
	p, err := engine.Compile(archive.Script{Text: `pm.test("t " + pm.variables.get("n"), () => pm.expect(pm.response.json().n).to.equal(pm.variables.get("n")))`}, "c.json:7")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan string)
	for n := range 20 {
		go func() {
			e := after(fmt.Sprintf(`{"n":%d}`, n))
			e.Scopes.Local.Set("n", float64(n))
			if err := p.Run(context.Background(), e); err != nil {
				done <- err.Error()
				return
			}
			if want := fmt.Sprintf("ok t %d", n); said(e) != want {
				done <- said(e) + ", want " + want
				return
			}
			done <- ""
		}()
	}
	for range 20 {
		if s := <-done; s != "" {
			t.Error(s)
		}
	}
}

func BenchmarkScript(b *testing.B) {
	p, err := engine.Compile(archive.Script{Text: `pm.test("a", () => pm.response.to.have.status(200)); pm.test("b", () => pm.expect(pm.response.json().a.b).to.equal(2)); pm.environment.set("x", pm.response.json().a.b)`}, "c.json:7")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := p.Run(context.Background(), after(`{"a":{"b":2}}`)); err != nil {
			b.Fatal(err)
		}
	}
}
