package shop

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-project/parley/example/play"
)

// do sends one step and returns its answer.
func do(t *testing.T, n *play.Runner, s Step) Response {
	t.Helper()
	r, err := n.Send(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func runnerFor(t *testing.T, o Options) *play.Runner {
	t.Helper()
	base, keys := open(t, o)
	n, err := play.NewRunner(http.DefaultClient, base, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFileKeepsWhatWasWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a shop?.db")
	s, err := New(Options{File: file})
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.Token("priya")
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("DELETE", "/v1/orders/887", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	s.Handler().ServeHTTP(w, r)
	if w.Code != 204 {
		t.Fatalf("DELETE answered %d: %s", w.Code, w.Body)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	n := runnerFor(t, Options{File: file})
	if r := do(t, n, Step{As: "priya", Method: "GET", Path: "/v1/orders/887"}); r.Status != 404 {
		t.Errorf("after opening the file again the deleted order answers %d, want 404", r.Status)
	}
	if r := do(t, n, Step{As: "priya", Method: "GET", Path: "/v1/orders/886"}); r.Status != 200 {
		t.Errorf("another order answers %d, want 200", r.Status)
	}
}

func TestEventsFollowAnOrder(t *testing.T) {
	base, keys := open(t, Options{})
	n, err := play.NewRunner(http.DefaultClient, base, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", base+"/v1/orders/887/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+keys.Token["priya"])
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	next := func() string {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return data
			}
		}
		return ""
	}
	if got, want := next(), `{"order_id":887,"status":"pending"}`; got != want {
		t.Fatalf("first event %s, want %s", got, want)
	}
	do(t, n, Step{As: "asha", Method: "PATCH", Path: "/v1/orders/887", Body: `{"status":"cancelled"}`})
	if got, want := next(), `{"order_id":887,"status":"cancelled"}`; got != want {
		t.Errorf("second event %s, want %s", got, want)
	}
	if got := next(); got != "" || lines.Err() != nil {
		t.Errorf("after a cancelled order the stream went on with %q, %v", got, lines.Err())
	}
}

func TestMoneyIsNotMadeByHaste(t *testing.T) {
	for _, file := range []string{"", filepath.Join(t.TempDir(), "shop.db")} {
		n := runnerFor(t, Options{File: file})
		var wg sync.WaitGroup
		paid := make(chan int, 60)
		for range 60 { // rajan has 3120.50
			wg.Go(func() {
				r, err := n.Send(context.Background(), Step{As: "rajan", Method: "POST", Path: "/v1/account/transfers", Body: `{"to_user_id":104,"amount":100}`})
				if err != nil {
					t.Error(err)
				}
				paid <- r.Status
			})
		}
		wg.Wait()
		close(paid)
		count := map[int]int{}
		for status := range paid {
			count[status]++
		}
		if count[201] != 31 || count[409] != 29 {
			t.Errorf("file %q: 60 transfers at once: %v, want 31 paid and 29 refused", file, count)
		}
		for who, want := range map[string]string{"rajan": "20.50", "meera": "3100.00"} {
			if got := do(t, n, Step{As: who, Method: "GET", Path: "/v1/account"}).Text("/balance"); got != want {
				t.Errorf("file %q: %s has %s, want %s", file, who, got, want)
			}
		}
	}
}

func TestCrossSite(t *testing.T) {
	n := runnerFor(t, Options{Origins: []string{"https://shop.example"}})
	for _, c := range []struct {
		header map[string]string
		by     Proof
		want   int
	}{
		{nil, Bearer, 204},
		{map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, Bearer, 204}, // a token is sent on purpose
		{nil, Cookie, 403},
		{map[string]string{"Origin": "{origin}"}, Cookie, 204},
		{map[string]string{"Origin": "https://shop.example"}, Cookie, 204},
		{map[string]string{"Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"}, Cookie, 204},
		{map[string]string{"Origin": "https://evil.example"}, Cookie, 403},
		{map[string]string{"Origin": "null"}, Cookie, 403},
		{map[string]string{"Sec-Fetch-Site": "same-origin"}, Cookie, 204},
		{map[string]string{"Sec-Fetch-Site": "same-site"}, Cookie, 403},
	} {
		if r := do(t, n, Step{As: "meera", By: c.by, Method: "DELETE", Path: "/v1/account/freeze", Header: c.header}); r.Status != c.want {
			t.Errorf("by %q with %v: %d, want %d", c.by, c.header, r.Status, c.want)
		}
	}
}

func TestStrictBodies(t *testing.T) {
	n := runnerFor(t, Options{})
	for body, want := range map[string]int{
		`{"phone":"1"}`:                  200,
		`{"PHONE":"1"}`:                  400, // encoding/json would fill phone
		`{"phone":"1","phone":"2"}`:      400,
		`{"phone":"1","ph\u006fne":"2"}`: 400,
		`{"phone":null}`:                 400,
		`{"phone":1}`:                    400,
		`{"phone":"1"} {}`:               400,
		`["phone"]`:                      400,
		`null`:                           400,
		"{\"phone\":\"\xff\"}":           400,
		`{"id":1}`:                       400,
		`{"role":"admin"}`:               403,
		`{"phone":"` + strings.Repeat("1", 31) + `"}`: 400,
		``: 400,
	} {
		r := do(t, n, Step{As: "meera", Method: "PATCH", Path: "/v1/users/104", Body: body, Header: map[string]string{"Content-Type": "application/json"}})
		if r.Status != want {
			t.Errorf("%s answered %d, want %d", body, r.Status, want)
		}
	}
}

func TestHSTSIsForNames(t *testing.T) {
	n := runnerFor(t, Options{})
	for host, want := range map[string]bool{
		"shop.example": true, "shop.example:8443": true, "localhost": false, "localhost:8443": false,
		"shop.localhost": false, "127.0.0.1:8443": false, "[::1]:8443": false, "localhost.example": true,
	} {
		r := do(t, n, Step{Method: "GET", Path: "/healthz", Host: host})
		if got := r.Header.Get("Strict-Transport-Security") != ""; got != want {
			t.Errorf("HSTS for %s: %v, want %v", host, got, want)
		}
	}
}

func TestEveryAnswerIsProtected(t *testing.T) {
	n := runnerFor(t, Options{})
	for path, want := range map[string]int{
		"/": 404, "//v1/products": 404, "/v1/../v1/products": 404, "/v1/products/": 404, "/v1/orders/887%2Fevents": 401,
		"/v1/products/1": 200, "/v1/products?limit=%zz": 400, "/v1/products?limit=1&limit=2": 400, "/v1/products?order=name": 400,
	} {
		r := do(t, n, Step{Method: "GET", Path: path})
		if r.Status != want {
			t.Errorf("GET %s answered %d, want %d", path, r.Status, want)
		}
		for _, name := range []string{"Content-Type", "Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Cache-Control"} {
			if r.Header.Get(name) == "" {
				t.Errorf("GET %s has no %s", path, name)
			}
		}
	}
}

func TestAccepts(t *testing.T) {
	for field, want := range map[string]bool{
		"*/*": true, "application/*": true, "application/json": true, "text/html": false,
		"text/html, */*;q=0.1": true, "*/*, application/json;q=0": false, "application/json;q=0.0": false, "": false,
	} {
		if got := accepts([]string{field}, "application/json"); got != want {
			t.Errorf("accepts(%q) is %v, want %v", field, got, want)
		}
	}
}

func TestMoney(t *testing.T) {
	for text, want := range map[string]string{"0": "0.00", "1": "1.00", "12.5": "12.50", "12.05": "12.05", "1e2": "", "1.234": "", "-1": "", ".5": "", "9999999999": ""} {
		m, ok := parseMoney(text)
		if ok != (want != "") || ok && m.String() != want {
			t.Errorf("parseMoney(%q) is %v %v, want %q", text, m, ok, want)
		}
	}
	if got := Money(-105).String(); got != "-1.05" {
		t.Errorf("Money(-105) is %s", got)
	}
}

func TestLimiter(t *testing.T) {
	l, now := newLimiter(2, time.Minute), time.Unix(1000, 0)
	steps := []struct {
		after time.Duration
		ok    bool
		wait  time.Duration
	}{{0, true, 0}, {20 * time.Second, true, 0}, {30 * time.Second, false, 30 * time.Second}, {60 * time.Second, true, 0}, {61 * time.Second, false, 19 * time.Second}}
	for _, s := range steps {
		if wait, ok := l.allow("a", now.Add(s.after)); ok != s.ok || wait != s.wait {
			t.Errorf("after %v: %v, wait %v; want %v, %v", s.after, ok, wait, s.ok, s.wait)
		}
	}
	for i := range 2 * maxKeys {
		l.allow(fmt.Sprint(i), now.Add(time.Hour))
	}
	if len(l.seen) > maxKeys {
		t.Errorf("%d keys are kept, want at most %d", len(l.seen), maxKeys)
	}
}

func TestWriteConfiguration(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dir := t.TempDir()
	if err := s.WriteConfiguration(dir, "http://127.0.0.1:1234"); err != nil {
		t.Fatal(err)
	}
	policy, err := os.ReadFile(filepath.Join(dir, "parley.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(policy), "\nupstream: http://127.0.0.1:1234\n") {
		t.Error("parley.yaml does not name the upstream")
	}
	keys, err := os.ReadFile(filepath.Join(dir, "api-keys.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range s.Partners() {
		if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(p.Key))); !strings.Contains(string(keys), sum) || strings.Contains(string(keys), p.Key) {
			t.Errorf("api-keys.yaml does not know %s by the hash of the key alone", p.Name)
		}
	}
	for _, name := range []string{"openapi.yaml", "jwks.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestOptions(t *testing.T) {
	if _, err := New(Options{Origins: []string{"shop.example"}}); err == nil {
		t.Error("an origin without a scheme was taken")
	}
	if _, err := New(Options{File: t.TempDir()}); err == nil {
		t.Error("a directory was opened as a database")
	}
	s, err := New(Options{Flaws: []string{"authz-object", "client-cookie"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := strings.Join(s.FlawsOn(), " "); got != "authz-object client-cookie" {
		t.Errorf("FlawsOn is %q", got)
	}
	if _, err := s.Token("nobody"); err == nil {
		t.Error("nobody got a token")
	}
	if k, err := s.APIKey("swift"); err != nil || k == "" {
		t.Errorf("APIKey: %q, %v", k, err)
	}
}
