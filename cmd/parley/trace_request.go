package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/guard"
	"github.com/parley-project/parley/identity"
)

// withScheme adds https to an address without a scheme, and says so.
func withScheme(target string) (full, note string) {
	if strings.Contains(target, "://") {
		return target, ""
	}
	return "https://" + target, "no scheme was given: https is taken; for plain HTTP write http://" + target
}

// maxData bounds what -d reads.
const maxData = 64 << 20

// request is what is sent.
func (o *traceOptions) request(c *cobra.Command, target string) (*call.Request, error) {
	err := call.CheckURL(target)
	if err != nil {
		return nil, &usageError{"not a URL that can be called: " + strings.TrimPrefix(err.Error(), "call: "), "parley trace https://api.example.com/v1/orders"}
	}
	if len(o.pins) > 0 && strings.EqualFold(target[:len("http:")], "http:") {
		return nil, &usageError{"--pin: plain HTTP has no key that could be compared", "write https://, or leave --pin out"}
	}
	r := &call.Request{Method: o.method, URL: target}
	for _, h := range o.headers {
		name, value, ok := strings.Cut(h, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, &usageError{"-H: a field is NAME: VALUE", "-H 'Accept: application/json'"}
		}
		r.Header = append(r.Header, exchange.Field{Name: name, Value: strings.TrimSpace(value)})
	}
	if o.traceKey != "" {
		key, err := readTraceKey(o.traceKey)
		if err != nil {
			return nil, err
		}
		r.Header = append(r.Header, exchange.Field{Name: guard.TraceField, Value: key})
	}
	if c.Flags().Changed("data") {
		if r.Body, err = readData(o.data, c.InOrStdin()); err != nil {
			return nil, err
		}
		if r.Method == "" {
			r.Method = "POST"
		}
		if !r.Header.Has("Content-Type") && len(r.Body) > 0 {
			mt := "application/x-www-form-urlencoded"
			if json.Valid(r.Body) {
				mt = "application/json"
			}
			r.Header = append(r.Header, exchange.Field{Name: "Content-Type", Value: mt})
		}
	}
	if r.Method == "" {
		r.Method = "GET"
	}
	return r, nil
}

// readData is the body that -d means.
func readData(data string, stdin io.Reader) ([]byte, error) {
	name, file := strings.CutPrefix(data, "@")
	if !file {
		return []byte(data), nil
	}
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, &usageError{fmt.Sprintf("-d: %s cannot be read", name), "-d @FILE, or the body itself"}
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxData+1))
	if err != nil || len(b) > maxData {
		return nil, &usageError{"-d: the body cannot be read, or is larger than 64 MiB", ""}
	}
	return b, nil
}

// client is how the call is made.
func (o *traceOptions) client() (co call.Options, err error) {
	co = call.Options{HTTP: o.http, Proxy: o.proxy, Timeout: o.timeout, Untrusted: call.Withhold, Source: exchange.FromTrace,
		Resolver: call.System(), Jar: call.NewJar(), Pins: o.pins}
	if o.sendAnyway {
		co.Untrusted, co.Clear = call.SendAnyway, true
	}
	if o.aia {
		co.Fetch = fetchCertificate
	}
	for _, s := range o.resolve {
		at, as, err := resolveOf(s)
		if err != nil {
			return co, err
		}
		if co.Resolve == nil {
			co.Resolve = map[string][]netip.Addr{}
		}
		co.Resolve[at] = append(co.Resolve[at], as...)
	}
	if o.cacert != "" {
		if co.More, err = readCertificates(o.cacert); err != nil {
			return co, &usageError{fmt.Sprintf("--cacert: %s %v", o.cacert, err), "guard's own authority is in .parley/ca.pem"}
		}
	}
	if o.cert != "" {
		key := o.key
		if key == "" {
			key = o.cert
		}
		pair, err := tls.LoadX509KeyPair(o.cert, key)
		if err != nil {
			return co, &usageError{fmt.Sprintf("--cert: %s and %s are no certificate and its key", o.cert, key), "both in PEM; --key names the key's file"}
		}
		co.Certificates = []tls.Certificate{pair}
	}
	return co, nil
}

