package store

// How an exchange lies in a chunk. A record is a sequence of numbers (varints)
// and references to the chunk's table of texts, so that a header field that a
// thousand exchanges share is there once. The format carries no field names:
// a change to exchange is a new version byte here, and old versions stay
// readable.
//
// What comes back equals what was recorded, with these rules: times are in UTC
// and without a monotonic reading; a slice or map without elements comes back
// nil; claims keep the types that JSON gives, and others become those.

import (
	"encoding/binary"
	"encoding/json"
	"hash/maphash"
	"math"
	"net/netip"
	"time"
	"unsafe"

	"github.com/parley-project/parley/exchange"
)

const recordVersion = 1

// table collects the texts of a chunk, each once.
type table struct {
	data  []byte
	ends  []uint32
	slots []uint32 // index + 1; 0 is free
	used  int

	// same has texts by where they lie in memory: constants, and what the two
	// sides of a guarded call share, are found without a look at their bytes.
	same [1024]sameText
}

type sameText struct {
	text string // held, so that nothing else can come to lie there
	n    uint32
}

var seed = maphash.MakeSeed()

func (t *table) reset() {
	t.data, t.ends, t.used = t.data[:0], t.ends[:0], 0
	clear(t.same[:])
	if len(t.slots) == 0 {
		t.slots = make([]uint32, 1<<10)
		return
	}
	clear(t.slots)
}

