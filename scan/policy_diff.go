package scan

import (
	"fmt"
	"strings"
)

// unified is what is added to a text, as diff -u writes it. Nothing is ever
// taken away, so that the old lines are found in the new ones in their order.
func unified(name string, before, after []byte) string {
	if string(before) == string(after) {
		return ""
	}
	type row struct {
		mark byte
		text string
	}
	old, now := linesOf(before), linesOf(after)
	var rows []row
	i := 0
	for _, l := range now {
		switch {
		case i < len(old) && l == old[i]:
			rows = append(rows, row{' ', l})
			i++
		case i == len(old)-1 && strings.TrimRight(l, "\r\n") == strings.TrimRight(old[i], "\r\n"):
			rows = append(rows, row{'-', old[i]}, row{'+', l}) // its end of line
			i++
		default:
			rows = append(rows, row{'+', l})
		}
	}
	var b strings.Builder
	from := "a/" + name
	if len(before) == 0 {
		from = "/dev/null"
	}
	fmt.Fprintf(&b, "--- %s\n+++ b/%s\n", from, name)
	const context = 3
	oldAt, newAt := 1, 1 // of rows[at]
	for at := 0; at < len(rows); {
		change := at
		for change < len(rows) && rows[change].mark == ' ' {
			change++
		}
		if change == len(rows) {
			break
		}
		start := max(at, change-context)
		end, quiet := change, 0
		for end < len(rows) && quiet <= 2*context {
			if rows[end].mark == ' ' {
				quiet++
			} else {
				quiet = 0
			}
			end++
		}
		end -= max(0, quiet-context)
		oldAt, newAt = oldAt+start-at, newAt+start-at
		var olds, news int
		for _, r := range rows[start:end] {
			if r.mark != '+' {
				olds++
			}
			if r.mark != '-' {
				news++
			}
		}
		fmt.Fprintf(&b, "@@ -%s +%s @@\n", span(oldAt, olds), span(newAt, news))
		for _, r := range rows[start:end] {
			b.WriteByte(r.mark)
			b.WriteString(r.text)
			if !strings.HasSuffix(r.text, "\n") {
				b.WriteString("\n")
				if r.mark == '-' {
					b.WriteString("\\ No newline at end of file\n")
				}
			}
		}
		oldAt, newAt, at = oldAt+olds, newAt+news, end
	}
	return b.String()
}

func span(at, n int) string {
	if n == 0 {
		at--
	}
	if n == 1 {
		return fmt.Sprint(at)
	}
	return fmt.Sprintf("%d,%d", at, n)
}
