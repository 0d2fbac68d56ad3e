package store

import (
	"container/list"
	"context"
	"database/sql"
	"encoding/binary"
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// A chunk is never larger than this when it is unpacked; a damaged file must
// not make us allocate without limit.
const maxChunk = 64 << 20

// cachedBytes is how much of unpacked chunks readers keep.
const cachedBytes = 16 << 20

// chunks fetches and unpacks, and keeps the latest.
type chunks struct {
	db  *sql.DB
	dec *zstd.Decoder

	mu   sync.Mutex
	m    map[int64]*list.Element
	lru  list.List
	size int
}

type unpacked struct {
	id     int64
	raw    string
	detail *detail // once it was asked for
}

func newChunks(db *sql.DB) *chunks {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxChunk))
	if err != nil {
		panic(err) // only for options that contradict each other
	}
	return &chunks{db: db, dec: dec, m: map[int64]*list.Element{}}
}

// raw returns a chunk's bytes.
func (c *chunks) raw(ctx context.Context, id int64) (*unpacked, error) {
	c.mu.Lock()
	if e := c.m[id]; e != nil {
		c.lru.MoveToFront(e)
		u := e.Value.(*unpacked)
		c.mu.Unlock()
		return u, nil
	}
	c.mu.Unlock()
	var packed []byte
	err := c.db.QueryRowContext(ctx, "SELECT data FROM chunk WHERE id = ?", id).Scan(&packed)
	if err == sql.ErrNoRows {
		return nil, corrupt("no chunk %d", id)
	}
	if err != nil {
		return nil, err
	}
	raw, err := c.unpack(packed)
	if err != nil {
		return nil, corrupt("chunk %d: %w", id, err)
	}
	u := &unpacked{id: id, raw: view(raw)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.m[id]; e != nil {
		return e.Value.(*unpacked), nil
	}
	c.m[id] = c.lru.PushFront(u)
	c.size += len(u.raw)
	for c.size > cachedBytes && c.lru.Len() > 1 {
		old := c.lru.Remove(c.lru.Back()).(*unpacked)
		delete(c.m, old.id)
		c.size -= len(old.raw)
	}
	return u, nil
}

// A chunk that does not begin as a zstd frame begins with this byte and the
// CRC-32C of what the S2 block after it holds.
const (
	s2Mark = 's'
	s2Head = 5
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (c *chunks) unpack(packed []byte) ([]byte, error) {
	if len(packed) < s2Head || packed[0] != s2Mark {
		return c.dec.DecodeAll(packed, nil)
	}
	n, err := s2.DecodedLen(packed[s2Head:])
	if err != nil {
		return nil, err
	}
	if n > maxChunk {
		return nil, zstd.ErrDecoderSizeExceeded
	}
	raw, err := s2.Decode(nil, packed[s2Head:])
	if err == nil && crc32.Checksum(raw, castagnoli) != binary.LittleEndian.Uint32(packed[1:]) {
		err = zstd.ErrCRCMismatch
	}
	return raw, err
}

// details returns a chunk of records.
func (c *chunks) details(ctx context.Context, id int64) (*detail, error) {
	u, err := c.raw(ctx, id)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	d := u.detail
	c.mu.Unlock()
	if d != nil {
		return d, nil
	}
	if d, err = parseDetail(u.raw); err != nil {
		return nil, err
	}
	c.mu.Lock()
	u.detail = d
	c.mu.Unlock()
	return d, nil
}
