package check

import (
	"net/netip"
	"strings"
)

// What an address is, and whose a name is.

// A reach says where an address leads when it is not one that anybody could
// use.
type reach struct {
	what string // in words; empty for an address of the Internet
	// sure is true where no honest public name leads. Private networks are not
	// among those: a company's own resolver leads its public names there.
	sure bool
}

var reaches = []struct {
	prefix netip.Prefix
	reach
}{
	// The first that contains an address names it.
	{netip.MustParsePrefix("169.254.169.254/32"), reach{"where clouds keep a machine's credentials", true}},
	{netip.MustParsePrefix("fd00:ec2::254/128"), reach{"where clouds keep a machine's credentials", true}},
	{netip.MustParsePrefix("100.100.100.200/32"), reach{"where clouds keep a machine's credentials", true}},
	{netip.MustParsePrefix("127.0.0.0/8"), reach{"this machine", true}},
	{netip.MustParsePrefix("::1/128"), reach{"this machine", true}},
	{netip.MustParsePrefix("169.254.0.0/16"), reach{"link-local", true}},
	{netip.MustParsePrefix("fe80::/10"), reach{"link-local", true}},
	{netip.MustParsePrefix("224.0.0.0/4"), reach{"no single host: multicast", true}},
	{netip.MustParsePrefix("ff00::/8"), reach{"no single host: multicast", true}},
	{netip.MustParsePrefix("255.255.255.255/32"), reach{"no single host: broadcast", true}},
	{netip.MustParsePrefix("0.0.0.0/8"), reach{"nowhere, as block lists do, or this machine", false}},
	{netip.MustParsePrefix("::/128"), reach{"nowhere, as block lists do, or this machine", false}},
	{netip.MustParsePrefix("10.0.0.0/8"), reach{"a private network (RFC 1918)", false}},
	{netip.MustParsePrefix("172.16.0.0/12"), reach{"a private network (RFC 1918)", false}},
	{netip.MustParsePrefix("192.168.0.0/16"), reach{"a private network (RFC 1918)", false}},
	{netip.MustParsePrefix("100.64.0.0/10"), reach{"the provider's own network (RFC 6598)", false}},
	{netip.MustParsePrefix("fc00::/7"), reach{"a private network (RFC 4193)", false}},
	{netip.MustParsePrefix("fec0::/10"), reach{"a private network (site-local)", false}},
}

// reachOf says where an address leads; what is empty for the Internet. An IPv4
// address inside of an IPv6 one counts as itself.
func reachOf(a netip.Addr) reach {
	a = embedded(a)
	for _, r := range reaches {
		if r.prefix.Contains(a) {
			return r.reach
		}
	}
	return reach{}
}

var (
	nat64   = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052
	sixToIV = netip.MustParsePrefix("2002::/16")    // RFC 3056
)

// embedded is the IPv4 address that an IPv6 address stands for, or a itself.
func embedded(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:]))
	case sixToIV.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:]))
	}
	return a
}

// specialNames are the zones that never are in the public DNS, or that every
// network has for itself: RFC 6761 and 6762, 7686 (onion), 8375 (home.arpa),
// ICANN's internal, and those that RFC 6762, appendix G has seen in use.
// The names of documentation, such as .example, are not among them: they lead
// nowhere, so that an answer is as suspicious as for any other name.
var specialNames = []string{
	"localhost", "local", "test", "invalid", "onion", "home.arpa", "internal", "alt",
	"intranet", "private", "corp", "home", "lan", "localdomain",
}

// localName reports whether the network a client stands in may say what a name
// means: names without a dot, those of special use, and those below zones.
func localName(name string, zones []string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if !strings.Contains(name, ".") {
		return true
	}
	for _, list := range [][]string{specialNames, zones} {
		for _, z := range list {
			z = strings.ToLower(strings.Trim(z, "."))
			if z != "" && (name == z || strings.HasSuffix(name, "."+z)) {
				return true
			}
		}
	}
	return false
}

// near reports whether two addresses are likely of one owner: of the same /24,
// or the same /48.
func near(a, b netip.Addr) bool { return within(a, b, 24, 48) }

// remote reports whether they cannot be of one owner's network: those who have
// many addresses have them by the /16, or by the /32.
func remote(a, b netip.Addr) bool { return !within(a, b, 16, 32) }

func within(a, b netip.Addr, four, six int) bool {
	if a.Is4() != b.Is4() {
		return false
	}
	bits := four
	if a.Is6() {
		bits = six
	}
	p, err := a.Prefix(bits)
	return err == nil && p.Contains(b) && reachOf(a) == reachOf(b)
}
