package identity

import (
	"encoding/base64"
	"strings"
)

// jwtAt returns the length of a compact JWS or JWE at the start of s, or 0:
// three or five base64url parts, of which the first is the beginning of a JSON
// object. When open is set the text was cut off at the end of s, and a token
// that reaches it counts though parts are missing.
func jwtAt(s string, open bool) int {
	if !jwtBegins(s, open) {
		return 0
	}
	var dots [5]int
	n, seen := 0, 0
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
		return n
	case seen < 2:
		return 0
	case seen == 3: // the full stop of a sentence
		return dots[2]
	}
	return n
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
func isJWT(s string) bool { return s != "" && jwtAt(s, false) == len(s) }

// nextJWT returns where the next token in s begins and ends, or false.
func nextJWT(s string, open bool) (start, end int, ok bool) {
	for from := 0; ; {
		i := jwtCandidate(s[from:])
		if i < 0 {
			return 0, 0, false
		}
		from += i
		if n := jwtAt(s[from:], open); n > 0 {
			return from, from + n, true
		}
		from++
	}
}

// jwtCandidate returns where a token may begin, or -1; it misses none. The
// base64url of "{" and a quote or white space is "ey" or "ew" and one of a few
// letters; y and w are looked for, as they are rarer than e.
func jwtCandidate(s string) int {
	best := -1
	for _, c := range [...]byte{'y', 'w'} {
		for i := 1; i < len(s)-1; i++ {
			j := strings.IndexByte(s[i:len(s)-1], c)
			if j < 0 {
				break
			}
			if i += j; s[i-1] == 'e' && jwtThird[s[i+1]] {
				if best < 0 || i-1 < best {
					best = i - 1
				}
				break
			}
		}
	}
	return best
}

// mayHoldJWT is a quick look that never misses one.
func mayHoldJWT(s string) bool { return jwtCandidate(s) >= 0 }

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
