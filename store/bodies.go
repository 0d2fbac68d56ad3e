package store

import (
	"crypto/sha256"
	"unsafe"
)

const (
	// inlineBody is the length up to which a body lies among the texts of its
	// record's chunk.
	inlineBody = 96
	// pieceSize is the most that is stored as one.
	pieceSize = 64 << 10
	// chunkSize is about how much is compressed together.
	chunkSize = 256 << 10
	// lease is for how many exchanges more a chunk may be referred to.
	lease = 1 << 16
	// known is how many pieces are remembered in each of two generations.
	known = 1 << 15
)

// piece is a part of a body in a chunk.
type piece struct {
	chunk    int64
	off, len uint32
}

// bodies finds where a body's data was stored, and stores it otherwise.
type bodies struct {
	buf  []byte // the chunk that is being filled
	id   int64  // its number
	seal func(id int64, raw []byte) (next int64)

	// Two generations of digests: the older is forgotten when the newer is
	// full, which is nearly the least recently used at a part of the cost.
	young, old map[[sha256.Size]byte]piece
	until      map[int64]int64 // chunk: last seq that may refer to it
	extended   map[int64]int64 // of these, what the file does not know yet

	// recent holds the last bodies themselves: an intermediary records both
	// of its sides, mostly with the very same bytes.
	recent [8]struct {
		data   []byte
		pieces []piece
	}
	next int
}

func newBodies() *bodies {
	b := &bodies{extended: map[int64]int64{}}
	b.forget()
	return b
}

// forget drops everything known, so that everything is written again.
func (b *bodies) forget() {
	b.young = make(map[[sha256.Size]byte]piece, known/8)
	b.old = nil
	b.until = map[int64]int64{}
	b.recent = [8]struct {
		data   []byte
		pieces []piece
	}{}
}

// put stores data for the exchange seq. What was put must not change later.
func (b *bodies) put(data []byte, seq int64) stored {
	if len(data) <= inlineBody {
		return stored{inline: true}
	}
	p := unsafe.SliceData(data)
	for i := range b.recent {
		r := &b.recent[i]
		if len(r.data) == len(data) && unsafe.SliceData(r.data) == p && b.usable(r.pieces, seq) {
			return stored{pieces: r.pieces}
		}
	}
	var ps []piece
	for rest := data; len(rest) > 0; {
		n := min(len(rest), pieceSize)
		ps = append(ps, b.piece(rest[:n], seq))
		rest = rest[n:]
	}
	b.recent[b.next] = struct {
		data   []byte
		pieces []piece
	}{data, ps}
	b.next = (b.next + 1) % len(b.recent)
	return stored{pieces: ps}
}

// usable makes sure that the pieces' chunks will outlive the exchange seq.
func (b *bodies) usable(ps []piece, seq int64) bool {
	for _, p := range ps {
		until, ok := b.until[p.chunk]
		if !ok {
			return false
		}
		if seq > until {
			b.until[p.chunk] = seq + lease
			b.extended[p.chunk] = seq + lease
		}
	}
	return true
}

func (b *bodies) piece(data []byte, seq int64) piece {
	sum := sha256.Sum256(data)
	p, ok := b.young[sum]
	if !ok {
		if p, ok = b.old[sum]; ok {
			b.remember(sum, p)
		}
	}
	if ok && b.usable([]piece{p}, seq) {
		return p
	}
	if len(b.buf)+len(data) > chunkSize {
		b.flush()
	}
	p = piece{b.id, uint32(len(b.buf)), uint32(len(data))}
	b.buf = append(b.buf, data...)
	if _, ok := b.until[b.id]; !ok {
		b.until[b.id] = seq + lease
		b.extended[b.id] = seq + lease
	}
	b.remember(sum, p)
	return p
}

func (b *bodies) remember(sum [sha256.Size]byte, p piece) {
	if len(b.young) >= known {
		b.old, b.young = b.young, b.old
		clear(b.young)
		if b.young == nil {
			b.young = make(map[[sha256.Size]byte]piece, known)
		}
	}
	b.young[sum] = p
}

// flush seals the chunk that is being filled.
func (b *bodies) flush() {
	if len(b.buf) == 0 {
		return
	}
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
