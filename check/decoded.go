package check

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// maxDecoded bounds a body that was sent compressed.
const maxDecoded = 8 << 20

// decoded returns an exchange whose response's body is as it was before its
// Content-Encoding (RFC 9110, 8.4), for checks that look into it. A body that
// cannot be read that way is unknown, not empty: its size stays. The exchange
// itself is not changed.
func decoded(x *exchange.Exchange) *exchange.Exchange {
	if x.Response == nil || len(x.Response.Body.Data) == 0 {
		return x
	}
	var open func(io.Reader) (io.ReadCloser, error)
	switch strings.ToLower(strings.TrimSpace(x.Response.Header.Get("Content-Encoding"))) {
	case "", "identity":
		return x
	case "gzip", "x-gzip":
		open = func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) }
	case "deflate":
		open = func(r io.Reader) (io.ReadCloser, error) { return zlib.NewReader(r) }
	default:
		open = func(io.Reader) (io.ReadCloser, error) { return nil, errors.ErrUnsupported }
	}
	out, response := *x, *x.Response
	b := &response.Body
	if data, err := inflated(b.Data, open); err == nil && b.Complete() {
		b.Data, b.Size = data, int64(len(data))
	} else {
		b.Data = nil
	}
	out.Response = &response
	return &out
}

func inflated(data []byte, open func(io.Reader) (io.ReadCloser, error)) ([]byte, error) {
	r, err := open(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out, err := io.ReadAll(io.LimitReader(r, maxDecoded+1))
	if err == nil && len(out) > maxDecoded {
		err = errors.New("too large")
	}
	return out, err
}
