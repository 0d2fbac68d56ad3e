package serve

import (
	"crypto/rand"
	"net/http"
	"strconv"
)

// details are the fixed texts: what a client may know, never the cause.
var details = map[int]string{
	http.StatusBadRequest:                  "The request is malformed.",
	http.StatusMethodNotAllowed:            "This method is not offered.",
	http.StatusRequestTimeout:              "The request came too slowly.",
	http.StatusRequestEntityTooLarge:       "The content is too large.",
	http.StatusRequestURITooLong:           "The target is too long.",
	http.StatusExpectationFailed:           "The expectation cannot be met.",
	http.StatusRequestHeaderFieldsTooLarge: "The header is too large.",
	http.StatusBadGateway:                  "The answer could not be used.",
	http.StatusServiceUnavailable:          "It is overloaded or about to stop.",
	http.StatusGatewayTimeout:              "The answer took too long.",
}

// Problem answers with a status as problem details (RFC 9457): a fixed text and
// a reference number, which it returns for the log. Fields that the response
// already has are kept.
func Problem(w http.ResponseWriter, status int) (reference string) {
	reference = rand.Text()
	b := make([]byte, 0, 192)
	b = append(b, `{"type":"about:blank","title":"`...)
	b = append(b, http.StatusText(status)...)
	b = append(b, `","status":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	if d := details[status]; d != "" {
		b = append(b, `,"detail":"`...)
		b = append(b, d...)
		b = append(b, '"')
	}
	b = append(b, `,"reference":"`...)
	b = append(b, reference...)
	b = append(b, "\"}\n"...)
	h := w.Header()
	h["Content-Type"] = []string{"application/problem+json"}
	h["Cache-Control"] = []string{"no-store"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	delete(h, "Content-Encoding")
	delete(h, "Trailer")
	w.WriteHeader(status)
	w.Write(b)
	return reference
}
