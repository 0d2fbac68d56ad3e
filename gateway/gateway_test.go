package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"

	"github.com/parley-project/parley/internal/ca"
)

// A stand is a gateway before an upstream, with a client for each version.
type stand struct {
	*Gateway
	up      *Upstream
	base    string // https URL
	ca      *ca.CA
	clients map[string]*http.Client
	stop    context.CancelFunc
	ended   chan error
}

var versions = []string{"HTTP/1.1", "HTTP/2.0", "HTTP/3.0"}

// start puts a gateway before the handler, which is wrapped by edit.
func start(t testing.TB, api http.Handler, edit func(*Options), upo UpstreamOptions) *stand {
	t.Helper()
	back := httptest.NewServer(api)
	t.Cleanup(back.Close)
	return startAt(t, back.URL, edit, upo)
}

func startAt(t testing.TB, upstream string, edit func(*Options), upo UpstreamOptions) *stand {
	t.Helper()
	authority, err := ca.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	up, err := NewUpstream(upstream, upo)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Address: "127.0.0.1:0", PlainAddress: "127.0.0.1:0", HTTP3: true, Certificate: authority.Server(), Handler: up, Drain: 5 * time.Second}
	if edit != nil {
		edit(&o)
	}
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &stand{Gateway: g, up: up, base: "https://" + g.Addr().String(), ca: authority, stop: cancel, ended: make(chan error, 1)}
	go func() { s.ended <- g.Serve(ctx) }()
	s.clients = clients(t, authority)
	t.Cleanup(func() {
		for _, c := range s.clients {
			c.CloseIdleConnections()
		}
		g.Close()
		cancel()
		up.Close()
	})
	return s
}

func clients(t testing.TB, authority *ca.CA) map[string]*http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(authority.Certificate())
	h1 := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableCompression: true, Protocols: new(http.Protocols), ExpectContinueTimeout: 5 * time.Second}
	h1.Protocols.SetHTTP1(true)
	h2 := h1.Clone()
	h2.Protocols = new(http.Protocols)
	h2.Protocols.SetHTTP2(true)
	h3 := &http3.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableCompression: true}
	t.Cleanup(func() { h3.Close() })
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return map[string]*http.Client{
		"HTTP/1.1": {Transport: h1, CheckRedirect: stay},
		"HTTP/2.0": {Transport: h2, CheckRedirect: stay},
		"HTTP/3.0": {Transport: h3, CheckRedirect: stay},
	}
}

// echo answers with what it saw of the request, and does what paths say.
func echo(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if s := q.Get("code"); s != "" {
		n, _ := strconv.Atoi(s)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(n)
		if n != 204 && n != 304 {
			fmt.Fprintf(w, "status %d", n)
		}
		return
	}
	if n, err := strconv.Atoi(q.Get("size")); err == nil {
		if q.Get("length") != "" {
			w.Header().Set("Content-Length", strconv.Itoa(n))
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		io.Copy(w, io.LimitReader(letters{}, int64(n)))
		return
	}
	body, err := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Add("X-Twice", "a")
	w.Header().Add("X-Twice", "b")
	if q.Get("trailer") != "" {
		w.Header().Set("Trailer", "X-Sum")
		defer w.Header().Set("X-Sum", fmt.Sprint(len(body)))
		w.(http.Flusher).Flush()
	}
	var names []string
	for k := range r.Header {
		switch k {
		case "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "User-Agent", "Expect": // clients differ in these
		default:
			names = append(names, k)
		}
	}
	sort.Strings(names)
	if (r.ContentLength >= 0) == (r.TransferEncoding != nil) {
		err = errors.New("length and coding")
	}
	fmt.Fprintf(w, "%s %s host=%v\n", r.Method, r.RequestURI, r.Host != "")
	for _, k := range names {
		if k != "Content-Length" {
			fmt.Fprintf(w, "%s: %q\n", k, r.Header[k])
		}
	}
	fmt.Fprintf(w, "body %d %v %.40q %v\n", len(body), err, body, r.Trailer)
}

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a' + byte(i%26)
	}
	return len(p), nil
}

