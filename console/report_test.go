package console

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/parley-project/parley/internal/needs"
	"github.com/parley-project/parley/report"
)

// A report is a download of what the list shows, in each format.
func TestReport(t *testing.T) {
	_, s := newDemo(t, 40)
	c, srv := serve(t, Options{Store: s, Contract: demoContract()})
	cl := open(t, c, srv.URL)
	ask := func(query string) (*http.Response, string) {
		t.Helper()
		r, err := cl.http.Get(srv.URL + "/api/report?" + query)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r, string(b)
	}
	for _, f := range report.Formats {
		r, text := ask("side=client&format=" + f.Name)
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != f.MediaType || len(text) == 0 {
			t.Errorf("%s: %d %s, %d bytes", f.Name, r.StatusCode, r.Header.Get("Content-Type"), len(text))
		}
		// It must never be drawn in our own origin.
		if got, want := r.Header.Get("Content-Disposition"), `attachment; filename="parley-report`+f.Extension+`"`; got != want {
			t.Errorf("%s: Content-Disposition %q, want %q", f.Name, got, want)
		}
		if r.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(r.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: the headers that every answer has are missing: %v", f.Name, r.Header)
		}
	}
	count := func(query string) (exchanges, actions int) {
		_, text := ask("format=json&" + query)
		var v struct {
			Exchanges int
			Actions   []any
		}
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return v.Exchanges, len(v.Actions)
	}
	st, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all, actions := count("side=all")
	client, _ := count("side=client")
	refused, some := count("side=client&filter=" + url.QueryEscape("is:refused"))
	if int64(all) != st.Rows || client >= all || refused == 0 || refused >= client || some == 0 || some > actions {
		t.Errorf("%d of %d exchanges, %d of the client's side, %d refused; %d of %d actions", all, st.Rows, client, refused, some, actions)
	}
	for _, bad := range []string{"", "format=pdf", "format=html&filter=stat:4", "format=html&side=left"} {
		if r, _ := ask(bad); r.StatusCode != 400 {
			t.Errorf("%q: %d, want 400", bad, r.StatusCode)
		}
	}
}

// The menu beside the filter offers each format, for the filter and side that
// the list shows.
func TestReportMenu(t *testing.T) {
	needs.Program(t, needs.Chromium)
	_, s := newDemo(t, 5)
	c, srv := serve(t, Options{Store: s})
	ctx := browser(t, 1024, 700)
	within(t, ctx, "start", watchPolicy(), chromedp.Navigate(srv.URL+c.StartPath()), chromedp.WaitVisible("nav"),
		chromedp.Evaluate[chromedp.Void](`location.hash = "/traffic?filter=is:refused&side=all"`), chromedp.WaitVisible(".row .method"))
	within(t, ctx, "open the menu", chromedp.Click(".menu summary"), chromedp.WaitVisible(".menu a"))
	links := value[[]string](t, ctx, `[...document.querySelectorAll(".menu a")].map((a) => a.getAttribute("href") + " " + a.download)`)
	if len(links) != len(report.Formats) {
		t.Errorf("the menu has %d lines for %d formats: %q", len(links), len(report.Formats), links)
	}
	for _, f := range report.Formats {
		want := "/api/report?format=" + f.Name + "&side=all&filter=is%3Arefused parley-report" + f.Extension
		if !slices.Contains(links, want) {
			t.Errorf("the menu lacks %q: %q", want, links)
		}
	}
	if got := value[int](t, ctx, `fetch(document.querySelector(".menu a").href).then((r) => r.status)`); got != 200 {
		t.Errorf("the first link answers %d, want 200", got)
	}
	within(t, ctx, "close it", chromedp.KeyEvent("\x1b"))
	until(t, "the menu is closed", func() bool { return !value[bool](t, ctx, `document.querySelector(".menu").open`) })
	if got := value[[]string](t, ctx, "window.violations"); len(got) > 0 {
		t.Errorf("the page broke its own policy: %q", got)
	}
}
