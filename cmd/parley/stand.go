package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/gateway"
	"github.com/parley-project/parley/guard"
	"github.com/parley-project/parley/identity"
)

// A stand is a guard with everything that it needs to stand in front of an
// API: contract, identities, upstream, certificates and listeners.
type stand struct {
	contract *contract.Contract
	verifier *identity.Verifier
	upstream *gateway.Upstream
	gateway  *gateway.Gateway
	webhook  *gateway.Webhook // nil: alerts are logged alone
	// Both nil when the policy wants no metrics.
	metrics   *gateway.Metrics
	metricsAt net.Listener
	caFile    string // of the local authority; empty with certificate files
	notes     []string
}

// standOptions say how to build one.
type standOptions struct {
	dir      string // for the local certificate authority
	listen   string // overrides the file; a port that is taken is then an error
	upstream string // overrides the file
	recorder exchange.Recorder
	log      *slog.Logger
}

// parts are what a stand is made of, before it takes a port or writes a file:
// whatever is wrong with a configuration is found while they are put together.
type parts struct {
	listen       gateway.Options
	certificates *gateway.TLS
	verifier     *identity.Verifier
	upstream     *gateway.Upstream // nil when none is named
	alert        *gateway.Alert
	traceKey     *[sha256.Size]byte // of the trace key; nil when there is none
	notes        []string
}

func (p *parts) close() {
	if p.verifier != nil {
		p.verifier.Close()
	}
	if p.upstream != nil {
		p.upstream.Close()
	}
}

// readParts judges every section of a policy.
func readParts(c *contract.Contract, o standOptions) (_ *parts, err error) {
	p := &parts{}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if err := gateway.ParseListen(c.Sections["listen"], &p.listen); err != nil {
		return nil, err
	}
	dir := filepath.Dir(c.File)
	if p.certificates, err = gateway.ParseTLS(c.Sections["tls"], dir); err != nil {
		return nil, err
	}
	forward, err := gateway.ParseForward(c.Sections["forward"], dir)
	if err != nil {
		return nil, err
	}
	if p.alert, err = gateway.ParseAlert(c.Sections["alert"], dir); err != nil {
		return nil, err
	}
	if p.traceKey, err = gateway.ParseTrace(c.Sections["trace"], dir); err != nil {
		return nil, err
	}
	if section := c.Sections["identity"]; section.Present() {
		config, err := identity.Parse(section, dir)
		if err != nil {
			return nil, err
		}
		if p.verifier, err = identity.New(config, identity.Options{Warn: func(err error) { o.log.Warn(err.Error()) }}); err != nil {
			return nil, err
		}
	} else {
		p.notes = append(p.notes, "no identity section: nobody is asked who they are, and rules on callers are unknown")
	}
	if o.upstream != "" {
		c.Upstream = o.upstream
	}
	if c.Mode == contract.Report { // not even the word that we are here
		forward.Forwarded, forward.Host = "off", "preserve"
		p.listen.AllowUnderscores, p.listen.Quiet = true, true
	}
	if c.Upstream != "" {
		if p.upstream, err = gateway.NewUpstream(c.Upstream, forward); err != nil {
			return nil, &hintError{err, "the upstream is a URL such as http://127.0.0.1:9000", exitUsage}
		}
	}
	p.notes = append(p.notes, c.Notes...)
	for _, line := range c.NotJudged {
		p.notes = append(p.notes, "not judged: "+line)
	}
	return p, nil
}

