package console

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/needs"
)

// within runs steps in the browser, or ends the test.
func within(t testing.TB, ctx context.Context, what string, as ...step) {
	t.Helper()
	c, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	if err := chromedp.Do(c, as...); err != nil {
		var where, body string
		where, _ = chromedp.Run(ctx, chromedp.Location())
		body, _ = chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText.slice(0, 600)`))
		t.Fatalf("%s: %v\nat %s\n%s", what, err, where, body)
	}
}

// asPage keeps to the page's policy, which the debugger otherwise may pass over.
func asPage(p *runtime.EvaluateParams) {
	no := false
	p.AllowUnsafeEvalBlockedByCSP = &no
}

func value[T any](t testing.TB, ctx context.Context, script string) T {
	t.Helper()
	c, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	v, err := chromedp.Run(c, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise, asPage))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return v
}

var payloads = []string{
	`<script>window.pwned=1</script>`, `<img src=x onerror=window.pwned=2>`, `"><svg onload=window.pwned=3>`, `'"><iframe srcdoc="<script>parent.pwned=4</script>">`,
	`javascript:window.pwned=5`, `</script><script>window.pwned=6</script>`, `<a href="javascript:window.pwned=7">x</a>`, `<style>*{display:none}</style>`,
	`{{constructor.constructor('window.pwned=8')()}}`, `${window.pwned=9}`, `<math><mtext></table><img src=x onerror=window.pwned=10>`, `<base href=//evil.example/>`,
	`<meta http-equiv=refresh content="0;url=http://evil.example/">`, `<form action=http://evil.example><button autofocus>`, `<object data="data:text/html,<script>parent.pwned=11</script>">`,
	`<link rel=stylesheet href=http://evil.example/x.css>`, `\u003cimg src=x onerror=window.pwned=12\u003e`, `%3Cimg%20src=x%20onerror=window.pwned=13%3E`, "<img\x00src=x onerror=window.pwned=14>", "\u202e<svg/onload=window.pwned=15>",
	`__proto__`, `constructor`, `toString`,
}

// hostileExchange carries a payload wherever a stranger can put one.
func hostileExchange(d *demo, i int, p string) *exchange.Exchange {
	start := d.tick(5)
	b := fmt.Sprintf(`{%q:%q,"list":[%q]}`, p, p, p)
	h := exchange.Header{{Name: "X-" + p, Value: p}, {Name: "Content-Type", Value: []string{"application/json", "text/html", p}[i%3]}, {Name: "Content-Disposition", Value: `attachment; filename="` + p + `"`}}
	ev := exchange.Evidence{Where: "response body", Name: "/" + p, Says: p}
	return &exchange.Exchange{ID: exchange.NewID(start), Source: exchange.FromGuard, Side: exchange.ClientSide, Start: start, Failure: p,
		Request: exchange.Request{Method: p, Scheme: "https", Authority: p, Target: "/" + p + "?" + p, Proto: p, Header: h, Body: body(b)},
		Server: exchange.Server{Caller: &exchange.Caller{Subject: exchange.Subject(p), Name: p, Roles: []string{p}}, Operation: p, Mode: "enforce",
			Credential: &exchange.Credential{Scheme: p, Carrier: p, Field: p, Problem: p}},
		Response: &exchange.Response{Status: 200, Header: h, Body: body(b)}, TLS: &exchange.TLS{Version: p, Suite: p, ServerName: p, PeerName: p}, DNS: &exchange.DNS{Name: p, Resolver: p},
		Times:    exchange.Times{Total: time.Millisecond, Wait: time.Millisecond},
		Findings: []exchange.Finding{{Check: p, Severity: exchange.High, Verdict: exchange.Verdict(p), Step: exchange.StepServer, Evidence: []exchange.Evidence{ev}}},
		Actions:  []exchange.Action{{Kind: exchange.Stripped, Check: p, Enforced: true, Rule: p, Evidence: ev}}}
}

// TestPolicyInBrowser opens every page, with hostile exchanges in the store,
// in a real browser: nothing captured runs, the page itself breaks its policy
// nowhere, and the policy stops what would.
func TestPolicyInBrowser(t *testing.T) {
	needs.Program(t, needs.Chromium)
	d, s := newDemo(t, 3)
	var hostile []*exchange.Exchange
	var attacks []Attack
	for i, p := range payloads {
		x := hostileExchange(d, i, p)
		id := x.ID
		hostile = append(hostile, &exchange.Exchange{ID: id})
		d.record(x)
		attacks = append(attacks, Attack{Name: p, Check: p, Request: p + " " + p, As: p, Why: p, Open: Played{ID: id, Status: 200, Outcome: "worked", Says: p}, Guarded: Played{ID: d.attacks[0].Guarded.ID, Status: 403, Outcome: p, Says: p}})
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	evil := payloads[1]
	c, srv := serve(t, Options{Store: s, Attacks: func() []Attack { return append(attacks, d.attacks...) }, Mode: "enforce", Open: evil, Guarded: evil, Title: evil, Contract: demoContract(), Version: evil, CA: evil})
	ctx := browser(t, 1400, 900)
	within(t, ctx, "start", watchPolicy(), chromedp.Navigate(srv.URL+c.StartPath()), chromedp.WaitVisible(".attack-table"))

	// The hash changes within one document: violations add up.
	visit := func(hash, wait string) {
		t.Helper()
		within(t, ctx, hash, chromedp.Evaluate[chromedp.Void]("location.hash = "+fmt.Sprintf("%q", hash)), chromedp.WaitVisible(wait))
	}
	visit("/traffic?side=all", ".row .method")
	for range 6 {
		within(t, ctx, "down", chromedp.KeyEvent("j"))
	}
	within(t, ctx, "open", chromedp.KeyEvent("\r"), chromedp.WaitVisible(".detail .rail"))
	for _, x := range hostile {
		// The ID in the page's corner tells that this one is drawn.
		visit("/x/"+string(x.ID), ".rail")
		within(t, ctx, "drawn", chromedp.Query(fmt.Sprintf(`//nav[contains(@class,"crumbs")]/code[text()=%q]`, x.ID)), chromedp.WaitVisible(".json, pre.body"))
		within(t, ctx, "step", chromedp.Click(".rail li:nth-child(5) button"), chromedp.WaitVisible(".step-facts"))
	}
	for _, i := range []int{0, 1, 3, len(attacks), len(attacks) + 5} {
		visit(fmt.Sprintf("/attack/%d", i), ".side-body")
	}
	visit("/policy", ".counts")
	visit("/traffic?filter="+strings.ReplaceAll(evil, " ", "%20"), ".list")
	visit("/traffic?filter=%3Cimg%20src%3Dx%20onerror%3Dwindow.pwned%3D16%3E%3A%3A(", ".list")
	visit("/"+evil, ".empty")
	visit("/traffic", ".row .method")

	if got := value[[]string](t, ctx, "window.violations"); len(got) > 0 {
		t.Errorf("the page broke its own policy, or its script failed: %q", got)
	}
	if got := value[string](t, ctx, "String(window.pwned)"); got != "undefined" {
		t.Errorf("captured content ran: payload %s", got)
	}
	if n := value[int](t, ctx, `document.querySelectorAll("script, iframe, img, object, base, style, main form, link[rel=stylesheet]").length`); n != 2 {
		t.Errorf("there are %d elements of the kinds that load or run, want the page's own 2", n)
	}

	// And the policy itself works: each of these is stopped and noted.
	for what, script := range map[string]string{
		"innerHTML":        `(() => { try { document.body.innerHTML = "<b>x</b>"; return "done" } catch (e) { return e.name } })()`,
		"a policy of ours": `(() => { try { trustedTypes.createPolicy("default", {createHTML: (s) => s}); return "done" } catch (e) { return e.name } })()`,
		"eval":             `(() => { try { return setTimeout.constructor("return 'done'")() } catch (e) { return e.name } })()`,
	} {
		if got := value[string](t, ctx, script); got == "done" {
			t.Errorf("%s was not stopped", what)
		}
	}
	before := value[int](t, ctx, "window.violations.length")
	if before == 0 {
		t.Error("nothing was noted as a violation: the watch does not work")
	}
	value[bool](t, ctx, `(() => { try { const e = document.createElement("div"); e.setAttribute("onclick", "window.pwned = 17"); document.body.append(e); e.click(); e.remove() } catch { } return true })()`)
	value[bool](t, ctx, `(() => { const e = document.createElement("style"); e.textContent = "body { display: none }"; document.head.append(e); return true })()`)
	value[bool](t, ctx, `fetch("http://127.0.0.1:9/", {mode: "no-cors"}).then(() => true, () => true)`)
	value[bool](t, ctx, `new Promise((done) => { const i = new Image(); i.onload = i.onerror = () => done(true); i.src = "http://127.0.0.1:9/x.png" })`)
	if got := value[string](t, ctx, `String(window.pwned) + " " + getComputedStyle(document.body).display`); got != "undefined block" {
		t.Errorf("after an inline handler and an inline style: %s, want undefined block", got)
	}
	until(t, "four more violations are noted", func() bool { return value[int](t, ctx, "window.violations.length") >= before+4 })
}

// TestBigList: a list of many stays a page of few elements, does not move under
// the reader when more come, and follows when at the top.
func TestBigList(t *testing.T) {
	needs.Program(t, needs.Chromium)
	n := 4000
	if needs.Full() {
		n = 100000
	}
	d, s := newDemo(t, 0)
	for i := range n {
		d.calm(i)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, srv := serve(t, Options{Store: s})
	ctx := browser(t, 1400, 900)
	within(t, ctx, "start", watchPolicy(), chromedp.Navigate(srv.URL+c.StartPath()), chromedp.WaitVisible(".row .method"))
	elements := func() int { return value[int](t, ctx, `document.querySelectorAll(".virtual .row").length`) }

	// At the top new rows appear by themselves.
	first := `document.querySelector(".virtual .row").innerText.split("\n")[0]`
	until(t, "the stream is open", func() bool { return value[bool](t, ctx, `!!document.querySelector(".live.on")`) })
	was := value[string](t, ctx, first)
	start := time.Now()
	d.calm(1)
	until(t, "a new row is at the top", func() bool { return value[string](t, ctx, first) != was })
	needs.Figure(t, "console: new row shown", "%v", time.Since(start).Round(time.Millisecond))

	// To the oldest one and back.
	start = time.Now()
	within(t, ctx, "End", chromedp.KeyEvent(string(rune(0x0305)))) // kb.End
	until(t, "the oldest row is there", func() bool {
		return value[bool](t, ctx, `[...document.querySelectorAll(".virtual .row .num:first-child")].some((e) => e.innerText === "1")`)
	})
	needs.Figure(t, "console: to the oldest", "%d rows in %v", n, time.Since(start).Round(time.Millisecond))
	if got := elements(); got > 60 {
		t.Errorf("%d row elements are in the document, want at most 60", got)
	}

	// In the middle nothing moves when more come.
	within(t, ctx, "middle", chromedp.Evaluate[chromedp.Void](`document.querySelector(".virtual").scrollTop = 30 * 1000`))
	view := `(() => { const v = document.querySelector(".virtual"), box = v.getBoundingClientRect();
		return [...v.querySelectorAll(".row")].filter((e) => { const y = e.getBoundingClientRect().top; return y >= box.top && y < box.bottom }).slice(0, 5).map((e) => e.innerText.split("\n")[0] + "@" + Math.round(e.getBoundingClientRect().top)).join(" ") })()`
	until(t, "the middle is drawn", func() bool { return strings.Count(value[string](t, ctx, view), "@") == 5 })
	before := value[string](t, ctx, view)
	for i := range 50 {
		d.calm(i)
	}
	until(t, "50 rows wait", func() bool {
		return value[bool](t, ctx, `document.querySelector(".arrived")?.innerText.includes("50") ?? false`)
	})
	if after := value[string](t, ctx, view); after != before {
		t.Errorf("the list moved under the reader: %s, was %s", after, before)
	}
	within(t, ctx, "show them", chromedp.Click(".arrived"))
	until(t, "the newest is at the top", func() bool {
		return value[bool](t, ctx, `document.querySelector(".virtual").scrollTop === 0 && !document.querySelector(".arrived")`)
	})

	// Keys that come faster than the page is drawn are not lost.
	value[bool](t, ctx, `(() => { dispatchEvent(new KeyboardEvent("keydown", {key: "Home"})); for (let i = 0; i < 29; i++) dispatchEvent(new KeyboardEvent("keydown", {key: "j"})); return true })()`)
	until(t, "29 keys move by 29 rows", func() bool { return value[bool](t, ctx, `document.querySelector(".row.at")?.id === "row-29"`) })
	within(t, ctx, "Home", chromedp.Evaluate[chromedp.Void](`dispatchEvent(new KeyboardEvent("keydown", {key: "Home"}))`))

	// Next row, details painted.
	within(t, ctx, "open", chromedp.KeyEvent("j"), chromedp.KeyEvent("\r"), chromedp.WaitVisible(".detail .rail"))
	ms := value[float64](t, ctx, `new Promise((done) => {
		const title = () => document.querySelector(".detail .x-meta")?.innerText, was = title(), t0 = performance.now();
		dispatchEvent(new KeyboardEvent("keydown", {key: "j"}));
		const look = () => title() !== was ? requestAnimationFrame(() => done(performance.now() - t0)) : performance.now() - t0 > 10000 ? done(-1) : setTimeout(look, 1);
		look();
	})`)
	if ms < 0 {
		t.Error("the details did not follow the selection")
	}
	needs.Figure(t, "console: next row, details painted", "%.0f ms", ms)
	ms = value[float64](t, ctx, `new Promise((done) => {
		const v = document.querySelector(".virtual"), times = []; let i = 0, last = performance.now();
		const turn = () => { const now = performance.now(); times.push(now - last); last = now; v.scrollTop = (i * 7919 * 30) % v.scrollHeight; if (++i < 60) requestAnimationFrame(turn); else { times.sort((a, b) => a - b); done(times[times.length >> 1]) } };
		requestAnimationFrame(turn);
	})`)
	needs.Figure(t, "console: frame while jumping in the list, median", "%.1f ms", ms)
	if got := elements(); got > 60 {
		t.Errorf("after jumping %d row elements are in the document, want at most 60", got)
	}
	if got := value[[]string](t, ctx, "window.violations"); len(got) > 0 {
		t.Errorf("violations: %q", got)
	}
}

// TestKeys: keys do what they say, or say why not.
func TestKeys(t *testing.T) {
	needs.Program(t, needs.Chromium)
	d, s := newDemo(t, 40)
	c, srv := serve(t, Options{Store: s, Attacks: func() []Attack { return d.attacks }})
	ctx := browser(t, 1024, 700)
	within(t, ctx, "start", watchPolicy(), chromedp.Navigate(srv.URL+c.StartPath()), chromedp.WaitVisible(".attack-table"))
	said := func() string { return value[string](t, ctx, `document.querySelector(".said").innerText`) }
	key := func(k string) { t.Helper(); within(t, ctx, "key "+k, chromedp.KeyEvent(k)) }

	ground := `getComputedStyle(document.body).backgroundColor`
	was := value[string](t, ctx, ground)
	key("d")
	until(t, "the theme has changed", func() bool { return value[string](t, ctx, ground) != was })

	within(t, ctx, "traffic", chromedp.Evaluate[chromedp.Void](`location.hash = "/traffic"`), chromedp.WaitVisible(".row .method"))
	for k, want := range map[string]string{"c": "nothing to copy", "f": "nothing to open"} {
		key(k)
		until(t, k+" says that nothing is chosen", func() bool { return strings.Contains(said(), want) })
	}

	// An exchange that is open outlives a change of sides.
	key("j")
	key("\r")
	within(t, ctx, "open", chromedp.WaitVisible(".detail .rail"))
	title := value[string](t, ctx, `document.querySelector(".detail .x-head").innerText`)
	key("s")
	until(t, "the upstream's side is listed", func() bool {
		return value[bool](t, ctx, `document.querySelector(".list-bar [aria-selected=true]").innerText.startsWith("upstream") && !!document.querySelector(".side-tag")`)
	})
	if got := value[string](t, ctx, `document.querySelector(".detail .x-head")?.innerText ?? "nothing"`); got != title {
		t.Errorf("after s: %q is open, want %q", got, title)
	}
	key("f")
	within(t, ctx, "the whole page", chromedp.WaitVisible(".crumbs.pad"))
	if got := value[[]string](t, ctx, "window.violations"); len(got) > 0 {
		t.Errorf("violations: %q", got)
	}
}

// TestFits: at 1024 by 700 nothing runs into its neighbour or is cut.
func TestFits(t *testing.T) {
	needs.Program(t, needs.Chromium)
	d, s := newDemo(t, 40)
	c, srv := serve(t, Options{Store: s, Attacks: func() []Attack { return d.attacks }, Mode: "enforce", Contract: demoContract(),
		Open: "http://" + openAddress, Guarded: "https://" + guardedAddress})
	ctx := browser(t, 1024, 700)
	within(t, ctx, "start", chromedp.EmulateViewport(1024, 700), chromedp.Navigate(srv.URL+c.StartPath()), chromedp.WaitVisible(".attack-table"))
	for _, p := range [][2]string{{"/attacks", ".attack-table"}, {"/attack/5", ".side-body"}, {"/traffic", ".row .method"}, {"/x/" + string(d.attacks[5].Guarded.ID), ".rail"}, {"/policy", ".counts"}} {
		within(t, ctx, p[0], chromedp.Evaluate[chromedp.Void](fmt.Sprintf("location.hash = %q", p[0])), chromedp.WaitVisible(p[1]))
		if wide := value[[]string](t, ctx, tooWide); len(wide) > 0 {
			t.Errorf("%s: these do not fit: %q", p[0], wide)
		}
	}
}
