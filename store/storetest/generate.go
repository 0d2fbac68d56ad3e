package storetest

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
	"pgregory.net/rapid"
)

// Simple makes an exchange as guard sees many.
func Simple(i int) *exchange.Exchange {
	start := time.Date(2026, 11, 23, 12, 0, 0, i*1000, time.UTC)
	return &exchange.Exchange{ID: exchange.NewID(start.Add(time.Duration(i) * time.Millisecond)), Source: exchange.FromGuard, Side: exchange.ClientSide, Start: start,
		Request:  exchange.Request{Method: "GET", Scheme: "https", Authority: "shop.test", Target: fmt.Sprintf("/v1/orders/%d", i), Proto: "HTTP/1.1"},
		Response: &exchange.Response{Status: 200, Header: exchange.Header{{Name: "Content-Type", Value: "application/json"}}},
		Times:    exchange.Times{Total: time.Millisecond}}
}

// Clone copies an exchange, since Record takes what it is given.
func Clone(x *exchange.Exchange) *exchange.Exchange {
	c := *x
	c.Request.Header = slices.Clone(x.Request.Header)
	c.Request.Body.Data = slices.Clone(x.Request.Body.Data)
	if x.Response != nil {
		r := *x.Response
		r.Header, r.Trailer, r.Body.Data = slices.Clone(r.Header), slices.Clone(r.Trailer), slices.Clone(r.Body.Data)
		c.Response = &r
	}
	return &c
}

// Kept is what a store gives back: an exchange without what the package
// comment of store says is not kept, empty slices and zones.
func Kept(x *exchange.Exchange) *exchange.Exchange {
	c := Clone(x)
	utc := func(t *time.Time) {
		if t.IsZero() {
			*t = time.Time{}
		} else {
			*t = t.UTC().Round(0)
		}
	}
	utc(&c.Start)
	none(&c.Links)
	none(&c.Findings)
	none(&c.Actions)
	none((*[]exchange.Field)(&c.Request.Header))
	none(&c.Request.Body.Data)
	c.Findings = slices.Clone(c.Findings)
	for i := range c.Findings {
		none(&c.Findings[i].Evidence)
	}
	if r := c.Response; r != nil {
		none((*[]exchange.Field)(&r.Header))
		none((*[]exchange.Field)(&r.Trailer))
		none(&r.Body.Data)
	}
	if d := c.DNS; d != nil {
		d2 := *d
		none(&d2.Addresses)
		c.DNS = &d2
	}
	if t := c.TLS; t != nil {
		t2 := *t
		utc(&t2.PeerExpiry)
		t2.Chain = slices.Clone(t2.Chain)
		for i := range t2.Chain {
			utc(&t2.Chain[i].NotAfter)
		}
		c.TLS = &t2
	}
	if r := c.Server.Caller; r != nil {
		r2 := *r
		none(&r2.Roles)
		none(&r2.Scopes)
		if len(r2.Claims) == 0 {
			r2.Claims = nil
		}
		c.Server.Caller = &r2
	}
	if r := c.Server.Credential; r != nil {
		r2 := *r
		utc(&r2.Expires)
		c.Server.Credential = &r2
	}
	return c
}

func none[T any](s *[]T) {
	if len(*s) == 0 {
		*s = nil
	}
}

