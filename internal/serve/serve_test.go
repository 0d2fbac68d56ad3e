package serve

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// pair makes a certificate for localhost with a key, in PEM.
func pair(t testing.TB, name string, until time.Time) (cert, key []byte) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: until.Add(-24 * time.Hour), NotAfter: until, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, x, x, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	kb, _ := x509.MarshalPKCS8PrivateKey(k)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: kb})
}

func certificate(t testing.TB) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c, k := pair(t, "test", time.Now().Add(time.Hour))
	p, err := tls.X509KeyPair(c, k)
	if err != nil {
		t.Fatal(err)
	}
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &p, nil }
}

func listen(t testing.TB, c Config) *Server {
	t.Helper()
	if c.Address == "" && c.PlainAddress == "" {
		c.Address, c.PlainAddress = "127.0.0.1:0", "127.0.0.1:0"
	}
	if c.Certificate == nil {
		c.Certificate = certificate(t)
	}
	if c.Handler == nil {
		c.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			if errors.Is(err, ErrSlow) {
				Problem(w, http.StatusRequestTimeout)
				return
			}
			fmt.Fprint(w, n, " ", err)
		})
	}
	s, err := Listen(c)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); s.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Shutdown(ctx)
		<-done
	})
	return s
}

// raw sends bytes and returns the first answer; nil when there is none.
func raw(t *testing.T, s *Server, text string) *http.Response {
	t.Helper()
	c, err := net.Dial("tcp", s.PlainAddr().String())
	if errors.Is(err, syscall.ECONNRESET) {
		return nil // refused before connect was done
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	io.WriteString(c, text)
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return nil
	}
	return resp
}

func TestLimits(t *testing.T) {
	s := listen(t, Config{})
	for text, want := range map[string]int{
		"GET /" + strings.Repeat("x", 8000) + " HTTP/1.1\r\nHost: x\r\n\r\n":                                 200,
		"GET /" + strings.Repeat("x", 9000) + " HTTP/1.1\r\nHost: x\r\n\r\n":                                 414,
		"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 99) + "\r\n":                            200,
		"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 100) + "\r\n":                           431,
		"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 31<<10) + "\r\n\r\n":                        200,
		"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 34<<10) + "\r\n\r\n":                        431,
		"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 4<<20) + "\r\n\r\n":                         431,
		"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: "+strings.Repeat("y", 900)+"\r\n", 90) + "\r\n": 431,
	} {
		resp := raw(t, s, text)
		if resp == nil || resp.StatusCode != want {
			t.Errorf("%.60q (%d bytes): %v, want %d", text, len(text), resp, want)
		}
	}
}

func TestSlowHeader(t *testing.T) {
	s := listen(t, Config{Limits: Limits{Header: 50 * time.Millisecond}})
	for _, a := range []net.Addr{s.PlainAddr(), s.Addr()} {
		c, err := net.Dial("tcp", a.String())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, "GET / HTTP/1.1\r\nHo")
		c.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.ReadAll(c); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: half a header is kept open: %v", a, err)
		}
		c.Close()
	}
}

func TestSlowBody(t *testing.T) {
	l := Limits{BodyGrace: 50 * time.Millisecond, BodyRate: 1000}
	s := listen(t, Config{Limits: l})
	// Three bytes, then silence.
	resp := raw(t, s, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
	if resp == nil || resp.StatusCode != http.StatusRequestTimeout || resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("HTTP/1.1: %v", resp)
	}
	// The same over HTTP/2.
	pr, pw := io.Pipe()
	defer pw.Close()
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer tr.CloseIdleConnections()
	go pw.Write([]byte("abc"))
	r, _ := http.NewRequest("POST", "https://"+s.Addr().String(), pr)
	resp, err := tr.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusRequestTimeout || resp.ProtoMajor != 2 {
		t.Errorf("HTTP/2: %v %v", resp, err)
	}
}

// deadlineWriter ends a pipe when a deadline is set, as a connection would.
type deadlineWriter struct {
	http.ResponseWriter
	pr *io.PipeReader
}

