package trace

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// Exchanges as calls of every kind leave them, to be drawn.

var began = time.Date(2026, 11, 23, 13, 20, 5, 0, time.UTC)

// A marked secret: it must not be drawn.
const marked = "MARKED-9f3b7c21"

func token(exp time.Duration) string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return part(`{"alg":"ES256","kid":"2026-11","typ":"JWT"}`) + "." +
		part(fmt.Sprintf(`{"iss":"https://id.shop.test","aud":"shop","sub":"101","exp":%d}`, began.Add(exp).Unix())) + "." + part(marked)
}

func goodDay() *exchange.Exchange {
	leaf := exchange.Certificate{Subject: "CN=api.shop.test", Issuer: "CN=Shop Test CA 2", NotBefore: began.Add(-29 * 24 * time.Hour),
		NotAfter: began.Add(61*24*time.Hour + time.Hour), Names: []string{"api.shop.test"}, Key: "ECDSA P-256", Signature: "ECDSA-SHA256",
		PinSHA256: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
	middle := exchange.Certificate{Subject: "CN=Shop Test CA 2", Issuer: "CN=Shop Test Root", NotBefore: began.Add(-999 * 24 * time.Hour),
		NotAfter: began.Add(999 * 24 * time.Hour), CA: true, Key: "ECDSA P-256", Signature: "ECDSA-SHA256"}
	return &exchange.Exchange{
		ID: "01KAQ5V7T8ZJ4W1B2C3D4E5F6G", Source: exchange.FromTrace, Start: began,
		DNS: &exchange.DNS{Name: "api.shop.test", Resolver: "system", Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.45")}, TTL: 300},
		TCP: &exchange.TCP{Local: netip.MustParseAddrPort("192.0.2.7:50412"), Remote: netip.MustParseAddrPort("203.0.113.45:443")},
		TLS: &exchange.TLS{Version: "TLS 1.3", Suite: "TLS_AES_128_GCM_SHA256", Group: "X25519MLKEM768", ALPN: "h2", ServerName: "api.shop.test",
			Chain: []exchange.Certificate{leaf, middle}, SCTs: 3,
			Trust: &exchange.Trust{Verified: true, Path: []string{"api.shop.test", "Shop Test CA 2", "Shop Test Root"}}},
		Request: exchange.Request{Method: "GET", Scheme: "https", Authority: "api.shop.test", Target: "/v1/orders?page=2", Proto: "HTTP/2.0",
			Header: exchange.Header{{Name: "User-Agent", Value: "parley"}, {Name: "Accept", Value: "application/json"},
				{Name: "Authorization", Value: "Bearer " + token(12*time.Minute)}}},
		Server: exchange.Server{Operation: "GET /v1/orders", Timing: []exchange.Timing{
			{Name: "authn", Duration: 300 * time.Microsecond, Says: "bearer verified: 101"}, {Name: "authz", Duration: 200 * time.Microsecond, Says: "allow: request.query.user_id == caller.id"},
			{Name: "app", Duration: 46900 * time.Microsecond}, {Name: "filter", Duration: 100 * time.Microsecond, Says: "nothing to change"}}},
		Response: &exchange.Response{Status: 200, Proto: "HTTP/2.0", Header: exchange.Header{
			{Name: "Content-Type", Value: "application/json"}, {Name: "Cache-Control", Value: "no-store"},
			{Name: "Content-Security-Policy", Value: "default-src 'none'; frame-ancestors 'none'"}, {Name: "X-Content-Type-Options", Value: "nosniff"},
			{Name: "X-Frame-Options", Value: "DENY"}, {Name: "Strict-Transport-Security", Value: "max-age=31536000"}},
			Body: exchange.Body{Size: 1204}},
		Client: &exchange.Client{HSTS: 365 * 24 * time.Hour},
		Times: exchange.Times{DNS: 11200 * time.Microsecond, Connect: 45300 * time.Microsecond, TLS: 31100 * time.Microsecond, Send: 400 * time.Microsecond,
			Wait: 48 * time.Millisecond, Receive: 3100 * time.Microsecond, Total: 108 * time.Millisecond},
	}
}

// find gives an exchange a finding of the catalogue.
func find(x *exchange.Exchange, id string, ev ...exchange.Evidence) {
	c := check.ByID(id)
	x.Findings = append(x.Findings, exchange.Finding{Check: id, Severity: c.Severity, Verdict: exchange.Confirmed, Step: c.Step, Evidence: ev})
}

func badDay() *exchange.Exchange {
	x := goodDay()
	x.DNS.Answers = []exchange.Answer{
		{Resolver: "system", Protocol: "system", Name: "api.shop.test", Type: "A", RCode: "NOERROR", Records: []string{"203.0.113.45"}, TTL: 30},
		{Resolver: "corp-doh", Protocol: "doh", Name: "api.shop.test", Type: "A", RCode: "NOERROR", Records: []string{"198.51.100.99"}, TTL: 300, Signed: true, Authenticated: true, Time: 8 * time.Millisecond},
		{Resolver: "corp-dot", Protocol: "dot", Name: "api.shop.test", Type: "A", Failure: "no answer in time"},
		{Resolver: "corp-doh", Protocol: "doh", Name: "api.shop.test", Type: "HTTPS", RCode: "NOERROR", Records: []string{`1 . alpn="h3,h2"`}, TTL: 300},
	}
	x.TCP.Attempts = []exchange.Attempt{{Remote: netip.MustParseAddrPort("[2001:db8::45]:443"), Failure: "refused: nothing listens there"},
		{Remote: x.TCP.Remote, Time: 14 * time.Millisecond}}
	x.TLS.Chain = x.TLS.Chain[:1]
	x.TLS.Trust = &exchange.Trust{Path: []string{"api.shop.test"}, Problems: []exchange.TrustProblem{
		{Kind: "missing-intermediate", Certificate: -1, Fatal: true, Says: "the certificate of Shop Test CA 2 was not sent: browsers may repair it, other clients fail",
			Fix: "serve the whole chain, the server's certificate first"}}}
	x.TLS.Offers = &exchange.Offers{Versions: []exchange.Offer{{Version: "TLS 1.3", Suites: []string{"TLS_AES_128_GCM_SHA256"}, Groups: []string{"X25519MLKEM768", "X25519"}},
		{Version: "TLS 1.0", Suites: []string{"TLS_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"}, ServerOrder: true}}, ALPN: []string{"h2", "http/1.1"}, Connections: 89, Time: 85 * time.Millisecond}
	x.Server.Timing = nil
	x.Client = &exchange.Client{Withheld: []string{"Authorization"}, Cookies: []exchange.KeptCookie{{Name: "session"}, {Name: "__Host-id", Refused: "prefix __Host- without what it promises"}},
		AltSvc: []string{`h3=":443"; ma=86400`}}
	x.Request.Header = x.Request.Header[:2]
	h := &x.Response.Header
	*h = append((*h)[:1:1], exchange.Field{Name: "Set-Cookie", Value: "session=" + marked + "; Path=/"}, exchange.Field{Name: "Set-Cookie", Value: "__Host-id=1"},
		exchange.Field{Name: "Server", Value: "nginx/1.22.1"}, exchange.Field{Name: "Access-Control-Allow-Origin", Value: "*"})
	find(x, "response-excessive-data", check.ResponseBody("/items/0/internal_notes", "undeclared"), check.ResponseBody("/items/0/card_last4", "undeclared"))
	find(x, "response-cache-control", check.Header("Cache-Control", "missing"))
	find(x, "response-banner", check.Header("Server", "tells which program runs"))
	find(x, "client-cookie-refused", check.Cookie("__Host-id", "is not kept: prefix __Host- without what it promises"))
	find(x, "client-cookie", check.Cookie("session", "lacks Secure, HttpOnly, SameSite=Lax"))
	x.Findings = append(x.Findings, exchange.Finding{Check: "response-csp", Severity: exchange.Info, Verdict: exchange.Confirmed, Step: exchange.StepResponse,
		Evidence: []exchange.Evidence{check.Header("Content-Security-Policy", "missing")}})
	return x
}

func noName() *exchange.Exchange {
	x := goodDay()
	x.DNS = &exchange.DNS{Name: "api.shop.test", Resolver: "system", Failure: "system says NXDOMAIN: there is no such name"}
	x.TCP, x.TLS, x.Response, x.Client, x.Server = nil, nil, nil, nil, exchange.Server{}
	x.Failure, x.FailedAt = "system says NXDOMAIN: there is no such name", exchange.StepDNS
	x.Times = exchange.Times{DNS: 5 * time.Millisecond, Total: 5 * time.Millisecond}
	return x
}

func handshakeFails() *exchange.Exchange {
	x := goodDay()
	x.TLS = &exchange.TLS{ServerName: "api.shop.test", Failure: "the peer refused the handshake: protocol version not supported"}
	x.Response, x.Server = nil, exchange.Server{}
	x.Client = nil
	x.Failure, x.FailedAt = x.TLS.Failure, exchange.StepTLS
	x.Times = exchange.Times{DNS: 11 * time.Millisecond, Connect: 20 * time.Millisecond, TLS: 6 * time.Millisecond, Total: 31 * time.Millisecond}
	return x
}

func withheld() *exchange.Exchange {
	x := goodDay()
	x.TLS.Trust = &exchange.Trust{Path: []string{"api.shop.test"}, Problems: []exchange.TrustProblem{
		{Kind: "name", Fatal: true, Says: "the certificate is for other.shop.test, not for api.shop.test", Fix: "get a certificate with this name"}}}
	x.Request.Header = x.Request.Header[:2]
	x.Client = &exchange.Client{Withheld: []string{"Authorization"}}
	x.Server = exchange.Server{}
	x.Response.Status = 401
	return x
}

func http3() *exchange.Exchange {
	x := goodDay()
	x.TLS.ALPN, x.Request.Proto, x.Response.Proto = "h3", "HTTP/3.0", "HTTP/3.0"
	x.Server.Timing = nil
	return x
}

func plainHTTP() *exchange.Exchange {
	x := goodDay()
	x.TLS = &exchange.TLS{Clear: true}
	x.TCP.Remote = netip.MustParseAddrPort("203.0.113.45:80")
	x.Request.Scheme, x.Request.Proto, x.Response.Proto = "http", "HTTP/1.1", "HTTP/1.1"
	x.Request.Header = x.Request.Header[:2]
	x.Server = exchange.Server{}
	x.Times.Connect, x.Times.TLS = 14*time.Millisecond, 0
	x.Client.HSTS = 0
	find(x, "tls-clear", exchange.Evidence{Where: "scheme", Name: "http", Says: "is not encrypted"})
	return x
}

// brokenOff ended in the middle of the answer.
func brokenOff() *exchange.Exchange {
	x := goodDay()
	x.Failure, x.FailedAt = "the peer closed the connection", exchange.StepResponse
	x.Server = exchange.Server{}
	x.Response.Status = 500
	return x
}

// guarded is the same call as guard records it: it knows who asked, and not
// what the client did before.
func guarded() *exchange.Exchange {
	x := goodDay()
	x.Source, x.Side, x.DNS, x.Client = exchange.FromGuard, exchange.ClientSide, nil, nil
	x.TCP = &exchange.TCP{Remote: netip.MustParseAddrPort("192.0.2.7:50412")}
	x.TLS.Chain, x.TLS.Trust, x.TLS.SCTs = nil, nil, 0
	x.Server = exchange.Server{Operation: "GET /v1/orders/{id}", Mode: "enforce", Caller: &exchange.Caller{Subject: "102", Name: "rajan", Roles: []string{"customer"}},
		Credential: &exchange.Credential{Scheme: "bearer", Carrier: "header", Field: "Authorization", Verified: true}}
	x.Request.Target, x.Response.Status = "/v1/orders/887", 404
	x.Actions = []exchange.Action{{Kind: exchange.Refused, Check: "authz-object", Enforced: true, Status: 404, Rule: "parley.yaml:14",
		Evidence: check.RuleSays("response.user_id", "is false; its existence is hidden")}}
	x.Times = exchange.Times{Wait: 48 * time.Millisecond, Decide: 300 * time.Microsecond, Total: 49 * time.Millisecond}
	return x
}

// strange has what servers should not say: escapes, other scripts, endless names.
func strange() *exchange.Exchange {
	x := badDay()
	x.Request.Target = "/v1/" + string(make([]rune, 0)) + "größe/\u202Eevil/\x1b[31mred/注文一覧" + fmt.Sprintf("/%0300d", 7)
	x.TLS.Chain[0].Names = []string{"\x1b]0;title\x07.test", "注文.例え.テスト"}
	x.Response.Header = append(x.Response.Header, exchange.Field{Name: "X-Very-Long-Field-Name-That-Goes-On", Value: fmt.Sprintf("%0500d", 1)})
	x.Client.Cookies[1].Refused = "注文一覧注文一覧注文一覧注文一覧注文一覧注文一覧注文一覧注文一覧"
	find(x, "response-banner", check.Header("X-\r\nPowered", fmt.Sprintf("%0400d", 3)))
	return x
}

var built = map[string]func() *exchange.Exchange{
	"good": goodDay, "bad": badDay, "no-name": noName, "handshake": handshakeFails, "withheld": withheld, "http3": http3, "plain": plainHTTP,
	"broken-off": brokenOff, "strange": strange, "guarded": guarded,
}
