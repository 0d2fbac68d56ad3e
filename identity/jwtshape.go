package identity

import (
	"encoding/base64"
	"strings"
)

// jwtAt returns the length of a compact JWS or JWE at the start of s, or 0:
// three or five base64url parts, of which the first is the beginning of a JSON
// object. When open is set the text was cut off at the end of s, and a token
// that reaches it counts though parts are missing. None begins in the next
// skip bytes of s.
func jwtAt(s string, open bool) (n, skip int) {
	if !jwtBegins(s, open) {
		return 0, 1
	}
	var dots [4]int
	seen := 0
	for ; n < len(s); n++ {
		if s[n] == '.' && seen < 4 {
			dots[seen] = n
			seen++
		} else if !base64URL[s[n]] {
			break
		}
	}
	switch {
	case n == len(s) && open:
		return n, n
	case seen < 2:
		return 0, n
	case seen == 3: // the full stop of a sentence
		return dots[2], dots[2]
	}
	return n, n
}

// jwtBegins reports whether s begins with the base64url of a JSON object.
func jwtBegins(s string, open bool) bool {
	if len(s) < 4 || s[0] != 'e' || s[1] != 'y' && s[1] != 'w' {
		return false
	}
	if len(s) < 12 && !open {
		return false
	}
	var head [9]byte
	n, err := base64.RawURLEncoding.Decode(head[:], []byte(s[:min(12, len(s)&^3)]))
	if err != nil || head[0] != '{' {
		return false
	}
	rest := strings.TrimLeft(string(head[1:n]), " \t\r\n")
	return rest == "" || rest[0] == '"'
}

// isJWT reports whether a whole value is a token.
func isJWT(s string) bool {
	n, _ := jwtAt(s, false)
	return n > 0 && n == len(s)
}

// A jwtSearch finds tokens in a text from left to right. The base64url of "{"
// and a quote or white space is "ey" or "ew" and one of a few letters; y and w
// are looked for, as they are rarer than e, and each only once.
type jwtSearch struct {
	s    string
	open bool
	y, w int // where the next of each may begin
}

func searchJWT(s string, open bool) jwtSearch {
	return jwtSearch{s, open, jwtCandidate(s, 'y', 0), jwtCandidate(s, 'w', 0)}
}

// next returns where the first token from here on begins and ends, or false.
func (q *jwtSearch) next(from int) (start, end int, ok bool) {
	for {
		if q.y < from {
			q.y = jwtCandidate(q.s, 'y', from)
		}
		if q.w < from {
			q.w = jwtCandidate(q.s, 'w', from)
		}
		if from = min(q.y, q.w); from == len(q.s) {
			return 0, 0, false
		}
		n, skip := jwtAt(q.s[from:], q.open)
		if n > 0 {
			return from, from + n, true
		}
		from += skip
	}
}

// jwtCandidate returns where a token with this second letter may begin, or
// len(s); it misses none.
func jwtCandidate(s string, second byte, from int) int {
	for i := from + 1; i < len(s)-1; i++ {
		j := strings.IndexByte(s[i:len(s)-1], second)
		if j < 0 {
			break
		}
		if i += j; s[i-1] == 'e' && jwtThird[s[i+1]] {
			return i - 1
		}
	}
	return len(s)
}

// jwtThird are the third letters of tokens.
var jwtThird = func() (t [256]bool) {
	for _, c := range []byte("ABCDIJKLklmnopqr0123") {
		t[c] = true
	}
	return t
}()

var base64URL = func() (t [256]bool) {
	for c := range t {
		t[c] = c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	return t
}()