// newStand builds a stand and takes its ports, but answers nobody yet. On an
// error nothing is left behind.
func newStand(c *contract.Contract, o standOptions) (_ *stand, err error) {
	p, err := readParts(c, o)
	if err != nil {
		return nil, err
	}
	s := &stand{contract: c, verifier: p.verifier, upstream: p.upstream, notes: p.notes}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if p.upstream == nil {
		return nil, &hintError{fmt.Errorf("%s: no upstream", c.File), "say --upstream http://127.0.0.1:9000, or upstream: http://127.0.0.1:9000 in the policy", exitUsage}
	}
	// Guard wants to know where HTTPS is spoken, for redirects from plain HTTP,
	// and that is known once the port is taken. Nobody is answered until serve.
	options := p.listen
	options.Handler, options.Log = http.NotFoundHandler(), o.log
	if o.listen != "" {
		if _, _, err := net.SplitHostPort(o.listen); err != nil {
			return nil, &usageError{fmt.Sprintf("--listen: %q is not host:port", o.listen), "write it like 127.0.0.1:8443, or :8443 for every address of this machine"}
		}
		options.Address, options.Move = o.listen, false
	}
	if !c.Sections["tls"].Present() {
		p.certificates.Directory = o.dir
	}
	authority, err := p.certificates.Source(&options, func(err error) { o.log.Warn(err.Error()) })
	if err != nil {
		return nil, err
	}
	if authority != nil {
		s.caFile = authority.CertificateFile()
		if w := authority.Word(); w != "" {
			s.notes = append(s.notes, w)
		}
	}
	s.gateway, err = gateway.New(options)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &hintError{fmt.Errorf("%s: address already in use", options.Address), "give another with --listen, or leave it out to take the next free port", exitIncomplete}
	}
	if err != nil {
		return nil, err
	}
	var secure string
	if a := s.gateway.Addr(); a != nil {
		_, secure, _ = net.SplitHostPort(a.String())
	}
	if p.alert.Webhook != "" {
		if s.webhook, err = gateway.NewWebhook(p.alert, o.log); err != nil {
			return nil, err
		}
	}
	recorder := o.recorder
	if options.Metrics != "" {
		if s.metricsAt, err = addressOf(options.Metrics, "127.0.0.1:9464"); err != nil {
			return nil, err
		}
		s.metrics = gateway.NewMetrics()
		recorder = s.metrics.Recorder(recorder)
		s.notes = append(s.notes, "metrics: http://"+s.metricsAt.Addr().String()+"/metrics")
	}
	g, err := guard.New(c, guard.Options{
		Identity: s.verifier, Recorder: recorder, SecurePort: secure,
		TraceKey: p.traceKey, Alert: s.alert(o.log), AlertObjects: p.alert.Objects, AlertWithin: p.alert.Within,
	})
	if err != nil {
		return nil, err
	}
	s.gateway.SetHandler(g.Middleware(p.upstream))
	s.notes = append(s.notes, s.gateway.Moved()...)
	return s, nil
}

// alert tells the log, and the webhook when there is one.
func (s *stand) alert(log *slog.Logger) func(guard.Alert) {
	return func(a guard.Alert) {
		log.Warn("one caller was refused on many objects", "caller", a.Caller, "address", a.Address, "objects", a.Objects,
			"within", a.Within, "last", a.Operation, "exchange", a.Exchange)
		if s.metrics != nil {
			s.metrics.Alert()
		}
		if s.webhook != nil {
			s.webhook.Send(a)
		}
	}
}

// reach adds a note when the API is not there: guard starts all the same, and
// answers 502 until it is.
func (s *stand) reach(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := s.upstream.Reach(ctx); err != nil {
		s.notes = append(s.notes, "the API does not answer now: "+err.Error())
		var unknown x509.UnknownAuthorityError
		if errors.As(err, &unknown) {
			s.notes = append(s.notes, "if its authority is your own, name it in the policy: forward: {ca: internal-ca.pem}")
		}
	}
}

// url is where the stand answers.
func (s *stand) url() string { return "https://" + localhost(s.gateway.Addr()) }

// localhost writes an address with the name that certificates and browsers
// like best.
func localhost(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

func (s *stand) serve(ctx context.Context) error {
	if s.metrics != nil {
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", s.metrics.Handler())
		server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
		go server.Serve(s.metricsAt)
		defer server.Close()
	}
	return s.gateway.Serve(ctx)
}

func (s *stand) close() {
	if s.gateway != nil {
		s.gateway.Close()
	}
	if s.webhook != nil {
		s.webhook.Close()
	}
	if s.metricsAt != nil {
		s.metricsAt.Close()
	}
	if s.verifier != nil {
		s.verifier.Close()
	}
	if s.upstream != nil {
		s.upstream.Close()
	}
}

// loadContract reads a policy, or an OpenAPI file alone.
func loadContract(policy, api string) (*contract.Contract, error) {
	if policy != "" {
		return contract.Load(policy)
	}
	return contract.FromAPI(api)
}

// addressOf takes an address that a person gave, or the next free port from a
// usual one.
func addressOf(given, usual string) (net.Listener, error) {
	if given != "" {
		l, err := net.Listen("tcp", given)
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, &hintError{fmt.Errorf("%s: address already in use", given), "give another, or leave it out to take the next free port", exitIncomplete}
		}
		if err != nil {
			return nil, &hintError{err, "give an address such as " + usual, exitUsage}
		}
		return l, nil
	}
	host, _, _ := strings.Cut(usual, ":")
	l, err := net.Listen("tcp", usual)
	for port := 1; err != nil && port < 100; port++ {
		_, base, _ := net.SplitHostPort(usual)
		var n int
		fmt.Sscan(base, &n)
		l, err = net.Listen("tcp", fmt.Sprintf("%s:%d", host, n+port))
	}
	return l, err
}