func (w deadlineWriter) SetReadDeadline(time.Time) error {
	return w.pr.CloseWithError(os.ErrDeadlineExceeded)
}

func TestPace(t *testing.T) {
	for name, x := range map[string]struct {
		every  time.Duration
		bytes  int
		pauses time.Duration // of the reader, between two reads
		cut    bool
	}{
		"steady":               {time.Second, 300, 0, false},
		"all at once":          {0, 10_000, 0, false},
		"a byte a second":      {time.Second, 1, 0, true},
		"just too slow":        {time.Second, 200, 0, true},
		"nothing":              {time.Hour, 1, 0, true},
		"reader that is slow":  {0, 300, time.Minute, false},
		"bursts within bounds": {4 * time.Second, 2000, 0, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			pr, pw := io.Pipe()
			written := make(chan struct{})
			defer func() { pr.Close(); <-written }()
			go func() {
				defer close(written)
				for range 60 {
					time.Sleep(x.every)
					if _, err := pw.Write(make([]byte, x.bytes)); err != nil {
						return
					}
				}
				pw.Close()
			}()
			b := &pacedBody{ReadCloser: pr, w: deadlineWriter{nil, pr}, grace: 5 * time.Second, rate: 240}
			defer b.stop()
			start, buf := time.Now(), make([]byte, 4096)
			var err error
			for err == nil {
				_, err = b.Read(buf)
				time.Sleep(x.pauses)
			}
			if cut := err != io.EOF; cut != x.cut || cut && (err != ErrSlow || time.Since(start) > 45*time.Second) {
				t.Errorf("%s: ended with %v after %v, want cut off %v", name, err, time.Since(start), x.cut)
			}
		})
	}
}

func TestConnectionLimits(t *testing.T) {
	s := listen(t, Config{Limits: Limits{PerAddress: 2}})
	var held []net.Conn
	for range 2 {
		c, err := net.Dial("tcp", s.PlainAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	if resp := raw(t, s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); resp != nil {
		t.Errorf("a third connection was answered %s", resp.Status)
	}
	held[0].Close()
	deadline := time.Now().Add(20 * time.Second)
	for raw(t, s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") == nil {
		if time.Now().After(deadline) {
			t.Fatal("a place that was given up is not given away again")
		}
	}
	held[1].Close()
}

func TestTLSVersions(t *testing.T) {
	s := listen(t, Config{})
	for v, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		c, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true, MinVersion: v, MaxVersion: v})
		if (err == nil) != want {
			t.Errorf("%s: %v, want accepted %v", tls.VersionName(v), err, want)
		}
		if err == nil {
			c.Close()
		}
	}
	for _, suite := range []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA} {
		if c, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite}}); err == nil {
			c.Close()
			t.Errorf("%s was accepted", tls.CipherSuiteName(suite))
		}
	}
}

// frames talks HTTP/2 by hand and returns the status that a header block gets,
// or 0 when the stream or connection is cut.
func frames(t *testing.T, s *Server, fields [][2]string, end bool) string {
	t.Helper()
	c, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(c, http2.ClientPreface)
	f := http2.NewFramer(c, c)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	f.WriteSettings()
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for _, kv := range fields {
		e.WriteField(hpack.HeaderField{Name: kv[0], Value: kv[1]})
	}
	f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: b.Bytes(), EndStream: end, EndHeaders: true})
	if !end {
		f.WriteData(1, true, []byte("four"))
	}
	for {
		fr, err := f.ReadFrame()
		if err != nil {
			return "closed"
		}
		switch fr := fr.(type) {
		case *http2.MetaHeadersFrame:
			return fr.PseudoValue("status")
		case *http2.RSTStreamFrame:
			return "reset"
		case *http2.GoAwayFrame:
			return "goaway"
		}
	}
}

