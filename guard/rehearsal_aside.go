package guard

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// What a recording does not show cannot be judged. A refusal that stands on
// such a thing is set aside and counted apart: neither refused nor passed.

// A trial is one exchange of a rehearsal. The methods of nil are those of a
// guard that rehearses nothing.
type trial struct {
	r        *Rehearsal
	clock    *time.Time
	recorded *exchange.Exchange
	match    contract.Match

	// dropped says that the file has no credentials at all, and this request
	// was answered.
	dropped bool
	// unknown says that it is not known who asked.
	unknown bool
	// noObject, noRequest and noReply say what is not in the recording.
	noObject, noRequest, noReply bool

	// What was set aside for it: the rules whose object is not known; who
	// asked; a body; a value that is masked.
	objects             []string
	who, bodies, masked bool
}

// knows settles who asked where the request itself cannot show it, and reports
// whether it has: the credential is masked, or was left out.
func (t *trial) knows(c *Call) bool {
	if t == nil {
		return false
	}
	x, then := c.Exchange, &t.recorded.Server
	p, op := &c.pass, c.pass.Operation()
	masked := t.r.maskedCredential(&x.Request)
	known := then.Credential != nil || then.Caller != nil
	switch {
	case (masked || t.r.unproved) && known:
		x.Server.Caller, x.Server.Credential = then.Caller, then.Credential
		p.Input.Caller = then.Caller
		p.Saw |= check.SawCaller
	case masked, t.r.unproved && t.r.presents(&x.Request), t.dropped && !t.r.presents(&x.Request) && op != nil && !op.Public:
		t.unknown = true
		t.who = t.who || op != nil && !op.Public
	case t.r.unproved:
		p.Saw |= check.SawCaller // it was asked, and nothing was presented
	default:
		return false
	}
	p.SessionCookie = c.g.carriers.cookie
	if v := c.g.o.Identity; v != nil {
		p.Challenge = v.ChallengeFor(x.Server.Credential)
		if x.Request.Query() != "" {
			p.Presented = v.CredentialsIn(&x.Request)
		}
	}
	return true
}

// setAside takes the refusal that a check proposes off when it stands on what
// was not recorded, and reports whether it did.
func (t *trial) setAside(c *Call) bool {
	if t == nil {
		return false
	}
	r := c.pass.Refusal
	rule := r.Where == "rule"
	switch {
	case t.noObject && rule:
		t.objects = append(t.objects, label(r.Rule, r.Check, r.Evidence))
		t.noObject = false
	case t.unknown && (aboutCaller(r) || rule && r.Says == "needs a caller"):
		t.who = true
	case t.noRequest && (r.Where == "request body" || rule && strings.Contains(r.Name, "request.body")),
		t.noReply && (r.Where == "response body" || rule && strings.Contains(r.Name, "response.")):
		t.bodies = true
	case maskedValue(&t.recorded.Request, r.Evidence):
		t.masked = true
	default:
		return false
	}
	c.pass.Refusal = nil
	return true
}

// aboutCaller reports whether a refusal speaks of who asked.
func aboutCaller(r *check.Refusal) bool {
	return r.Where == "credential" || strings.HasSuffix(r.Says, "by others only")
}

// presents reports whether a request carries anything that may prove who sent
// it.
func (r *Rehearsal) presents(q *exchange.Request) bool {
	for i := range q.Header {
		if r.carries(&q.Header[i]) {
			return true
		}
	}
	return false
}

// carries reports whether a field is one in which credentials travel.
func (r *Rehearsal) carries(f *exchange.Field) bool {
	if strings.EqualFold(f.Name, "Cookie") {
		return r.unproved || r.g.carriers.cookie != "" && strings.Contains(f.Value, r.g.carriers.cookie)
	}
	if strings.EqualFold(f.Name, "Authorization") || r.unproved && strings.EqualFold(f.Name, "X-API-Key") {
		return true
	}
	for _, name := range r.g.carriers.headers {
		if strings.EqualFold(f.Name, name) {
			return true
		}
	}
	return false
}

// telling reports whether a request carries something that a program which
// leaves secrets out of a HAR would have left out. A key in a field of its own
// is none of it, unless nothing else is accepted.
func (r *Rehearsal) telling(q *exchange.Request) bool {
	only := r.g.carriers.cookie == "" && len(r.g.carriers.headers) > 1 && !r.tokens()
	for i := range q.Header {
		f := &q.Header[i]
		if strings.EqualFold(f.Name, "Authorization") || strings.EqualFold(f.Name, "Cookie") || only && r.carries(f) {
			return true
		}
	}
	return false
}

// tokens reports whether tokens are accepted in the field Authorization.
func (r *Rehearsal) tokens() bool {
	if r.g.o.Identity == nil {
		return r.unproved
	}
	for _, k := range r.g.o.Identity.Carriers() {
		if strings.EqualFold(k.Name, "Authorization") {
			return true
		}
	}
	return false
}

// maskedCredential reports whether a credential of the request is masked.
func (r *Rehearsal) maskedCredential(q *exchange.Request) bool {
	for i := range q.Header {
		f := &q.Header[i]
		if !r.carries(f) {
			continue
		}
		value := f.Value
		if strings.EqualFold(f.Name, "Cookie") {
			for pair := range strings.SplitSeq(value, ";") {
				if name, v, _ := strings.Cut(strings.TrimSpace(pair), "="); (r.unproved || name == r.g.carriers.cookie) && identity.Masked(v) {
					return true
				}
			}
			continue
		}
		if i := strings.LastIndexByte(value, ' '); i >= 0 {
			value = value[i+1:]
		}
		if identity.Masked(value) {
			return true
		}
	}
	return false
}

// maskedValue reports whether what evidence points at in a request is masked:
// what it was may well have been good.
func maskedValue(q *exchange.Request, ev exchange.Evidence) bool {
	switch ev.Where {
	case "header":
		return identity.Masked(q.Header.Get(ev.Name))
	case "query":
		values, _ := url.ParseQuery(q.Query())
		return identity.Masked(values.Get(ev.Name))
	case "path":
		return strings.Contains(q.Path(), "/secret:")
	case "cookie":
		return strings.Contains(q.Header.Get("Cookie"), ev.Name+"=secret:")
	case "request body":
		return maskedMember(q.Body.Data, ev.Name)
	}
	return false
}

// maskedMember reports whether the value at a JSON Pointer is masked.
func maskedMember(data []byte, pointer string) bool {
	if !bytes.Contains(data, []byte("secret:")) {
		return false
	}
	var v any
	if json.Unmarshal(data, &v) != nil {
		return false
	}
	for pointer != "" {
		var name string
		name, pointer, _ = strings.Cut(pointer[1:], "/")
		if pointer != "" {
			pointer = "/" + pointer
		}
		switch at := v.(type) {
		case map[string]any:
			v = at[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(at) {
				return false
			}
			v = at[i]
		default:
			return false
		}
	}
	s, _ := v.(string)
	return identity.Masked(s)
}
