package lab

import (
	"bytes"
	"net/netip"

	"github.com/miekg/dns"
)

// Honest gives the right answer. Over UDP one that does not fit is cut short.
func Honest(q *DNSQuery) [][]byte {
	m := q.Answer
	if q.Transport == "udp" {
		size := dns.MinMsgSize
		if opt := q.Message.IsEdns0(); opt != nil {
			size = int(opt.UDPSize())
		}
		m.Truncate(size)
	}
	return message(m)
}

// message is one packed message, or none when it cannot be one.
func message(m *dns.Msg) [][]byte {
	m.Compress = true
	b, err := m.Pack()
	if err != nil {
		return nil
	}
	return [][]byte{b}
}

// Forging gives other addresses for every name that is asked for, says that it
// validated them, and sends no signature.
func Forging(to ...string) DNSBehaviour {
	return func(q *DNSQuery) [][]byte {
		q.Answer = lead(q, 30, to)
		return Honest(q)
	}
}

// Altering gives other addresses and leaves the signatures of the right ones.
func Altering(to ...string) DNSBehaviour {
	return func(q *DNSQuery) [][]byte {
		m := lead(q, 300, to)
		for _, rr := range q.Answer.Answer {
			if rr.Header().Rrtype == dns.TypeRRSIG && len(m.Answer) > 0 {
				m.Answer = append(m.Answer, rr)
			}
		}
		q.Answer = m
		return Honest(q)
	}
}

// Flipping tells the truth the first time it is asked, and leads elsewhere
// afterwards. Nobody is to keep either.
func Flipping(to ...string) DNSBehaviour {
	return func(q *DNSQuery) [][]byte {
		if q.Before > 0 {
			q.Answer = lead(q, 0, to)
		}
		for _, rr := range q.Answer.Answer {
			rr.Header().Ttl = 0
		}
		return Honest(q)
	}
}

// Rotating gives one other address of the same network each time.
func Rotating(q *DNSQuery) [][]byte {
	for _, rr := range q.Answer.Answer {
		switch rr := rr.(type) {
		case *dns.A:
			rr.A[len(rr.A)-1] += byte(q.Before + 1)
		case *dns.AAAA:
			rr.AAAA[len(rr.AAAA)-1] += byte(q.Before + 1)
		}
	}
	q.Answer.AuthenticatedData = false
	return Honest(q)
}

// Delivering leaves the aliases and leads the name at their end elsewhere, as
// content delivery does for each network.
func Delivering(to ...string) DNSBehaviour {
	return func(q *DNSQuery) [][]byte {
		var aliases []dns.RR
		for _, rr := range q.Answer.Answer {
			if rr.Header().Rrtype == dns.TypeCNAME {
				aliases = append(aliases, rr)
			}
		}
		m := lead(q, 20, to)
		if len(aliases) > 0 && m != q.Answer {
			for _, rr := range m.Answer {
				rr.Header().Name = aliases[len(aliases)-1].(*dns.CNAME).Target
			}
			m.Answer = append(aliases, m.Answer...)
			m.AuthenticatedData = false
		}
		q.Answer = m
		return Honest(q)
	}
}

// lead is an answer with other addresses. Questions for anything else are
// answered as they should be.
func lead(q *DNSQuery, ttl uint32, to []string) *dns.Msg {
	typ := q.Message.Question[0].Qtype
	if typ != dns.TypeA && typ != dns.TypeAAAA {
		return q.Answer
	}
	m := new(dns.Msg)
	m.SetReply(q.Message)
	m.RecursionAvailable, m.AuthenticatedData = true, true
	if opt := q.Message.IsEdns0(); opt != nil {
		m.SetEdns0(1232, opt.Do())
	}
	for _, t := range to {
		if a := netip.MustParseAddr(t); a.Is4() == (typ == dns.TypeA) {
			m.Answer = append(m.Answer, addressRR(q.Message.Question[0].Name, ttl, a))
		}
	}
	return m
}

// Failing answers every question with a response code.
func Failing(rcode int) DNSBehaviour {
	return func(q *DNSQuery) [][]byte {
		m := new(dns.Msg)
		m.SetRcode(q.Message, rcode)
		m.RecursionAvailable = true
		return message(m)
	}
}

// Dead answers nothing.
func Dead(*DNSQuery) [][]byte { return nil }

// Slow answers when release is closed.
func Slow(release <-chan struct{}) DNSBehaviour {
	return func(q *DNSQuery) [][]byte {
		select {
		case <-release:
			return Honest(q)
		case <-q.Done:
			return nil
		}
	}
}

// Truncating says over UDP that the answer does not fit.
func Truncating(q *DNSQuery) [][]byte {
	if q.Transport == "udp" {
		q.Answer.Answer, q.Answer.Truncated = nil, true
	}
	return Honest(q)
}

// Injecting sends forged answers before the right one: with another id, with
// another question, and with a name whose case was not kept. A forger who
// does not see the question has to guess all three.
func Injecting(to ...string) DNSBehaviour {
	return func(q *DNSQuery) [][]byte {
		var sent [][]byte
		if q.Transport == "udp" {
			m := lead(q, 300, to)
			m.Id++
			sent = append(sent, message(m)...)
			m.Id--
			m.Question = []dns.Question{{Name: "other.example.", Qtype: m.Question[0].Qtype, Qclass: dns.ClassINET}}
			sent = append(sent, message(m)...)
		}
		return append(sent, Honest(q)...)
	}
}

// LowerCase answers with the question in lower case, as some servers do.
func LowerCase(q *DNSQuery) [][]byte {
	q.Answer.Question = []dns.Question{q.Message.Question[0]}
	q.Answer.Question[0].Name = dns.CanonicalName(q.Answer.Question[0].Name)
	return Honest(q)
}

// Huge answers with as many addresses as a message holds.
func Huge(q *DNSQuery) [][]byte {
	name := q.Message.Question[0].Name
	if q.Message.Question[0].Qtype == dns.TypeA {
		q.Answer.Answer = nil
		for i := range 4000 {
			a := netip.AddrFrom4([4]byte{203, 0, byte(113 + i>>8), byte(i)})
			q.Answer.Answer = append(q.Answer.Answer, addressRR(name, 300, a))
		}
	}
	return Honest(q)
}

// Garbage answers with bytes that are no message, but for the id.
func Garbage(q *DNSQuery) [][]byte {
	b := bytes.Repeat([]byte{0xff}, 300)
	b[0], b[1] = byte(q.Message.Id>>8), byte(q.Message.Id)
	return [][]byte{b}
}

// Looping answers with a record whose name is compressed to itself.
func Looping(q *DNSQuery) [][]byte {
	m := new(dns.Msg)
	m.SetReply(q.Message)
	b, err := m.Pack()
	if err != nil {
		return nil
	}
	b[7] = 1 // one answer
	at := len(b)
	return [][]byte{append(b, 0xc0|byte(at>>8), byte(at), 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 203, 0, 113, 1)}
}
