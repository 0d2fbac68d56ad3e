package report

import (
	"testing"

	"github.com/parley-project/parley/exchange"
)

func print1(x *exchange.Exchange) string {
	x.Findings, x.Actions = x.Findings[:1], nil
	return newReport(x).Entries()[0].Fingerprint
}

// Two runs that find the same give it the same name; two flaws do not share one.
func TestFingerprint(t *testing.T) {
	want := print1(order("01J00000000000000000000001", "887"))
	for _, c := range []struct {
		name   string
		same   bool
		change func(*exchange.Exchange)
	}{
		{"another run", true, func(x *exchange.Exchange) {
			x.ID, x.Start, x.Request.Authority = "01K00000000000000000000009", at10.AddDate(1, 0, 0), "127.0.0.1:40213"
		}},
		{"another order", true, func(x *exchange.Exchange) { x.Request.Target = "/v1/orders/1" }},
		{"another customer", true, func(x *exchange.Exchange) { x.Server.Caller.Subject = "977" }},
		{"other words", true, func(x *exchange.Exchange) { x.Findings[0].Evidence[0].Says = "is false" }},
		{"proved or likely", true, func(x *exchange.Exchange) { x.Findings[0].Verdict = exchange.Likely }},
		{"another role", false, func(x *exchange.Exchange) { x.Server.Caller.Roles = []string{"admin"} }},
		{"nobody", false, func(x *exchange.Exchange) { x.Server.Caller = nil }},
		{"a named identity", false, func(x *exchange.Exchange) { x.Server.Caller.Name = "rajan" }},
		{"another operation", false, func(x *exchange.Exchange) { x.Server.Operation = "DELETE /v1/orders/{id}" }},
		{"another check", false, func(x *exchange.Exchange) { x.Findings[0].Check = "response-hsts" }},
		{"another rule", false, func(x *exchange.Exchange) { x.Findings[0].Evidence[0].Name = "response.owner" }},
	} {
		x := order("01J00000000000000000000001", "887")
		c.change(x)
		if got := print1(x); (got == want) != c.same {
			t.Errorf("%s: the fingerprint is the same: %v, want %v", c.name, got == want, c.same)
		}
	}
	x := order("01J00000000000000000000001", "887")
	x.Findings[0].Fingerprint = "given"
	if got := print1(x); got != "given" {
		t.Errorf("a fingerprint that the tool gave became %q", got)
	}
}

func TestShape(t *testing.T) {
	for in, want := range map[string]string{
		"/v2/orders/887": "/v2/orders/{}",
		"/users/5f0c9a1e-6a55-4a52-9d0c-0d1b6c1f2a11": "/users/{}",
		"/t/01J00000000000000000000001/x":             "/t/{}/x",
		"/v1/facade/deadbeef":                         "/v1/facade/deadbeef",
		"/":                                           "/",
		"":                                            "",
	} {
		if got := shape(in); got != want {
			t.Errorf("shape(%q) = %q, want %q", in, got, want)
		}
	}
	if got := anyIndex("/items/0/a1/22"); got != "/items/*/a1/*" {
		t.Errorf("anyIndex: %q", got)
	}
}
