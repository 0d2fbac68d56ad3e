package tally

import (
	"fmt"
	"testing"
	"time"
)

func TestTake(t *testing.T) {
	m := NewMemory(0)
	now := time.Unix(1_000_000, 0)
	for i := range 5 {
		if ok, _ := m.Take("k", 5, time.Minute, now); !ok {
			t.Fatalf("Take %d of 5 was refused", i+1)
		}
	}
	ok, wait := m.Take("k", 5, time.Minute, now)
	if ok || wait != 12*time.Second {
		t.Fatalf("Take 6 of 5 = %v, wait %v; want refused, 12s", ok, wait)
	}
	if ok, _ := m.Take("other", 5, time.Minute, now); !ok {
		t.Error("another key paid for the first")
	}
	if ok, _ := m.Take("k", 5, time.Minute, now.Add(wait)); !ok {
		t.Error("refused after waiting as long as was said")
	}
	if ok, _ := m.Take("none", 0, time.Minute, now); ok {
		t.Error("a limit of none let one through")
	}
}

func TestTakeIsBounded(t *testing.T) {
	m := NewMemory(64 * 16)
	now := time.Unix(1_000_000, 0)
	taken := 0
	for i := range 10_000 {
		if ok, _ := m.Take(fmt.Sprint(i), 1, time.Minute, now); ok {
			taken++
		}
	}
	if taken > 64*16 {
		t.Errorf("remembered %d keys, want at most %d", taken, 64*16)
	}
	if ok, _ := m.Take("later", 1, time.Minute, now.Add(2*time.Minute)); !ok {
		t.Error("old keys were not forgotten")
	}
}

func BenchmarkTake(b *testing.B) {
	m := NewMemory(0)
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		m.Take("parley.yaml:12 203.0.113.7", 1<<30, time.Minute, now)
	}
}
