package console

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/scan"
)

// TestScanShots takes pictures of the pages that show a scan and what was
// learnt, from a real scan of the example shop, wide and narrow, light and dark:
//
//	go test ./console -run TestScanShots -shots DIR
func TestScanShots(t *testing.T) {
	if *shots == "" {
		t.Skip("takes pictures only when told where to: -shots DIR")
	}
	if err := os.MkdirAll(*shots, 0o777); err != nil {
		t.Fatal(err)
	}
	_, s := newDemo(t, 60)
	flawed, sound := newScannedShop(t, s, "all"), newScannedShop(t, s)
	flawed.contract.Mode = contract.Enforce
	open, guarded := flawed.as("open"), sound.as("guarded")
	result := flawed.run(t)
	known(result)
	open.Last = func() (*scan.Result, error) { return result, nil }
	large := Scan{Name: "large", Last: func() (*scan.Result, error) { return largeResult(result), nil }}
	c, srv := serve(t, Options{Store: s, Scans: []Scan{open, guarded}, Learnt: LearnStore(s, flawed.contract), Contract: flawed.contract, Mode: contract.Enforce, Open: flawed.url, Title: "Example shop", Version: "0.1"})
	lc, lsrv := serve(t, Options{Store: s, Scans: []Scan{large}, Title: "Large"})
	fs := result.Findings
	at := func(check string) string {
		for _, f := range fs {
			if f.Check == check {
				return "/findings/open/" + f.ID
			}
		}
		t.Fatalf("the scan did not find %s", check)
		return ""
	}
	ctx := browser(t, 1280, 800)
	theme := func(name string) step {
		return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
			return err
		})
	}
	within(t, ctx, "start", chromedp.Navigate(srv.URL+c.StartPath()), chromedp.WaitVisible(".side"))
	shoot := func(name, hash, wait string, more ...step) {
		t.Helper()
		as := append([]step{chromedp.Evaluate[chromedp.Void](fmt.Sprintf("location.hash = %q", hash)), chromedp.WaitVisible(wait)}, more...)
		within(t, ctx, name, append(as, chromedp.Sleep(400*time.Millisecond))...)
		if wide := value[[]string](t, ctx, tooWide); len(wide) > 0 {
			t.Errorf("%s: these do not fit: %q", name, wide)
		}
		shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(*shots, "scan-"+name+".png"), shot, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, th := range []string{"light", "dark"} {
		for _, size := range [][2]int64{{1280, 900}, {400, 800}} {
			within(t, ctx, "size", chromedp.EmulateViewport(size[0], size[1]), theme(th))
			n := fmt.Sprintf("%s-%d-", th, size[0])
			if th == "light" && size[0] == 1280 {
				shoot(n+"not-yet", "/findings/guarded", ".empty")
				shoot(n+"running", "/findings/guarded", ".empty", chromedp.Click(".scan-card.at .primary"), chromedp.WaitVisible(".scan-progress"), chromedp.Sleep(600*time.Millisecond))
				within(t, ctx, "scan", chromedp.WaitVisible(".scan-card.well"))
			}
			shoot(n+"findings", "/findings/open", ".found-row")
			shoot(n+"object", at("authz-object"), ".told mark")
			shoot(n+"excessive", at("response-excessive-data"), ".told")
			shoot(n+"header", at("response-csp"), ".told")
			shoot(n+"traffic", "/findings/traffic", ".found-row")
			shoot(n+"access", "/access/open", ".matrix")
			shoot(n+"access-cell", "/access/open", "td.a-bypassed", chromedp.Click("td.a-bypassed button"), chromedp.WaitVisible(".cell-detail li a"))
			shoot(n+"access-guarded", "/access/guarded", ".matrix")
			shoot(n+"learn", "/learn", ".learnt")
		}
	}
	within(t, ctx, "large", chromedp.EmulateViewport(1280, 900), theme("light"), chromedp.Navigate(lsrv.URL+lc.StartPath()), chromedp.WaitVisible(".side"))
	begun := time.Now()
	within(t, ctx, "large", chromedp.Evaluate[chromedp.Void](`location.hash = "/access/large"`), chromedp.WaitVisible(".matrix"))
	t.Logf("300 operations of 10 people are drawn after %v", time.Since(begun))
	shoot("light-1280-access-large", "/access/large", ".matrix", chromedp.Evaluate[chromedp.Void](`document.querySelector(".matrix-scroll").scrollTop = 2000`))
	t.Logf("a key takes %v ms", value[float64](t, ctx, `(async () => { const c = document.querySelector('[data-at="70,3"]'); c.focus(); const t = performance.now(); c.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowDown", bubbles: true})); await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))); return performance.now() - t; })()`))
}

// largeResult is a matrix of 300 operations and ten people.
func largeResult(of *scan.Result) *scan.Result {
	r := *of
	r.Access = nil
	for len(r.People) < 9 {
		r.People = append(r.People, scan.Asker{Name: fmt.Sprintf("person-%d", len(r.People)), Roles: []string{"auditor"}})
	}
	for i := 0; len(r.Access) < 300; i++ {
		row := of.Access[i%len(of.Access)]
		method, path, _ := strings.Cut(row.Operation, " ")
		row.Operation = fmt.Sprintf("%s /tenants/{tenant}/service-%02d%s", method, i/len(of.Access), path)
		row.Cells = append(row.Cells[:len(row.Cells):len(row.Cells)], scan.Cell{Who: "person-7", Own: "allowed", Status: 200}, scan.Cell{Who: "person-8", Others: "enforced", Status: 403})
		r.Access = append(r.Access, row)
	}
	return &r
}

// known makes some findings known, likely and suppressed, as a baseline and a
// policy do.
func known(r *scan.Result) {
	for _, f := range r.Findings {
		switch f.Check {
		case "response-banner":
			f.Known = true
		case "response-csp":
			f.Verdict, f.Missing = "likely", "the page was not opened in a browser"
		case "status-retry-after":
			f.Suppressed = "the load balancer adds it"
		}
	}
}
