package lab

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
)

// A client of the standard library trusts the good server, and only with the
// authority's root.
func TestServeGood(t *testing.T) {
	a := NewAuthority()
	s, err := ServeGood(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tr := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: a.Pool()},
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.Address.String())
		},
	}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Get(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.Proto != "HTTP/2.0" || string(body) != "{\"ok\":true}\n" {
		t.Errorf("Get(%s) found %s %q, want HTTP/2.0 and ok", s.URL(), resp.Proto, body)
	}
	other := tr.Clone()
	defer other.CloseIdleConnections()
	other.TLSClientConfig = &tls.Config{RootCAs: NewAuthority().Pool()}
	if resp, err := (&http.Client{Transport: other}).Get(s.URL()); err == nil {
		resp.Body.Close()
		t.Errorf("Get(%s) without the root found %s, want an error", s.URL(), resp.Status)
	}
}
