package console

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/store"
)

// The demonstration: a shop with its flaws, seen open and guarded. It is made
// up, but of the shape that guard and `parley up` record.

type demo struct {
	at      time.Time
	record  func(*exchange.Exchange)
	attacks []Attack
}

func header(lines ...string) exchange.Header {
	var h exchange.Header
	for _, l := range lines {
		n, v, _ := strings.Cut(l, ": ")
		h = append(h, exchange.Field{Name: n, Value: v})
	}
	return h
}

func body(s string) exchange.Body { return exchange.Body{Size: int64(len(s)), Data: []byte(s)} }

// A demoAttack is an attack with the answers it gets.
type demoAttack struct {
	name, check, why, request, as string
	facts                         []int
	reqBody, openBody, guardBody  string
	open, guard                   int
	openHeader                    []string
	says, guardSays, outcome      string
	operation                     string
	actions                       []exchange.Action
	preread                       string
}

var callers = map[string]*exchange.Caller{
	"priya": {Subject: "101", Name: "priya", Roles: []string{"customer"}},
	"rajan": {Subject: "102", Name: "rajan", Roles: []string{"customer"}},
	"admin": {Subject: "1", Name: "admin", Roles: []string{"admin"}},
}

const (
	openAddress    = "127.0.0.1:9000"
	guardedAddress = "localhost:8443"
	order887       = `{"id":887,"user_id":101,"status":"pending","total":49.90,"currency":"EUR","items":[{"product_id":12,"quantity":1}],"card_last4":"4242","note":"leave at the door"}`
)

func refuse(check, rule string, status int, where, name, says string) exchange.Action {
	return exchange.Action{Kind: exchange.Refused, Check: check, Enforced: true, Status: status, Rule: rule, Evidence: exchange.Evidence{Where: where, Name: name, Says: says}}
}

func change(kind exchange.ActionKind, check, rule, where, name, says string) exchange.Action {
	return exchange.Action{Kind: kind, Check: check, Enforced: true, Rule: rule, Evidence: exchange.Evidence{Where: where, Name: name, Says: says}}
}

