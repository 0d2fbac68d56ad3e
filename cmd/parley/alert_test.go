package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/example/shop"
)

// Who tries the orders of the shop one after another is told of, by the count
// of the policy, with the key of the policy, and without the token.
func TestAlertReachesWebhook(t *testing.T) {
	s, err := shop.New(shop.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	api := httptest.NewServer(s.Handler())
	t.Cleanup(api.Close)
	token, err := s.Token("asha")
	if err != nil {
		t.Fatal(err)
	}
	type post struct {
		signature string
		body      []byte
	}
	posts := make(chan post, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		posts <- post{r.Header.Get("Parley-Signature"), b}
	}))
	t.Cleanup(hook.Close)

	dir := t.TempDir()
	if err := s.WriteConfiguration(dir, api.URL); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "parley.yaml")
	policy, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	policy = append(policy, "\nalert: {objects: 4, within: 2m, secret_file: alert.key, webhook: \""+hook.URL+"/\"}\n"...)
	for name, data := range map[string][]byte{"parley.yaml": policy, "alert.key": []byte("0123456789abcdef\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k, err := contract.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	front, client := standFor(t, k, api.URL, &counter{})
	for i := range 8 {
		r, _ := http.NewRequest("GET", front.url()+"/v1/orders/"+strconv.Itoa(900000+i), nil)
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Fatalf("order %d is answered with %d", i, resp.StatusCode)
		}
	}
	var p post
	select {
	case p = <-posts:
	case <-time.After(20 * time.Second):
		t.Fatal("no alert was posted")
	}
	var d map[string]any
	if err := json.Unmarshal(p.body, &d); err != nil {
		t.Fatal(err)
	}
	if len(p.signature) != len("sha256=")+64 || d["schema"] != "parley.alert/1" || d["objects"] != 4.0 || d["window_seconds"] != 120.0 ||
		d["operation"] != "GET /v1/orders/{id}" || d["caller"] == nil || d["exchange"] == nil || len(d) != 7 {
		t.Errorf("posted %s, signed %q", p.body, p.signature)
	}
	if len(posts) > 0 {
		t.Error("told twice")
	}
}
