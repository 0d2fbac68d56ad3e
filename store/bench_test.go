package store_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/filter"
	"github.com/parley-project/parley/store"
)

// cpu is the time that all threads of this process have worked.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// order is a JSON object of about 1 KB that no other is like.
func order(r *rand.Rand) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `{"id":%d,"user_id":%d,"status":"%s","total":"%d.%02d","currency":"EUR","created":"2026-11-%02dT%02d:%02d:%02dZ","items":[`,
		r.IntN(1e6), r.IntN(1e4), []string{"pending", "paid", "sent"}[r.IntN(3)], r.IntN(1000), r.IntN(100), r.IntN(28)+1, r.IntN(24), r.IntN(60), r.IntN(60))
	for b.Len() < 920 {
		fmt.Fprintf(&b, `{"sku":"SKU-%06d","name":"product %d","quantity":%d,"price":"%d.%02d"},`, r.IntN(1e6), r.IntN(500), r.IntN(9)+1, r.IntN(300), r.IntN(100))
	}
	fmt.Fprintf(&b, `{"sku":"SKU-%06d"}],"note":"order %x"}`, r.IntN(1e6), r.Uint64())
	return []byte(b.String())
}

// busy is what guard records of a POST: about 1 KB each way.
func busy(r *rand.Rand, req, resp []byte) *exchange.Exchange {
	now := time.Now()
	n := r.IntN(1000)
	return &exchange.Exchange{
		ID: exchange.NewID(now), Source: exchange.FromGuard, Side: exchange.ClientSide, Start: now,
		TLS: &exchange.TLS{Version: "TLS 1.3", Suite: "TLS_AES_128_GCM_SHA256", Group: "X25519MLKEM768", ALPN: "http/1.1", ServerName: "shop.test"},
		Request: exchange.Request{Method: "POST", Scheme: "https", Authority: "shop.test:8443", Target: fmt.Sprintf("/v1/orders/%d?expand=items", r.IntN(1e5)),
			Proto: "HTTP/1.1", Fidelity: exchange.Canonical, Body: exchange.Body{Size: int64(len(req)), Data: req}, Header: exchange.Header{
				{Name: "Host", Value: "shop.test:8443"}, {Name: "User-Agent", Value: "wrk/4.2"}, {Name: "Accept", Value: "application/json"},
				{Name: "Content-Type", Value: "application/json"}, {Name: "Content-Length", Value: "1000"},
				{Name: "Authorization", Value: fmt.Sprintf("Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJzdWIiOiIlMDZkIiwiZXhwIjoxODAwMDAwMDAwfQ%06d.c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmUtc2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmU%06d", n, n)}}},
		Server: exchange.Server{Operation: "POST /v1/orders/{id}", Mode: "enforce",
			Caller:     &exchange.Caller{Subject: exchange.Subject(fmt.Sprint(n)), Roles: []string{"customer"}},
			Credential: &exchange.Credential{Scheme: "bearer", Carrier: "header", Field: "Authorization", Fingerprint: fmt.Sprintf("%012x", n), Verified: true}},
		Response: &exchange.Response{Status: 200, Proto: "HTTP/1.1", Fidelity: exchange.Canonical, Body: exchange.Body{Size: int64(len(resp)), Data: resp}, Header: exchange.Header{
			{Name: "Content-Type", Value: "application/json"}, {Name: "Content-Length", Value: "1000"}, {Name: "Date", Value: now.UTC().Format(time.RFC1123)},
			{Name: "X-Content-Type-Options", Value: "nosniff"}, {Name: "Strict-Transport-Security", Value: "max-age=31536000"}, {Name: "Cache-Control", Value: "no-store"}}},
		Times: exchange.Times{Send: 12 * time.Microsecond, Wait: time.Duration(r.IntN(1e6)), Receive: 9 * time.Microsecond, Decide: time.Duration(r.IntN(1e5)), Total: time.Duration(r.IntN(2e6))},
		Actions: []exchange.Action{
			{Kind: exchange.Stripped, Check: "response-excess", Enforced: true, Evidence: exchange.Evidence{Where: "response body", Name: "/password_hash", Says: "undeclared"}},
			{Kind: exchange.Repaired, Check: "response-hsts", Enforced: true, Evidence: exchange.Evidence{Where: "header", Name: "Strict-Transport-Security", Says: "missing"}},
		},
	}
}