func (t *table) at(i uint32) []byte {
	from := uint32(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	return t.data[from:t.ends[i]]
}

// index returns where s stands in the table; 0 is the empty text.
func (t *table) index(s string) uint64 {
	if s == "" {
		return 0
	}
	at := uintptr(unsafe.Pointer(unsafe.StringData(s)))
	same := &t.same[(at>>3^at>>12)%uintptr(len(t.same))]
	if len(same.text) == len(s) && unsafe.StringData(same.text) == unsafe.StringData(s) {
		return uint64(same.n)
	}
	*same = sameText{s, t.search(s)}
	return uint64(same.n)
}

// search returns where s stands in the table, by its bytes; if need be it is
// put there.
func (t *table) search(s string) uint32 {
	mask := uint32(len(t.slots) - 1)
	h := uint32(maphash.String(seed, s)) & mask
	for ; t.slots[h] != 0; h = (h + 1) & mask {
		if i := t.slots[h] - 1; string(t.at(i)) == s {
			return i + 1
		}
	}
	t.data = append(t.data, s...)
	t.ends = append(t.ends, uint32(len(t.data)))
	n := uint32(len(t.ends))
	t.slots[h] = n
	if t.used++; t.used*2 > len(t.slots) {
		t.grow()
	}
	return n
}

func (t *table) grow() {
	t.slots = make([]uint32, 2*len(t.slots))
	mask := uint32(len(t.slots) - 1)
	for i := range t.ends {
		h := uint32(maphash.Bytes(seed, t.at(uint32(i)))) & mask
		for t.slots[h] != 0 {
			h = (h + 1) & mask
		}
		t.slots[h] = uint32(i) + 1
	}
}

// encoder builds the records of one chunk.
type encoder struct {
	buf []byte
	tab table
}

func (e *encoder) reset()     { e.buf = e.buf[:0]; e.tab.reset() }
func (e *encoder) u(n uint64) { e.buf = binary.AppendUvarint(e.buf, n) }
func (e *encoder) i(n int64)  { e.buf = binary.AppendVarint(e.buf, n) }
func (e *encoder) s(s string) { e.u(e.tab.index(s)) }

// bytes writes a text whose memory may hold another one later.
func (e *encoder) bytes(b []byte) {
	if len(b) == 0 {
		e.u(0)
		return
	}
	e.u(uint64(e.tab.search(view(b))))
}

// id writes an ID: 0 and the 16 bytes of a ULID, or a text and one.
func (e *encoder) id(k *key, id exchange.ID) {
	if k.text == "" {
		e.buf = append(append(e.buf, 0), k.ulid[:]...)
		return
	}
	e.u(e.tab.index(string(id)) + 1)
}

func (e *encoder) size() int         { return len(e.buf) + len(e.tab.data) }
func (e *encoder) d(d time.Duration) { e.i(int64(d)) }

func (e *encoder) b(bs ...bool) {
	var n uint64
	for i, b := range bs {
		if b {
			n |= 1 << i
		}
	}
	e.u(n)
}

func (e *encoder) t(t time.Time) {
	if t.IsZero() {
		e.u(0)
		return
	}
	e.u(1)
	e.i(t.Unix())
	e.u(uint64(t.Nanosecond()))
}

// finish returns the chunk's bytes: records, texts, where each text ends, how
// long the records are, how many texts there are.
func (e *encoder) finish() []byte {
	records := len(e.buf)
	e.buf = append(e.buf, e.tab.data...)
	for _, end := range e.tab.ends {
		e.buf = binary.LittleEndian.AppendUint32(e.buf, end)
	}
	e.buf = binary.LittleEndian.AppendUint32(e.buf, uint32(records))
	return binary.LittleEndian.AppendUint32(e.buf, uint32(len(e.tab.ends)))
}

// exchange writes a record. keys are those of the exchange's ID and its links.
func (e *encoder) exchange(x *exchange.Exchange, keys []key, req, resp stored) {
	e.buf = append(e.buf, recordVersion)
	more := restOf(x)
	e.b(x.DNS != nil, x.TCP != nil, x.TLS != nil, x.Response != nil, x.Server.Caller != nil, x.Server.Credential != nil,
		len(x.Links) > 0, len(x.Findings) > 0, len(x.Actions) > 0, more != "")
	e.id(&keys[0], x.ID)
	e.s(string(x.Source))
	e.s(string(x.Side))
	e.t(x.Start)
	e.s(x.Failure)
	e.request(&x.Request, req)
	e.s(x.Server.Operation)
	e.s(x.Server.Mode)
	t := &x.Times
	for _, d := range [...]time.Duration{t.DNS, t.Connect, t.TLS, t.Send, t.Wait, t.Receive, t.Decide, t.Total} {
		e.d(d)
	}
	if r := x.Response; r != nil {
		e.i(int64(r.Status))
		e.s(r.Proto)
		e.header(r.Header)
		e.header(r.Trailer)
		e.s(string(r.Fidelity))
		e.body(&r.Body, resp)
	}
	if x.DNS != nil {
		e.dns(x.DNS)
	}
	if t := x.TCP; t != nil {
		e.addrPort(t.Local)
		e.addrPort(t.Remote)
		e.b(t.Reused)
	}
	if t := x.TLS; t != nil {
		e.b(t.Clear, t.Resumed, t.EarlyData)
		for _, s := range [...]string{t.Version, t.Suite, t.Group, t.ALPN, t.ServerName, t.PeerName} {
			e.s(s)
		}
		e.t(t.PeerExpiry)
	}
	if c := x.Server.Caller; c != nil {
		e.s(string(c.Subject))
		e.s(c.Name)
		e.strings(c.Roles)
		e.strings(c.Scopes)
		e.u(uint64(len(c.Claims)))
		for k, v := range c.Claims {
			e.s(k)
			e.any(v)
		}
	}
	if c := x.Server.Credential; c != nil {
		for _, s := range [...]string{c.Scheme, c.Carrier, c.Field, c.Fingerprint, c.Problem} {
			e.s(s)
		}
		e.b(c.Verified)
		e.t(c.Expires)
	}
	if len(x.Links) > 0 {
		e.u(uint64(len(x.Links)))
		for i, l := range x.Links {
			e.s(string(l.Kind))
			e.id(&keys[1+i], l.ID)
		}
	}
	if len(x.Findings) > 0 {
		e.u(uint64(len(x.Findings)))
		for i := range x.Findings {
			e.finding(&x.Findings[i])
		}
	}
	if len(x.Actions) > 0 {
		e.u(uint64(len(x.Actions)))
		for i := range x.Actions {
			a := &x.Actions[i]
			e.s(string(a.Kind))
			e.s(a.Check)
			e.b(a.Enforced)
			e.i(int64(a.Status))
			e.s(a.Rule)
			e.evidence(&a.Evidence)
		}
	}
	if more != "" {
		e.s(more)
	}
}

func (e *encoder) request(r *exchange.Request, body stored) {
	for _, s := range [...]string{r.Method, r.Scheme, r.Authority, r.Target, r.Proto} {
		e.s(s)
	}
	e.header(r.Header)
	e.s(string(r.Fidelity))
	e.body(&r.Body, body)
}

func (e *encoder) header(h exchange.Header) {
	e.u(uint64(len(h)))
	for i := range h {
		e.s(h[i].Name)
		e.s(h[i].Value)
	}
}

// body writes a body's size and where its data is: 0 nowhere, 1 in the table
// of texts, else the number of pieces + 1.
func (e *encoder) body(b *exchange.Body, at stored) {
	e.i(b.Size)
	switch {
	case at.inline:
		e.u(1)
		e.bytes(b.Data)
	case len(at.pieces) == 0:
		e.u(0)
	default:
		e.u(uint64(len(at.pieces)) + 1)
		for _, p := range at.pieces {
			e.u(uint64(p.chunk))
			e.u(uint64(p.off))
			e.u(uint64(p.len))
		}
	}
}

func (e *encoder) dns(d *exchange.DNS) {
	e.s(d.Name)
	e.s(d.Resolver)
	e.u(uint64(d.TTL))
	e.u(uint64(len(d.Addresses)))
	for _, a := range d.Addresses {
		b, _ := a.MarshalBinary()
		e.bytes(b)
	}
}

func (e *encoder) addrPort(a netip.AddrPort) {
	var space [64]byte
	b, _ := a.AppendBinary(space[:0])
	e.bytes(b)
}

func (e *encoder) strings(ss []string) {
	e.u(uint64(len(ss)))
	for _, s := range ss {
		e.s(s)
	}
}

func (e *encoder) finding(f *exchange.Finding) {
	e.s(f.Check)
	e.i(int64(f.Severity))
	e.s(string(f.Verdict))
	e.i(int64(f.Step))
	e.s(f.Fingerprint)
	e.u(uint64(len(f.Evidence)))
	for i := range f.Evidence {
		e.evidence(&f.Evidence[i])
	}
}

func (e *encoder) evidence(v *exchange.Evidence) {
	e.s(v.Where)
	e.s(v.Name)
	e.s(v.Says)
}

// Kinds of claim values.
const (
	anyNil = iota
	anyFalse
	anyTrue
	anyString
	anyFloat
	anyInt
	anyInt64
	anyNumber
	anyList
	anyMap
	anyStrings
	anyJSON
)

func (e *encoder) any(v any) {
	switch v := v.(type) {
	case nil:
		e.u(anyNil)
	case bool:
		if v {
			e.u(anyTrue)
		} else {
			e.u(anyFalse)
		}
	case string:
		e.u(anyString)
		e.s(v)
	case float64:
		e.u(anyFloat)
		e.u(math.Float64bits(v))
	case int:
		e.u(anyInt)
		e.i(int64(v))
	case int64:
		e.u(anyInt64)
		e.i(v)
	case json.Number:
		e.u(anyNumber)
		e.s(string(v))
	case []any:
		e.u(anyList)
		e.u(uint64(len(v)))
		for _, w := range v {
			e.any(w)
		}
	case map[string]any:
		e.u(anyMap)
		e.u(uint64(len(v)))
		for k, w := range v {
			e.s(k)
			e.any(w)
		}
	case []string:
		e.u(anyStrings)
		e.strings(v)
	default: // nobody makes these on a busy path
		b, err := json.Marshal(v)
		if err != nil {
			b = []byte("null")
		}
		e.u(anyJSON)
		e.s(string(b))
	}
}
