package console

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/parley-project/parley/contract"
)

var (
	shots = flag.String("shots", "", "directory to write pictures of the console's pages to")
	live  = flag.String("live", "", "start address of a running console to take the README's picture from, instead of made-up traffic")
)

// TestShots takes pictures of every page, light and dark:
//
//	go test ./console -run TestShots -shots DIR
//
// console.png is the one for doc/console.png. From the real thing:
//
//	go run ./cmd/parley up        # prints the console's start address
//	go test ./console -run TestShots -shots DIR -live ADDRESS
func TestShots(t *testing.T) {
	if *shots == "" {
		t.Skip("takes pictures only when told where to: -shots DIR")
	}
	if err := os.MkdirAll(*shots, 0o777); err != nil {
		t.Fatal(err)
	}
	ctx := browser(t, 1400, 900)
	shoot := func(name string, as ...step) {
		t.Helper()
		limited, cancel := context.WithTimeout(ctx, 40*time.Second)
		defer cancel()
		// The pictures are looked at by people: let what moves come to rest.
		if err := chromedp.Do(limited, append(as, chromedp.Sleep(250*time.Millisecond))...); err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		shot, err := chromedp.Run(limited, chromedp.CaptureScreenshot())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if name == "console" {
			shot = fewColours(t, shot)
		}
		if err := os.WriteFile(filepath.Join(*shots, name+".png"), shot, 0o666); err != nil {
			t.Error(err)
		}
	}
	inTheme := func(theme string) step {
		return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}})
			return err
		})
	}
	hash := func(to, wait string) step {
		return chromedp.Steps(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("location.hash = %q", to)), chromedp.WaitVisible(wait))
	}
	// sizes takes the pages that have much to show side by side, as small as
	// they have to be good at, and larger.
	sizes := func(prefix string) {
		for _, theme := range []string{"light", "dark"} {
			for _, size := range [][2]int64{{1024, 700}, {1280, 800}, {1400, 900}} {
				within(t, ctx, "size", chromedp.EmulateViewport(size[0], size[1]), inTheme(theme))
				for _, p := range [][2]string{{"/attacks", ".attack-table"}, {"/attack/3", ".side-body"}, {"/traffic", ".row .method"}, {"/policy", ".counts"}} {
					name := fmt.Sprintf("%s%s-%d-%s", prefix, theme, size[0], strings.ReplaceAll(strings.Trim(p[0], "/"), "/", "-"))
					shoot(name, hash(p[0], p[1]))
					if wide := value[[]string](t, ctx, tooWide); len(wide) > 0 {
						t.Errorf("%s: these do not fit: %q", name, wide)
					}
				}
			}
		}
	}
	if *live != "" {
		within(t, ctx, "size", chromedp.EmulateViewport(1400, 1010))
		shoot("console", chromedp.Navigate(*live), chromedp.WaitVisible(".attack-table"))
		shoot("live-attack", chromedp.Click(".attack-table tbody tr:nth-child(1)"), chromedp.WaitVisible(".side-body"))
		shoot("live-traffic", chromedp.Evaluate[chromedp.Void](`location.hash = "/traffic"`), chromedp.WaitVisible(".row .method"))
		shoot("live-exchange", chromedp.KeyEvent("j"), chromedp.KeyEvent("\r"), chromedp.WaitVisible(".detail .rail"))
		shoot("live-policy", chromedp.Evaluate[chromedp.Void](`location.hash = "/policy"`), chromedp.WaitVisible(".counts"))
		sizes("live-")
		return
	}
	d, s := newDemo(t, 60)
	c, srv := serve(t, Options{Store: s, Attacks: func() []Attack { return d.attacks }, Mode: contract.Enforce,
		Open: "http://" + openAddress, Guarded: "https://" + guardedAddress, CA: "ca.pem", Title: "Example shop", Contract: demoContract(), Version: "0.1"})
	_, reportStore := newReportDemo(t)
	rc, rsrv := serve(t, Options{Store: reportStore, Mode: contract.Report, Open: "http://" + openAddress, Guarded: "https://" + guardedAddress, CA: "ca.pem", Title: "Orders API", Contract: demoContract(), Version: "0.1"})
	_, es := newEmpty(t)
	ec, esrv := serve(t, Options{Store: es, Mode: contract.Report, Guarded: "https://" + guardedAddress, CA: "ca.pem", Title: "Orders API"})

	broken := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, order887)
	}))
	defer broken.Close()
	broken.Config.ErrorLog = log.New(io.Discard, "", 0)
	api := target(t)
	kc, ksrv := serve(t, Options{Store: reportStore, Client: callingClient(reportStore), Collections: t.TempDir(), Guarded: "https://" + guardedAddress, Title: "Orders API", Contract: demoContract(), Version: "0.1"})
	var made struct{ ID string }
	if status := open(t, kc, ksrv.URL).post("/api/trace", map[string]string{"url": broken.URL + "/v1/orders/887", "as": "rajan"}, &made); status != 200 {
		t.Fatalf("tracing: %d", status)
	}

	orders := map[string]any{"as": "Orders", "collection": map[string]any{"name": "Orders",
		"variables": []any{map[string]any{"name": "base", "value": api.URL}, map[string]any{"name": "token", "value": rajansToken, "secret": true}},
		"items": []any{
			map[string]any{"name": "Products", "folder": true, "items": []any{map[string]any{"name": "List them", "method": "GET", "url": "{{base}}/v1/products", "query": []any{map[string]any{"name": "limit", "value": "20"}, map[string]any{"name": "after", "value": "12", "off": true}}, "expect": []any{map[string]any{"fact": "response.status", "is": "==", "want": "200"}}}}},
			map[string]any{"name": "Order something", "method": "POST", "url": "{{base}}/v1/orders", "auth": map[string]any{"scheme": "bearer", "token": "{{token}}"}, "body": map[string]any{"mode": "json", "text": `{"product_id": 12, "quantity": 1}`},
				"expect": []any{map[string]any{"fact": "response.status", "is": "==", "want": "200"}, map[string]any{"fact": "response.body.$.id", "is": "==", "want": "888"}, map[string]any{"fact": "times.total", "is": "<", "want": "2s"}}},
			map[string]any{"name": "A server that is gone", "method": "GET", "url": "http://127.0.0.1:1/", "expect": []any{map[string]any{"fact": "response.status", "is": "==", "want": "200"}}},
		}}}
	if status := open(t, kc, ksrv.URL).post("/api/compose/save", orders, nil); status != 200 {
		t.Fatalf("saving: %d", status)
	}

	key := func(k string) step { return chromedp.KeyEvent(k) }
	within(t, ctx, "size", chromedp.EmulateViewport(1400, 900))
	for _, theme := range []string{"light", "dark"} {
		start := func(c *Console, base string) step {
			return chromedp.Steps(
				inTheme(theme), chromedp.Navigate(base+c.StartPath()), chromedp.WaitVisible(".side"))
		}
		to := func(base, hash, wait string) step {
			return chromedp.Steps(chromedp.Navigate(base+"/#"+hash), chromedp.WaitVisible(wait))
		}
		shoot(theme+"-attacks", start(c, srv.URL), chromedp.WaitVisible(".attack-table"))
		if theme == "light" { // the README's picture
			within(t, ctx, "size", chromedp.EmulateViewport(1400, 1010))
			shoot("console", chromedp.WaitVisible(".attack-table"))
			within(t, ctx, "size", chromedp.EmulateViewport(1400, 900))
		}
		shoot(theme+"-attack-filtered", to(srv.URL, "/attack/5", ".side-body .json"))
		shoot(theme+"-attack-refused", to(srv.URL, "/attack/2", ".side-body"))
		shoot(theme+"-attack-repaired", to(srv.URL, "/attack/11", ".side-body"))
		shoot(theme+"-traffic", to(srv.URL, "/traffic", ".row .method"))
		shoot(theme+"-traffic-open", key("j"), key("j"), chromedp.KeyEvent("\r"), chromedp.WaitVisible(".rail"))
		shoot(theme+"-traffic-filter", chromedp.Navigate("about:blank"), to(srv.URL, "/traffic?filter=is%3Arefused", ".row .method"), chromedp.SendKeys("#filter", " s"), chromedp.WaitVisible(".offers"))
		shoot(theme+"-traffic-error", chromedp.Navigate("about:blank"), to(srv.URL, "/traffic?filter=stat%3A4xx", ".filter-fault"))
		shoot(theme+"-exchange", to(srv.URL, "/x/"+string(d.attacks[5].Guarded.ID), ".rail"))
		within(t, ctx, "size", chromedp.EmulateViewport(1400, 1300))
		shoot(theme+"-exchange-tall", chromedp.Click(".ghost.told"), chromedp.WaitVisible(".ghost .why"))
		shoot(theme+"-exchange-upstream", chromedp.Click(".x-tools [role=tab]:nth-child(2)"), chromedp.WaitVisible(".calm"))
		within(t, ctx, "size", chromedp.EmulateViewport(1400, 900))
		shoot(theme+"-exchange-refused", to(srv.URL, "/x/"+string(d.attacks[1].Guarded.ID), ".rail"))
		shoot(theme+"-exchange-step", chromedp.Click(".rail li:nth-child(5) button"), chromedp.WaitVisible(".step-facts"))
		shoot(theme+"-exchange-open", to(srv.URL, "/x/"+string(d.attacks[0].Open.ID), ".rail"))
		shoot(theme+"-policy", to(srv.URL, "/policy", ".counts"))
		shoot(theme+"-policy-operations", chromedp.Click(".section-head [role=tab]:nth-child(2)"), chromedp.Sleep(100*time.Millisecond))
		shoot(theme+"-keys", key("?"), chromedp.WaitVisible(".keys"))
		shoot(theme+"-policy-report", start(rc, rsrv.URL), to(rsrv.URL, "/policy", ".counts"))
		shoot(theme+"-traffic-report", to(rsrv.URL, "/traffic", ".row .method"))
		shoot(theme+"-trace-box", start(kc, ksrv.URL), to(ksrv.URL, "/trace", ".recent"))
		shoot(theme+"-trace-refused", chromedp.SendKeys("#trace-url", "ftp://127.0.0.1/"), chromedp.Click(".trace-box .primary"), chromedp.WaitVisible(".form-fault"))
		within(t, ctx, "size", chromedp.EmulateViewport(1400, 1300))
		shoot(theme+"-trace", to(ksrv.URL, "/trace/"+made.ID, ".t-step"))
		shoot(theme+"-trace-attack", start(c, srv.URL), to(srv.URL, "/trace/"+string(d.attacks[5].Open.ID), ".t-step"))
		within(t, ctx, "size", chromedp.EmulateViewport(1024, 700))
		shoot(theme+"-trace-small", chromedp.Reload(), chromedp.WaitVisible(".t-step"))
		within(t, ctx, "size", chromedp.EmulateViewport(1400, 900))
		shoot(theme+"-compose-empty", start(kc, ksrv.URL), to(ksrv.URL, "/compose", ".c-start"))
		shoot(theme+"-compose-import", chromedp.Click(".c-start .button:nth-child(2)"), chromedp.WaitVisible("#import-text"), chromedp.SendKeys("#import-text", "{\"info\": 1}"), chromedp.Click(".c-import .primary"), chromedp.WaitVisible(".form-fault"))
		shoot(theme+"-compose-request", chromedp.Click(".c-files button"), chromedp.WaitVisible("#request-url"))
		shoot(theme+"-compose-run", chromedp.Click(`button[title="every request, in order"]`), chromedp.WaitVisible(".r-list"))
		within(t, ctx, "size", chromedp.EmulateViewport(1400, 1200))
		shoot(theme+"-compose-sent", chromedp.Click(".c-tree li:nth-child(3) button"), chromedp.WaitVisible(".c-body"), chromedp.Click("#send"), chromedp.WaitVisible(".one .asserts"))
		shoot(theme+"-compose-expect", chromedp.Click(".request [role=tab]:nth-child(5)"), chromedp.Sleep(100*time.Millisecond))
		within(t, ctx, "size", chromedp.EmulateViewport(1024, 700))
		shoot(theme+"-compose-auth", chromedp.Click(".request [role=tab]:nth-child(4)"), chromedp.WaitVisible(".c-auth"))
		within(t, ctx, "size", chromedp.EmulateViewport(1400, 900))
		shoot(theme+"-compose-variables", chromedp.Click(".c-tree li:nth-child(1) button"), chromedp.WaitVisible(".c-kept"))
		shoot(theme+"-compose-from", start(c, srv.URL), to(srv.URL, "/compose?from="+string(d.attacks[4].Open.ID), ".c-note .bare"))
		shoot(theme+"-empty", start(ec, esrv.URL), chromedp.WaitVisible(".empty"))
		shoot(theme+"-empty-policy", to(esrv.URL, "/policy", ".empty"))
		shoot(theme+"-door", chromedp.Navigate(esrv.URL+"/?token=old&x=1"), chromedp.WaitVisible("h1"))
	}
}