var demoAttacks = []demoAttack{
	{name: "Read another's order", check: "authz-object", request: "GET /v1/orders/887", as: "rajan", facts: []int{9, 52},
		why: "Rajan asks for Priya's order by its number, and gets it.", operation: "GET /v1/orders/{id}", open: 200, openBody: order887, says: "Priya's order",
		guard: 403, outcome: "refused", actions: []exchange.Action{refuse("authz-object", "parley.yaml:17", 403, "response body", "/user_id", "is not the caller's")}},
	{name: "Change another's order", check: "authz-object-write", request: "PATCH /v1/orders/887", as: "rajan", facts: []int{8, 9, 52},
		why: "The order's address is enough to rewrite it.", operation: "PATCH /v1/orders/{id}", reqBody: `{"status":"cancelled"}`, open: 200, openBody: strings.Replace(order887, "pending", "cancelled", 1), says: "changed",
		guard: 403, outcome: "refused", preread: order887, actions: []exchange.Action{refuse("authz-object-write", "parley.yaml:21", 403, "response body", "/user_id", "the object read first is not the caller's")}},
	{name: "Delete another's order", check: "authz-object-delete", request: "DELETE /v1/orders/887", as: "rajan", facts: []int{7, 8, 9},
		why: "Whoever guesses the URL pattern deletes.", operation: "DELETE /v1/orders/{id}", open: 204, says: "gone",
		guard: 403, outcome: "refused", preread: order887, actions: []exchange.Action{refuse("authz-object-delete", "parley.yaml:23", 403, "response body", "/user_id", "the object read first is not the caller's")}},
	{name: "List by somebody else's user_id", check: "authz-query-owner", request: "GET /v1/orders?user_id=101&status=pending&limit=10", as: "rajan", facts: []int{9, 52},
		why: "The query says whose orders, and is believed.", operation: "GET /v1/orders", open: 200, openBody: `{"items":[` + order887 + `],"next":null}`, says: "Priya's orders",
		guard: 403, outcome: "refused", actions: []exchange.Action{refuse("authz-query-owner", "parley.yaml:14", 403, "query", "user_id", "is not the caller's")}},
	{name: "Make yourself an administrator", check: "request-mass-assignment", request: "PATCH /v1/users/102", as: "rajan", facts: []int{20},
		why: "A field that no form shows is accepted from the body.", operation: "PATCH /v1/users/{id}", reqBody: `{"name":"Rajan","role":"admin","plan":"premium"}`, open: 200, openBody: `{"id":102,"name":"Rajan","role":"admin","plan":"premium"}`, says: "role: admin",
		guard: 403, outcome: "refused", actions: []exchange.Action{refuse("request-mass-assignment", "parley.yaml:31", 403, "request body", "/role", "only admin may write it"), refuse("request-mass-assignment", "parley.yaml:31", 403, "request body", "/plan", "only admin may write it")}},
	{name: "Read the whole row", check: "response-excessive-data", request: "GET /v1/users/102", as: "rajan", facts: []int{37, 53},
		why: "The answer holds columns that no client needs.", operation: "GET /v1/users/{id}", open: 200, says: "password hash sent",
		openBody:  `{"id":102,"name":"Rajan","email":"rajan@example.test","role":"customer","plan":"free","password_hash":"$argon2id$v=19$m=65536,t=3,p=2$c2FsdHNhbHQ$5Rk2","internal_notes":"chargeback in March","credit_card_last4":"4242","created_at":"2026-02-11T09:14:03Z"}`,
		guardBody: `{"id":102,"name":"Rajan","email":"rajan@example.test","role":"customer","plan":"free","created_at":"2026-02-11T09:14:03Z"}`,
		guard:     200, outcome: "filtered", guardSays: "3 members removed", actions: []exchange.Action{
			change(exchange.Stripped, "response-excessive-data", "parley.yaml:27", "response body", "/password_hash", "never sent"),
			change(exchange.Stripped, "response-excessive-data", "parley.yaml:27", "response body", "/internal_notes", "never sent"),
			change(exchange.Stripped, "response-excessive-data", "openapi.yaml:212", "response body", "/credit_card_last4", "not declared")}},
	{name: "Call an administrator's function", check: "authz-function", request: "GET /v1/admin/users", as: "rajan", facts: []int{25, 52},
		why: "The function is hidden in no menu, but open.", operation: "GET /v1/admin/users", open: 200, openBody: `{"items":[{"id":101,"name":"Priya"},{"id":102,"name":"Rajan"}]}`, says: "every user",
		guard: 403, outcome: "refused", actions: []exchange.Action{refuse("authz-function", "parley.yaml:25", 403, "credential", "role", "admin is needed")}},
	{name: "Ask without logging in", check: "authn-missing", request: "GET /v1/account/balance", facts: []int{11, 24, 52},
		why: "The server never asks who is there.", operation: "GET /v1/account/balance", open: 200, openBody: `{"account":"XXXX1234","balance":1042.17,"currency":"EUR"}`, says: "a balance",
		guard: 401, outcome: "refused", actions: []exchange.Action{refuse("authn-missing", "openapi.yaml:96", 401, "credential", "", "none was presented")}},
	{name: "Log in with an unsigned token", check: "authn-jwt-none", request: "GET /v1/orders/887", as: "a forged token", facts: []int{11, 52},
		why: "A token that says alg: none proves itself.", operation: "GET /v1/orders/{id}", open: 200, openBody: order887, says: "believed",
		guard: 401, outcome: "refused", actions: []exchange.Action{refuse("authn-jwt-none", "", 401, "credential", "Authorization", "the token is not signed")}},
	{name: "Success that is a failure", check: "status-200-on-failure", request: "GET /v1/orders/999999", as: "priya", facts: []int{21, 30},
		why: "A failure inside a 200 hides attacks from whoever counts.", operation: "GET /v1/orders/{id}", open: 200, openBody: `{"success":false,"error":"order not found"}`, says: "an error inside",
		guard: 404, outcome: "repaired", guardBody: `{"type":"about:blank","title":"Not Found","status":404,"reference":"01KD6W2M"}`, actions: []exchange.Action{{Kind: exchange.Repaired, Check: "status-200-on-failure", Enforced: true, Status: 404, Evidence: exchange.Evidence{Where: "status", Says: "was 200 with an error inside"}}}},
	{name: "Provoke a stack trace", check: "response-error-details", request: "GET /v1/products?limit=%27", as: "rajan", facts: []int{28},
		why: "The error tells the table, the query and the file.", operation: "GET /v1/products", open: 500, openBody: `{"error":"near \"'\": syntax error","query":"SELECT * FROM products LIMIT '","stack":["shop/store.go:88","shop/products.go:41"]}`, says: "SQL and paths",
		guard: 400, outcome: "refused", actions: []exchange.Action{refuse("request-parameters", "openapi.yaml:64", 400, "query", "limit", "is not an integer")}},
	{name: "Headers that protect a browser", check: "response-hsts", request: "GET /v1/products", as: "priya", facts: []int{32, 33, 34, 35},
		why: "None of the six headers is sent.", operation: "GET /v1/products", open: 200, openBody: `{"items":[{"id":12,"name":"Kettle","price":49.90,"currency":"EUR"}]}`, says: "six missing",
		guard: 200, outcome: "repaired", guardSays: "headers added", actions: []exchange.Action{
			change(exchange.Repaired, "response-nosniff", "", "header", "X-Content-Type-Options", "was missing"),
			change(exchange.Repaired, "response-frame-options", "", "header", "X-Frame-Options", "was missing"),
			change(exchange.Repaired, "response-csp", "", "header", "Content-Security-Policy", "was missing"),
			change(exchange.Repaired, "response-cache-control", "", "header", "Cache-Control", "was missing on an authenticated answer")}},
	{name: "A cookie that scripts read", check: "client-cookie", request: "POST /v1/sessions", as: "priya", facts: []int{16, 18, 45},
		why: "The session cookie lacks HttpOnly, Secure and SameSite.", operation: "POST /v1/sessions", reqBody: `{"email":"priya@example.test","password":"secret:8f1c0a77d2be"}`, open: 201, openBody: `{"user_id":101}`, says: "readable cookie", openHeader: []string{"Set-Cookie: session=secret:41be90c3fa07; Path=/"},
		guard: 201, outcome: "repaired", guardSays: "3 attributes added", actions: []exchange.Action{change(exchange.Repaired, "client-cookie", "", "cookie", "Set-Cookie", "HttpOnly, Secure, SameSite=Lax added")}},
	{name: "Post from another site", check: "client-csrf", request: "POST /v1/orders", as: "priya (cookie)", facts: []int{45},
		why: "The browser sends the cookie along with anybody's form.", operation: "POST /v1/orders", reqBody: `{"product_id":12,"quantity":3}`, open: 201, openBody: `{"id":888,"user_id":101,"status":"pending"}`, says: "ordered",
		guard: 403, outcome: "refused", actions: []exchange.Action{refuse("client-csrf", "", 403, "header", "Origin", "is another site")}},
	{name: "A token in the address", check: "request-token-in-url", request: "GET /v1/orders?access_token=secret:77ab1290cd3e", as: "rajan", facts: []int{10},
		why: "Addresses end up in logs, histories and referrers.", operation: "GET /v1/orders", open: 200, openBody: `{"items":[],"next":null}`, says: "accepted",
		guard: 400, outcome: "refused", actions: []exchange.Action{refuse("request-token-in-url", "", 400, "query", "access_token", "credentials do not travel in the URL")}},
	{name: "Guess passwords", check: "authn-rate-limit", request: "POST /v1/sessions", facts: []int{27},
		why: "A hundred attempts a second are answered like one.", operation: "POST /v1/sessions", reqBody: `{"email":"priya@example.test","password":"secret:0d2294efab11"}`, open: 401, openBody: `{"error":"wrong password"}`, says: "100 of 100 tried",
		guard: 429, outcome: "refused", actions: []exchange.Action{refuse("authn-rate-limit", "parley.yaml:36", 429, "request body", "/email", "more than 5 in a minute")}},
}

