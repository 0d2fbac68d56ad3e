// Package guard stands in front of an API: admit a request, release a
// response; net/http middleware.
//
// A Guard decides with the checks of package check on the facts of one
// exchange. In enforce mode it refuses, strips and repairs; in report mode it
// changes nothing and records what it would have done. It fails closed: what
// cannot be decided is refused with 503.
package guard

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/internal/jsonscan"
	"github.com/parley-project/parley/tally"
)

// Options is usable when empty.
type Options struct {
	// Identity proves who speaks. Nil: nobody is asked, and checks that need a
	// caller say unknown.
	Identity *identity.Verifier
	// Recorder keeps exchanges. Nil keeps none.
	Recorder exchange.Recorder
	// Counter counts for limits. Nil counts in this process.
	Counter Counter
	// Alert is told when one caller was refused on many objects. It must
	// return soon, and may be called from many requests at once. Nil: nobody.
	Alert func(Alert)
	// AlertObjects is how many different objects are many, within
	// AlertWithin; at most 32. Zero means 10.
	AlertObjects int
	// AlertWithin is the window of the alert. Zero means five minutes.
	AlertWithin time.Duration
	// Now is the clock. Nil is the system's.
	Now func() time.Time
	// Keep is how much of a body that is not JSON is recorded, and of any
	// body beyond what is judged. Zero means 64 KiB.
	Keep int64
	// Hold is how much memory the bodies of all exchanges may take that are
	// held to be judged whole. When there is no more, enforce mode refuses
	// with 503 and report mode judges without the body. Zero means 256 MiB.
	Hold int64
	// TLSInFront says that something before this program ends TLS, so that a
	// request without it is not one in clear.
	TLSInFront bool
	// SecurePort is where the same host answers with TLS, for redirects from
	// plain HTTP. Empty: nothing is redirected.
	SecurePort string
	// TraceKey is the SHA-256 of the trace key: whoever sends the key in the
	// field Parley-Trace is told in Server-Timing what was decided, and how long
	// it took. Nil: nobody is.
	TraceKey *[sha256.Size]byte
}

// A Counter takes one from a budget of count in each period, and reports how
// long to wait when there is none left.
type Counter interface {
	Take(key string, count int, per time.Duration, now time.Time) (ok bool, wait time.Duration)
}

// A Guard decides on exchanges by one contract. It keeps nothing between them
// but counts, and is safe for concurrent use.
type Guard struct {
	contract *contract.Contract
	o        Options
	enforce  bool
	carriers carriers
	room     *room

	refusals, tokens *tally.Distinct // for alerts, and for tokens with two clients

	trial *trial // of a rehearsal, which has its guard for itself

	head, body, release, inspect []*check.Check
	calls                        sync.Pool
}

