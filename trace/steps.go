package trace

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// A Verdict is what became of one step, in the word that is drawn.
type Verdict string

const (
	OK      Verdict = "ok"
	Warn    Verdict = "WARN"    // something was found, all of it below high
	Fail    Verdict = "FAIL"    // something bad is certain, or the call ended here
	Skipped Verdict = "skipped" // there was nothing to do, or it was not reached
	Unknown Verdict = "unknown" // it was not seen
)

// Worse reports whether v is worse than o.
func (v Verdict) Worse(o Verdict) bool {
	order := []Verdict{Skipped, Unknown, OK, Warn, Fail}
	return slices.Index(order, v) > slices.Index(order, o)
}

// Show says when a fact is drawn.
type Show int

const (
	Telling Show = iota // when the step is not good, and with all facts
	Always              // somebody asked for it
	Detail              // with all facts only
)

// A Fact is one thing known of a step.
type Fact struct {
	Name string `json:"name"`
	Says string `json:"says"`
	Show Show   `json:"-"`
}

// A StepView is one of the seven steps, ready to be drawn: in words, without
// secrets.
type StepView struct {
	Step    exchange.Step
	Verdict Verdict
	// Says are the few facts that matter, the most telling first: those for
	// which there is no room are left out. One that did not happen has its
	// reason here.
	Says  []string
	Facts []Fact
	// Notes are what trace did because of this step.
	Notes    []string
	Findings []exchange.Finding
	// Fixes say what to do about each finding.
	Fixes []string
	Time  time.Duration // zero when it is not known
}

// Steps draws an exchange from any tool in its seven steps.
func Steps(x *exchange.Exchange) []StepView { return steps(x, nil, nil) }

// steps is Steps with the key for placeholders and with probes.
func steps(x *exchange.Exchange, probed []Probed, key []byte) []StepView {
	d := drawing{x: masked(x, key), raw: x, masker: identity.NewMasker(keyOr(key)), probed: probed}
	vs := []StepView{d.dns(), d.tcp(), d.tls(), d.request(), d.server(), d.response(), d.client()}
	for i := range vs {
		v := &vs[i]
		v.Step = exchange.Steps[i]
		for _, f := range x.Findings {
			if f.Step == v.Step {
				v.Findings = append(v.Findings, d.finding(f))
			}
		}
		d.judge(v)
	}
	return vs
}

// Judgement is the verdict of the whole call: the worst of its steps.
func Judgement(vs []StepView) Verdict {
	worst := OK
	for _, v := range vs {
		if v.Verdict.Worse(worst) {
			worst = v.Verdict
		}
	}
	return worst
}

// A drawing is an exchange on its way to being drawn.
type drawing struct {
	x      *exchange.Exchange // masked, without bodies
	raw    *exchange.Exchange // as it was seen: for tokens, which are described
	masker *identity.Masker
	probed []Probed
}

func keyOr(key []byte) []byte {
	if key == nil {
		key = make([]byte, 32)
		rand.Read(key)
	}
	return key
}

// masked is a copy of an exchange without secrets, and without bodies: they
// are not drawn.
func masked(x *exchange.Exchange, key []byte) *exchange.Exchange {
	out := detached(x)
	out.Request.Body.Data = nil
	if out.Response != nil {
		out.Response.Body.Data = nil
	}
	identity.Mask(out, keyOr(key))
	out.Times = spent(x)
	return out
}

// detached is a copy of an exchange in which secrets can be masked without
// touching the original.
func detached(x *exchange.Exchange) *exchange.Exchange {
	out := *x
	out.Request.Header = slices.Clone(x.Request.Header)
	if x.Response != nil {
		r := *x.Response
		r.Header, r.Trailer = slices.Clone(r.Header), slices.Clone(r.Trailer)
		out.Response = &r
	}
	return &out
}

// spent are the times of a call; of one that broke off, with the time until
// then given to the step at which it did: it was spent waiting there.
func spent(x *exchange.Exchange) exchange.Times {
	t := x.Times
	rest := t.Total - t.Blocked - t.DNS - t.Connect - t.Send - t.Wait - t.Receive
	if x.Failure == "" || rest < time.Millisecond {
		return t
	}
	switch x.FailedAt {
	case exchange.StepDNS:
		t.DNS += rest
	case exchange.StepTCP:
		t.Connect += rest
	case exchange.StepTLS:
		t.Connect += rest
		t.TLS += rest
	case exchange.StepRequest:
		t.Send += rest
	case exchange.StepServer:
		t.Wait += rest
	case exchange.StepResponse:
		t.Receive += rest
	}
	return t
}