// resolveOf reads HOST:PORT:ADDRESS[,ADDRESS…]; an address may be in brackets.
func resolveOf(s string) (at string, as []netip.Addr, err error) {
	bad := &usageError{fmt.Sprintf("--resolve: %q is not HOST:PORT:ADDRESS", s), "--resolve api.example.com:443:192.0.2.7"}
	host, rest, ok := strings.Cut(s, ":")
	port, addresses, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 || host == "" {
		return "", nil, bad
	}
	for a := range strings.SplitSeq(addresses, ",") {
		addr, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(a), "[]"))
		if err != nil {
			return "", nil, bad
		}
		as = append(as, addr)
	}
	return net.JoinHostPort(host, port), as, nil
}

func readCertificates(file string) (out []*x509.Certificate, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot be read")
	}
	for {
		var b *pem.Block
		if b, data = pem.Decode(data); b == nil {
			break
		}
		if b.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("has a certificate that cannot be read")
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, errNoPEM
	}
	return out, nil
}

// readTraceKey reads the key that guard's configuration has, or its hash.
func readTraceKey(file string) (string, error) {
	const least, most = 16, 256
	b, err := os.ReadFile(file)
	if err != nil {
		return "", &usageError{fmt.Sprintf("--trace-key: %s cannot be read", file), "parley trace --new-key makes one"}
	}
	b = bytes.TrimRight(b, "\r\n")
	if len(b) < least || len(b) > most || bytes.ContainsFunc(b, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", &usageError{fmt.Sprintf("--trace-key: %s does not hold a key of %d to %d printable characters", file, least, most), "parley trace --new-key makes one"}
	}
	return string(b), nil
}

// newTraceKey prints a key, for a file of whoever traces, and its hash, for
// guard.
func newTraceKey(c *cobra.Command) error {
	var b [32]byte
	rand.Read(b[:])
	key := hex.EncodeToString(b[:])
	fmt.Fprintf(c.OutOrStdout(), "key         %s\nkey_sha256  %x\n", key, sha256.Sum256([]byte(key)))
	say(c.ErrOrStderr(), "hint", "the key goes into a file of mode 600 for --trace-key, key_sha256 into parley.yaml: trace: {key_sha256: …}")
	return nil
}

// writeHAR writes exchanges without their secrets, for nobody else to read.
func writeHAR(file string, xs []*exchange.Exchange) error {
	masker := newMasker()
	var b bytes.Buffer
	h := archive.NewHARWriter(&b)
	for _, x := range xs {
		h.Add(withoutSecrets(x, masker))
	}
	if err := h.Close(); err != nil {
		return err
	}
	if err := writeSecret(file, b.Bytes()); err != nil {
		return &hintError{err, "the folder must be there", exitUsage}
	}
	return nil
}

// withoutSecrets is a copy of an exchange with placeholders in the place of its
// secrets.
func withoutSecrets(x *exchange.Exchange, m *identity.Masker) *exchange.Exchange {
	y := *x
	y.Request.Header = slices.Clone(x.Request.Header)
	if x.Response != nil {
		p := *x.Response
		p.Header, p.Trailer = slices.Clone(p.Header), slices.Clone(p.Trailer)
		y.Response = &p
	}
	m.Mask(&y)
	return &y
}

func newMasker() *identity.Masker {
	key := make([]byte, 32)
	rand.Read(key)
	return identity.NewMasker(key)
}

// fetchCertificate gets what another certificate points at (RFC 5280, 4.2.2.1):
// it is signed, so that plain HTTP does.
func fetchCertificate(ctx context.Context, url string) ([]byte, error) {
	const most = 64 << 10
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %d", r.URL.Host, resp.StatusCode)
	}
	return io.ReadAll(io.LimitReader(resp.Body, most))
}
