package jsonscan

// formats are those that are asserted for texts; a format that is not here is
// a comment. Lengths and digits are checked byte by byte, without copies.
var formats = map[string]func([]byte) bool{
	"date-time":     isDateTime,
	"date":          isDate,
	"time":          isTime,
	"duration":      isDuration,
	"uuid":          isUUID,
	"email":         isEmail,
	"hostname":      isHostname,
	"ipv4":          isIPv4,
	"ipv6":          isIPv6,
	"uri":           isURI,
	"uri-reference": isURIReference,
	"byte":          isBase64,
	"json-pointer":  isJSONPointer,
}

var numberFormats = map[string]func(*decimal) bool{
	"int32": func(d *decimal) bool { return d.within(-1<<31, 1<<31-1) },
	"int64": func(d *decimal) bool { return d.within(-1<<63, 1<<63-1) },
}

// KnownFormat reports whether the format is asserted.
func KnownFormat(name string) bool {
	return formats[name] != nil || numberFormats[name] != nil
}

func digit(c byte) bool { return c-'0' <= 9 }

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func hexDigit(c byte) bool { return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// pair reads two digits at i, or returns -1.
func pair(b []byte, i int) int {
	if i+2 > len(b) || !digit(b[i]) || !digit(b[i+1]) {
		return -1
	}
	return int(b[i]-'0')*10 + int(b[i+1]-'0')
}

// isDate checks full-date of RFC 3339.
func isDate(b []byte) bool {
	if len(b) != 10 || b[4] != '-' || b[7] != '-' {
		return false
	}
	century, years, month, day := pair(b, 0), pair(b, 2), pair(b, 5), pair(b, 8)
	if century < 0 || years < 0 || month < 1 || month > 12 || day < 1 {
		return false
	}
	year := century*100 + years
	last := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		last = 29
	}
	return day <= last
}

// isTime checks full-time of RFC 3339: the zone is part of it.
func isTime(b []byte) bool {
	if len(b) < 9 || b[2] != ':' || b[5] != ':' {
		return false
	}
	hour, minute, second := pair(b, 0), pair(b, 3), pair(b, 6)
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return false
	}
	i := 8
	if b[i] == '.' {
		from := i + 1
		for i = from; i < len(b) && digit(b[i]); i++ {
		}
		if i == from {
			return false
		}
	}
	offset := 0
	switch rest := b[i:]; {
	case len(rest) == 1 && rest[0]|0x20 == 'z':
	case len(rest) == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':':
		h, m := pair(rest, 1), pair(rest, 4)
		if h < 0 || h > 23 || m < 0 || m > 59 {
			return false
		}
		if offset = h*60 + m; rest[0] == '-' {
			offset = -offset
		}
	default:
		return false
	}
	// A leap second is the last of a day, in UTC.
	return second < 60 || ((hour*60+minute-offset)%1440+1440)%1440 == 1439
}

func isDateTime(b []byte) bool {
	return len(b) > 11 && b[10]|0x20 == 't' && isDate(b[:10]) && isTime(b[11:])
}

// isDuration checks the appendix A of RFC 3339.
func isDuration(b []byte) bool {
	if len(b) < 3 || b[0] != 'P' {
		return false
	}
	b = b[1:]
	units := func(order string) bool {
		some, last := false, -1
		for len(b) > 0 && b[0] != 'T' {
			i := 0
			for i < len(b) && digit(b[i]) {
				i++
			}
			if i == 0 || i == len(b) {
				return false
			}
			at := -1
			for j := 0; j < len(order); j++ {
				if order[j] == b[i] {
					at = j
				}
			}
			// Units follow one another without a gap: P1Y1D is not one.
			if at < 0 || some && at != last+1 {
				return false
			}
			some, last, b = true, at, b[i+1:]
		}
		return some
	}
	if b[len(b)-1] == 'W' {
		return units("W") && len(b) == 0
	}
	if b[0] != 'T' && !units("YMD") {
		return false
	}
	if len(b) == 0 {
		return true
	}
	b = b[1:]
	return units("HMS") && len(b) == 0
}

func isUUID(b []byte) bool {
	if len(b) != 36 {
		return false
	}
	for i, c := range b {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !hexDigit(c) {
			return false
		}
	}
	return true
}

// isEmail checks the dot-atom form of RFC 5321, and a quoted local part.
func isEmail(b []byte) bool {
	at := -1
	for i, c := range b {
		if c == '@' {
			at = i
		}
	}
	if at < 1 || at > 64 || len(b) > 254 {
		return false
	}
	local, domain := b[:at], b[at+1:]
	if len(domain) > 2 && domain[0] == '[' && domain[len(domain)-1] == ']' {
		in := domain[1 : len(domain)-1]
		if len(in) > 5 && string(in[:5]) == "IPv6:" {
			if !isIPv6(in[5:]) {
				return false
			}
		} else if !isIPv4(in) {
			return false
		}
	} else if !isHostname(domain) {
		return false
	}
	if local[0] == '"' {
		if len(local) < 3 || local[len(local)-1] != '"' {
			return false
		}
		for i := 1; i < len(local)-1; i++ {
			if local[i] == '\\' {
				i++
			} else if local[i] == '"' || local[i] < 0x20 {
				return false
			}
		}
		return true
	}
	dot := true // as at the start, none may follow
	for _, c := range local {
		switch {
		case c == '.':
			if dot {
				return false
			}
			dot = true
			continue
		case letter(c), digit(c), c >= 0x80:
		default:
			switch c {
			case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '/', '=', '?', '^', '_', '`', '{', '|', '}', '~':
			default:
				return false
			}
		}
		dot = false
	}
	return !dot
}

