package store

import (
	"bytes"
	"database/sql/driver"
	"strings"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/filter"
)

// Bits of shape.flags.
const (
	flagResponse = 1 << iota
	flagFailure
	flagCaller
	flagWould
	flagRefused
	flagStripped
	flagRepaired
	flagTLS
	flagClear
	flagOdd // the target has a NUL or is not UTF-8, which LIKE does not bear
)

// record is what becomes a row of exchange.
type record struct {
	id       key
	target   string
	shape    driver.Value
	subject  int64
	start    int64
	reqSize  int64
	respSize int64
	total    int64
	detail   int64
}

type linkRow struct {
	seq, n, kind int64
	dst          key
}

// fill makes the row of an exchange. keys are those of its ID and its links.
func (w *writer) fill(r *record, x *exchange.Exchange, keys []key) {
	r.id = keys[0]
	r.start = x.Start.UnixNano()
	r.target = x.Request.Target
	r.reqSize = x.Request.Body.Size
	r.total = int64(x.Times.Total)
	if p := x.Response; p != nil {
		r.respSize = p.Body.Size
	}
	if c := x.Server.Caller; c != nil {
		r.subject = w.words.id(string(c.Subject))
	}
	r.shape = w.shapes.id(w.shapeOf(x, keys))
}

func (w *writer) shapeOf(x *exchange.Exchange, keys []key) shape {
	h := shape{
		source: w.words.id(string(x.Source)), side: w.words.id(string(x.Side)),
		method: w.words.id(x.Request.Method), authority: w.words.id(x.Request.Authority),
		operation: w.words.id(x.Server.Operation), media: w.words.id(filter.MediaType(x)),
		forwarded: w.link(x, keys),
	}
	if c := x.Server.Caller; c != nil {
		h.flags |= flagCaller
		h.caller = w.words.id(c.Name)
	}
	if x.Response != nil {
		h.flags |= flagResponse
		h.status = int64(x.Response.Status)
	}
	if x.Failure != "" {
		h.flags |= flagFailure
	}
	if x.TLS != nil {
		h.flags |= flagTLS
		if x.TLS.Clear {
			h.flags |= flagClear
		}
	}
	if odd(x.Request.Target) {
		h.flags |= flagOdd
	}
	w.shapeFindings(&h, x)
	w.shapeActions(&h, x)
	return h
}

func (w *writer) shapeFindings(h *shape, x *exchange.Exchange) {
	w.checks = w.checks[:0]
	for i := range x.Findings {
		w.checks = addCheck(w.checks, x.Findings[i].Check)
		h.severities = count(h.severities, int(x.Findings[i].Severity), 5, 12)
	}
	h.found = w.words.id(view(w.checks))
}

func (w *writer) shapeActions(h *shape, x *exchange.Exchange) {
	w.checks = w.checks[:0]
	for i := range x.Actions {
		a := &x.Actions[i]
		w.checks = addCheck(w.checks, a.Check)
		slot := -1
		switch a.Kind {
		case exchange.Refused:
			slot, h.flags = 0, h.flags|flagRefused
		case exchange.Stripped:
			slot, h.flags = 1, h.flags|flagStripped
		case exchange.Repaired:
			slot, h.flags = 2, h.flags|flagRepaired
		}
		if !a.Enforced {
			h.flags |= flagWould
			if slot >= 0 {
				slot += 3
			}
		}
		h.actions = count(h.actions, slot, 6, 10)
	}
	h.acted = w.words.id(view(w.checks))
}

// link keeps an exchange's links. When the last says that it was forwarded as
// one of those just recorded, how many ago is what it returns, and no row is
// needed: guard's exchanges are nearly all of that kind.
func (w *writer) link(x *exchange.Exchange, keys []key) (forwarded int64) {
	for i, l := range x.Links {
		if l.Kind == exchange.Forwarded && i == len(x.Links)-1 {
			if forwarded = w.ago(keys[1+i]); forwarded > 0 {
				break
			}
		}
		w.links = append(w.links, linkRow{w.seq, int64(i), w.words.id(string(l.Kind)), keys[1+i]})
	}
	w.latest[w.seq%near] = recorded{w.seq, keys[0]}
	return forwarded
}

// ago returns how many exchanges ago one of the near ones was recorded, or 0.
func (w *writer) ago(k key) int64 {
	for n := int64(1); n < near; n++ {
		if r := &w.latest[(w.seq+near-n)%near]; r.seq == w.seq-n && r.key == k {
			return n
		}
	}
	return 0
}

// count adds one to a slot of packed counters, which stop at their greatest.
func count(packed int64, slot, slots, bits int) int64 {
	if slot < 0 || slot >= slots {
		return packed
	}
	shift := slot * bits
	if (packed>>shift)&(1<<bits-1) == 1<<bits-1 {
		return packed
	}
	return packed + 1<<shift
}

// boxes are the small numbers as the driver wants them, so that those that
// repeat are not boxed again and again.
var boxes = func() (b [2048]driver.Value) {
	for i := range b {
		b[i] = int64(i)
	}
	return b
}()

func box(n int64) driver.Value {
	if n >= 0 && n < int64(len(boxes)) {
		return boxes[n]
	}
	return n
}

// counter reads one of the packed counters.
func counter(packed int64, slot, bits int) int { return int((packed >> (slot * bits)) & (1<<bits - 1)) }

// checkMark stands before each check ID in a set of them.
const checkMark = 0x1f

// addCheck adds an ID to a set unless it is there already.
func addCheck(set []byte, id string) []byte {
	for rest := view(set); rest != ""; {
		have := rest[1:]
		if i := strings.IndexByte(have, checkMark); i >= 0 {
			have = have[:i]
		}
		if have == id {
			return set
		}
		rest = rest[1+len(have):]
	}
	return append(append(set, checkMark), id...)
}

// setChecks returns the IDs in a set.
func setChecks(set string) []string {
	if set == "" {
		return nil
	}
	return strings.Split(set[1:], string(rune(checkMark)))
}

func odd(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == 0 || s[i] >= utf8.RuneSelf {
			return strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s)
		}
	}
	return false
}

// A key is how an ID stands in the file: 16 bytes when it is a ULID, else text.
type key struct {
	ulid [16]byte
	text string
}

func keyOf(id exchange.ID) (k key) {
	var again [ulid.EncodedSize]byte
	if u, err := ulid.ParseStrict(string(id)); err == nil && u.MarshalTextTo(again[:]) == nil && string(again[:]) == string(id) {
		k.ulid = u
		return k
	}
	if k.text = string(id); id == "" {
		k.text = " " // the driver would make a NULL of nothing
	}
	return k
}

// compare orders keys as SQLite does: texts before bytes.
func (k *key) compare(l *key) int {
	if k.text != "" && l.text != "" {
		return strings.Compare(k.text, l.text)
	}
	if k.text != l.text {
		return strings.Compare(l.text, k.text)
	}
	return bytes.Compare(k.ulid[:], l.ulid[:])
}

func (k *key) value() driver.Value {
	if k.text != "" {
		return k.text
	}
	return k.ulid[:]
}
