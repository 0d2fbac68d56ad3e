package console

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// A verdict is what is known of one step of a call. A step that was not seen
// is unknown, never good.
type verdict string

const (
	good     verdict = "good"     // seen, and nothing was found
	noted    verdict = "noted"    // seen, and worth knowing; nobody judged it
	finding  verdict = "finding"  // a check found something that guard did not put right
	refused  verdict = "refused"  // guard answered instead
	repaired verdict = "repaired" // guard took out or put right
	failed   verdict = "failed"   // the call ended here
	unknown  verdict = "unknown"  // not seen
)

// A stepView is one of the seven steps as the page draws it.
type stepView struct {
	Step    exchange.Step `json:"step"`
	Verdict verdict       `json:"verdict"`
	// Counted is true when guard was only counting: it would have.
	Counted bool `json:"counted,omitempty"`
	// Says is the step in a line; Facts are the details, name and value.
	Says  string      `json:"says"`
	Facts [][2]string `json:"facts,omitempty"`
	// Findings and Actions are positions in the exchange's lists.
	Findings []int `json:"findings,omitempty"`
	Actions  []int `json:"actions,omitempty"`
}

// steps draws an exchange in its seven steps.
func (c *Console) steps(x *exchange.Exchange) []stepView {
	vs := []stepView{dnsStep(x), tcpStep(x), tlsStep(x), requestStep(x), serverStep(x), responseStep(x), clientStep(x)}
	fail(vs, x)
	for i := range x.Findings {
		if v := at(vs, x.Findings[i].Step); v != nil && !ownAnswer(x) {
			v.Findings = append(v.Findings, i)
		}
	}
	for i := range x.Actions {
		if v := at(vs, c.stepOf(&x.Actions[i])); v != nil {
			v.Actions = append(v.Actions, i)
		}
	}
	for i := range vs {
		judge(&vs[i], x)
	}
	return vs
}

func at(vs []stepView, s exchange.Step) *stepView {
	if s < exchange.StepDNS || int(s) > len(vs) {
		return nil
	}
	return &vs[s-1]
}

// judge combines what was seen with what was found and done.
func judge(v *stepView, x *exchange.Exchange) {
	done := map[string]bool{}
	var refusal, repair, counted bool
	for _, i := range v.Actions {
		a := &x.Actions[i]
		if !a.Enforced {
			counted = true
			continue
		}
		done[a.Check] = true
		if a.Kind == exchange.Refused {
			refusal = true
		} else {
			repair = true
		}
	}
	open, doubtful := false, false
	for _, i := range v.Findings {
		f := &x.Findings[i]
		switch {
		case f.Verdict == exchange.Unknown:
			doubtful = true
		case !done[f.Check]:
			open = true
		}
	}
	switch {
	case v.Verdict == failed:
	case refusal:
		v.Verdict = refused
	case open:
		v.Verdict = finding
	case repair:
		v.Verdict = repaired
	case counted:
		v.Verdict, v.Counted = finding, true
	case doubtful && v.Verdict == good:
		v.Verdict = noted
	}
	if counted && v.Verdict == finding {
		v.Counted = true
	}
}

// stepOf says at which step guard acted: where the check stands, or else
// which part of the message it was.
func (c *Console) stepOf(a *exchange.Action) exchange.Step {
	if e := c.explain(a.Check); e != nil && e.Step != 0 {
		return e.Step
	}
	switch {
	case a.Where == "response body" || a.Where == "status":
		return exchange.StepResponse
	case a.Where == "credential":
		return exchange.StepServer
	case a.Where == "cookie" && a.Kind != exchange.Refused:
		return exchange.StepClient
	case a.Kind != exchange.Refused && a.Where == "header":
		return exchange.StepResponse
	}
	return exchange.StepRequest
}

func dnsStep(x *exchange.Exchange) stepView {
	v := stepView{Step: exchange.StepDNS, Verdict: unknown}
	if x.DNS == nil {
		v.Says = "not seen"
		if x.Side == exchange.ClientSide && x.Source == exchange.FromGuard {
			v.Says = "not seen: the client looked the name up"
		}
		return v
	}
	v.Verdict = good
	var as []string
	for _, a := range x.DNS.Addresses {
		as = append(as, a.String())
	}
	v.Says = x.DNS.Name
	if len(as) > 0 {
		v.Says += " is " + as[0]
		v.Facts = append(v.Facts, [2]string{"addresses", strings.Join(as, ", ")})
	}
	if x.DNS.Resolver != "" {
		v.Facts = append(v.Facts, [2]string{"resolver", x.DNS.Resolver})
	}
	if x.DNS.TTL > 0 {
		v.Facts = append(v.Facts, [2]string{"TTL", fmt.Sprintf("%d s", x.DNS.TTL)})
	}
	return v
}

func tcpStep(x *exchange.Exchange) stepView {
	v := stepView{Step: exchange.StepTCP, Verdict: unknown, Says: "not seen"}
	if x.TCP == nil {
		return v
	}
	v.Verdict = good
	v.Says = "new connection"
	if x.TCP.Reused {
		v.Says = "connection used before"
	}
	if x.TCP.Remote.IsValid() {
		v.Facts = append(v.Facts, [2]string{"peer", x.TCP.Remote.String()})
	}
	if x.TCP.Local.IsValid() {
		v.Facts = append(v.Facts, [2]string{"here", x.TCP.Local.String()})
	}
	return v
}