// Exchanges generates exchanges with everything that a field can hold, odd
// bytes included.
func Exchanges() *rapid.Generator[*exchange.Exchange] {
	return rapid.Custom(func(t *rapid.T) *exchange.Exchange {
		g := gen{t}
		x := &exchange.Exchange{
			ID:     exchange.NewID(time.Now()),
			Source: pick(g, exchange.FromGuard, exchange.FromScan, exchange.FromImport, "other"),
			Side:   pick(g, "", exchange.ClientSide, exchange.UpstreamSide),
			Start:  g.time(),
			Request: exchange.Request{Method: pick(g, "GET", "POST", "DELETE", "get", g.text()), Scheme: pick(g, "https", "http"),
				Authority: pick(g, "shop.test", "SHOP.test:8443", g.text()),
				Target:    pick(g, "/v1/orders?user_id=101", "/V1/Orders/7", "/100%_\\", "/\x00orders", "/\xff/orders", "/\u212aelvin", "/"+g.text()),
				Proto:     pick(g, "HTTP/1.1", "HTTP/2.0"), Header: g.header(), Fidelity: pick(g, exchange.OnTheWire, exchange.Canonical), Body: g.body()},
			Failure: pick(g, "", "", "upstream: connection refused"),
			Server:  exchange.Server{Operation: pick(g, "", "GET /v1/orders", "DELETE /v1/orders/{id}"), Mode: pick(g, "", "enforce", "report")},
			Times: exchange.Times{DNS: g.duration(), Connect: g.duration(), TLS: g.duration(), Send: g.duration(), Wait: g.duration(), Receive: g.duration(),
				Decide: g.duration(), Total: g.duration()},
		}
		if g.yes() {
			x.Response = &exchange.Response{Status: pick(g, 200, 201, 404, 403, 500, 0), Proto: "HTTP/1.1", Header: g.header(), Trailer: g.header(),
				Fidelity: exchange.Canonical, Body: g.body()}
		}
		if g.yes() {
			x.DNS = &exchange.DNS{Name: g.text(), Resolver: g.text(), TTL: rapid.Uint32().Draw(t, "ttl"), Addresses: g.addrs()}
		}
		if g.yes() {
			x.TCP = &exchange.TCP{Local: g.addrPort(), Remote: g.addrPort(), Reused: g.yes()}
		}
		if g.yes() {
			x.TLS = &exchange.TLS{Clear: g.yes(), Version: pick(g, "TLS 1.3", "TLS 1.2", ""), Suite: g.text(), Group: "X25519MLKEM768", ALPN: "h2",
				ServerName: "shop.test", Resumed: g.yes(), EarlyData: g.yes(), PeerName: g.text(), PeerExpiry: g.time()}
		}
		if g.yes() {
			x.Server.Caller = &exchange.Caller{Subject: exchange.Subject(pick(g, "101", "102", "", g.text())), Name: pick(g, "priya", "rajan", ""),
				Roles: g.texts(), Scopes: g.texts(), Claims: g.claims()}
		}
		if g.yes() {
			x.Server.Credential = &exchange.Credential{Scheme: "bearer", Carrier: "header", Field: "Authorization", Fingerprint: g.text(),
				Verified: g.yes(), Problem: pick(g, "", "expired"), Expires: g.time()}
		}
		g.observed(x)
		for range g.n(3) {
			x.Links = append(x.Links, exchange.Link{Kind: pick(g, exchange.Forwarded, exchange.Probe), ID: pick(g, exchange.NewID(time.Now()), "odd", "")})
		}
		for range g.n(4) {
			x.Findings = append(x.Findings, exchange.Finding{Check: pick(g, "authz-object", "tls-version", ""), Severity: exchange.Severity(g.n(7) - 1),
				Verdict: pick(g, exchange.Confirmed, exchange.Unknown), Step: exchange.Step(g.n(9)), Fingerprint: g.text(), Evidence: g.evidence()})
		}
		for range g.n(4) {
			a := exchange.Action{Kind: pick(g, exchange.Refused, exchange.Stripped, exchange.Repaired, "other"), Check: pick(g, "authz-object", "response-hsts"),
				Enforced: g.yes(), Status: pick(g, 0, 403), Rule: pick(g, "", "parley.yaml:14")}
			if vs := g.evidence(); len(vs) > 0 {
				a.Evidence = vs[0]
			}
			x.Actions = append(x.Actions, a)
		}
		return x
	})
}

type gen struct{ t *rapid.T }

// observed adds facts that only a tool knows which makes the call itself. Their
// text is UTF-8, as JSON has it.
func (g gen) observed(x *exchange.Exchange) {
	if d := x.DNS; d != nil && g.yes() {
		d.Failure = pick(g, "", "NXDOMAIN")
		d.Answers = []exchange.Answer{{Resolver: "system", Server: "192.0.2.53:53", Protocol: "udp", Name: "api.test", Type: "A", RCode: "NOERROR",
			Records: []string{"203.0.113.45"}, Aliases: []string{"www.test."}, TTL: 300, Authenticated: g.yes(), Signed: g.yes(), Time: g.duration()}}
	}
	if t := x.TCP; t != nil && g.yes() {
		t.Attempts = []exchange.Attempt{{Remote: g.addrPort(), Time: g.duration(), Failure: pick(g, "", "refused")}}
		t.Proxy = pick(g, "", "http://proxy.test:3128")
	}
	if t := x.TLS; t != nil && g.yes() {
		t.Chain = []exchange.Certificate{{Subject: "CN=api.test", Issuer: "CN=CA", NotAfter: g.time(), Names: []string{"api.test"}, DER: []byte{0x30, 0, 0xff}}}
		t.Trust = &exchange.Trust{Verified: g.yes(), Path: []string{"CN=api.test"}, Problems: []exchange.TrustProblem{{Kind: "expired", Certificate: -1, Fatal: true, Says: "it ended"}}}
		t.Offers = &exchange.Offers{Versions: []exchange.Offer{{Version: "TLS 1.3", Suites: []string{"TLS_AES_128_GCM_SHA256"}}}, Connections: g.n(200)}
		t.Asked, t.Shown, t.SCTs, t.Stapled, t.Failure = g.yes(), g.yes(), g.n(4), g.yes(), pick(g, "", "alert: handshake failure")
	}
	if r := x.Response; r != nil && g.yes() {
		r.Interim = []int{103}
	}
	if g.yes() {
		x.Client = &exchange.Client{Cookies: []exchange.KeptCookie{{Name: "sid", Refused: pick(g, "", "domain")}}, HSTS: g.duration(), AltSvc: []string{"h3=:443"}, Withheld: []string{"Authorization"}}
		x.Times.Blocked, x.FailedAt = g.duration(), exchange.Step(g.n(8))
		x.Server.Timing = []exchange.Timing{{Name: "authn", Duration: g.duration(), Says: "ok"}}
	}
}

