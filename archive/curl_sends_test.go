package archive_test

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
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/needs"
)

// The real curl runs what people wrote, and what Parley makes of it, against a
// recorder of bytes: both must send the same.

// A recorder answers every connection, with TLS or without, and keeps what
// came.
type recorder struct {
	l    net.Listener
	tls  *tls.Config
	mu   sync.Mutex
	got  []string
	done sync.WaitGroup
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "recorder"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{l: l, tls: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"http/1.1"}}}
	r.done.Add(1)
	go func() {
		defer r.done.Done()
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r.done.Add(1)
			go func() {
				defer r.done.Done()
				r.serve(conn)
			}()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		r.done.Wait()
	})
	return r
}

// peeked is a connection whose first bytes were looked at.
type peeked struct {
	net.Conn
	r io.Reader
}

func (p peeked) Read(b []byte) (int, error) { return p.r.Read(b) }

func (r *recorder) serve(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	br := bufio.NewReader(conn)
	first, err := br.Peek(1)
	if err != nil {
		return
	}
	var c net.Conn = peeked{conn, br}
	scheme := "http"
	if first[0] == 0x16 {
		scheme = "https"
		c = tls.Server(c, r.tls)
	}
	br = bufio.NewReader(c)
	for {
		var raw strings.Builder
		length, chunked := 0, false
		for {
			line, err := br.ReadString('\n')
			if err != nil {
				return
			}
			raw.WriteString(line)
			name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
			value = strings.TrimSpace(value)
			switch strings.ToLower(name) {
			case "content-length":
				length, _ = strconv.Atoi(value)
			case "transfer-encoding":
				chunked = true
			case "expect":
				io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
			}
			if line == "\r\n" {
				break
			}
		}
		body := io.LimitReader(br, int64(length))
		if chunked {
			body = chunks(br)
		}
		data, err := io.ReadAll(body)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.got = append(r.got, normal(scheme+" "+raw.String()+string(data)))
		r.mu.Unlock()
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}
}

// chunks is the content of a chunked body, whose trailer it takes as well.
func chunks(br *bufio.Reader) io.Reader {
	req, err := http.ReadRequest(bufio.NewReader(io.MultiReader(strings.NewReader("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"), br)))
	if err != nil {
		return strings.NewReader("")
	}
	return req.Body
}

var (
	boundary = regexp.MustCompile(`(?i)boundary=(-{24}[0-9A-Za-z]{16,})`)
	space    = regexp.MustCompile(`(?m)^([A-Za-z-]+):[ \t]*`)
	nonce    = regexp.MustCompile(`(X-Amz-Date: |Signature=)\w+`)
	percent  = regexp.MustCompile(`%[0-9a-f]{2}`)
)

// normal takes out what differs from one run of curl to the next, and the
// space after the colon of a field, which means nothing (RFC 9110, 5.5).
func normal(s string) string {
	if m := boundary.FindStringSubmatch(s); m != nil {
		s = strings.ReplaceAll(s, m[1], "BOUNDARY")
	}
	head, body, _ := strings.Cut(s, "\r\n\r\n")
	head = nonce.ReplaceAllString(space.ReplaceAllString(head, "$1: "), "${1}N")
	line, fields, _ := strings.Cut(head, "\r\n")
	// Curl before 8.11 writes hex digits small in queries; both mean the same
	// (RFC 3986, 6.2.2.1).
	return percent.ReplaceAllStringFunc(line, strings.ToUpper) + "\r\n" + fields + "\r\n\r\n" + body
}

var variable = regexp.MustCompile(`\{\{[^{}]*\}\}`)

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	slices.Sort(got) // a shell may run several at once
	return got
}

// wrapper is a curl that connects to the recorder, whatever the URL says.
const wrapper = `#!/bin/bash
set -- "$@"
args=()
for a in "$@"; do
  args+=("$a")
  [ "$a" = --next ] && args+=(--connect-to ::127.0.0.1:%[2]d -k)
done
exec %[1]q -q --connect-to ::127.0.0.1:%[2]d -k "${args[@]}"
`

