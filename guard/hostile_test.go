package guard_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/guard"
	"github.com/parley-project/parley/identity"
)

// hostile is a guard before an API that means harm or is talked into it:
// testdata/hostile.
func hostile(t *testing.T) (*guard.Guard, *memory) {
	t.Helper()
	dir := filepath.Join("testdata", "hostile")
	c, err := contract.Load(filepath.Join(dir, "parley.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config, err := identity.Parse(c.Sections["identity"], dir)
	if err != nil {
		t.Fatal(err)
	}
	v, err := identity.New(config, identity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	m := &memory{}
	g, err := guard.New(c, guard.Options{TLSInFront: true, Recorder: m, Identity: v})
	if err != nil {
		t.Fatal(err)
	}
	return g, m
}

// ask sends a request and returns the answer. The header is in lines.
func ask(h http.Handler, method, target, header, body string) *httptest.ResponseRecorder {
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, content)
	setHeader(r.Header, header)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// answering is a handler that says one thing to everybody.
func answering(status int, header, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeader(w.Header(), header)
		w.WriteHeader(status)
		if r.Method != "HEAD" {
			io.WriteString(w, body)
		}
	})
}

// Whatever the API says of another's order, and under whatever name, the
// caller does not get it.
func TestForeignObjectStays(t *testing.T) {
	const json = "Content-Type: application/json\n"
	tests := []struct {
		name, method, header string
		status               int
		reply, body          string
	}{
		{"plain", "GET", "", 200, json, `{"user_id":102,"item":"ring"}`},
		{"undeclared success", "GET", "", 299, json, `{"user_id":102,"item":"ring"}`},
		{"another type", "GET", "", 200, "Content-Type: text/csv\n", "user_id,item\n102,ring\n"},
		{"no type", "GET", "", 200, "", `{"user_id":102,"item":"ring"}`},
		{"byte order mark", "GET", "", 200, json, "\xef\xbb\xbf" + `{"user_id":102,"item":"ring"}`},
		{"UTF-16", "GET", "", 200, "Content-Type: application/json; charset=utf-16\n", "\xff\xfe{\x00\"\x00r\x00i\x00n\x00g\x00"},
		{"lines", "GET", "", 200, "Content-Type: application/x-ndjson\n", "{\"user_id\":101}\n{\"user_id\":102,\"item\":\"ring\"}\n"},
		{"trailing", "GET", "", 200, json, `{"user_id":101}{"user_id":102,"item":"ring"}`},
		{"twice", "GET", "", 200, json, `{"user_id":101,"user_id":102,"item":"ring"}`},
		{"escaped twice", "GET", "", 200, json, `{"user_id":101,"user\u005fid":102,"item":"ring"}`},
		{"text", "GET", "", 200, json, `{"user_id":"101","item":"ring"}`},
		{"null", "GET", "", 200, json, `{"user_id":null,"item":"ring"}`},
		{"list of owners", "GET", "", 200, json, `{"user_id":[101],"item":"ring"}`},
		{"huge", "GET", "", 200, json, `{"user_id":18446744073709551717,"item":"ring"}`},
		{"nearly", "GET", "", 200, json, `{"user_id":101.5,"item":"ring"}`},
		{"in a list", "GET", "", 200, json, `[{"user_id":101,"item":"ring"}]`},
		{"enveloped", "GET", "", 200, json, `{"data":{"user_id":101,"item":"ring"}}`},
		{"coded", "GET", "", 200, json + "Content-Encoding: br\n", "ring"},
		{"coded twice", "GET", "", 200, json + "Content-Encoding: identity\nContent-Encoding: gzip\n", "ring"},
		{"events", "GET", "", 200, "Content-Type: text/event-stream\n", "data: {\"user_id\":102,\"item\":\"ring\"}\n\n"},
		{"part", "GET", "Range: bytes=0-9\n", 206, json, `"item":"ring"`},
		{"parts", "GET", "Range: bytes=0-1,2-9\n", 206, "Content-Type: multipart/byteranges; boundary=x\n", "--x\r\n\r\n\"item\":\"ring\"\r\n--x--"},
		{"redirect", "GET", "", 303, json + "Location: /v1/orders/887\n", `{"user_id":102,"item":"ring"}`},
		{"choices", "GET", "", 300, json, `[{"user_id":102,"item":"ring"}]`},
		{"head", "HEAD", "", 200, json + "Content-Length: 33\nX-Item: ring\n", `{"user_id":102,"item":"ring"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, _ := hostile(t)
			w := ask(g.Middleware(answering(tt.status, tt.reply, tt.body)), tt.method, "/v1/orders/887", "X-API-Key: asha-key\n"+tt.header, "")
			if w.Code < 400 || strings.Contains(w.Body.String(), "ring") || w.Header().Get("X-Item") != "" {
				t.Errorf("status %d, %q", w.Code, w.Body)
			}
		})
	}
}

// A member that was not promised does not leave because the answer comes in
// another form than was promised.
func TestFilterUnderAnyForm(t *testing.T) {
	const secret = "margin"
	tests := []struct {
		name, target, header string
		status               int
		reply, body          string
		wantStatus           int
	}{
		{"text/json", "/v1/products/5", "", 200, "Content-Type: text/json\n", `{"id":5,"cost":"margin"}`, 200},
		{"byte order mark under another name", "/v1/products/5", "", 200, "Content-Type: text/plain\n", "\xef\xbb\xbf" + `{"cost":"margin"}`, 502},
		{"guarded against scripts", "/v1/products/5", "", 200, "Content-Type: text/plain\n", ")]}',\n" + `{"cost":"margin"}`, 502},
		{"as XML", "/v1/products/5", "", 200, "Content-Type: application/xml\n", `<product><cost>margin</cost></product>`, 502},
		{"as JSONP", "/v1/products/5", "", 200, "Content-Type: application/javascript\n", `callback({"cost":"margin"})`, 502},
		{"parts", "/v1/products/5", "Range: bytes=0-1,2-40\n", 206, "Content-Type: multipart/byteranges; boundary=x\n", "--x\r\n\r\n\"cost\":\"margin\"\r\n--x--", 502},
		{"UTF-16", "/v1/products/5", "", 200, "Content-Type: text/plain; charset=utf-16\n", "\xfe\xff\x00{ margin", 502},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, _ := hostile(t)
			w := ask(g.Middleware(answering(tt.status, tt.reply, tt.body)), "GET", tt.target, tt.header, "")
			if w.Code != tt.wantStatus || strings.Contains(w.Body.String(), secret) {
				t.Errorf("status %d, want %d: %q", w.Code, tt.wantStatus, w.Body)
			}
		})
	}
	g, _ := hostile(t)
	w := ask(g.Middleware(answering(200, "Content-Type: text/csv\n", "id,name\n5,lamp\n")), "GET", "/v1/catalogue", "", "")
	if w.Code != 200 || w.Body.String() != "id,name\n5,lamp\n" {
		t.Errorf("a declared type was refused: %d %q", w.Code, w.Body)
	}
	w = ask(g.Middleware(answering(200, "Content-Type: text/plain\n", "")), "GET", "/v1/products/5", "", "")
	if w.Code != 200 {
		t.Errorf("an empty answer was refused: %d", w.Code)
	}
}

// Another's order and one that does not exist look the same.
func TestHiddenExistence(t *testing.T) {
	g, _ := hostile(t)
	for _, method := range []string{"GET", "HEAD", "DELETE"} {
		foreign := ask(g.Middleware(answering(200, "Content-Type: application/json\nX-Trace: 7\n", `{"user_id":102}`)), method, "/v1/orders/1", "X-API-Key: asha-key", "")
		missing := ask(g.Middleware(answering(404, "Content-Type: application/json\nX-Powered-By: it\n", `{"error":"no such order"}`)), method, "/v1/orders/1", "X-API-Key: asha-key", "")
		strip := func(w *httptest.ResponseRecorder) string {
			w.Header().Del("Date")
			body, _, _ := strings.Cut(w.Body.String(), `"reference"`)
			var b strings.Builder
			w.Header().Write(&b)
			return b.String() + body
		}
		if f, m := strip(foreign), strip(missing); foreign.Code != missing.Code || f != m {
			t.Errorf("%s: another's: %d\n%s\nmissing: %d\n%s", method, foreign.Code, f, missing.Code, m)
		}
	}
}

// What makes a program take a request for another one does not reach it.
func TestDisguisedRequests(t *testing.T) {
	const key, typed = "X-API-Key: asha-key\n", "Content-Type: application/json\n"
	tests := []struct {
		name, method, target, header, body string
	}{
		{"method override", "POST", "/v1/orders/5/cancel", key + "X-HTTP-Method-Override: DELETE\n", ""},
		{"method override of old", "POST", "/v1/orders/5/cancel", key + "X-HTTP-Method: DELETE\n", ""},
		{"short method override", "GET", "/v1/products/5", "X-Method-Override: DELETE\n", ""},
		{"another path", "GET", "/v1/products/5", "X-Original-URL: /v1/orders/887\n", ""},
		{"rewritten path", "GET", "/v1/products/5", "X-Rewrite-URL: /v1/orders/887\n", ""},
		{"charset", "POST", "/v1/login", "Content-Type: application/json; charset=utf-7\n", `{"email":"+ACIALAAi-role+ACI:+ACI-admin"}`},
		{"charset quoted", "POST", "/v1/login", "Content-Type: application/json; a=b; Charset=\"UTF-16\"\n", `{"email":"a"}`},
		{"body that nobody declared", "POST", "/v1/orders/5/cancel", key, `{"refund":true}`},
		{"body of a read", "GET", "/v1/products/5", "", `{"id":6}`},
		{"coding after identity", "POST", "/v1/login", typed + "Content-Encoding: identity\nContent-Encoding: gzip\n", `{"email":"a"}`},
		{"trailing slash", "GET", "/v1/orders/5/", key, ""},
		{"upper case", "GET", "/v1/Products/5", "", ""},
		{"padded", "GET", "/v1/products/05", "", ""},
		{"signed", "GET", "/v1/products/+5", "", ""},
		{"space", "GET", "/v1/products/5%20", "", ""},
		{"parameter", "GET", "/v1/products/5;x=1", "", ""},
		{"ending", "GET", "/v1/products/5.json", "", ""},
		{"parameter twice", "GET", "/v1/orders/5?shop=1&shop=2", key, ""},
		{"parameter in brackets", "GET", "/v1/orders/5?shop[]=2", key, ""},
		{"two keys", "GET", "/v1/orders/5", key + "X-API-Key: rajan-key\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, _ := hostile(t)
			reached := false
			w := ask(g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				reached = true
			})), tt.method, tt.target, tt.header, tt.body)
			if w.Code < 400 || reached {
				t.Errorf("status %d, the API was asked: %v", w.Code, reached)
			}
		})
	}
	for _, header := range []string{"Content-Type: application/json; charset=UTF-8", "Content-Type: application/json;charset=\"utf-8\"", "Content-Type: application/json; profile=x"} {
		g, _ := hostile(t)
		if w := ask(g.Middleware(answering(200, "", "")), "POST", "/v1/login", header, `{"email":"a"}`); w.Code != 200 {
			t.Errorf("%s: %d", header, w.Code)
		}
	}
}

// Guard judges the object that the request is about: one that is chosen by a
// parameter, too.
func TestObjectChosenByQuery(t *testing.T) {
	g, _ := hostile(t)
	deleted := false
	w := ask(g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "DELETE" {
			deleted = true
			w.WriteHeader(204)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		owner := `{"user_id":101}`
		if r.URL.Query().Get("shop") == "2" {
			owner = `{"user_id":102}`
		}
		io.WriteString(w, owner)
	})), "DELETE", "/v1/orders/5?shop=2", "X-API-Key: asha-key", "")
	if deleted || w.Code != 404 {
		t.Errorf("status %d, deleted %v", w.Code, deleted)
	}
}

// A connection is not handed over where answers are judged.
func TestUpgradeOfJudged(t *testing.T) {
	for target, passes := range map[string]bool{"/v1/orders/5": false, "/v1/products/5": false, "/v1/events": true} {
		g, _ := hostile(t)
		asked := false
		ask(g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.Header.Get("Upgrade") != ""
		})), "GET", target, "X-API-Key: asha-key\nConnection: Upgrade\nUpgrade: websocket\n", "")
		if asked != passes {
			t.Errorf("%s: the API was asked for an upgrade: %v, want %v", target, asked, passes)
		}
	}
}

// An account has one budget, however its name is written.
func TestLimitByAnySpelling(t *testing.T) {
	g, _ := hostile(t)
	h := g.Middleware(answering(200, "", ""))
	last := 0
	for _, email := range []string{"asha@shop.test", "ASHA@shop.test", " asha@shop.test", `\u0061sha@shop.test`, "asha@shop.test "} {
		last = ask(h, "POST", "/v1/login", "Content-Type: application/json", `{"email":"`+email+`"}`).Code
	}
	if last != 429 {
		t.Errorf("the fifth try was answered with %d", last)
	}
}

// An answer without end ends when it is larger than is judged.
func TestEndlessReply(t *testing.T) {
	for _, tt := range []struct {
		method, kind string
		status       int
	}{{"GET", "application/json", 502}, {"GET", "text/event-stream", 404}, {"DELETE", "application/json", 502}} {
		g, m := hostile(t)
		w := ask(g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", tt.kind)
			piece := make([]byte, 1<<16)
			for n := 0; n < 64<<20; n += len(piece) {
				if _, err := w.Write(piece); err != nil {
					return
				}
			}
			t.Error("64 MiB were taken")
		})), tt.method, "/v1/orders/5", "X-API-Key: asha-key", "")
		if w.Code != tt.status || !strings.Contains(w.Header().Get("Content-Type"), "problem+json") {
			t.Errorf("%s %s: status %d, %q", tt.method, tt.kind, w.Code, w.Header().Get("Content-Type"))
		}
		if x := m.client(t); x.Response == nil || x.Response.Status != tt.status {
			t.Errorf("%s %s: recorded %+v", tt.method, tt.kind, x.Response)
		}
	}
}
