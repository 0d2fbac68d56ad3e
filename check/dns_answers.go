package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// An opinion is all that one resolver said about a name's addresses.
type opinion struct {
	resolver string
	// proved is true for answers over a channel that shows who gave them.
	proved bool
	// visible is true when signatures would have been seen.
	visible, signed, claimed bool
	// asks are the addresses of each answer, by type.
	asks map[string][][]netip.Addr
	// denied counts the types for which there is nothing, failed those for
	// which there was no answer.
	denied, failed map[string]string
	aliases        []string
	stray          int
	spoke          bool // a message came that could be read
}

// opinions are what resolvers said, the one in use first; it is nil when
// nobody was asked for the address in use.
func opinions(d *exchange.DNS) (inUse *opinion, others []*opinion) {
	seen := map[string]*opinion{}
	for i := range d.Answers {
		a := &d.Answers[i]
		if a.Type != "A" && a.Type != "AAAA" {
			continue
		}
		// Two may have one name.
		id := a.Resolver + "\n" + a.Server + "\n" + a.Protocol
		o := seen[id]
		if o == nil {
			o = &opinion{resolver: a.Resolver, asks: map[string][][]netip.Addr{}, denied: map[string]string{}, failed: map[string]string{}}
			seen[id] = o
			if inUse == nil && a.Resolver == d.Resolver {
				inUse = o
			} else {
				others = append(others, o)
			}
		}
		o.add(a)
	}
	if inUse == nil && len(d.Addresses) > 0 && d.Resolver != "" && d.Resolver != "hosts" && d.Resolver != "given" && d.Resolver != "local" {
		// Only what came of it is known.
		inUse = &opinion{resolver: d.Resolver, asks: map[string][][]netip.Addr{}, spoke: true}
		for _, a := range d.Addresses {
			if !a.IsValid() {
				continue
			}
			typ := "AAAA"
			if a.Unmap().Is4() {
				typ = "A"
			}
			if inUse.asks[typ] == nil {
				inUse.asks[typ] = make([][]netip.Addr, 1)
			}
			inUse.asks[typ][0] = append(inUse.asks[typ][0], a.Unmap())
		}
	}
	return inUse, others
}

func (o *opinion) add(a *exchange.Answer) {
	o.stray += a.Stray
	o.proved = a.Protocol == "dot" || a.Protocol == "doh"
	o.visible = a.Protocol != "system"
	switch {
	case a.Failure != "":
		o.failed[a.Type] = a.Failure
		return
	case a.RCode != "NOERROR" && a.RCode != "NXDOMAIN" && a.RCode != "":
		o.spoke = true
		o.failed[a.Type] = "it says " + a.RCode
		return
	}
	o.spoke = true
	var addrs []netip.Addr
	for _, s := range a.Records {
		if addr, err := netip.ParseAddr(s); err == nil {
			addrs = append(addrs, addr.Unmap())
		}
	}
	if len(addrs) == 0 {
		o.denied[a.Type] = a.RCode
		return
	}
	o.signed = o.signed || a.Signed
	o.claimed = o.claimed || a.Authenticated && !a.Signed
	o.asks[a.Type] = append(o.asks[a.Type], addrs)
	o.aliases = append(o.aliases, a.Aliases...)
}

// all are the addresses of a type, or of both for "".
func (o *opinion) all(typ string) (addrs []netip.Addr) {
	for _, t := range []string{"A", "AAAA"} {
		if typ != "" && typ != t {
			continue
		}
		for _, ask := range o.asks[t] {
			for _, a := range ask {
				if !slices.Contains(addrs, a) {
					addrs = append(addrs, a)
				}
			}
		}
	}
	return addrs
}

// answered reports whether the resolver named addresses.
func (o *opinion) answered() bool { return len(o.asks) > 0 }

// none reports whether it said that there are none at all.
func (o *opinion) none() bool { return len(o.asks) == 0 && len(o.failed) == 0 && len(o.denied) > 0 }

// dead reports whether it gave no answer at all, and why.
func (o *opinion) dead() (why string, ok bool) {
	if len(o.asks) > 0 || len(o.denied) > 0 {
		return "", false
	}
	for _, typ := range []string{"A", "AAAA"} {
		if o.failed[typ] != "" {
			return o.failed[typ], true
		}
	}
	return "", false
}

