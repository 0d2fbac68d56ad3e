package console

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/filter"
	"github.com/parley-project/parley/scan"
)

// madeResult is a small result: one finding of each kind, and a matrix.
func madeResult() *scan.Result {
	proof := []scan.Shown{{Exchange: "01ARZ3NDEKTSV4RRFFQ69G5FAV", As: "priya", Request: "GET /v1/orders/5001", Status: 200, Control: true}, {Exchange: "01ARZ3NDEKTSV4RRFFQ69G5FAW", As: "rajan", Request: "GET /v1/orders/5001", Status: 200}}
	f := func(id, check string, s exchange.Severity, v exchange.Verdict) *scan.Finding {
		return &scan.Finding{ID: id, Fingerprint: id + "0123456789abcdef", Check: check, Title: "title of " + check, Severity: s, Verdict: v, Step: exchange.StepServer, Operation: "GET /v1/orders/{id}", Count: 1, By: "rajan", Of: "priya", Proof: proof}
	}
	r := &scan.Result{Schema: scan.Schema, Target: "http://127.0.0.1:9000", Start: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), Time: 1500 * time.Millisecond, Requests: 320,
		People: []scan.Asker{{Name: "newcomer-1", Spare: true}, {Name: "priya", Part: "victim"}, {Name: "rajan", Part: "attacker"}},
		Findings: []*scan.Finding{f("aaaaaaaa", "authz-object", exchange.Critical, exchange.Confirmed), f("bbbbbbbb", "response-hsts", exchange.Medium, exchange.Confirmed),
			f("cccccccc", "authz-function", exchange.High, exchange.Likely), f("dddddddd", "response-csp", exchange.Low, exchange.Confirmed), f("eeeeeeee", "response-nosniff", exchange.Low, exchange.Confirmed)},
		Access: []scan.Row{{Operation: "GET /v1/orders/{id}", Cells: []scan.Cell{{Who: "nobody", Others: "enforced"}, {Who: "rajan", Own: "allowed", Others: "bypassed", Finding: "aaaaaaaa", Status: 200}}}}}
	r.Findings[3].Suppressed, r.Findings[4].Known = "the proxy adds it", true
	return r
}

