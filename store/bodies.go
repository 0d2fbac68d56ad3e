package store

import (
	"crypto/sha256"
	"hash"
	"unsafe"

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
	// lease is for how many exchanges more a chunk may be referred to.
	lease = 1 << 16
	// known is how many bodies are remembered in each of two generations.
	known = 1 << 15
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
// Content-Encoding and whether it was cut off, so these are what a digest
// covers.
type bodies struct {
	buf  []byte // the chunk that is being filled
	id   int64  // its number
	seal func(id int64, raw []byte) (next int64)

	// Two generations of digests: the older is forgotten when the newer is
	// full, which is nearly the least recently used at a part of the cost.
	young, old map[digest][]piece
	until      map[int64]int64 // chunk: last seq that may refer to it
	extended   map[int64]int64 // of these, what the file does not know yet
	slab       []piece         // where slices of one piece are cut from
	sum        hash.Hash
	tag        []byte

	// recent holds the last bodies themselves: an intermediary records both
	// of its sides, mostly with the very same bytes.
	recent [8]recentBody
	next   int
}

type digest [sha256.Size]byte

type recentBody struct {
	data                []byte
	mediaType, encoding string
	open                bool
	pieces              []piece
}

// pending is a body on its way into the store.
type pending struct {
	raw  recentBody
	sum  digest
	hit  bool
	none bool // too small to be remembered, or not there
}

func newBodies() *bodies {
	b := &bodies{extended: map[int64]int64{}, sum: sha256.New()}
	b.forget()
	return b
}

// forget drops everything known, so that everything is written again.
func (b *bodies) forget() {
	b.young = make(map[digest][]piece, known/8)
	b.old = nil
	b.until = map[int64]int64{}
	b.recent = [8]recentBody{}
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
	p.raw = recentBody{data: data, mediaType: h.Get("Content-Type"), encoding: h.Get("Content-Encoding"), open: rest > 0}
	for i := range b.recent {
		r := &b.recent[i]
		if len(r.data) == len(data) && unsafe.SliceData(r.data) == unsafe.SliceData(data) && r.open == p.raw.open &&
			r.mediaType == p.raw.mediaType && r.encoding == p.raw.encoding && b.usable(r.pieces, seq) {
			p.hit, p.raw.pieces = true, r.pieces
			break
		}
	}
	if !p.hit {
		b.tag = append(append(append(b.tag[:0], p.raw.mediaType...), 0), p.raw.encoding...)
		b.tag = append(b.tag, 0, byte(min(max(rest, 0), 1)))
		b.sum.Reset()
		b.sum.Write(data)
		b.sum.Write(b.tag)
		b.sum.Sum(p.sum[:0])
		ps, ok := b.young[p.sum]
		if !ok {
			if ps, ok = b.old[p.sum]; ok {
				b.remember(p.sum, ps)
			}
		}
		if ok && b.usable(ps, seq) {
			p.hit, p.raw.pieces = true, ps
			b.ring(p.raw)
		}
	}
	if p.hit {
		body.Data = nil
		body.Size = rest + stored{pieces: p.raw.pieces}.size()
	}
	return p
}

// put stores a body that look has looked at, masked meanwhile.
func (b *bodies) put(body *exchange.Body, p pending, seq int64) stored {
	switch {
	case p.hit:
		return stored{pieces: p.raw.pieces}
	case len(body.Data) == 0:
		return stored{}
	case p.none:
		return stored{inline: true}
	}
	n := (len(body.Data) + pieceSize - 1) / pieceSize
	if len(b.slab) < n {
		b.slab = make([]piece, max(n, 512))
	}
	ps := b.slab[:0:n]
	b.slab = b.slab[n:]
	for rest := body.Data; len(rest) > 0; {
		n := min(len(rest), pieceSize)
		ps = append(ps, b.write(rest[:n], seq))
		rest = rest[n:]
	}
	p.raw.pieces = ps
	b.remember(p.sum, ps)
	b.ring(p.raw)
	return stored{pieces: ps}
}

func (b *bodies) ring(r recentBody) {
	b.recent[b.next] = r
	b.next = (b.next + 1) % len(b.recent)
}

// usable makes sure that the pieces' chunks will outlive the exchange seq.
func (b *bodies) usable(ps []piece, seq int64) bool {
	last := int64(0)
	for _, p := range ps {
		if p.chunk == last {
			continue
		}
		last = p.chunk
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

func (b *bodies) write(data []byte, seq int64) piece {
	if len(b.buf)+len(data) > chunkSize {
		b.flush()
	}
	if len(b.buf) == 0 {
		b.until[b.id] = seq + lease
		b.extended[b.id] = seq + lease
	}
	p := piece{b.id, uint32(len(b.buf)), uint32(len(data))}
	b.buf = append(b.buf, data...)
	return p
}

func (b *bodies) remember(sum digest, ps []piece) {
	if len(b.young) >= known {
		b.old, b.young = b.young, b.old
		clear(b.young)
		if b.young == nil {
			b.young = make(map[digest][]piece, known)
		}
	}
	b.young[sum] = ps
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
