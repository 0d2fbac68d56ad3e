package archive

import (
	"fmt"
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// quoteShell quotes text so that a shell takes it as one word. A zero byte,
// which no argument can hold, becomes U+FFFD.
func quoteShell(s string) string {
	s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	if !strings.ContainsFunc(s, escapedInWord) {
		if q, err := syntax.Quote(s, syntax.LangPOSIX); err == nil && q == s && !strings.Contains(s, "^") {
			return s
		}
		return "'" + s + "'"
	}
	// Controls are written as $'\001', which older shells take for five
	// characters. A quote is never among them: in those shells it would end the
	// word, and what follows would be a command.
	var b strings.Builder
	for s != "" {
		n := strings.IndexFunc(s, escapedInWord)
		switch {
		case n < 0:
			b.WriteString("'" + s + "'")
			return b.String()
		case n > 0:
			b.WriteString("'" + s[:n] + "'")
		case s[0] == '\'':
			b.WriteString(`"'"`)
			n = 1
		default:
			b.WriteString("$'")
			for n < len(s) && isControl(rune(s[n])) {
				fmt.Fprintf(&b, `\%03o`, s[n])
				n++
			}
			b.WriteString("'")
		}
		s = s[n:]
	}
	return b.String()
}

func escapedInWord(r rune) bool { return r == '\'' || isControl(r) }

func isControl(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }

var reference = regexp.MustCompile(`\{\{([A-Za-z_][A-Za-z0-9_]*)\}\}`)

// ofTheShell are variables that the shell, the loader or curl itself obeys: no
// file may set them.
var ofTheShell = regexp.MustCompile(`^(PATH|HOME|IFS|ENV|PS[0-4]|CDPATH|SHELLOPTS|TMPDIR|NETRC|SSLKEYLOGFILE|QLOGDIR|HOSTALIASES|RES_OPTIONS|LOCALDOMAIN|GCONV_PATH|LOCPATH|NLSPATH)$|^(BASH|LD_|DYLD_|CURL_|SSL_|OPENSSL_|XDG_)|(?i:_proxy)$`)

// quoteWord quotes text that may name variables: those whose names a shell
// knows become its variables, the others stay in braces.
func quoteWord(s string) string {
	at := reference.FindAllStringSubmatchIndex(s, -1)
	if at == nil {
		return quoteShell(s)
	}
	var b strings.Builder
	from := 0
	for _, m := range at {
		if m[0] > from {
			b.WriteString(quoteShell(s[from:m[0]]))
		}
		b.WriteString(`"$` + "{" + s[m[2]:m[3]] + `}"`)
		from = m[1]
	}
	if from < len(s) {
		b.WriteString(quoteShell(s[from:]))
	}
	return b.String()
}
