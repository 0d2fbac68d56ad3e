package console

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/parley-project/parley/internal/needs"
)

// A collection is composed, sent, run, saved and opened again; its secret stays
// in the file.
func TestCompose(t *testing.T) {
	_, s := newEmpty(t)
	api := target(t)
	dir := filepath.Join(t.TempDir(), "collections")
	c, srv := serve(t, Options{Store: s, Client: callingClient(s), Collections: dir})
	cl := open(t, c, srv.URL)
	made := map[string]any{"as": "Orders", "item": "0", "collection": map[string]any{"name": "Orders",
		"variables": []any{map[string]any{"name": "base", "value": api.URL}, map[string]any{"name": "token", "value": rajansToken, "secret": true}},
		"items": []any{map[string]any{"name": "one order", "method": "GET", "url": "{{base}}/v1/orders/887",
			"header": []any{map[string]any{"name": "Authorization", "value": "Bearer {{token}}"}},
			"expect": []any{map[string]any{"fact": "response.status", "is": "==", "want": "200"}, map[string]any{"fact": "response.body.$.id", "is": "==", "want": "888"}}}}}}
	var r struct{ Results []ranView }
	if status := cl.post("/api/compose/send", made, &r); status != 200 || len(r.Results) != 1 {
		t.Fatalf("send: %d with %d results, want 200 with 1", status, len(r.Results))
	}
	one := r.Results[0]
	if one.Status != 200 || len(one.Assertions) != 2 || !one.Assertions[0].Passed || one.Assertions[1].Passed || one.ID == "" {
		t.Errorf("send gave %+v, want 200, one expectation held, one not", one)
	}
	if one.Exchange == nil || strings.Contains(string(one.Exchange.Response.Body.Data), rajansToken) {
		t.Errorf("the page gets the token")
	}
	var saved opened
	if status := cl.post("/api/compose/save", made, &saved); status != 200 || saved.File == "" {
		t.Fatalf("save: %d, %+v", status, saved)
	}
	file := filepath.Join(dir, saved.File)
	data, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(data), rajansToken) {
		t.Errorf("the file has no token: %v", err)
	}
	if i, err := os.Stat(file); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, want 600", i.Mode())
	}
	var again opened
	if status := cl.get("/api/collections/"+saved.File, &again); status != 200 {
		t.Fatalf("open: %d", status)
	}
	if v := again.Collection.Variables; len(v) != 2 || v[1].Value == rajansToken || v[1].Value == "" {
		t.Errorf("opened again, the variables are %+v, want a placeholder for the token", v)
	}
	// With the placeholder in its place the run has the token all the same.
	if status := cl.post("/api/compose/run", map[string]any{"file": again.File, "version": again.Version, "collection": again.Collection}, &r); status != 200 || len(r.Results) != 1 || r.Results[0].Status != 200 {
		t.Errorf("run: %d, %+v", status, r.Results)
	}
	if status := cl.post("/api/compose/save", map[string]any{"file": again.File, "version": again.Version, "as": again.File, "collection": again.Collection}, nil); status != 200 {
		t.Errorf("save again: %d", status)
	}
	if after, err := os.ReadFile(file); err != nil || !strings.Contains(string(after), rajansToken) {
		t.Errorf("saved with its placeholder, the file lost the token: %v", err)
	}
}

