package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/store"
)

var watchRows = []store.Row{
	{ID: "1", Method: "GET", Target: "/v1/orders/887", Authority: "localhost:8443", Status: 200, Total: 3200 * time.Microsecond, Response: 512, Subject: "102", Known: true,
		Findings: [5]int{0, 3, 1, 1, 1}},
	{ID: "2", Method: "DELETE", Target: "/v1/orders/887", Authority: "localhost:8443", Status: 404, Total: 950 * time.Microsecond, Caller: "rajan", Known: true, Actions: map[string]int{"refuse": 1}},
	{ID: "3", Method: "GET", Target: "/v1/products?limit=3&category=tea", Authority: "localhost:8443", Status: 200, Total: 41 * time.Millisecond, Response: 20480,
		Actions: map[string]int{"strip": 3, "repair": 12}},
	{ID: "4", Method: "PROPFIND", Target: "/", Authority: "localhost:8443", Failed: true, Total: 12 * time.Second, Actions: map[string]int{"would strip": 2, "would repair": 4}},
	{ID: "5", Method: "\x1b[2J", Target: "/\u202e\x07" + strings.Repeat("é", 200), Authority: "localhost:8443", Status: 302, Caller: "\nroot", Total: time.Hour, Response: 3 << 20,
		Actions: map[string]int{"would refuse": 1}, Findings: [5]int{0, 1}},
}

const watchGolden = `── 2026-11-23 ──────────────────────────────────────────────────────────────────
10:00:00 GET     /v1/orders/887           200  3.2ms 102      critical 6
10:00:00 DELETE  /v1/orders/887           404  950µs rajan    refused
10:00:00 GET     /v1/products?limit=3&ca… 200   41ms -        strip 3 repair 12
10:00:00 PROPFI… /                        ERR  12.0s -        would strip repair
10:00:00 \x1b[2J /\u202e\x07éééééééééééé… 302    60m \nroot   low would refuse
`

func TestWatchLines(t *testing.T) {
	defer func(l *time.Location) { time.Local = l }(time.Local)
	time.Local = time.UTC
	for _, width := range []int{80, 132} {
		var b bytes.Buffer
		l := newLineWriter(&b)
		l.width = func() int { return width }
		for i := range watchRows {
			r := watchRows[i]
			r.Start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
			if err := l.row(&r); err != nil {
				t.Fatal(err)
			}
		}
		if width == 80 && b.String() != watchGolden {
			t.Errorf("the list is\n%s\nwant\n%s", &b, watchGolden)
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(line) - 1; n > width {
				t.Errorf("a line of %d columns on a terminal of %d: %q", n, width, line)
			}
		}
		if width > 100 && !strings.Contains(b.String(), "localhost:8443/v1/orders/887") {
			t.Errorf("there is room for the host and it is not shown:\n%s", &b)
		}
	}
}

// follower hands on each line that is written.
type follower struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	lines chan string
}

func (f *follower) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.buf.Write(p)
	for {
		line, err := f.buf.ReadString('\n')
		if err != nil {
			f.buf.WriteString(line)
			return len(p), nil
		}
		f.lines <- line
	}
}

// The list follows a store that is being written, from the first exchange on,
// in order, without one missing or twice; and ends when it is told to.
func TestWatchFollows(t *testing.T) {
	file := filepath.Join(t.TempDir(), "guard.db")
	writer, err := store.Open(file, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	reader, err := store.Open(file, store.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	e, err := clientSide("method:GET")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	f := &follower{lines: make(chan string, 10000)}
	ended := make(chan error, 1)
	go func() { ended <- watch(ctx, f, reader, e, watchOptions{format: "json"}) }()

	var want []exchange.ID
	record := func(n int) {
		for range n {
			id := exchange.NewID(time.Now())
			want = append(want, id)
			writer.Record(&exchange.Exchange{ID: id, Source: exchange.FromGuard, Side: exchange.ClientSide, Start: time.Now(), Request: exchange.Request{Method: "GET", Target: "/"}})
			writer.Record(&exchange.Exchange{ID: exchange.NewID(time.Now()), Side: exchange.UpstreamSide, Request: exchange.Request{Method: "GET", Target: "/twice"}})
			writer.Record(&exchange.Exchange{ID: exchange.NewID(time.Now()), Side: exchange.ClientSide, Request: exchange.Request{Method: "POST", Target: "/not-asked-for"}})
		}
		if err := writer.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
	seen := 0
	see := func() {
		for ; seen < len(want); seen++ {
			select {
			case line := <-f.lines:
				var r store.Row
				if err := json.Unmarshal([]byte(line), &r); err != nil {
					t.Fatalf("%q: %v", line, err)
				}
				if r.ID != want[seen] {
					t.Fatalf("line %d is %s %s, want %s", seen, r.ID, r.Target, want[seen])
				}
			case err := <-ended:
				t.Fatalf("it ended by itself: %v", err)
			case <-ctx.Done():
				t.Fatalf("%d of %d exchanges were shown", seen, len(want))
			}
		}
	}
	record(1)
	see()
	record(700)
	see()
	record(3)
	see()
	stop()
	if err := <-ended; err != nil {
		t.Errorf("told to stop: %v", err)
	}
	select {
	case line := <-f.lines:
		t.Errorf("one line too many: %q", line)
	default:
	}
}

func TestWatchSides(t *testing.T) {
	up := &exchange.Exchange{Side: exchange.UpstreamSide, Request: exchange.Request{Method: "GET"}}
	for text, want := range map[string]bool{"": false, "method:GET": false, "side:upstream": true, "(side:upstream OR status:500)": true, "-side:client": true} {
		e, err := clientSide(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Match(up); got != want {
			t.Errorf("filter %q shows what guard asked of the API: %v, want %v", text, got, want)
		}
	}
}
