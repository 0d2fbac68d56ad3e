package shop

import (
	"net/netip"
	"testing"
)

func TestPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true,
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "::ffff:127.0.0.1": false, "0.0.0.0": false, "::": false, "10.1.2.3": false, "172.16.0.1": false,
		"192.168.1.1": false, "169.254.169.254": false, "fe80::1": false, "fd00::1": false, "100.64.0.1": false, "224.0.0.1": false, "ff02::1": false,
		"64:ff9b::7f00:1": false, "2002:7f00:1::": false, "255.255.255.255": false,
	} {
		if got := public(netip.MustParseAddr(text)); got != want {
			t.Errorf("public(%s) is %v, want %v", text, got, want)
		}
	}
}

// However an address of the inside is written, the sound shop does not go there.
func TestNotifyStaysOutside(t *testing.T) {
	n := runnerFor(t, Options{})
	for _, to := range []string{
		"http://127.0.0.1:1/", "https://127.0.0.1:1/", "https://localhost:1/", "https://[::1]:1/", "https://[::ffff:127.0.0.1]:1/", "https://2130706433:1/",
		"https://0x7f.1:1/", "https://127.1:1/", "https://a:b@127.0.0.1:1/", "file:///etc/passwd", "gopher://127.0.0.1:1/", "//127.0.0.1:1/", "https:///", "nothing",
	} {
		if r := do(t, n, Step{As: "priya", Method: "POST", Path: "/v1/orders/887/notify", Body: `{"url":"` + to + `"}`}); r.Status != 422 {
			t.Errorf("%s answered %d, want 422: %s", to, r.Status, r.Body)
		}
	}
	if r := do(t, n, Step{As: "rajan", Method: "POST", Path: "/v1/orders/887/notify", Body: `{"url":"https://127.0.0.1:1/"}`}); r.Status != 404 {
		t.Errorf("another's order answered %d, want 404", r.Status)
	}
}
