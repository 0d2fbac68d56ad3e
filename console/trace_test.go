package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/store"
)

// post sends JSON as the page does, and decodes what comes back.
func (c *client) post(path string, body, v any) int {
	c.t.Helper()
	b, ok := body.([]byte)
	if !ok {
		var err error
		if b, err = json.Marshal(body); err != nil {
			c.t.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(c.t.Context(), "POST", c.base+path, bytes.NewReader(b))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", c.base)
	resp, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ = io.ReadAll(resp.Body)
	if v != nil {
		if err := json.Unmarshal(b, v); err != nil {
			c.t.Fatalf("POST %s: %v in %.300s", path, err, b)
		}
	}
	return resp.StatusCode
}

const rajansToken = "rajan-token-4f6a"

// callingClient calls what is on loopback, records in s, and knows rajan.
func callingClient(s *store.Store) *Client {
	return &Client{Call: call.Options{Recorder: s}, Names: []string{"rajan"}, As: func(name string) (identity.Auth, error) {
		if name != "rajan" {
			return nil, errors.New("nobody has that name")
		}
		return identity.NewBearer(rajansToken), nil
	}}
}

// target is an API that wants rajan's token.
func target(t testing.TB) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("Authorization") != "Bearer "+rajansToken {
			w.WriteHeader(401)
			io.WriteString(w, `{"title":"who are you?"}`)
			return
		}
		b, _ := io.ReadAll(r.Body)
		out, _ := json.Marshal(map[string]any{"id": 887, "method": r.Method, "query": r.URL.RawQuery, "body": string(b), "type": r.Header.Get("Content-Type"), "token": rajansToken})
		w.Write(out)
	}))
	t.Cleanup(s.Close)
	return s
}

// TestTraceNow follows a call from the page, and draws it again from the store.
func TestTraceNow(t *testing.T) {
	_, s := newEmpty(t)
	api := target(t)
	c, srv := serve(t, Options{Store: s, Client: callingClient(s)})
	cl := open(t, c, srv.URL)
	for _, tt := range []struct {
		as     string
		status int
	}{{"", 401}, {"rajan", 200}} {
		var made struct{ ID exchange.ID }
		if status := cl.post("/api/trace", map[string]string{"url": api.URL + "/v1/orders/887", "as": tt.as}, &made); status != 200 {
			t.Fatalf("tracing as %q: %d", tt.as, status)
		}
		var v tracedCall
		if status := cl.get("/api/trace/"+string(made.ID), &v); status != 200 {
			t.Fatalf("the trace: %d", status)
		}
		if v.Status != tt.status || len(v.Steps) != 7 || v.Source != exchange.FromTrace || len(v.Phases) < 2 || v.Total <= 0 {
			t.Errorf("as %q: status %d, %d steps, from %s, phases %v of %v; want %d and seven steps from trace, with times", tt.as, v.Status, len(v.Steps), v.Source, v.Phases, v.Total, tt.status)
		}
		for _, step := range v.Steps {
			if len(step.Says) == 0 {
				t.Errorf("as %q: step %s says nothing", tt.as, step.Step)
			}
			for _, f := range step.Findings {
				if f.Fix == "" || f.Title == "" {
					t.Errorf("finding %s has the title %q and the fix %q", f.Check, f.Title, f.Fix)
				}
			}
		}
		if b, _ := json.Marshal(v); bytes.Contains(b, []byte(rajansToken)) {
			t.Errorf("the trace holds the token: %s", b)
		}
	}
	// What breaks off ends at a step, and what cannot begin says why.
	api.Close()
	var made struct{ ID exchange.ID }
	if status := cl.post("/api/trace", map[string]string{"url": api.URL, "method": "head"}, &made); status != 200 {
		t.Fatalf("tracing what is gone: %d", status)
	}
	var v tracedCall
	cl.get("/api/trace/"+string(made.ID), &v)
	if v.Verdict != "FAIL" || v.Failure == "" || v.Steps[1].Verdict != "FAIL" || v.Method != "HEAD" {
		t.Errorf("no connection: %s, %q, step tcp %s; want FAIL at tcp", v.Verdict, v.Failure, v.Steps[1].Verdict)
	}
	for _, tt := range []struct{ url, method, as, want string }{
		{"", "", "", "give a URL"}, {"file:///etc/passwd", "", "", "not a URL"}, {"ftp://127.0.0.1/", "", "", "ftp: is not spoken"}, {"http://%zz", "", "", "not a URL"},
		{api.URL, "GET / HTTP/1.1\r\nX: y", "", "a method is a word"}, {api.URL, "", "priya", "nobody has that name"},
	} {
		var p Problem
		if status := cl.post("/api/trace", map[string]string{"url": tt.url, "method": tt.method, "as": tt.as}, &p); status != 400 || !strings.Contains(p.Detail, tt.want) {
			t.Errorf("tracing %q by %q as %q: %d %q, want 400 and %q", tt.url, tt.method, tt.as, status, p.Detail, tt.want)
		}
	}
}

