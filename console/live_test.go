package console

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/store"
)

// counting notes what the console asks of a store.
type counting struct {
	source
	lists, watches atomic.Int64
	open           atomic.Int64
}

func (c *counting) List(ctx context.Context, q store.Query) (store.Page, error) {
	c.lists.Add(1)
	return c.source.List(ctx, q)
}

func (c *counting) Watch(ctx context.Context) <-chan struct{} {
	c.watches.Add(1)
	c.open.Add(1)
	context.AfterFunc(ctx, func() { c.open.Add(-1) })
	return c.source.Watch(ctx)
}

type event struct {
	name string
	data string
	at   time.Time
}

// listen opens the event stream and hands its events over.
func listen(t testing.TB, cl *client, query string) (<-chan event, func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, _ := http.NewRequestWithContext(ctx, "GET", cl.base+"/api/live"+query, nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	h := *cl.http
	h.Timeout = 0
	resp, err := h.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("the stream: %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	events := make(chan event, 10000)
	go func() {
		defer close(events)
		defer resp.Body.Close()
		in := bufio.NewScanner(resp.Body)
		in.Buffer(nil, 8<<20)
		var e event
		for in.Scan() {
			switch l := in.Text(); {
			case strings.HasPrefix(l, "event: "):
				e.name = l[7:]
			case strings.HasPrefix(l, "data: "):
				e.data = l[6:]
			case l == "" && e.name != "":
				e.at = time.Now()
				events <- e
				e = event{}
			}
		}
	}()
	return events, cancel
}

type rowsEvent struct {
	Rows  []rowView
	Newer string
	Again bool
}

// collect reads events until n rows have come.
func collect(t testing.TB, events <-chan event, n int) (rows []rowView, batches []time.Time) {
	t.Helper()
	late := time.After(20 * time.Second)
	for len(rows) < n {
		select {
		case e, ok := <-events:
			if !ok {
				t.Fatalf("the stream ended after %d rows, want %d", len(rows), n)
			}
			if e.name != "rows" {
				continue
			}
			var v rowsEvent
			if err := json.Unmarshal([]byte(e.data), &v); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, v.Rows...)
			batches = append(batches, e.at)
		case <-late:
			t.Fatalf("only %d rows came, want %d", len(rows), n)
		}
	}
	return rows, batches
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	late := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(late) {
			t.Fatalf("never happened: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// TestLive: new rows arrive once each, in few batches, and only for those who
// listen.
func TestLive(t *testing.T) {
	d, s := newDemo(t, 5)
	k := &counting{source: s}
	c, srv := serve(t, Options{source: k})
	cl := open(t, c, srv.URL)

	d.calm(1)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := k.lists.Load() + k.watches.Load(); n != 0 {
		t.Errorf("nobody listens, and the store was asked %d times", n)
	}
	var page struct{ Newer string }
	cl.get("/api/rows?side=client", &page)
	d.calm(2) // between reading the list and listening
	events, cancel := listen(t, cl, "?side=client&after="+page.Newer)
	const n = 2000
	start := time.Now()
	for i := range n {
		d.calm(i)
	}
	rows, batches := collect(t, events, n+1)
	seen := map[exchange.ID]bool{}
	for _, r := range rows {
		if seen[r.ID] {
			t.Fatalf("%s came twice", r.ID)
		}
		seen[r.ID] = true
	}
	if len(rows) != n+1 {
		t.Errorf("%d rows came, want %d", len(rows), n+1)
	}
	if most := int(time.Since(start)/livePeriod) + 2; len(batches) > most {
		t.Errorf("%d batches in %v, want at most %d", len(batches), time.Since(start), most)
	}
	cancel()
	until(t, "the store is not watched any more", func() bool { return k.open.Load() == 0 })
	until(t, "the stream's place is free", func() bool { return len(c.streams) == 0 })

	// A filter holds for the stream too.
	events, cancel = listen(t, cl, "?filter=is%3Arefused&after="+strings.TrimSpace(fmt.Sprint(rows[0].Number)))
	defer cancel()
	d.calm(1)
	d.play(&demoAttacks[0])
	rows, _ = collect(t, events, 1)
	if len(rows) != 1 || rows[0].Acts["refuse"] != 1 {
		t.Errorf("with a filter came %+v, want the refusal alone", rows)
	}
}

// TestLiveEnds: streams end with the session and with the console, and there
// are not more of them than places.
func TestLiveEnds(t *testing.T) {
	_, s := newEmpty(t)
	k := &counting{source: s}
	c, srv := serve(t, Options{source: k})
	cl := open(t, c, srv.URL)
	var all []<-chan event
	for range maxStreams {
		events, cancel := listen(t, cl, "")
		defer cancel()
		all = append(all, events)
	}
	if status := cl.get("/api/live", nil); status != http.StatusTooManyRequests {
		t.Errorf("one stream too many: %d, want 429", status)
	}
	r, _ := http.NewRequest("POST", srv.URL+"/api/logout", strings.NewReader("{}"))
	r.Header.Set("Origin", srv.URL)
	r.Header.Set("Content-Type", "application/json")
	resp, err := cl.http.Do(r)
	if err != nil || resp.StatusCode != 204 {
		t.Fatalf("leaving: %v %v", resp, err)
	}
	for _, events := range all {
		last := ""
		for e := range events {
			last = e.name
		}
		if last != "bye" {
			t.Errorf("a stream of an ended session ended with %q, want bye", last)
		}
	}
	until(t, "the store is not watched any more", func() bool { return k.open.Load() == 0 })

	cl = open(t, c, srv.URL)
	events, cancel := listen(t, cl, "")
	defer cancel()
	c.Close()
	for range events {
	}
}