func tlsStep(x *exchange.Exchange) stepView {
	v := stepView{Step: exchange.StepTLS, Verdict: unknown, Says: "not seen"}
	t := x.TLS
	if t == nil {
		return v
	}
	if t.Clear {
		v.Verdict, v.Says = noted, "none: readable on the way"
		return v
	}
	v.Verdict, v.Says = good, t.Version
	for _, f := range [][2]string{{"suite", t.Suite}, {"key agreement", t.Group}, {"ALPN", t.ALPN}, {"server name", t.ServerName}, {"certificate of", t.PeerName}} {
		if f[1] != "" {
			v.Facts = append(v.Facts, f)
		}
	}
	if t.Resumed {
		v.Facts = append(v.Facts, [2]string{"session", "resumed"})
	}
	if t.EarlyData {
		v.Facts = append(v.Facts, [2]string{"early data", "yes: may be replayed"})
	}
	if !t.PeerExpiry.IsZero() {
		v.Facts = append(v.Facts, [2]string{"certificate until", t.PeerExpiry.UTC().Format("2006-01-02")})
	}
	return v
}

func requestStep(x *exchange.Exchange) stepView {
	r := &x.Request
	v := stepView{Step: exchange.StepRequest, Verdict: good, Says: strings.TrimSuffix(r.Proto, ".0")}
	if r.Method == "" {
		v.Verdict, v.Says = unknown, "not seen"
		return v
	}
	if r.Body.Size > 0 {
		v.Says += ", " + size(r.Body.Size)
	}
	if x.Server.Operation != "" {
		v.Facts = append(v.Facts, [2]string{"operation", x.Server.Operation})
	}
	if t := r.Header.MediaType(); t != "" && r.Body.Size > 0 {
		v.Facts = append(v.Facts, [2]string{"type", t})
	}
	return v
}

func serverStep(x *exchange.Exchange) stepView {
	v := stepView{Step: exchange.StepServer, Verdict: unknown}
	k := x.Server.Credential
	switch {
	case x.Server.Caller != nil:
		v.Verdict = good
		v.Says = string(x.Server.Caller.Subject)
		if n := x.Server.Caller.Name; n != "" {
			v.Says = n + " (" + v.Says + ")"
		}
		if len(x.Server.Caller.Roles) > 0 {
			v.Facts = append(v.Facts, [2]string{"roles", strings.Join(x.Server.Caller.Roles, ", ")})
		}
		if len(x.Server.Caller.Scopes) > 0 {
			v.Facts = append(v.Facts, [2]string{"scopes", strings.Join(x.Server.Caller.Scopes, ", ")})
		}
	case k != nil && k.Problem != "":
		v.Verdict, v.Says = noted, "bad credential: "+k.Problem
	case k != nil:
		v.Says = "a credential that nobody verified"
	case x.Side == exchange.ClientSide && x.Source == exchange.FromGuard:
		v.Verdict, v.Says = good, "nobody: no credential"
	default:
		v.Says = "not seen: only its answer is"
	}
	if k != nil {
		says := k.Scheme + " in " + k.Carrier
		if k.Field != "" {
			says += " " + k.Field
		}
		if k.Verified {
			says += ", verified"
		}
		v.Facts = append(v.Facts, [2]string{"credential", says})
		if !k.Expires.IsZero() {
			v.Facts = append(v.Facts, [2]string{"expires", k.Expires.UTC().Format("2006-01-02 15:04:05 UTC")})
		}
	}
	if x.Server.Mode != "" {
		v.Facts = append(v.Facts, [2]string{"guard", x.Server.Mode})
	}
	return v
}

func responseStep(x *exchange.Exchange) stepView {
	v := stepView{Step: exchange.StepResponse, Verdict: unknown, Says: "not seen"}
	if x.Response == nil {
		return v
	}
	v.Verdict = good
	v.Says = fmt.Sprintf("%d, %s", x.Response.Status, size(x.Response.Body.Size))
	if x.Response.Status == http.StatusSwitchingProtocols {
		v.Verdict, v.Says = noted, "101: what follows is not recorded"
		return v
	}
	for i := range x.Actions {
		if x.Actions[i].Kind == exchange.Refused && x.Actions[i].Enforced {
			v.Says = fmt.Sprintf("%d from guard, %s", x.Response.Status, size(x.Response.Body.Size))
		}
	}
	if t := x.Response.Header.MediaType(); t != "" {
		v.Facts = append(v.Facts, [2]string{"type", t})
	}
	return v
}

// clientStep is what the client is told to keep: judged from headers.
func clientStep(x *exchange.Exchange) stepView {
	v := stepView{Step: exchange.StepClient, Verdict: unknown, Says: "not seen"}
	if x.Response == nil || x.Response.Status == http.StatusSwitchingProtocols {
		return v
	}
	v.Verdict = good
	var says []string
	switch n := len(x.Response.Header.Values("Set-Cookie")); n {
	case 0:
		says = append(says, "no cookie")
	case 1:
		says = append(says, "1 cookie")
	default:
		says = append(says, fmt.Sprintf("%d cookies", n))
	}
	if cc := x.Response.Header.Get("Cache-Control"); cc != "" {
		says = append(says, cc)
		v.Facts = append(v.Facts, [2]string{"Cache-Control", cc})
	} else {
		says = append(says, "caching left open")
	}
	if ao := x.Response.Header.Get("Access-Control-Allow-Origin"); ao != "" {
		v.Facts = append(v.Facts, [2]string{"read by scripts of", ao})
	}
	v.Says = strings.Join(says, ", ")
	return v
}

func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
