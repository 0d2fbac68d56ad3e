package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/lab/leak"
)

// A listening shop writes down all that was sent to it to prove who asks, and
// all that it gave for that.
type listeningShop struct {
	next http.Handler
	mu   sync.Mutex
	had  map[string]bool
}

var (
	tokenMember    = regexp.MustCompile(`"(?:token|access_token|refresh_token|key)"\s*:\s*"([^"]{12,})"`)
	passwordMember = regexp.MustCompile(`"password"\s*:\s*"([^"]{8,})"`)
)

func (l *listeningShop) note(secrets ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range secrets {
		if len(s) >= 12 {
			l.had[s] = true
		}
	}
}

func (l *listeningShop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		l.note(token)
	}
	l.note(r.Header.Get("X-API-Key"))
	for _, c := range r.Cookies() {
		l.note(c.Value)
	}
	for _, m := range passwordMember.FindAllSubmatch(body, -1) {
		l.note(string(m[1]))
	}
	rec := httptest.NewRecorder()
	l.next.ServeHTTP(rec, r)
	for _, m := range tokenMember.FindAllSubmatch(rec.Body.Bytes(), -1) {
		l.note(string(m[1]))
	}
	for _, c := range rec.Result().Cookies() {
		l.note(c.Value)
	}
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(rec.Code)
	w.Write(rec.Body.Bytes())
}

// No credential of anybody who was spoken as, who was registered, or that was
// forged, and no password, is in anything that a scan writes.
func TestScanSecrets(t *testing.T) {
	all := []string{"all"}
	for _, format := range []string{"text", "json", "sarif", "junit", "html"} {
		t.Run(format, func(t *testing.T) {
			s, err := shop.New(shop.Options{Flaws: all})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			l := &listeningShop{next: s.Handler(), had: map[string]bool{}}
			server := httptest.NewServer(l)
			defer server.Close()
			t.Chdir(t.TempDir())
			if err := os.WriteFile("openapi.yaml", shop.OpenAPI, 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"scan", "--api", "openapi.yaml", server.URL, "--format", format, "-v", "--har", "out/scan.har", "--store", "out/scan.db", "--write-baseline", "out/known.yaml", "--journal", "scan.journal"}
			own := map[string]bool{}
			for i, name := range shopPeople {
				token, err := s.Token(name)
				if err != nil {
					t.Fatal(err)
				}
				l.note(token)
				own[token] = true
				if i == 1 { // on the command line, which the result does not repeat
					args = append(args, "--as", name+"=Bearer "+token)
					continue
				}
				if err := os.WriteFile(name+".txt", []byte(token), 0o600); err != nil {
					t.Fatal(err)
				}
				args = append(args, "--as", name+"=@"+name+".txt")
			}
			if format != "html" { // one of all checks, the others brief
				args = append(args, "--only", "authz-object,authn-jwt-none,authn-invalid,request-token-in-url,client-token-in-body,response-excessive-data,authn-jwt-key")
			}
			if err := os.Mkdir("out", 0o700); err != nil {
				t.Fatal(err)
			}
			var out, talk bytes.Buffer
			if code := run(args, &out, &talk); code != exitFound {
				t.Fatalf("the exit code is %d, want %d\n%s", code, exitFound, talk.String())
			}
			written := map[string][]byte{"stdout": out.Bytes(), "stderr": talk.Bytes()}
			filepath.WalkDir("out", func(path string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					if written[path], err = os.ReadFile(path); err != nil {
						t.Error(err)
					}
					if info, err := d.Info(); err == nil && info.Mode().Perm() != 0o600 {
						t.Errorf("%s has the mode %v, want 600", path, info.Mode())
					}
				}
				return nil
			})
			everything(t, "out/scan.db", written)
			if len(l.had) < 10 {
				t.Errorf("only %d secrets were seen", len(l.had))
			}
			for where, data := range written {
				for secret := range l.had {
					form := ""
					switch i := bytes.Index(data, []byte(secret)); {
					case i >= 0:
						form = fmt.Sprintf("as it is: …%.200q", data[max(0, i-100):])
					case own[secret] && !strings.Contains(where, "exchange"):
						form = leak.Find(data, secret)
					}
					if form != "" {
						t.Errorf("%s shows %.30s…, %s", where, secret, form)
					}
				}
			}
			t.Logf("%d secrets, %d texts", len(l.had), len(written))
		})
	}
}

// everything reads all that a store holds.
func everything(t *testing.T, file string, into map[string][]byte) {
	t.Helper()
	db, err := openStore(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	n := 0
	err = forwards(t.Context(), db, nil, func(x *exchange.Exchange) {
		b, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		n++
		name := fmt.Sprintf("%s, exchange %d", file, n)
		into[name], into[name+", request body"] = b, x.Request.Body.Data
		if x.Response != nil {
			into[name+", response body"] = x.Response.Body.Data
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 100 {
		t.Errorf("%s holds %d exchanges", file, n)
	}
}

// A credential without a form of its own, sent under a name that says nothing of
// it, is not kept either.
func TestScanMasksOpaqueTokens(t *testing.T) {
	tokens := map[string]string{"Bearer OPAQUEanna1": "anna", "Bearer OPAQUEbert2": "bert"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		who := tokens[r.Header.Get("Authorization")]
		if who == "" {
			w.WriteHeader(401)
		}
		fmt.Fprintf(w, `{"id":%q}`, who)
	}))
	t.Cleanup(server.Close)
	t.Chdir(t.TempDir())
	api := `{"openapi":"3.1.0","info":{"title":"x","version":"1"},"security":[{"b":[]}],"components":{"securitySchemes":{"b":{"type":"http","scheme":"bearer"}}},"paths":{"/v1/me":{"get":{"responses":{"200":{"description":"x"}}}}}}`
	if err := os.WriteFile("openapi.json", []byte(api), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, talk bytes.Buffer
	if code := run([]string{"scan", "--api", "openapi.json", "--as", "anna=Bearer OPAQUEanna1", "--as", "bert=Bearer OPAQUEbert2", "--store", "scan.db", server.URL}, &out, &talk); code > 1 {
		t.Fatalf("code %d: %s", code, &talk)
	}
	db, err := openStore("scan.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = forwards(t.Context(), db, nil, func(x *exchange.Exchange) {
		if b, _ := json.Marshal(x); bytes.Contains(b, []byte("OPAQUE")) || bytes.Contains(x.Request.Body.Data, []byte("OPAQUE")) {
			t.Errorf("the store has it: %s %s", x.Request.Method, x.Request.Target)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