// isHostname checks RFC 1123, 2.1.
func isHostname(b []byte) bool {
	if len(b) == 0 || len(b) > 253 {
		return false
	}
	label := 0
	for i, c := range b {
		switch {
		case c == '.':
			if label == 0 || b[i-1] == '-' {
				return false
			}
			label = 0
			continue
		case c == '-':
			if label == 0 {
				return false
			}
		case !letter(c) && !digit(c):
			return false
		}
		if label++; label > 63 {
			return false
		}
	}
	return label > 0 && b[len(b)-1] != '-'
}

func isIPv4(b []byte) bool {
	parts := 0
	for i := 0; ; {
		n, from := 0, i
		for i < len(b) && digit(b[i]) && i-from < 3 {
			n = n*10 + int(b[i]-'0')
			i++
		}
		if i == from || n > 255 || b[from] == '0' && i-from > 1 {
			return false
		}
		if parts++; parts == 4 {
			return i == len(b)
		}
		if i >= len(b) || b[i] != '.' {
			return false
		}
		i++
	}
}

func isIPv6(b []byte) bool {
	groups, gap, i := 0, false, 0
	if len(b) >= 2 && b[0] == ':' {
		if b[1] != ':' {
			return false
		}
		gap, i = true, 2
		if i == len(b) {
			return true
		}
	}
	for {
		from := i
		for i < len(b) && hexDigit(b[i]) && i-from < 4 {
			i++
		}
		if i < len(b) && b[i] == '.' {
			groups += 2
			return isIPv4(b[from:]) && (groups == 8 || gap && groups < 8)
		}
		if i == from {
			return false
		}
		groups++
		if i == len(b) {
			return groups == 8 || gap && groups < 8
		}
		if b[i] != ':' || groups == 8 {
			return false
		}
		if i++; i < len(b) && b[i] == ':' {
			if gap {
				return false
			}
			gap = true
			if i++; i == len(b) {
				return groups < 8
			}
		}
	}
}

// isURI checks RFC 3986: a scheme, then what isURIReference checks.
func isURI(b []byte) bool {
	for i, c := range b {
		switch {
		case c == ':':
			return i > 0 && uriRest(b[i+1:])
		case letter(c):
		case i > 0 && (digit(c) || c == '+' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return false
}

func isURIReference(b []byte) bool {
	if isURI(b) {
		return true
	}
	// A relative reference has no colon in its first segment.
	for _, c := range b {
		if c == '/' || c == '?' || c == '#' {
			break
		}
		if c == ':' {
			return false
		}
	}
	return uriRest(b)
}

// uriRest checks the part after the scheme.
func uriRest(b []byte) bool {
	if len(b) >= 2 && b[0] == '/' && b[1] == '/' {
		end := 2
		for end < len(b) && b[end] != '/' && b[end] != '?' && b[end] != '#' {
			end++
		}
		if !authority(b[2:end]) {
			return false
		}
		b = b[end:]
	}
	fragment := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '%':
			if i+2 >= len(b) || !hexDigit(b[i+1]) || !hexDigit(b[i+2]) {
				return false
			}
			i += 2
		case c == '#':
			if fragment {
				return false
			}
			fragment = true
		case !uriByte(c) || c == '[' || c == ']':
			return false
		}
	}
	return true
}

func authority(b []byte) bool {
	for i, c := range b {
		if c == '@' {
			for _, c := range b[:i] {
				if c == '[' || c == ']' || !uriByte(c) && c != '%' {
					return false
				}
			}
			b = b[i+1:]
			break
		}
	}
	if len(b) > 0 && b[0] == '[' {
		end := 0
		for end < len(b) && b[end] != ']' {
			end++
		}
		if end == len(b) || !isIPv6(b[1:end]) {
			return false
		}
		b = b[end+1:]
		if len(b) > 0 && b[0] != ':' {
			return false
		}
	}
	port := -1
	for i, c := range b {
		switch {
		case c == ':':
			if port >= 0 {
				return false
			}
			port = i
		case port >= 0 && !digit(c):
			return false
		case c == '%':
			if i+2 >= len(b) || !hexDigit(b[i+1]) || !hexDigit(b[i+2]) {
				return false
			}
		case !uriByte(c) || c == '[' || c == ']':
			return false
		}
	}
	return true
}

// uriByte reports whether c may stand in a URI: unreserved and reserved.
func uriByte(c byte) bool {
	if letter(c) || digit(c) {
		return true
	}
	switch c {
	case '-', '.', '_', '~', ':', '/', '?', '#', '[', ']', '@', '!', '$', '&', '\'', '(', ')', '*', '+', ',', ';', '=':
		return true
	}
	return false
}

// isBase64 checks RFC 4648, 4, with its padding.
func isBase64(b []byte) bool {
	if len(b)%4 != 0 {
		return false
	}
	end := len(b)
	for pad := 0; pad < 2 && end > 0 && b[end-1] == '='; pad++ {
		end--
	}
	for _, c := range b[:end] {
		if !letter(c) && !digit(c) && c != '+' && c != '/' {
			return false
		}
	}
	return true
}

// isJSONPointer checks RFC 6901.
func isJSONPointer(b []byte) bool {
	if len(b) > 0 && b[0] != '/' {
		return false
	}
	for i, c := range b {
		if c == '~' && (i+1 == len(b) || b[i+1] != '0' && b[i+1] != '1') {
			return false
		}
	}
	return true
}