// guarded is what guard records of one request: the upstream's side, then the
// client's, which share the request's header and body. Three members were
// dropped on the way, and four header fields added; orders come again, as an
// API's answers do.
func guarded(r *rand.Rand, orders [][]byte) (up, down *exchange.Exchange) {
	n := r.IntN(len(orders))
	whole := append([]byte(nil), orders[n]...)
	cut := append([]byte(nil), whole[:len(whole)-100]...)
	var req []byte
	if r.IntN(2) == 0 {
		req = append([]byte(nil), cut...)
	}
	down = busy(r, req, cut)
	down.Request.Target = fmt.Sprintf("/v1/orders/%d", 100000+n)
	down.Request.Header[5].Value = fmt.Sprintf("Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJzdWIiOiI%04d.%0200d", n, n)
	down.Server.Caller.Subject = exchange.Subject(fmt.Sprint(100000 + n))
	down.TCP = &exchange.TCP{Remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(40000+r.IntN(64)))}
	field := func(name, value string) exchange.Field { return exchange.Field{Name: name, Value: value} }
	date := time.Now().UTC().Format(time.RFC1123)
	first := exchange.Header{field("Alt-Svc", `h3=":8443"; ma=86400`), field("Content-Type", "application/json"), field("Date", date), field("Server", "nginx/1.22.1")}
	down.Actions = nil
	for _, member := range []string{"/internal_notes", "/fraud_score", "/items/0/supplier_cost"} {
		down.Actions = append(down.Actions, exchange.Action{Kind: exchange.Stripped, Check: "response-excessive-data", Enforced: true,
			Evidence: exchange.Evidence{Where: "response body", Name: member, Says: "undeclared"}})
	}
	down.Response.Header = append(exchange.Header(nil), first...)
	for _, f := range []struct{ check, name, value string }{
		{"response-csp", "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
		{"response-nosniff", "X-Content-Type-Options", "nosniff"},
		{"response-frame-options", "X-Frame-Options", "DENY"},
		{"response-cache-control", "Cache-Control", "no-store"},
	} {
		down.Response.Header = append(down.Response.Header, field(f.name, f.value))
		down.Actions = append(down.Actions, exchange.Action{Kind: exchange.Repaired, Check: f.check, Enforced: true,
			Evidence: exchange.Evidence{Where: "header", Name: f.name, Says: "added"}})
	}
	down.Response.Header = append(down.Response.Header, field("Content-Length", fmt.Sprint(len(cut))))
	up = &exchange.Exchange{ID: exchange.NewID(down.Start), Source: down.Source, Side: exchange.UpstreamSide, Start: down.Start,
		Request: down.Request, Server: down.Server, Times: exchange.Times{Wait: down.Times.Wait, Total: down.Times.Total}}
	up.Response = &exchange.Response{Status: 200, Proto: "HTTP/1.1", Fidelity: exchange.Canonical,
		Header: append(first[:1:1], append(exchange.Header{field("Content-Length", fmt.Sprint(len(whole)))}, first[1:]...)...),
		Body:   exchange.Body{Size: int64(len(whole)), Data: whole}}
	down.Links = []exchange.Link{{Kind: exchange.Forwarded, ID: up.ID}}
	return up, down
}

// yardstick is the CPU time that compressing 1 KB of orders takes now, in µs:
// on a busy machine it grows as everything does.
func yardstick(b *testing.B) float64 {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	var in, out []byte
	for len(in) < 256<<10 {
		in = append(in, order(r)...)
	}
	before := cpu()
	for range 20 {
		out = z.EncodeAll(in, out[:0])
	}
	return float64((cpu() - before).Nanoseconds()) / 1e3 / 20 / float64(len(in)>>10)
}

