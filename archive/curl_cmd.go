package archive

import (
	"strings"
)

// isCmd reports whether text is quoted for cmd.exe: browsers copy it so.
func isCmd(text string) bool {
	if strings.Contains(text, `curl ^"`) || strings.Contains(text, `curl.exe ^"`) {
		return true
	}
	// cmd.exe knows no single quotes.
	return (strings.Contains(text, " ^\n") || strings.Contains(text, " ^\r\n")) && !strings.Contains(text, " '") && !strings.Contains(text, "$'")
}

// fromCmd quotes for a shell what is quoted for cmd.exe: there ^ takes the
// meaning of the next character, and programs see \" for a quote.
func fromCmd(text string) string {
	var plain strings.Builder
	quoted := false
	text = strings.ReplaceAll(text, "\r\n", "\n")
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '^' && !quoted && i+1 < len(text):
			i++
			if text[i] == '\n' {
				if i+1 < len(text) && text[i+1] == '\n' { // ^, line end, line end is a line end
					i++
					plain.WriteByte('\n')
				} else {
					plain.WriteByte(' ')
				}
			} else {
				if text[i] == '\n' || text[i] == '"' {
					plain.WriteByte(text[i])
					continue
				}
				plain.WriteByte(text[i])
			}
		case c == '"':
			if i == 0 || text[i-1] != '\\' {
				quoted = !quoted
			}
			plain.WriteByte(c)
		default:
			plain.WriteByte(c)
		}
	}
	return cmdWords(plain.String())
}

// cmdWords splits as Windows programs split their command line, and quotes
// each word for a shell.
func cmdWords(line string) string {
	var out, word strings.Builder
	in, any := false, false
	flush := func() {
		if any || word.Len() > 0 {
			out.WriteString(quoteShell(word.String()) + " ")
		}
		word.Reset()
		any = false
	}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\':
			n := 0
			for i < len(line) && line[i] == '\\' {
				n++
				i++
			}
			if i < len(line) && line[i] == '"' {
				word.WriteString(strings.Repeat(`\`, n/2))
				if n%2 == 1 {
					word.WriteByte('"')
					continue
				}
			} else {
				word.WriteString(strings.Repeat(`\`, n))
			}
			i--
		case c == '"':
			in, any = !in, true
		case !in && (c == ' ' || c == '\t'):
			flush()
		case !in && (c == '\n' || c == '&'):
			flush()
			out.WriteByte('\n')
		default:
			word.WriteByte(c)
		}
	}
	flush()
	return out.String()
}
