package guard_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/guard"
)

// memory is a recorder for tests.
type memory struct {
	mu sync.Mutex
	xs []*exchange.Exchange
}

func (m *memory) Record(x *exchange.Exchange) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.xs = append(m.xs, x)
}

// client returns the exchange that the client saw last.
func (m *memory) client(t *testing.T) *exchange.Exchange {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := len(m.xs) - 1; i >= 0; i-- {
		if m.xs[i].Side == exchange.ClientSide {
			return m.xs[i]
		}
	}
	t.Fatal("nothing was recorded")
	return nil
}

func load(t testing.TB, mode contract.Mode) *contract.Contract {
	t.Helper()
	c, err := contract.Load(filepath.Join("testdata", "parley.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	c.Mode = mode
	return c
}

func newGuard(t testing.TB, mode contract.Mode) (*guard.Guard, *memory) {
	t.Helper()
	m := &memory{}
	g, err := guard.New(load(t, mode), guard.Options{TLSInFront: true, Recorder: m})
	if err != nil {
		t.Fatal(err)
	}
	return g, m
}

func TestMiddleware(t *testing.T) {
	type answer struct {
		status int
		header string // "Name: value" lines
		body   string
	}
	tests := []struct {
		name   string
		method string
		target string
		header string
		body   string
		api    answer
		want   answer // an empty body means: not looked at
		act    string // "kind check" of the first action
	}{
		{"filtered", "GET", "/v1/products/5", "", "", answer{200, "Content-Type: application/json", `{"id":5,"cost":1,"name":"lamp"}`},
			answer{200, "Content-Length: 22", `{"id":5,"name":"lamp"}`}, "strip response-excessive-data"},
		{"mislabelled", "GET", "/v1/products/5", "", "", answer{200, "Content-Type: text/html", `{"id":5,"cost":1}`},
			answer{200, "Content-Type: application/json", `{"id":5}`}, "strip response-excessive-data"},
		{"escaped name", "GET", "/v1/products/5", "", "", answer{200, "Content-Type: application/json", `{"i\u0064":5,"c\u006fst":1}`},
			answer{200, "", `{"i\u0064":5}`}, "strip response-excessive-data"},
		{"undeclared success", "GET", "/v1/products/5", "", "", answer{203, "Content-Type: application/json", `{"id":5,"cost":1}`},
			answer{203, "", `{"id":5}`}, "strip response-excessive-data"},
		{"broken JSON", "GET", "/v1/products/5", "", "", answer{200, "Content-Type: application/json", `{"id":5,"cost":1`},
			answer{502, "Content-Type: application/problem+json", ""}, "refuse response-schema"},
		{"unknown path", "GET", "/v2/products/5", "", "", answer{200, "", "hello"}, answer{404, "", ""}, "refuse request-old-version"},
		{"unknown method", "PATCH", "/v1/products/5", "", "", answer{200, "", "hello"}, answer{405, "Allow: DELETE, GET, HEAD, OPTIONS", ""}, "refuse request-method"},
		{"dots", "GET", "/v1/products/..%2fadmin", "", "", answer{200, "", "hello"}, answer{400, "", ""}, "refuse request-ambiguous"},
		{"stack trace", "GET", "/v1/products/5", "", "", answer{500, "Content-Type: text/plain", "panic: runtime error: goroutine 7"},
			answer{500, "Content-Type: application/problem+json", ""}, "repair response-error-details"},
		{"hidden failure", "GET", "/v1/products/5", "", "", answer{200, "Content-Type: application/json", `{"error":"not found"}`},
			answer{404, "Content-Type: application/problem+json", ""}, "repair status-200-on-failure"},
		{"login", "POST", "/v1/login", "Content-Type: application/json", `{"email":"a","password":"b"}`,
			answer{200, "Content-Type: application/json", `{"token":"t"}`}, answer{200, "", `{"token":"t"}`}, "repair response-csp"},
		{"duplicate", "POST", "/v1/login", "Content-Type: application/json", `{"email":"a","password":"b","email":"c"}`,
			answer{200, "", ""}, answer{400, "", ""}, "refuse request-duplicate-member"},
		{"undeclared member", "POST", "/v1/login", "Content-Type: application/json", `{"email":"a","password":"b","role":"admin"}`,
			answer{200, "", ""}, answer{400, "", ""}, "refuse request-mass-assignment"},
		{"wrong type", "POST", "/v1/login", "Content-Type: application/json", `{"email":1,"password":"b"}`,
			answer{200, "", ""}, answer{400, "", ""}, "refuse request-schema"},
		{"no body", "POST", "/v1/login", "Content-Type: application/json", "", answer{200, "", ""}, answer{400, "", ""}, "refuse request-schema"},
		{"text", "POST", "/v1/login", "Content-Type: text/plain", `{"email":"a","password":"b"}`, answer{200, "", ""}, answer{415, "", ""}, "refuse request-content-type"},
		{"too large", "POST", "/v1/login", "Content-Type: application/json", `{"email":"` + strings.Repeat("x", 1<<20) + `"}`,
			answer{200, "", ""}, answer{413, "", ""}, "refuse request-size"},
		{"cookie", "GET", "/v1/products/5", "", "", answer{200, "Content-Type: application/json\nSet-Cookie: session=x; Path=/", `{"id":5}`},
			answer{200, "Set-Cookie: session=x; Path=/; HttpOnly; SameSite=Lax", `{"id":5}`}, "repair response-csp"},
		{"head", "HEAD", "/v1/products/5", "", "", answer{200, "Content-Type: application/json\nContent-Length: 8", ``},
			answer{200, "Content-Length: 8", ``}, "repair response-csp"},
	}
	for _, mode := range []contract.Mode{contract.Enforce, contract.Report} {
		for _, tt := range tests {
			t.Run(string(mode)+"/"+tt.name, func(t *testing.T) {
				g, m := newGuard(t, mode)
				reached := false
				h := g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					reached = true
					got, err := io.ReadAll(r.Body)
					if err != nil || string(got) != tt.body {
						t.Errorf("the handler read %d bytes, %v; want the %d that were sent", len(got), err, len(tt.body))
					}
					setHeader(w.Header(), tt.api.header)
					w.WriteHeader(tt.api.status)
					io.WriteString(w, tt.api.body)
				}))
				s := httptest.NewServer(h)
				defer s.Close()
				req, _ := http.NewRequest(tt.method, s.URL+tt.target, strings.NewReader(tt.body))
				setHeader(req.Header, tt.header)
				resp, err := http.DefaultTransport.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()

				want := tt.want
				if mode == contract.Report {
					want = tt.api // nothing changes
				}
				if resp.StatusCode != want.status {
					t.Errorf("status %d, want %d: %s", resp.StatusCode, want.status, body)
				}
				for line := range strings.Lines(want.header) {
					name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
					if got := resp.Header.Get(name); got != value {
						t.Errorf("%s: %q, want %q", name, got, value)
					}
				}
				if (want.body != "" || mode == contract.Report) && string(body) != want.body {
					t.Errorf("body %q, want %q", body, want.body)
				}
				if mode == contract.Report && !reached {
					t.Error("report mode kept the request from the handler")
				}
				if strings.HasPrefix(tt.act, "refuse request-") && mode == contract.Enforce && reached {
					t.Error("the handler saw a request that was refused")
				}
				x := m.client(t)
				if len(x.Actions) == 0 {
					t.Fatalf("no action recorded, want %s", tt.act)
				}
				if got := fmt.Sprint(x.Actions[0].Kind, " ", x.Actions[0].Check); got != tt.act {
					t.Errorf("first action %s, want %s (%v)", got, tt.act, x.Actions)
				}
				for _, a := range x.Actions {
					if a.Enforced != (mode == contract.Enforce) {
						t.Errorf("%s %s: enforced %v in mode %s", a.Kind, a.Check, a.Enforced, mode)
					}
				}
			})
		}
	}
}