// Nothing leads out of the folder, and nothing is done for another site.
func TestComposeHostile(t *testing.T) {
	_, s := newEmpty(t)
	dir := filepath.Join(t.TempDir(), "collections")
	c, srv := serve(t, Options{Store: s, Client: callingClient(s), Collections: dir})
	cl := open(t, c, srv.URL)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(filepath.Dir(dir), "outside.yaml")
	if err := os.WriteFile(outside, []byte("name: outside\nrequests: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"..%2Foutside.yaml", "link.yaml", "%2e%2e%2foutside.yaml", ".hidden.yaml", "none.yaml"} {
		if status := cl.get("/api/collections/"+name, nil); status < 400 {
			t.Errorf("GET %s: %d, want a refusal", name, status)
		}
	}
	empty := map[string]any{"name": "x", "variables": []any{}, "items": []any{}}
	for _, name := range []string{"../outside.yaml", "/etc/passwd", "link.yaml"} {
		cl.post("/api/compose/save", map[string]any{"as": name, "collection": empty}, nil)
	}
	if data, err := os.ReadFile(outside); err != nil || !strings.HasPrefix(string(data), "name: outside") {
		t.Errorf("the file outside is %q, %v", data, err)
	}
	if status := cl.post("/api/compose/save", []byte(`{"as":"`+strings.Repeat("a", 16<<20)+`"}`), nil); status != 413 {
		t.Errorf("a save of 16 MiB: %d, want 413", status)
	}
	for _, bad := range []string{"", "[]", `{"collection":{"items":[null]}}`, `{"item":"9.9","collection":{"items":[]}}`, `{"item":"-1","collection":{"items":[{}]}}`} {
		for _, path := range []string{"send", "run", "save", "curl", "import"} {
			if status := cl.post("/api/compose/"+path, []byte(bad), nil); status >= 500 {
				t.Errorf("POST %s of %q: %d", path, bad, status)
			}
		}
	}
}

// What is switched off cannot stand in the file: the page says so. A secret
// that nobody declared is masked all the same, and a JSON body stays readable.
func TestComposeKeeps(t *testing.T) {
	_, s := newEmpty(t)
	api := target(t)
	c, srv := serve(t, Options{Store: s, Client: callingClient(s), Collections: t.TempDir()})
	cl := open(t, c, srv.URL)
	made := map[string]any{"as": "../Kept & fine", "collection": map[string]any{"name": "Kept", "items": []any{map[string]any{"name": "one", "method": "POST", "url": api.URL + "/{{x}}",
		"query": []any{map[string]any{"name": "a b", "value": "1&2{{x}}"}, map[string]any{"name": "off", "value": "1", "off": true}},
		"auth":  map[string]any{"scheme": "bearer", "token": rajansToken}, "body": map[string]any{"mode": "json", "text": `{"b": 1, "a": [2]}`}}},
		"variables": []any{map[string]any{"name": "x", "value": "v1"}}}}
	var saved opened
	if status := cl.post("/api/compose/save", made, &saved); status != 200 || saved.File != "kept-fine.yaml" {
		t.Fatalf("save: %d to %q", status, saved.File)
	}
	if len(saved.Warnings) != 1 || !strings.Contains(saved.Warnings[0], "off is switched off") {
		t.Errorf("the warnings are %q, want that off is not kept", saved.Warnings)
	}
	it := saved.Collection.Items[0]
	if it.URL != api.URL+"/{{x}}" || len(it.Query) != 1 || it.Query[0] != (fieldForm{Name: "a b", Value: "1&2{{x}}"}) || it.Body.Mode != "json" || !strings.HasPrefix(it.Body.Text, "{\n  \"b\": 1,") {
		t.Errorf("opened again it is %+v", it)
	}
	if it.Auth.Token == rajansToken || it.Auth.Token == "" {
		t.Errorf("the token is %q, want a placeholder", it.Auth.Token)
	}
	var r struct{ Results []ranView }
	body := map[string]any{"file": saved.File, "version": saved.Version, "collection": saved.Collection, "item": "0"}
	if status := cl.post("/api/compose/send", body, &r); status != 200 || len(r.Results) != 1 || r.Results[0].Status != 200 {
		t.Fatalf("send: %d, %+v", status, r.Results)
	}
	got := string(r.Results[0].Exchange.Response.Body.Data)
	if !strings.Contains(got, "a%20b=1%262v1") || !strings.Contains(got, `\"b\":1`) || strings.Contains(got, rajansToken) {
		t.Errorf("the API got %s", got)
	}
	if status := cl.post("/api/compose/save", map[string]any{"file": saved.File, "version": "old", "collection": saved.Collection}, nil); status != 409 {
		t.Errorf("saving over a file that changed: %d, want 409", status)
	}
	var command struct{ Curl string }
	if status := cl.post("/api/compose/curl", body, &command); status != 200 || !strings.Contains(command.Curl, "curl") || strings.Contains(command.Curl, rajansToken) {
		t.Errorf("as curl: %d %s", status, command.Curl)
	}
	if status := cl.post("/api/compose/run", map[string]any{"collection": map[string]any{"name": "", "items": []any{}, "variables": []any{}}}, &r); status != 200 || r.Results == nil {
		t.Errorf("running nothing: %d, %v; want an empty list", status, r.Results)
	}
	var p Problem
	if status := cl.post("/api/compose/save", map[string]any{"as": "x", "collection": map[string]any{"name": "x", "items": []any{map[string]any{"name": "fine", "method": "GET", "url": "http://x/"},
		map[string]any{"name": "wrong", "method": "GE T", "url": "http://x/"}}}}, &p); status != 400 || p.Detail != `wrong: "GE T" is no method` {
		t.Errorf("saving a method with a space: %d %q, want which request is wrong", status, p.Detail)
	}
	for name, text := range map[string]string{"pasted.sh": "curl -u rajan:" + rajansToken + " " + api.URL, "a.http": "GET " + api.URL + "\n", "x.postman_collection.json": `{"info":{"name":"P","schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},"item":[{"name":"r","request":{"method":"GET","url":"` + api.URL + `"}}]}`} {
		var in opened
		if status := cl.post("/api/compose/import", map[string]string{"name": name, "text": text}, &in); status != 200 || len(in.Collection.Items) != 1 || in.Collection.Items[0].URL == "" {
			t.Errorf("importing %s: %d, %+v", name, status, in)
		}
		if b, _ := json.Marshal(in); strings.Contains(string(b), rajansToken) {
			t.Errorf("importing %s shows its secret", name)
		}
	}
}

// What strangers wrote is text, in every field of the page and of a trace.
func TestComposeHostilePage(t *testing.T) {
	needs.Program(t, needs.Chromium)
	d, s := newEmpty(t)
	c, srv := serve(t, Options{Store: s, Client: callingClient(s), Collections: t.TempDir()})
	cl := open(t, c, srv.URL)
	ctx := browser(t, 1280, 800)
	within(t, ctx, "start", watchPolicy(), chromedp.Navigate(srv.URL+c.StartPath()), chromedp.WaitVisible(".side"))
	shown := 0
	for i, p := range payloads {
		x := hostileExchange(d, i, p)
		id := string(x.ID)
		d.record(x)
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		within(t, ctx, "trace", chromedp.Evaluate[chromedp.Void](fmt.Sprintf("location.hash = %q", "/trace/"+id)), chromedp.WaitVisible(".t-step"),
			chromedp.Click(`.traced .x-tools button:nth-child(1)`))
		field := map[string]any{"name": p, "value": p}
		made := map[string]any{"as": fmt.Sprint("hostile ", i), "collection": map[string]any{"name": p, "doc": p, "variables": []any{map[string]any{"name": "v", "value": p}}, "items": []any{
			map[string]any{"name": p, "folder": true, "items": []any{}},
			map[string]any{"name": p, "method": "GET", "url": p, "query": []any{field}, "header": []any{map[string]any{"name": "X-P", "value": p}}, "body": map[string]any{"mode": "form", "fields": []any{field}},
				"auth": map[string]any{"scheme": "bearer", "token": p}, "expect": []any{map[string]any{"fact": "response.header.x", "is": "contains", "want": p}}}}}}
		var o opened
		if status := cl.post("/api/compose/save", made, &o); status >= 500 {
			t.Errorf("saving %q: %d", p, status)
		} else if status == 200 {
			shown++
			within(t, ctx, "compose "+p, chromedp.Evaluate[chromedp.Void](fmt.Sprintf("location.hash = %q", "/compose?file="+o.File)), chromedp.WaitVisible(".c-line"),
				chromedp.Click("#send"), chromedp.WaitVisible(".results, .form-fault"))
		}
	}
	if shown < len(payloads)/2 {
		t.Errorf("only %d of %d hostile collections could be shown", shown, len(payloads))
	}
	if got := value[[]string](t, ctx, "window.violations"); len(got) > 0 {
		t.Errorf("the page breaks its policy: %q", got)
	}
	if got := value[string](t, ctx, "String(window.pwned)"); got != "undefined" {
		t.Errorf("payload %s ran", got)
	}
}

// The page itself: a URL is typed and sent, its answer is there, and nothing
// breaks the page's policy.
func TestComposePage(t *testing.T) {
	_, s := newEmpty(t)
	api := target(t)
	c, srv := serve(t, Options{Store: s, Client: callingClient(s), Collections: filepath.Join(t.TempDir(), "collections")})
	ctx := browser(t, 1280, 800)
	if err := chromedp.Do(ctx, watchPolicy(), chromedp.Navigate(srv.URL+c.StartPath()), chromedp.WaitVisible("nav"),
		chromedp.Evaluate[chromedp.Void](`location.hash = "/compose"`), chromedp.WaitVisible(".c-start .primary"),
		chromedp.Click(".c-start .primary"), chromedp.WaitVisible("#request-url"), chromedp.SendKeys("#request-url", api.URL+"/v1/orders/887?page=2"),
		chromedp.Click("#send"), chromedp.WaitVisible(".results"),
		chromedp.SendKeys("#collection-name", "Orders"), chromedp.Click("#save"), chromedp.WaitVisible(".c-files li"),
	); err != nil {
		t.Fatal(err)
	}
	within(t, ctx, "its trace", chromedp.Click(".results .to-trace"), chromedp.WaitVisible(".t-step"))
	within(t, ctx, "back, nothing is lost", chromedp.Evaluate[chromedp.Void](`history.back()`), chromedp.WaitVisible(".results"))
	if *shots != "" {
		if err := chromedp.Do(ctx, composeShot(filepath.Join(*shots, "compose.png"))); err != nil {
			t.Fatal(err)
		}
	}
	violations, err := chromedp.Run(ctx, chromedp.Evaluate[string](`window.violations.join("; ")`))
	if err != nil || violations != "" {
		t.Errorf("the page broke its policy: %s %v", violations, err)
	}
	status, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector(".results").innerText`))
	if err != nil || !strings.Contains(status, "401") || !strings.Contains(status, "who are you?") {
		t.Errorf("the results say %q, %v; want 401 and the answer", status, err)
	}
	within(t, ctx, "opened again", chromedp.Reload(), chromedp.WaitVisible(".c-files button"), chromedp.Click(".c-files button"), chromedp.WaitVisible("#request-url"))
	if got := value[string](t, ctx, `document.querySelector("#request-url").value + " " + document.querySelector(".t-row input[aria-label^=value]").value`); got != api.URL+"/v1/orders/887 2" {
		t.Errorf("opened again the request is to %q", got)
	}
}

func composeShot(file string) step {
	return chromedp.Func(func(ctx context.Context, tg *chromedp.Target) error {
		r, err := cdp.Call(ctx, tg, page.CaptureScreenshot, page.CaptureScreenshotParams{})
		if err != nil {
			return err
		}
		return os.WriteFile(file, r.Data, 0o600)
	})
}
