package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/internal/needs"
)

const pathsAPI = `openapi: 3.1.0
info: {title: files, version: "1"}
paths:
  /v1/public/{name}:
    get:
      security: []
      parameters:
        - {name: name, in: path, required: true, schema: {type: string}}
        - {name: file, in: query, schema: {type: string}}
      responses: {"200": {description: a file, content: {text/plain: {}}}}
  /v1/public/{folder}/{name}:
    get:
      security: []
      parameters:
        - {name: folder, in: path, required: true, schema: {type: string}}
        - {name: name, in: path, required: true, schema: {type: string}}
      responses: {"200": {description: a file, content: {text/plain: {}}}}
  /v1/admin/{name}:
    get:
      parameters: [{name: name, in: path, required: true, schema: {type: string}}]
      responses: {"200": {description: a secret, content: {text/plain: {}}}}
`

const pathsPolicy = `api: openapi.yaml
mode: enforce
rules:
  - {operation: "GET /v1/admin/**", allow: "false"}
`

// No path, however it is written, reaches what is denied: neither as it is sent
// upstream, nor as any server might read it.
func TestPathsReachNothingDenied(t *testing.T) {
	folder := os.Getenv("PARLEY_FIXTURES")
	if folder == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	var mu sync.Mutex
	var reached []string
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		reached = append(reached, r.RequestURI)
		mu.Unlock()
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, "ok")
	}))
	defer upstream.Close()
	dir := t.TempDir()
	for name, text := range map[string]string{"openapi.yaml": pathsAPI, "parley.yaml": pathsPolicy} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k, err := contract.Load(filepath.Join(dir, "parley.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s, client := standFor(t, k, upstream.URL, &counter{})
	raw := &rawClient{address: s.gateway.Addr().String(), config: client.Transport.(*http.Transport).TLSClientConfig}
	defer raw.close()

	var lines []string
	files, _ := filepath.Glob(filepath.Join(folder, "url", "paths", "*"))
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		for sc := bufio.NewScanner(f); sc.Scan(); {
			lines = append(lines, sc.Text())
		}
		f.Close()
	}
	answers := map[int]int{}
	for _, line := range lines {
		for _, target := range []string{"/v1/public/" + line, "/v1/public" + line, "/v1/public/a/" + line,
			"/v1/public/a?file=" + url.QueryEscape(line), "/v1/public/a?file=" + strings.NewReplacer(" ", "%20", "#", "%23").Replace(line)} {
			if strings.ContainsAny(target, " \r\n") {
				continue // no request line
			}
			status, err := raw.get(target)
			if err != nil {
				t.Fatalf("%q: %v", target, err)
			}
			answers[status]++
			if status >= 500 && status != 501 && status != 505 {
				t.Errorf("%q was answered %d", target, status)
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	denied := 0
	for _, target := range reached {
		p, _, _ := strings.Cut(target, "?")
		for _, reading := range readings(p) {
			if !strings.HasPrefix(reading, "/v1/public/") {
				denied++
				t.Errorf("%q went upstream, and may be read as %q", target, reading)
				break
			}
		}
	}
	needs.Figure(t, "paths", "%d lines, answers by status %v; %d went upstream, %d of them could reach what is denied", len(lines), answers, len(reached), denied)
}

// readings are the ways in which servers may read a path: decoded up to three
// times, with backslashes for slashes, without path parameters, without empty
// and dot segments.
func readings(p string) []string {
	var out []string
	for range 4 {
		for _, q := range []string{p, strings.ReplaceAll(p, `\`, "/")} {
			segments := strings.Split(q, "/")
			for i, s := range segments {
				segments[i], _, _ = strings.Cut(s, ";")
			}
			for _, q := range []string{q, strings.Join(segments, "/")} {
				if i := strings.IndexByte(q, 0); i >= 0 {
					q = q[:i]
				}
				c := path.Clean(q)
				if strings.HasSuffix(q, "/") && c != "/" {
					c += "/"
				}
				out = append(out, c)
			}
		}
		d, err := url.PathUnescape(p)
		if err != nil || d == p {
			break
		}
		p = d
	}
	return out
}

// rawClient sends a target exactly as it is.
type rawClient struct {
	address string
	config  *tls.Config
	conn    net.Conn
	read    *bufio.Reader
}

func (c *rawClient) get(target string) (int, error) {
	for attempt := range 2 {
		if c.conn == nil {
			config := c.config.Clone()
			config.ServerName = "localhost"
			conn, err := tls.Dial("tcp", c.address, config)
			if err != nil {
				return 0, err
			}
			c.conn, c.read = conn, bufio.NewReader(conn)
		}
		fmt.Fprintf(c.conn, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target)
		resp, err := http.ReadResponse(c.read, &http.Request{Method: "GET"})
		if err != nil {
			c.close()
			if attempt == 0 {
				continue
			}
			return 0, err
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.Close {
			c.close()
		}
		return resp.StatusCode, nil
	}
	return 0, nil
}

func (c *rawClient) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}