func setHeader(h http.Header, lines string) {
	for line := range strings.Lines(lines) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			h.Add(name, value)
		}
	}
}

// An API that compresses although it was not asked to is read all the same.
func TestCompressedReply(t *testing.T) {
	g, m := newGuard(t, contract.Enforce)
	var z bytes.Buffer
	gz := gzip.NewWriter(&z)
	io.WriteString(gz, `{"id":5,"cost":1}`)
	gz.Close()
	w := httptest.NewRecorder()
	g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(z.Bytes())
	})).ServeHTTP(w, httptest.NewRequest("GET", "/v1/products/5", nil))
	if w.Body.String() != `{"id":5}` || w.Header().Get("Content-Encoding") != "" {
		t.Errorf("got %q coded %q", w.Body, w.Header().Get("Content-Encoding"))
	}
	if x := m.client(t); string(x.Response.Body.Data) != `{"id":5}` {
		t.Errorf("recorded %q", x.Response.Body.Data)
	}
}

// A stream passes as it is written.
func TestStreamPasses(t *testing.T) {
	for _, mode := range []contract.Mode{contract.Enforce, contract.Report} {
		g, _ := newGuard(t, mode)
		more := make(chan bool)
		s := httptest.NewServer(g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "data: 1\n\n")
			w.(http.Flusher).Flush()
			<-more
			io.WriteString(w, "data: 2\n\n")
		})))
		resp, err := http.Post(s.URL+"/v1/login", "application/json", strings.NewReader(`{"email":"a","password":"b"}`))
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, 9)
		if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "data: 1\n\n" {
			t.Fatalf("%s: %q, %v", mode, first, err)
		}
		close(more)
		last, _ := io.ReadAll(resp.Body)
		if string(last) != "data: 2\n\n" {
			t.Errorf("%s: %q", mode, last)
		}
		resp.Body.Close()
		s.Close()
	}
}

