package gateway

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-project/parley/internal/needs"
)

// A recorder is an upstream that keeps every byte and judges each message as
// strictly as anyone could read it.
type recorder struct {
	mu       sync.Mutex
	messages []recorded
}

type recorded struct {
	bytes  []byte
	target string
	fault  string // why it is ambiguous, or ""
	torn   bool   // the connection ended within it
}

func (rec *recorder) take() []recorded {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	ms := rec.messages
	rec.messages = nil
	return ms
}

func (rec *recorder) serve(c net.Conn) {
	var buf []byte
	chunk := make([]byte, 4096)
	for {
		for len(buf) > 0 {
			m, n, more := readStrictly(buf)
			if more {
				break
			}
			rec.mu.Lock()
			rec.messages = append(rec.messages, m)
			rec.mu.Unlock()
			if m.fault != "" {
				io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				c.Close()
				return
			}
			buf = buf[n:]
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
		n, err := c.Read(chunk)
		buf = append(buf, chunk[:n]...)
		if err != nil {
			if len(buf) > 0 {
				rec.mu.Lock()
				rec.messages = append(rec.messages, recorded{bytes: buf, torn: true})
				rec.mu.Unlock()
			}
			return
		}
	}
}

// readStrictly reads the first message of b. more says that b ends within it.
func readStrictly(b []byte) (m recorded, n int, more bool) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return m, 0, true
	}
	head := string(b[:end])
	bad := func(f string) (recorded, int, bool) {
		return recorded{bytes: bytes.Clone(b), fault: f}, len(b), false
	}
	lines := strings.Split(head, "\r\n")
	parts := strings.Split(lines[0], " ")
	if len(parts) != 3 || !validName(parts[0]) || parts[1] == "" || parts[2] != "HTTP/1.1" {
		return bad("request line")
	}
	if strings.ContainsAny(strings.Join(lines, ""), "\r\n\x00") {
		return bad("bare CR, LF or NUL")
	}
	hosts, lengths, codings := 0, []string{}, []string{}
	for _, l := range lines[1:] {
		name, value, ok := strings.Cut(l, ":")
		if !ok || !validName(name) {
			return bad("field name " + strconv.Quote(l))
		}
		value = strings.Trim(value, " \t")
		for _, c := range []byte(value) {
			if c < ' ' && c != '\t' || c == 0x7f {
				return bad("control byte in a value")
			}
		}
		switch lower := strings.ToLower(name); {
		case lower == "host":
			hosts++
		case lower == "content-length":
			lengths = append(lengths, value)
		case lower == "transfer-encoding":
			codings = append(codings, value)
		default:
			s := strings.NewReplacer("_", "", "-", "", " ", "", ".", "").Replace(lower)
			if s == "contentlength" || s == "transferencoding" {
				return bad("look-alike " + name)
			}
		}
	}
	if hosts != 1 {
		return bad("hosts")
	}
	m.target = parts[1]
	at := end + 4
	switch {
	case len(lengths)+len(codings) > 1:
		return bad("lengths")
	case len(lengths) == 1:
		for _, c := range lengths[0] {
			if c < '0' || c > '9' {
				return bad("length " + lengths[0])
			}
		}
		size, err := strconv.Atoi(lengths[0])
		if err != nil {
			return bad("length " + lengths[0])
		}
		if len(b) < at+size {
			return m, 0, true
		}
		at += size
	case len(codings) == 1:
		if !strings.EqualFold(codings[0], "chunked") {
			return bad("coding " + codings[0])
		}
		for {
			i := bytes.Index(b[at:], []byte("\r\n"))
			if i < 0 {
				return m, 0, true
			}
			size, err := strconv.ParseUint(string(b[at:at+i]), 16, 31)
			if err != nil {
				return bad("chunk size " + strconv.Quote(string(b[at:at+i])))
			}
			at += i + 2
			if size == 0 {
				i := bytes.Index(b[at-2:], []byte("\r\n\r\n"))
				if i < 0 {
					return m, 0, true
				}
				at += i + 2
				break
			}
			if len(b) < at+int(size)+2 {
				return m, 0, true
			}
			at += int(size)
			if string(b[at:at+2]) != "\r\n" {
				return bad("chunk end")
			}
			at += 2
		}
	}
	m.bytes = bytes.Clone(b[:at])
	return m, at, false
}

// A smuggle is one line of the corpora.
type smuggle struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Class  string `json:"class"`
	Mode   string `json:"mode"`
	LLHTTP string `json:"llhttp"`
	Raw    []byte `json:"raw_b64"`
}

// A smuggleStand is a gateway with a recording upstream, and what its handler
// was shown.
type smuggleStand struct {
	rec    recorder
	addr   string
	mu     sync.Mutex
	judged map[string]int // targets shown, less those that reached the upstream
}

func newSmuggleStand(t testing.TB) *smuggleStand {
	st := &smuggleStand{judged: map[string]int{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); st.rec.serve(c) }()
		}
	}()
	s := startAt(t, "http://"+l.Addr().String(), func(o *Options) {
		next := o.Handler
		o.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			st.mu.Lock()
			st.judged[r.RequestURI]++
			st.mu.Unlock()
			next.ServeHTTP(w, r)
		})
	}, UpstreamOptions{})
	st.addr = s.PlainAddr().String()
	return st
}

