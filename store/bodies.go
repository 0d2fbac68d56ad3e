package store

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"hash/maphash"
	"strings"

	"github.com/parley-project/parley/exchange"
)

const (
	// inlineBody is the length up to which a body lies among the texts of its
	// record's chunk.
	inlineBody = 96
	// pieceSize is the most that is stored as one.
	pieceSize = 64 << 10
	// chunkSize is about how much is compressed together.
	chunkSize = 256 << 10
	// known is how many bodies are remembered in each of two generations.
	known = 1 << 15
	// maxKinds is how many kinds of bodies have a number at a time.
	maxKinds = 1 << 10
)

// piece is a part of a body in a chunk.
type piece struct {
	chunk    int64
	off, len uint32
}

// stored is where a body's data is: nowhere, inline in its record, or in
// pieces.
type stored struct {
	inline bool
	pieces []piece
}

// size is how long the stored data is.
func (s stored) size() (n int64) {
	for _, p := range s.pieces {
		n += int64(p.len)
	}
	return n
}

// bodies finds where a body was stored, and stores it otherwise.
//
// It knows bodies by what they were before their secrets were masked: a body
// that comes again is then neither masked nor compressed again. What identity
// masks in a body follows from its bytes, its Content-Type and
// Content-Encoding and whether it was cut off, so these are what is compared.
//
// Most bodies never come again, so that SHA-256 of each would be wasted. A
// seeded 64-bit hash says that a body may have been seen. Whether it was is
// decided by its bytes if they are still at hand, else by SHA-256: the second
// time a body is summed and written again, from the third on it is known. A
// large body is summed at once, which is little beside compressing it.
type bodies struct {
	buf  []byte // the chunk that is being filled
	id   int64  // its number
	last int64  // the latest exchange that wrote to it
	seal func(id int64, raw []byte) (next int64)

	// Two generations of bodies: the older is forgotten when the newer is
	// full, which is nearly the least recently used at a part of the cost.
	young, old map[uint64]*knownBody
	until      map[int64]int64 // chunk: last seq that refers to it
	changed    map[int64]int64 // of these, what the file does not know yet
	pieces     []piece         // where slices of pieces are cut from
	slab       []knownBody     // likewise
	sum        hash.Hash
	space      digest

	// Bodies at hand, the oldest first: an intermediary records both of its
	// sides, mostly with the very same bytes, and APIs repeat themselves.
	recent []*knownBody
	held   int // bytes

	// Kinds have numbers that are never given twice, so that the list may be
	// forgotten when it is long.
	kinds      map[bodyKind]uint64
	nextKind   uint64
	lastKind   bodyKind
	lastNumber uint64
}

// heldBytes is how much of bodies is kept at hand.
const heldBytes = 8 << 20

// sumAtOnce is the length from which a body is summed when it is first seen.
const sumAtOnce = 32 << 10

type digest [sha256.Size]byte

type knownBody struct {
	pieces []piece
	data   []byte // nil when it is no longer at hand
	kind   uint64
	summed bool
	sum    digest
}

// bodyKind is what masking looks at besides the bytes.
type bodyKind struct {
	mediaType, encoding string
	open                bool // there was more than was kept
}

// pending is a body on its way into the store.
type pending struct {
	data []byte
	kind uint64
	hash uint64
	of   *knownBody // when it was stored before
	// summed is true when sum is known; none when the body is too small to
	// be remembered, or not there.
	summed, none bool
	sum          digest
}

func newBodies() *bodies {
	b := &bodies{changed: map[int64]int64{}, kinds: map[bodyKind]uint64{}, sum: sha256.New()}
	b.forget()
	return b
}

// forget drops everything known, so that everything is written again.
func (b *bodies) forget() {
	b.young = make(map[uint64]*knownBody, known/8)
	b.old = nil
	b.until = map[int64]int64{}
	b.recent, b.held = nil, 0
}

// kindOf returns the number of a kind.
func (b *bodies) kindOf(h exchange.Header, open bool) uint64 {
	kind := bodyKind{h.Get("Content-Type"), h.Get("Content-Encoding"), open}
	if kind == b.lastKind && b.nextKind > 0 {
		return b.lastNumber
	}
	n, ok := b.kinds[kind]
	if !ok {
		if len(b.kinds) >= maxKinds {
			clear(b.kinds)
		}
		b.nextKind++
		n = b.nextKind
		kind = bodyKind{strings.Clone(kind.mediaType), strings.Clone(kind.encoding), open}
		b.kinds[kind] = n
	}
	b.lastKind, b.lastNumber = kind, n
	return n
}

