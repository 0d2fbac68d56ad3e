package archive

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// HAR 1.2 is read as programs write it: with a byte order mark, with and
// without ssl and blocked, with times of -1 for "does not apply", httpVersion
// in all spellings, bodies in base64, and fields that no standard names. What
// a Collection has no word for stays in Foreign, and is written back.

func isHAR(file string, data []byte) bool {
	if strings.EqualFold(extension(file), ".har") {
		return true
	}
	head := bytes.TrimLeft([]byte(decodeText(data[:min(len(data), 4096)])), " \t\r\n")
	head, ok := bytes.CutPrefix(head, []byte("{"))
	if !ok {
		return false
	}
	return bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte(`"log"`))
}

// extension is the ending of a file's name.
func extension(file string) string {
	if i := strings.LastIndexByte(file, '.'); i >= 0 && !strings.ContainsAny(file[i:], `/\`) {
		return file[i:]
	}
	return ""
}

// Milliseconds in a HAR are decimal text, and durations here are nanoseconds:
// both ways are exact, so that what was written reads the same.

// millis reads a time in milliseconds; false for one that is missing or
// negative, which stands for "does not apply".
func millis(t *tree) (time.Duration, bool) {
	if t == nil || t.kind != '0' && t.kind != '"' {
		return 0, false
	}
	text := t.asText()
	if len(text) > 64 {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f >= 0) || f > math.MaxInt64/1e6/2 {
		return 0, false
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, false
	}
	r.Mul(r, big.NewRat(1e6, 1))
	twice := new(big.Int).Add(new(big.Int).Mul(r.Num(), big.NewInt(2)), r.Denom())
	return time.Duration(twice.Div(twice, new(big.Int).Mul(r.Denom(), big.NewInt(2))).Int64()), true
}

// harMillis is a duration as HAR has it.
func harMillis(d time.Duration) string {
	d = max(d, 0)
	whole, part := d/time.Millisecond, d%time.Millisecond
	if part == 0 {
		return strconv.FormatInt(int64(whole), 10)
	}
	frac := strconv.FormatInt(int64(part)+1e6, 10)[1:]
	return strconv.FormatInt(int64(whole), 10) + "." + strings.TrimRight(frac, "0")
}

// harProto makes one word of the spellings of a protocol version: "HTTP/1.1",
// "HTTP/2.0" and "HTTP/3.0", or the empty string when it says none.
func harProto(s string) string {
	switch s = strings.ToLower(strings.TrimSpace(s)); {
	case s == "http/1.1" || s == "1.1" || s == "http1.1" || s == "http 1.1":
		return "HTTP/1.1"
	case s == "http/1.0" || s == "1.0":
		return "HTTP/1.0"
	case s == "http/0.9":
		return "HTTP/0.9"
	case s == "h2" || s == "h2c" || s == "2" || strings.HasPrefix(s, "http/2") && !strings.Contains(s, "quic"):
		return "HTTP/2.0"
	case s == "h3" || s == "3" || strings.HasPrefix(s, "h3-") || strings.HasPrefix(s, "http/3"):
		return "HTTP/3.0"
	}
	return ""
}

// harTime reads a date of ISO 8601 in the forms that are met.
func harTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}
