// Package leak finds a secret in what a program wrote, in the forms in which
// secrets leak: as it is, escaped, in hex, in base64, packed. Only tests
// import it.
package leak

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"io"
	"regexp"
	"strings"
)

// Find returns the form in which a secret is in data, such as "plain" or
// "base64 of gzip", or the empty string when it is not there.
func Find(data []byte, secret string) string { return find(data, secret, 3) }

var (
	coded   = regexp.MustCompile(`[A-Za-z0-9+/_-]{10,}`)
	escapes = regexp.MustCompile(`%[0-9A-Fa-f]{2}|\\x[0-9A-Fa-f]{2}|\\u00[0-9A-Fa-f]{2}|\\[/"\\]`)
)

func find(data []byte, secret string, depth int) string {
	if secret == "" {
		return ""
	}
	if bytes.Contains(data, []byte(secret)) {
		return "plain"
	}
	if bytes.Contains(bytes.ToLower(data), []byte(hex.EncodeToString([]byte(secret)))) {
		return "hex"
	}
	if plain := unescaped(data); !bytes.Equal(plain, data) && bytes.Contains(plain, []byte(secret)) {
		return "escaped"
	}
	if plus := bytes.ReplaceAll(data, []byte("+"), []byte(" ")); strings.Contains(secret, " ") && bytes.Contains(unescaped(plus), []byte(secret)) {
		return "form"
	}
	if depth == 0 {
		return ""
	}
	for _, magic := range []string{"\x1f\x8b\x08", "\x78\x9c", "\x78\x01", "\x78\xda"} {
		for at := 0; ; at++ {
			i := bytes.Index(data[at:], []byte(magic))
			if i < 0 {
				break
			}
			at += i
			if form := find(unpacked(data[at:]), secret, depth-1); form != "" {
				return form + " in a packed stream"
			}
		}
	}
	for _, run := range coded.FindAll(data, -1) {
		run = bytes.ReplaceAll(bytes.ReplaceAll(run, []byte("-"), []byte("+")), []byte("_"), []byte("/"))
		for shift := range 4 {
			if shift >= len(run) {
				break
			}
			part := run[shift:]
			part = part[:len(part)-len(part)%4]
			plain := make([]byte, base64.RawStdEncoding.DecodedLen(len(run)))
			n, _ := base64.RawStdEncoding.Decode(plain, run[shift:]) // as far as it goes
			if n == 0 {
				n, _ = base64.RawStdEncoding.Decode(plain, part)
			}
			if form := find(plain[:n], secret, depth-1); form != "" {
				return "base64 of " + form
			}
		}
	}
	return ""
}

func unescaped(data []byte) []byte {
	return escapes.ReplaceAllFunc(data, func(e []byte) []byte {
		if e[0] == '\\' && len(e) == 2 {
			return e[1:]
		}
		b, err := hex.DecodeString(string(e[len(e)-2:]))
		if err != nil {
			return e
		}
		return b
	})
}

// unpacked is as much of a gzip or zlib stream as there is.
func unpacked(data []byte) []byte {
	var r io.Reader
	var err error
	if data[0] == 0x1f {
		r, err = gzip.NewReader(bytes.NewReader(data))
	} else {
		r, err = zlib.NewReader(bytes.NewReader(data))
	}
	if err != nil {
		return nil
	}
	out, _ := io.ReadAll(io.LimitReader(r, 64<<20)) // what came before an error counts
	return out
}