func writeResult(t testing.TB, file string, r *scan.Result) {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestScanFile: a result is read when it is there, again when it has changed,
// and what is no result is said.
func TestScanFile(t *testing.T) {
	_, s := newEmpty(t)
	file := filepath.Join(t.TempDir(), "scan.json")
	c, srv := serve(t, Options{Store: s, Scans: []Scan{{Name: "scan", Last: ScanFile(file), Store: "it's.db"}}})
	cl := open(t, c, srv.URL)
	var v struct {
		Scans   []scanView
		Running *runningView
	}
	look := func() scanView {
		t.Helper()
		v.Scans = nil
		if status := cl.get("/api/scan", &v); status != 200 || len(v.Scans) != 1 || v.Running != nil {
			t.Fatalf("GET /api/scan: %d %+v", status, v)
		}
		return v.Scans[0]
	}
	if got := look(); got.Result != nil || got.Fault != "" || got.Run {
		t.Errorf("without a file: %+v, want nothing", got)
	}
	if status := cl.get("/api/scan/findings?scan=scan", nil); status != 404 {
		t.Errorf("findings without a file: %d, want 404", status)
	}
	writeResult(t, file, madeResult())
	got := look()
	if got.Result == nil || got.Result.Tally.All != 2 || got.Result.Tally.Confirmed["critical"] != 1 || got.Result.Tally.Likely != 1 || got.Result.Tally.Suppressed != 1 || got.Result.Tally.Known != 1 {
		t.Fatalf("with a file: %+v, want 2 confirmed, 1 likely, 1 suppressed, 1 known", got.Result)
	}
	var fs struct {
		Findings []scan.Finding
		Replay   string
		Explain  map[string]Explanation
	}
	cl.get("/api/scan/findings?scan=scan", &fs)
	if len(fs.Findings) != 5 || fs.Findings[0].Check != "authz-object" || len(fs.Findings[0].Proof) != 2 || !fs.Findings[0].Proof[0].Control {
		t.Errorf("findings: %+v", fs.Findings)
	}
	if want := `parley scan --store 'it'\''s.db' --replay`; fs.Replay != want {
		t.Errorf("replay is %q, want %q", fs.Replay, want)
	}
	if fs.Explain["authz-object"].Doc == "" {
		t.Error("authz-object is not explained")
	}
	var m struct {
		People []scan.Asker
		Rows   []scan.Row
	}
	cl.get("/api/scan/access?scan=scan", &m)
	var names []string
	for _, p := range m.People {
		names = append(names, p.Name)
	}
	if want := []string{"nobody", "priya", "rajan", "newcomer-1"}; !slices.Equal(names, want) {
		t.Errorf("the matrix is of %v, want %v", names, want)
	}

	r := madeResult()
	r.Findings = r.Findings[:1]
	writeResult(t, file, r)
	if got := look(); got.Result == nil || got.Result.Tally.All != 1 {
		t.Errorf("after a change: %+v, want 1 confirmed", got.Result)
	}
	for _, bad := range []string{"", "[]", `{"schema":"parley.scan/9"}`, `{"schema":`, "\x00\x01"} {
		os.WriteFile(file, []byte(bad), 0o600)
		if got := look(); got.Fault == "" || got.Result == nil || got.Result.Tally.All != 1 {
			t.Errorf("with %q: %+v, want a fault and the last result", bad, got)
		}
	}
	os.WriteFile(file, []byte(`{"schema":"parley.scan/1","findings":[null,{"severity":"high"}],"people":null,"access":null}`), 0o600)
	if got := look(); got.Fault != "" || got.Result.Tally.Likely != 1 {
		t.Errorf("with holes: %+v", got)
	}
	for _, path := range []string{"/api/scan/findings", "/api/scan/access?scan=other", "/api/report?scan=other&format=text"} {
		if status := cl.get(path, nil); status != 404 {
			t.Errorf("GET %s: %d, want 404", path, status)
		}
	}
}

// heldScan is a Run that a test holds.
type heldScan struct {
	told    chan scan.Progress
	end     chan error
	started chan struct{}
}

func (h *heldScan) run(ctx context.Context, told func(scan.Progress)) (*scan.Result, error) {
	h.started <- struct{}{}
	for {
		select {
		case p := <-h.told:
			told(p)
		case err := <-h.end:
			if err != nil {
				return nil, err
			}
			return madeResult(), nil
		case <-ctx.Done():
			r := madeResult()
			r.Findings, r.Incomplete = r.Findings[:1], "it was interrupted"
			return r, nil
		}
	}
}

// TestScanRun: one scan at a time, with its progress, and it can be stopped.
func TestScanRun(t *testing.T) {
	_, s := newEmpty(t)
	h := &heldScan{make(chan scan.Progress), make(chan error), make(chan struct{}, 1)}
	c, srv := serve(t, Options{Store: s, Scans: []Scan{{Name: "open", URL: "http://127.0.0.1:9000", Run: h.run}, {Name: "guarded"}}})
	cl := open(t, c, srv.URL)
	post := func(path string, body map[string]string) int { t.Helper(); return cl.post(path, body, nil) }
	for path, want := range map[string]int{"/api/scan/start": 405, "/api/scan/stop": 405} {
		if status := cl.get(path, nil); status != want {
			t.Errorf("GET %s: %d, want %d", path, status, want)
		}
	}
	if status := post("/api/scan/start", map[string]string{"scan": "guarded"}); status != 404 {
		t.Errorf("starting what cannot be: %d, want 404", status)
	}
	if status := post("/api/scan/stop", map[string]string{}); status != 200 {
		t.Errorf("stopping nothing: %d, want 200", status)
	}

	r, err := cl.http.Get(srv.URL + "/api/scan/live")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	events := bufio.NewReader(r.Body)
	next := func(want string) (data string) {
		t.Helper()
		for {
			line, err := events.ReadString('\n')
			if err != nil {
				t.Fatalf("waiting for %s: %v", want, err)
			}
			if strings.TrimSpace(line) == "event: "+want {
				data, _ = events.ReadString('\n')
				return strings.TrimPrefix(data, "data: ")
			}
		}
	}
	next("idle")
	if status := post("/api/scan/start", map[string]string{"scan": "open"}); status != 202 {
		t.Fatalf("starting: %d, want 202", status)
	}
	<-h.started
	if status := post("/api/scan/start", map[string]string{"scan": "open"}); status != 409 {
		t.Errorf("starting a second one: %d, want 409", status)
	}
	h.told <- scan.Progress{Phase: "authz-object", Asking: "GET /v1/orders/{id} as rajan", Requests: 120, Done: 31, Of: 97, Findings: 12}
	for {
		var p runningView
		if err := json.Unmarshal([]byte(next("progress")), &p); err != nil {
			t.Fatal(err)
		}
		if p.Phase == "authz-object" {
			if p.Name != "open" || p.Requests != 120 || p.Of != 97 || p.Asking != "GET /v1/orders/{id} as rajan" {
				t.Errorf("progress is %+v", p)
			}
			break
		}
	}
	if status := post("/api/scan/stop", map[string]string{}); status != 200 {
		t.Errorf("stopping: %d, want 200", status)
	}
	next("idle")
	var v struct{ Scans []scanView }
	cl.get("/api/scan", &v)
	if v.Scans[0].Result == nil || v.Scans[0].Result.Incomplete == "" {
		t.Errorf("after stopping: %+v, want what was found until then", v.Scans[0])
	}

	// One that fails says why, and what the last found stays.
	post("/api/scan/start", map[string]string{"scan": "open"})
	<-h.started
	h.end <- errors.New("nobody answers at 127.0.0.1:9000")
	next("idle")
	cl.get("/api/scan", &v)
	if v.Scans[0].Fault != "nobody answers at 127.0.0.1:9000" || v.Scans[0].Result == nil {
		t.Errorf("after a failure: %+v", v.Scans[0])
	}
	post("/api/scan/start", map[string]string{"scan": "open"})
	<-h.started
	c.Close()
	c.WaitScans()
	if _, err := io.ReadAll(events); err != nil {
		t.Errorf("the stream did not end: %v", err)
	}
}

// TestScanReport: a scan's findings can be had in every format, also without the
// exchanges.
func TestScanReport(t *testing.T) {
	_, s := newEmpty(t)
	c, srv := serve(t, Options{Store: s, Scans: []Scan{{Name: "scan", Last: func() (*scan.Result, error) { return madeResult(), nil }}}})
	cl := open(t, c, srv.URL)
	for format, wants := range map[string][]string{"text": {"authz-object", "GET /v1/orders/{id}"}, "json": {"authz-object", "cccccccc"}, "sarif": {"authz-object", "the proxy adds it"}, "html": {"authz-object", "GET /v1/orders/5001"}, "junit": {"authz-object"}} {
		r, err := cl.http.Get(srv.URL + "/api/report?scan=scan&format=" + format)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if r.StatusCode != 200 || !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d %q %.200s", format, r.StatusCode, r.Header.Get("Content-Disposition"), b)
		}
		for _, want := range wants {
			if !strings.Contains(string(b), want) {
				t.Errorf("%s: the report does not say %q", format, want)
			}
		}
	}
}

