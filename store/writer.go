package store

import (
	"database/sql/driver"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/parley-project/parley/exchange"
)

const (
	// maxBatch and maxDelay bound a transaction.
	maxBatch = 2000
	maxDelay = 50 * time.Millisecond
	// wakeAt is how many exchanges the writer lets come before it takes them.
	wakeAt = 250
	// maxBatchBytes bounds what a transaction holds in memory, compressed.
	maxBatchBytes = 16 << 20
	// busyBatch is how many exchanges in maxDelay make the writer hurry.
	busyBatch = 100
	// retryAfter is how long the writer rests when the disk refuses.
	retryAfter = time.Second
)

type packedChunk struct {
	id   int64
	data []byte
}

type actionKey struct {
	check, kind, rule, operation string
	enforced                     bool
}

type actionSum struct{ n, last int64 }

// writer turns exchanges into rows and chunks and writes them. Everything of a
// batch is kept until its transaction is committed, so that a failed one can
// be tried again as it is.
type writer struct {
	c      *conn
	mask   func(*exchange.Exchange) // nil: secrets are kept
	zip    *zstd.Encoder
	words  *words
	shapes *shapes
	body   *bodies
	enc    encoder
	latest [near]recorded // the exchanges before seq, each at its seq modulo near

	seq       int64 // of the next exchange
	nextChunk int64
	detailID  int64 // chunk that enc becomes
	busy      bool  // compress quickly

	// The batch.
	base    int64 // seq of rows[0]
	rows    []record
	links   []linkRow
	chunks  []packedChunk
	uses    []packedUse
	actions map[actionKey]actionSum
	packed  []byte // the chunks' data, one after the other
	checks  []byte
	keys    []key

	broken atomic.Pointer[error] // tests: what every transaction fails with

	// IDs of the rows of a statement, with the slices that the driver wants of
	// them: boxed once instead of for each row.
	ids     [widest][16]byte
	idBoxes [widest]driver.Value

	insertRow, insertShape, insertLink, insertChunk, insertUse *inserter
}

type recorded struct {
	seq int64
	key key
}

type packedUse struct{ id, until int64 }

func newWriter(c *conn, mask func(*exchange.Exchange)) (*writer, error) {
	w := &writer{c: c, mask: mask, actions: map[actionKey]actionSum{}}
	seq, err := c.int("SELECT coalesce(max(seq), 0) FROM exchange")
	if err != nil {
		return nil, err
	}
	chunk, err := c.int("SELECT coalesce(max(id), 0) FROM chunk")
	if err != nil {
		return nil, err
	}
	if w.words, err = newWords(c); err != nil {
		return nil, err
	}
	if w.shapes, err = newShapes(c); err != nil {
		return nil, err
	}
	w.zip, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(true), zstd.WithWindowSize(chunkSize), zstd.WithSingleSegment(true))
	if err != nil {
		return nil, err
	}
	w.seq, w.base = seq+1, seq+1
	w.body = newBodies()
	w.nextChunk = chunk + 1
	w.body.id, w.detailID = w.takeChunk(), w.takeChunk()
	w.body.seal = func(id int64, raw []byte) int64 {
		w.pack(id, raw)
		return w.takeChunk()
	}
	w.enc.reset()
	for i := range w.ids {
		w.idBoxes[i] = w.ids[i][:]
	}
	w.insertRow = newInserter(c, "INSERT OR ROLLBACK INTO exchange", 10)
	w.insertShape = newInserter(c, "INSERT INTO shape", shapeColumns)
	w.insertLink = newInserter(c, "INSERT INTO link", 4)
	w.insertChunk = newInserter(c, "INSERT INTO chunk", 2)
	w.insertUse = newInserter(c, "INSERT OR REPLACE INTO chunk_use", 2)
	return w, nil
}

func (w *writer) takeChunk() int64 {
	w.nextChunk++
	return w.nextChunk - 1
}

// pack compresses a chunk into the batch: with zstd, or when much comes with
// S2, which takes a third of the time and leaves half as much again.
func (w *writer) pack(id int64, raw []byte) {
	from := len(w.packed)
	if w.busy {
		w.packed = slices.Grow(w.packed, s2Head+s2.MaxEncodedLen(len(raw)))
		head := append(w.packed, s2Mark)
		head = binary.LittleEndian.AppendUint32(head, crc32.Checksum(raw, castagnoli))
		w.packed = w.packed[:len(head)+len(s2.Encode(head[len(head):cap(head)], raw))]
	} else {
		w.packed = w.zip.EncodeAll(raw, w.packed)
	}
	w.chunks = append(w.chunks, packedChunk{id: id, data: w.packed[from:len(w.packed):len(w.packed)]})
}

// add takes an exchange into the batch.
func (w *writer) add(x *exchange.Exchange) {
	seq := w.seq
	var req, resp stored
	p := w.body.look(&x.Request.Body, x.Request.Header, seq)
	var q pending
	if r := x.Response; r != nil {
		q = w.body.look(&r.Body, r.Header, seq)
	}
	if w.mask != nil {
		w.mask(x)
	}
	req = w.body.put(&x.Request.Body, p, seq)
	if r := x.Response; r != nil {
		resp = w.body.put(&r.Body, q, seq)
	}
	w.rows = append(w.rows, record{})
	r := &w.rows[len(w.rows)-1]
	off := len(w.enc.buf)
	keys := append(w.keys[:0], keyOf(x.ID))
	for _, l := range x.Links {
		keys = append(keys, keyOf(l.ID))
	}
	w.keys = keys
	w.enc.exchange(x, keys, req, resp)
	r.detail = w.detailID<<24 | int64(off)
	w.fill(r, x, keys)
	for i := range x.Actions {
		a := &x.Actions[i]
		k := actionKey{a.Check, string(a.Kind), a.Rule, x.Server.Operation, a.Enforced}
		sum := w.actions[k]
		w.actions[k] = actionSum{sum.n + 1, seq}
	}
	w.seq++
	if w.enc.size() > chunkSize {
		w.sealDetail()
	}
}