func pick[T any](g gen, vs ...T) T { return vs[g.n(len(vs))] }

// n draws 0 to n-1.
func (g gen) n(n int) int { return rapid.IntRange(0, n-1).Draw(g.t, "n") }

func (g gen) yes() bool { return rapid.Bool().Draw(g.t, "yes") }

func (g gen) text() string {
	if g.yes() {
		return rapid.StringN(0, 12, -1).Draw(g.t, "text")
	}
	return string(rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(g.t, "bytes"))
}

func (g gen) texts() []string {
	if g.n(4) == 0 {
		return []string{}
	}
	var ss []string
	for range g.n(3) {
		ss = append(ss, g.text())
	}
	return ss
}

func (g gen) time() time.Time {
	switch g.n(3) {
	case 0:
		return time.Unix(rapid.Int64Range(-1<<31, 1<<33).Draw(g.t, "sec"), int64(g.n(1e9)))
	case 1:
		return time.Now().In(time.FixedZone("X", 7200))
	}
	return time.Unix(1, 0)
}

func (g gen) duration() time.Duration {
	return time.Duration(pick(g, 0, int64(g.n(1e9)), int64(g.n(1e6)), 1<<40))
}

func (g gen) header() exchange.Header {
	var h exchange.Header
	for range g.n(5) {
		h = append(h, exchange.Field{Name: pick(g, "Content-Type", "content-type", "X-Id", g.text()), Value: pick(g, "application/json; charset=utf-8", "text/html", g.text())})
	}
	if h == nil && g.yes() {
		h = exchange.Header{}
	}
	return h
}

func (g gen) body() exchange.Body {
	var data []byte
	switch g.n(6) {
	case 0:
		return exchange.Body{}
	case 1:
		data = []byte(`{"user_id":101,"orders":[]}`)
	case 2:
		data = []byte(strings.Repeat(`{"user_id":101,"status":"pending"},`, 1+g.n(100)))
	case 3:
		data = rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(g.t, "body")
	case 4:
		data = slices.Repeat(rapid.SliceOfN(rapid.Byte(), 1, 10).Draw(g.t, "part"), 20000+g.n(20000)) // several pieces
	case 5:
		data = []byte{}
	}
	b := exchange.Body{Size: int64(len(data)), Data: data}
	if g.n(4) == 0 {
		b.Size += int64(g.n(1 << 30)) // only its beginning was kept
	}
	return b
}

func (g gen) addrs() []netip.Addr {
	as := []netip.Addr{}
	for range g.n(4) {
		as = append(as, pick(g, netip.Addr{}, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("::ffff:192.0.2.1")))
	}
	return as
}

func (g gen) addrPort() netip.AddrPort {
	return pick(g, netip.AddrPort{}, netip.MustParseAddrPort("192.0.2.1:443"), netip.MustParseAddrPort("[2001:db8::1]:65535"))
}

func (g gen) claims() map[string]any {
	if g.yes() {
		return map[string]any{}
	}
	return map[string]any{"sub": g.text(), "n": float64(g.n(100)) / 3, "i": g.n(10), "i64": int64(g.n(9)), "num": json.Number("1e400"), "yes": g.yes(), "nil": nil,
		"list": []any{"a", 1.5, []any{}}, "map": map[string]any{"x": map[string]any{}}, "roles": []string{"admin"}}
}

func (g gen) evidence() []exchange.Evidence {
	vs := []exchange.Evidence{}
	for range g.n(3) {
		vs = append(vs, exchange.Evidence{Where: "header", Name: g.text(), Says: pick(g, "missing", "")})
	}
	return vs
}