// In report mode nothing waits for judgement: a handler answers before it has
// the body, as it would without guard, and the body is judged all the same.
func TestReportHoldsNoBody(t *testing.T) {
	g, m := newGuard(t, contract.Report)
	answered := make(chan bool)
	s := httptest.NewServer(g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		w.WriteHeader(202)
		w.(http.Flusher).Flush()
		io.Copy(io.Discard, r.Body)
	})))
	body, more := io.Pipe()
	go func() {
		io.WriteString(more, `{"email":"a","password":"b",`)
		<-answered
		io.WriteString(more, `"role":"admin"}`)
		more.Close()
	}()
	resp, err := http.Post(s.URL+"/v1/login", "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	close(answered)
	io.ReadAll(resp.Body)
	resp.Body.Close()
	s.Close()
	if x := m.client(t); resp.StatusCode != 202 || len(x.Actions) == 0 || x.Actions[0].Check != "request-mass-assignment" {
		t.Errorf("status %d, actions %v", resp.StatusCode, x.Actions)
	}
}

// A handler that breaks off breaks the client's connection too: never a whole
// looking answer.
func TestBrokenReply(t *testing.T) {
	for _, mode := range []contract.Mode{contract.Enforce, contract.Report} {
		g, m := newGuard(t, mode)
		s := httptest.NewServer(g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"id":5`)
			panic(http.ErrAbortHandler)
		})))
		resp, err := http.Get(s.URL + "/v1/products/5")
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		if err == nil {
			t.Errorf("%s: the client took a broken answer for a whole one", mode)
		}
		s.Close()
		if x := m.client(t); x.Failure == "" {
			t.Errorf("%s: the record does not say that it broke", mode)
		}
	}
}

// A limit that is used up is 429 with Retry-After.
func TestLimit(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	g, err := guard.New(load(t, contract.Enforce), guard.Options{TLSInFront: true, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	h := g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }))
	var codes []int
	var last *httptest.ResponseRecorder
	for range 7 {
		r := httptest.NewRequest("POST", "/v1/login", strings.NewReader(`{"email":"a","password":"b"}`))
		r.Header.Set("Content-Type", "application/json")
		last = httptest.NewRecorder()
		h.ServeHTTP(last, r)
		codes = append(codes, last.Code)
	}
	if got, want := fmt.Sprint(codes), "[204 204 204 204 204 429 429]"; got != want {
		t.Errorf("statuses %s, want %s", got, want)
	}
	if last.Header().Get("Retry-After") != "12" {
		t.Errorf("Retry-After %q, want 12", last.Header().Get("Retry-After"))
	}
}

// When there is no answer of the API's the cause is on record, the client gets
// its reference, and nothing is said against the API.
func TestUpstreamFailure(t *testing.T) {
	for _, mode := range []contract.Mode{contract.Enforce, contract.Report} {
		g, m := newGuard(t, mode)
		w := httptest.NewRecorder()
		g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.(exchange.Witness).Seen().Failure = "connection refused"
			http.Error(w, "panic: goroutine 7 of ours", http.StatusBadGateway)
		})).ServeHTTP(w, httptest.NewRequest("GET", "/v1/products/5", nil))
		x := m.client(t)
		if w.Code != 502 || !strings.Contains(w.Body.String(), string(x.ID)) || strings.Contains(w.Body.String(), "goroutine") {
			t.Errorf("%s: %d %s, want 502 with the reference %s", mode, w.Code, w.Body, x.ID)
		}
		if !strings.Contains(x.Failure, "connection refused") || len(x.Findings)+len(x.Actions) != 0 {
			t.Errorf("%s: failure %q, findings %v, actions %v", mode, x.Failure, x.Findings, x.Actions)
		}
	}
}
