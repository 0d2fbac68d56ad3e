package gateway

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/guard"
)

// A notebook is a log that can be read while it is written, and says when it
// has got a line.
type notebook struct {
	mu    sync.Mutex
	b     bytes.Buffer
	lines chan string
}

func newNotebook() *notebook { return &notebook{lines: make(chan string, 1000)} }

func (n *notebook) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines <- string(p)
	return n.b.Write(p)
}

func (n *notebook) log() *slog.Logger { return slog.New(slog.NewTextHandler(n, nil)) }

func within[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("%s did not come", what)
		panic("unreachable")
	}
}

// webhook is one whose tries follow at once.
func webhook(t *testing.T, a *Alert, log *slog.Logger) *Webhook {
	t.Helper()
	w, err := NewWebhook(a, log)
	if err != nil {
		t.Fatal(err)
	}
	w.wait = func(int) time.Duration { return 0 }
	t.Cleanup(w.Close)
	return w
}

type post struct {
	header http.Header
	method string
	path   string
	body   []byte
}

// receiver answers the nth post (from 1) with a status.
func receiver(t *testing.T, status func(nth int) int) (string, chan post) {
	t.Helper()
	posts := make(chan post, 1000)
	var n atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		posts <- post{r.Header.Clone(), r.Method, r.RequestURI, b}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status(int(n.Add(1))))
	}))
	t.Cleanup(s.Close)
	return s.URL, posts
}

func anAlert(n int) guard.Alert {
	return guard.Alert{
		Time: time.Date(2026, 11, 23, 17, 0, 0, 0, time.FixedZone("", 3600)), Caller: "101", Address: "192.0.2.7", Objects: 10,
		Within: 5 * time.Minute, Operation: "GET /v1/orders/{id}", Exchange: exchange.ID("E" + strconv.Itoa(n)),
	}
}

func TestWebhook(t *testing.T) {
	base, posts := receiver(t, func(int) int { return http.StatusNoContent })
	key := []byte("0123456789abcdef")
	w := webhook(t, &Alert{Webhook: base + "/hook?token=t", Secret: key}, nil)
	w.Send(anAlert(1))
	p := within(t, posts, "the post")
	if p.method != "POST" || p.path != "/hook?token=t" || p.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s %v", p.method, p.path, p.header)
	}
	const want = `{"schema":"parley.alert/1","time":"2026-11-23T16:00:00Z","caller":"101","operation":"GET /v1/orders/{id}","objects":10,"window_seconds":300,"exchange":"E1"}`
	if string(p.body) != want {
		t.Errorf("posted\n%s\nwant\n%s", p.body, want)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(p.body)
	if got := p.header.Get("Parley-Signature"); got != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
		t.Errorf("signature %q", got)
	}

	plain := webhook(t, &Alert{Webhook: base}, nil)
	nobody := anAlert(2)
	nobody.Caller = ""
	plain.Send(nobody)
	p = within(t, posts, "the post without a key")
	if p.header.Get("Parley-Signature") != "" || bytes.Contains(p.body, []byte("caller")) || bytes.Contains(p.body, []byte("192.0.2.7")) {
		t.Errorf("posted %v %s", p.header, p.body)
	}
}

// What may pass is tried three times, what will not is tried once; nothing
// follows a redirect. The last alert shows that no try is still to come.
func TestWebhookTries(t *testing.T) {
	for name, tt := range map[string]struct {
		status func(nth int) int
		want   int
		word   string
	}{
		"failing twice": {func(n int) int { return []int{0, 503, 429, 200}[min(n, 3)] }, 3, ""},
		"failing":       {func(n int) int { return []int{0, 500, 500, 500, 200}[min(n, 4)] }, 3, "answered with 500"},
		"refusing":      {func(n int) int { return []int{0, 403, 200}[min(n, 2)] }, 1, "answered with 403"},
		"redirecting":   {func(n int) int { return []int{0, 307, 200}[min(n, 2)] }, 1, "answered with 307"},
	} {
		t.Run(name, func(t *testing.T) {
			base, posts := receiver(t, tt.status)
			notes := newNotebook()
			w := webhook(t, &Alert{Webhook: base + "/SECRET"}, notes.log())
			w.Send(anAlert(1))
			w.Send(anAlert(2))
			var first []byte
			for n := 0; ; n++ {
				p := within(t, posts, "a try")
				if bytes.Contains(p.body, []byte(`"E2"`)) {
					if n != tt.want {
						t.Errorf("%d tries, want %d", n, tt.want)
					}
					break
				}
				if first == nil {
					first = p.body
				}
				if p.path != "/SECRET" || !bytes.Equal(p.body, first) {
					t.Errorf("try %d went to %s with %s", n+1, p.path, p.body)
				}
			}
			got := "" // of the first: it is told before the second is posted
			for len(notes.lines) > 0 {
				if line := <-notes.lines; strings.Contains(line, "exchange=E1") {
					got += line
				}
			}
			if !strings.Contains(got, tt.word) || (tt.word == "") != (got == "") || strings.Contains(got, "SECRET") {
				t.Errorf("log %q, want %q", got, tt.word)
			}
		})
	}
}

