package play

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// The judgements that many attacks share.

// Got works when the telling answer succeeded and says what it must.
func Got(word string, says func(Response) bool) func(Answers) (bool, string) {
	return func(a Answers) (bool, string) {
		r := a.Telling()
		return Succeeded(r) && says(r), fmt.Sprintf("%d %s", r.Status, word)
	}
}

// Succeeded leaves out the 200 that hides a failure.
func Succeeded(r Response) bool {
	return r.Status >= 200 && r.Status < 300 && !r.Has("/error")
}

// Refused is stopped by one of the statuses.
func Refused(statuses ...int) func(Answers) (bool, string) {
	return func(a Answers) (bool, string) {
		r := a.Telling()
		return slices.Contains(statuses, r.Status), fmt.Sprintf("%d refused", r.Status)
	}
}

// And adds a condition to a judgement.
func And(judge func(Answers) (bool, string), more func(Answers) bool) func(Answers) (bool, string) {
	return func(a Answers) (bool, string) {
		ok, text := judge(a)
		return ok && more(a), text
	}
}

// Either is one judgement or the other.
func Either(one, other func(Answers) (bool, string)) func(Answers) (bool, string) {
	return func(a Answers) (bool, string) {
		if ok, text := one(a); ok {
			return ok, text
		}
		return other(a)
	}
}

// Always is said of every answer.
func Always(Response) bool { return true }

// LastSays reports whether the last answer, a victim's or the attacker's own
// look at what became of it, succeeded with a value at a pointer.
func LastSays(pointer, value string) func(Answers) bool {
	return func(a Answers) bool { return Succeeded(a.Last()) && a.Last().Text(pointer) == value }
}

// Contains reports whether the body has a text anywhere.
func Contains(r Response, text string) bool { return bytes.Contains(r.Body, []byte(text)) }

// Status judges by the status alone.
func Status(code int, word string) func(Answers) (bool, string) {
	return func(a Answers) (bool, string) { return a.Telling().Status == code, fmt.Sprintf("%d %s", code, word) }
}

// Filtered is stopped when the answer still has what it is for, and nowhere
// the members that it must not have.
func Filtered(keeps string, lacks ...string) func(Answers) (bool, string) {
	return Got("filtered", func(r Response) bool {
		for _, name := range lacks {
			if Contains(r, `"`+name+`"`) {
				return false
			}
		}
		return r.Has("/" + keeps)
	})
}

// MediaType is the answer's media type, or "".
func MediaType(r Response) string {
	mt, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return mt
}

// Lacking names the attributes that a cookie ought to have, or "no cookie".
func Lacking(r Response, name string) string {
	for _, c := range (&http.Response{Header: r.Header}).Cookies() {
		if c.Name != name {
			continue
		}
		var lacks []string
		if !c.Secure {
			lacks = append(lacks, "Secure")
		}
		if !c.HttpOnly {
			lacks = append(lacks, "HttpOnly")
		}
		if c.SameSite != http.SameSiteLaxMode && c.SameSite != http.SameSiteStrictMode {
			lacks = append(lacks, "SameSite")
		}
		return strings.Join(lacks, " ")
	}
	return "no cookie"
}