// send plays raw bytes and returns the status of the first answer, or 0.
func (st *smuggleStand) send(raw []byte) int {
	c, err := net.Dial("tcp", st.addr)
	if err != nil {
		return 0
	}
	defer c.Close()
	c.Write(raw)
	br := bufio.NewReader(c)
	status := 0
	// A request that waits for more than it was given gets no answer.
	c.SetReadDeadline(time.Now().Add(250 * time.Millisecond))
	if resp, err := http.ReadResponse(br, nil); err == nil {
		status = resp.StatusCode
		io.Copy(io.Discard, resp.Body)
	}
	c.(*net.TCPConn).CloseWrite()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	io.Copy(io.Discard, br)
	return status
}

func readSmuggles(t *testing.T) []smuggle {
	dir := os.Getenv("PARLEY_FIXTURES")
	if dir == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "http1", "*.jsonl"))
	var all []smuggle
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for l := range bytes.Lines(data) {
			var s smuggle
			if err := json.Unmarshal(l, &s); err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		t.Fatalf("no cases in %s", dir)
	}
	return all
}

func TestSmuggling(t *testing.T) {
	all := readSmuggles(t)
	var mu sync.Mutex
	count := map[string]map[string]int{}
	add := func(set, what string) {
		mu.Lock()
		defer mu.Unlock()
		if count[set] == nil {
			count[set] = map[string]int{}
		}
		count[set][what]++
	}
	work := make(chan smuggle)
	var wg sync.WaitGroup
	for range 8 {
		st := newSmuggleStand(t)
		wg.Go(func() {
			for s := range work {
				set := "smuggling"
				if s.LLHTTP != "" {
					set = "llhttp"
				}
				status := st.send(s.Raw)
				ms := st.rec.take()
				add(set, "cases")
				for _, m := range ms {
					switch {
					case m.fault != "":
						add(set, "AMBIGUOUS")
						t.Errorf("%s: forwarded with %s: %q", s.ID, m.fault, m.bytes)
					case m.torn:
						add(set, "torn")
					default:
						// Each message must have been judged as one of its own.
						// It may belong to the case before, whose client left.
						st.mu.Lock()
						st.judged[m.target]--
						judged := st.judged[m.target] >= 0
						st.mu.Unlock()
						if !judged {
							add(set, "AMBIGUOUS")
							t.Errorf("%s: %s reached the upstream and was not judged", s.ID, m.target)
						}
					}
				}
				if len(ms) == 0 {
					add(set, "rejected")
					add(set, fmt.Sprintf("status %d", status))
				} else {
					add(set, "forwarded")
				}
				if set == "llhttp" && s.LLHTTP == "reject" && s.Mode == "request" {
					add(set, "strict rejects")
					if len(ms) > 0 {
						add(set, "strict rejects forwarded")
						t.Logf("%s is forwarded: %q as %q", s.ID, s.Raw, ms[0].bytes)
					}
				}
			}
		})
	}
	for _, s := range all {
		if s.Kind == "request" {
			work <- s
		}
	}
	close(work)
	wg.Wait()
	for set, c := range count {
		needs.Figure(t, set, "%d requests: %d rejected, %d forwarded unambiguously, %d ambiguously; of %d that llhttp rejects in strict mode %d forwarded",
			c["cases"], c["rejected"], c["forwarded"], c["AMBIGUOUS"], c["strict rejects"], c["strict rejects forwarded"])
	}
}

// TestStrictResponses plays the corpus's responses to the client.
func TestStrictResponses(t *testing.T) {
	n, passed := 0, 0
	for _, s := range readSmuggles(t) {
		if s.Kind != "response" || s.Mode != "response" || s.LLHTTP != "reject" {
			continue
		}
		n++
		base, _ := scripted(t, func(c net.Conn, br *bufio.Reader, _ int) {
			if request(br) != nil {
				c.Write(s.Raw)
			}
		})
		srv, _ := front(t, base, UpstreamOptions{})
		resp, err := http.Get(srv.URL)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		if err == nil && resp.StatusCode != 502 {
			passed++
			t.Errorf("%s passes as %s: %q", s.ID, resp.Status, s.Raw)
		}
	}
	needs.Figure(t, "llhttp responses to refuse", "%d, %d passed", n, passed)
}

// TestLookAlikes holds without the corpora.
func TestLookAlikes(t *testing.T) {
	st := newSmuggleStand(t)
	for _, name := range []string{"Transfer_Encoding", "transfer_encoding", "Content_Length", "ContentLength", "Content--Length", "Content-Length_",
		"Transfer.Encoding", "H_ost", "X_Forwarded_For", "X-Forwarded_For", "Author-ization", "Any_Thing"} {
		status := st.send([]byte("POST / HTTP/1.1\r\nHost: x\r\n" + name + ": 1\r\nContent-Length: 2\r\n\r\nhi"))
		if ms := st.rec.take(); status != 400 || len(ms) > 0 {
			t.Errorf("%s: status %d, %d messages reached the upstream", name, status, len(ms))
		}
	}
	if status := st.send([]byte("POST / HTTP/1.1\r\nHost: x\r\nX-Request-Id: 1\r\nContent-Length: 2\r\n\r\nhi")); status != 200 {
		t.Errorf("a sound request: %d", status)
	}
}
