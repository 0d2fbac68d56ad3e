package trace

import (
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// A phase is a part of the time that a call took, in HAR's terms, with connect
// and tls apart.
type phase struct {
	name  string
	glyph string // drawn; and with ASCII only
	ascii string
	color string
	time  time.Duration
}

func phases(x *exchange.Exchange) []phase {
	t := &x.Times
	blocked := t.Blocked
	if blocked < time.Millisecond {
		blocked = 0 // it did not wait
	}
	return []phase{
		{"blocked", "·", ".", dim, blocked},
		{"dns", "▓", "d", cyan, t.DNS},
		{"tcp", "░", "c", green, max(t.Connect-t.TLS, 0)},
		{"tls", "▒", "t", yellow, t.TLS},
		{"send", "▀", "s", bold, t.Send},
		{"wait", "█", "w", "34", t.Wait},
		{"receive", "▄", "r", "35", t.Receive},
	}
}

// least is what a phase must take to be drawn.
const least = 10 * time.Microsecond

// whole is how long the call took: the sum of its phases, as HAR has it. What
// trace itself did meanwhile, such as judging the chain, is not the call's. Of
// one that broke off the time until then counts, whatever it was spent on.
func whole(x *exchange.Exchange) time.Duration {
	var sum time.Duration
	for _, p := range phases(x) {
		sum += p.time
	}
	if sum == 0 || x.Failure != "" {
		return max(x.Times.Total, sum)
	}
	return sum
}

// phasesText lists those that took time: "dns 11  tcp 14".
func phasesText(x *exchange.Exchange) string {
	var parts []string
	var sum time.Duration
	for _, p := range phases(x) {
		sum += p.time
		if p.time >= least {
			parts = append(parts, p.name+"\u00a0"+rounded(p.time))
		}
	}
	if rest := whole(x) - sum; rest > time.Millisecond && rest > whole(x)/20 {
		parts = append(parts, "other\u00a0"+rounded(rest)) // nothing came of it
	}
	return strings.Join(parts, "  ")
}

// rounded is a time in milliseconds, to a tenth: the lines have all there is.
func rounded(d time.Duration) string {
	return milliseconds(max(d.Round(100*time.Microsecond), 100*time.Microsecond))
}

// bar draws the phases one after the other in exactly width columns: each that
// took time is seen, the rest is shared out by time. Empty when one alone
// is known, or none.
func (t *text) bar(x *exchange.Exchange, width int) string {
	ps := phases(x)
	var sum time.Duration
	for i := range ps {
		if ps[i].time < least {
			ps[i].time = 0
		}
	}
	seen, last := 0, -1
	for i, p := range ps {
		if p.time > 0 {
			sum += p.time
			seen++
			last = i
		}
	}
	if seen < 2 || width < seen {
		return ""
	}
	room := width - seen
	var b strings.Builder
	used, so := 0, time.Duration(0)
	for i, p := range ps {
		if p.time <= 0 {
			continue
		}
		so += p.time
		end := int(float64(room) * (float64(so) / float64(sum)))
		if i == last {
			end = room
		}
		glyph := p.glyph
		if t.ASCII {
			glyph = p.ascii
		}
		b.WriteString(t.paint(p.color, strings.Repeat(glyph, 1+end-used)))
		used = end
	}
	return b.String()
}