func TestHTTP2Hygiene(t *testing.T) {
	s := listen(t, Config{Handler: Hygiene(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			Problem(w, 400)
		}
	}), HygieneOptions{})})
	base := [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "x"}, {":path", "/"}}
	post := [][2]string{{":method", "POST"}, {":scheme", "https"}, {":authority", "x"}, {":path", "/"}}
	good := map[string]string{"200": "passes"}
	for name, x := range map[string]struct {
		fields [][2]string
		end    bool
		sound  bool
	}{
		"sound":             {base, true, true},
		"te trailers":       {append(base[:4:4], [2]string{"te", "trailers"}), true, true},
		"same host":         {append(base[:4:4], [2]string{"host", "x"}), true, true},
		"body":              {append(post[:4:4], [2]string{"content-length", "4"}), false, true},
		"connection":        {append(base[:4:4], [2]string{"connection", "close"}), true, false},
		"keep-alive":        {append(base[:4:4], [2]string{"keep-alive", "1"}), true, false},
		"proxy-connection":  {append(base[:4:4], [2]string{"proxy-connection", "1"}), true, false},
		"transfer-encoding": {append(base[:4:4], [2]string{"transfer-encoding", "chunked"}), true, false},
		"upgrade":           {append(base[:4:4], [2]string{"upgrade", "h2c"}), true, false},
		"te gzip":           {append(base[:4:4], [2]string{"te", "gzip"}), true, false},
		"other host":        {append(base[:4:4], [2]string{"host", "y"}), true, false},
		"length of none":    {append(post[:4:4], [2]string{"content-length", "4"}), true, false},
		"length too short":  {append(post[:4:4], [2]string{"content-length", "3"}), false, false},
		"length too long":   {append(post[:4:4], [2]string{"content-length", "5"}), false, false},
		"space in path":     {[][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "x"}, {":path", "/a HTTP/1.1"}}, true, false},
		"line end in path":  {[][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "x"}, {":path", "/\r\nx: y"}}, true, false},
		"line end in value": {append(base[:4:4], [2]string{"x", "a\r\ny: z"}), true, false},
		"colon in name":     {append(base[:4:4], [2]string{"x: y", "z"}), true, false},
		"upper case name":   {append(base[:4:4], [2]string{"X-Y", "z"}), true, false},
		"userinfo":          {[][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "u@x"}, {":path", "/"}}, true, false},
		"absolute path":     {[][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "x"}, {":path", "http://y/"}}, true, false},
		"space in method":   {[][2]string{{":method", "GET /x"}, {":scheme", "https"}, {":authority", "x"}, {":path", "/"}}, true, false},
		"look-alike":        {append(base[:4:4], [2]string{"content_length", "9"}), true, false},
	} {
		got := frames(t, s, x.fields, x.end)
		if (good[got] != "") != x.sound {
			t.Errorf("%s: %s, want passed %v", name, got, x.sound)
		}
	}
}