// New makes a guard for a contract.
func New(c *contract.Contract, o Options) (*Guard, error) {
	if c == nil {
		return nil, errors.New("guard: no contract")
	}
	if o.Counter == nil {
		o.Counter = tally.NewMemory(0)
	}
	if o.AlertObjects == 0 {
		o.AlertObjects = alertObjects
	}
	o.AlertObjects = min(o.AlertObjects, 32)
	if o.AlertWithin <= 0 {
		o.AlertWithin = alertWithin
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Keep == 0 {
		o.Keep = 64 << 10
	}
	if o.Hold == 0 {
		o.Hold = 256 << 20
	}
	g := &Guard{contract: c, o: o, enforce: c.Mode == contract.Enforce, room: newRoom(o.Hold)}
	if o.Identity != nil {
		g.carriers = carriersOf(o.Identity)
	}
	for _, ck := range check.All {
		if ck.Admit != nil {
			if ck.Needs&check.SawBody == 0 {
				g.head = append(g.head, ck)
			} else {
				g.body = append(g.body, ck)
			}
		}
		switch {
		case ck.Release != nil:
			g.release = append(g.release, ck)
		case ck.Inspect != nil && ck.Admit == nil:
			g.inspect = append(g.inspect, ck) // what can only be told, not mended
		}
	}
	g.refusals = tally.NewDistinct(0, o.AlertWithin)
	g.tokens = tally.NewDistinct(0, tokenWithin)
	g.calls.New = func() any { return new(Call) }
	return g, nil
}

// Contract is what the guard decides by.
func (g *Guard) Contract() *contract.Contract { return g.contract }

// Enforcing reports whether decisions are acted on.
func (g *Guard) Enforcing() bool { return g.enforce }

// A Call is one exchange on its way through the guard: Admit, then AdmitBody
// when it wants one, then Release.
type Call struct {
	g *Guard
	// Exchange is the client's side of it.
	Exchange *exchange.Exchange
	pass     check.Pass
	spent    time.Duration // on decisions
	// refused is set once the client gets guard's answer.
	refused *check.Refusal
	object  *exchange.Exchange // the preread
	held    int64              // of the guard's room
	// noneMatch is the client's If-None-Match when the API is not told of it.
	noneMatch string
	// traced is nil for everybody but who has the trace key.
	traced *traced
	// trial is nil but in a rehearsal.
	trial *trial
}

// Admit decides on a request's head: where it goes, who speaks. A refusal is
// returned only in enforce mode; otherwise it is on the exchange's record.
func (g *Guard) Admit(ctx context.Context, x *exchange.Exchange) (*Call, *check.Refusal) {
	c := g.calls.Get().(*Call)
	c.g, c.Exchange, c.trial = g, x, g.trial
	began := g.o.Now()
	defer func() { c.spent += g.o.Now().Sub(began) }()
	if k := g.o.TraceKey; k != nil && takeTraceKey(&x.Request, k) {
		c.traced = &traced{}
	}

	p := &c.pass
	p.Exchange, p.Now = x, began
	p.Contract = g.contract
	p.Saw = check.SawContract
	if !g.o.TLSInFront {
		p.Saw |= check.SawTransport
	}
	if g.o.SecurePort != "" {
		p.SecureURL = secureURL(x, g.o.SecurePort)
	}
	x.Server.Mode = string(g.contract.Mode)

	p.Match = g.contract.Match(x.Request.Method, x.Request.Path())
	p.Input = contract.Input{Request: &x.Request, Params: p.Match.Params}
	op := p.Match.Operation
	if op != nil {
		if x.TCP != nil && len(op.Limits) > 0 {
			p.Input.Address = x.TCP.Remote.Addr().String()
		}
		x.Server.Operation = op.Name
		p.Parameters = op.CheckParameters(&x.Request, p.Match.Params)
	}
	if v := g.o.Identity; !c.trial.knows(c) && v != nil {
		p.SessionCookie = g.carriers.cookie
		if c.traced != nil {
			c.traced.authn = -g.o.Now().Sub(began)
		}
		caller, credential, err := v.Identify(ctx, &x.Request, began)
		if c.traced != nil {
			c.traced.authn += g.o.Now().Sub(began)
		}
		if err != nil && op != nil && !op.Public {
			return c, c.refuse(undecided("credential", err))
		}
		x.Server.Caller, x.Server.Credential = caller, credential
		p.Input.Caller = caller
		p.Challenge = v.ChallengeFor(credential)
		p.Saw |= check.SawCaller
		p.OtherClient = c.otherClient()
		if x.Request.Query() != "" || !p.Encrypted() {
			p.Presented = v.CredentialsIn(&x.Request) // all of them: those in the URL too
		}
	}
	return c, c.ask(g.head)
}

// WantsBody reports whether the request's body has to be read whole before it
// is decided on, and how much of it at most.
func (c *Call) WantsBody() (limit int64, wanted bool) {
	op := c.pass.Operation()
	if op == nil || c.Exchange.Request.Body.Size == 0 {
		return 0, false
	}
	mt := c.Exchange.Request.Header.MediaType()
	b := op.RequestBody(mt)
	undeclared := c.g.enforce && op.Requests == nil // whether there is anything shows only in the reading
	return c.g.contract.MaxRequest, check.IsJSON(mt) || b != nil && b.JSON() || undeclared
}

// AdmitBody decides on the whole request. The exchange's Request.Body holds
// what was read of it; tooLarge says that there is more.
func (c *Call) AdmitBody(read, tooLarge bool, object func() (*contract.Facts, int, error)) *check.Refusal {
	began := c.g.o.Now()
	defer func() { c.spent += c.g.o.Now().Sub(began) }()
	p := &c.pass
	p.TooLarge = tooLarge
	p.Object = object
	p.Count = c.count
	p.Saw |= check.SawBody
	if read && !tooLarge {
		op, data := p.Operation(), c.Exchange.Request.Body.Data
		if len(data) > 0 || op != nil && op.Requests != nil {
			p.Input.Body = c.g.scan(op.RequestBody(c.Exchange.Request.Header.MediaType()), data, jsonscan.Limits{})
		}
	}
	return c.ask(c.g.body)
}

func (c *Call) count(l *contract.Limit, key string) (bool, time.Duration) {
	return c.g.o.Counter.Take(l.Place+" "+key, l.Count, l.Per, c.pass.Now)
}

// ask lets checks decide until one refuses.
func (c *Call) ask(checks []*check.Check) *check.Refusal {
	if len(c.Exchange.Actions) > 0 && !c.g.enforce {
		return nil // it would have been refused already
	}
	for _, ck := range checks {
		c.pass.Run(ck, ck.Admit)
		if c.pass.Refusal != nil && !c.trial.setAside(c) {
			return c.refuse(c.pass.Refusal)
		}
	}
	return nil
}

// refuse puts a refusal on record, and returns it if it is to be acted on.
func (c *Call) refuse(r *check.Refusal) *check.Refusal {
	c.pass.Refusal = nil
	c.Exchange.Actions = append(c.Exchange.Actions, exchange.Action{
		Kind: exchange.Refused, Check: r.Check, Enforced: c.g.enforce, Status: r.Status, Rule: r.Rule, Evidence: r.Evidence,
	})
	if !c.g.enforce {
		return nil
	}
	c.refused = r
	return r
}

func undecided(what string, err error) *check.Refusal {
	return &check.Refusal{Check: "authn-invalid", Status: 503,
		Header:   exchange.Header{{Name: "Retry-After", Value: "5"}},
		Evidence: exchange.Evidence{Where: what, Says: "could not be decided: " + err.Error()}}
}

func secureURL(x *exchange.Exchange, port string) string {
	host := x.Request.Authority
	for i := len(host) - 1; i >= 0 && host[i] != ']'; i-- {
		if host[i] == ':' {
			host = host[:i]
			break
		}
	}
	if port != "443" {
		host += ":" + port
	}
	return "https://" + host + x.Request.Target
}
