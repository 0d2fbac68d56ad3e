package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/parley-project/parley/exchange"
)

// ErrCorrupt says that what the file holds is not what was written.
var ErrCorrupt = errors.New("store: the file is damaged")

func corrupt(what string, args ...any) error {
	return fmt.Errorf("%w: "+what, append([]any{ErrCorrupt}, args...)...)
}

// detail is a chunk of records that was read.
type detail struct {
	raw   string
	recs  int
	texts []string
}

func parseDetail(raw string) (*detail, error) {
	n := len(raw)
	if n < 8 {
		return nil, corrupt("a chunk of %d bytes", n)
	}
	u32 := func(at int) int {
		return int(uint32(raw[at]) | uint32(raw[at+1])<<8 | uint32(raw[at+2])<<16 | uint32(raw[at+3])<<24)
	}
	recs, count := u32(n-8), u32(n-4)
	ends := n - 8 - 4*count
	if count > n/4 || ends < recs {
		return nil, corrupt("a chunk's table of %d texts", count)
	}
	d := &detail{raw: raw, recs: recs, texts: make([]string, count+1)}
	data := raw[recs:ends]
	from := 0
	for i := range count {
		to := u32(ends + 4*i)
		if to < from || to > len(data) {
			return nil, corrupt("a chunk's text %d", i)
		}
		d.texts[i+1] = data[from:to]
		from = to
	}
	return d, nil
}

// decoder reads one record. After an error everything reads as zero.
type decoder struct {
	d    *detail
	rest string
	copy bool // texts outlive the chunk
	err  error
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = corrupt("a record's %s", what)
		d.rest = ""
	}
}

func (d *decoder) u() uint64 {
	var n uint64
	for i := 0; i < len(d.rest) && i < binary.MaxVarintLen64; i++ {
		c := d.rest[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			d.rest = d.rest[i+1:]
			return n
		}
	}
	d.fail("number")
	return 0
}

func (d *decoder) i() int64 {
	n := d.u()
	return int64(n>>1) ^ -int64(n&1)
}

func (d *decoder) s() string { return d.text(d.u()) }

func (d *decoder) id() exchange.ID {
	n := d.u()
	if n > 0 {
		return exchange.ID(d.text(n - 1))
	}
	if len(d.rest) < 16 {
		d.fail("id")
		return ""
	}
	var u ulid.ULID
	copy(u[:], d.rest)
	d.rest = d.rest[len(u):]
	return exchange.ID(u.String())
}

func (d *decoder) text(n uint64) string {
	if n >= uint64(len(d.d.texts)) {
		d.fail("text")
		return ""
	}
	s := d.d.texts[n]
	if d.copy {
		s = strings.Clone(s)
	}
	return s
}

// n reads a number of elements, each at least one byte.
func (d *decoder) n() int {
	n := d.u()
	if n > uint64(len(d.rest)) {
		d.fail("count")
		return 0
	}
	return int(n)
}

func (d *decoder) b(bs ...*bool) {
	n := d.u()
	for i, b := range bs {
		*b = n&(1<<i) != 0
	}
}

func (d *decoder) t() time.Time {
	if d.u() == 0 {
		return time.Time{}
	}
	sec := d.i()
	return time.Unix(sec, int64(d.u())).UTC()
}

func (d *decoder) strings() []string {
	n := d.n()
	if n == 0 {
		return nil
	}
	ss := make([]string, n)
	for i := range ss {
		ss[i] = d.s()
	}
	return ss
}

// located is a body whose data is in pieces still to be fetched.
type located struct {
	body   *exchange.Body
	pieces []piece
}