// TestObserved: what checks found in recorded traffic is grouped, what comes
// later is added, and what a scan asked is left out.
func TestObserved(t *testing.T) {
	d, s := newDemo(t, 30)
	c, srv := serve(t, Options{Store: s})
	cl := open(t, c, srv.URL)
	var v struct {
		Findings []observedView
		Reading  bool
		Explain  map[string]Explanation
	}
	look := func() {
		t.Helper()
		for {
			v.Findings = nil
			if status := cl.get("/api/observed", &v); status != 200 {
				t.Fatalf("GET /api/observed: %d", status)
			}
			if !v.Reading {
				return
			}
		}
	}
	look()
	if len(v.Findings) == 0 {
		t.Fatal("nothing was found in the demonstration")
	}
	count := func(check string) (n int) {
		for _, g := range v.Findings {
			if g.Check == check {
				n += g.Count
			}
		}
		return n
	}
	for _, g := range v.Findings {
		p := rowsOf(t, cl, g.Filter)
		if len(p) != g.Count {
			t.Errorf("%s %s: %d times, its filter %s finds %d", g.Check, g.Operation, g.Count, g.Filter, len(p))
		}
		if g.Last == "" || v.Explain[g.Check].Doc == "" {
			t.Errorf("%s: no exchange, or no explanation", g.Check)
		}
	}
	before := count("authz-object")
	add := func(source exchange.Source) {
		start := d.tick(5)
		d.record(&exchange.Exchange{ID: exchange.NewID(start), Source: source, Start: start, Request: exchange.Request{Method: "GET", Target: "/v1/orders/887"}, Server: exchange.Server{Operation: "GET /v1/orders/{id}"},
			Findings: []exchange.Finding{{Check: "authz-object", Severity: exchange.Critical, Verdict: exchange.Confirmed, Step: exchange.StepServer}}})
	}
	add(exchange.FromGuard)
	add(exchange.FromScan)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if look(); count("authz-object") != before+1 {
		t.Errorf("authz-object %d times, want %d: one more from guard, none from a scan", count("authz-object"), before+1)
	}
}

func rowsOf(t testing.TB, cl *client, filter string) []rowView {
	t.Helper()
	var p struct{ Rows []rowView }
	if status := cl.get("/api/rows?limit=1000&filter="+url.QueryEscape(filter), &p); status != 200 {
		t.Fatalf("rows of %s: %d", filter, status)
	}
	return p.Rows
}

