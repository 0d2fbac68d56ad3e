package script

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/dop251/goja"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// bindings are the functions that the library calls as $: the event, and what
// JavaScript has no words for. Values cross as text and numbers.
func (r *runtime) bindings() *goja.Object {
	vm := r.vm
	o := vm.NewObject()
	fail := func(err error) { panic(vm.NewGoError(err)) }
	text := func(c goja.FunctionCall, i int) string { return c.Argument(i).String() }
	set := func(name string, f func(c goja.FunctionCall) any) {
		o.Set(name, func(c goja.FunctionCall) goja.Value { return vm.ToValue(f(c)) })
	}
	r.bindScopes(set, text, fail)

	set("more", func(goja.FunctionCall) any {
		p, err := further()
		if err != nil {
			fail(err)
		}
		v, err := vm.RunProgram(p)
		if err != nil {
			fail(err)
		}
		return v
	})

	// Tests.
	set("assertion", func(c goja.FunctionCall) any {
		if len(r.e.Assertions)-r.first >= maxTests {
			fail(fmt.Errorf("more than %d tests", maxTests))
		}
		r.e.Assertions = append(r.e.Assertions, Assertion{Name: text(c, 0)})
		return len(r.e.Assertions) - 1
	})
	set("judged", func(c goja.FunctionCall) any {
		i := int(c.Argument(0).ToInteger())
		if i < r.first || i >= len(r.e.Assertions) {
			return nil
		}
		a := &r.e.Assertions[i]
		a.Message = text(c, 1)
		a.Passed = a.Message == ""
		for at, n := range r.open {
			if n == i {
				r.open = append(r.open[:at], r.open[at+1:]...)
				break
			}
		}
		return nil
	})
	set("waiting", func(c goja.FunctionCall) any {
		r.open = append(r.open, int(c.Argument(0).ToInteger()))
		return nil
	})
	set("skipped", func(c goja.FunctionCall) any {
		r.e.Assertions = append(r.e.Assertions, Assertion{Name: text(c, 0), Passed: true, Skipped: true})
		return nil
	})
	set("count", func(goja.FunctionCall) any { return len(r.e.Assertions) - r.first })
	set("failed", func(c goja.FunctionCall) any { r.problem = text(c, 0); return nil })

	// The request, the response, the run.
	set("request", func(goja.FunctionCall) any { return requestObject(vm, r.e) })
	set("response", func(goja.FunctionCall) any {
		if r.e.Response == nil {
			return nil
		}
		return r.answerObject(r.e.Response, r.e.Body, r.e.Times, r.e.URL)
	})
	set("send", func(c goja.FunctionCall) any {
		if r.e.Send == nil {
			fail(errors.New("scripts may not send requests here"))
		}
		q, err := parseRequest(text(c, 0))
		if err != nil {
			fail(err)
		}
		got, err := r.e.Send(r.ctx, q)
		switch {
		case err != nil:
			fail(err)
		case got == nil || got.Response == nil:
			fail(errors.New("no response came"))
		}
		return r.answerObject(got.Response, got.Body, got.Times, q.URL)
	})
	set("cookies", func(c goja.FunctionCall) any { return r.jarCookies(text(c, 0)) })
	set("setCookie", func(c goja.FunctionCall) any {
		u, err := url.Parse(text(c, 0))
		if err != nil || u.Host == "" {
			fail(fmt.Errorf("%q is no URL", text(c, 0)))
		}
		if r.e.Jar != nil {
			if why := r.e.Jar.Set(u, text(c, 1), r.now()); why != "" {
				fail(errors.New(why))
			}
		}
		return nil
	})
	set("next", func(c goja.FunctionCall) any {
		if goja.IsNull(c.Argument(0)) {
			r.e.Next = &Next{End: true}
		} else {
			r.e.Next = &Next{Name: text(c, 0)}
		}
		return nil
	})
	set("skip", func(goja.FunctionCall) any { r.e.Skip = r.e.When == "prerequest"; return nil })
	set("visual", func(c goja.FunctionCall) any { r.e.Visual = text(c, 0); return nil })
	set("print", func(c goja.FunctionCall) any {
		if line := text(c, 1); r.e.Print != nil && r.written < maxOutput {
			r.written += len(line) + 1
			r.e.Print(text(c, 0), line)
		}
		return nil
	})

	// Time.
	callback := func(c goja.FunctionCall) goja.Callable {
		f, ok := goja.AssertFunction(c.Argument(0))
		if !ok {
			fail(errors.New("a timer needs a function"))
		}
		return f
	}
	set("later", func(c goja.FunctionCall) any { return r.later(callback(c), c.Argument(1).ToFloat(), false) })
	set("every", func(c goja.FunctionCall) any { return r.later(callback(c), c.Argument(1).ToFloat(), true) })
	set("cancel", func(c goja.FunctionCall) any {
		id := int(c.Argument(0).ToInteger())
		for i := range r.tasks {
			if r.tasks[i].id == id {
				r.tasks[i].every = 0
				r.tasks[i].f = func(goja.Value, ...goja.Value) (goja.Value, error) { return goja.Undefined(), nil }
			}
		}
		return nil
	})

	// Codings, digests, schemas.
	set("btoa", func(c goja.FunctionCall) any {
		b, ok := latin1(text(c, 0))
		if !ok {
			b = []byte(text(c, 0))
		}
		return base64.StdEncoding.EncodeToString(b)
	})
	set("atob", func(c goja.FunctionCall) any {
		b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.Join(strings.Fields(text(c, 0)), ""), "="))
		if err != nil {
			fail(errors.New("the text is not base64"))
		}
		return fromLatin1(b)
	})
	set("recode", func(c goja.FunctionCall) any {
		s, err := recode(text(c, 0), text(c, 1), text(c, 2))
		if err != nil {
			fail(err)
		}
		return s
	})
	set("digest", func(c goja.FunctionCall) any {
		h := digests[text(c, 0)]()
		b, _ := hex.DecodeString(text(c, 1))
		h.Write(b)
		return hex.EncodeToString(h.Sum(nil))
	})
	set("hmac", func(c goja.FunctionCall) any {
		b, _ := hex.DecodeString(text(c, 1))
		key, _ := hex.DecodeString(text(c, 2))
		h := hmac.New(digests[text(c, 0)], key)
		h.Write(b)
		return hex.EncodeToString(h.Sum(nil))
	})
	set("random", func(c goja.FunctionCall) any {
		b := make([]byte, max(0, min(c.Argument(0).ToInteger(), 1<<16)))
		rand.Read(b)
		return hex.EncodeToString(b)
	})
	set("uuid", func(goja.FunctionCall) any { v, _ := Dynamic("$guid", r.now()); return v })
	set("schema", func(c goja.FunctionCall) any { return schemaProblem(text(c, 0), text(c, 1)) })
	set("xml", func(c goja.FunctionCall) any {
		s, err := xmlToJSON(text(c, 0))
		if err != nil {
			fail(err)
		}
		return s
	})
	return o
}

