package learn_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/needs"
	"github.com/parley-project/parley/learn"
)

// heap is how much memory is in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Whatever comes, memory is bounded, and what was left out is said.
func TestHostileIsBounded(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
	huge := `{"text":"` + strings.Repeat("x", 2<<20) + `"}`
	wide := func(i int) string {
		var b strings.Builder
		b.WriteByte('{')
		for j := range 300 {
			fmt.Fprintf(&b, `%q:{"x%d":%d},`, fmt.Sprint("n", i*300+j), i, j)
		}
		return b.String() + `"end":1}`
	}
	for name, make := range map[string]func(i int) *exchange.Exchange{
		"paths that succeed": func(i int) *exchange.Exchange {
			return call(t, fmt.Sprintf("GET /a%d/b%d/c", i%1000, i), "", 200, `{"ok":true}`)
		},
		"paths that fail": func(i int) *exchange.Exchange { return call(t, fmt.Sprintf("GET /x%d/y", i), "", 404, `{"e":1}`) },
		"paths forbidden": func(i int) *exchange.Exchange { return call(t, fmt.Sprintf("GET /v1/x%dz", i), "", 401, "") },
		"slugs": func(i int) *exchange.Exchange {
			return call(t, "GET /posts/a-word-of-"+letters(i), "", 200, `{"slug":"`+letters(i)+`"}`)
		},
		"query parameters": func(i int) *exchange.Exchange { return call(t, fmt.Sprintf("GET /search?p%d=1", i), "", 200, `{}`) },
		"methods":          func(i int) *exchange.Exchange { return call(t, "M"+letters(i)+" /", "", 200, `{}`) },
		"deep":             func(i int) *exchange.Exchange { return call(t, "POST /deep", deep, 200, deep) },
		"huge":             func(i int) *exchange.Exchange { return call(t, "POST /huge", huge, 200, huge) },
		"wide": func(i int) *exchange.Exchange {
			return call(t, fmt.Sprintf("POST /wide%d", i%50), wide(i), 200, wide(i))
		},
		"callers": func(i int) *exchange.Exchange {
			x := call(t, "GET /me", "", 200, fmt.Sprintf(`{"id":"u%d"}`, i))
			x.Server.Caller = &exchange.Caller{Subject: exchange.Subject(fmt.Sprint("u", i)), Roles: []string{fmt.Sprint("r", i)}, Claims: map[string]any{fmt.Sprint("c", i): i}}
			return x
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := 100_000
			switch name {
			case "deep", "huge":
				n = 30
			case "wide":
				n = 300
			}
			before := heap()
			l := learn.New(learn.Options{Examples: true})
			for i := range n {
				l.Add(make(i))
			}
			used := int64(heap()) - int64(before)
			if used > 120<<20 {
				t.Errorf("%d MiB are held, want at most 120", used>>20)
			}
			api, err := l.OpenAPI()
			if err != nil {
				t.Fatal(err)
			}
			if len(api) > 8<<20 {
				t.Errorf("the description has %d MiB", len(api)>>20)
			}
			file := filepath.Join(t.TempDir(), "openapi.yaml")
			if err := os.WriteFile(file, api, 0o600); err != nil {
				t.Fatal(err)
			}
			if len(api) < 1<<20 {
				if k, err := contract.FromAPI(file); err != nil || len(k.NotJudged) > 0 {
					t.Errorf("it does not load: %v %q", err, k.NotJudged[:min(len(k.NotJudged), 3)])
				}
			}
			l.Policy()
			l.Inventory()
			left := l.Left()
			if strings.Contains(left, "\n") {
				t.Errorf("what was left out is more than a line: %q", left)
			}
			if (name == "huge" || name == "deep" || name == "paths that fail") && left == "" {
				t.Error("nothing is said of what was left out")
			}
			needs.Figure(t, "learn, hostile: "+name, "%d exchanges, %.1f MiB held, %d KiB of description, %s", n, float64(used)/(1<<20), len(api)>>10, left)
			runtime.KeepAlive(l)
		})
	}
}

// letters is a number in letters only.
func letters(i int) string {
	s := ""
	for ; i > 0 || s == ""; i /= 26 {
		s += string(rune('a' + i%26))
	}
	return s
}

// FuzzAdd feeds what anybody may send: nothing panics, and what is written can
// be read.
func FuzzAdd(f *testing.F) {
	f.Add("GET", "/v1/orders/7?limit=1&x[]=2", "application/json", `{"a":[1,"x",null]}`, 200, "Bearer a.b.c", `{"id":7,"card":"4111111111111111"}`)
	f.Add("POST", "/{a}/:b/{{c}}/%2F", "application/x-www-form-urlencoded", "a=1&a=2&=%zz", 201, "Basic Og==", `[[[]]]`)
	f.Add("PATCH", "/\x00/é?%", "x/y; z", "{", 0, "", "")
	f.Fuzz(func(t *testing.T, method, target, mt, body string, status int, auth, reply string) {
		x := &exchange.Exchange{Request: exchange.Request{Method: method, Target: target, Authority: auth,
			Header: exchange.Header{{Name: "Content-Type", Value: mt}, {Name: "Authorization", Value: auth}, {Name: "X-" + mt, Value: auth}, {Name: "Cookie", Value: body}},
			Body:   exchange.Body{Size: int64(len(body)), Data: []byte(body)}}}
		if status != 0 {
			x.Response = &exchange.Response{Status: status, Header: exchange.Header{{Name: "Content-Type", Value: mt}}, Body: exchange.Body{Size: int64(len(reply)), Data: []byte(reply)}}
		}
		l := learn.New(learn.Options{Examples: true})
		for range 3 {
			l.Add(x)
		}
		api, err := l.OpenAPI()
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for name, data := range map[string][]byte{"openapi.yaml": api, "parley.yaml": l.Policy()} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if k, err := contract.Load(filepath.Join(dir, "parley.yaml")); err != nil || len(k.NotJudged) > 0 {
			t.Fatalf("what was learnt does not load: %v %v\n%s\n%s", err, k, api, l.Policy())
		}
		if again, err := l.Merge(api); err != nil || string(again) != string(api) {
			t.Fatalf("merged into itself it changed: %v\n%s\n%s", err, api, again)
		}
		l.Inventory()
		l.Diff()
	})
}
