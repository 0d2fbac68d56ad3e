package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/report"
	"github.com/parley-project/parley/store"
)

// lineWriter writes a row of a store on one line that is as wide as the
// terminal; 80 columns where there is none.
type lineWriter struct {
	w     io.Writer
	width func() int
	color bool
	day   string
}

func newLineWriter(w io.Writer) *lineWriter {
	l := &lineWriter{w: w, color: colored(w)}
	l.width = func() int { // it may change while we watch
		if n, ok := terminalWidth(w); ok {
			return max(n, 40)
		}
		return 80
	}
	return l
}

// flagsWidth holds "would strip repair".
const flagsWidth = 18

// row writes one line. Its columns: time, method, target, status, duration,
// size where there is room, caller, and what was found or done.
func (l *lineWriter) row(r *store.Row) error {
	width := l.width()
	start := r.Start.Local()
	if day := start.Format("2006-01-02"); day != l.day {
		l.day = day
		if _, err := fmt.Fprintln(l.w, l.paint("2", "── "+day+" "+strings.Repeat("─", max(width-len(day)-4, 0)))); err != nil {
			return err
		}
	}
	flags, flagColor := flagsOf(r)
	caller := r.Caller
	if caller == "" && r.Known {
		caller = string(r.Subject)
	}
	if caller == "" {
		caller = "-"
	}
	status, statusColor := statusOf(r)
	target := r.Target
	extra := ""
	if width >= 100 {
		extra = fmt.Sprintf(" %6s", sizeWord(r.Response))
		target = r.Authority + target
	}
	const fixed = 8 + 1 + 7 + 1 /* target */ + 1 + 3 + 1 + 6 /* extra */ + 1 + 8 + 1 + flagsWidth
	room := max(width-fixed-len(extra), 8)
	_, err := fmt.Fprintf(l.w, "%s %s %s %s %6s%s %s %s\n", l.paint("2", start.Format("15:04:05")), fit(r.Method, 7), fit(target, room),
		l.paint(statusColor, fit(status, 3)), l.paintRight("", durationWord(r.Total), 6), l.paint("2", extra), fit(caller, 8),
		l.paint(flagColor, strings.TrimRight(fit(flags, flagsWidth), " ")))
	return err
}

func (l *lineWriter) paint(color, s string) string {
	if !l.color || color == "" || s == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

func (l *lineWriter) paintRight(color, s string, n int) string {
	return l.paint(color, strings.Repeat(" ", max(n-len(s), 0))+s)
}

// fit makes text exactly n columns wide, and safe for a terminal: it was sent
// by strangers.
func fit(s string, n int) string {
	if len(s) > 4*n+64 {
		s = s[:4*n+64]
	}
	s = report.Visible(s)
	have := utf8.RuneCountInString(s)
	if have > n {
		return string([]rune(s)[:n-1]) + "…"
	}
	return s + strings.Repeat(" ", n-have)
}

func statusOf(r *store.Row) (text, color string) {
	switch {
	case r.Failed && r.Status == 0:
		return "ERR", "31"
	case r.Status == 0:
		return "-", "2"
	case r.Status >= 500:
		color = "31"
	case r.Status >= 400:
		color = "33"
	case r.Status >= 300:
		color = "36"
	default:
		color = "32"
	}
	return fmt.Sprint(r.Status), color
}

// flagsOf says the worst that was found, what guard did and what it would have
// done: "refused", "strip 2 repair", "would refuse", "critical 3". The numbers
// go first when there is no room.
func flagsOf(r *store.Row) (text, color string) {
	var words, short []string
	add := func(word, c string, n int) {
		if color == "" {
			color = c
		}
		short = append(short, word)
		if n > 1 {
			word += fmt.Sprint(" ", n)
		}
		words = append(words, word)
	}
	if n := sum(r.Findings[:]); n > 0 {
		worst := exchange.Critical
		for worst > 0 && r.Findings[worst] == 0 {
			worst--
		}
		c := "33"
		if worst >= exchange.High {
			c = "31"
		}
		add(worst.String(), c, n)
	}
	would := ""
	for _, k := range [...]struct{ kind, word, color string }{{"refuse", "refused", "31"}, {"strip", "strip", "33"}, {"repair", "repair", "32"},
		{"would refuse", "refuse", "31"}, {"would strip", "strip", "33"}, {"would repair", "repair", "32"}} {
		n := r.Actions[k.kind]
		if n == 0 {
			continue
		}
		word := k.word
		if strings.HasPrefix(k.kind, "would ") && would == "" {
			would = "would "
			word = would + word
		}
		add(word, k.color, n)
	}
	if text = strings.Join(words, " "); len(text) > flagsWidth {
		text = strings.Join(short, " ")
	}
	return text, color
}

func sum(ns []int) (n int) {
	for _, v := range ns {
		n += v
	}
	return n
}

func durationWord(d time.Duration) string {
	switch {
	case d <= 0:
		return "-"
	case d < time.Millisecond:
		return fmt.Sprintf("%dµs", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1fms", float64(d.Microseconds())/1000)
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < 100*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return fmt.Sprintf("%dm", int(d.Minutes()))
}

func sizeWord(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%dB", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1fk", float64(n)/1000)
	}
	return fmt.Sprintf("%.1fM", float64(n)/1e6)
}
