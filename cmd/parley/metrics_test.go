package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-project/parley/contract"
)

// A policy that wants metrics gets them, at the address that it names.
func TestMetricsAreScraped(t *testing.T) {
	api := httptest.NewServer(http.NotFoundHandler())
	defer api.Close()
	dir := t.TempDir()
	for name, text := range map[string]string{"openapi.yaml": readmeAPI,
		"parley.yaml": "api: openapi.yaml\nmode: enforce\nlisten: {metrics: \"127.0.0.1:0\"}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k, err := contract.Load(filepath.Join(dir, "parley.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s, client := standFor(t, k, api.URL, &counter{})
	for range 3 {
		resp, err := client.Get(s.url() + "/v2/nowhere")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	resp, err := http.Get("http://" + s.metricsAt.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	for _, want := range []string{
		`parley_requests_total{mode="enforce",operation="none",status="4xx"} 3`,
		`parley_actions_total{check="request-undeclared-endpoint",enforced="true",kind="refuse"} 3`,
	} {
		if !strings.Contains(string(body), want) {
			t.Errorf("the scrape lacks %s:\n%s", want, body)
		}
	}
}
