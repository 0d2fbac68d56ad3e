package lab

import (
	"crypto"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// DNSZones is what the laboratory's name servers know when they are told
// nothing else. The names below example are for what must look public: a
// client takes names below test for its own (RFC 6761, 6.2), and nobody serves
// either of them in the world outside.
const DNSZones = `
$ORIGIN .
$TTL 300
test.                   SOA   ns.test. hostmaster.test. 1 3600 600 86400 60
test.                   NS    ns.test.
ns.test.                A     127.0.0.1
api.parley.test.        A     127.0.0.1
two.parley.test.        A     127.0.0.1
two.parley.test.        AAAA  ::1
example.                SOA   ns.example. hostmaster.example. 1 3600 600 86400 60
example.                NS    ns.example.
ns.example.             A     192.0.2.53
shop.example.           CAA   0 issue "ca.example"
api.shop.example.       A     203.0.113.45
api.shop.example.       A     203.0.113.46
api.shop.example.       AAAA  2001:db8:1::45
api.shop.example.       HTTPS 1 . alpn="h3,h2"
api.shop.example.       CAA   0 issue "ca.example"
api.shop.example.       TXT   "the API of the shop"
www.shop.example.       CNAME edge.shop.example.
edge.shop.example.      CNAME api.shop.example.
*.wild.shop.example.    A     203.0.113.47
text.shop.example.      TXT   "no address"
loop.shop.example.      CNAME pool.shop.example.
pool.shop.example.      CNAME loop.shop.example.
away.shop.example.      CNAME shop.cdn.example.
shop.cdn.example.       A     198.51.100.10
machine.shop.example.   A     127.0.0.1
machine.shop.example.   AAAA  ::1
cloud.shop.example.     A     169.254.169.254
unique.shop.example.    AAAA  fd00::1
provider.shop.example.  A     100.64.0.1
beside.shop.example.    A     203.0.113.45
beside.shop.example.    A     192.168.0.1
`

// A DNSZone is names and their records, signed with one ECDSA P-256 key for
// each SOA.
type DNSZone struct {
	records map[string][]dns.RR // by lower-case name
	keys    map[string]zoneKey  // by the zone's name

	mu   sync.Mutex
	sigs map[string]*dns.RRSIG
}

type zoneKey struct {
	public *dns.DNSKEY
	secret crypto.Signer
}

// NewDNSZone reads records as a zone file has them. It panics on text that is
// not one: the table it stands in is wrong.
func NewDNSZone(text string) *DNSZone {
	z := &DNSZone{records: map[string][]dns.RR{}, keys: map[string]zoneKey{}, sigs: map[string]*dns.RRSIG{}}
	p := dns.NewZoneParser(strings.NewReader(text), ".", "")
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		name := strings.ToLower(rr.Header().Name)
		z.records[name] = append(z.records[name], rr)
		if rr.Header().Rrtype != dns.TypeSOA {
			continue
		}
		key := &dns.DNSKEY{
			Hdr:   dns.RR_Header{Name: name, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 3600},
			Flags: dns.ZONE | dns.SEP, Protocol: 3, Algorithm: dns.ECDSAP256SHA256,
		}
		secret, err := key.Generate(256)
		for err == nil && key.KeyTag() == 0 { // one in 65,536, which the library takes for none
			secret, err = key.Generate(256)
		}
		if err != nil {
			panic(fmt.Errorf("lab: key of %s: %w", name, err))
		}
		z.keys[name] = zoneKey{key, secret.(crypto.Signer)}
		z.records[name] = append(z.records[name], key)
	}
	if err := p.Err(); err != nil {
		panic(fmt.Errorf("lab: zone: %w", err))
	}
	return z
}

// Key is the public key of a zone, or nil.
func (z *DNSZone) Key(zone string) *dns.DNSKEY { return z.keys[dns.CanonicalName(zone)].public }

