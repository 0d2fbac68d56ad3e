package identity

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// maxKeys is the largest key set that is read, in bytes.
const maxKeys = 1 << 20

// fetcher returns a function that gets a key set. It talks TLS 1.2 or newer
// (or in clear to this machine), follows redirects only within the host, takes
// at most maxKeys bytes, and uses no proxy: the address rule must see the
// address.
func fetcher(j *JWT, roots *x509.CertPool) (fetch func(context.Context) ([]byte, error), err error) {
	u, err := url.Parse(j.Keys)
	if err != nil {
		return nil, err
	}
	d := &net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return mayDial(u, ap.Addr().Unmap(), j.AllowPrivate)
	}}
	client := &http.Client{
		Transport: &http.Transport{
			DialContext:            d.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			ForceAttemptHTTP2:      true,
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if r.URL.Scheme != u.Scheme || r.URL.Host != u.Host || len(via) > 3 {
				return errors.New("redirected elsewhere, which is not followed")
			}
			return nil
		},
	}
	return func(ctx context.Context) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, j.Keys, nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Accept", "application/jwk-set+json, application/json")
		resp, err := client.Do(req)
		if err != nil {
			var ue *url.Error
			if errors.As(err, &ue) {
				err = ue.Err
			}
			return nil, err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("status %d", resp.StatusCode)
		}
		data, err := io.ReadAll(io.LimitReader(resp.Body, maxKeys+1))
		if err != nil {
			return nil, err
		}
		if len(data) > maxKeys {
			return nil, fmt.Errorf("the answer is larger than %d bytes", maxKeys)
		}
		return data, nil
	}, nil
}

// A privateError says that a name of the Internet led into a private network.
type privateError struct{ host, addr string }

func (e *privateError) Error() string {
	return fmt.Sprintf("%s resolves to the private address %s", e.host, e.addr)
}

// mayDial refuses a public name that resolves to a private address (somebody
// else's name server would choose which of our machines answers), and clear
// text to anything but this machine.
func mayDial(u *url.URL, addr netip.Addr, allowPrivate bool) error {
	host := u.Hostname()
	if u.Scheme == "http" && !addr.IsLoopback() {
		return fmt.Errorf("%s is not on this machine; it must be fetched with https", host)
	}
	if !allowPrivate && isPublicName(host) && isPrivate(addr) {
		return &privateError{host, addr.String()}
	}
	return nil
}

// isPublicName reports whether a name is one that the public DNS answers for.
// Single words and names under the endings reserved for private use are not.
func isPublicName(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	i := strings.LastIndexByte(host, '.')
	if i < 0 {
		return false
	}
	switch host[i+1:] {
	case "localhost", "local", "internal", "test", "lan", "home", "corp", "intranet", "private":
		return false
	}
	return true
}

var privateNets = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"),
}

func isPrivate(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return true
	}
	if b := a.As16(); netip.MustParsePrefix("64:ff9b::/96").Contains(a) { // NAT64
		return isPrivate(netip.AddrFrom4([4]byte(b[12:])))
	}
	for _, p := range privateNets {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func isLoopback(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.IsLoopback()
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
