package learn

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/parley-project/parley/contract"
)

// What a segment of a path says of itself.

var (
	digits   = regexp.MustCompile(`^[0-9]+$`)
	isUUID   = regexp.MustCompile(`^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$`)
	isULID   = regexp.MustCompile(`^[0-7][0-9A-HJKMNP-TV-Z]{25}$`)
	isHash   = regexp.MustCompile(`^[0-9a-f]{12,128}$`)
	isDay    = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}(-[0-9]{2})?$`)
	prefixed = regexp.MustCompile(`^[A-Za-z]{1,8}[_-][0-9A-Za-z]{6,64}$`)
	code     = regexp.MustCompile(`^[0-9A-Za-z]{8,}$`)
	longWord = regexp.MustCompile(`^[0-9A-Za-z_-]{20,}$`)
	// plainSegment is a segment that stands in a template as it is.
	plainSegment = regexp.MustCompile(`^[A-Za-z0-9._~!$&'()*+,;=:@-]+$`)
	version      = regexp.MustCompile(`^v[0-9]+([._-]?[0-9a-z]+)*$`)
	nameOnly     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	unnamed      = regexp.MustCompile(`[^A-Za-z0-9_]+`)
)

// valueLike reports whether a segment is a value by its looks alone.
func valueLike(s string) bool {
	switch {
	case s == "" || version.MatchString(s):
		return false
	case !plainSegment.MatchString(s): // what must be escaped is data, not a name
		return true
	case digits.MatchString(s), isUUID.MatchString(s), isULID.MatchString(s), isDay.MatchString(s), strings.Contains(s, "@"):
		return true
	case isHash.MatchString(s):
		return strings.ContainsAny(s, "0123456789")
	case prefixed.MatchString(s):
		_, rest, _ := strings.Cut(strings.ReplaceAll(s, "-", "_"), "_")
		return countDigits(rest) >= 2
	case longWord.MatchString(s):
		return countDigits(s) >= 3
	case code.MatchString(s):
		return countDigits(s) >= 6
	}
	return false
}

func countDigits(s string) (n int) {
	for i := 0; i < len(s); i++ {
		if s[i] >= '0' && s[i] <= '9' {
			n++
		}
	}
	return n
}

// placeholder returns the name of a segment that somebody wrote in a value's
// place: {name}, {{name}}, :name, ${name}.
func placeholder(s string) (string, bool) {
	t := s
	switch {
	case strings.HasPrefix(t, "{{") && strings.HasSuffix(t, "}}"):
		t = t[2 : len(t)-2]
	case strings.HasPrefix(t, "${") && strings.HasSuffix(t, "}"):
		t = t[2 : len(t)-1]
	case strings.HasPrefix(t, "{") && strings.HasSuffix(t, "}"):
		t = t[1 : len(t)-1]
	case strings.HasPrefix(t, ":") && len(t) > 1:
		t = t[1:]
	default:
		return "", strings.Contains(s, "{{") || strings.Contains(s, "${") // a value with something around it
	}
	return variableName(strings.TrimSpace(t)), true
}

// variableName makes a name of a path variable of a text.
func variableName(s string) string {
	s = strings.Trim(unnamed.ReplaceAllString(s, "_"), "_")
	if len(s) > 40 {
		s = s[:40]
	}
	if s != "" && s[0] >= '0' && s[0] <= '9' {
		s = "n" + s
	}
	return s
}

// everyday are words that stand where a value could, and are none.
var everyday = []string{
	"me", "self", "current", "mine", "my", "search", "new", "login", "logout", "count", "stats", "export", "import",
	"batch", "bulk", "health", "healthz", "status", "summary", "all", "latest", "recent", "query", "validate", "refresh", "token",
}

func isEveryday(s string) bool { return slices.Contains(everyday, strings.ToLower(s)) }

// singular is the noun of one of what a segment names: order for orders. It is
// the segment itself when that is no plural.
func singular(s string) string {
	l := strings.ToLower(s)
	switch {
	case irregular[l] != "":
		return irregular[l]
	case len(l) < 4 && l != "ids", strings.HasSuffix(l, "ss"), strings.HasSuffix(l, "us"), strings.HasSuffix(l, "is"):
		return s
	case strings.HasSuffix(l, "ies"):
		return s[:len(s)-3] + "y"
	case strings.HasSuffix(l, "sses"), strings.HasSuffix(l, "shes"), strings.HasSuffix(l, "ches"), strings.HasSuffix(l, "xes"), strings.HasSuffix(l, "zes"):
		return s[:len(s)-2]
	case strings.HasSuffix(l, "s"):
		return s[:len(s)-1]
	}
	return s
}

// irregular are the plurals that the endings do not give.
var irregular = map[string]string{
	"people": "person", "children": "child", "men": "man", "women": "woman", "indices": "index", "matrices": "matrix",
	"statuses": "status", "aliases": "alias", "buses": "bus", "series": "series", "news": "news",
	"caches": "cache", "movies": "movie", "cookies": "cookie", "sizes": "size", "prizes": "prize", "axes": "axis",
}

// split cuts a path into its segments, decoded. ok is false for one that is
// too long or too odd to learn from.
func split(raw string) (segments []string, ok bool) {
	if !strings.HasPrefix(raw, "/") || len(raw) > maxPath {
		return nil, false
	}
	if _, bad := contract.AmbiguousPath(raw); bad && !strings.Contains(raw, "{") {
		return nil, false
	}
	segments = strings.Split(raw[1:], "/")
	if len(segments) > maxSegments {
		return nil, false
	}
	for i, s := range segments {
		d, err := url.PathUnescape(s)
		if err != nil {
			return nil, false
		}
		segments[i] = d
	}
	return segments, true
}

// plainWord is the form in which names of members and nouns are compared.
func plainWord(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s))
}