// TestTraceRefusals: nothing is called for another page, for nobody, beside
// another call, or where only looking is allowed.
func TestTraceRefusals(t *testing.T) {
	_, s := newEmpty(t)
	waiting, let := make(chan struct{}, 8), make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		waiting <- struct{}{}
		select {
		case <-let:
		case <-r.Context().Done():
		}
	}))
	defer api.Close()
	c, srv := serve(t, Options{Store: s, Client: callingClient(s)})
	cl := open(t, c, srv.URL)
	addr := strings.TrimPrefix(srv.URL, "http://")
	body := `{"url":"` + api.URL + `"}`
	for path := range posts {
		for name, tt := range map[string]struct {
			headers string
			want    int
		}{
			"another origin":  {"Origin: http://evil.example\r\nContent-Type: application/json\r\nCookie: " + cl.cookie(), 403},
			"another site":    {"Sec-Fetch-Site: cross-site\r\nContent-Type: application/json\r\nCookie: " + cl.cookie(), 403},
			"no origin":       {"Content-Type: application/json\r\nCookie: " + cl.cookie(), 403},
			"a form":          {"Origin: " + srv.URL + "\r\nContent-Type: text/plain\r\nCookie: " + cl.cookie(), 403},
			"without session": {"Origin: " + srv.URL + "\r\nContent-Type: application/json", 401},
		} {
			status, _, text := raw(t, addr, "POST "+path+" HTTP/1.1\r\nHost: "+addr+"\r\n"+tt.headers+"\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\nConnection: close\r\n\r\n"+body)
			if status != tt.want {
				t.Errorf("POST %s from %s: %d, want %d: %.100s", path, name, status, tt.want, text)
			}
		}
		if status, _, _ := raw(t, addr, "GET "+path+" HTTP/1.1\r\nHost: "+addr+"\r\nCookie: "+cl.cookie()+"\r\nConnection: close\r\n\r\n"); status != 405 {
			t.Errorf("GET %s: %d, want 405", path, status)
		}
	}
	if len(waiting) > 0 {
		t.Error("a refused request made a call")
	}
	large := append([]byte(`{"url":"`), bytes.Repeat([]byte("a"), 64<<10)...)
	if status := cl.post("/api/trace", append(large, `"}`...), nil); status != 413 {
		t.Errorf("a body of 64 KiB: %d, want 413", status)
	}
	for _, bad := range []string{``, `[]`, `{"url":1}`, `{"more":1}`, `{"url":"x"} {}`} {
		if status := cl.post("/api/trace", []byte(bad), nil); status != 400 {
			t.Errorf("the body %q: %d, want 400", bad, status)
		}
	}

	// One at a time; who goes away ends the call.
	first := make(chan int, 1)
	go func() { first <- cl.post("/api/trace", map[string]string{"url": api.URL}, nil) }()
	<-waiting
	var p Problem
	if status := cl.post("/api/trace", map[string]string{"url": api.URL}, &p); status != 409 || !strings.Contains(p.Detail, "under way") {
		t.Errorf("a second call at the same time: %d %q, want 409", status, p.Detail)
	}
	close(let)
	if status := <-first; status != 200 {
		t.Errorf("the first call: %d, want 200", status)
	}

	look, lsrv := serve(t, Options{Store: s})
	lcl := open(t, look, lsrv.URL)
	if status := lcl.post("/api/trace", map[string]string{"url": api.URL}, &p); status != 403 || !strings.Contains(p.Detail, "only shows") {
		t.Errorf("a console that only shows: %d %q, want 403", status, p.Detail)
	}
	var about struct {
		Call  bool
		Names []string
	}
	if lcl.get("/api/about", &about); about.Call || about.Names != nil {
		t.Errorf("a console that only shows says %+v", about)
	}
	if cl.get("/api/about", &about); !about.Call || !slices.Equal(about.Names, []string{"rajan"}) {
		t.Errorf("a console that calls says %+v", about)
	}
}

// TestTracedByOthers draws what guard and the attacks recorded.
func TestTracedByOthers(t *testing.T) {
	d, s := newDemo(t, 2)
	c, srv := serve(t, Options{Store: s})
	cl := open(t, c, srv.URL)
	for _, a := range d.attacks {
		for _, id := range []exchange.ID{a.Open.ID, a.Guarded.ID} {
			var v tracedCall
			if status := cl.get("/api/trace/"+string(id), &v); status != 200 || len(v.Steps) != 7 {
				t.Errorf("%s: %d with %d steps", a.Name, status, len(v.Steps))
			}
			for i, step := range v.Steps {
				if step.Step != exchange.Steps[i] || step.Verdict == "" {
					t.Errorf("%s: step %d is %s, %q", a.Name, i+1, step.Step, step.Verdict)
				}
			}
		}
	}
	for _, id := range []string{"1", "01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
		if status := cl.get("/api/trace/"+id, nil); status != 404 {
			t.Errorf("the trace of %s: %d, want 404", id, status)
		}
	}
}
