package trace

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// Steps 6 and 7: the answer, and what the client keeps of it.

// response is step 6.
func (d *drawing) response() StepView {
	x := d.x
	r := x.Response
	if r == nil {
		if x.FailedAt == exchange.StepResponse {
			return StepView{Time: x.Times.Receive} // judge says why
		}
		if x.FailedAt != 0 {
			return StepView{Verdict: Skipped, Says: []string{"not reached: " + ended(x.FailedAt, x)}}
		}
		return unseen("not seen")
	}
	v := StepView{Time: x.Times.Receive}
	v.say("%s", joinNonEmpty([]string{strconv.Itoa(r.Status), http.StatusText(r.Status)}, " "))
	if to := r.Header.Get("Location"); to != "" {
		v.say("to %s", cut(to, 36))
	}
	if r.Body.Size > 0 {
		if mt := r.Header.MediaType(); mt != "" {
			v.say("%s", mt)
		}
		v.say("%s", sizeOf(r.Body.Size))
	} else {
		v.say("no body")
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" {
		v.say("%s", coding)
	}
	if raw := d.raw.Response; raw.Body.Complete() {
		if _, err := Plain(raw); err != nil && err != errUnread {
			v.Notes = append(v.Notes, "the body cannot be decoded: "+err.Error())
		}
		if speaksTLS(x, raw) {
			v.Notes = append(v.Notes, "this port speaks TLS: write https://")
		}
	}
	if x.Server.Operation != "" && !slices.ContainsFunc(x.Findings, breaksContract) {
		v.say("as the contract says")
	}
	for _, name := range []string{"RateLimit", "RateLimit-Policy", "RateLimit-Remaining", "X-RateLimit-Remaining", "Retry-After"} {
		if limit := r.Header.Get(name); limit != "" {
			v.fact(Telling, "limit", "%s: %s", name, limit)
		}
	}
	if has := protection(r.Header); has != "" {
		v.fact(Telling, "has", "%s", has)
	}
	if len(r.Interim) > 0 {
		v.fact(Detail, "interim", "%s", strings.Trim(fmt.Sprint(r.Interim), "[]"))
	}
	for _, f := range r.Header {
		v.fact(Detail, "field", "%s: %s", f.Name, f.Value)
	}
	for _, f := range r.Trailer {
		v.fact(Detail, "trailer", "%s: %s", f.Name, f.Value)
	}
	return v
}

// speaksTLS reports whether a server says of a plain request that it had to
// come through TLS, in the words of nginx, Go or Apache.
func speaksTLS(x *exchange.Exchange, r *exchange.Response) bool {
	if r.Status != 400 || x.TLS == nil || !x.TLS.Clear {
		return false
	}
	says := strings.ToLower(string(r.Body.Data[:min(len(r.Body.Data), 4<<10)]))
	for _, words := range []string{"plain http request was sent to https port", "an http request to an https server", "speaking plain http to an ssl-enabled"} {
		if strings.Contains(says, words) {
			return true
		}
	}
	return false
}

// breaksContract reports whether a finding says that the answer is not what
// the contract promises.
func breaksContract(f exchange.Finding) bool {
	switch f.Check {
	case "response-schema", "response-excessive-data", "response-content-type", "status-undeclared":
		return true
	}
	return false
}

// protection names the protective fields that an answer has.
func protection(h exchange.Header) string {
	var has []string
	for _, name := range []string{"Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options", "Content-Security-Policy", "Cache-Control"} {
		if v := h.Get(name); v != "" {
			word := map[string]string{"Strict-Transport-Security": "HSTS", "Content-Security-Policy": "CSP"}[name]
			switch name {
			case "X-Content-Type-Options", "Cache-Control":
				word = v
			case "X-Frame-Options":
				word = "frames " + v
			}
			has = append(has, cut(word, 40))
		}
	}
	return strings.Join(has, ", ")
}

// client is step 7: what the client keeps.
func (d *drawing) client() StepView {
	x := d.x
	r := x.Response
	if r == nil {
		if x.FailedAt != 0 {
			return StepView{Verdict: Skipped, Says: []string{"not reached: " + ended(x.FailedAt, x)}}
		}
		return unseen("not seen")
	}
	var v StepView
	kept, refused := 0, 0
	if x.Client != nil {
		for _, c := range x.Client.Cookies {
			if c.Refused == "" {
				kept++
			} else {
				refused++
			}
		}
	} else {
		kept = len(r.Header.Values("Set-Cookie"))
	}
	switch {
	case kept+refused == 0:
		v.say("no cookies")
	case refused == 0:
		v.say("%s kept", plural(kept, "cookie", "cookies"))
	default:
		v.say("%s kept, %d refused", plural(kept, "cookie", "cookies"), refused)
	}
	v.say("%s", caching(r.Header))
	if x.Client != nil && x.Client.HSTS > 0 {
		v.say("HTTPS only for %s", ahead(x.Client.HSTS))
	}
	if x.Client != nil && len(x.Client.AltSvc) > 0 {
		v.say("also at %s", cut(strings.Join(x.Client.AltSvc, ", "), 30))
	}
	if o := r.Header.Get("Access-Control-Allow-Origin"); o != "" {
		v.say("readable by %s", cut(o, 30))
	}
	if x.Client != nil {
		for _, c := range x.Client.Cookies {
			if c.Refused == "" {
				v.fact(Telling, "cookie", "%s", joinNonEmpty([]string{c.Name, "kept", d.attributes(c.Name)}, "  "))
			} else {
				v.fact(Telling, "cookie", "%s  refused: %s", c.Name, c.Refused)
			}
		}
		for _, a := range x.Client.AltSvc {
			v.fact(Detail, "alt-svc", "%s", a)
		}
	}
	return v
}

// attributes are those of a cookie that came, as it has them.
func (d *drawing) attributes(name string) string {
	for _, line := range d.x.Response.Header.Values("Set-Cookie") {
		pair, rest, _ := strings.Cut(line, ";")
		if n, _, _ := strings.Cut(pair, "="); strings.TrimSpace(n) == name {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// caching says what may be kept of an answer.
func caching(h exchange.Header) string {
	c := strings.ToLower(strings.Join(h.Values("Cache-Control"), ","))
	directive := func(name string) (string, bool) {
		for d := range strings.SplitSeq(c, ",") {
			if n, v, _ := strings.Cut(strings.TrimSpace(d), "="); n == name {
				return v, true
			}
		}
		return "", false
	}
	if _, ok := directive("no-store"); ok {
		return "not cached"
	}
	who := "cached"
	if _, ok := directive("private"); ok {
		who = "cached by the client"
	}
	if _, ok := directive("no-cache"); ok {
		return who + ", asked for again each time"
	}
	if v, ok := directive("max-age"); ok {
		return who + " for " + cut(v, 12) + " s"
	}
	if c == "" {
		return "caching left open"
	}
	return who
}
