package call

import (
	"net/netip"
	"testing"

	"github.com/parley-project/parley/exchange"
)

// TestVerifiedInClear is where credentials may cross without TLS.
func TestVerifiedInClear(t *testing.T) {
	for _, test := range []struct {
		host, remote string
		clear, want  bool
	}{
		{"localhost", "127.0.0.1:80", false, true},
		{"api.localhost", "[::1]:80", false, true},
		{"LOCALHOST.", "127.0.0.1:80", false, true},
		{"127.0.0.1", "127.0.0.1:80", false, true},
		{"localhost", "192.0.2.1:3128", false, false}, // through a proxy
		{"api.parley.test", "127.0.0.1:80", false, false},
		{"10.0.0.1", "10.0.0.1:80", false, false},
		{"notlocalhost", "127.0.0.1:80", false, false},
		{"api.parley.test", "192.0.2.1:80", true, true},
	} {
		c := &Client{o: Options{Clear: test.clear}}
		ch := &channel{tcp: exchange.TCP{Remote: netip.MustParseAddrPort(test.remote)}, tls: exchange.TLS{Clear: true}}
		if err := c.verified(ch, test.host); (err == nil) != test.want {
			t.Errorf("verified(%s at %s) says %v, want %v", test.host, test.remote, err, test.want)
		}
	}
}
