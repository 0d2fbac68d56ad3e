package guard

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// TraceField is the request field that carries the trace key.
const TraceField = "Parley-Trace"

// maxTraceKey bounds what is hashed of a stranger's field.
const maxTraceKey = 256

// A traced is what the operator, who has the trace key, is told of a request.
// Nobody else is told anything, and nobody's clock is read for it.
type traced struct {
	authn time.Duration
	// admitted is how much of Call.spent belongs to the way in.
	admitted time.Duration
	told     bool
}

// takeTraceKey takes the trace key out of a request, right or wrong, so that
// it is neither recorded nor judged, and reports whether it was the one.
func takeTraceKey(r *exchange.Request, want *[sha256.Size]byte) bool {
	n, value := 0, ""
	for i := range r.Header {
		if f := &r.Header[i]; len(f.Name) == len(TraceField) && strings.EqualFold(f.Name, TraceField) {
			n, value = n+1, f.Value
		}
	}
	if n == 0 {
		return false
	}
	r.Header = without(r.Header, TraceField)
	if n > 1 || len(value) > maxTraceKey {
		return false
	}
	sum := sha256.Sum256([]byte(value))
	return subtle.ConstantTimeCompare(sum[:], want[:]) == 1
}

// tell adds Server-Timing to the answer's fields: how long each part of the
// decision took and what was decided. app is the API's own time; below zero
// when it was not asked.
func (c *Call) tell(h http.Header, app time.Duration) {
	t := c.traced
	if t == nil || t.told {
		return
	}
	t.told = true
	x := c.Exchange
	if c.g.o.Identity != nil {
		x.Server.Timing = append(x.Server.Timing, exchange.Timing{Name: "authn", Duration: t.authn, Says: c.saysAuthn()})
	}
	admitted := t.admitted
	if admitted == 0 {
		admitted = c.spent // it did not get further
	}
	authz := admitted - t.authn
	if o := c.object; o != nil {
		authz -= o.Times.Total
	}
	x.Server.Timing = append(x.Server.Timing, exchange.Timing{Name: "authz", Duration: max(authz, 0), Says: c.saysAuthz()})
	if o := c.object; o != nil {
		x.Server.Timing = append(x.Server.Timing, exchange.Timing{Name: "preread", Duration: o.Times.Total,
			Says: fmt.Sprintf("the object, with GET: %d", o.Response.Status)})
	}
	if app >= 0 {
		x.Server.Timing = append(x.Server.Timing, exchange.Timing{Name: "app", Duration: app})
		x.Server.Timing = append(x.Server.Timing, exchange.Timing{Name: "filter", Duration: c.spent - admitted, Says: c.saysFilter()})
	}
	h.Add("Server-Timing", timingField(x.Server.Timing))
}

func (c *Call) saysAuthn() string {
	k, who := c.Exchange.Server.Credential, c.Exchange.Server.Caller
	switch {
	case k == nil:
		return "no credential"
	case k.Problem != "":
		return k.Scheme + " refused: " + k.Problem
	case who == nil:
		return k.Scheme + " not verified"
	}
	return k.Scheme + " verified: " + string(who.Subject)
}

func (c *Call) saysAuthz() string {
	for i := range c.Exchange.Actions {
		a := &c.Exchange.Actions[i]
		if a.Kind != exchange.Refused {
			continue
		}
		s := "refused: " + a.Check
		if !a.Enforced {
			s = "would refuse: " + a.Check
		}
		if a.Rule != "" {
			s += " by " + a.Rule
		}
		return s
	}
	op := c.pass.Operation()
	if op == nil {
		return "not in the contract"
	}
	var rules []string
	for _, r := range op.Rules {
		if r.Owner {
			rules = append(rules, "owner: "+r.Source)
		} else {
			rules = append(rules, "allow: "+r.Source)
		}
	}
	switch {
	case len(rules) > 0:
		return strings.Join(rules, "; ")
	case op.Public:
		return "public"
	}
	return "no rule: any caller"
}

func (c *Call) saysFilter() string {
	if !c.g.enforce {
		return "report mode: nothing is changed"
	}
	var stripped, repaired int
	for i := range c.Exchange.Actions {
		switch c.Exchange.Actions[i].Kind {
		case exchange.Stripped:
			stripped++
		case exchange.Repaired:
			repaired++
		}
	}
	switch {
	case stripped > 0 && repaired > 0:
		return fmt.Sprintf("stripped %d, repaired %d", stripped, repaired)
	case stripped > 0:
		return fmt.Sprintf("stripped %d", stripped)
	case repaired > 0:
		return fmt.Sprintf("repaired %d", repaired)
	}
	return "nothing to change"
}

// timingField writes Server-Timing: milliseconds, and what was decided as a
// quoted string.
func timingField(ts []exchange.Timing) string {
	var b strings.Builder
	for i, t := range ts {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(t.Name)
		b.WriteString(";dur=")
		b.WriteString(strconv.FormatFloat(float64(t.Duration.Microseconds())/1000, 'f', -1, 64))
		if t.Says == "" {
			continue
		}
		b.WriteString(`;desc="`)
		for _, r := range t.Says[:min(len(t.Says), 200)] {
			switch {
			case r == '"' || r == '\\':
				b.WriteByte('\\')
				b.WriteRune(r)
			case r < ' ' || r > '~':
				b.WriteByte('?')
			default:
				b.WriteRune(r)
			}
		}
		b.WriteByte('"')
	}
	return b.String()
}
