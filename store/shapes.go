package store

import "database/sql/driver"

// A shape is what an exchange has in common with many others: a busy API has a
// few hundred. The words among its columns are numbers.
type shape struct {
	source, side, method, authority, operation, media, caller, found, acted int64

	status, flags, severities, actions int64

	// forwarded is how many exchanges ago the one was recorded that this one
	// was forwarded as: guard hands over both sides together. 0 when none of
	// the near ones was.
	forwarded int64
}

const shapeColumns = 15

// near is how far back an exchange is looked for that is named by another.
const near = 16

// maxShapes is how many shapes are held in memory before they are forgotten.
const maxShapes = 1 << 15

// shapes gives them numbers, for the writer.
type shapes struct {
	ids   map[shape]driver.Value // int64 in a box, so that it is boxed once
	next  int64
	added []shape // not yet written; their ids end before next
}

// newShapes begins with what the file knows, so that the next run goes on with
// its numbers. The same shape twice would be harmless.
func newShapes(c *conn) (*shapes, error) {
	s := &shapes{ids: map[shape]driver.Value{}, next: 1}
	err := c.each("SELECT * FROM shape ORDER BY shape DESC LIMIT 4096", func(v []driver.Value) bool {
		n := make([]int64, shapeColumns)
		for i := range n {
			n[i], _ = v[i].(int64)
		}
		s.ids[shape{n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11], n[12], n[13], n[14]}] = v[0]
		s.next = max(s.next, n[0]+1)
		return true
	})
	return s, err
}

// id returns a shape's number, an int64.
func (s *shapes) id(h shape) driver.Value {
	if v, ok := s.ids[h]; ok {
		return v
	}
	v := driver.Value(s.next)
	s.next++
	s.ids[h] = v
	s.added = append(s.added, h)
	return v
}

// written says that the transaction with the added shapes is committed.
func (s *shapes) written() {
	s.added = s.added[:0]
	if len(s.ids) > maxShapes {
		clear(s.ids)
	}
}

// drop forgets the shapes that were not written.
func (s *shapes) drop() {
	s.added = s.added[:0]
	clear(s.ids)
}

// arguments sets the columns of the added shape i.
func (s *shapes) arguments(i int, a []driver.NamedValue) {
	h := &s.added[i]
	for j, n := range [shapeColumns]int64{s.next - int64(len(s.added)) + int64(i), h.source, h.side, h.method, h.authority, h.operation, h.media, h.caller,
		h.found, h.acted, h.status, h.flags, h.severities, h.actions, h.forwarded} {
		a[j].Value = box(n)
	}
}