// Answer is the honest answer to a question: what a resolver tells that asked
// the zone and validated what it got.
func (z *DNSZone) Answer(m *dns.Msg) *dns.Msg {
	r := new(dns.Msg)
	r.SetReply(m)
	r.RecursionAvailable = true
	signed := false
	if opt := m.IsEdns0(); opt != nil {
		signed = opt.Do()
		r.SetEdns0(1232, signed)
	}
	if len(m.Question) != 1 {
		r.Rcode = dns.RcodeFormatError
		return r
	}
	q := m.Question[0]
	zone := z.zoneOf(q.Name)
	if zone == "" {
		r.Rcode = dns.RcodeRefused
		return r
	}
	r.AuthenticatedData = signed || m.AuthenticatedData
	name, found := q.Name, false
	for range 8 { // a loop of aliases ends like in any resolver
		set, exists := z.lookup(name, q.Qtype)
		if len(set) == 0 && q.Qtype != dns.TypeCNAME {
			if alias, _ := z.lookup(name, dns.TypeCNAME); len(alias) > 0 {
				r.Answer = append(r.Answer, z.signed(alias, signed)...)
				name = alias[0].(*dns.CNAME).Target
				continue
			}
		}
		if found = len(set) > 0; found {
			r.Answer = append(r.Answer, z.signed(set, signed)...)
		} else if !exists {
			r.Rcode = dns.RcodeNameError
		}
		break
	}
	if !found {
		soa, _ := z.lookup(zone, dns.TypeSOA)
		r.Ns = z.signed(soa, signed)
	}
	return r
}

// lookup returns the records of a name and a type, and whether there are any
// of the name at all. Those of a wildcard get the name that was asked for.
func (z *DNSZone) lookup(name string, typ uint16) (set []dns.RR, exists bool) {
	low := strings.ToLower(name)
	all := z.records[low]
	if all == nil {
		if i := strings.IndexByte(low, '.'); i > 0 {
			all = z.records["*"+low[i:]]
		}
	}
	for _, rr := range all {
		if rr.Header().Rrtype == typ {
			rr = dns.Copy(rr)
			rr.Header().Name = name
			set = append(set, rr)
		}
	}
	return set, all != nil
}

func (z *DNSZone) zoneOf(name string) string {
	for i, end := 0, false; !end; i, end = dns.NextLabel(name, i) {
		if zone := strings.ToLower(name[i:]); z.keys[zone].public != nil {
			return zone
		}
	}
	return ""
}

// signed is a set with its signature behind it. Signatures are kept, so that
// an answer has the same one each time.
func (z *DNSZone) signed(set []dns.RR, wanted bool) []dns.RR {
	if !wanted || len(set) == 0 {
		return set
	}
	h := set[0].Header()
	zone := z.zoneOf(h.Name)
	id := fmt.Sprintf("%s/%d", strings.ToLower(h.Name), h.Rrtype)
	z.mu.Lock()
	defer z.mu.Unlock()
	sig := z.sigs[id]
	if sig == nil {
		key := z.keys[zone]
		sig = &dns.RRSIG{
			Hdr:       dns.RR_Header{Ttl: h.Ttl},
			Algorithm: key.public.Algorithm, KeyTag: key.public.KeyTag(), SignerName: zone,
			Inception: uint32(time.Now().Add(-time.Hour).Unix()), Expiration: uint32(time.Now().AddDate(0, 0, 7).Unix()),
		}
		if err := sig.Sign(key.secret, set); err != nil {
			panic(fmt.Errorf("lab: signature of %s: %w", id, err))
		}
		z.sigs[id] = sig
	}
	sig = dns.Copy(sig).(*dns.RRSIG)
	sig.Hdr.Name = h.Name
	return append(set[:len(set):len(set)], sig)
}

// addressRR makes an A or AAAA record.
func addressRR(name string, ttl uint32, a netip.Addr) dns.RR {
	h := dns.RR_Header{Name: name, Class: dns.ClassINET, Ttl: ttl}
	if a.Is4() {
		h.Rrtype = dns.TypeA
		return &dns.A{Hdr: h, A: a.AsSlice()}
	}
	h.Rrtype = dns.TypeAAAA
	return &dns.AAAA{Hdr: h, AAAA: a.AsSlice()}
}
