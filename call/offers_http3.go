package call

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// patienceHTTP3 is how long a place may take to answer: where nothing listens,
// UDP says nothing.
const patienceHTTP3 = 3 * time.Second

// HTTP3 shakes hands with the place where Alt-Svc values say that HTTP/3 is
// spoken (RFC 7838, 3), to see whether somebody answers. Only the host of the
// URL is tried: another one was not asked for. It returns nil when the values
// name no such place.
func (c *Client) HTTP3(ctx context.Context, rawURL string, altSvc []string) *exchange.HTTP3 {
	p, err := placeOf(rawURL)
	if err != nil || p.scheme != "https" {
		return nil
	}
	port, ok := portOfHTTP3(altSvc, p.host)
	if !ok {
		return nil
	}
	p.port = port
	said := &exchange.HTTP3{At: p.address()}
	ctx, cancel := context.WithTimeout(ctx, patienceHTTP3)
	defer cancel()
	_, as, err := c.lookup(ctx, p.host, p.port)
	if err != nil {
		said.Failure = words(err)
		return said
	}
	d, _, err := race(ctx, as, p.port, func(ctx context.Context, to netip.AddrPort) (*dialled, error) { return c.dialQUIC(ctx, p.host, to) }, (*dialled).close)
	switch {
	case err == nil:
		d.close()
	case ctx.Err() != nil:
		said.Failure = "nothing answers by UDP"
	default:
		said.Failure = words(err)
	}
	return said
}

// portOfHTTP3 is the first port of the values at which host speaks HTTP/3.
func portOfHTTP3(altSvc []string, host string) (port string, ok bool) {
	for _, v := range altSvc {
		authority, ok := strings.CutPrefix(strings.TrimSpace(v), `h3="`)
		if !ok {
			continue
		}
		authority, _, ok = strings.Cut(authority, `"`)
		if !ok {
			continue
		}
		at, number, err := net.SplitHostPort(authority)
		n, err2 := strconv.ParseUint(number, 10, 16)
		if err == nil && err2 == nil && n > 0 && (at == "" || strings.EqualFold(at, host)) {
			return number, true
		}
	}
	return "", false
}
