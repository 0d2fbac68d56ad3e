package store

import (
	"database/sql/driver"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/oklog/ulid/v2"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/filter"
)

const (
	// maxBatch and maxDelay bound a transaction.
	maxBatch = 500
	maxDelay = 50 * time.Millisecond
	// maxBatchBytes bounds what a transaction holds in memory, compressed.
	maxBatchBytes = 16 << 20
	// busyBatch is how many exchanges in maxDelay make the writer hurry.
	busyBatch = 100
	// retryAfter is how long the writer rests when the disk refuses.
	retryAfter = time.Second
)

// Bits of exchange.flags.
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
	id         []byte
	textID     string // instead of id when it is no ULID
	idSpace    [16]byte
	target     string
	start      int64
	source     driver.Value
	side       driver.Value
	method     driver.Value
	authority  driver.Value
	operation  driver.Value
	media      driver.Value
	subject    driver.Value
	caller     driver.Value
	found      driver.Value
	acted      driver.Value
	status     int64
	flags      int64
	severities int64
	actions    int64
	reqSize    int64
	respSize   int64
	total      int64
	detail     int64
}

type linkRow struct {
	seq, n int64
	kind   driver.Value
	dst    any
}

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
	c     *conn
	mask  func(*exchange.Exchange) // nil: secrets are kept
	zip   *zstd.Encoder
	words *words
	body  *bodies
	enc   encoder

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

	broken atomic.Pointer[error] // tests: what every transaction fails with

	insertRow, insertLink, insertChunk, insertUse *inserter
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
	w.insertRow = newInserter(c, "INSERT INTO exchange", 22)
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
	w.seq++
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
	r.subject, r.caller, r.found, r.acted = noWord, noWord, noWord, noWord
	off := len(w.enc.buf)
	w.enc.exchange(x, req, resp)
	r.detail = w.detailID<<24 | int64(off)
	w.fill(r, x)
	for i, l := range x.Links {
		w.links = append(w.links, linkRow{seq, int64(i), w.words.id(string(l.Kind)), idValue(l.ID)})
	}
	for i := range x.Actions {
		a := &x.Actions[i]
		k := actionKey{a.Check, string(a.Kind), a.Rule, x.Server.Operation, a.Enforced}
		sum := w.actions[k]
		w.actions[k] = actionSum{sum.n + 1, seq}
	}
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

func (w *writer) fill(r *record, x *exchange.Exchange) {
	if id, err := ulid.ParseStrict(string(x.ID)); err == nil && id.String() == string(x.ID) {
		r.idSpace = id
	} else {
		r.textID = string(x.ID)
		if r.textID == "" {
			r.textID = " " // "" would be NULL to the driver's eyes of a blob
		}
	}
	r.start = x.Start.UnixNano()
	r.source = w.words.id(string(x.Source))
	r.side = w.words.id(string(x.Side))
	r.method = w.words.id(x.Request.Method)
	r.authority = w.words.id(x.Request.Authority)
	r.operation = w.words.id(x.Server.Operation)
	r.media = w.words.id(filter.MediaType(x))
	r.target = x.Request.Target
	r.reqSize = x.Request.Body.Size
	r.total = int64(x.Times.Total)
	if c := x.Server.Caller; c != nil {
		r.flags |= flagCaller
		r.subject = w.words.id(string(c.Subject))
		r.caller = w.words.id(c.Name)
	}
	if p := x.Response; p != nil {
		r.flags |= flagResponse
		r.status = int64(p.Status)
		r.respSize = p.Body.Size
	}
	if x.Failure != "" {
		r.flags |= flagFailure
	}
	if x.TLS != nil {
		r.flags |= flagTLS
		if x.TLS.Clear {
			r.flags |= flagClear
		}
	}
	if odd(x.Request.Target) {
		r.flags |= flagOdd
	}
	if len(x.Findings) > 0 {
		w.checks = w.checks[:0]
		for i := range x.Findings {
			w.checks = addCheck(w.checks, x.Findings[i].Check)
			r.severities = count(r.severities, int(x.Findings[i].Severity), 5, 12)
		}
		r.found = w.words.id(view(w.checks))
	}
	if len(x.Actions) > 0 {
		w.checks = w.checks[:0]
		for i := range x.Actions {
			a := &x.Actions[i]
			w.checks = addCheck(w.checks, a.Check)
			slot := -1
			switch a.Kind {
			case exchange.Refused:
				slot, r.flags = 0, r.flags|flagRefused
			case exchange.Stripped:
				slot, r.flags = 1, r.flags|flagStripped
			case exchange.Repaired:
				slot, r.flags = 2, r.flags|flagRepaired
			}
			if !a.Enforced {
				r.flags |= flagWould
				if slot >= 0 {
					slot += 3
				}
			}
			r.actions = count(r.actions, slot, 6, 10)
		}
		r.acted = w.words.id(view(w.checks))
	}
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

// idValue is how an ID stands in the file: 16 bytes when it is a ULID.
func idValue(id exchange.ID) any {
	if u, err := ulid.ParseStrict(string(id)); err == nil && u.String() == string(id) {
		return u[:]
	}
	if id == "" {
		return " "
	}
	return string(id)
}

func (r *record) idValue() driver.Value {
	if r.textID != "" {
		return r.textID
	}
	return r.idSpace[:]
}

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
	err = w.insertRow.insert(ctx, len(w.rows), func(i int, a []driver.NamedValue) {
		r := &w.rows[i]
		a[0].Value = w.base + int64(i)
		a[1].Value = r.idValue()
		a[2].Value = r.start
		a[3].Value = r.source
		a[4].Value = r.side
		a[5].Value = r.method
		a[6].Value = r.authority
		a[7].Value = r.operation
		a[8].Value = r.media
		a[9].Value = r.subject
		a[10].Value = r.caller
		a[11].Value = r.found
		a[12].Value = r.acted
		a[13].Value = box(r.status)
		a[14].Value = box(r.flags)
		a[15].Value = box(r.severities)
		a[16].Value = box(r.actions)
		a[17].Value = box(r.reqSize)
		a[18].Value = box(r.respSize)
		a[19].Value = r.total
		a[20].Value = r.detail
		a[21].Value = r.target
	})
	if err != nil {
		return err
	}
	err = w.insertLink.insert(ctx, len(w.links), func(i int, a []driver.NamedValue) {
		l := &w.links[i]
		a[0].Value, a[1].Value, a[2].Value, a[3].Value = l.seq, l.n, l.kind, l.dst
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

// view returns b as a string without a copy; b must not change while the
// string is in use.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf returns s as bytes without a copy, to be looked at only.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
