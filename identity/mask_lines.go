package identity

import (
	"hash/maphash"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// Most header lines come again and again: the same Accept, the same token. A
// lineMemo remembers how they were masked, in slots found by their hash. A
// line that comes for the second time takes its slot; so those that come once,
// such as a request's number, do not drive out the others.
type lineMemo struct {
	seed  maphash.Seed
	slots [1 << 11]maskedLine

	// The latest headers themselves: an intermediary's two sides share that
	// of the request. They are held, so that no other comes to lie there.
	latest [4]maskedHeader
	next   int
}

type maskedLine struct {
	hash   uint64 // of the line that came last, kept or not
	before exchange.Field
	own    bool
	after  string
}

type maskedHeader struct {
	lines exchange.Header
	own   string
}

// maxLine is the length up to which a line is remembered: 4 MiB in all.
const maxLine = 1 << 10

func newLineMemo() *lineMemo { return &lineMemo{seed: maphash.MakeSeed()} }

// again reports whether these very lines have just been masked, and remembers
// that they now are.
func (l *lineMemo) again(h exchange.Header, own string) bool {
	if len(h) == 0 {
		return true
	}
	for i := range l.latest {
		if r := &l.latest[i]; len(r.lines) == len(h) && &r.lines[0] == &h[0] && r.own == own {
			return true
		}
	}
	l.latest[l.next] = maskedHeader{h, own}
	l.next = (l.next + 1) % len(l.latest)
	return false
}

// mask masks a line. One that is remembered gets the texts of the memo, which
// lets go of the message it came in.
func (l *lineMemo) mask(m *masker, f *exchange.Field, own bool) {
	hash := maphash.String(l.seed, f.Value) ^ 3*maphash.String(l.seed, f.Name)
	slot := &l.slots[hash%uint64(len(l.slots))]
	if slot.before == *f && slot.own == own {
		f.Name, f.Value = slot.before.Name, slot.after
		return
	}
	after := m.line(f, own)
	if slot.hash == hash && len(f.Name)+len(f.Value) <= maxLine {
		before := exchange.Field{Name: strings.Clone(f.Name), Value: strings.Clone(f.Value)}
		if after == before.Value {
			after = before.Value
		}
		*slot = maskedLine{hash, before, own, after}
	}
	slot.hash = hash
	f.Value = after
}
