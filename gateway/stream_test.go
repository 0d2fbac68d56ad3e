package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestEventsPassAtOnce(t *testing.T) {
	for name, header := range map[string]http.Header{
		"event stream": {"Content-Type": {"text/event-stream"}},
		"any":          {"Content-Type": {"application/x-ndjson"}},
	} {
		for _, v := range versions {
			next := make(chan string)
			s := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header()["Content-Type"] = header["Content-Type"]
				w.(http.Flusher).Flush()
				for e := range next {
					io.WriteString(w, e)
					w.(http.Flusher).Flush()
				}
			}), nil, UpstreamOptions{})
			resp, err := s.clients[v].Get(s.base) // the head comes before any event
			if err != nil {
				t.Fatal(name, v, err)
			}
			br := bufio.NewReader(resp.Body)
			for i := range 3 {
				// The upstream waits for us to have read it before it goes on.
				next <- fmt.Sprintf("data: %d\n", i)
				if l, err := br.ReadString('\n'); l != fmt.Sprintf("data: %d\n", i) || err != nil {
					t.Fatalf("%s over %s: event %d is %q, %v", name, v, i, l, err)
				}
			}
			close(next)
			if rest, err := io.ReadAll(br); len(rest) > 0 || err != nil {
				t.Errorf("%s over %s: end %q, %v", name, v, rest, err)
			}
			resp.Body.Close()
		}
	}
}

func TestTwoWayStream(t *testing.T) {
	// The upstream answers each line as it comes: neither side may be kept back.
	s := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		rc.EnableFullDuplex()
		w.Header().Set("Content-Type", "application/x-ndjson")
		br := bufio.NewReader(r.Body)
		for {
			l, err := br.ReadString('\n')
			if err != nil {
				return
			}
			io.WriteString(w, "got "+l)
			rc.Flush()
		}
	}), nil, UpstreamOptions{})
	for _, v := range versions {
		pr, pw := io.Pipe()
		r, _ := http.NewRequest("POST", s.base, pr)
		first := make(chan struct{})
		go func() {
			io.WriteString(pw, "0\n")
			<-first
			io.WriteString(pw, "1\n")
			pw.Close()
		}()
		resp, err := s.clients[v].Do(r)
		if err != nil {
			t.Fatal(v, err)
		}
		br := bufio.NewReader(resp.Body)
		if l, err := br.ReadString('\n'); l != "got 0\n" {
			t.Fatalf("%s: %q %v", v, l, err)
		}
		close(first)
		if rest, err := io.ReadAll(br); string(rest) != "got 1\n" || err != nil {
			t.Errorf("%s: %q %v", v, rest, err)
		}
		resp.Body.Close()
	}
}

func wsEcho(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"v1"}, InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(1 << 20)
	for {
		kind, b, err := c.Read(r.Context())
		if err != nil {
			return
		}
		if c.Write(r.Context(), kind, b) != nil {
			return
		}
	}
}

func TestWebSocket(t *testing.T) {
	ended := make(chan struct{}, 1)
	s := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wsEcho(w, r)
		ended <- struct{}{}
	}), nil, UpstreamOptions{})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, base := range []string{"wss" + strings.TrimPrefix(s.base, "https"), "ws://" + s.PlainAddr().String()} {
		c, resp, err := websocket.Dial(ctx, base+"/chat", &websocket.DialOptions{HTTPClient: s.clients["HTTP/1.1"], Subprotocols: []string{"v1"}})
		if err != nil {
			t.Fatal(base, err)
		}
		if resp.Header.Get("Sec-Websocket-Protocol") != "v1" || c.Subprotocol() != "v1" {
			t.Errorf("%s: answer %v", base, resp.Header)
		}
		c.SetReadLimit(1 << 20)
		for _, n := range []int{0, 1, 125, 70_000} {
			want := strings.Repeat("x", n)
			if err := c.Write(ctx, websocket.MessageText, []byte(want)); err != nil {
				t.Fatal(err)
			}
			if _, got, err := c.Read(ctx); string(got) != want || err != nil {
				t.Fatalf("echo of %d bytes is %d, %v", n, len(got), err)
			}
		}
		if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Errorf("%s: close: %v", base, err)
		}
		<-ended
	}
}

func TestUpgradeToSomethingElse(t *testing.T) {
	saw := make(chan string, 1)
	s := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		saw <- r.Header.Get("Upgrade") + r.Header.Get("Http2-Settings")
	}), nil, UpstreamOptions{})
	c, err := net.Dial("tcp", s.PlainAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	if got := <-saw; got != "" {
		t.Errorf("the upstream was asked to upgrade to %q", got)
	}
}

