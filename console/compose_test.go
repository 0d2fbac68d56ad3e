package console

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
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
