package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/example/play"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/learn"
)

// masking does to exchanges what a store does, before their next owner sees
// them.
type masking struct{ key []byte }

func (m masking) Record(x *exchange.Exchange) { identity.Mask(x, m.key) }

// then is a recorder that is one function.
type then func(*exchange.Exchange)

func (f then) Record(x *exchange.Exchange) { f(x) }

// Guard learns while it runs, beside a store that masks what it is handed.
func TestGuardLearns(t *testing.T) {
	a := apis["shop"]
	g := newLearning(masking{[]byte("key")}, learn.New(learn.Options{}))
	_, guarded, keys, _, through := a.recorded(t, g)
	if _, err := play.Play(context.Background(), through, guarded, keys, a.legitimate, nil); err != nil {
		t.Fatal(err)
	}
	g.close()
	file := filepath.Join(t.TempDir(), "learnt.yaml")
	if err := g.write(file); err != nil {
		t.Fatal(err)
	}
	k, err := contract.FromAPI(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/v1/orders/7", "/v1/users/7", "/v1/account/transfers/7", "/v1/feeds/products"} {
		if k.Match("GET", path).Operation == nil {
			t.Errorf("GET %s was not learnt", path)
		}
	}
	if !strings.Contains(string(g.learner.Policy()), "owner: response.user_id") {
		t.Errorf("no owner was learnt of what guard knows of callers:\n%s", g.learner.Policy())
	}
	// What was stored, with every secret masked, says the same of owners: guard
	// recorded who it was.
	stored := learn.New(learn.Options{})
	_, guarded, keys, _, through = a.recorded(t, then(func(x *exchange.Exchange) {
		identity.Mask(x, []byte("key"))
		stored.Add(x)
	}))
	if _, err := play.Play(context.Background(), through, guarded, keys, a.legitimate, nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"owner: response.user_id", "allow: response.items.all(o, o.user_id == caller.id)", "# No token was seen unmasked"} {
		if !strings.Contains(string(stored.Policy()), want) {
			t.Errorf("the policy from a masked store lacks %q:\n%s", want, stored.Policy())
		}
	}
	before, _ := os.ReadFile(file)
	if err := g.write(file); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(file); !bytes.Equal(before, after) {
		t.Error("writing again changed the file")
	}
}

// A Learner that is behind holds nobody up, and what it missed is recorded all
// the same.
func TestLearningDropsAndRecordsAll(t *testing.T) {
	kept := &counter{}
	g := &learning{next: kept, learner: learn.New(learn.Options{}), queue: make(chan *exchange.Exchange, 4), stop: make(chan struct{})} // nobody reads
	for range 100 {
		g.Record(&exchange.Exchange{ID: exchange.NewID(time.Now()), Request: exchange.Request{Method: "GET", Target: "/"}})
	}
	if n := g.missed.Load(); n != 96 {
		t.Errorf("%d were missed, want 96", n)
	}
	if got := kept.n; got != 100 {
		t.Errorf("%d were recorded, want 100", got)
	}
	body := bytes.Repeat([]byte("x"), 1<<20)
	g.queue = make(chan *exchange.Exchange, 100)
	for range 40 {
		g.Record(&exchange.Exchange{Request: exchange.Request{Method: "POST", Target: "/", Body: exchange.Body{Size: int64(len(body)), Data: body}}})
	}
	if held := g.held.Load(); held > maxLearnHeld {
		t.Errorf("%d bytes wait, want at most %d", held, maxLearnHeld)
	}
}
