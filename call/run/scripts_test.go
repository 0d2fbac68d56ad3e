package run

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/call/script"
)

// A script that does not end is ended by the time limit of the calls, and the
// run goes on.
func TestEndlessScript(t *testing.T) {
	u := server(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("{}")) }))
	c := &archive.Collection{Format: "postman", Items: []*archive.Item{
		{Name: "loops", Scope: archive.Scope{Scripts: []archive.Script{{When: "test", Text: "while (true) {}"}}}, Request: &archive.Request{Method: "GET", URL: u}},
		{Name: "after", Scope: archive.Scope{Scripts: []archive.Script{{When: "test", Text: "pm.test('ok', () => pm.response.to.have.status(200))"}}}, Request: &archive.Request{Method: "GET", URL: u}},
	}}
	k, _ := play(t, c, Options{Scripts: &script.Engine{}, Call: call.Options{Timeout: 300 * time.Millisecond}})
	if len(k.Results) != 2 || outcome(k.Results[1]) != "after: ok" {
		t.Fatalf("the run gave %d results", len(k.Results))
	}
	if a := k.Results[0].Assertions; len(a) != 1 || a[0].Passed || !strings.Contains(a[0].Message, "did not come to its end in time") {
		t.Errorf("the endless script gave %+v, want one failure that says so", a)
	}
}
