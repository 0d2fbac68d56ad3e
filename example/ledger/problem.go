package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
)

// A problem is a refusal in the form of RFC 9457, with a code that programs
// can tell apart. Any other error becomes a 500 that says nothing.
type problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Code   string `json:"code"`
	Detail string `json:"detail,omitempty"`

	header http.Header
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s", p.Status, p.Detail) }

func refuse(status int, code, detail string) *problem {
	return &problem{Status: status, Title: http.StatusText(status), Code: code, Detail: detail}
}

// notFound answers for what is not there and for what is another tenant's.
func notFound() *problem { return refuse(http.StatusNotFound, "notFound", "there is no such object") }

func forbidden(detail string) *problem { return refuse(http.StatusForbidden, "forbidden", detail) }

func unauthorized(challenge string) *problem {
	p := refuse(http.StatusUnauthorized, "unauthorized", "prove who you are")
	p.header = http.Header{"Www-Authenticate": {challenge}}
	return p
}

// fail writes the answer to a request that was refused or broke.
func (l *Ledger) fail(w http.ResponseWriter, r *http.Request, err error) {
	var p *problem
	if !errors.As(err, &p) {
		l.log.Error("request broke", "method", r.Method, "path", r.URL.Path, "cause", err)
		p = refuse(http.StatusInternalServerError, "broken", "something went wrong on our side")
		if l.flawed("response-error-details") {
			write(w, p.Status, "application/problem+json", map[string]any{
				"status": p.Status, "title": p.Title, "code": p.Code, "detail": err.Error(), "trace": string(debug.Stack()),
			})
			return
		}
	}
	for k, v := range p.header {
		w.Header()[k] = v
	}
	out := *p
	if l.flawed("status-401-403") {
		switch p.Status {
		case http.StatusUnauthorized:
			out.Status = http.StatusForbidden
			w.Header().Del("WWW-Authenticate")
		case http.StatusForbidden:
			out.Status = http.StatusUnauthorized
		}
		out.Title = http.StatusText(out.Status)
	}
	if l.flawed("status-200-on-failure") {
		switch out.Status {
		case http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusPreconditionFailed:
			write(w, http.StatusOK, "application/json", map[string]any{"data": nil, "meta": map[string]any{}, "error": out})
			return
		}
	}
	write(w, out.Status, "application/problem+json", out)
}

func write(w http.ResponseWriter, status int, mediaType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own values always marshal
	}
	if w.Header().Get("Content-Type") == "" || status >= 400 {
		w.Header().Set("Content-Type", mediaType)
	}
	w.WriteHeader(status)
	w.Write(body)
}

// reply sends the envelope.
func reply(w http.ResponseWriter, status int, data any, meta map[string]any) error {
	if meta == nil {
		meta = map[string]any{}
	}
	write(w, status, "application/json", map[string]any{"data": data, "meta": meta})
	return nil
}

// created answers 201 with the new object and where it is, under the base path
// that was asked.
func created(w http.ResponseWriter, r *request, path string, data any) error {
	w.Header().Set("Location", r.base+path)
	return reply(w, http.StatusCreated, data, nil)
}

func noContent(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}