func (d *drawing) finding(f exchange.Finding) exchange.Finding {
	f.Evidence = slices.Clone(f.Evidence)
	for i := range f.Evidence {
		e := &f.Evidence[i]
		e.Name, e.Says = d.masker.Text(e.Name), d.masker.Text(e.Says)
	}
	return f
}

// judge makes the verdict: of where the call ended, of what was found, and of
// what the step itself says.
func (d *drawing) judge(v *StepView) {
	if at := d.x.FailedAt; at != 0 {
		switch {
		case at == v.Step:
			v.Verdict = Fail
			if v.Step == exchange.StepServer {
				v.Time = d.x.Times.Wait
			}
			why := d.x.Failure
			switch {
			case why == "" || slices.Contains(v.Says, why):
			case at == exchange.StepResponse && len(v.Says) > 0:
				v.Says[0] += ", then " + why
			default:
				v.Says = append([]string{why}, v.Says...)
			}
		case at < v.Step && (v.Verdict == Unknown || v.Verdict == Skipped || v.Verdict == ""):
			v.Verdict, v.Says = Skipped, []string{"not reached: " + ended(at, d.x)}
		}
	}
	for _, f := range v.Findings {
		found := Warn
		switch {
		case f.Severity == exchange.Info || f.Verdict == exchange.Unknown:
			continue
		case f.Verdict == exchange.Confirmed && f.Severity >= exchange.High:
			found = Fail
		}
		if found.Worse(v.Verdict) {
			v.Verdict = found
		}
	}
	if v.Verdict == "" {
		v.Verdict = OK
	}
	slices.SortStableFunc(v.Findings, func(a, b exchange.Finding) int { return int(b.Severity) - int(a.Severity) })
	for i := range v.Findings {
		v.Fixes = append(v.Fixes, d.fixOf(&v.Findings[i]))
	}
}

// ended says in a few words why there was nothing after a step.
func ended(at exchange.Step, x *exchange.Exchange) string {
	switch at {
	case exchange.StepDNS:
		return "the name did not resolve"
	case exchange.StepTCP:
		return "no connection"
	case exchange.StepTLS:
		if t := x.TLS; t != nil && t.Failure == "" && t.Trust != nil && !t.Trust.Verified {
			return "the channel was not verified"
		}
		return "the handshake failed"
	case exchange.StepRequest:
		return "the request could not be sent"
	case exchange.StepServer:
		return "no answer came"
	}
	return "the answer broke off"
}

// unseen is the view of a step of which nothing is known.
func unseen(why string) StepView { return StepView{Verdict: Unknown, Says: []string{why}} }

func (v *StepView) say(format string, args ...any) {
	v.Says = append(v.Says, fmt.Sprintf(format, args...))
}

func (v *StepView) fact(show Show, name, format string, args ...any) {
	v.Facts = append(v.Facts, Fact{name, fmt.Sprintf(format, args...), show})
}

// fixOf is what to do about a finding: of a certificate, what its problem says;
// else what the check does.
func (d *drawing) fixOf(f *exchange.Finding) string {
	for _, e := range f.Evidence {
		if p := d.problemOf(e); p != nil && p.Fix != "" {
			return p.Fix
		}
	}
	if c := check.ByID(f.Check); c != nil {
		return strings.Join(strings.Fields(c.Fix), " ")
	}
	return ""
}

// problemOf is the problem of the chain that evidence tells of, or nil.
func (d *drawing) problemOf(e exchange.Evidence) *exchange.TrustProblem {
	if d.raw.TLS == nil || d.raw.TLS.Trust == nil || e.Where != "certificate" && e.Where != "chain" || e.Says == "" {
		return nil
	}
	for i := range d.raw.TLS.Trust.Problems {
		if p := &d.raw.TLS.Trust.Problems[i]; strings.HasSuffix(p.Says, e.Says) {
			return p
		}
	}
	return nil
}

// titleOf is the flaw in words.
func titleOf(id string) string {
	if c := check.ByID(id); c != nil {
		return c.Title
	}
	return ""
}
