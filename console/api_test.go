package console

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/filter"
	"github.com/parley-project/parley/store"
)

// TestRows walks the list from the newest to the oldest and finds every
// exchange once; side and filter narrow it.
func TestRows(t *testing.T) {
	d, s := newDemo(t, 40)
	c, srv := serve(t, Options{Store: s})
	cl := open(t, c, srv.URL)
	st, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	type page struct {
		Rows         []rowView
		Older, Newer string
	}
	walk := func(q string) []rowView {
		var all []rowView
		before := ""
		for {
			var p page
			if status := cl.get("/api/rows?limit=7&before="+before+q, &p); status != 200 {
				t.Fatalf("%s: %d", q, status)
			}
			all = append(all, p.Rows...)
			if before = p.Older; before == "" {
				return all
			}
		}
	}
	all := walk("")
	if int64(len(all)) != st.Rows {
		t.Errorf("the pages hold %d rows, the store %d", len(all), st.Rows)
	}
	for i := 1; i < len(all); i++ {
		if all[i].Number >= all[i-1].Number {
			t.Fatalf("row %d comes after row %d", all[i].Number, all[i-1].Number)
		}
	}
	client, upstream := walk("&side=client"), walk("&side=upstream")
	if len(client)+len(upstream) != len(all) || len(client) == 0 || len(upstream) == 0 {
		t.Errorf("%d of the client's side and %d of the upstream's are not %d", len(client), len(upstream), len(all))
	}
	refused := walk("&side=client&filter=" + url.QueryEscape("is:refused"))
	want := 0
	for _, a := range d.attacks {
		if a.Guarded.Outcome == "refused" {
			want++
		}
	}
	if len(refused) != want {
		t.Errorf("is:refused finds %d rows, want %d", len(refused), want)
	}
	var p Problem
	if status := cl.get("/api/rows?filter="+url.QueryEscape("status:4xx (caller:rajan"), &p); status != 400 || p.Offset == nil || *p.Offset != 11 || strings.Contains(p.Detail, "filter:") {
		t.Errorf("an open parenthesis: %d %+v at %v, want 400 with its place", status, p, p.Offset)
	}
}

// TestExchange: one exchange comes with those it is linked with and with what
// every finding and action means.
func TestExchange(t *testing.T) {
	d, s := newDemo(t, 3)
	c, srv := serve(t, Options{Store: s, Attacks: func() []Attack { return d.attacks }})
	cl := open(t, c, srv.URL)
	type view struct {
		Schema   string
		Exchange exchange.Exchange
		Steps    []stepView
		Curl     string
		Linked   []linkedExchange
		Explain  map[string]Explanation
	}
	var table struct{ Attacks []Attack }
	cl.get("/api/attacks", &table)
	if len(table.Attacks) != len(demoAttacks) {
		t.Fatalf("%d attacks, want %d", len(table.Attacks), len(demoAttacks))
	}
	for _, a := range table.Attacks {
		var v view
		if status := cl.get("/api/exchanges/"+string(a.Guarded.ID), &v); status != 200 {
			t.Errorf("%s: %d", a.Name, status)
			continue
		}
		if v.Schema != "parley.exchange/1" || v.Exchange.ID != a.Guarded.ID || v.Exchange.Response.Status != a.Guarded.Status {
			t.Errorf("%s: got %s %s %d", a.Name, v.Schema, v.Exchange.ID, v.Exchange.Response.Status)
		}
		kinds := map[exchange.LinkKind]bool{}
		for _, l := range v.Linked {
			kinds[l.Kind] = true
			if l.Kind == exchange.Compared && (!l.To || l.Exchange.ID != a.Open.ID) {
				t.Errorf("%s: compared with %s (to %v), want %s", a.Name, l.Exchange.ID, l.To, a.Open.ID)
			}
		}
		if !kinds[exchange.Compared] {
			t.Errorf("%s: the exchange on the open address is not linked", a.Name)
		}
		for _, x := range v.Exchange.Actions {
			e, ok := v.Explain[x.Check]
			if !ok || e.Doc == "" || e.Fix == "" || e.OWASP == "" {
				t.Errorf("%s: %s is not explained", a.Name, x.Check)
			}
		}
		want := map[string]verdict{"refused": refused, "filtered": repaired, "repaired": repaired}[a.Guarded.Outcome]
		if !slices.ContainsFunc(v.Steps, func(s stepView) bool { return s.Verdict == want }) {
			t.Errorf("%s: no step is %s: %+v", a.Name, want, v.Steps)
		}
		if len(v.Steps) != 7 || v.Steps[0].Verdict != unknown {
			t.Errorf("%s: %d steps, dns %s; want 7, unknown", a.Name, len(v.Steps), v.Steps[0].Verdict)
		}
		if !strings.HasPrefix(v.Curl, "curl ") {
			t.Errorf("%s: %q is no curl command", a.Name, v.Curl)
		}
	}
}

