package call

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/parley-project/parley/exchange"
)

// Compare resolves a name with the resolver in use and asks others the same,
// all at once. What the others say stands beside it in Answers, with the
// HTTPS and CAA records that they know. Whoever named an address that anybody
// could use is asked for it a second time: an answer that turns against the
// client's own network does so after it was first looked at.
//
// The resolver in use comes first in Answers. An address that is given as one
// is not asked about at all.
func Compare(ctx context.Context, name string, inUse Resolver, others []Resolver) *exchange.DNS {
	if d := givenName(name); d != nil {
		return d
	}
	if inUse == nil {
		inUse = System()
	}
	said := make([][]exchange.Answer, len(others)+1)
	var d *exchange.DNS
	var wg sync.WaitGroup
	wg.Go(func() {
		d = inUse.Resolve(ctx, name)
		said[0] = again(ctx, inUse, name, d.Answers)
		if s, ok := inUse.(*SystemResolver); ok && len(d.Answers) > 0 {
			s.alias(ctx, name, said[0])
		}
	})
	for i, o := range others {
		wg.Go(func() {
			a, ok := o.(Asker)
			if !ok {
				said[i+1] = again(ctx, o, name, o.Resolve(ctx, name).Answers)
				return
			}
			types := []string{"A", "AAAA"}
			if _, system := o.(*SystemResolver); !system {
				types = append(types, "HTTPS", "CAA")
			}
			said[i+1] = again(ctx, o, name, askAll(ctx, a, name, types...))
		})
	}
	wg.Wait()
	d.Answers = nil
	for _, s := range said {
		d.Answers = append(d.Answers, s...)
	}
	return d
}

// again asks a second time for the addresses that anybody could use, and
// returns all answers.
func again(ctx context.Context, r Resolver, name string, first []exchange.Answer) []exchange.Answer {
	asker, ok := r.(Asker)
	if !ok {
		return first
	}
	var types []string
	for _, a := range first {
		for _, s := range a.Records {
			if addr, err := netip.ParseAddr(s); err == nil && (a.Type == "A" || a.Type == "AAAA") &&
				addr.IsGlobalUnicast() && !addr.IsPrivate() {
				types = append(types, a.Type)
				break
			}
		}
	}
	return append(first, askAll(ctx, asker, name, types...)...)
}

// alias adds to the system's answers the name that its aliases end at.
func (r *SystemResolver) alias(ctx context.Context, name string, answers []exchange.Answer) {
	ascii, err := toASCII(name)
	if err != nil || r.lookup != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout())
	defer cancel()
	end, err := net.DefaultResolver.LookupCNAME(ctx, ascii)
	if err != nil || strings.EqualFold(end, ascii) {
		return
	}
	for i := range answers {
		if len(answers[i].Records) > 0 {
			answers[i].Aliases = []string{strings.ToLower(strings.TrimSuffix(end, "."))}
		}
	}
}
