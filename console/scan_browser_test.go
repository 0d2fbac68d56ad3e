package console

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/needs"
	"github.com/parley-project/parley/learn"
	"github.com/parley-project/parley/scan"
)

// holds waits for a condition in the page.
func holds(what string) step {
	return chromedp.Poll[chromedp.Void](what, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(40*time.Second))
}

// TestScanPages scans the flawed shop from the page and follows a finding to its
// proof, through the matrix and back, with the mouse and with keys.
func TestScanPages(t *testing.T) {
	needs.Program(t, needs.Chromium)
	_, s := newDemo(t, 6)
	flawed, sound := newScannedShop(t, s, "authz-object", "response-excessive-data", "authz-function"), newScannedShop(t, s)
	c, srv := serve(t, Options{Store: s, Scans: []Scan{flawed.as("open"), sound.as("guarded")}, Learnt: LearnStore(s, flawed.contract), Contract: flawed.contract, Mode: "enforce"})
	ctx := browser(t, 1280, 900)
	hash := func(to, wait string) {
		t.Helper()
		within(t, ctx, to, chromedp.Evaluate[chromedp.Void](fmt.Sprintf("location.hash = %q", to)), chromedp.WaitVisible(wait))
	}
	text := func(selector string) string {
		t.Helper()
		return value[string](t, ctx, fmt.Sprintf(`document.querySelector(%q)?.innerText ?? ""`, selector))
	}
	n := func(selector string) int {
		t.Helper()
		return value[int](t, ctx, fmt.Sprintf(`document.querySelectorAll(%q).length`, selector))
	}
	within(t, ctx, "start", watchPolicy(), chromedp.Navigate(srv.URL+c.StartPath()), chromedp.WaitVisible(".side"))

	// Scan both: one at a time.
	hash("/findings/open", ".empty")
	within(t, ctx, "scan", chromedp.Click(".scan-card.at .primary"), holds(`document.querySelectorAll(".scan-card .button:disabled").length > 0`), chromedp.WaitVisible(".found-row"))
	within(t, ctx, "scan guarded", chromedp.Click(".scan-card:nth-child(2) .primary"), chromedp.WaitVisible(".scan-card.well"))
	if got := text(".scan-sum"); !strings.HasPrefix(got, "open: ") || !strings.HasSuffix(got, "guarded: 0") {
		t.Errorf("both results side by side: %q", got)
	}
	hash("/findings/open", ".found-after.gone")
	all := n(".found-row")
	if counted := text(".nav-n"); counted != fmt.Sprint(all) {
		t.Errorf("the tab counts %s, the list has %d", counted, all)
	}

	// The filters narrow it; what is left is what was asked for.
	within(t, ctx, "search", chromedp.SendKeys("#filter", "authz-object"), holds(`document.querySelectorAll(".found-row").length === 1`), chromedp.WaitVisible(".told mark"))
	if got := text(".found h2"); got != "Anyone can read another's object" {
		t.Errorf("the finding is %q", got)
	}
	if got := text(".found-whose"); !strings.Contains(got, "rajan (the attacker) reached what belongs to priya (the victim)") {
		t.Errorf("who did it to whom: %q", got)
	}
	if n(".proof-step.control") != 2 || n(".proof-step.proof") != 1 || n(".proof-step.open") != 1 {
		t.Errorf("the proof has %d controls, %d that tell and %d open, want 2, 1, 1", n(".proof-step.control"), n(".proof-step.proof"), n(".proof-step.open"))
	}
	if got := text(".told mark"); !strings.HasPrefix(got, "parley") {
		t.Errorf("marked is %q, want what the victim planted", got)
	}
	if got := text(".replay code"); !strings.HasPrefix(got, "parley scan --replay ") {
		t.Errorf("the command is %q", got)
	}
	within(t, ctx, "a control", chromedp.Click(".proof-step.control .proof-head"), holds(`document.querySelectorAll(".told").length === 2`))
	within(t, ctx, "none", chromedp.SendKeys("#filter", " nothing-like-it"), chromedp.WaitVisible(".found-list .empty"), chromedp.Click(".found-list .empty .button"), holds(fmt.Sprintf(`document.querySelectorAll(".found-row").length === %d`, all)))

	// Keys: down, and up again.
	within(t, ctx, "keys", chromedp.Click(".found-row"), chromedp.KeyEvent("j"), holds(`[...document.querySelectorAll(".found-row")].findIndex((r) => r.classList.contains("at")) === 1`), chromedp.KeyEvent("k"), holds(`document.querySelector(".found-row").classList.contains("at")`))

	// The matrix: arrows move, Enter shows the evidence, which leads to the finding.
	hash("/access/open", ".matrix")
	heads := value[[]string](t, ctx, `[...document.querySelectorAll(".matrix thead b")].map((b) => b.innerText)`)
	if got := strings.Join(heads[:5], " "); got != "nobody priya rajan asha swift" || !strings.HasPrefix(heads[5], "newcomer") {
		t.Errorf("the people are %q", heads)
	}
	within(t, ctx, "bypassed only", chromedp.Click(".found-bar .tabs button:nth-child(2)"), chromedp.WaitVisible("td.a-bypassed"))
	if rows, some := n(".matrix tbody tr"), value[int](t, ctx, `[...document.querySelectorAll(".matrix tbody tr")].filter((r) => r.querySelector(".a-bypassed, .a-unclear")).length`); rows != some || rows == 0 {
		t.Errorf("%d operations are shown, of which %d have something bypassed or unclear", rows, some)
	}
	within(t, ctx, "arrows", chromedp.Evaluate[chromedp.Void](`document.querySelector('[data-at="0,0"]').focus()`), chromedp.KeyEvent(kb.ArrowRight), holds(`document.activeElement.dataset.at === "0,1"`))
	within(t, ctx, "evidence", chromedp.Click("td.a-bypassed button"), chromedp.WaitVisible(".cell-detail li a"))
	if got := text(".cell-detail h2"); !strings.EqualFold(got, "bypassed") {
		t.Errorf("the evidence is of %q", got)
	}
	within(t, ctx, "to the finding", chromedp.Click(".cell-detail a.button"), chromedp.WaitVisible(".found h2"))
	hash("/access/open", ".matrix")
	within(t, ctx, "to the exchange", chromedp.Click("td.a-bypassed button"), chromedp.WaitVisible(".cell-detail li a"), chromedp.Click(".cell-detail li a"), chromedp.WaitVisible(".rail"))

	// What was found without a scan, and what was learnt.
	hash("/findings/traffic", ".found-row")
	within(t, ctx, "the exchange", chromedp.WaitVisible(".told .start-line"))
	hash("/learn", ".learnt")
	within(t, ctx, "only shadow", chromedp.Click(".kinds .d-shadow"), holds(`document.querySelectorAll(".learnt tbody tr").length > 0 && [...document.querySelectorAll(".learnt tbody tr")].every((r) => r.classList.contains("l-shadow"))`))
	within(t, ctx, "example", chromedp.Click(".learn-links .bare"), chromedp.WaitVisible(".rail"))

	if got := value[[]string](t, ctx, "window.violations"); len(got) > 0 {
		t.Errorf("the pages broke their policy, or their script failed: %q", got)
	}
}

