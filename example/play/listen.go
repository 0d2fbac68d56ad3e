package play

import (
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// listen opens a server on this machine that counts who calls.
func listen() (address string, heard func() int, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, nil, err
	}
	var n atomic.Int64
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		w.WriteHeader(http.StatusNoContent)
	})}
	go s.Serve(l)
	return "http://" + l.Addr().String(), func() int { return int(n.Load()) }, func() { s.Close() }, nil
}
