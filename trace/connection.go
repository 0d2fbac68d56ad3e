package trace

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// Steps 1 and 2: the name and the connection.

// dns is step 1.
func (d *drawing) dns() StepView {
	x := d.x
	v := StepView{Time: x.Times.DNS}
	n := x.DNS
	switch {
	case n == nil && literal(x.Request.Authority):
		return StepView{Verdict: Skipped, Says: []string{"an address, not a name"}}
	case n == nil && x.TCP != nil && x.TCP.Proxy != "":
		return StepView{Verdict: Skipped, Says: []string{"the proxy looks the name up"}}
	case n == nil && x.TCP != nil && x.TCP.Reused:
		return StepView{Verdict: Skipped, Says: []string{"not asked: the connection was there"}}
	case n == nil && x.Source == exchange.FromGuard && x.Side == exchange.ClientSide:
		return unseen("not seen: the client looked the name up")
	case n == nil:
		return unseen("not seen")
	}
	if n.Failure != "" {
		v.Verdict = Fail
		v.say("%s", n.Failure)
	}
	if len(n.Addresses) > 0 {
		used := n.Addresses[0]
		if t := x.TCP; t != nil && slices.Contains(n.Addresses, t.Remote.Addr().Unmap()) {
			used = t.Remote.Addr().Unmap()
		}
		v.say("%s", used)
	}
	switch n.Resolver {
	case "":
	case "system":
		v.say("system resolver")
	case "hosts":
		v.say("hosts file")
	case "given":
		v.say("as given")
	case "local":
		v.say("local name")
	default:
		v.say("by %s", n.Resolver)
	}
	if more := len(n.Addresses) - 1; more > 0 {
		v.say("%s", plural(more, "more address", "more addresses"))
	}
	if n.TTL > 0 {
		v.say("ttl %d", n.TTL)
	}
	v.fact(Detail, "name", "%s", n.Name)
	if len(n.Addresses) > 0 {
		v.fact(Detail, "address", "%s", join(n.Addresses, ", "))
	}
	resolvers, told, width := map[string]bool{}, map[string]bool{}, 0
	for i := range n.Answers {
		resolvers[n.Answers[i].Resolver] = true
		width = min(max(width, columns(n.Answers[i].Resolver)), 16)
	}
	for i := range n.Answers {
		a := &n.Answers[i]
		show := Detail
		switch {
		case len(resolvers) > 1 && (a.Type == "A" || a.Type == "AAAA") && (len(a.Records) > 0 || a.Failure != "" || a.RCode != "NOERROR" && a.RCode != ""):
			show = Always // they were asked to be compared
		case len(a.Records) > 0:
			show = Telling
		}
		says := fmt.Sprintf("%-*s  %s", width, a.Resolver, answerSays(a))
		if told[a.Type+says] {
			continue // asked again, and the answer stayed the same
		}
		told[a.Type+says] = true
		v.fact(show, a.Type, "%s", says)
	}
	return v
}

// answerSays is what one resolver said.
func answerSays(a *exchange.Answer) string {
	if a.Failure != "" {
		return a.Failure
	}
	var parts []string
	if len(a.Records) > 0 {
		parts = append(parts, strings.Join(a.Records, ", "))
	} else {
		parts = append(parts, "none")
	}
	if a.RCode != "" && a.RCode != "NOERROR" {
		parts[0] = a.RCode
	}
	if len(a.Aliases) > 0 {
		parts = append(parts, "by way of "+strings.Join(a.Aliases, ", "))
	}
	if a.TTL > 0 {
		parts = append(parts, fmt.Sprintf("ttl %d", a.TTL))
	}
	if a.Signed {
		parts = append(parts, "signed")
	}
	if a.Authenticated {
		parts = append(parts, "validated by it (AD)")
	}
	if a.Protocol != "" && a.Protocol != "system" {
		parts = append(parts, a.Protocol)
	}
	return strings.Join(parts, "  ")
}

// literal reports whether an authority is an address.
func literal(authority string) bool {
	if _, err := netip.ParseAddrPort(authority); err == nil {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(authority, "[]"))
	return err == nil
}

// tcp is step 2.
func (d *drawing) tcp() StepView {
	x := d.x
	t := x.TCP
	if t == nil {
		return unseen("not seen")
	}
	v := StepView{Time: max(x.Times.Connect-x.Times.TLS, 0)}
	udp := ""
	if x.Request.Proto == "HTTP/3.0" || x.Response != nil && x.Response.Proto == "HTTP/3.0" || x.TLS != nil && x.TLS.ALPN == "h3" {
		udp = "UDP "
	}
	if t.Remote.IsValid() {
		v.say("%s%s", udp, t.Remote)
	}
	if t.Reused {
		v.say("connection used before")
	}
	if t.Proxy != "" {
		v.say("through %s", d.masker.Text(t.Proxy))
	}
	failed := 0
	for _, a := range t.Attempts {
		if a.Failure == "" {
			v.fact(Detail, "tried", "%s  connected  %s", a.Remote, duration(a.Time))
			continue
		}
		failed++
		v.fact(Telling, "tried", "%s  %s", a.Remote, a.Failure)
	}
	if failed > 0 && t.Remote.IsValid() && d.x.FailedAt != exchange.StepTCP {
		v.say("after %s failed", plural(failed, "other address", "other addresses"))
	}
	if t.Local.IsValid() {
		v.fact(Detail, "from", "%s", t.Local)
	}
	return v
}
