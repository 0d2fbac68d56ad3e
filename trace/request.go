package trace

import (
	"fmt"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// Steps 4 and 5: the request and the server.

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
		if x.FailedAt == exchange.StepResponse { // something came, and no status
			return StepView{Time: v.Time, Verdict: Unknown, Says: []string{"its answer has no status that can be read"}}
		}
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
