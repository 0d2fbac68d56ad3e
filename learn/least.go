package learn

import "container/heap"

// least keeps what belongs to the smallest keys of all that were ever asked
// for. What it holds in the end depends on the keys alone and not on their
// order, however many there were: a key that is among the smallest of all is
// among the smallest of any part, so that it is never let go.
type least[V any] struct {
	max  int
	m    map[string]V
	keys keyHeap
	// over is true when there were more keys than are kept.
	over bool
}

func newLeast[V any](max int) *least[V] { return &least[V]{max: max, m: map[string]V{}} }

// at returns the value of a key, made if it is new; false when it is not kept.
func (l *least[V]) at(key string, fresh func() V) (V, bool) {
	if v, ok := l.m[key]; ok {
		return v, true
	}
	if len(l.m) >= l.max {
		l.over = true
		if key > l.keys[0] {
			var none V
			return none, false
		}
		delete(l.m, heap.Pop(&l.keys).(string))
	}
	v := fresh()
	l.m[key] = v
	heap.Push(&l.keys, key)
	return v, true
}

// keyHeap has its largest key on top.
type keyHeap []string

func (h keyHeap) Len() int           { return len(h) }
func (h keyHeap) Less(i, j int) bool { return h[i] > h[j] }
func (h keyHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *keyHeap) Push(x any)        { *h = append(*h, x.(string)) }
func (h *keyHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