// BenchmarkRecord reports CPU time of the whole process for an exchange, from
// Record until it is in the file, less what making it costs; and what
// compressing 1 KB costs in the same run, to compare by.
func BenchmarkRecord(b *testing.B) {
	for _, kind := range []string{"distinct", "repeated", "pair", "guard", "distinct-unmasked", "distinct-durable"} {
		b.Run(kind, func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "x.db"), store.Options{KeepSecrets: kind == "distinct-unmasked", Durable: kind == "distinct-durable"})
			r := rand.New(rand.NewPCG(1, 2))
			same := order(r)
			orders := make([][]byte, 1000)
			for i := range orders {
				orders[i] = order(r)
			}
			var worked time.Duration
			yards := 0.0
			total, bytes := 0, 0
			batch := make([]*exchange.Exchange, 4000)
			for b.Loop() {
				b.StopTimer()
				for i := range batch {
					if kind == "guard" {
						if i%2 == 0 {
							batch[i], batch[i+1] = guarded(r, orders)
						}
						continue
					}
					req, resp := same, same
					if kind == "pair" && i%2 == 1 { // guard's other side: the same bytes
						x := *batch[i-1]
						x.ID, x.Side = exchange.NewID(x.Start), exchange.UpstreamSide
						x.Links = []exchange.Link{{Kind: exchange.Forwarded, ID: batch[i-1].ID}}
						resp := *x.Response
						x.Response = &resp
						x.Request.Header = append(exchange.Header(nil), x.Request.Header...)
						batch[i] = &x
						continue
					}
					if kind != "repeated" {
						req, resp = order(r), order(r)
					}
					batch[i] = busy(r, append([]byte(nil), req...), append([]byte(nil), resp...))
					bytes += len(req) + len(resp)
				}
				b.StartTimer()
				before := cpu()
				for i, x := range batch {
					batch[i] = nil
					s.Record(x)
				}
				if err := s.Flush(ctx); err != nil {
					b.Fatal(err)
				}
				worked += cpu() - before
				total += len(batch)
				b.StopTimer()
				runtime.GC()
				yards += yardstick(b)
				b.StartTimer()
			}
			st, err := s.Stats(ctx)
			if err != nil || int(st.Rows) != total {
				b.Fatalf("%d of %d recorded, %v", st.Rows, total, err)
			}
			b.ReportMetric(float64(worked.Nanoseconds())/1e3/float64(total), "cpu-µs/exchange")
			b.ReportMetric(yards/float64(total/len(batch)), "yard-µs")
			b.ReportMetric(float64(st.Bytes)/float64(total), "file-B/exchange")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkRead looks at a store of 100,000 exchanges.
func BenchmarkRead(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "x.db"), store.Options{})
	r := rand.New(rand.NewPCG(1, 2))
	var ids []exchange.ID
	for range 100000 {
		x := busy(r, order(r), order(r))
		ids = append(ids, x.ID)
		s.Record(x)
	}
	if err := s.Flush(ctx); err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{
		"newest-100":    "",
		"scan-status":   "status:418",
		"scan-path":     "path:no-such-thing",
		"scan-host":     "host:nobody -method:GET",
		"scan-header":   "header.x-nobody:1",
		"scan-anywhere": "no-such-thing-anywhere",
		"check":         "check:hsts caller:17",
	} {
		e, err := filter.Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				page, err := s.List(ctx, store.Query{Filter: e, Budget: time.Minute})
				if err != nil || page.Partial || page.Scanned < 100 {
					b.Fatal(page.Scanned, err)
				}
			}
		})
	}
	b.Run("get", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Get(ctx, ids[r.IntN(len(ids))]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("get-latest", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Get(ctx, ids[len(ids)-1-r.IntN(100)]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("actions", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Actions(ctx, 0); err != nil {
				b.Fatal(err)
			}
		}
	})
}
