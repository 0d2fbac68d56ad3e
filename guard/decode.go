package guard

import (
	"bytes"
	"compress/gzip"
	"io"
	"strconv"
	"strings"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// decode takes the content coding off a held response. It reports false when
// the content cannot be read within bounds.
func (w *writer) decode() bool {
	if w.upstream.Header.Get("Content-Encoding") == "" {
		return true
	}
	r, ok := decodeBody(w.upstream, w.c.g.contract.MaxResponse)
	if !ok || !w.c.hold(0, r.Body.Size) {
		return false
	}
	w.upstream = r
	putHeader(w.Header(), r.Header)
	return true
}

// decodeBody returns the response without its content coding: gzip, the one
// that everything speaks, at most limit bytes and a hundred times what came.
func decodeBody(r *exchange.Response, limit int64) (*exchange.Response, bool) {
	coding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	switch coding {
	case "", "identity":
		return r, true
	case "gzip", "x-gzip":
	default:
		return nil, false
	}
	z, err := gzip.NewReader(bytes.NewReader(r.Body.Data))
	if err != nil {
		return nil, false
	}
	limit = min(limit, 100*int64(len(r.Body.Data)))
	data, err := io.ReadAll(io.LimitReader(z, limit+1))
	if err != nil || int64(len(data)) > limit {
		return nil, false
	}
	out := *r
	out.Body = exchange.Body{Size: int64(len(data)), Data: data}
	out.Header = append(exchange.Header(nil), r.Header...)
	for _, name := range []string{"Content-Encoding", "Content-Length", "ETag", "Content-Digest"} {
		out.Header = without(out.Header, name)
	}
	out.Header = append(out.Header, exchange.Field{Name: "Content-Length", Value: strconv.Itoa(len(data))})
	return &out, true
}

// Refusals of responses that cannot be judged whole.
var (
	tooLarge = check.Refusal{Check: check.ResponseSchema.ID, Status: 502,
		Evidence: check.ResponseBody("", "is larger or coded otherwise than can be judged")}
	noRoom = check.Refusal{Check: check.ResponseSchema.ID, Status: 503,
		Header:   exchange.Header{{Name: "Retry-After", Value: "1"}},
		Evidence: check.ResponseBody("", "could not be held: too many others are")}
)

// decline answers for a response that cannot be judged whole.
func (w *writer) decline(r check.Refusal) {
	out := w.c.refusalResponse(w.c.refuse(&r))
	w.c.Exchange.Response = out
	putHeader(w.Header(), out.Header)
	w.c.tell(w.Header(), w.waited)
	w.ResponseWriter.WriteHeader(out.Status)
	if w.c.Exchange.Request.Method != "HEAD" {
		w.ResponseWriter.Write(out.Body.Data)
	}
	w.ended, w.declined = true, true
}