func (r *runtime) bindScopes(set func(string, func(goja.FunctionCall) any), text func(goja.FunctionCall, int) string, fail func(error)) {
	scope := func(which string, write bool) *Variables {
		s := r.e.Scopes
		at := map[string]**Variables{"globals": &s.Globals, "environment": &s.Environment, "collection": &s.Collection, "data": &s.Data, "all": &s.Local}[which]
		if *at == nil && write {
			*at = &Variables{}
		}
		return *at
	}
	set("scopeName", func(c goja.FunctionCall) any {
		if v := scope(text(c, 0), false); v != nil {
			return v.Name
		}
		return ""
	})
	look := func(which, name string) (any, bool) {
		if which == "all" {
			return r.e.Scopes.Lookup(name)
		}
		return scope(which, false).Get(name)
	}
	set("has", func(c goja.FunctionCall) any { _, ok := look(text(c, 0), text(c, 1)); return ok })
	set("get", func(c goja.FunctionCall) any {
		v, ok := look(text(c, 0), text(c, 1))
		if !ok {
			return nil
		}
		b, err := json.Marshal(v)
		if err != nil {
			return nil
		}
		return string(b)
	})
	set("set", func(c goja.FunctionCall) any {
		var v any
		if err := json.Unmarshal([]byte(text(c, 2)), &v); err != nil {
			fail(err)
		}
		scope(text(c, 0), true).Set(text(c, 1), v)
		return nil
	})
	set("unset", func(c goja.FunctionCall) any {
		if v := scope(text(c, 0), false); v != nil {
			v.Unset(text(c, 1))
		}
		return nil
	})
	set("clear", func(c goja.FunctionCall) any {
		if v := scope(text(c, 0), false); v != nil {
			v.Clear()
		}
		return nil
	})
	set("all", func(c goja.FunctionCall) any {
		which := text(c, 0)
		all := map[string]any{}
		if which == "all" {
			s := r.e.Scopes
			for _, v := range []*Variables{s.Globals, s.Collection, s.Environment, s.Data, s.Local, s.Given} {
				for name, x := range v.All() {
					all[name] = x
				}
			}
		} else {
			all = scope(which, false).All()
		}
		b, err := json.Marshal(all)
		if err != nil {
			return "{}"
		}
		return string(b)
	})
	set("replace", func(c goja.FunctionCall) any {
		s, _ := r.e.Scopes.Replace(text(c, 0), r.now(), nil)
		return s
	})
}