// Nobody there: three tries, one line, and the URL is not in it.
func TestWebhookNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + l.Addr().String()
	l.Close()
	notes := newNotebook()
	w := webhook(t, &Alert{Webhook: base + "/SECRET"}, notes.log())
	var waits atomic.Int32
	w.wait = func(int) time.Duration { waits.Add(1); return 0 }
	w.Send(anAlert(1))
	line := within(t, notes.lines, "the line")
	if waits.Load() != webhookTries-1 || !strings.Contains(line, "E1") || strings.Contains(line, "SECRET") {
		t.Errorf("%d waits, log %q", waits.Load(), line)
	}
}

// A receiver that hangs holds up nobody: Send returns, the queue keeps its
// bound and the newest, and Close does not wait for the receiver.
func TestWebhookQueue(t *testing.T) {
	posts, release := make(chan post, 1000), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		posts <- post{body: b}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(s.Close)
	notes := newNotebook()
	w := webhook(t, &Alert{Webhook: s.URL}, notes.log())
	w.Send(anAlert(0))
	within(t, posts, "the first post") // it hangs now
	const more = webhookQueue + 20
	for i := 1; i <= more; i++ {
		w.Send(anAlert(i))
	}
	if len(w.queue) != webhookQueue || w.dropped.Load() != 20 {
		t.Fatalf("%d wait and %d were dropped", len(w.queue), w.dropped.Load())
	}
	release <- struct{}{}
	if line := within(t, notes.lines, "the count"); !strings.Contains(line, "dropped=20") {
		t.Errorf("log %q", line)
	}
	var d struct{ Exchange string }
	if p := within(t, posts, "the next"); json.Unmarshal(p.body, &d) != nil || d.Exchange != "E21" {
		t.Errorf("next is %s, want E21: the oldest are dropped", p.body)
	}
	w.Close()
	if !strings.Contains(notes.b.String(), "alerts="+strconv.Itoa(webhookQueue-1)) {
		t.Errorf("log %q", notes.b.String())
	}
}

func TestWebhookFromMany(t *testing.T) {
	base, _ := receiver(t, func(int) int { return 200 })
	w := webhook(t, &Alert{Webhook: base}, nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 100 {
				w.Send(anAlert(i))
			}
		})
	}
	wg.Wait()
}

// The certificate is verified, and nobody elsewhere is spoken to in clear.
func TestWebhookTLS(t *testing.T) {
	got := make(chan bool, 10)
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got <- true }))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	t.Cleanup(s.Close)
	notes := newNotebook()
	w := webhook(t, &Alert{Webhook: s.URL}, notes.log())
	w.Send(anAlert(1))
	if line := within(t, notes.lines, "the refusal"); !strings.Contains(line, "certificate") {
		t.Errorf("log %q", line)
	}
	known := webhook(t, &Alert{Webhook: s.URL}, nil)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	known.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: pool}
	known.Send(anAlert(2))
	within(t, got, "the post")
	if len(got) != 0 {
		t.Error("posted to who could not prove itself")
	}
	for _, base := range []string{"http://alerts.example.com/", "https://", "ftp://127.0.0.1/"} {
		if w, err := NewWebhook(&Alert{Webhook: base}, nil); err == nil {
			w.Close()
			t.Errorf("took %s", base)
		}
	}
}

// A public name that leads inside is refused, and not tried again; nor does
// http leave this machine.
func TestWebhookAddresses(t *testing.T) {
	if loopbackOnly("tcp", "127.0.0.1:80", nil) != nil || loopbackOnly("tcp", "[::1]:80", nil) != nil || loopbackOnly("tcp", "10.0.0.1:80", nil) == nil {
		t.Error("loopbackOnly judges wrongly")
	}
	notes := newNotebook()
	w := webhook(t, &Alert{Webhook: "https://alerts.example.com/"}, notes.log())
	w.dialer.Resolver = leadingInside(t)
	var waits atomic.Int32
	w.wait = func(int) time.Duration { waits.Add(1); return 0 }
	w.Send(anAlert(1))
	if line := within(t, notes.lines, "the refusal"); !strings.Contains(line, errPrivate.Error()) || waits.Load() != 0 {
		t.Errorf("log %q after %d waits", line, waits.Load())
	}
}

// leadingInside is a resolver for which every name is 127.0.0.1.
func leadingInside(t *testing.T) *net.Resolver {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			end := 12 // of the question: labels, a zero, type and class
			for end < n && b[end] != 0 {
				end += int(b[end]) + 1
			}
			end += 5
			if end > n {
				continue
			}
			answer := append([]byte{b[0], b[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, b[12:end]...)
			if b[end-3] == 1 { // of type A
				answer[7] = 1
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1)
			}
			pc.WriteTo(answer, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}
