package tally

import (
	"fmt"
	"testing"
	"time"
)

func TestDistinct(t *testing.T) {
	d := NewDistinct(0, time.Minute)
	now := time.Unix(1_000_000, 0)
	for i, step := range []struct {
		key, thing string
		after      time.Duration
		n          int
		fresh      bool
	}{
		{"rajan", "/v1/orders/1", 0, 1, true},
		{"rajan", "/v1/orders/1", 0, 1, false},
		{"rajan", "/v1/orders/2", time.Second, 2, true},
		{"priya", "/v1/orders/2", 0, 1, true},
		{"rajan", "/v1/orders/1", 50 * time.Second, 2, false},
		{"rajan", "/v1/orders/3", 20 * time.Second, 1, true}, // another window
	} {
		now = now.Add(step.after)
		if n, fresh := d.Add(step.key, step.thing, now); n != step.n || fresh != step.fresh {
			t.Errorf("step %d: Add(%s, %s) = %d, %v; want %d, %v", i, step.key, step.thing, n, fresh, step.n, step.fresh)
		}
	}
}

func TestDistinctIsBounded(t *testing.T) {
	d := NewDistinct(64, time.Minute)
	now := time.Unix(1_000_000, 0)
	for i := range 10_000 {
		d.Add(fmt.Sprint(i), "x", now)
	}
	keys := 0
	for i := range d.shards {
		keys += len(d.shards[i].seen)
	}
	if keys > 64 {
		t.Errorf("%d keys remembered, want at most 64", keys)
	}
	var n int
	for i := range 100 {
		n, _ = d.Add("one", fmt.Sprint(i), now)
	}
	if n != maxDistinct {
		t.Errorf("counted to %d, want %d", n, maxDistinct)
	}
}
