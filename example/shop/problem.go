package shop

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
)

// A problem is a refusal in the form of RFC 9457. Handlers return it as their
// error; any other error becomes a 500 that says nothing.
type problem struct {
	Status int          `json:"status"`
	Title  string       `json:"title"`
	Detail string       `json:"detail,omitempty"`
	Errors []fieldError `json:"errors,omitempty"`
	// Reference is for the support to find the request by; no two are alike.
	Reference string `json:"reference,omitempty"`

	header http.Header
}

// A fieldError names a value of the request that is wrong.
type fieldError struct {
	Field string `json:"field"`
	Error string `json:"error"`
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s", p.Status, p.Detail) }

func refuse(status int, detail string) *problem {
	return &problem{Status: status, Title: http.StatusText(status), Detail: detail}
}

// notFound answers for what is not there and for what is somebody else's alike,
// so that nobody learns which IDs exist.
func notFound() *problem { return refuse(http.StatusNotFound, "there is no such object") }

func forbidden(detail string) *problem { return refuse(http.StatusForbidden, detail) }

// unauthorized carries the challenge that RFC 9110, 15.5.2 asks for.
func unauthorized(challenge, detail string) *problem {
	p := refuse(http.StatusUnauthorized, detail)
	p.header = http.Header{"Www-Authenticate": {challenge}}
	return p
}

// fail writes the answer to a request that was refused or broke.
func (s *Shop) fail(w http.ResponseWriter, r *http.Request, err error) {
	p, ok := err.(*problem)
	if !ok {
		s.log.Error("request broke", "method", r.Method, "path", r.URL.Path, "cause", err)
		p = refuse(http.StatusInternalServerError, "something went wrong on our side")
		if s.flawed("response-error-details") {
			writeJSON(w, p.Status, "application/problem+json", map[string]any{
				"status": p.Status, "title": p.Title, "detail": err.Error(), "trace": string(debug.Stack()),
			})
			return
		}
	}
	for k, v := range p.header {
		w.Header()[k] = v
	}
	status := p.Status
	if s.flawed("status-401-403") {
		switch status {
		case http.StatusUnauthorized:
			status = http.StatusForbidden
			w.Header().Del("WWW-Authenticate")
		case http.StatusForbidden:
			status = http.StatusUnauthorized
		}
	}
	if s.flawed("status-200-on-failure") {
		switch status {
		case http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity:
			writeJSON(w, http.StatusOK, "application/json", map[string]any{"success": false, "error": p.Detail, "code": status})
			return
		}
	}
	out := *p
	out.Status, out.Title, out.Reference = status, http.StatusText(status), rand.Text()
	writeJSON(w, status, "application/problem+json", out)
}

// writeJSON sends a value. The Content-Type stays if a handler has set one.
func writeJSON(w http.ResponseWriter, status int, mediaType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own types always marshal
	}
	if w.Header().Get("Content-Type") == "" || status >= 400 {
		w.Header().Set("Content-Type", mediaType)
	}
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}

// reply sends a JSON answer.
func reply(w http.ResponseWriter, status int, v any) error {
	writeJSON(w, status, "application/json", v)
	return nil
}

// created answers 201 with the new object and where it is.
func created(w http.ResponseWriter, location string, v any) error {
	if location != "" {
		w.Header().Set("Location", location)
	}
	return reply(w, http.StatusCreated, v)
}

func noContent(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// A statementError is a query that the database refused, with the query.
type statementError struct {
	Query string
	Cause error
}

func (e *statementError) Error() string { return e.Cause.Error() + " in " + e.Query }
func (e *statementError) Unwrap() error { return e.Cause }