var digests = map[string]func() hash.Hash{
	"MD5": md5.New, "SHA1": sha1.New, "SHA224": sha256.New224, "SHA256": sha256.New, "SHA384": sha512.New384, "SHA512": sha512.New,
}

// latin1 gives a byte for each character, as browsers' btoa does.
func latin1(s string) ([]byte, bool) {
	b := make([]byte, 0, len(s))
	for _, c := range s {
		if c > 0xff {
			return nil, false
		}
		b = append(b, byte(c))
	}
	return b, true
}

func fromLatin1(b []byte) string {
	out := make([]rune, len(b))
	for i, c := range b {
		out[i] = rune(c)
	}
	return string(out)
}

func recode(s, from, to string) (string, error) {
	var b []byte
	var err error
	switch from {
	case "hex":
		b, err = hex.DecodeString(s)
	case "base64":
		b, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	case "base64url":
		b, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	case "latin1":
		b, _ = latin1(s)
	default:
		b = []byte(s)
	}
	if err != nil {
		return "", fmt.Errorf("the text is not %s", from)
	}
	switch to {
	case "hex":
		return hex.EncodeToString(b), nil
	case "base64":
		return base64.StdEncoding.EncodeToString(b), nil
	case "base64url":
		return base64.RawURLEncoding.EncodeToString(b), nil
	case "latin1":
		return fromLatin1(b), nil
	}
	if !utf8.Valid(b) {
		return "", errors.New("the bytes are not UTF-8")
	}
	return string(b), nil
}

// schemaProblem judges a value by a JSON Schema; empty when it is good.
func schemaProblem(schema, value string) string {
	s, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	if err != nil {
		return "the schema is no JSON"
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(value))
	if err != nil {
		return "the value is no JSON"
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	c.UseLoader(jsonschema.SchemeURLLoader{}) // nothing is fetched
	if err := c.AddResource("schema.json", s); err != nil {
		return "the schema cannot be used: " + err.Error()
	}
	compiled, err := c.Compile("schema.json")
	if err != nil {
		return "the schema cannot be used: " + err.Error()
	}
	if err := compiled.Validate(v); err != nil {
		lines := strings.Split(err.Error(), "\n")
		return strings.TrimSpace(lines[len(lines)-1])
	}
	return ""
}
