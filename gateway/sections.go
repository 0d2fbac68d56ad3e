package gateway

import (
	"crypto/tls"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/parley-project/parley/internal/ca"
	"github.com/parley-project/parley/internal/config"
	"github.com/parley-project/parley/internal/serve"
)

// DefaultAddress is where guard listens unless it is told otherwise.
const DefaultAddress = "127.0.0.1:8443"

// ParseListen reads the section `listen` of parley.yaml into o:
//
//	listen:
//	  address: 127.0.0.1:8443   # HTTPS; a port given here must be free
//	  http: 127.0.0.1:8080      # without TLS; absent: nowhere
//	  http3: true
//	  metrics: 127.0.0.1:9464   # Prometheus, without TLS; absent: nowhere
//	  drain: 30s
//	  connections: 10000        # in all, of one address, streams of one
//	  per_address: 256
//	  streams: 100
//	  underscores: false        # let field names with an underscore pass
//	  header_time: 10s
//	  idle_time: 120s
//	  header_size: 32KiB
//	  fields: 100
//	  url_size: 8KiB
//	  body_rate: 240            # bytes a second
//
// Without the section o gets DefaultAddress, HTTP/3, and may move to another
// port. So it does when only the address is absent.
func ParseListen(s config.Section, o *Options) error {
	f := struct {
		Address     config.Section `yaml:"address"`
		HTTP        config.Section `yaml:"http"`
		HTTP3       bool           `yaml:"http3"`
		Metrics     config.Section `yaml:"metrics"`
		Drain       time.Duration  `yaml:"drain"`
		Connections int            `yaml:"connections"`
		PerAddress  int            `yaml:"per_address"`
		Streams     int            `yaml:"streams"`
		Underscores bool           `yaml:"underscores"`
		HeaderTime  time.Duration  `yaml:"header_time"`
		IdleTime    time.Duration  `yaml:"idle_time"`
		HeaderSize  config.Size    `yaml:"header_size"`
		Fields      int            `yaml:"fields"`
		URLSize     config.Size    `yaml:"url_size"`
		BodyRate    int            `yaml:"body_rate"`
	}{HTTP3: true}
	if err := s.Decode(&f); err != nil {
		return err
	}
	for name, n := range map[string]int64{"drain": int64(f.Drain), "connections": int64(f.Connections), "per_address": int64(f.PerAddress),
		"streams": int64(f.Streams), "header_time": int64(f.HeaderTime), "idle_time": int64(f.IdleTime), "fields": int64(f.Fields), "body_rate": int64(f.BodyRate)} {
		if n < 0 {
			return s.Errorf("leave it out for the default", "%s is below zero", name)
		}
	}
	if f.HeaderSize > 1<<20 || f.HeaderSize != 0 && f.HeaderSize < 8<<10 {
		return s.Errorf("", "header_size is not between 8KiB and 1MiB")
	}
	o.Address, o.Move = DefaultAddress, true
	if f.Address.Present() {
		a, err := address(f.Address)
		if err != nil {
			return err
		}
		o.Address, o.Move = a, false
	}
	if f.HTTP.Present() {
		a, err := address(f.HTTP)
		if err != nil {
			return err
		}
		if a == o.Address {
			return f.HTTP.Errorf("HTTP and HTTPS need two ports", "%s is the address for HTTPS", a)
		}
		o.PlainAddress = a
	}
	if f.Metrics.Present() {
		a, err := address(f.Metrics)
		if err != nil {
			return err
		}
		if a == o.Address || a == o.PlainAddress {
			return f.Metrics.Errorf("metrics need a port of their own", "%s is taken by the API", a)
		}
		o.Metrics = a
	}
	o.HTTP3, o.Drain, o.AllowUnderscores = f.HTTP3, f.Drain, f.Underscores
	o.Limits.Connections, o.Limits.PerAddress, o.Limits.Streams = f.Connections, f.PerAddress, f.Streams
	o.Limits.Header, o.Limits.Idle = f.HeaderTime, f.IdleTime
	o.Limits.HeaderBytes, o.Limits.Fields = int(f.HeaderSize), f.Fields
	o.Limits.URLBytes, o.Limits.BodyRate = int(f.URLSize), f.BodyRate
	return nil
}

// address reads host:port.
func address(s config.Section) (string, error) {
	const hint = `write it like "127.0.0.1:8443" or ":8443" for every address of this machine`
	t, ok := s.Text()
	if !ok {
		return "", s.Errorf(hint, "expected an address")
	}
	host, port, err := net.SplitHostPort(t)
	if err != nil {
		return "", s.Errorf(hint, "%q is not host:port", t)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", s.Errorf(hint, "%q has no port number", t)
	} else if _, err := netip.ParseAddr(host); err != nil && host != "" && host != "localhost" {
		return "", s.Errorf(hint, "%q is not an address of this machine", host)
	} else {
		return net.JoinHostPort(host, strconv.FormatUint(n, 10)), nil
	}
}

// TLS is the section `tls` of parley.yaml: where certificates come from.
type TLS struct {
	// Certificate and Key are PEM files. Empty: the local authority.
	Certificate, Key string
	// Names are what the local authority's certificates are for, beside
	// localhost, 127.0.0.1 and ::1.
	Names []string
	// Directory is where the local authority is kept.
	Directory string
}

