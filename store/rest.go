package store

import (
	"encoding/json"
	"time"

	"github.com/parley-project/parley/exchange"
)

// rest is what a record says in JSON and not in its own form: facts that only a
// tool which makes calls itself knows. Guard writes none of it.
type rest struct {
	Answers    []exchange.Answer      `json:"answers,omitempty"`
	NoAddress  string                 `json:"no_address,omitempty"`
	Attempts   []exchange.Attempt     `json:"attempts,omitempty"`
	Proxy      string                 `json:"proxy,omitempty"`
	Chain      []exchange.Certificate `json:"chain,omitempty"`
	Trust      *exchange.Trust        `json:"trust,omitempty"`
	Asked      bool                   `json:"asked,omitempty"`
	Shown      bool                   `json:"shown,omitempty"`
	SCTs       int                    `json:"scts,omitempty"`
	Stapled    bool                   `json:"stapled,omitempty"`
	Offers     *exchange.Offers       `json:"offers,omitempty"`
	NoTLS      string                 `json:"no_tls,omitempty"`
	Timing     []exchange.Timing      `json:"timing,omitempty"`
	Interim    []int                  `json:"interim,omitempty"`
	Client     *exchange.Client       `json:"client,omitempty"`
	Blocked    time.Duration          `json:"blocked,omitempty"`
	FailedStep int                    `json:"failed_step,omitempty"`
}

// restOf takes it out of an exchange; empty when there is none, which costs a
// few comparisons.
func restOf(x *exchange.Exchange) string {
	r := rest{Timing: x.Server.Timing, Client: x.Client, Blocked: x.Times.Blocked, FailedStep: int(x.FailedAt)}
	some := len(r.Timing) > 0 || r.Client != nil || r.Blocked != 0 || r.FailedStep != 0
	if d := x.DNS; d != nil {
		r.Answers, r.NoAddress = d.Answers, d.Failure
		some = some || len(r.Answers) > 0 || r.NoAddress != ""
	}
	if t := x.TCP; t != nil {
		r.Attempts, r.Proxy = t.Attempts, t.Proxy
		some = some || len(r.Attempts) > 0 || r.Proxy != ""
	}
	if t := x.TLS; t != nil {
		r.Chain, r.Trust, r.Asked, r.Shown, r.SCTs, r.Stapled, r.Offers, r.NoTLS = t.Chain, t.Trust, t.Asked, t.Shown, t.SCTs, t.Stapled, t.Offers, t.Failure
		some = some || len(r.Chain) > 0 || r.Trust != nil || r.Asked || r.Shown || r.SCTs != 0 || r.Stapled || r.Offers != nil || r.NoTLS != ""
	}
	if p := x.Response; p != nil {
		r.Interim = p.Interim
		some = some || len(r.Interim) > 0
	}
	if !some {
		return ""
	}
	b, err := json.Marshal(&r)
	if err != nil { // a time outside the years that JSON knows: leave out where it can be
		r.Chain = nil
		b, _ = json.Marshal(&r)
	}
	return string(b)
}

// put puts it back.
func (r *rest) put(x *exchange.Exchange) {
	x.Server.Timing, x.Client, x.Times.Blocked, x.FailedAt = r.Timing, r.Client, r.Blocked, exchange.Step(r.FailedStep)
	if d := x.DNS; d != nil {
		d.Answers, d.Failure = r.Answers, r.NoAddress
	}
	if t := x.TCP; t != nil {
		t.Attempts, t.Proxy = r.Attempts, r.Proxy
	}
	for i := range r.Chain {
		c := &r.Chain[i]
		c.NotBefore, c.NotAfter = utc(c.NotBefore), utc(c.NotAfter)
	}
	if t := x.TLS; t != nil {
		t.Chain, t.Trust, t.Asked, t.Shown, t.SCTs, t.Stapled, t.Offers, t.Failure = r.Chain, r.Trust, r.Asked, r.Shown, r.SCTs, r.Stapled, r.Offers, r.NoTLS
	}
	if p := x.Response; p != nil {
		p.Interim = r.Interim
	}
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}