// ownCommands are those that no sample has.
const ownCommands = `
curl -G --data-urlencode 'q=a b&c=d' --data-urlencode 'é' http://a.test/x
curl --data-urlencode 'name@f.txt' -d c=d http://a.test/
curl -d a=b --data-binary @f.txt -d @f.txt http://a.test/
curl --json '{"a": 1}' -H 'accept: text/plain' https://a.test/j
curl -H 'Accept:' -H 'User-Agent:' -H 'X-Empty;' http://a.test/
curl -A '' -e 'http://r.test/;auto' -b a=b -b 'c=d; e=f' -r 0-9 http://a.test/
curl -H 'Content-Type:' -d x=y http://a.test/
curl -F 'a="x;y\"z";type=text/plain; charset=utf-8' -F 'b=<f.txt' -F 'c=@f.txt,g.txt;type=image/png;filename="q\"r.png"' http://a.test/form
curl -F 'a="x;y\"z";type=text/plain; charset=utf-8' -F 'b=<f.txt' -F 'c=@g.txt;type=image/png;filename="q\"r.png"' http://a.test/form
curl -F 'd=@"f.txt"' --form-string 'e=@not;type=x' -F 'g=;type=text/csv' -F 'h= led' http://a.test/form
curl --compressed -XPATCH -d '' http://a.test/
curl -X GET -d body http://a.test/
curl -X POST http://a.test/
curl -T f.txt -X POST http://a.test/up/
curl -T f.txt -H 'Content-Type: text/plain' 'http://a.test/up/?x=1'
curl -u user:pass -u other:word http://a.test/
curl --aws-sigv4 aws:amz:eu-west-1:es -u key:secret http://a.test/
curl --oauth2-bearer tok http://a.test/
curl --digest -u a:b -d x http://a.test/
curl http://u:p@a.test/x
curl 'http://a.test/{a,b}/[1-2]' 
curl -g 'http://a.test/?filter[x]={y}'
curl -I -H 'Range: bytes=0-1' http://a.test/
curl --data-raw @notafile --data-binary $'tab\there\x01' http://a.test/
curl --http1.1 -k https://a.test:8443/a/../b
curl --path-as-is http://a.test/a/../b --request-target '*' -X OPTIONS
T=abc; curl -H "X-Token: $T" "http://a.test/$T?x=${T}y"
curl http://a.test/1 http://a.test/2 -d x --next -H 'A: b' a.test/3
printf 'a\nb' | curl -d 'x=1' a.test
curl --data-binary @- a.test <<< "here $HOME"
`

type sample struct{ Name, Command string }