// TestScanHostile: a result whose every text is a payload is shown as text, on
// every page that shows it.
func TestScanHostile(t *testing.T) {
	needs.Program(t, needs.Chromium)
	d, s := newDemo(t, 3)
	r := &scan.Result{Schema: scan.Schema, Target: payloads[0], Title: payloads[1], Start: d.at, Incomplete: payloads[2]}
	var learnt []learn.Entry
	var changes []learn.Change
	for i, p := range payloads {
		x := hostileExchange(d, i, p)
		d.record(x)
		ev := []exchange.Evidence{{Where: "response body", Name: "/" + p, Says: p}, {Where: "header", Name: "X-" + p, Says: p}, {Where: p, Name: p, Says: p}, {Where: "header", Name: p}}
		r.Findings = append(r.Findings, &scan.Finding{ID: fmt.Sprint(i) + p, Fingerprint: p, Check: p, Title: p, Severity: exchange.High, Verdict: exchange.Verdict(p), Step: exchange.StepServer, Operation: p, Operations: []string{p, p + " x"}, Parameter: p,
			By: p, Of: payloads[(i+1)%len(payloads)], Evidence: ev, Missing: p, OWASP: p, Fix: p, Count: 2, Marks: []string{p, "x"}, Suppressed: []string{"", p}[i%2],
			Proof: []scan.Shown{{Exchange: x.ID, As: p, Request: p + " " + p, Status: 200, Control: i%2 == 0}, {Exchange: exchange.ID(p), As: p, Request: p, Curl: p}, {Exchange: x.ID, As: p, Request: p + " /" + p, Status: 200}}})
		r.People = append(r.People, scan.Asker{Name: p, Subject: p, Roles: []string{p}, Part: p, Spare: i%2 == 0})
		r.Access = append(r.Access, scan.Row{Operation: p, Few: p, Cells: []scan.Cell{{Who: "nobody", Own: p, Others: p, Evidence: []exchange.ID{x.ID, exchange.ID(p)}, Finding: p}, {Who: p, Others: "bypassed", Evidence: []exchange.ID{x.ID}, Finding: fmt.Sprint(i) + p}}})
		r.Notes, r.Left = append(r.Notes, p), append(r.Left, p)
		learnt = append(learnt, learn.Entry{Operation: p, Seen: true, Shadow: i%2 == 0, Named: i%2 == 1, Count: 1, Statuses: map[int]int{200: 1}, Callers: []learn.Caller{{Subject: p, Roles: []string{p}, Succeeded: 1}}})
		changes = append(changes, learn.Change{Operation: p, What: "new member", Place: "/responses/200/" + p, Count: 1}, learn.Change{Operation: p, What: p, Place: p, Count: 1})
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	evil := payloads[1]
	made := func() (*scan.Result, error) { return r, nil }
	c, srv := serve(t, Options{Store: s, Scans: []Scan{{Name: "open", URL: evil, Last: made, Store: evil}, {Name: evil, Last: func() (*scan.Result, error) { return nil, fmt.Errorf("%s", evil) }}}, Contract: demoContract(),
		Learnt: &Learnt{Described: true, Inventory: func() *learn.Inventory { return &learn.Inventory{Operations: learnt, NeverSend: payloads, Left: evil} }, Changes: func() []learn.Change { return changes }, OpenAPI: func() ([]byte, error) { return []byte(evil), nil }}})
	ctx := browser(t, 1280, 900)
	within(t, ctx, "start", watchPolicy(), chromedp.Navigate(srv.URL+c.StartPath()), chromedp.WaitVisible(".side"))
	visit := func(hash, wait string, more ...step) {
		t.Helper()
		within(t, ctx, hash, append([]step{chromedp.Evaluate[chromedp.Void]("location.hash = " + fmt.Sprintf("%q", hash)), chromedp.WaitVisible(wait)}, more...)...)
	}
	visit("/findings/open", ".found-row")
	for i := range payloads {
		visit("/findings/open", ".found-row", chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelectorAll(".found-row")[%d].click()`, i)), chromedp.WaitVisible(".found h2"), holds(`document.querySelectorAll(".told .start-line").length > 0`),
			chromedp.Evaluate[chromedp.Void](`for (const b of document.querySelectorAll(".proof-step:not(.open) .proof-head, .told-bar .bare, .found summary")) b.click()`), holds(`document.querySelectorAll(".proof-gone").length > 0`))
	}
	visit("/findings/"+strings.ReplaceAll(evil, " ", "%20"), ".empty")
	visit("/findings/traffic", ".found-row")
	visit("/access/open", ".matrix", chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll("details")) d.open = true`))
	for i := range payloads {
		within(t, ctx, "cell", chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelectorAll(".matrix td button")[%d].click()`, i)), chromedp.WaitVisible(".cell-detail h2"))
	}
	visit("/learn", ".learnt")
	if got := value[[]string](t, ctx, "window.violations"); len(got) > 0 {
		t.Errorf("the page broke its own policy, or its script failed: %q", got)
	}
	if got := value[string](t, ctx, "String(window.pwned)"); got != "undefined" {
		t.Errorf("what a result says ran: payload %s", got)
	}
	if n := value[int](t, ctx, `document.querySelectorAll("script, iframe, img, object, base, style, main form, link[rel=stylesheet]").length`); n != 2 {
		t.Errorf("there are %d elements of the kinds that load or run, want the page's own 2", n)
	}
}
