package scan

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// A listener is a place of our own that an API may be led to ask (SSRF). It
// answers everything with nothing.
type listener struct {
	server *http.Server
	at     string
	mu     sync.Mutex
	asked  map[string]bool
}

// maxHeard bounds what a stranger makes us remember.
const maxHeard = 10_000

// listen opens one on the loopback interface; where that cannot be, nothing is
// asked of it.
func listen() *listener {
	l := &listener{asked: map[string]bool{}}
	n, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return l
	}
	l.at = "http://" + n.Addr().String()
	l.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.asked) < maxHeard {
			l.asked[r.URL.Path] = true
		}
		w.WriteHeader(http.StatusNoContent)
	})}
	go l.server.Serve(n)
	return l
}

func (l *listener) url() string { return l.at }

func (l *listener) heard(path string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked[path]
}

func (l *listener) close() {
	if l.server != nil {
		l.server.Close()
	}
}
