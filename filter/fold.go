package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

// A finder looks for one text in others without regard to case.
type finder struct {
	text   string // ASCII in lower case
	ascii  bool
	folded []rune
}

func newFinder(text string) *finder {
	f := &finder{ascii: true}
	for i := 0; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			f.ascii = false
			for _, r := range text {
				f.folded = append(f.folded, foldRune(r))
			}
			break
		}
	}
	f.text = text
	if f.ascii {
		f.text = strings.ToLower(text)
	}
	return f
}

// in reports whether s contains the text.
func (f *finder) in(s string) bool {
	if !f.ascii {
		return f.inUnicode(s)
	}
	if len(f.text) == 0 {
		return true
	}
	last := len(s) - len(f.text)
	if last < 0 {
		return false
	}
	lo := f.text[0]
	up := lo
	if 'a' <= lo && lo <= 'z' {
		up = lo - 0x20
	}
	// Two cursors, one for each case of the first letter: IndexByte is vector
	// code, and each of the two passes over s at most once.
	nextLo, nextUp := -1, -1
	for i := 0; i <= last; i++ {
		if nextLo < i {
			nextLo = index(s, i, last, lo)
		}
		if up == lo {
			nextUp = nextLo
		} else if nextUp < i {
			nextUp = index(s, i, last, up)
		}
		i = min(nextLo, nextUp)
		if i > last {
			return false
		}
		if equalASCII(s[i+1:i+len(f.text)], f.text[1:]) {
			return true
		}
	}
	return false
}

// index is where c stands in s[i:last+1], counted in s; past last if nowhere.
func index(s string, i, last int, c byte) int {
	if j := strings.IndexByte(s[i:last+1], c); j >= 0 {
		return i + j
	}
	return last + 1
}

// equalASCII compares s with lower, which is in lower case and as long.
func equalASCII(s, lower string) bool {
	for i := 0; i < len(lower); i++ {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

func (f *finder) inUnicode(s string) bool {
	for len(s) > 0 {
		if f.at(s) >= 0 {
			return true
		}
		_, n := utf8.DecodeRuneInString(s)
		s = s[n:]
	}
	return false
}

// at returns what follows the text at the beginning of s, or -1.
func (f *finder) at(s string) int {
	i := 0
	for _, want := range f.folded {
		if i >= len(s) {
			return -1
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if foldRune(r) != want {
			return -1
		}
		i += n
	}
	return i
}

// is reports whether s is the text.
func (f *finder) is(s string) bool {
	if f.ascii {
		return len(s) == len(f.text) && equalASCII(s, f.text)
	}
	return f.at(s) == len(s)
}

// prefix reports whether s begins with the text.
func (f *finder) prefix(s string) bool {
	if f.ascii {
		return len(s) >= len(f.text) && equalASCII(s[:len(f.text)], f.text)
	}
	return f.at(s) >= 0
}

// foldRune returns the least rune that r folds to.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' {
			r -= 0x20
		}
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return least
}

// view returns b as a string without a copy. The string must not outlive the
// call that looks at it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
