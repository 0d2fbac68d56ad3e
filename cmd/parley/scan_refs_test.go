package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A description that the API itself gives reads no file here.
func TestDescribedByFiles(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "state.json")
	if err := os.WriteFile(secret, []byte(`{"value": "a-secret-of-this-machine"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	up := strings.Repeat("../", 12) + strings.TrimPrefix(filepath.ToSlash(secret), "/")
	example := `"parameters":[{"name":"q","in":"query","required":true,"schema":{"type":"string"},"examples":{"a":{%s}}}],`
	for name, ref := range map[string]string{"plain": fmt.Sprintf(`"$ref":%q`, up), "twice": fmt.Sprintf(`"$ref":"#/x","$ref":%q`, up), "escaped": fmt.Sprintf(`"\u0024ref":%q`, up), "YAML": fmt.Sprintf(`"$ref": %q`, up)} {
		t.Run(name, func(t *testing.T) {
			leaked := ""
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.RawQuery, "a-secret") {
					leaked = r.URL.String()
				}
				w.Header().Set("Content-Type", "application/json")
				at := "/openapi.json"
				begin, end := "", ""
				if name == "YAML" {
					at, begin, end = "/openapi.yaml", "openapi: 3.1.0\ninfo: {title: x, version: '1'}\npaths: ", "\n"
				} else {
					begin, end = `{"openapi":"3.1.0","info":{"title":"x","version":"1"},"paths":`, "}"
				}
				if r.URL.Path == at {
					fmt.Fprintf(w, begin+`{"/v1/x":{"get":{`+example+`"responses":{"200":{"description":"x"}}}}}`+end, ref)
					return
				}
				if strings.HasPrefix(r.URL.Path, "/v1/") {
					fmt.Fprint(w, "{}")
					return
				}
				w.WriteHeader(404)
			}))
			t.Cleanup(server.Close)
			t.Chdir(t.TempDir())
			var out, talk bytes.Buffer
			code := run([]string{"scan", server.URL, "--store", "scan.db", "--requests", "40"}, &out, &talk)
			if code != exitUsage || !strings.Contains(talk.String(), "state.json") {
				t.Errorf("code %d, want %d: %s", code, exitUsage, &talk)
			}
			if leaked != "" {
				t.Errorf("the file was sent: %s", leaked)
			}
		})
	}
}