func TestRefusedUpgrade(t *testing.T) {
	s := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, "no")
	}), nil, UpstreamOptions{})
	_, resp, err := websocket.Dial(context.Background(), "ws://"+s.PlainAddr().String(), nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("got %v, %v", resp, err)
	}
}

func TestDrain(t *testing.T) {
	for _, v := range versions {
		t.Run(v, func(t *testing.T) {
			in, finish := make(chan struct{}), make(chan struct{})
			s := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				in <- struct{}{}
				<-finish
				io.WriteString(w, "finished")
			}), func(o *Options) { o.Drain = time.Minute }, UpstreamOptions{})
			got := make(chan string)
			go func() { got <- do(s.clients[v], "GET", s.base, nil, nil, 0) }()
			<-in
			s.stop()
			// New connections come to be refused while the old request runs.
			fresh := clients(t, s.ca)[v]
			deadline := time.Now().Add(20 * time.Second)
			for {
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				r, _ := http.NewRequestWithContext(ctx, "GET", s.base+"/new", nil)
				accepted := make(chan error, 1)
				go func() {
					_, err := fresh.Do(r)
					accepted <- err
				}()
				var err error
				select {
				case <-in: // the listener was still open; it may not stay so
					cancel()
					<-accepted
				case err = <-accepted:
				}
				cancel()
				if err != nil {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("new requests are still taken")
				}
			}
			select {
			case err := <-s.ended:
				t.Fatalf("Serve returned %v before the request was finished", err)
			default:
			}
			close(finish)
			if a := <-got; !strings.Contains(a, "finished") {
				t.Errorf("the running request got %s", a)
			}
			for _, c := range s.clients {
				c.CloseIdleConnections()
			}
			if err := <-s.ended; err != nil {
				t.Errorf("Serve returned %v", err)
			}
		})
	}
}

func TestDrainCutsOff(t *testing.T) {
	// Event streams and WebSockets never end by themselves.
	s := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			wsEcho(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}), func(o *Options) { o.Drain = 100 * time.Millisecond }, UpstreamOptions{})
	ws, _, err := websocket.Dial(context.Background(), "wss"+strings.TrimPrefix(s.base, "https")+"/ws", &websocket.DialOptions{HTTPClient: s.clients["HTTP/1.1"]})
	if err != nil {
		t.Fatal(err)
	}
	var bodies []io.ReadCloser
	for _, v := range versions {
		resp, err := s.clients[v].Get(s.base)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, resp.Body)
	}
	s.stop()
	if err := <-s.ended; err != ErrCut {
		t.Errorf("Serve returned %v, want %v", err, ErrCut)
	}
	if _, _, err := ws.Read(context.Background()); err == nil {
		t.Error("the WebSocket is still open")
	}
	for i, b := range bodies {
		if _, err := io.ReadAll(b); err == nil {
			t.Errorf("%s: the cut stream looks whole", versions[i])
		}
	}
}

func TestSetHandler(t *testing.T) {
	s := start(t, http.HandlerFunc(echo), nil, UpstreamOptions{})
	var bad, total atomic.Int32
	quit := make(chan struct{})
	var wg sync.WaitGroup
	for _, v := range versions {
		wg.Go(func() {
			for {
				select {
				case <-quit:
					return
				default:
				}
				total.Add(1)
				if got := do(s.clients[v], "GET", s.base, nil, nil, 0); !strings.HasPrefix(got, "200") {
					bad.Add(1)
					t.Log(got)
				}
			}
		})
	}
	for n := int32(0); total.Load() < 300; {
		if total.Load() != n {
			n = total.Load()
			s.SetHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.up.ServeHTTP(w, r) }))
		}
	}
	close(quit)
	wg.Wait()
	if bad.Load() > 0 {
		t.Errorf("%d of %d requests failed while the handler was changed", bad.Load(), total.Load())
	}
}

func TestPortTaken(t *testing.T) {
	s := start(t, http.HandlerFunc(echo), nil, UpstreamOptions{})
	o := Options{Address: s.Addr().String(), HTTP3: true, Certificate: s.ca.Server(), Handler: http.HandlerFunc(echo)}
	if _, err := New(o); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a taken port: %v", err)
	}
	o.Move = true
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if len(g.Moved()) != 1 || !strings.Contains(g.Moved()[0], s.Addr().String()+" is taken, using "+g.Addr().String()) {
		t.Errorf("moved: %v", g.Moved())
	}
	if u, _ := url.Parse(s.base); u.Host == g.Addr().String() {
		t.Error("did not move")
	}
}
