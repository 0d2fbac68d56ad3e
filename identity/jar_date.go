package identity

import (
	"strings"
	"time"
)

// ParseCookieDate reads the date of a cookie as user agents do (RFC 6265,
// 5.1.1): a time, a day, a month and a year in any order, and anything between.
func ParseCookieDate(s string) (time.Time, bool) {
	hour, minute, second, day, month, year := -1, 0, 0, -1, time.Month(0), -1
	for _, token := range strings.FieldsFunc(s, dateDelimiter) {
		if hour < 0 {
			if h, m, sec, ok := clockOf(token); ok {
				hour, minute, second = h, m, sec
				continue
			}
		}
		if day < 0 {
			if n, ok := leading(token, 1, 2); ok {
				day = n
				continue
			}
		}
		if month == 0 {
			if m := monthOf(token); m != 0 {
				month = m
				continue
			}
		}
		if year < 0 {
			if n, ok := leading(token, 2, 4); ok {
				year = n
			}
		}
	}
	switch {
	case year >= 70 && year <= 99:
		year += 1900
	case year >= 0 && year <= 69:
		year += 2000
	}
	if hour < 0 || hour > 23 || minute > 59 || second > 59 || day < 1 || day > 31 || month == 0 || year < 1601 {
		return time.Time{}, false
	}
	t := time.Date(year, month, day, hour, minute, second, 0, time.UTC)
	return t, t.Day() == day // 31 February is no date
}

// dateDelimiter is what stands between the parts: all but digits, letters,
// colons and what is not ASCII.
func dateDelimiter(r rune) bool {
	return r == 0x09 || r >= 0x20 && r <= 0x2f || r >= 0x3b && r <= 0x40 || r >= 0x5b && r <= 0x60 || r >= 0x7b && r <= 0x7e
}

// leading reads the digits that a token begins with; others must not follow at
// once.
func leading(token string, least, most int) (n int, ok bool) {
	i := 0
	for ; i < len(token) && token[i] >= '0' && token[i] <= '9'; i++ {
		if i == most {
			return 0, false
		}
		n = n*10 + int(token[i]-'0')
	}
	return n, i >= least
}

func clockOf(token string) (hour, minute, second int, ok bool) {
	parts := strings.SplitN(token, ":", 3)
	if len(parts) < 3 {
		return 0, 0, 0, false
	}
	var n [3]int
	for i, p := range parts {
		if i < 2 && strings.Trim(p, "0123456789") != "" {
			return 0, 0, 0, false
		}
		if n[i], ok = leading(p, 1, 2); !ok {
			return 0, 0, 0, false
		}
	}
	return n[0], n[1], n[2], true
}

func monthOf(token string) time.Month {
	if len(token) < 3 {
		return 0
	}
	for m := time.January; m <= time.December; m++ {
		if strings.EqualFold(token[:3], m.String()[:3]) {
			return m
		}
	}
	return 0
}
