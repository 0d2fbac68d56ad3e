package trace

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// A Probe is a further request, whose answer says something of the server.
type Probe struct {
	Name    string // "no credential", "broken signature", "as rajan"
	Request *call.Request
	Want    []int // the statuses that are right
	// Check is the flaw that a success shows.
	Check string
	// Object says that a success shows it only when the answer is the same as
	// that to the call: somebody else sees the object.
	Object bool
}

// A Probed is a probe with its answer.
type Probed struct {
	Probe
	Exchange *exchange.Exchange
}

// Right reports whether the answer is one of those wanted.
func (p *Probed) Right() bool {
	return p.Exchange != nil && p.Exchange.Response != nil && slices.Contains(p.Want, p.Exchange.Response.Status)
}

func (p *Probed) says() string {
	switch {
	case p.Exchange == nil:
		return p.Name + ": not sent"
	case p.Exchange.Response == nil:
		return p.Name + ": " + p.Exchange.Failure
	case p.Right():
		return fmt.Sprintf("%s %d ok", p.Name, p.Exchange.Response.Status)
	}
	var want []string
	for _, w := range p.Want {
		want = append(want, strconv.Itoa(w))
	}
	return fmt.Sprintf("%s %d, wanted %s", p.Name, p.Exchange.Response.Status, strings.Join(want, " or "))
}

// probe sends the probes once the call has succeeded: after a refusal their
// refusals would say nothing.
func (o *Options) probe(ctx context.Context, client *call.Client, res *Result) {
	for _, p := range o.Probes {
		if !success(res.Exchange) || ctx.Err() != nil {
			return
		}
		o.Progress("probing: " + p.Name)
		r := *p.Request
		r.Links = append(r.Links[:len(r.Links):len(r.Links)], exchange.Link{Kind: exchange.Probe, ID: res.Exchange.ID})
		xs := client.Do(ctx, &r)
		if len(xs) == 0 {
			continue
		}
		res.Probed = append(res.Probed, Probed{p, xs[len(xs)-1]})
	}
}

// judgeProbes makes findings of answers that should have been refusals. The
// first ones are the controls of those after them: an object that everybody
// gets is nobody's.
func (res *Result) judgeProbes() {
	public := false
	for i := range res.Probed {
		p := &res.Probed[i]
		c := check.ByID(p.Check)
		if c == nil || !success(p.Exchange) || slices.Contains(p.Want, p.Exchange.Response.Status) {
			continue
		}
		f := exchange.Finding{Check: c.ID, Severity: c.Severity, Verdict: exchange.Confirmed, Step: exchange.StepServer,
			Evidence: []exchange.Evidence{check.Status(fmt.Sprintf("%d with %s", p.Exchange.Response.Status, p.Name))}}
		if p.Object {
			if public {
				continue
			}
			if !bytes.Equal(p.Exchange.Response.Body.Data, res.Exchange.Response.Body.Data) || p.Exchange.Response.Body.Size == 0 {
				f.Verdict = exchange.Likely
			}
		} else {
			public = true
		}
		res.Exchange.Findings = append(res.Exchange.Findings, f)
		p.Exchange.Findings = append(p.Exchange.Findings, f)
	}
}

func success(x *exchange.Exchange) bool {
	return x != nil && x.Failure == "" && x.Response != nil && x.Response.Status >= 200 && x.Response.Status < 300
}

// AuthProbes are three safe requests about who may ask: without a credential,
// with one whose signature is broken, and as somebody else, who may be nil.
// They are those of the request, which must be safe: GET, HEAD or OPTIONS.
func AuthProbes(ctx context.Context, r *call.Request, other identity.Auth, otherName string) ([]Probe, error) {
	switch r.Method {
	case "GET", "HEAD", "OPTIONS":
	default:
		return nil, fmt.Errorf("trace: %s may change something: probes repeat only GET, HEAD and OPTIONS", r.Method)
	}
	bare := *r
	bare.Auth = nil
	bare.Header = slices.DeleteFunc(slices.Clone(r.Header), func(f exchange.Field) bool { return carries(f.Name) })
	if r.Auth == nil && len(bare.Header) == len(r.Header) {
		return nil, fmt.Errorf("trace: the request has no credential to probe without")
	}
	probes := []Probe{{Name: "no credential", Request: &bare, Want: []int{401}, Check: "authn-missing"}}
	broken := bare
	if r.Auth == nil {
		broken.Header = slices.Clone(r.Header)
	} else {
		q := exchange.Request{Method: r.Method, Scheme: "https", Header: slices.Clone(bare.Header), Body: exchange.Body{Size: int64(len(r.Body)), Data: r.Body}}
		if err := r.Auth.Apply(ctx, &q); err != nil {
			return nil, fmt.Errorf("trace: %w", err)
		}
		broken.Header = q.Header
	}
	if spoil(broken.Header) {
		probes = append(probes, Probe{Name: "broken signature", Request: &broken, Want: []int{401}, Check: "authn-invalid"})
	}
	if other != nil {
		as := bare
		as.Auth = other
		probes = append(probes, Probe{Name: "as " + otherName, Request: &as, Want: []int{403, 404}, Check: "authz-object", Object: true})
	}
	return probes, nil
}

// carries reports whether a field carries a credential.
func carries(name string) bool {
	if strings.EqualFold(name, "Parley-Trace") {
		return false // it says who runs the API, and proves nothing to it
	}
	return strings.EqualFold(name, "Authorization") || strings.EqualFold(name, "Cookie") || identity.SecretName(name)
}

// spoil breaks the signature of the first JWT in the fields, or else changes
// the end of the first secret.
func spoil(h exchange.Header) bool {
	for i := range h {
		if f := &h[i]; carries(f.Name) && len(f.Value) > 4 {
			f.Value = spoiled(f.Value)
			return true
		}
	}
	return false
}

// spoiled changes a character near the end of a value: the last one of a
// base64url text may have bits that nobody looks at.
func spoiled(s string) string {
	b := []byte(s)
	at := len(b) - 4
	if b[at] == 'A' {
		b[at] = 'B'
	} else {
		b[at] = 'A'
	}
	return string(b)
}