// TestBodies: a large body is sent in part unless it is asked for.
func TestBodies(t *testing.T) {
	d, s := newEmpty(t)
	x := hostileExchange(d, 0, "x")
	x.Response.Body = body(strings.Repeat("y", bodyShown+10))
	id := x.ID
	s.Record(x)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, srv := serve(t, Options{Store: s})
	cl := open(t, c, srv.URL)
	for q, want := range map[string]int{"": bodyShown, "?bodies=all": bodyShown + 10} {
		var v struct {
			Exchange exchange.Exchange
			Cut      cut
		}
		cl.get("/api/exchanges/"+string(id)+q, &v)
		if got := len(v.Exchange.Response.Body.Data); got != want || v.Cut.Response != (q == "") || v.Cut.Request {
			t.Errorf("%q: %d bytes, cut %+v; want %d", q, got, v.Cut, want)
		}
	}
}

// TestActions: each count leads to exactly the exchanges that it counts.
func TestActions(t *testing.T) {
	for name, fill := range map[string]func(testing.TB) (*demo, *store.Store){
		"enforce": func(t testing.TB) (*demo, *store.Store) { return newDemo(t, 3) }, "report": newReportDemo,
	} {
		t.Run(name, func(t *testing.T) {
			_, s := fill(t)
			c, srv := serve(t, Options{Store: s})
			cl := open(t, c, srv.URL)
			var v struct{ Actions []actionView }
			cl.get("/api/actions", &v)
			if len(v.Actions) == 0 {
				t.Fatal("no actions were counted")
			}
			for _, a := range v.Actions {
				if _, err := filter.Parse(a.Filter); err != nil {
					t.Errorf("%s: %v", a.Filter, err)
				}
				if a.Enforced != (name == "enforce") {
					t.Errorf("%s: enforced is %v", a.Check, a.Enforced)
				}
				var p struct{ Rows []rowView }
				cl.get("/api/rows?limit=1000&filter="+url.QueryEscape(a.Filter), &p)
				found := int64(0)
				for _, r := range p.Rows {
					x, err := s.Get(t.Context(), r.ID)
					if err != nil {
						t.Fatal(err)
					}
					for _, y := range x.Actions {
						if y.Check == a.Check && y.Kind == a.Kind && y.Rule == a.Rule && x.Server.Operation == a.Operation {
							found++
						}
					}
				}
				if found != a.Count {
					t.Errorf("%s finds %d of %d", a.Filter, found, a.Count)
				}
			}
		})
	}
}

// TestOther: the small answers, with and without a contract.
func TestOther(t *testing.T) {
	_, s := newEmpty(t)
	c, srv := serve(t, Options{Store: s, Contract: demoContract(), Mode: "report"})
	cl := open(t, c, srv.URL)
	var about struct {
		Title    string
		Attacks  bool
		Contract bool
		Keys     []filter.Field
		Steps    []string
	}
	cl.get("/api/about", &about)
	if about.Title != "Example shop" || about.Attacks || !about.Contract || len(about.Keys) != len(filter.Fields()) || strings.Join(about.Steps, " ") != "dns tcp tls request server response client" {
		t.Errorf("about: %+v", about)
	}
	var k struct {
		Operations []struct {
			Name     string
			Unjudged bool
			Rules    []struct{ Source, Place string }
		}
		NotJudged []string `json:"not_judged"`
	}
	cl.get("/api/contract", &k)
	if len(k.Operations) != 11 || len(k.NotJudged) != 1 || !k.Operations[0].Unjudged || k.Operations[1].Rules[0].Place != "parley.yaml:17" {
		t.Errorf("contract: %+v", k)
	}
	var checks struct{ Checks []Explanation }
	cl.get("/api/checks", &checks)
	if len(checks.Checks) < 16 {
		t.Errorf("the catalogue has %d checks", len(checks.Checks))
	}
	if status := cl.get("/api/filter?text="+url.QueryEscape("status:4xx"), nil); status != 200 {
		t.Errorf("a good filter: %d", status)
	}
	if status := cl.get("/api/nothing", nil); status != 404 {
		t.Errorf("an address that is none: %d", status)
	}

	bare, srv := serve(t, Options{Store: s})
	cl = open(t, bare, srv.URL)
	var b json.RawMessage
	for _, path := range []string{"/api/contract", "/api/attacks", "/api/actions", "/api/rows"} {
		if status := cl.get(path, &b); status != 200 || strings.Contains(string(b), "null") {
			t.Errorf("%s without anything: %d %s", path, status, b)
		}
	}
	if _, err := New(Options{}); err == nil {
		t.Error("a console without a store was made")
	}
}

