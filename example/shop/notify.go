package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// notify tells an address of the customer's how an order stands, so that he can
// try it out before he relies on it. It answers alike whatever keeps the
// address from being told, so that nobody learns what is behind it.
func (s *Shop) notify(w http.ResponseWriter, r *request) error {
	row, err := s.theOrder(r, "")
	if err != nil {
		return err
	}
	o, err := s.readObject(r)
	if err != nil {
		return err
	}
	to := o.text("url", true, 1, 500)
	if err := o.done(); err != nil {
		return err
	}
	client := s.outside
	if s.flawed("request-ssrf") {
		client = anywhere
	} else if u, err := url.Parse(to); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return unusable()
	}
	if tell(r.Context(), client, to, row.Order) != nil {
		return unusable()
	}
	return reply(w, http.StatusOK, map[string]any{"order_id": row.ID, "delivered": true})
}

func unusable() *problem {
	return refuse(http.StatusUnprocessableEntity, "the address must be https://, public, and answer")
}

func tell(ctx context.Context, client *http.Client, to string, o Order) error {
	body, err := json.Marshal(map[string]any{"order_id": o.ID, "status": o.Status})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<10))
	return err
}

// notifyTime is how long an address may take to answer.
const notifyTime = 3 * time.Second

// anywhere goes wherever it is sent. Only the flaw uses it.
var anywhere = &http.Client{Timeout: notifyTime, Transport: &http.Transport{DisableKeepAlives: true}}

// newOutside returns a client that reaches public addresses alone. It looks at
// the address that is dialled, after the name was looked up: a name may lead
// anywhere, and elsewhere the second time. It follows nobody, and knows no proxy.
func newOutside() *http.Client {
	dialer := &net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !public(at.Addr()) {
			return errors.New("shop: not a public address")
		}
		return nil
	}}
	return &http.Client{
		Timeout:       notifyTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true},
	}
}

// notPublic are the ranges, beside loopback and the like, that are not of the
// public network (RFC 6890): this network, shared, for protocols, for tests,
// reserved, and IPv4 inside IPv6.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("2001:db8::/32"),
}

func public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Zone() != "" {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
