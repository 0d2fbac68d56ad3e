package guard_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/guard"
)

// notes is an API whose notes say themselves whether they may be deleted.
func notes(t *testing.T) *contract.Contract {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"openapi.yaml": `{"openapi":"3.1.0","info":{"title":"t","version":"1"},"security":[],"paths":{"/notes/{id}":{
"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"integer"}}],
"get":{"responses":{"200":{"description":"it","content":{"application/json":{"schema":{"type":"object","properties":{"open":{"type":"boolean"}}}}}}}},
"delete":{"responses":{"204":{"description":"gone"}}}}}}`,
		"parley.yaml": "api: openapi.yaml\nmode: report\nrules:\n  - {operation: 'DELETE /notes/{id}', allow: object.open}\n" +
			"limits:\n  - {operation: 'DELETE /notes/{id}', rate: 2/minute, by: request.path.id}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := contract.Load(filepath.Join(dir, "parley.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var midnight = time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)

// recordedAt is an exchange some seconds after midnight.
func recordedAt(second int, method, target string, status int, body string) *exchange.Exchange {
	x := &exchange.Exchange{Source: exchange.FromImport, Start: midnight.Add(time.Duration(second) * time.Second),
		Request:  exchange.Request{Method: method, Scheme: "https", Authority: "api.example", Target: target, Proto: "HTTP/1.1"},
		Response: &exchange.Response{Status: status}}
	if body != "" {
		x.Response.Header = exchange.Header{{Name: "Content-Type", Value: "application/json"}}
		x.Response.Body = exchange.Body{Size: int64(len(body)), Data: []byte(body)}
	}
	return x
}

// An object is what its GET showed last before the request, else first after
// it; one that nobody read decides nothing.
func TestRehearsalObjects(t *testing.T) {
	traffic := []*exchange.Exchange{
		recordedAt(1, "DELETE", "/notes/1", 204, ""), // as first seen after: open
		recordedAt(2, "GET", "/notes/1", 200, `{"open":true}`),
		recordedAt(70, "GET", "/notes/1", 200, `{"open":false}`),
		recordedAt(71, "DELETE", "/notes/1", 204, ""), // as last seen before: not open
		recordedAt(72, "GET", "/notes/1", 200, `{"open":true}`),
		recordedAt(150, "DELETE", "/notes/1", 204, ""),
		recordedAt(160, "DELETE", "/notes/2", 204, ""), // never seen
		recordedAt(170, "GET", "/notes/3", 404, ""),
		recordedAt(180, "DELETE", "/notes/3", 204, ""), // seen by nobody
	}
	want := []bool{false, false, false, true, false, false, false, false, false}
	r, err := guard.NewRehearsal(notes(t), guard.RehearsalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{8, 2, 4, 1, 0, 3, 5, 6, 7} { // in whatever order they come
		r.Look("", traffic[i])
	}
	for i, x := range traffic {
		y := r.Try("", x)
		if refused := len(y.Actions) > 0 && y.Actions[0].Kind == exchange.Refused; refused != want[i] {
			t.Errorf("%d: %s %s: %+v, want refused %v", i, x.Request.Method, x.Request.Target, y.Actions, want[i])
		}
		if len(x.Actions) > 0 {
			t.Errorf("%d: the recording was changed", i)
		}
	}
	got := r.Result()
	if got.Exchanges != 9 || got.Refused != 1 || fmt.Sprint(got.Objects) != "map[parley.yaml:4 object.open:2]" {
		t.Errorf("Result() = %+v, want one of 9 refused, and two without object", got)
	}
}

// Limits count by the recording's clock, and only the client's side counts.
func TestRehearsalClock(t *testing.T) {
	for name, c := range map[string]struct {
		seconds []int
		side    exchange.Side
		refused int
	}{
		"within a minute":   {[]int{0, 1, 2, 3}, exchange.ClientSide, 2},
		"over four minutes": {[]int{0, 60, 120, 180}, exchange.ClientSide, 0},
		"the API's side":    {[]int{0, 1, 2, 3}, exchange.UpstreamSide, 0},
	} {
		r, err := guard.NewRehearsal(notes(t), guard.RehearsalOptions{})
		if err != nil {
			t.Fatal(err)
		}
		r.Look("", recordedAt(0, "GET", "/notes/1", 200, `{"open":true}`))
		for _, s := range c.seconds {
			x := recordedAt(s, "DELETE", "/notes/1", 204, "")
			x.Side = c.side
			r.Try("", x)
		}
		if got := r.Result(); got.Refused != c.refused {
			t.Errorf("%s: %d refused, want %d", name, got.Refused, c.refused)
		}
	}
}

// Who asked is what a guard wrote down when the credential is masked; what
// guard itself refused then, and would let in now, is told apart.
func TestRehearsalOfGuard(t *testing.T) {
	r, err := guard.NewRehearsal(notes(t), guard.RehearsalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x := recordedAt(1, "DELETE", "/notes/1", 404, "")
	x.Source, x.Side = exchange.FromGuard, exchange.ClientSide
	x.Actions = []exchange.Action{{Kind: exchange.Refused, Enforced: true, Status: 404}}
	get := recordedAt(0, "GET", "/notes/1", 200, `{"open":true}`)
	get.Side = exchange.UpstreamSide // guard's own look at it
	r.Look("", get)
	r.Look("", x)
	r.Try("", get)
	r.Try("", x)
	if got := r.Result(); got.Exchanges != 1 || got.LetIn != 1 || got.Refused != 0 {
		t.Errorf("Result() = %+v, want one let in", got)
	}
}
