package identity

// text or bytes, so that the scanners of both need no copy.
type bytesOrString interface{ ~string | ~[]byte }

// jwtAt returns the length of a value in the shape of a compact JWS or JWE at
// the start of s, or 0. The shape is three or five base64url parts of which
// the first is the beginning of a JSON object ({", { and white space).
func jwtAt[S bytesOrString](s S) int {
	if len(s) < 20 || s[0] != 'e' || s[1] != 'y' && s[1] != 'w' {
		return 0
	}
	n, dots, last, first := 0, 0, 0, 0
	for ; n < len(s); n++ {
		if c := s[n]; c == '.' {
			if dots == 4 {
				break
			}
			if dots++; dots == 1 {
				first = n
			}
			last = n
		} else if !base64URL[c] {
			break
		}
	}
	// A sentence that follows may have left a full stop at the end.
	if dots < 2 || first < 10 {
		return 0
	}
	_ = last
	return n
}

var base64URL = func() (t [256]bool) {
	for c := range t {
		t[c] = c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	return t
}()