// ParseTLS reads the section `tls`, whose files are relative to dir:
//
//	tls:
//	  certificate: server.pem
//	  key: server-key.pem
//
// or, for the local authority, which is also used when there is no section:
//
//	tls:
//	  names: [api.shop.test]
//	  directory: .parley
func ParseTLS(s config.Section, dir string) (*TLS, error) {
	var f struct {
		Certificate config.Section `yaml:"certificate"`
		Key         config.Section `yaml:"key"`
		Names       []string       `yaml:"names"`
		Directory   string         `yaml:"directory"`
	}
	if err := s.Decode(&f); err != nil {
		return nil, err
	}
	t := &TLS{Names: f.Names, Directory: f.Directory}
	if t.Directory == "" {
		t.Directory = ".parley"
	}
	if !filepath.IsAbs(t.Directory) {
		t.Directory = filepath.Join(dir, t.Directory)
	}
	if f.Certificate.Present() != f.Key.Present() {
		return nil, s.Errorf("give both, or neither for the local authority", "a certificate needs its key")
	}
	if !f.Certificate.Present() {
		return t, nil
	}
	if len(f.Names) > 0 || f.Directory != "" {
		return nil, s.Errorf("", "names and directory are for the local authority, not for certificate files")
	}
	for _, x := range []struct {
		at   config.Section
		into *string
	}{{f.Certificate, &t.Certificate}, {f.Key, &t.Key}} {
		name, ok := x.at.Text()
		if !ok {
			return nil, x.at.Errorf("", "expected the name of a file")
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		if _, err := os.Stat(name); err != nil {
			return nil, x.at.Errorf("names are relative to the configuration's folder", "%s cannot be read", name)
		}
		*x.into = name
	}
	if _, err := tls.LoadX509KeyPair(t.Certificate, t.Key); err != nil {
		return nil, f.Certificate.Errorf("", "certificate and key cannot be used: %v", err)
	}
	return t, nil
}

// Source gives a listener its certificates: from the files, which are read
// again when they change, or from the local authority, which is then returned
// too. say is told of new files that cannot be used.
func (t *TLS) Source(o *Options, say func(error)) (*ca.CA, error) {
	if t.Certificate != "" {
		f, err := serve.NewFiles(t.Certificate, t.Key, say)
		if err != nil {
			return nil, err
		}
		o.Certificate = f.Certificate
		return nil, nil
	}
	names := slices.Clone(t.Names)
	// A listener on one address is called by it.
	if host, _, err := net.SplitHostPort(o.Address); err == nil {
		if a, err := netip.ParseAddr(host); err == nil && !a.IsUnspecified() && !a.IsLoopback() {
			names = append(names, host)
		}
	}
	authority, err := ca.Open(t.Directory, names...)
	if err != nil {
		return nil, err
	}
	if _, err := authority.Leaf(names...); err != nil {
		return nil, err
	}
	o.Certificate = authority.Server(names...)
	return authority, nil
}

// ParseForward reads the section `forward` of parley.yaml: how the upstream is
// spoken to.
//
//	forward:
//	  host: preserve            # or upstream, or a name
//	  forwarded: replace        # or append, or off
//	  ca: internal-ca.pem
//	  allow_private: false      # a public name may lead to a private address
//	  connect: 5s
//	  header: 30s
//	  idle: 60s
//	  keep_alive: 55s
//	  max_active: 2048
func ParseForward(s config.Section, dir string) (UpstreamOptions, error) {
	var f struct {
		Host         string         `yaml:"host"`
		Forwarded    config.Section `yaml:"forwarded"`
		CA           config.Section `yaml:"ca"`
		AllowPrivate bool           `yaml:"allow_private"`
		Connect      time.Duration  `yaml:"connect"`
		Header       time.Duration  `yaml:"header"`
		Idle         time.Duration  `yaml:"idle"`
		KeepAlive    time.Duration  `yaml:"keep_alive"`
		MaxIdle      int            `yaml:"max_idle"`
		MaxActive    int            `yaml:"max_active"`
	}
	if err := s.Decode(&f); err != nil {
		return UpstreamOptions{}, err
	}
	if min(f.Connect, f.Header, f.Idle, f.KeepAlive) < 0 || min(f.MaxIdle, f.MaxActive) < 0 {
		return UpstreamOptions{}, s.Errorf("leave it out for the default", "a limit is below zero")
	}
	o := UpstreamOptions{Host: f.Host, AllowPrivate: f.AllowPrivate, Connect: f.Connect, Header: f.Header,
		Idle: f.Idle, KeepAlive: f.KeepAlive, MaxIdle: f.MaxIdle, MaxActive: f.MaxActive}
	if f.Forwarded.Present() {
		t, _ := f.Forwarded.Text()
		if t == "false" {
			t = "off" // YAML 1.1 readers take the word off for that
		}
		if t != "replace" && t != "append" && t != "off" {
			return o, f.Forwarded.Errorf("", "expected replace, append or off, found %q", t)
		}
		o.Forwarded = t
	}
	if f.CA.Present() {
		name, ok := f.CA.Text()
		if !ok {
			return o, f.CA.Errorf("", "expected the name of a file")
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		if _, err := roots(name); err != nil {
			return o, f.CA.Errorf("", "%s has no certificate that can be read", name)
		}
		o.CAFile = name
	}
	return o, nil
}
