package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/serve"
)

// UpstreamOptions say how an upstream is spoken to. The zero value is usable.
type UpstreamOptions struct {
	// Host is what Host says: "preserve" (what the client sent), "upstream"
	// (the upstream's own name), or a name. Empty: the upstream's own name
	// when it is an https URL with a name, which other names would not reach;
	// else what the client sent.
	Host string
	// Forwarded says what becomes of Forwarded and X-Forwarded-*: "replace"
	// (default) drops the client's and sends ours, "append" adds ours to what
	// a trusted proxy in front sent, "off" leaves all as it is.
	Forwarded string
	// CAFile is a PEM file of authorities to trust beside the system's.
	CAFile string
	// AllowPrivate lets a public name lead to a private address.
	AllowPrivate bool
	// Connect is the time for a connection, with TLS. Zero means 5 s.
	Connect time.Duration
	// Header is the time until the response's header. Zero means 30 s.
	Header time.Duration
	// Idle is the time between two pieces of a body. Zero means 60 s.
	Idle time.Duration
	// KeepAlive is how long a connection is kept unused. Zero means 55 s,
	// under the minute that is common among servers.
	KeepAlive time.Duration
	// MaxIdle is how many of those are kept. Zero means 128.
	MaxIdle int
	// MaxActive is how many requests may be under way; more are answered
	// with 503. Zero means 2048.
	MaxActive int
	// MaxHeader is the largest response header. Zero means 64 KiB.
	MaxHeader int
	// Failed is told why a request was answered with status instead of the
	// upstream's response, or, with status 0, why a response broke off. Not
	// when the client went away. May be nil.
	Failed func(r *http.Request, status int, err error)
}

// An Upstream forwards requests to an API over HTTP/1.1, with a pool of
// connections of its own. It forwards r.RequestURI as it came, byte for byte:
// what was judged is what is sent.
//
// A request body that has a method InMemory() []byte is not read but taken
// from there, whole and as often as needed.
type Upstream struct {
	o       UpstreamOptions
	address string // host:port to dial
	host    string // its name alone
	own     string // host as it belongs into Host
	hostAs  string // the Host to send; "" for what the client sent
	name    bool   // host is a name, not an address
	prefix  string // path of the URL, put before each target
	tls     *tls.Config
	dialer  net.Dialer
	pool    pool
	active  atomic.Int64
	closed  atomic.Bool
}

// NewUpstream makes an upstream of a URL such as http://127.0.0.1:9000.
func NewUpstream(base string, o UpstreamOptions) (*Upstream, error) {
	bad := func(format string, args ...any) (*Upstream, error) {
		return nil, fmt.Errorf("gateway: upstream %s: %s", base, fmt.Sprintf(format, args...))
	}
	v, err := url.Parse(base)
	switch {
	case err != nil:
		return nil, errors.New("gateway: upstream: not a URL") // it may hold a password
	case v.User != nil:
		return nil, errors.New("gateway: upstream: credentials do not belong into its URL")
	case v.Scheme != "http" && v.Scheme != "https":
		return bad("the scheme must be http or https")
	case v.Hostname() == "":
		return bad("no host")
	case v.RawQuery != "" || v.Fragment != "":
		return bad("a query or fragment does not belong here")
	}
	def(&o.Forwarded, "replace")
	def(&o.Connect, 5*time.Second)
	def(&o.Header, 30*time.Second)
	def(&o.Idle, 60*time.Second)
	def(&o.KeepAlive, 55*time.Second)
	def(&o.MaxIdle, 128)
	def(&o.MaxActive, 2048)
	def(&o.MaxHeader, 64<<10)
	if o.Forwarded != "replace" && o.Forwarded != "append" && o.Forwarded != "off" {
		return bad("forwarded is %q, not replace, append or off", o.Forwarded)
	}

	u := &Upstream{o: o, host: v.Hostname(), own: v.Host, prefix: strings.TrimSuffix(v.EscapedPath(), "/")}
	port := v.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[v.Scheme]
	}
	u.address = net.JoinHostPort(u.host, port)
	_, err = netip.ParseAddr(u.host)
	u.name = err != nil
	u.pool.max, u.pool.age = o.MaxIdle, o.KeepAlive
	if u.name && public(u.host) && !o.AllowPrivate {
		u.dialer.Control = control
	}
	switch o.Host {
	case "":
		if v.Scheme == "https" && u.name {
			u.hostAs = u.own
		}
	case "preserve":
	case "upstream":
		u.hostAs = u.own
	default:
		if strings.ContainsAny(o.Host, " \t\r\n/@,") {
			return bad("%q is not a host", o.Host)
		}
		u.hostAs = o.Host
	}
	if v.Scheme == "https" {
		u.tls = &tls.Config{
			ServerName: u.host, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
			ClientSessionCache: tls.NewLRUClientSessionCache(64),
		}
		if o.CAFile != "" {
			if u.tls.RootCAs, err = roots(o.CAFile); err != nil {
				return nil, err
			}
		}
	} else if o.CAFile != "" {
		return bad("an authority to trust is of no use without https")
	}
	return u, nil
}

