package learn

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"regexp"
	"strings"

	"github.com/parley-project/parley/exchange"
)

var (
	decimal     = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,15})?$`)
	plainMember = regexp.MustCompile(`^[A-Za-z_$@][A-Za-z0-9_$@.-]*$`)
	headerWord  = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	slug        = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]*$`)
)

// plainBody returns a response's body without its content coding; ok is false
// when it is not all there, too large, or in a coding that is not read.
func plainBody(r *exchange.Response) (data []byte, ok bool) {
	if !r.Body.Complete() || len(r.Body.Data) > maxBody {
		return nil, false
	}
	var z io.Reader
	var err error
	switch strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))) {
	case "", "identity":
		return r.Body.Data, true
	case "gzip", "x-gzip":
		z, err = gzip.NewReader(bytes.NewReader(r.Body.Data))
	case "deflate":
		z, err = zlib.NewReader(bytes.NewReader(r.Body.Data))
	default:
		return nil, false
	}
	if err != nil {
		return nil, false
	}
	data, err = io.ReadAll(io.LimitReader(z, maxBody+1))
	return data, err == nil && len(data) <= maxBody
}
