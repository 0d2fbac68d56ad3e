package learn

import (
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// formats are bits: what all strings at a place had in common.
type formats uint8

const (
	fmtUUID formats = 1 << iota
	fmtDateTime
	fmtDate
	fmtEmail
	fmtURI
	allFormats formats = 1<<iota - 1
)

var formatNames = []struct {
	bit  formats
	name string
}{{fmtUUID, "uuid"}, {fmtDateTime, "date-time"}, {fmtDate, "date"}, {fmtEmail, "email"}, {fmtURI, "uri"}}

func (f formats) name() string {
	for _, n := range formatNames {
		if f&n.bit != 0 {
			return n.name
		}
	}
	return ""
}

func formatsOf(s string) (f formats) {
	switch {
	case len(s) < 6 || len(s) > 2000:
	case isUUID.MatchString(s):
		f = fmtUUID
	case len(s) == 10 && s[4] == '-':
		if _, err := time.Parse(time.DateOnly, s); err == nil {
			f = fmtDate
		}
	case len(s) >= 20 && s[4] == '-' && (s[10] == 'T' || s[10] == 't'):
		if _, err := time.Parse(time.RFC3339Nano, strings.ToUpper(s)); err == nil {
			f = fmtDateTime
		}
	case strings.Contains(s, "://"):
		if u, err := url.Parse(s); err == nil && u.Scheme != "" && u.Host != "" && !strings.ContainsAny(s, " \t{}") {
			f = fmtURI
		}
	case strings.Contains(s, "@"):
		if a, err := mail.ParseAddress(s); err == nil && a.Address == s && !strings.ContainsAny(s, "{}\"") {
			f = fmtEmail
		}
	}
	return f
}

// word is a value that may be one of a fixed few.
var word = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,23}$`)

// masked reports whether a value is the placeholder of a secret.
func masked(s string) bool { return strings.Contains(s, "secret:") }