// TestObservedEmpty: a store that was empty at the first look is read from the
// beginning once there is something.
func TestObservedEmpty(t *testing.T) {
	d, s := newEmpty(t)
	c, srv := serve(t, Options{Store: s})
	cl := open(t, c, srv.URL)
	var v struct{ Findings []observedView }
	if cl.get("/api/observed", &v); len(v.Findings) != 0 {
		t.Fatalf("an empty store has %d findings", len(v.Findings))
	}
	for range 3 {
		start := d.tick(5)
		d.record(&exchange.Exchange{ID: exchange.NewID(start), Source: exchange.FromGuard, Start: start, Request: exchange.Request{Method: "GET", Target: "/"},
			Findings: []exchange.Finding{{Check: "response-hsts", Severity: exchange.Medium, Verdict: exchange.Confirmed, Step: exchange.StepResponse}}})
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if cl.get("/api/observed", &v); len(v.Findings) != 1 || v.Findings[0].Count != 3 {
		t.Errorf("%+v, want response-hsts three times", v.Findings)
	}
}

// TestLearnt: the difference to the description comes with filters that find
// the exchanges, and the description itself as a download.
func TestLearnt(t *testing.T) {
	_, s := newDemo(t, 30)
	k := newScannedShop(t, s).contract
	c, srv := serve(t, Options{Store: s, Learnt: LearnStore(s, k)})
	cl := open(t, c, srv.URL)
	var v struct {
		On, Described, Reading bool
		Operations             []entryView
		Changes                []changeView
	}
	for {
		if status := cl.get("/api/learnt", &v); status != 200 {
			t.Fatalf("GET /api/learnt: %d", status)
		}
		if !v.Reading {
			break
		}
	}
	if !v.On || !v.Described {
		t.Errorf("on %v, described %v, want both", v.On, v.Described)
	}
	shadow, unused := 0, 0
	for _, o := range v.Operations {
		if o.Shadow {
			shadow++
		}
		if o.Unused {
			unused++
			if o.Filter != "" {
				t.Errorf("%s was never seen and has the filter %s", o.Operation, o.Filter)
			}
		}
		if o.Seen && len(rowsOf(t, cl, o.Filter)) == 0 {
			t.Errorf("%s: its filter %s finds nothing", o.Operation, o.Filter)
		}
	}
	if shadow == 0 || unused == 0 {
		t.Errorf("%d shadow and %d unused operations, want some of each", shadow, unused)
	}
	found := false
	for _, ch := range v.Changes {
		if len(rowsOf(t, cl, ch.Filter)) == 0 {
			t.Errorf("%s %s: its filter %s finds nothing", ch.Operation, ch.Place, ch.Filter)
		}
		found = found || ch.What == "new member" && ch.Name == "card_last4"
		var x struct{ ID exchange.ID }
		if cl.get("/api/example?filter="+url.QueryEscape(ch.Filter), &x); x.ID == "" {
			t.Errorf("%s %s: no example", ch.Operation, ch.Place)
		}
	}
	if !found {
		t.Error("the new member card_last4 is not told")
	}
	r, err := cl.http.Get(srv.URL + "/api/learnt/openapi")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(r.Body)
	r.Body.Close()
	if r.StatusCode != 200 || !strings.HasPrefix(string(b), "openapi:") || r.Header.Get("Content-Disposition") != `attachment; filename="openapi.yaml"` {
		t.Errorf("the description: %d %q %.80s", r.StatusCode, r.Header.Get("Content-Disposition"), b)
	}

	c, srv = serve(t, Options{Store: s})
	cl = open(t, c, srv.URL)
	if cl.get("/api/learnt", &v); v.On {
		t.Error("without a learner something is learning")
	}
	if status := cl.get("/api/learnt/openapi", nil); status != http.StatusNotFound {
		t.Errorf("its description: %d, want 404", status)
	}
}

// TestFollower: what fails in the middle of a page is read once, not twice.
func TestFollower(t *testing.T) {
	_, s := newDemo(t, 40)
	st, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	everything, _ := filter.New(filter.And{})
	k := follower{filter: everything, most: 1000}
	seen := map[exchange.ID]int{}
	faulty := &faultySource{source: s}
	for range 10_000 {
		if err := k.more(t.Context(), faulty, func(x *exchange.Exchange) { seen[x.ID]++ }); err == nil && !k.reading() {
			break
		}
	}
	if int64(len(seen)) != st.Rows {
		t.Errorf("%d exchanges were read of %d", len(seen), st.Rows)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s was read %d times", id, n)
		}
	}
	k = follower{filter: everything, most: 10}
	if err := k.more(t.Context(), s, func(*exchange.Exchange) {}); err != nil || !k.full || k.reading() {
		t.Errorf("with room for 10: %v, full %v, reading %v", err, k.full, k.reading())
	}
}

// A faultySource fails at every third exchange.
type faultySource struct {
	source
	n int
}

func (f *faultySource) Get(ctx context.Context, id exchange.ID) (*exchange.Exchange, error) {
	if f.n++; f.n%3 == 0 {
		return nil, errors.New("busy")
	}
	return f.source.Get(ctx, id)
}
