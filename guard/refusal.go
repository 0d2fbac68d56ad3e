package guard

import (
	"net/http"
	"strconv"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

const problemType = "application/problem+json"

// titles are the fixed texts of refusals: what the client may know, never the
// cause (RFC 9457).
var titles = map[int]string{
	http.StatusBadRequest:            "The request is malformed or breaks the contract.",
	http.StatusUnauthorized:          "A valid credential is needed.",
	http.StatusForbidden:             "The caller may not do this.",
	http.StatusNotFound:              "There is nothing here.",
	http.StatusMethodNotAllowed:      "This method is not offered.",
	http.StatusNotAcceptable:         "None of the acceptable types is offered.",
	http.StatusGone:                  "It is no longer here.",
	http.StatusRequestEntityTooLarge: "The content is too large.",
	http.StatusUnsupportedMediaType:  "This type of content is not accepted.",
	http.StatusPreconditionRequired:  "The request must say which version it changes.",
	http.StatusTooManyRequests:       "Too many requests.",
	http.StatusInternalServerError:   "Something broke.",
	http.StatusBadGateway:            "The answer could not be used.",
	http.StatusServiceUnavailable:    "It cannot be decided now.",
	http.StatusGatewayTimeout:        "The answer took too long.",
}

// problemBody is the content of a refusal. The reference is the exchange's ID,
// by which an operator finds the cause.
func problemBody(status int, reference exchange.ID) []byte {
	b := make([]byte, 0, 192)
	b = append(b, `{"type":"about:blank","title":`...)
	b = strconv.AppendQuote(b, http.StatusText(status))
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	if t := titles[status]; t != "" {
		b = append(b, `,"detail":`...)
		b = strconv.AppendQuote(b, t)
	}
	b = append(b, `,"reference":"`...)
	b = append(b, reference...)
	return append(b, "\"}\n"...)
}

// response is the refusal as a response.
func (c *Call) refusalResponse(r *check.Refusal) *exchange.Response {
	body := problemBody(r.Status, c.Exchange.ID)
	h := append(c.protection(),
		exchange.Field{Name: "Content-Length", Value: strconv.Itoa(len(body))},
		exchange.Field{Name: "Content-Type", Value: problemType})
	h = append(h, r.Header...)
	h = append(h, c.corsHeader()...)
	return &exchange.Response{Status: r.Status, Proto: c.Exchange.Request.Proto, Header: h, Fidelity: exchange.Canonical,
		Body: exchange.Body{Size: int64(len(body)), Data: body}}
}

// protection are the header fields that every answer of guard's own has.
func (c *Call) protection() exchange.Header {
	h := exchange.Header{
		{Name: "Cache-Control", Value: "no-store"},
		{Name: "Content-Security-Policy", Value: "default-src 'none'; frame-ancestors 'none'"},
	}
	if c.pass.Encrypted() && !c.pass.LocalName() {
		h = append(h, exchange.Field{Name: "Strict-Transport-Security", Value: "max-age=31536000"})
	}
	return append(h,
		exchange.Field{Name: "X-Content-Type-Options", Value: "nosniff"},
		exchange.Field{Name: "X-Frame-Options", Value: "DENY"})
}
