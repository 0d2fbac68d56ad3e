package trace

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Times, sizes and lists in words.

// duration writes a time as it is read: 0.4 ms, 48 ms, 1.20 s. No line is cut
// before its unit.
func duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return milliseconds(d) + "\u00a0ms"
	case d < 9950*time.Microsecond:
		return fmt.Sprintf("%.1f\u00a0ms", float64(d.Microseconds())/1000)
	case d < time.Second:
		return fmt.Sprintf("%.0f\u00a0ms", float64(d.Microseconds())/1000)
	case d < 100*time.Second:
		return fmt.Sprintf("%.2f\u00a0s", d.Seconds())
	}
	return fmt.Sprintf("%.0f\u00a0s", d.Seconds())
}

// milliseconds is the same without its unit.
func milliseconds(d time.Duration) string {
	if d < time.Millisecond {
		return strconv.FormatFloat(float64((d.Microseconds()+5)/10)/100, 'f', -1, 64)
	}
	if d < 9950*time.Microsecond {
		return strconv.FormatFloat(float64((d.Microseconds()+50)/100)/10, 'f', -1, 64)
	}
	return fmt.Sprintf("%.0f", float64(d.Microseconds())/1000)
}

// ahead says how long something in the future is away.
func ahead(d time.Duration) string {
	switch {
	case d < 0:
		return "nothing"
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	case d >= 730*24*time.Hour:
		return fmt.Sprintf("%.0f years", d.Hours()/24/365)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// sizeOf writes a size with its thousands apart.
func sizeOf(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s + " B"
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

func join[T fmt.Stringer](vs []T, sep string) string {
	var out []string
	for _, v := range vs {
		out = append(out, v.String())
	}
	return strings.Join(out, sep)
}

func joinNonEmpty(parts []string, sep string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, sep)
}