var problemTitles = map[int]string{400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}

func (d *demo) tick(ms int) time.Time {
	d.at = d.at.Add(time.Duration(ms) * time.Millisecond)
	return d.at
}

func (d *demo) request(a *demoAttack, scheme, authority string) exchange.Request {
	m, target, _ := strings.Cut(a.request, " ")
	h := header("Host: "+authority, "User-Agent: parley-up", "Accept: application/json")
	if a.as != "" && !strings.Contains(a.as, "cookie") {
		h = append(h, header("Authorization: Bearer secret:"+fmt.Sprintf("%012x", len(a.as)*7919*31337))...)
	}
	if strings.Contains(a.as, "cookie") {
		h = append(h, header("Cookie: session=secret:41be90c3fa07", "Origin: https://evil.example")...)
	}
	r := exchange.Request{Method: m, Scheme: scheme, Authority: authority, Target: target, Proto: "HTTP/1.1", Header: h, Fidelity: exchange.OnTheWire}
	if a.reqBody != "" {
		r.Header = append(r.Header, header("Content-Type: application/json")...)
		r.Body = body(a.reqBody)
	}
	return r
}

func (d *demo) play(a *demoAttack) {
	caller := callers[strings.TrimSuffix(a.as, " (cookie)")]
	upHeader := append(header("Content-Type: application/json", "Date: Mon, 23 Nov 2026 09:14:03 GMT", "Server: shop/1.0"), header(a.openHeader...)...)
	// On the open address.
	start := d.tick(140)
	open := &exchange.Exchange{ID: exchange.NewID(start), Source: exchange.FromCall, Side: exchange.ClientSide, Start: start,
		TCP: &exchange.TCP{Remote: netip.MustParseAddrPort(openAddress), Local: netip.MustParseAddrPort("127.0.0.1:51822")}, TLS: &exchange.TLS{Clear: true},
		Request:  d.request(a, "http", openAddress),
		Server:   exchange.Server{Operation: a.operation},
		Response: &exchange.Response{Status: a.open, Proto: "HTTP/1.1", Header: upHeader, Body: body(a.openBody)},
		Times:    exchange.Times{Connect: 210 * time.Microsecond, Send: 40 * time.Microsecond, Wait: 2300 * time.Microsecond, Receive: 90 * time.Microsecond, Total: 2640 * time.Microsecond},
		Findings: []exchange.Finding{{Check: a.check, Severity: exchange.High, Verdict: exchange.Confirmed, Step: explain(a.check).Step, Evidence: []exchange.Evidence{{Where: "status", Says: fmt.Sprintf("%d, %s", a.open, a.says)}}}}}
	d.record(open)

	// Through guard.
	start = d.tick(60)
	g := &exchange.Exchange{ID: exchange.NewID(start), Source: exchange.FromGuard, Side: exchange.ClientSide, Start: start,
		Links:   []exchange.Link{{Kind: exchange.Compared, ID: open.ID}},
		TCP:     &exchange.TCP{Remote: netip.MustParseAddrPort("127.0.0.1:51830"), Local: netip.MustParseAddrPort("127.0.0.1:8443"), Reused: true},
		TLS:     &exchange.TLS{Version: "TLS 1.3", Suite: "TLS_AES_128_GCM_SHA256", Group: "X25519MLKEM768", ALPN: "h2", ServerName: "localhost"},
		Request: d.request(a, "https", guardedAddress), Server: exchange.Server{Caller: caller, Operation: a.operation, Mode: "enforce"}, Actions: a.actions}
	g.Request.Proto = "HTTP/2.0"
	if caller != nil {
		g.Server.Credential = &exchange.Credential{Scheme: "bearer", Carrier: "header", Field: "Authorization", Fingerprint: "9d1f20", Verified: true, Expires: start.Add(time.Hour)}
	} else if strings.Contains(a.as, "forged") {
		g.Server.Credential = &exchange.Credential{Scheme: "bearer", Carrier: "header", Field: "Authorization", Problem: "algorithm"}
	}
	up := a.outcome != "refused" || a.check == "authz-object"
	gh := header("Content-Type: application/problem+json", "Date: Mon, 23 Nov 2026 09:14:03 GMT", "Cache-Control: no-store", "X-Content-Type-Options: nosniff")
	gb := a.guardBody
	switch a.outcome {
	case "refused":
		gb = fmt.Sprintf(`{"type":"about:blank","title":%q,"status":%d,"reference":%q}`, problemTitles[a.guard], a.guard, string(g.ID[:12]))
		if a.guard == 401 {
			gh = append(gh, header(`WWW-Authenticate: Bearer realm="shop"`)...)
		}
		if a.guard == 429 {
			gh = append(gh, header("Retry-After: 42")...)
		}
	default:
		if gb == "" {
			gb = a.openBody
		}
		if a.outcome != "repaired" || a.guard == a.open {
			gh = header("Content-Type: application/json", "Date: Mon, 23 Nov 2026 09:14:03 GMT", "Cache-Control: no-store", "X-Content-Type-Options: nosniff", "X-Frame-Options: DENY", "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'")
			for _, l := range a.openHeader {
				gh = append(gh, header(l+"; HttpOnly; Secure; SameSite=Lax")...)
			}
		}
	}
	g.Response = &exchange.Response{Status: a.guard, Proto: "HTTP/2.0", Header: gh, Body: body(gb)}
	g.Times = exchange.Times{Send: 30 * time.Microsecond, Decide: 140 * time.Microsecond, Total: 190 * time.Microsecond}
	if up {
		g.Times.Wait, g.Times.Receive, g.Times.Total = 2400*time.Microsecond, 80*time.Microsecond, 2650*time.Microsecond
	}
	if a.preread != "" {
		g.Times.Wait, g.Times.Total = 1100*time.Microsecond, 1270*time.Microsecond
	}
	d.record(g)
	side := func(kind exchange.LinkKind, r exchange.Request, status int, b string) {
		r.Scheme, r.Authority, r.Proto = "http", openAddress, "HTTP/1.1"
		d.record(&exchange.Exchange{ID: exchange.NewID(d.tick(1)), Source: exchange.FromGuard, Side: exchange.UpstreamSide, Start: d.at, Links: []exchange.Link{{Kind: kind, ID: g.ID}},
			TCP: &exchange.TCP{Remote: netip.MustParseAddrPort(openAddress), Reused: true}, TLS: &exchange.TLS{Clear: true},
			Request: r, Server: exchange.Server{Operation: a.operation}, Response: &exchange.Response{Status: status, Proto: "HTTP/1.1", Header: upHeader, Body: body(b)},
			Times: exchange.Times{Send: 20 * time.Microsecond, Wait: 2300 * time.Microsecond, Receive: 60 * time.Microsecond, Total: 2380 * time.Microsecond}})
	}
	if up {
		side(exchange.Forwarded, g.Request, a.open, a.openBody)
	}
	if a.preread != "" {
		r := g.Request
		r.Method, r.Body = "GET", exchange.Body{}
		side(exchange.Preread, r, 200, a.preread)
	}
	d.attacks = append(d.attacks, Attack{Name: a.name, Check: a.check, Request: a.request, As: a.as, Why: a.why, Conversation: a.facts,
		Open:    Played{ID: open.ID, Status: a.open, Outcome: "worked", Says: a.says},
		Guarded: Played{ID: g.ID, Status: a.guard, Outcome: a.outcome, Says: a.guardSays}})
}