func def[T comparable](p *T, d T) {
	var zero T
	if *p == zero {
		*p = d
	}
}

// roots are the system's authorities and those in a file.
func roots(file string) (*x509.CertPool, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("gateway: authorities: %w", err)
	}
	p, err := x509.SystemCertPool()
	if err != nil {
		p = x509.NewCertPool()
	}
	if !p.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("gateway: authorities: %s: no certificate in it", file)
	}
	return p, nil
}

// Close closes idle connections; requests that come later are answered 503.
// Those under way are not disturbed.
func (u *Upstream) Close() {
	u.closed.Store(true)
	u.pool.close()
}

// ServeHTTP sends the request to the upstream and its response to the client.
// What goes wrong before the response began is answered as problem details:
// 502 when the upstream cannot be reached or answers nonsense, 504 when it
// takes too long, 503 when too much is under way. What goes wrong later aborts
// the response, so that the client does not take a part for the whole.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if u.active.Add(1) > int64(u.o.MaxActive) || u.closed.Load() {
		u.active.Add(-1)
		fail(w, http.StatusServiceUnavailable)
		return
	}
	defer u.active.Add(-1)
	t := trips.Get().(*trip)
	defer t.release()
	t.u, t.w, t.r = u, w, r
	if asks, ok := w.(exchange.Witness); ok {
		t.seen = asks.Seen()
	} else {
		t.seen = exchange.SeenFrom(r.Context())
	}
	if status := t.takeBody(); status != 0 {
		fail(w, status)
		return
	}
	if status := t.writeHead(); status != 0 {
		fail(w, status)
		return
	}
	if err := t.exchange(); err != nil {
		status := t.status(err)
		t.failed(status, err)
		fail(w, status)
		return
	}
	t.deliver()
}

// Reach makes a connection to the upstream and closes it again: whether it is
// there, and whether its certificate is good.
func (u *Upstream) Reach(ctx context.Context) error {
	c, err := u.dial(ctx)
	if err != nil {
		return err
	}
	return c.Close()
}

// exchange gets a response's header, on a fresh connection if a used one
// turns out to be closed. Nothing is sent twice unless the upstream cannot
// have acted on it: the method is safe (RFC 9110, 9.2.1), or not a byte was
// taken.
func (t *trip) exchange() error {
	ctx := t.r.Context()
	for first := true; ; first = false {
		var c *conn
		if first {
			c = t.u.pool.get(t.u.o.Header)
		}
		if c == nil {
			var err error
			if c, err = t.u.dial(ctx); err != nil {
				return err
			}
			c.SetDeadline(time.Now().Add(t.u.o.Header))
		}
		t.begin(c)
		sent, err := t.send()
		if err == nil {
			err = t.readHead()
		}
		if err == nil {
			return nil
		}
		streamed := t.upload != nil
		t.drop()
		again := c.used && t.received == 0 && !streamed && (sent == 0 || safe(t.r.Method)) &&
			ctx.Err() == nil && !timedOut(err)
		if !again {
			if t.clientErr != nil {
				return t.clientErr
			}
			return err
		}
		if t.seen != nil {
			t.seen.Retries++
		}
	}
}

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

func timedOut(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errConnectTime)
}

// failed tells those who want to know why there is no whole response.
func (t *trip) failed(status int, err error) {
	if t.seen != nil {
		t.seen.Failure = err.Error()
	}
	if _, gone := err.(goneError); !gone && t.u.o.Failed != nil && t.r.Context().Err() != context.Canceled {
		t.u.o.Failed(t.r, status, err)
	}
}

// status says which status fits an error.
func (t *trip) status(err error) int {
	var ce *clientError
	switch {
	case errors.As(err, &ce):
		return ce.status
	case timedOut(err), t.r.Context().Err() == context.DeadlineExceeded:
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

// fail answers with problem details.
func fail(w http.ResponseWriter, status int) {
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	serve.Problem(w, status)
}