// do sends a request and puts everything that matters of its answer in words.
func do(c *http.Client, method, target string, header http.Header, body io.Reader, length int64) string {
	r, err := http.NewRequest(method, target, body)
	if err != nil {
		return err.Error()
	}
	if header != nil {
		r.Header = header.Clone()
	}
	if body != nil {
		r.ContentLength = length
	}
	resp, err := c.Do(r)
	if err != nil {
		return "error " + strings.ReplaceAll(err.Error(), target, "")
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	var h strings.Builder
	for k := range resp.Header {
		switch k {
		case "Date", "Alt-Svc", "Connection", "Content-Length":
			delete(resp.Header, k)
		}
	}
	resp.Header.Write(&h)
	if len(b) > 2000 {
		b = fmt.Appendf(nil, "%d bytes beginning %q", len(b), b[:20])
	}
	return fmt.Sprintf("%d\n%s\n%s\nerr %v trailer %v", resp.StatusCode, h.String(), b, err, resp.Trailer)
}

func TestTwentyRequests(t *testing.T) {
	s := start(t, http.HandlerFunc(echo), nil, UpstreamOptions{})
	big := strings.Repeat("0123456789", 20_000)
	type request struct {
		method, target string
		header         http.Header
		body           string
		length         int64 // -1: unknown
		want           string
	}
	h := func(kv ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(kv); i += 2 {
			h.Add(kv[i], kv[i+1])
		}
		return h
	}
	requests := []request{
		{"GET", "/", nil, "", 0, "200"},
		{"GET", "/v1/orders?user_id=101&status=pending&limit=10", nil, "", 0, "200"},
		{"GET", "/v1/%6frders/a%2Fb/..;/%00?q=%zz&&", nil, "", 0, "200"},
		{"GET", "/h", h("Accept", "application/json", "X-Many", "1", "X-Many", "2", "Authorization", "Bearer x"), "", 0, "200"},
		{"GET", "/c", h("Cookie", "a=1; b=2"), "", 0, "200"},
		{"HEAD", "/?size=500&length=1", nil, "", 0, "200"},
		{"OPTIONS", "/v1", nil, "", 0, "200"},
		{"POST", "/v1/orders", h("Content-Type", "application/json"), `{"a":1}`, 7, "200"},
		{"POST", "/empty", nil, "", 0, "200"},
		{"POST", "/unknown", h("Content-Type", "text/plain"), "of unknown length", -1, "200"},
		{"PUT", "/big", nil, big, int64(len(big)), "200"},
		{"POST", "/big-unknown", nil, big, -1, "200"},
		{"PATCH", "/v1/users/1", h("Content-Type", "application/merge-patch+json"), `{}`, 2, "200"},
		{"DELETE", "/v1/orders/887", nil, "", 0, "200"},
		{"GET", "/?code=204", nil, "", 0, "204"},
		{"GET", "/?code=304", nil, "", 0, "304"},
		{"GET", "/?code=302", nil, "", 0, "302"},
		{"POST", "/?code=404", nil, "x", 1, "404"},
		{"GET", "/?code=503", nil, "", 0, "503"},
		{"GET", "/?size=100000&length=1", nil, "", 0, "200"},
		{"GET", "/?size=100000", nil, "", 0, "200"},
		{"GET", "/?trailer=1", h("Te", "trailers"), "", 0, "200"},
		{"PUT", "/expect", h("Expect", "100-continue"), big, int64(len(big)), "200"},
	}
	for _, q := range requests {
		first := ""
		for _, v := range versions {
			var body io.Reader
			if q.body != "" {
				body = io.MultiReader(strings.NewReader(q.body))
			}
			got := do(s.clients[v], q.method, s.base+q.target, q.header, body, q.length)
			if !strings.HasPrefix(got, q.want) {
				t.Errorf("%s %s over %s = %s, want %s", q.method, q.target, v, got, q.want)
			}
			if first == "" {
				first = got
			} else if got != first {
				t.Errorf("%s %s over %s = %s\n\nover %s %s", q.method, q.target, v, got, versions[0], first)
			}
		}
	}
}

func TestVersionsReallyDiffer(t *testing.T) {
	s := start(t, http.HandlerFunc(echo), nil, UpstreamOptions{})
	for _, v := range versions {
		resp, err := s.clients[v].Get(s.base + "/")
		if err != nil {
			t.Fatal(v, err)
		}
		resp.Body.Close()
		if resp.Proto != v || resp.TLS == nil || resp.TLS.Version != tls.VersionTLS13 {
			t.Errorf("%s spoke %s, TLS %+v", v, resp.Proto, resp.TLS)
		}
		if resp.TLS.CurveID != tls.X25519MLKEM768 {
			t.Errorf("%s agreed on a key by %v", v, resp.TLS.CurveID)
		}
		_, port, _ := strings.Cut(strings.TrimPrefix(s.base, "https://"), ":")
		if alt := resp.Header.Get("Alt-Svc"); (v != "HTTP/3.0") != strings.Contains(alt, `h3=":`+port+`"`) {
			t.Errorf("%s: Alt-Svc %q", v, alt)
		}
	}
}

// writePEM puts a certificate into a file.
func writePEM(t testing.TB, c *x509.Certificate) string {
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
