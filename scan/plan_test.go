package scan_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/scan"
)

// A plan says what would be sent, and nothing is.
func TestPlanSendsNothing(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was sent", r.Method, r.URL)
	}))
	defer server.Close()
	o := optionsFor(t, server.URL, shop.OpenAPI)
	o.People = shopOptions(t).People
	p, err := scan.PlanOf(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, ph := range p.Phases {
		n += ph.Requests
		t.Logf("%-28s %4d  %d operations", ph.Phase, ph.Requests, len(ph.Operations))
	}
	if len(p.Phases) < 3 || n != p.Requests || p.Requests < 50 || p.Requests > p.Most {
		t.Errorf("the plan has %d phases with %d requests, %d in all, %d at most", len(p.Phases), n, p.Requests, p.Most)
	}
}
