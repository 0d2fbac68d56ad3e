package identity

import "strings"

// Names of parameters, members and fields are compared without case and
// without "-" and "_": accessToken, access_token and Access-Token are one. Of
// a path such as user[password] or user.password the last part counts.

// fold writes a name in that form into buf and returns it; names too long for
// buf are no names of secrets.
func fold(buf *[32]byte, name string) []byte {
	n := 0
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c == '-' || c == '_' || c == ']' || c == ' ':
			continue
		case c == '[' || c == '.':
			if strings.Trim(name[i+1:], "[]. ") != "" {
				n = 0
			}
			continue
		}
		if n == len(buf) {
			return nil
		}
		buf[n] = c
		n++
	}
	return buf[:n]
}

// A set of names, in folded form.
type names map[string]struct{}

func nameSet(list string) names {
	s := names{}
	for _, n := range strings.Fields(list) {
		s[n] = struct{}{}
	}
	return s
}

func (s names) has(folded []byte) bool {
	_, ok := s[string(folded)]
	return ok
}
