package console

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/parley-project/parley/internal/needs"
)

// browser starts a Chromium of its own for the test.
func browser(t testing.TB, width, height int, flags ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path := needs.Program(t, needs.Chromium)
	dir, err := os.MkdirTemp("", "parley-chromium-*")
	if err != nil {
		t.Fatal(err)
	}
	o := append([]chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Headless, chromedp.DisableGPU, chromedp.NoSandbox,
		chromedp.UserDataDir(dir), chromedp.WindowSize(width, height),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-extensions", true), chromedp.Flag("hide-scrollbars", false),
		chromedp.WSURLReadTimeout(60 * time.Second),
	}, flags...)
	ctx, stop := chromedp.NewExecAllocator(context.Background(), o...)
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		chromedp.Cancel(ctx)
		cancel()
		stop()
		os.RemoveAll(dir)
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("the browser did not start: %v", err)
	}
	return ctx
}

// serve starts a console on loopback.
func serve(t testing.TB, o Options) (*Console, *httptest.Server) {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(c)
	s.Config.ReadHeaderTimeout = 5 * time.Second
	s.Start()
	t.Cleanup(func() {
		c.Close()
		s.Close()
	})
	return c, s
}

// watchPolicy makes every violation of the page's policy, and every error of
// its script, countable in window.violations.
func watchPolicy() step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
			window.violations = [];
			document.addEventListener("securitypolicyviolation", (e) => window.violations.push(e.effectiveDirective + " " + e.blockedURI + " " + e.sourceFile + ":" + e.lineNumber));
			window.addEventListener("error", (e) => window.violations.push("error " + e.message));
			window.addEventListener("unhandledrejection", (e) => window.violations.push("rejection " + e.reason));`})
		return err
	})
}

type step = chromedp.Action[chromedp.Void]

var _ http.Handler = (*Console)(nil)