// slow is a store that does not answer.
type slow struct{ source }

func (slow) Stats(ctx context.Context) (store.Stats, error) {
	<-ctx.Done()
	return store.Stats{}, ctx.Err()
}

// TestBusy: a store that hangs costs a bounded number of requests.
func TestBusy(t *testing.T) {
	_, s := newEmpty(t)
	c, srv := serve(t, Options{source: slow{s}})
	cl := open(t, c, srv.URL)
	ctx, cancel := context.WithCancel(context.Background())
	for range maxQueries + 3 {
		go func() {
			r, _ := http.NewRequestWithContext(ctx, "GET", srv.URL+"/api/stats", nil)
			if resp, err := cl.http.Do(r); err == nil {
				resp.Body.Close()
			}
		}()
	}
	until(t, "all places are taken", func() bool { return len(c.busy) == maxQueries })
	cancel()
	until(t, "all places are free again", func() bool { return len(c.busy) == 0 })
}

// TestAssets: the web client is embedded whole, and is not too large.
func TestAssets(t *testing.T) {
	total := 0
	for _, name := range []string{"/index.html", "/app.js", "/app.css", "/icon.svg", "/licenses.txt"} {
		a, ok := assets()[name]
		if !ok || len(a.plain) == 0 {
			t.Errorf("%s is missing: run make ui", name)
		}
		total += len(a.small)
	}
	if total > 200<<10 {
		t.Errorf("the web client is %d bytes compressed, more than 200 KiB", total)
	}
	page := string(assets()["/index.html"].plain)
	for _, bad := range []string{"<style", " style=", "onload=", "http://", "https://"} {
		if strings.Contains(page, bad) {
			t.Errorf("index.html holds %s", bad)
		}
	}
	for _, name := range []string{"preact", "@preact/signals", "@preact/signals-core"} {
		if !strings.Contains(string(assets()["/licenses.txt"].plain), "\n"+name+" ") {
			t.Errorf("the licence of %s is not named", name)
		}
	}
	lock, err := os.ReadFile("web/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(lock), `"resolved"`) || strings.Contains(string(lock), "registry") {
		t.Error("package-lock.json names a registry: npm must run with the .npmrc beside it")
	}
}