// exchange reads the record at off. The bodies' pieces come back in at.
func (d *decoder) exchange(off int) (x *exchange.Exchange, at []located, err error) {
	if off < 0 || off >= d.d.recs {
		return nil, nil, corrupt("no record at %d", off)
	}
	d.rest = d.d.raw[off:d.d.recs]
	if v := d.rest[0]; v != recordVersion {
		return nil, nil, corrupt("a record of version %d", v)
	}
	d.rest = d.rest[1:]
	x = &exchange.Exchange{}
	var dns, tcp, tls, resp, caller, cred, links, findings, actions, more bool
	d.b(&dns, &tcp, &tls, &resp, &caller, &cred, &links, &findings, &actions, &more)
	x.ID = d.id()
	x.Source = exchange.Source(d.s())
	x.Side = exchange.Side(d.s())
	x.Start = d.t()
	x.Failure = d.s()
	r := &x.Request
	for _, s := range [...]*string{&r.Method, &r.Scheme, &r.Authority, &r.Target, &r.Proto} {
		*s = d.s()
	}
	r.Header = d.header()
	r.Fidelity = exchange.Fidelity(d.s())
	at = d.body(&r.Body, at)
	x.Server.Operation = d.s()
	x.Server.Mode = d.s()
	t := &x.Times
	for _, p := range [...]*time.Duration{&t.DNS, &t.Connect, &t.TLS, &t.Send, &t.Wait, &t.Receive, &t.Decide, &t.Total} {
		*p = time.Duration(d.i())
	}
	if resp {
		r := &exchange.Response{}
		x.Response = r
		r.Status = int(d.i())
		r.Proto = d.s()
		r.Header = d.header()
		r.Trailer = d.header()
		r.Fidelity = exchange.Fidelity(d.s())
		at = d.body(&r.Body, at)
	}
	if dns {
		x.DNS = d.dns()
	}
	if tcp {
		x.TCP = &exchange.TCP{Local: d.addrPort(), Remote: d.addrPort()}
		d.b(&x.TCP.Reused)
	}
	if tls {
		t := &exchange.TLS{}
		x.TLS = t
		d.b(&t.Clear, &t.Resumed, &t.EarlyData)
		for _, s := range [...]*string{&t.Version, &t.Suite, &t.Group, &t.ALPN, &t.ServerName, &t.PeerName} {
			*s = d.s()
		}
		t.PeerExpiry = d.t()
	}
	if caller {
		x.Server.Caller = d.caller()
	}
	if cred {
		c := &exchange.Credential{}
		x.Server.Credential = c
		for _, s := range [...]*string{&c.Scheme, &c.Carrier, &c.Field, &c.Fingerprint, &c.Problem} {
			*s = d.s()
		}
		d.b(&c.Verified)
		c.Expires = d.t()
	}
	if links {
		for range d.n() {
			x.Links = append(x.Links, exchange.Link{Kind: exchange.LinkKind(d.s()), ID: d.id()})
		}
	}
	if findings {
		for range d.n() {
			x.Findings = append(x.Findings, d.finding())
		}
	}
	if actions {
		for range d.n() {
			a := exchange.Action{Kind: exchange.ActionKind(d.s()), Check: d.s()}
			d.b(&a.Enforced)
			a.Status = int(d.i())
			a.Rule = d.s()
			a.Evidence = d.evidence()
			x.Actions = append(x.Actions, a)
		}
	}
	if more {
		var r rest
		if json.Unmarshal([]byte(d.s()), &r) != nil {
			d.fail("further facts")
		}
		r.put(x)
	}
	return x, at, d.err
}

func (d *decoder) header() exchange.Header {
	n := d.n()
	if n == 0 {
		return nil
	}
	h := make(exchange.Header, n)
	for i := range h {
		h[i] = exchange.Field{Name: d.s(), Value: d.s()}
	}
	return h
}

func (d *decoder) body(b *exchange.Body, at []located) []located {
	b.Size = d.i()
	switch n := d.n(); n {
	case 0:
	case 1:
		b.Data = []byte(d.s())
	default:
		ps := make([]piece, n-1)
		for i := range ps {
			ps[i] = piece{chunk: int64(d.u()), off: uint32(d.u()), len: uint32(d.u())}
		}
		at = append(at, located{b, ps})
	}
	return at
}

func (d *decoder) dns() *exchange.DNS {
	v := &exchange.DNS{Name: d.s(), Resolver: d.s(), TTL: uint32(d.u())}
	for range d.n() {
		var a netip.Addr
		if a.UnmarshalBinary([]byte(d.s())) != nil {
			d.fail("address")
		}
		v.Addresses = append(v.Addresses, a)
	}
	return v
}

func (d *decoder) addrPort() (a netip.AddrPort) {
	if a.UnmarshalBinary([]byte(d.s())) != nil {
		d.fail("address")
	}
	return a
}

func (d *decoder) caller() *exchange.Caller {
	c := &exchange.Caller{Subject: exchange.Subject(d.s()), Name: d.s(), Roles: d.strings(), Scopes: d.strings()}
	if n := d.n(); n > 0 {
		c.Claims = make(map[string]any, n)
		for range n {
			k := d.s()
			c.Claims[k] = d.any(0)
		}
	}
	return c
}

func (d *decoder) finding() exchange.Finding {
	f := exchange.Finding{Check: d.s(), Severity: exchange.Severity(d.i()), Verdict: exchange.Verdict(d.s()),
		Step: exchange.Step(d.i()), Fingerprint: d.s()}
	for range d.n() {
		f.Evidence = append(f.Evidence, d.evidence())
	}
	return f
}

func (d *decoder) evidence() exchange.Evidence {
	return exchange.Evidence{Where: d.s(), Name: d.s(), Says: d.s()}
}

func (d *decoder) any(depth int) any {
	if depth > 1000 {
		d.fail("claim")
		return nil
	}
	switch d.u() {
	case anyNil:
	case anyFalse:
		return false
	case anyTrue:
		return true
	case anyString:
		return d.s()
	case anyFloat:
		return math.Float64frombits(d.u())
	case anyInt:
		return int(d.i())
	case anyInt64:
		return d.i()
	case anyNumber:
		return json.Number(d.s())
	case anyList:
		l := make([]any, d.n())
		for i := range l {
			l[i] = d.any(depth + 1)
		}
		return l
	case anyMap:
		n := d.n()
		m := make(map[string]any, n)
		for range n {
			k := d.s()
			m[k] = d.any(depth + 1)
		}
		return m
	case anyStrings:
		return d.strings()
	case anyJSON:
		var v any
		if json.Unmarshal([]byte(d.s()), &v) != nil {
			d.fail("claim")
		}
		return v
	default:
		d.fail("claim")
	}
	return nil
}