// public reports whether all addresses are of the Internet.
func (o *opinion) public() bool {
	return !slices.ContainsFunc(o.all(""), func(a netip.Addr) bool { return reachOf(a).what != "" })
}

// inside is the worst place that is not on the Internet.
func (o *opinion) inside() (worst netip.Addr, r reach) {
	for _, a := range o.all("") {
		if x := reachOf(a); x.what != "" && (r.what == "" || x.sure && !r.sure) {
			worst, r = a, x
		}
	}
	return worst, r
}

// differ reports whether two resolvers lead to different owners. Addresses
// that rotate within a network are the same owner's; so are those behind the
// same alias. A type that one of them left out says nothing: resolvers leave
// out, and make up, IPv6 addresses for the network they stand in.
func differ(a, b *opinion) bool { return differBy(a, b, near) }

// far reports whether two resolvers lead to owners who cannot be the same.
func far(a, b *opinion) bool {
	return differBy(a, b, func(x, y netip.Addr) bool { return !remote(x, y) })
}

func differBy(a, b *opinion, same func(a, b netip.Addr) bool) bool {
	for _, typ := range []string{"A", "AAAA"} {
		as, bs := comparable(a.all(typ)), comparable(b.all(typ))
		if len(as) > 0 && len(bs) > 0 && !meet(as, bs, same) {
			return true
		}
	}
	return false
}

// comparable leaves out what a network's own NAT64 resolver made up.
func comparable(addrs []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(addrs), nat64.Contains)
}

func meet(as, bs []netip.Addr, same func(a, b netip.Addr) bool) bool {
	return slices.ContainsFunc(as, func(a netip.Addr) bool {
		return slices.ContainsFunc(bs, func(b netip.Addr) bool { return same(a, b) })
	})
}

// sameEnd reports whether aliases lead both to one name: then one owner gives
// each network its own addresses, as content delivery does.
func sameEnd(a, b *opinion) bool {
	return len(a.aliases) > 0 && len(b.aliases) > 0 && strings.EqualFold(a.aliases[len(a.aliases)-1], b.aliases[len(b.aliases)-1])
}

// alike reports whether resolvers name exactly the same addresses, each time.
func alike(os []*opinion) bool {
	for _, o := range os {
		for _, typ := range []string{"A", "AAAA"} {
			for _, ask := range o.asks[typ] {
				if !sameSet(ask, os[0].asks[typ]) {
					return false
				}
			}
		}
	}
	return true
}

func sameSet(addrs []netip.Addr, asks [][]netip.Addr) bool {
	if len(asks) == 0 {
		return true // left out by the other
	}
	has := func(list []netip.Addr) func(netip.Addr) bool {
		return func(a netip.Addr) bool { return !slices.Contains(list, a) }
	}
	return !slices.ContainsFunc(addrs, has(asks[0])) && !slices.ContainsFunc(asks[0], has(addrs))
}

// apart reports whether no two of the resolvers agree: whoever serves the name
// answers each network differently, and nobody is the odd one out.
func apart(os []*opinion) bool {
	for i, a := range os {
		for _, b := range os[i+1:] {
			if !differ(a, b) {
				return false
			}
		}
	}
	return len(os) > 1
}

// rotates reports whether a resolver named other owners' addresses the second
// time, all of them of the Internet.
func (o *opinion) rotates() bool {
	for _, asks := range o.asks {
		if len(asks) > 1 && o.public() && !meet(asks[0], asks[1], near) {
			return true
		}
	}
	return false
}

// names lists resolvers.
func names(os []*opinion) string {
	var list []string
	for i, o := range os {
		if i == 3 && len(os) > 4 {
			list = append(list, fmt.Sprintf("%d others", len(os)-3))
			break
		}
		list = append(list, o.resolver)
	}
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

// list is its addresses.
func (o *opinion) list() string {
	var list []string
	all := o.all("")
	for i, a := range all {
		if i == 2 && len(all) > 3 {
			list = append(list, fmt.Sprintf("%d more", len(all)-2))
			break
		}
		list = append(list, a.String())
	}
	return strings.Join(list, ", ")
}

func all(os []*opinion, is func(*opinion) bool) bool {
	return !slices.ContainsFunc(os, func(o *opinion) bool { return !is(o) })
}

// Answers is evidence about what resolvers say of a name.
func Answers(name, says string) exchange.Evidence {
	return exchange.Evidence{Where: "dns", Name: name, Says: says}
}