// calm records one ordinary call.
func (d *demo) calm(i int) *exchange.Exchange {
	kinds := []demoAttack{
		{request: "GET /v1/products?limit=20", operation: "GET /v1/products", open: 200, openBody: `{"items":[{"id":12,"name":"Kettle","price":49.90,"currency":"EUR"},{"id":13,"name":"Lamp","price":19.00,"currency":"EUR"}],"next":"eyJpZCI6MTN9"}`, as: "priya"},
		{request: "GET /v1/orders/887", operation: "GET /v1/orders/{id}", open: 200, openBody: order887, as: "priya"},
		{request: "GET /v1/account/balance", operation: "GET /v1/account/balance", open: 200, openBody: `{"account":"XXXX1234","balance":1042.17,"currency":"EUR"}`, as: "rajan"},
		{request: "POST /v1/orders", operation: "POST /v1/orders", reqBody: `{"product_id":12,"quantity":1}`, open: 201, openBody: `{"id":901,"user_id":102,"status":"pending","total":49.90}`, as: "rajan"},
		{request: "GET /v1/users/101", operation: "GET /v1/users/{id}", open: 200, openBody: `{"id":101,"name":"Priya","email":"priya@example.test"}`, as: "priya"},
		{request: "GET /v1/products/77", operation: "GET /v1/products/{id}", open: 404, openBody: `{"title":"Not Found","status":404}`, as: ""},
	}
	a := kinds[i%len(kinds)]
	start := d.tick(17 + i*7%90)
	x := &exchange.Exchange{ID: exchange.NewID(start), Source: exchange.FromGuard, Side: exchange.ClientSide, Start: start,
		TCP: &exchange.TCP{Remote: netip.MustParseAddrPort("127.0.0.1:51830"), Reused: true}, TLS: &exchange.TLS{Version: "TLS 1.3", ALPN: "h2", Group: "X25519MLKEM768"},
		Request: d.request(&a, "https", guardedAddress), Server: exchange.Server{Caller: callers[a.as], Operation: a.operation, Mode: "enforce"},
		Response: &exchange.Response{Status: a.open, Proto: "HTTP/2.0", Header: header("Content-Type: application/json", "Cache-Control: no-store", "X-Content-Type-Options: nosniff"), Body: body(a.openBody)},
		Times:    exchange.Times{Send: 30 * time.Microsecond, Decide: 110 * time.Microsecond, Wait: time.Duration(900+i*37%4000) * time.Microsecond, Receive: 70 * time.Microsecond}}
	x.Times.Total = x.Times.Send + x.Times.Decide + x.Times.Wait + x.Times.Receive
	d.record(x)
	return x
}

