package lab

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// files is where certificates can be had over plain HTTP, as authorities give
// theirs.
type files struct {
	base   string
	server *http.Server

	mu   sync.Mutex
	kept [][]byte
	gets int
}

func serveFiles() (*files, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	f := &files{base: "http://" + l.Addr().String() + "/"}
	f.server = &http.Server{Handler: f, ReadHeaderTimeout: 10 * time.Second}
	go f.server.Serve(l)
	return f, nil
}

// ServeHTTP answers /0.crt, /1.crt and so on.
func (f *files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gets++
	var i int
	if _, err := fmt.Sscanf(strings.TrimPrefix(r.URL.Path, "/"), "%d.crt", &i); err != nil || i < 0 || i >= len(f.kept) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/pkix-cert")
	w.Write(f.kept[i])
}

func (f *files) put(b []byte) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept = append(f.kept, b)
	return fmt.Sprintf("%s%d.crt", f.base, len(f.kept)-1)
}

func (f *files) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.gets
}

func (f *files) Close() { f.server.Close() }
