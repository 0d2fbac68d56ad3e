package call

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/idna"

	"github.com/parley-project/parley/exchange"
)

// maxAliases bounds how many names CNAME records lead through.
const maxAliases = 8

// Ask asks one question, following aliases that the server leaves to us.
func (r *DNSResolver) Ask(ctx context.Context, name, typ string) (a exchange.Answer) {
	a = exchange.Answer{Resolver: r.name, Server: r.server, Protocol: r.protocol, Name: name, Type: typ}
	start := time.Now()
	defer func() { a.Time = time.Since(start) }()
	qtype, ok := dns.StringToType[typ]
	if !ok || qtype == dns.TypeANY || qtype == dns.TypeAXFR || qtype == dns.TypeIXFR {
		a.Failure = "there is no record type " + typ + " to ask for"
		return a
	}
	qname, err := toASCII(name)
	if err != nil {
		a.Failure = err.Error()
		return a
	}
	// However a server strings us along, all questions together end.
	ctx, cancel := context.WithTimeoutCause(ctx, 3*r.o.Timeout, &tooSlowError{(3 * r.o.Timeout).String()})
	defer cancel()
	for {
		m, err := r.retry(ctx, &a, qname, qtype)
		if err != nil {
			a.RCode, a.TTL, a.Authenticated = "", 0, false
			a.Failure = whyNoAnswer(err)
			return a
		}
		next := readAnswer(&a, m, qname, qtype)
		if next == "" {
			return a
		}
		if len(a.Aliases) >= maxAliases || slices.ContainsFunc(a.Aliases[:len(a.Aliases)-1], func(s string) bool { return strings.EqualFold(dns.Fqdn(s), next) }) {
			a.Failure = "aliases lead in a circle, or too far"
			return a
		}
		qname = next
	}
}

// toASCII is a name as it is asked for.
func toASCII(name string) (string, error) {
	for i := range len(name) {
		if name[i] >= 0x80 {
			ascii, err := idna.Lookup.ToASCII(name)
			if err != nil {
				return "", errors.New("the name is no internationalised domain name")
			}
			name = ascii
			break
		}
	}
	if _, ok := dns.IsDomainName(name); !ok || name == "" || strings.Contains(name, `\`) || strings.Contains(name, "..") {
		return "", errors.New("this is no domain name")
	}
	return dns.Fqdn(name), nil
}

// retry asks a second time when the first try got nothing that can be read.
func (r *DNSResolver) retry(ctx context.Context, a *exchange.Answer, name string, typ uint16) (m *dns.Msg, err error) {
	for range 2 {
		if m, err = r.try(ctx, a, name, typ); err == nil && m.Rcode == dns.RcodeFormatError {
			// Older servers know nothing of EDNS (RFC 6891, 7).
			m, err = r.exchange(ctx, a, dnsQuestion(name, typ, false))
		}
		var final *finalError
		if err == nil || ctx.Err() != nil || errors.As(err, &final) {
			return m, err
		}
	}
	return m, err
}

func (r *DNSResolver) try(ctx context.Context, a *exchange.Answer, name string, typ uint16) (*dns.Msg, error) {
	return r.exchange(ctx, a, dnsQuestion(name, typ, true))
}

// dnsQuestion is a message with one question. With extended DNS it asks for
// signatures (RFC 4035, 3.2.1) and for datagrams that are not fragmented.
func dnsQuestion(name string, typ uint16, extended bool) *dns.Msg {
	m := new(dns.Msg)
	m.SetQuestion(name, typ)
	if extended {
		m.SetEdns0(1232, true)
	}
	return m
}

// mixCase changes the case of letters at random: a forger who cannot see the
// question has to guess them as well.
func mixCase(name string) string {
	b := []byte(name)
	for i, c := range b {
		if c|0x20 >= 'a' && c|0x20 <= 'z' && rand.Uint32()&1 == 0 {
			b[i] = c ^ 0x20
		}
	}
	return string(b)
}

// maxRecords bounds what is kept of an answer.
const maxRecords = 256

// readAnswer puts an answer's facts into a. When the message ends with an alias and
// neither records nor a denial, it returns the name to ask for next.
func readAnswer(a *exchange.Answer, m *dns.Msg, qname string, qtype uint16) (next string) {
	a.RCode = dns.RcodeToString[m.Rcode]
	if a.RCode == "" {
		a.RCode = "RCODE" + strconv.Itoa(m.Rcode)
	}
	a.Authenticated = m.AuthenticatedData
	name := dns.CanonicalName(qname)
	told := len(a.Aliases) > 0 // an earlier message's alias has a TTL as well
	least := func(ttl uint32) {
		if !told || ttl < a.TTL {
			a.TTL, told = ttl, true
		}
	}
	aliases := 0
	for qtype != dns.TypeCNAME && aliases <= maxAliases {
		alias := aliasOf(m.Answer, name)
		if alias == nil {
			break
		}
		least(alias.Hdr.Ttl)
		name = dns.CanonicalName(alias.Target)
		if len(a.Aliases) <= maxAliases {
			a.Aliases = append(a.Aliases, strings.TrimSuffix(name, "."))
		}
		aliases++
	}
	if aliases > maxAliases {
		a.Failure = "aliases lead in a circle, or too far"
		return ""
	}
	a.Signed = false
	for _, rr := range m.Answer {
		h := rr.Header()
		if h.Class != dns.ClassINET || !strings.EqualFold(h.Name, name) {
			continue // what was not asked for is not believed
		}
		if sig, ok := rr.(*dns.RRSIG); ok && sig.TypeCovered == qtype {
			a.Signed = true
		}
		if h.Rrtype == qtype && len(a.Records) < maxRecords {
			a.Records = append(a.Records, recordData(rr))
			least(h.Ttl)
		}
	}
	denied := m.Rcode != dns.RcodeSuccess
	for _, rr := range m.Ns {
		switch rr := rr.(type) {
		case *dns.SOA:
			denied = true
		case *dns.RRSIG:
			a.Signed = a.Signed || len(a.Records) == 0 && rr.TypeCovered == dns.TypeSOA
		}
	}
	if aliases > 0 && len(a.Records) == 0 && !denied {
		return name
	}
	return ""
}

// aliasOf is the CNAME record of a name. Names that came in a message are
// complete, and ASCII: the library writes other bytes as numbers.
func aliasOf(rrs []dns.RR, name string) *dns.CNAME {
	for _, rr := range rrs {
		if c, ok := rr.(*dns.CNAME); ok && c.Hdr.Class == dns.ClassINET && strings.EqualFold(c.Hdr.Name, name) {
			return c
		}
	}
	return nil
}

// maxData bounds the text of one record.
const maxData = 1024

// recordData is a record as a zone file has it, without name, class and TTL.
func recordData(rr dns.RR) string {
	s := strings.TrimPrefix(rr.String(), rr.Header().String())
	if len(s) > maxData {
		s = s[:maxData] + "..."
	}
	return s
}
