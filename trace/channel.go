package trace

import (
	"fmt"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// Step 3: the channel, its certificates, and what else the server takes.

// tls is step 3.
func (d *drawing) tls() StepView {
	x := d.x
	t := x.TLS
	switch {
	case t == nil:
		return unseen("not seen")
	case t.Clear && x.TCP != nil && x.TCP.Remote.Addr().IsLoopback():
		return StepView{Verdict: Skipped, Says: []string{"none: plain HTTP, within this machine"}}
	case t.Clear:
		return StepView{Verdict: Skipped, Says: []string{"none: anyone on the path reads and changes the call"}}
	}
	v := StepView{Time: x.Times.TLS}
	if t.Failure != "" {
		v.Verdict = Fail
		v.say("%s", t.Failure)
	}
	leaf := t.PeerExpiry
	if len(t.Chain) > 0 {
		leaf = t.Chain[0].NotAfter
	}
	if t.Version != "" {
		v.say("%s", t.Version)
	}
	if t.Trust != nil {
		switch {
		case t.Trust.Repaired:
			v.say("verified with a certificate that was not sent")
		case t.Trust.Verified && !leaf.IsZero():
			v.say("verified, %s left", ahead(leaf.Sub(x.Start)))
		case t.Trust.Verified:
			v.say("verified")
		default:
			v.Verdict = Fail
			v.say("not verified")
		}
	}
	for _, part := range []string{t.ALPN, t.Group, suiteName(t.Suite)} {
		if part != "" {
			v.say("%s", part)
		}
	}
	if t.Asked && !t.Shown && x.Source != exchange.FromGuard && !strings.Contains(t.Failure, "client certificate") {
		v.fact(Always, "session", "the server asked for a client certificate, none was shown")
	}
	if t.Trust != nil && t.Trust.Repaired {
		v.Notes = append(v.Notes, "the missing certificate was fetched from where the chain points: the channel counts as verified")
	}
	d.certificate(&v)
	d.offers(&v)
	for _, f := range [][2]string{{"SNI", t.ServerName}, {"suite", t.Suite}, {"group", t.Group}, {"ALPN", t.ALPN}} {
		if f[1] != "" {
			v.fact(Detail, f[0], "%s", f[1])
		}
	}
	for _, f := range []struct {
		on   bool
		says string
	}{{t.Resumed, "resumed"}, {t.EarlyData, "early data was sent, which can be replayed"}, {t.Asked && t.Shown, "the server asked for a client certificate, and was shown one"}} {
		if f.on {
			v.fact(Detail, "session", "%s", f.says)
		}
	}
	return v
}

// lifetime says how much of a certificate's is left.
func lifetime(c *exchange.Certificate, now time.Time) string {
	days := func(d time.Duration) int { return int(d.Hours() / 24) }
	switch {
	case now.After(c.NotAfter):
		return fmt.Sprintf("expired %d days ago", days(now.Sub(c.NotAfter)))
	case now.Before(c.NotBefore):
		return fmt.Sprintf("valid in %d days", days(c.NotBefore.Sub(now)))
	}
	return fmt.Sprintf("%d of %d days left", days(c.NotAfter.Sub(now)), days(c.NotAfter.Sub(c.NotBefore)))
}

// certificate draws the chain and what was made of it.
func (d *drawing) certificate(v *StepView) {
	x, t := d.x, d.x.TLS
	if len(t.Chain) > 0 {
		c := &t.Chain[0]
		parts := []string{nameOf(c), c.Key}
		if !c.NotAfter.IsZero() && !c.NotBefore.IsZero() {
			parts = append(parts, lifetime(c, x.Start))
		}
		if t.SCTs > 0 {
			parts = append(parts, plural(t.SCTs, "SCT", "SCTs"))
		}
		if t.Stapled {
			parts = append(parts, "OCSP stapled")
		}
		v.fact(Telling, "cert", "%s", joinNonEmpty(parts, "  "))
	} else if t.PeerName != "" {
		v.fact(Telling, "cert", "%s", t.PeerName)
	}
	if t.Trust != nil && len(t.Trust.Path) > 0 {
		var path []string
		for _, s := range t.Trust.Path {
			path = append(path, common(s))
		}
		v.fact(Telling, "chain", "%s  (%s)", strings.Join(path, " > "), plural(len(t.Chain), "certificate sent", "certificates sent"))
	}
	for i := range t.Chain {
		c := &t.Chain[i]
		says := fmt.Sprintf("%d  %s%s", i, strings.Repeat("  ", min(i, 8)), c.Subject)
		if c.Subject == c.Issuer {
			says += "  (its own issuer)"
		} else {
			says += "  by " + c.Issuer
		}
		v.fact(Detail, "sent", "%s  %s  %s  until %s", says, c.Key, c.Signature, c.NotAfter.UTC().Format(time.DateOnly))
		if i == 0 && len(c.Names) > 0 {
			v.fact(Detail, "names", "%s", strings.Join(c.Names, ", "))
		}
		if i == 0 && c.PinSHA256 != "" {
			v.fact(Detail, "pin", "sha256/%s", c.PinSHA256)
		}
	}
	if t.Trust == nil {
		return
	}
	for i := range t.Trust.Problems {
		p := &t.Trust.Problems[i]
		if d.found(&d.raw.TLS.Trust.Problems[i]) {
			continue
		}
		word := "note"
		if p.Fatal {
			word = "problem"
		}
		v.fact(Telling, word, "%s", p.Says)
		if p.Fix != "" {
			v.fact(Telling, "", "fix: %s", p.Fix)
		}
	}
}

// found reports whether a finding tells of a problem.
func (d *drawing) found(p *exchange.TrustProblem) bool {
	for i := range d.raw.Findings {
		for _, e := range d.raw.Findings[i].Evidence {
			if d.problemOf(e) == p {
				return true
			}
		}
	}
	return false
}

// common is the common name of a subject, or all of it.
func common(subject string) string {
	for part := range strings.SplitSeq(subject, ",") {
		if name, ok := strings.CutPrefix(part, "CN="); ok && name != "" {
			return name
		}
	}
	return subject
}

func nameOf(c *exchange.Certificate) string {
	if len(c.Names) > 0 {
		return c.Names[0]
	}
	return c.Subject
}

// offers draws what the server takes beside what was agreed on.
func (d *drawing) offers(v *StepView) {
	o := d.x.TLS.Offers
	if o == nil {
		return
	}
	var versions, groups []string
	suites := 0
	for _, f := range o.Versions {
		versions = append(versions, strings.TrimPrefix(f.Version, "TLS "))
		suites += len(f.Suites)
		if len(groups) == 0 {
			groups = f.Groups
		}
		order := "no order of its own"
		if f.ServerOrder {
			order = "in its order"
		}
		v.fact(Detail, "offers", "%s (%s): %s", f.Version, order, strings.Join(f.Suites, ", "))
		if len(f.Groups) > 0 {
			v.fact(Detail, "", "groups: %s", strings.Join(f.Groups, ", "))
		}
	}
	parts := []string{"TLS " + strings.Join(versions, ", "), plural(suites, "suite", "suites")}
	if len(groups) > 0 {
		parts = append(parts, plural(len(groups), "group", "groups"))
	}
	if len(o.ALPN) > 0 {
		parts = append(parts, strings.Join(o.ALPN, ", "))
	}
	if h := o.HTTP3; h != nil {
		if h.Failure == "" {
			parts = append(parts, "h3")
		} else {
			parts = append(parts, "h3 offered, not answered")
		}
	}
	parts = append(parts, fmt.Sprintf("(%s, %s)", plural(o.Connections, "connection", "connections"), duration(o.Time)))
	v.fact(Always, "offers", "%s", strings.Join(parts, "; "))
	if len(o.Features) > 0 {
		v.fact(Detail, "", "%s", strings.Join(o.Features, ", "))
	}
	if o.Incomplete != "" {
		v.fact(Always, "", "incomplete: %s", o.Incomplete)
	}
}

// suiteName is a suite in the words that people know it by.
func suiteName(s string) string {
	s = strings.TrimPrefix(s, "TLS_")
	if i := strings.Index(s, "_WITH_"); i >= 0 {
		return s[i+len("_WITH_"):]
	}
	return s
}
