// Combo is what a careful Go programmer puts together from well-known parts to
// do what guard does: httputil.ReverseProxy, jwx for tokens with a cache of
// verified ones, santhosh-tekuri/jsonschema for both directions, cel-go for
// ownership, and encoding/json to drop what the contract does not declare.
//
// It is written as well as these parts allow: everything is compiled once,
// each body is decoded once, buffers are pooled, upstream connections are kept.
// Where there was a choice it is the quicker one. It records nothing.
package main

import (
	"crypto/tls"
	"flag"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

func main() {
	var (
		listen   = flag.String("listen", "127.0.0.1:0", "`address` to listen on")
		upstream = flag.String("upstream", "", "`URL` to pass on to")
		cert     = flag.String("cert", "", "certificate `file`")
		key      = flag.String("key", "", "private key `file`")
		bare     = flag.Bool("bare", false, "pass on and check nothing: httputil.ReverseProxy as it is")
		api      = flag.String("api", "", "OpenAPI `file`")
		jwks     = flag.String("jwks", "", "key set `file`")
		issuer   = flag.String("issuer", "", "issuer of tokens")
		audience = flag.String("audience", "", "audience of tokens")
	)
	flag.Parse()
	target, err := url.Parse(*upstream)
	if err != nil {
		log.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(*cert, *key)
	if err != nil {
		log.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			MaxIdleConns:        512,
			MaxIdleConnsPerHost: 512,
			IdleConnTimeout:     5 * time.Minute,
			DisableCompression:  true,
		},
		BufferPool: &buffers{},
	}
	var handler http.Handler = proxy
	if !*bare {
		j, err := newJudge(*api, *jwks, *issuer, *audience)
		if err != nil {
			log.Fatal(err)
		}
		proxy.ModifyResponse = j.release
		proxy.ErrorHandler = j.failed
		handler = j.admit(proxy)
	}
	server := &http.Server{
		Addr: *listen, Handler: handler,
		ReadHeaderTimeout: 10 * time.Second,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}},
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/1.1 only
	}
	log.Fatal(server.ListenAndServeTLS("", ""))
}

// buffers is the proxy's pool for copying.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, 32<<10)
}

func (b *buffers) Put(p []byte) { b.pool.Put(&p) }
