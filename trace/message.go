package trace

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// Steps 4 to 7: the request, the server, the answer, the client.

// request is step 4.
func (d *drawing) request() StepView {
	x := d.x
	r := &x.Request
	if r.Method == "" {
		return unseen("not seen")
	}
	if x.FailedAt != 0 && x.FailedAt < exchange.StepRequest {
		return StepView{}
	}
	v := StepView{Time: x.Times.Send}
	if r.Proto != "" {
		v.say("%s", strings.TrimSuffix(r.Proto, ".0"))
	}
	k := d.credentials()
	for _, c := range k {
		v.say("%s", c.short)
	}
	if x.Client != nil {
		for _, w := range x.Client.Withheld {
			v.Verdict = Warn
			v.say("%s withheld", w)
		}
		if len(x.Client.Withheld) > 0 {
			v.Notes = append(v.Notes, "sent without "+strings.Join(x.Client.Withheld, ", ")+": the channel was not verified (--send-anyway sends it)")
		}
	}
	v.say("%s", plural(len(r.Header), "field", "fields"))
	if r.Body.Size > 0 {
		v.say("%s", joinNonEmpty([]string{sizeOf(r.Body.Size), r.Header.MediaType()}, " of "))
	} else {
		v.say("no body")
	}
	for _, c := range k {
		v.fact(Telling, "auth", "%s", c.long)
	}
	v.fact(Detail, "target", "%s %s", r.Method, r.Target)
	if x.Server.Operation != "" {
		v.fact(Detail, "contract", "%s", x.Server.Operation)
	}
	for _, f := range r.Header {
		v.fact(Detail, "field", "%s: %s", f.Name, f.Value)
	}
	return v
}

// server is step 5: what it told of itself, or what its answer lets one infer.
func (d *drawing) server() StepView {
	x := d.x
	v := StepView{Time: x.Times.Wait}
	if x.Source == exchange.FromGuard {
		v = d.guarded()
	} else if x.Response == nil {
		if x.FailedAt != 0 {
			return StepView{Verdict: Skipped}
		}
		return unseen("not seen")
	} else if len(x.Server.Timing) > 0 {
		d.told(&v)
	} else {
		v.say("inferred: %s", d.inferred())
		if success(x) && len(d.probed) == 0 && len(d.credentials()) > 0 {
			v.say("--auth-probes asks without")
		}
	}
	if r := x.Response; r != nil && (r.Status == 429 || r.Status >= 500) {
		v.Verdict = Warn
	} else if r != nil && (r.Status == 401 || r.Status == 403) && x.Source != exchange.FromGuard {
		v.Verdict = Warn
	}
	for i := range d.probed {
		p := &d.probed[i]
		v.fact(Always, "probe", "%s", p.says())
	}
	return v
}

// told draws what the server says of its own work: what guard is known for
// first, what it refused always.
func (d *drawing) told(v *StepView) {
	first, rest := []string{}, []string{}
	for _, t := range d.x.Server.Timing {
		says := d.masker.Text(t.Says)
		v.fact(Telling, t.Name, "%s", joinNonEmpty([]string{duration(t.Duration), says}, "  "))
		line := t.Name + " " + milliseconds(t.Duration)
		if strings.HasPrefix(says, "refused") || strings.HasPrefix(says, "would refuse") {
			v.Verdict = Warn
		}
		if len(first) < 3 && t.Name != "preread" && t.Name != "filter" {
			first = append(first, line)
		} else {
			rest = append(rest, line+"\u00a0ms")
		}
	}
	v.Says = append([]string{"from the server: " + strings.Join(first, ", ") + "\u00a0ms"}, rest...)
}

// inferred says what a status lets one think of the server.
func (d *drawing) inferred() string {
	x := d.x
	with := "without a credential"
	switch {
	case x.Client != nil && len(x.Client.Withheld) > 0:
		with = "the credential was withheld"
	case len(d.credentials()) > 0:
		with = "with the credential"
	}
	s := x.Response.Status
	switch {
	case s == 401 && with == "with the credential":
		return "401, the credential was not accepted"
	case s == 401:
		return "401, it asks who is there; " + with
	case s == 403:
		return "403, known and not allowed"
	case s == 404:
		return "404, not there, or hidden"
	case s == 429:
		return "429, too many requests"
	case s >= 500:
		return fmt.Sprintf("%d, it broke", s)
	case s >= 400:
		return fmt.Sprintf("%d, it did not take the request", s)
	}
	return fmt.Sprintf("%d, %s", s, with)
}

// guarded is step 5 of an exchange that guard saw: it knows.
func (d *drawing) guarded() StepView {
	v := StepView{Time: d.x.Times.Wait}
	s := &d.x.Server
	switch k := s.Credential; {
	case s.Caller != nil:
		v.say("%s", joinNonEmpty([]string{s.Caller.Name, string(s.Caller.Subject)}, ", "))
	case k != nil && k.Problem != "":
		v.Verdict = Warn
		v.say("bad credential: %s", k.Problem)
	case k != nil:
		v.say("a credential that nobody verified")
	default:
		v.say("nobody: no credential")
	}
	if s.Caller != nil && len(s.Caller.Roles) > 0 {
		v.say("%s", strings.Join(s.Caller.Roles, ", "))
	}
	for i := range d.x.Actions {
		a := &d.x.Actions[i]
		word := map[exchange.ActionKind]string{exchange.Refused: "refused", exchange.Stripped: "stripped", exchange.Repaired: "repaired"}[a.Kind]
		if !a.Enforced {
			word = "would have " + word
		}
		if a.Kind == exchange.Refused {
			v.Verdict = Warn
			v.say("%s: %s", word, a.Check)
		}
		v.fact(Telling, "guard", "%s", joinNonEmpty([]string{word, a.Check, d.masker.Text(a.Evidence.String()), a.Rule}, "  "))
	}
	for _, t := range s.Timing {
		v.fact(Detail, t.Name, "%s", joinNonEmpty([]string{duration(t.Duration), t.Says}, "  "))
	}
	return v
}

// response is step 6.
func (d *drawing) response() StepView {
	x := d.x
	r := x.Response
	if r == nil {
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
				v.fact(Telling, "cookie", "%s  kept  %s", c.Name, d.attributes(c.Name))
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
