package guard

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// Object is the JSON of an object that a rule has to see before the request
// may go in.
type Object = contract.Facts

// preread asks the handler for the object with GET and the client's own
// credential, and reads the answer with the contract's eyes. Parameters of the
// query that the GET has too go with it: they may say which object it is.
func (c *Call) preread(r *http.Request, next http.Handler) (*Object, int, error) {
	get := r.Clone(r.Context())
	get.Method = "GET"
	get.Body, get.ContentLength, get.TransferEncoding = http.NoBody, 0, nil
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding", "Expect", "Range", "If-Range", "If-Match",
		"If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "Accept-Encoding", "Origin", "Upgrade", "Connection",
		"X-Http-Method-Override", "X-Http-Method", "X-Method-Override", "X-Method"} { // an override would do what is only being asked about
		get.Header.Del(name)
	}
	get.Header.Set("Accept", "application/json")
	get.URL.RawQuery, get.URL.ForceQuery = c.pass.Operation().Preread.QueryOf(r.URL.RawQuery), false
	get.RequestURI = get.URL.RequestURI()
	c.g.carriers.keepOnly(get, c.Exchange.Server.Credential)

	began := c.g.o.Now()
	rec := &holder{c: c, header: http.Header{}, limit: c.g.contract.MaxResponse}
	broke := func() (broke any) {
		defer func() { broke = recover() }()
		next.ServeHTTP(rec, get)
		return nil
	}()
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	x := c.Exchange
	c.object = &exchange.Exchange{
		ID: exchange.NewID(began), Source: exchange.FromGuard, Side: exchange.UpstreamSide, Start: began,
		Request: exchange.Request{Method: "GET", Scheme: x.Request.Scheme, Authority: x.Request.Authority, Target: get.RequestURI,
			Proto: x.Request.Proto, Header: headerOf(get.Header), Fidelity: exchange.Canonical},
		Server: x.Server,
		Response: &exchange.Response{Status: rec.status, Proto: x.Request.Proto, Header: headerOf(rec.header), Fidelity: exchange.Canonical,
			Body: exchange.Body{Size: rec.size, Data: rec.data}},
		Times: exchange.Times{Total: c.g.o.Now().Sub(began)},
	}
	if broke != nil || rec.size > int64(len(rec.data)) {
		return nil, rec.status, fmt.Errorf("guard: reading %s: no whole answer", get.RequestURI)
	}
	if rec.status < 200 || rec.status > 299 {
		return nil, rec.status, nil
	}
	decoded, ok := decodeBody(c.object.Response, rec.limit)
	if !ok {
		return nil, rec.status, fmt.Errorf("guard: reading %s: its coding is not known", get.RequestURI)
	}
	facts, err := c.objectIn(decoded)
	if err != nil {
		return nil, rec.status, fmt.Errorf("guard: reading %s: %w", get.RequestURI, err)
	}
	return facts, rec.status, nil
}

// objectIn reads an answer to the GET with the contract's eyes.
func (c *Call) objectIn(r *exchange.Response) (*Object, error) {
	var body *contract.Body
	if op := c.pass.Operation().Preread; op != nil {
		body = check.ReplyBody(op, r)
	}
	if body == nil {
		return nil, errors.New("the contract declares no JSON for it")
	}
	facts := c.g.scan(body, r.Body.Data, replies)
	if facts.Result.Fault != nil {
		return nil, facts.Result.Fault
	}
	return facts, nil
}

// holder is a response writer that keeps what it is given.
type holder struct {
	c      *Call
	header http.Header
	status int
	data   []byte
	size   int64
	limit  int64
}

func (h *holder) Header() http.Header { return h.header }

func (h *holder) WriteHeader(status int) {
	if h.status == 0 && status >= 200 {
		h.status = status
	}
}

func (h *holder) Write(b []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	h.size += int64(len(b))
	if h.size > h.limit || !h.c.hold(h.size-int64(len(b)), h.size) {
		h.data = nil
		return 0, errDeclined
	}
	h.data = append(h.data, b...)
	return len(b), nil
}
