package run

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/parley-project/parley/exchange"
)

// maxDecoded bounds a body whose codings are undone: a few bytes can mean
// gigabytes.
const maxDecoded = 32 << 20

var errPart = errors.New("only the beginning of the body was kept")

// decode undoes the codings of a response's body (RFC 9110, 8.4). What could
// be read is returned beside an error.
func decode(r *exchange.Response) ([]byte, error) {
	body := r.Body.Data
	if !r.Body.Complete() {
		return body, errPart
	}
	var codings []string
	for _, v := range r.Header.Values("Content-Encoding") {
		for c := range strings.SplitSeq(v, ",") {
			if c = strings.ToLower(strings.TrimSpace(c)); c != "" && c != "identity" {
				codings = append(codings, c)
			}
		}
	}
	if len(codings) > 4 {
		return body, fmt.Errorf("the body has %d codings", len(codings))
	}
	for _, c := range slices.Backward(codings) {
		if len(body) == 0 {
			return body, nil
		}
		out, err := undo(c, body)
		if err != nil {
			return out, fmt.Errorf("the body is no %s: %w", c, err)
		}
		body = out
	}
	return body, nil
}

func undo(coding string, body []byte) ([]byte, error) {
	var in io.Reader
	var err error
	switch coding {
	case "gzip", "x-gzip":
		in, err = gzip.NewReader(bytes.NewReader(body))
	case "deflate": // zlib (RFC 1950), or what some send instead: deflate without it
		b := bufio.NewReader(bytes.NewReader(body))
		if in, err = zlib.NewReader(b); err != nil {
			in, err = flate.NewReader(bytes.NewReader(body)), nil
		}
	case "zstd":
		var d *zstd.Decoder
		d, err = zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxDecoded))
		if err == nil {
			defer d.Close()
			in = d
		}
	default:
		return body, errors.New("a coding that is not read here")
	}
	if err != nil {
		return body, err
	}
	out, err := io.ReadAll(io.LimitReader(in, maxDecoded+1))
	if len(out) > maxDecoded {
		return out[:maxDecoded], fmt.Errorf("more than %d MiB", maxDecoded>>20)
	}
	return out, err
}
