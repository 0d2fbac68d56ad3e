// Package trace follows one call from the name lookup to the client.
//
// Follow makes the call and has every step judged; Write draws an exchange,
// from this or any other tool, in its seven steps: a verdict, the facts that
// matter, and for each finding what to do.
package trace

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// Options say what is looked at beside the call itself.
type Options struct {
	// Client is how the call is made. Over a channel that does not verify the
	// request is sent without its credentials, unless SendAnyway is given.
	Client call.Options
	// Compare are resolvers that are asked for the name beside the one in use.
	Compare []call.Resolver
	// Deep asks the server for everything that it takes in TLS.
	Deep bool
	// Contract is what the API promises; nil when that is not known.
	Contract *contract.Contract
	// Identity proves who asked, by the API's own policy. Nil: only whether a
	// credential was sent is known, and rules about callers are not judged.
	Identity *identity.Verifier
	// As is the name of who asks; empty for nobody.
	As string
	// Probes are further requests that show what the server decides by.
	Probes []Probe
	// Progress is told what is being done. Nil tells nobody.
	Progress func(doing string)
}

// A Result is what became of a call.
type Result struct {
	// Exchange has the call's facts and the findings.
	Exchange *exchange.Exchange
	// Earlier are the exchanges that led to it: challenges, and redirects when
	// they are followed.
	Earlier []*exchange.Exchange
	// Probed are the probes with their answers, in their order.
	Probed []Probed
}

// All are the exchanges of a result in the order in which they were made.
func (r *Result) All() []*exchange.Exchange {
	all := append(r.Earlier[:len(r.Earlier):len(r.Earlier)], r.Exchange)
	for i := range r.Probed {
		all = append(all, r.Probed[i].Exchange)
	}
	return all
}

// Follow makes a call and judges every step. It fails only when there is
// nothing to tell; a call that broke off is a Result with a Failure.
func Follow(ctx context.Context, r *call.Request, o Options) (*Result, error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	c := o.Client
	recorder := c.Recorder
	c.Recorder = nil // what it gets is judged first
	if c.Source == "" {
		c.Source = exchange.FromTrace
	}
	if c.Untrusted == call.Stop {
		c.Untrusted = call.Withhold
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	client, err := call.New(c)
	if err != nil {
		return nil, err
	}
	defer client.Close()

	o.Progress("calling " + r.Method + " " + hostOf(r.URL))
	xs := client.Do(ctx, r)
	if len(xs) == 0 {
		return nil, fmt.Errorf("trace: %s: nothing was sent", hostOf(r.URL))
	}
	res := &Result{Exchange: xs[len(xs)-1], Earlier: xs[:len(xs)-1]}
	x := res.Exchange
	if ctx.Err() == nil {
		o.compare(ctx, x)
		o.offers(ctx, client, x, r.URL)
		o.probe(ctx, client, res)
	}
	for _, e := range res.All() {
		o.inspect(ctx, e, c.Now())
	}
	res.judgeProbes()
	if recorder != nil {
		for _, x := range res.All() {
			recorder.Record(detached(x)) // a recorder may change what it gets
		}
	}
	return res, nil
}

// inspect lets the checks judge an exchange. Who asked is known when the policy
// proves it. Without a policy's rules it is enough that the API took a
// credential: then the answer is somebody's.
func (o *Options) inspect(ctx context.Context, x *exchange.Exchange, now time.Time) {
	var op *contract.Operation
	if o.Contract != nil {
		if op = o.Contract.Match(x.Request.Method, x.Request.Path()).Operation; op != nil {
			x.Server.Operation = op.Name
		}
	}
	asked := true
	seen := *x
	switch {
	case o.Identity != nil:
		caller, credential, err := o.Identity.Identify(ctx, &x.Request, now)
		if asked = err == nil; asked {
			if caller != nil && caller.Name == "" {
				named := *caller
				named.Name = o.As
				caller = &named
			}
			x.Server.Caller, x.Server.Credential = caller, credential
			seen.Server = x.Server
		}
	case op != nil && len(op.Rules) > 0:
		asked = false
	case (op == nil || !op.Public) && presents(x) && x.Response != nil && x.Response.Status != 401:
		seen.Server.Caller = &exchange.Caller{Name: o.As}
	}
	x.Findings = append(x.Findings, check.Inspect(&seen, o.Contract, asked, now)...)
}

// presents reports whether a request carries a credential.
func presents(x *exchange.Exchange) bool {
	return x.Server.Credential != nil || slices.ContainsFunc(x.Request.Header, func(f exchange.Field) bool { return carries(f.Name) })
}

// compare asks the other resolvers for the name that was called.
func (o *Options) compare(ctx context.Context, x *exchange.Exchange) {
	if len(o.Compare) == 0 || x.DNS == nil || x.DNS.Name == "" {
		return
	}
	o.Progress("asking other resolvers")
	d := *x.DNS
	said := call.Compare(ctx, d.Name, o.Client.Resolver, o.Compare)
	// The answer that the call went by comes first: one that turns afterwards
	// is told from it.
	d.Answers = append(slices.Clone(d.Answers), said.Answers...)
	x.DNS = &d
}

// offers asks for everything that the server takes, if it speaks TLS at all.
func (o *Options) offers(ctx context.Context, client *call.Client, x *exchange.Exchange, rawURL string) {
	if !o.Deep || x.TLS == nil || x.TLS.Clear {
		return
	}
	o.Progress("asking for versions and suites")
	t := *x.TLS
	offers, err := client.Offers(ctx, rawURL)
	if err != nil {
		offers = &exchange.Offers{Incomplete: err.Error()}
	}
	t.Offers = offers
	if x.Client != nil {
		offers.HTTP3 = client.HTTP3(ctx, rawURL, x.Client.AltSvc)
	}
	x.TLS = &t
}

func hostOf(rawURL string) string {
	if u, err := url.Parse(rawURL); err == nil && u.Host != "" {
		return u.Host
	}
	return "the server"
}