// look finds out whether a body of the exchange seq is stored already. If so
// it takes its data away, so that nobody works on it again, and sets its size
// to what masking made of it.
func (b *bodies) look(body *exchange.Body, h exchange.Header, seq int64) (p pending) {
	data := body.Data
	if len(data) <= inlineBody {
		p.none = true
		return p
	}
	rest := body.Size - int64(len(data))
	p.data, p.kind = data, b.kindOf(h, rest > 0)
	if k := b.latest(data, p.kind); k != nil {
		p.of = k
	} else {
		b.search(&p)
	}
	if p.of != nil && !b.usable(p.of.pieces, seq) {
		p.of = nil
	}
	if p.of != nil {
		body.Data = nil
		body.Size = rest + stored{pieces: p.of.pieces}.size()
	}
	return p
}

// latest returns one of the latest bodies if it is the same memory.
func (b *bodies) latest(data []byte, kind uint64) *knownBody {
	for _, k := range b.recent[max(0, len(b.recent)-4):] {
		if len(k.data) == len(data) && &k.data[0] == &data[0] && k.kind == kind {
			return k
		}
	}
	return nil
}

// search looks for the same bytes.
func (b *bodies) search(p *pending) {
	p.hash = maphash.Bytes(seed, p.data) ^ p.kind*0x9e3779b97f4a7c15
	k := b.young[p.hash]
	if k == nil {
		if k = b.old[p.hash]; k != nil {
			b.remember(p.hash, k)
		}
	}
	switch {
	case k == nil:
		if len(p.data) >= sumAtOnce {
			p.sum, p.summed = b.digest(p.data), true
		}
	case k.kind != p.kind:
	case k.data != nil:
		if bytes.Equal(k.data, p.data) {
			p.of = k
		}
	default:
		p.sum, p.summed = b.digest(p.data), true
		if k.summed && k.sum == p.sum {
			p.of = k
			b.hold(k, p.data)
		}
	}
}

func (b *bodies) digest(data []byte) (sum digest) {
	b.sum.Reset()
	b.sum.Write(data)
	return digest(b.sum.Sum(b.space[:0]))
}

// hold keeps a body at hand, and lets go of the oldest when they are too many.
func (b *bodies) hold(k *knownBody, data []byte) {
	if len(data) >= sumAtOnce {
		return
	}
	k.data = data
	b.recent = append(b.recent, k)
	b.held += cap(data)
	for b.held > heldBytes {
		old := b.recent[0]
		b.held -= cap(old.data)
		old.data = nil
		b.recent[0] = nil
		b.recent = b.recent[1:]
	}
}

// put stores a body that look has looked at, masked meanwhile.
func (b *bodies) put(body *exchange.Body, p pending, seq int64) stored {
	switch {
	case p.of != nil:
		return stored{pieces: p.of.pieces}
	case len(body.Data) == 0:
		return stored{}
	case p.none:
		return stored{inline: true}
	}
	n := (len(body.Data) + pieceSize - 1) / pieceSize
	if len(b.pieces) < n {
		b.pieces = make([]piece, max(n, 512))
	}
	ps := b.pieces[:0:n]
	b.pieces = b.pieces[n:]
	for rest := body.Data; len(rest) > 0; {
		n := min(len(rest), pieceSize)
		ps = append(ps, b.write(rest[:n], seq))
		rest = rest[n:]
	}
	if len(b.slab) == 0 {
		b.slab = make([]knownBody, 256)
	}
	k := &b.slab[0]
	b.slab = b.slab[1:]
	*k = knownBody{pieces: ps, kind: p.kind, sum: p.sum, summed: p.summed}
	b.remember(p.hash, k)
	b.hold(k, p.data)
	return stored{pieces: ps}
}

// usable makes sure that the pieces' chunks live as long as the exchange seq.
func (b *bodies) usable(ps []piece, seq int64) bool {
	last := int64(0)
	for _, p := range ps {
		if p.chunk == last {
			continue
		}
		last = p.chunk
		if _, ok := b.until[p.chunk]; !ok {
			return false
		}
		b.until[p.chunk], b.changed[p.chunk] = seq, seq
	}
	return true
}

func (b *bodies) write(data []byte, seq int64) piece {
	if len(b.buf)+len(data) > chunkSize {
		b.flush()
	}
	if len(b.buf) == 0 {
		b.until[b.id] = seq
	}
	b.last = seq
	p := piece{b.id, uint32(len(b.buf)), uint32(len(data))}
	b.buf = append(b.buf, data...)
	return p
}

func (b *bodies) remember(hash uint64, k *knownBody) {
	if len(b.young) >= known {
		b.old, b.young = b.young, b.old
		clear(b.young)
		if b.young == nil {
			b.young = make(map[uint64]*knownBody, known)
		}
	}
	b.young[hash] = k
}

// flush seals the chunk that is being filled.
func (b *bodies) flush() {
	if len(b.buf) == 0 {
		return
	}
	last := max(b.last, b.until[b.id])
	b.until[b.id], b.changed[b.id] = last, last
	b.id = b.seal(b.id, b.buf)
	b.buf = b.buf[:0]
}

// trimmed forgets chunks that no longer exist.
func (b *bodies) trimmed(seq int64) {
	for id, until := range b.until {
		if until < seq {
			delete(b.until, id)
		}
	}
}
