package gateway_test

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/gateway"
)

type kept []*exchange.Exchange

func (k *kept) Record(x *exchange.Exchange) { *k = append(*k, x) }

// A scrape shows what was recorded, once for each client's request.
func TestMetrics(t *testing.T) {
	m := gateway.NewMetrics()
	var k kept
	r := m.Recorder(&k)
	for range 2 {
		r.Record(&exchange.Exchange{Source: exchange.FromGuard, Side: exchange.UpstreamSide, Response: &exchange.Response{Status: 200}})
		r.Record(&exchange.Exchange{Source: exchange.FromGuard, Side: exchange.ClientSide,
			Server: exchange.Server{Operation: "GET /v1/orders/{id}", Mode: "enforce"}, Response: &exchange.Response{Status: 403},
			Actions: []exchange.Action{{Kind: exchange.Refused, Check: "authz-object", Enforced: true}}, Times: exchange.Times{Decide: 5 * time.Microsecond}})
	}
	r.Record(&exchange.Exchange{Source: exchange.FromGuard, Side: exchange.ClientSide, Server: exchange.Server{Mode: "enforce"},
		Request: exchange.Request{Target: "/whatever/a/stranger/sends"}, Response: &exchange.Response{Status: 404}, Failure: "no answer"})
	m.Alert()

	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body, _ := io.ReadAll(w.Body)
	for _, want := range []string{
		`parley_requests_total{mode="enforce",operation="GET /v1/orders/{id}",status="4xx"} 2`,
		`parley_requests_total{mode="enforce",operation="none",status="4xx"} 1`,
		`parley_actions_total{check="authz-object",enforced="true",kind="refuse"} 2`,
		"parley_upstream_failures_total 1", "parley_alerts_total 1", "parley_decision_seconds_count 3",
	} {
		if !strings.Contains(string(body), want+"\n") {
			t.Errorf("the scrape lacks %s:\n%s", want, body)
		}
	}
	if strings.Contains(string(body), "stranger") {
		t.Error("what a stranger sent became a label")
	}
	if len(k) != 5 {
		t.Errorf("%d exchanges were handed on, want 5", len(k))
	}
}
