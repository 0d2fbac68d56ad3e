package trace_test

import (
	"slices"
	"testing"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/trace"
)

func TestPhases(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name  string
		x     exchange.Exchange
		want  []trace.Phase
		total time.Duration
	}{
		{"nothing known", exchange.Exchange{}, nil, 0},
		{"TLS is a part of connect", exchange.Exchange{Times: exchange.Times{DNS: 2 * ms, Connect: 7 * ms, TLS: 4 * ms, Send: 1, Wait: 5 * ms, Receive: ms, Total: 20 * ms}},
			[]trace.Phase{{"dns", 2 * ms}, {"tcp", 3 * ms}, {"tls", 4 * ms}, {"wait", 5 * ms}, {"receive", ms}}, 15*ms + 1},
		{"broken off while connecting", exchange.Exchange{Failure: "no answer", FailedAt: exchange.StepTCP, Times: exchange.Times{DNS: ms, Total: 9 * ms}},
			[]trace.Phase{{"dns", ms}, {"tcp", 8 * ms}}, 9 * ms},
	} {
		if got, total := trace.Phases(&tt.x); !slices.Equal(got, tt.want) || total != tt.total {
			t.Errorf("Phases(%s) found %v of %v, want %v of %v", tt.name, got, total, tt.want, tt.total)
		}
	}
}