// newDemo fills a store with the attacks and n ordinary calls.
func newDemo(t testing.TB, n int) (*demo, *store.Store) {
	t.Helper()
	s, err := store.Open(t.TempDir()+"/demo.db", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	d := &demo{at: time.Date(2026, 11, 23, 9, 14, 3, 0, time.UTC), record: s.Record}
	for i := range n {
		d.calm(i)
	}
	for i := range demoAttacks {
		d.play(&demoAttacks[i])
	}
	for i := range min(n, 20) {
		d.calm(i * 5)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d, s
}

// newReportDemo is an API of somebody's own, watched in report mode.
func newReportDemo(t testing.TB) (*demo, *store.Store) {
	t.Helper()
	d, s := newEmpty(t)
	all := demoAttacks
	for i := range 240 {
		x := all[i%len(all)]
		if i%3 != 0 {
			d.calm(i)
			continue
		}
		start := d.tick(30)
		e := &exchange.Exchange{ID: exchange.NewID(start), Source: exchange.FromGuard, Side: exchange.ClientSide, Start: start, TLS: &exchange.TLS{Version: "TLS 1.3"},
			Request: d.request(&x, "https", guardedAddress), Server: exchange.Server{Caller: callers[x.as], Operation: x.operation, Mode: "report"},
			Response: &exchange.Response{Status: x.open, Header: header("Content-Type: application/json"), Body: body(x.openBody)}, Times: exchange.Times{Wait: 2 * time.Millisecond, Total: 2 * time.Millisecond}}
		for _, a := range x.actions {
			a.Enforced = false
			e.Actions = append(e.Actions, a)
		}
		d.record(e)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d, s
}

func newEmpty(t testing.TB) (*demo, *store.Store) {
	t.Helper()
	s, err := store.Open(t.TempDir()+"/empty.db", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &demo{at: time.Date(2026, 11, 23, 9, 14, 3, 0, time.UTC), record: s.Record}, s
}

func demoContract() *contract.Contract {
	c := &contract.Contract{Title: "Example shop", Version: "1.4.0", File: "parley.yaml", Mode: contract.Enforce, Default: contract.BySecurity,
		NotJudged: []string{"openapi.yaml:311: GET /v1/reports/{name}: response 200: pattern uses a look-ahead"}}
	for i, o := range []struct{ name, rule string }{
		{"GET /v1/account/balance", ""}, {"GET /v1/admin/users", `caller.role == "admin"`}, {"GET /v1/orders", "request.query.user_id == caller.id"},
		{"POST /v1/orders", ""}, {"GET /v1/orders/{id}", "response.user_id"}, {"PATCH /v1/orders/{id}", "object.user_id"}, {"DELETE /v1/orders/{id}", "object.user_id"},
		{"GET /v1/products", "public"}, {"GET /v1/users/{id}", "path.id == caller.id"}, {"PATCH /v1/users/{id}", "path.id == caller.id"}, {"POST /v1/sessions", "public"},
	} {
		op := &contract.Operation{Name: o.name, Place: fmt.Sprintf("openapi.yaml:%d", 40+i*22), Public: o.rule == "public"}
		switch o.rule {
		case "":
			c.Unjudged = append(c.Unjudged, op)
		case "public":
		default:
			op.Rules = []*contract.Rule{{Source: o.rule, Owner: strings.HasSuffix(o.rule, "user_id") && !strings.Contains(o.rule, "="), Place: fmt.Sprintf("parley.yaml:%d", 14+i*3)}}
		}
		c.Operations = append(c.Operations, op)
	}
	return c
}
