package call_test

import (
	"context"
	"testing"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
)

// BenchmarkDo is one call after another over a connection that is kept. The
// server's work is in it: both ends share the machine.
func BenchmarkDo(b *testing.B) {
	raw, s := serveRaw(b), serve(b, nil)
	header := exchange.Header{{Name: "Accept", Value: "application/json"}, {Name: "Authorization", Value: "Bearer abc"}}
	for _, bench := range []struct {
		name, url string
		o         call.Options
	}{
		{"clear", raw.URL() + "/ok", call.Options{}},
		{"HTTP1.1", s.URL() + "/status/200", call.Options{HTTP: "1.1"}},
		{"HTTP2", s.URL() + "/status/200", call.Options{HTTP: "2"}},
		{"HTTP3", s.URL() + "/status/200", call.Options{HTTP: "3"}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			c := client(b, s, bench.o)
			r := &call.Request{Method: "GET", URL: bench.url, Header: header}
			b.ReportAllocs()
			for b.Loop() {
				if x := c.Do(context.Background(), r)[0]; x.Failure != "" {
					b.Fatal(x.Failure)
				}
			}
		})
	}
}
