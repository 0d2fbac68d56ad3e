package call

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// TestRaceTimes lets addresses answer after a time, or never.
func TestRaceTimes(t *testing.T) {
	const never = time.Hour
	six, four, other := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	refused := errors.New("refused")
	for _, test := range []struct {
		name  string
		as    []netip.Addr
		takes map[netip.Addr]time.Duration
		fails map[netip.Addr]bool
		won   netip.Addr
		at    time.Duration
		tried int
	}{
		{"first", []netip.Addr{six, four}, map[netip.Addr]time.Duration{six: 100 * time.Millisecond}, nil, six, 100 * time.Millisecond, 1},
		{"first is silent", []netip.Addr{six, four}, map[netip.Addr]time.Duration{six: never, four: 10 * time.Millisecond}, nil, four, 260 * time.Millisecond, 2},
		{"first is refused", []netip.Addr{six, four}, map[netip.Addr]time.Duration{six: 5 * time.Millisecond, four: 10 * time.Millisecond}, map[netip.Addr]bool{six: true}, four, 15 * time.Millisecond, 2},
		{"first is late", []netip.Addr{six, four}, map[netip.Addr]time.Duration{six: 255 * time.Millisecond, four: 100 * time.Millisecond}, nil, six, 255 * time.Millisecond, 2},
		{"families in turns", []netip.Addr{four, other, six}, map[netip.Addr]time.Duration{four: never, other: never, six: 10 * time.Millisecond}, nil, six, 260 * time.Millisecond, 2},
		{"none", []netip.Addr{six, four}, map[netip.Addr]time.Duration{six: 1, four: 1}, map[netip.Addr]bool{six: true, four: true}, netip.Addr{}, 2, 2},
		{"only one", []netip.Addr{four}, map[netip.Addr]time.Duration{four: 7}, nil, four, 7, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var dropped []netip.Addr
				won, tried, err := race(t.Context(), test.as, "443", func(ctx context.Context, to netip.AddrPort) (netip.Addr, error) {
					select {
					case <-time.After(test.takes[to.Addr()]):
					case <-ctx.Done():
						return netip.Addr{}, ctx.Err()
					}
					if test.fails[to.Addr()] {
						return netip.Addr{}, refused
					}
					return to.Addr(), nil
				}, func(a netip.Addr) { dropped = append(dropped, a) })
				if took := time.Since(began); won != test.won || took != test.at || len(tried) != test.tried || (err == nil) != test.won.IsValid() {
					t.Errorf("race gave %v after %v, tried %v: %v; want %v after %v", won, took, tried, err, test.won, test.at)
				}
				for _, a := range tried {
					if (a.Failure == "") != (a.Remote.Addr() == test.won) {
						t.Errorf("race noted %+v", a)
					}
				}
				synctest.Wait()
			})
		})
	}
}