// tooWide names what stands wider than its place: what runs into its neighbour
// or is cut at an edge. Text that ends in an ellipsis is meant to be cut.
const tooWide = `(() => {
	const out = [];
	for (const e of document.querySelectorAll("main, .page, .verdicts, .attack-table td, .outcome, .did, .list-bar, .totals, .counts td, .side-head, .side-body, .rail button, .top"))
		if (e.clientWidth && e.scrollWidth > e.clientWidth + 1) out.push(e.className + ": " + e.scrollWidth + " in " + e.clientWidth + ": " + e.innerText.slice(0, 40));
	return out.slice(0, 8);
})()`

// fewColours writes a picture again with its 256 most used colours: a third
// of the size, and no difference to be seen on a page of text.
func fewColours(t *testing.T, b []byte) []byte {
	t.Helper()
	in, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	r := in.Bounds()
	used := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(in.At(x, y)).(color.RGBA) }
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			used[at(x, y)]++
		}
	}
	cs := slices.SortedFunc(maps.Keys(used), func(a, b color.RGBA) int { return used[b] - used[a] })
	var p color.Palette
	for _, c := range cs[:min(256, len(cs))] {
		p = append(p, c)
	}
	nearest := map[color.RGBA]uint8{}
	for c := range used {
		nearest[c] = uint8(p.Index(c))
	}
	out := image.NewPaletted(r, p)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			out.SetColorIndex(x, y, nearest[at(x, y)])
		}
	}
	var w bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&w, out); err != nil {
		t.Fatal(err)
	}
	return w.Bytes()
}