func (w *writer) sealDetail() {
	if len(w.enc.buf) == 0 {
		return
	}
	w.pack(w.detailID, w.enc.finish())
	w.uses = append(w.uses, packedUse{w.detailID, w.seq - 1})
	w.detailID = w.takeChunk()
	w.enc.reset()
}

// full reports whether the batch should be written now.
func (w *writer) full() bool { return len(w.rows) >= maxBatch || len(w.packed) >= maxBatchBytes }

// commit writes the batch in one transaction. After an error the batch is as
// it was.
func (w *writer) commit() (err error) {
	w.sealDetail()
	w.body.flush()
	if len(w.rows) == 0 {
		return nil
	}
	if err := w.c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			w.c.exec("ROLLBACK")
		}
	}()
	if err := w.writeBatch(); err != nil {
		return err
	}
	if p := w.broken.Load(); p != nil {
		return *p
	}
	if err := w.c.exec("COMMIT"); err != nil {
		return err
	}
	w.words.written()
	w.shapes.written()
	w.clearBatch()
	return nil
}

// clearBatch forgets what was written, or is given up.
func (w *writer) clearBatch() {
	clear(w.rows)
	clear(w.links)
	clear(w.chunks)
	w.rows, w.links, w.chunks, w.uses = w.rows[:0], w.links[:0], w.chunks[:0], w.uses[:0]
	clear(w.body.changed)
	clear(w.actions)
	w.packed = w.packed[:0]
	if cap(w.packed) > 2*maxBatchBytes {
		w.packed = nil
	}
	w.base = w.seq
}

func (w *writer) writeBatch() error {
	ctx := background
	for i, text := range w.words.added {
		id := w.words.next - int64(len(w.words.added)) + int64(i)
		err := w.c.run("INSERT INTO word VALUES (?, ?)", []driver.NamedValue{{Ordinal: 1, Value: id}, {Ordinal: 2, Value: []byte(text)}})
		if err != nil {
			return err
		}
	}
	err := w.insertChunk.insert(ctx, len(w.chunks), func(i int, a []driver.NamedValue) {
		a[0].Value, a[1].Value = w.chunks[i].id, w.chunks[i].data
	})
	if err != nil {
		return err
	}
	uses := slices.Clone(w.uses)
	for id, until := range w.body.changed {
		uses = append(uses, packedUse{id, until})
	}
	err = w.insertUse.insert(ctx, len(uses), func(i int, a []driver.NamedValue) {
		a[0].Value, a[1].Value = uses[i].id, uses[i].until
	})
	if err != nil {
		return err
	}
	if err = w.insertShape.insert(ctx, len(w.shapes.added), w.shapes.arguments); err != nil {
		return err
	}
	err = w.insertRow.insert(ctx, len(w.rows), func(i int, a []driver.NamedValue) {
		r := &w.rows[i]
		a[0].Value = w.base + int64(i)
		if r.id.text == "" {
			w.ids[i%len(w.ids)] = r.id.ulid
			a[1].Value = w.idBoxes[i%len(w.ids)]
		} else {
			a[1].Value = r.id.text
		}
		a[2].Value = r.start
		a[3].Value = r.shape
		a[4].Value = box(r.subject)
		a[5].Value = box(r.reqSize)
		a[6].Value = box(r.respSize)
		a[7].Value = r.total
		a[8].Value = r.detail
		a[9].Value = r.target
	})
	if err != nil {
		return err
	}
	if err := w.writeRanges(); err != nil {
		return err
	}
	err = w.insertLink.insert(ctx, len(w.links), func(i int, a []driver.NamedValue) {
		l := &w.links[i]
		a[0].Value, a[1].Value, a[2].Value, a[3].Value = l.seq, l.n, l.kind, l.dst.value()
	})
	if err != nil {
		return err
	}
	for k, sum := range w.actions {
		enforced := int64(0)
		if k.enforced {
			enforced = 1
		}
		err := w.c.run(`INSERT INTO action_count VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET n = n + excluded.n, last = excluded.last`,
			[]driver.NamedValue{{Ordinal: 1, Value: k.check}, {Ordinal: 2, Value: k.kind}, {Ordinal: 3, Value: k.rule},
				{Ordinal: 4, Value: k.operation}, {Ordinal: 5, Value: enforced}, {Ordinal: 6, Value: sum.n}, {Ordinal: 7, Value: sum.last}})
		if err != nil {
			return err
		}
	}
	return nil
}

// writeRanges writes between which IDs those of the batch lie.
func (w *writer) writeRanges() error {
	for i := 0; i < len(w.rows); {
		part := (w.base + int64(i)) >> 10
		low, high := &w.rows[i].id, &w.rows[i].id
		for ; i < len(w.rows) && (w.base+int64(i))>>10 == part; i++ {
			k := &w.rows[i].id
			if k.compare(low) < 0 {
				low = k
			} else if k.compare(high) > 0 {
				high = k
			}
		}
		err := w.c.run("INSERT INTO id_range VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET low = min(low, excluded.low), high = max(high, excluded.high)",
			[]driver.NamedValue{{Ordinal: 1, Value: part}, {Ordinal: 2, Value: low.value()}, {Ordinal: 3, Value: high.value()}})
		if err != nil {
			return err
		}
	}
	return nil
}

// view returns b as a string without a copy; b must not change while the
// string is in use.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf returns s as bytes without a copy, to be looked at only.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