func TestCertificateFiles(t *testing.T) {
	dir := t.TempDir()
	cf, kf := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	put := func(c, k []byte) {
		t.Helper()
		if err := errors.Join(os.WriteFile(cf, c, 0o600), os.WriteFile(kf, k, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := NewFiles(cf, kf, nil); err == nil {
		t.Error("took files that are not there")
	}
	put(pair(t, "one", time.Now().Add(time.Hour)))
	var said []error
	f, err := NewFiles(cf, kf, func(err error) { said = append(said, err) })
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	f.now = func() time.Time { return now }
	s := listen(t, Config{Certificate: f.Certificate})
	name := func() string {
		t.Helper()
		now = now.Add(2 * time.Second)
		c, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if got := name(); got != "one" {
		t.Errorf("serves %s", got)
	}
	put(pair(t, "two", time.Now().Add(time.Hour)))
	if got := name(); got != "two" || len(said) > 0 {
		t.Errorf("after a change: serves %s, said %v", got, said)
	}
	for what, spoil := range map[string]func(){
		"junk":    func() { put([]byte("junk"), []byte("junk")) },
		"expired": func() { put(pair(t, "old", now.Add(-time.Hour))) },
		"unpaired": func() {
			c, _ := pair(t, "a", time.Now().Add(time.Hour))
			_, k := pair(t, "bb", time.Now().Add(time.Hour))
			put(c, k)
		},
		"gone": func() { os.Remove(kf) },
	} {
		said = nil
		spoil()
		for range 4 {
			if got := name(); got != "two" {
				t.Errorf("%s: serves %s", what, got)
			}
		}
		if len(said) != 1 {
			t.Errorf("%s: said %v, want it once", what, said)
		}
		if err := f.Check(); err == nil {
			t.Errorf("%s: Check finds nothing", what)
		}
	}
	put(pair(t, "three", time.Now().Add(time.Hour)))
	if got := name(); got != "three" {
		t.Errorf("after repair: serves %s", got)
	}
}

func TestPorts(t *testing.T) {
	s := listen(t, Config{Address: "127.0.0.1:0", HTTP3: true})
	h := http.NotFoundHandler()
	// TCP and UDP have one number.
	if port := s.udp.LocalAddr().(*net.UDPAddr).Port; port != s.Addr().(*net.TCPAddr).Port {
		t.Errorf("UDP %d, TCP %v", port, s.Addr())
	}
	_, err := Listen(Config{Address: s.Addr().String(), Certificate: certificate(t), Handler: h})
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a taken port: %v", err)
	}
	// A UDP port that alone is taken counts as taken.
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	_, err = Listen(Config{Address: u.LocalAddr().String(), HTTP3: true, Certificate: certificate(t), Handler: h})
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "UDP") {
		t.Errorf("a taken UDP port: %v", err)
	}
	moved, err := Listen(Config{Address: u.LocalAddr().String(), HTTP3: true, Move: true, Certificate: certificate(t), Handler: h})
	if err != nil || len(moved.Moved()) != 1 {
		t.Fatalf("move: %v", err)
	}
	moved.close()
	for _, bad := range []string{"nowhere", "127.0.0.1:http9", "256.0.0.1:1"} {
		if s, err := Listen(Config{Address: bad, Certificate: certificate(t), Handler: h}); err == nil {
			s.close()
			t.Errorf("listens on %s", bad)
		}
	}
}

type entry struct {
	level slog.Level
	text  string
}

type entries struct {
	slog.Handler
	mu sync.Mutex
	es []entry
}

func (e *entries) Enabled(context.Context, slog.Level) bool { return true }
func (e *entries) Handle(_ context.Context, r slog.Record) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.es = append(e.es, entry{r.Level, r.Message})
	return nil
}

func TestLogWithoutNoise(t *testing.T) {
	e := &entries{}
	l := errorLog(slog.New(e))
	l.Print("http: TLS handshake error from 127.0.0.1:1: EOF")
	l.Print("http: panic serving 127.0.0.1:1: what\ngoroutine 1 [running]:\nmain.go:1")
	if len(e.es) != 2 || e.es[0].level != slog.LevelDebug || e.es[1] != (entry{slog.LevelError, "http: panic serving 127.0.0.1:1: what"}) {
		t.Errorf("logged %v", e.es)
	}
}

// TestSlowClientsCostLittle opens connections that send half a header and no
// more, and weighs them. The client's ends are in the figure too.
func TestSlowClientsCostLittle(t *testing.T) {
	s := listen(t, Config{Limits: Limits{PerAddress: -1, Header: time.Minute}})
	const n = 400
	weigh := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapInuse + m.StackInuse)
	}
	for name, x := range map[string]struct {
		dial func() (net.Conn, error)
		most int64
	}{
		"plain": {func() (net.Conn, error) { return net.Dial("tcp", s.PlainAddr().String()) }, 28 << 10},
		"TLS": {func() (net.Conn, error) {
			return tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		}, 100 << 10}, // of which the client's TLS is about half
	} {
		before := weigh()
		var conns []net.Conn
		for range n {
			c, err := x.dial()
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(c, "GET / HTTP/1.1\r\nHo")
			conns = append(conns, c)
		}
		// The last one is served when an honest request behind it is.
		if resp := raw(t, s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); resp == nil || resp.StatusCode != 200 {
			t.Errorf("%s: the honest client got %v", name, resp)
		}
		each := (weigh() - before) / n
		t.Logf("%s: %d bytes each", name, each)
		if each > x.most {
			t.Errorf("%s: %d bytes each, want at most %d", name, each, x.most)
		}
		for _, c := range conns {
			c.Close()
		}
	}
}