func curlCommands(t *testing.T) []sample {
	t.Helper()
	dir := os.Getenv("PARLEY_FIXTURES")
	if dir == "" {
		needs.Missing(t, "PARLEY_FIXTURES", "set it to the folder of the corpora")
	}
	data, err := os.ReadFile(filepath.Join(dir, "http/curl-commands.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var out []sample
	for line := range strings.Lines(string(data)) {
		var s sample
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	for i, line := range strings.Split(strings.TrimSpace(ownCommands), "\n") {
		out = append(out, sample{fmt.Sprintf("own%d", i+1), line})
	}
	return out
}

func TestCurlSends(t *testing.T) {
	curl := needs.Program(t, "curl")
	bash := needs.Program(t, "bash")
	commands := curlCommands(t)
	r := newRecorder(t)
	bin := t.TempDir()
	text := fmt.Sprintf(wrapper, curl, r.l.Addr().(*net.TCPAddr).Port)
	if err := os.WriteFile(filepath.Join(bin, "curl"), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	run := func(script, work string) []string {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		c := exec.CommandContext(ctx, bash, "-c", script)
		c.Dir = work
		c.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + work}
		c.Run() // what it sent is what counts
		return r.take()
	}
	equal, requests, nothing, named, recorded := 0, 0, 0, 0, 0
	for _, sample := range commands {
		t.Run(sample.Name, func(t *testing.T) {
			c, err := archive.Read("sample.sh", []byte(sample.Command))
			if err != nil {
				t.Fatal(err)
			}
			ours := asCurl(t, c)
			work := workFolder(t, c)
			want, got := run(sample.Command, work), run(ours, work)
			switch {
			case slices.Equal(got, want) && len(want) == 0:
				nothing++
				t.Logf("curl itself sends nothing")
			case slices.Equal(got, want):
				equal++
				requests += len(want)
			default:
				if reason := cannotSay(c); reason != "" {
					named++
					t.Logf("differs: %s", reason)
					return
				}
				t.Errorf("sent %q, want %q; command:\n%s", got, want, ours)
			}
			// What was recorded, written as a command again, sends that again.
			for _, raw := range want {
				x := exchangeOf(t, raw)
				again := asCurl(t, archive.FromExchanges("", []*exchange.Exchange{x}))
				got := run(again, work)
				if len(got) != 1 || sorted(got[0]) != sorted(raw) {
					t.Errorf("the exchange sent %q, want %q; command:\n%s", got, raw, again)
				}
				recorded++
			}
		})
	}
	t.Logf("%d commands sent the same %d requests, %d sent nothing either way, %d differ for a reason that was named; %d exchanges sent what they recorded",
		equal, requests, nothing, named, recorded)
	needs.Figure(t, "curl commands that send the same", "%d, %d send nothing, %d named", equal, nothing, named)
}

func asCurl(t *testing.T, c *archive.Collection) string {
	t.Helper()
	var b bytes.Buffer
	if err := archive.FormatNamed("curl").Write(&b, c); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// sorted is a request with its fields in the order of their names: curl's own
// come before those of -H. What belongs to one
// connection is curl's business.
func sorted(s string) string {
	head, body, _ := strings.Cut(s, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	fields := slices.DeleteFunc(lines[1:], func(l string) bool {
		return strings.HasPrefix(l, "Content-Length:") || strings.HasPrefix(l, "Expect:") || strings.HasPrefix(l, "Transfer-Encoding:") ||
			strings.HasPrefix(l, "Connection:")
	})
	slices.Sort(fields)
	return lines[0] + "\n" + strings.Join(fields, "\n") + "\n\n" + body
}

// exchangeOf is what a recorder of ours would make of a request.
func exchangeOf(t *testing.T, raw string) *exchange.Exchange {
	t.Helper()
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	f := strings.SplitN(lines[0], " ", 4)
	x := &exchange.Exchange{Request: exchange.Request{Scheme: f[0], Method: f[1], Target: f[2], Proto: "HTTP/1.1"}}
	for _, l := range lines[1:] {
		name, value, _ := strings.Cut(l, ": ")
		x.Request.Header = append(x.Request.Header, exchange.Field{Name: name, Value: value})
	}
	x.Request.Authority = x.Request.Header.Get("Host")
	x.Request.Body = exchange.Body{Data: []byte(body), Size: int64(len(body))}
	return x
}

// cannotSay is the warning that explains why a command cannot be written.
func cannotSay(c *archive.Collection) string {
	for _, w := range c.Warnings {
		for _, reason := range []string{"the output of a command", "a query out of a file", "standard input", "curl refuses", "curl nests them"} {
			if strings.Contains(w, reason) {
				return w
			}
		}
	}
	for _, it := range c.Items {
		if b := it.Request.Body; b != nil && b.File == "-" {
			return "what is piped into curl is not known"
		}
	}
	return ""
}

// workFolder has the files that the requests name.
func workFolder(t *testing.T, c *archive.Collection) string {
	t.Helper()
	dir := t.TempDir()
	make := func(name string) {
		name = variable.ReplaceAllString(name, "") // it has no value
		if name == "" || name == "-" || filepath.IsAbs(name) {
			return
		}
		p := filepath.Join(dir, filepath.FromSlash(name))
		if !strings.HasPrefix(p, dir) || os.MkdirAll(filepath.Dir(p), 0o700) != nil {
			return
		}
		if err := os.WriteFile(p, []byte("first line of "+name+"\r\nsecond & line\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, it := range c.Items {
		b := it.Request.Body
		if b == nil {
			continue
		}
		make(b.File)
		for _, f := range b.Fields {
			make(f.File)
		}
		for _, p := range b.Pieces {
			make(p.File)
		}
	}
	return dir
}
