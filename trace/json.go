package trace

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// Schema names the JSON form; doc/schema describes it. Members are added under
// the same name, never taken away or changed.
const Schema = "parley.trace/1"

type jsonTrace struct {
	Schema   string             `json:"schema"`
	Version  string             `json:"version,omitempty"`
	ID       exchange.ID        `json:"id"`
	Started  time.Time          `json:"started"`
	Method   string             `json:"method"`
	URL      string             `json:"url"`
	As       string             `json:"as,omitempty"`
	Verdict  string             `json:"verdict"`
	Exit     int                `json:"exit"`
	Failure  string             `json:"failure,omitempty"`
	FailedAt exchange.Step      `json:"failed_at,omitzero"`
	Steps    []jsonStep         `json:"steps"`
	Timings  map[string]float64 `json:"timings"`
	Findings []jsonFinding      `json:"findings"`
	Probes   []jsonProbe        `json:"probes,omitempty"`
}

type jsonStep struct {
	N       int      `json:"n"`
	Name    string   `json:"name"`
	Verdict string   `json:"verdict"`
	Ms      *float64 `json:"ms,omitempty"`
	Says    []string `json:"says"`
	Facts   []Fact   `json:"facts"`
	Notes   []string `json:"notes,omitempty"`
	Seen    any      `json:"seen,omitempty"`
}

type jsonFinding struct {
	Check    string              `json:"check"`
	Severity string              `json:"severity"`
	Verdict  string              `json:"verdict"`
	Step     string              `json:"step"`
	Title    string              `json:"title,omitempty"`
	Fix      string              `json:"fix,omitempty"`
	OWASP    string              `json:"owasp,omitempty"`
	CWE      int                 `json:"cwe,omitempty"`
	Evidence []exchange.Evidence `json:"evidence"`
}

type jsonProbe struct {
	Name     string      `json:"name"`
	Want     []int       `json:"want"`
	Status   int         `json:"status,omitempty"`
	Right    bool        `json:"right"`
	Failure  string      `json:"failure,omitempty"`
	Exchange exchange.ID `json:"exchange,omitempty"`
}

// JSONOptions are what the JSON form says beside the result.
type JSONOptions struct {
	As      string // who asked, in the words of the person who traces
	Version string // of the program
	Exit    int    // the code that the program ends with
	Key     []byte // for the placeholders of secrets; nil means a random one
}

// JSON writes a result as parley.trace/1: one object, without secrets and
// without bodies.
func JSON(w io.Writer, r *Result, o JSONOptions) error {
	o.Key = keyOr(o.Key)
	x, masker := masked(r.Exchange, o.Key), identity.NewMasker(o.Key)
	vs := steps(r.Exchange, r.Probed, o.Key)
	out := jsonTrace{Schema: Schema, Version: o.Version, ID: x.ID, Started: x.Start.UTC(), Method: x.Request.Method, URL: x.Request.URL(), As: o.As,
		Verdict: strings.ToLower(string(Judgement(vs))), Exit: o.Exit, Failure: x.Failure, FailedAt: x.FailedAt, Timings: timings(x), Findings: []jsonFinding{}}
	for i := range vs {
		v := &vs[i]
		s := jsonStep{N: int(v.Step), Name: v.Step.String(), Verdict: strings.ToLower(string(v.Verdict)), Says: plainAll(v.Says), Facts: []Fact{},
			Notes: v.Notes, Seen: seen(x, v.Step, masker)}
		if v.Time > 0 {
			ms := toMs(v.Time)
			s.Ms = &ms
		}
		for _, f := range v.Facts {
			s.Facts = append(s.Facts, Fact{Name: f.Name, Says: spaces(f.Says)})
		}
		out.Steps = append(out.Steps, s)
		for i, f := range v.Findings {
			j := jsonFinding{Check: f.Check, Severity: f.Severity.String(), Verdict: string(f.Verdict), Step: f.Step.String(), Title: titleOf(f.Check), Fix: v.Fixes[i],
				Evidence: f.Evidence}
			if c := check.ByID(f.Check); c != nil {
				j.OWASP, j.CWE = c.OWASP, c.CWE
			}
			if j.Evidence == nil {
				j.Evidence = []exchange.Evidence{}
			}
			out.Findings = append(out.Findings, j)
		}
	}
	for i := range r.Probed {
		p := &r.Probed[i]
		j := jsonProbe{Name: p.Name, Want: p.Want, Right: p.Right()}
		if p.Exchange != nil {
			j.Exchange, j.Failure = p.Exchange.ID, masker.Text(p.Exchange.Failure)
			if p.Exchange.Response != nil {
				j.Status = p.Exchange.Response.Status
			}
		}
		out.Probes = append(out.Probes, j)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(out)
}

// seen are a step's facts as the exchange has them; nil for one not seen.
func seen(x *exchange.Exchange, s exchange.Step, m *identity.Masker) any {
	switch {
	case s == exchange.StepDNS && x.DNS != nil:
		return x.DNS
	case s == exchange.StepTCP && x.TCP != nil:
		t := *x.TCP
		t.Proxy = m.Text(t.Proxy)
		return &t
	case s == exchange.StepTLS && x.TLS != nil:
		t := *x.TLS
		t.Chain = slices.Clone(t.Chain)
		for i := range t.Chain {
			t.Chain[i].DER = nil
		}
		return &t
	case s == exchange.StepRequest && x.Request.Method != "":
		return &x.Request
	case s == exchange.StepServer && (x.Server.Caller != nil || x.Server.Credential != nil || x.Server.Operation != "" || len(x.Server.Timing) > 0):
		v := x.Server
		v.Timing = slices.Clone(v.Timing)
		for i := range v.Timing {
			v.Timing[i].Says = m.Text(v.Timing[i].Says)
		}
		return &v
	case s == exchange.StepResponse && x.Response != nil:
		return x.Response
	case s == exchange.StepClient && x.Client != nil:
		return x.Client
	}
	return nil
}

// timings are the phases in HAR's terms: milliseconds, -1 for what did not
// happen.
func timings(x *exchange.Exchange) map[string]float64 {
	t := &x.Times
	out := map[string]float64{"total": toMs(whole(x))}
	for name, d := range map[string]time.Duration{"blocked": t.Blocked, "dns": t.DNS, "connect": t.Connect, "ssl": t.TLS} {
		out[name] = -1
		if d > 0 {
			out[name] = toMs(d)
		}
	}
	for name, d := range map[string]time.Duration{"send": t.Send, "wait": t.Wait, "receive": t.Receive} {
		out[name] = toMs(d)
	}
	return out
}

func toMs(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func plainAll(says []string) []string {
	out := make([]string, len(says))
	for i, s := range says {
		out[i] = spaces(s)
	}
	return out
}