// TestSteps: what was not seen is unknown, what was only counted is told
// apart, and a finding that guard put right is not shown as open.
func TestSteps(t *testing.T) {
	c := &Console{explain: explain}
	verdicts := func(x *exchange.Exchange) string {
		var vs []string
		for _, s := range c.steps(x) {
			v := string(s.Verdict)
			if s.Counted {
				v += "*"
			}
			vs = append(vs, v)
		}
		return strings.Join(vs, " ")
	}
	ok := func() *exchange.Exchange {
		return &exchange.Exchange{ID: exchange.NewID(time.Now()), Source: exchange.FromGuard, Side: exchange.ClientSide, TCP: &exchange.TCP{}, TLS: &exchange.TLS{Version: "TLS 1.3"},
			Request: exchange.Request{Method: "GET", Target: "/"}, Server: exchange.Server{Caller: callers["priya"]}, Response: &exchange.Response{Status: 200}}
	}
	found := exchange.Finding{Check: "response-excessive-data", Step: exchange.StepResponse, Verdict: exchange.Confirmed}
	strip := change(exchange.Stripped, "response-excessive-data", "", "response body", "/x", "")
	counted := strip
	counted.Enforced = false
	for _, tt := range []struct {
		name string
		x    func(*exchange.Exchange)
		want string
	}{
		{"sound", func(x *exchange.Exchange) {}, "unknown good good good good good good"},
		{"nothing seen", func(x *exchange.Exchange) { *x = exchange.Exchange{} }, "unknown unknown unknown unknown unknown unknown unknown"},
		{"in clear", func(x *exchange.Exchange) { x.TLS = &exchange.TLS{Clear: true} }, "unknown good noted good good good good"},
		{"no answer", func(x *exchange.Exchange) { x.Response, x.Failure = nil, "connection refused" }, "unknown failed good good good unknown unknown"},
		{"the API is down", func(x *exchange.Exchange) {
			x.Response, x.Failure = &exchange.Response{Status: 502}, "no answer from the API: dial tcp 127.0.0.1:9: connect: connection refused"
			x.Findings = []exchange.Finding{found} // by an older guard, of its own answer
		}, "unknown failed good good good noted unknown"},
		{"the API's certificate is not good", func(x *exchange.Exchange) {
			x.Response, x.Failure = &exchange.Response{Status: 502}, "no answer from the API: tls: failed to verify certificate: x509: certificate has expired"
		}, "unknown good failed good good noted unknown"},
		{"the API is silent", func(x *exchange.Exchange) {
			x.Response, x.Failure = &exchange.Response{Status: 504}, "no answer from the API: read: i/o timeout"
		}, "unknown good good good failed noted unknown"},
		{"the answer broke off", func(x *exchange.Exchange) { x.Failure = "the answer broke off" }, "unknown good good good good failed good"},
		{"a WebSocket", func(x *exchange.Exchange) { x.Response.Status = 101 }, "unknown good good good good noted unknown"},
		{"refused", func(x *exchange.Exchange) {
			x.Actions = []exchange.Action{refuse("authz-object", "", 403, "path", "id", "")}
		}, "unknown good good good refused good good"},
		{"found", func(x *exchange.Exchange) { x.Findings = []exchange.Finding{found} }, "unknown good good good good finding good"},
		{"found and removed", func(x *exchange.Exchange) {
			x.Findings, x.Actions = []exchange.Finding{found}, []exchange.Action{strip}
		}, "unknown good good good good repaired good"},
		{"found and counted", func(x *exchange.Exchange) {
			x.Findings, x.Actions = []exchange.Finding{found}, []exchange.Action{counted}
		}, "unknown good good good good finding* good"},
		{"doubtful", func(x *exchange.Exchange) {
			f := found
			f.Verdict = exchange.Unknown
			x.Findings = []exchange.Finding{f}
		}, "unknown good good good good noted good"},
		{"check of another version", func(x *exchange.Exchange) {
			x.Actions = []exchange.Action{change(exchange.Repaired, "no-such-check", "", "header", "X", "")}
		}, "unknown good good good good repaired good"},
		{"step out of range", func(x *exchange.Exchange) { x.Findings = []exchange.Finding{{Check: "x", Step: 99}} }, "unknown good good good good good good"},
	} {
		x := ok()
		tt.x(x)
		if got := verdicts(x); got != tt.want {
			t.Errorf("%s: steps are %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestActionsSince: what was counted before this run is left out, and what
// comes while the page asks is added once.
func TestActionsSince(t *testing.T) {
	d, s := newReportDemo(t) // an earlier run, in report mode
	st, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, srv := serve(t, Options{Store: s, Since: st.Last})
	cl := open(t, c, srv.URL)
	count := func() (total int64, run bool) {
		t.Helper()
		var v struct {
			Actions []actionView
			Run     bool
		}
		if status := cl.get("/api/actions", &v); status != 200 {
			t.Fatalf("actions: %d", status)
		}
		for _, a := range v.Actions {
			if !a.Enforced {
				t.Errorf("%s was counted in the earlier run", a.Check)
			}
			total += a.Count
		}
		return total, v.Run
	}
	if n, run := count(); n != 0 || !run {
		t.Errorf("%d actions before anything was done, run %v; want 0, true", n, run)
	}
	want := int64(0)
	for range 3 {
		for i := range demoAttacks {
			d.play(&demoAttacks[i])
			want += int64(len(demoAttacks[i].actions))
		}
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if n, _ := count(); n != want {
				t.Errorf("%d actions, want %d", n, want)
			}
		}
	}
}
