package guard_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/guard"
)

// Reading an object first does not do to it what is yet to be decided: an
// override of the method stays behind, also one that names the same method.
func TestPrereadOnlyReads(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"openapi.yaml": `{"openapi":"3.1.0","info":{"title":"t","version":"1"},"security":[],"paths":{"/notes/{id}":{
"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"integer"}}],
"get":{"responses":{"200":{"description":"it","content":{"application/json":{"schema":{"type":"object","properties":{"open":{"type":"boolean"}}}}}}}},
"delete":{"responses":{"204":{"description":"gone"}}}}}}`,
		"parley.yaml": "api: openapi.yaml\nmode: enforce\nrules:\n  - {operation: 'DELETE /notes/{id}', allow: object.open}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := contract.Load(filepath.Join(dir, "parley.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	g, err := guard.New(c, guard.Options{TLSInFront: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		deleted := false
		r := httptest.NewRequest("DELETE", "/notes/1", nil)
		r.Header.Set(name, "DELETE")
		w := httptest.NewRecorder()
		g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			deleted = deleted || r.Method == "DELETE" || r.Header.Get(name) != ""
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"open":false}`)
		})).ServeHTTP(w, r)
		if deleted || w.Code < 400 {
			t.Errorf("%s: answered %d, deleted %v", name, w.Code, deleted)
		}
	}
}
