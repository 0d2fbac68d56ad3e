package guard

import (
	"net/http"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// An Alert says that one caller was refused on many objects within a short
// time: somebody tries the numbers one after another.
type Alert struct {
	Time    time.Time
	Caller  exchange.Subject // empty: nobody was proved
	Address string           // of the last request, without its port
	Objects int              // how many different ones
	Within  time.Duration
	// Operation and Exchange are those of the last refusal.
	Operation string
	Exchange  exchange.ID
}

const (
	alertObjects = 10
	alertWithin  = 5 * time.Minute
	// tokenWithin is how long a token is held to be in one client's hands.
	tokenWithin = 10 * time.Minute
)

// watch counts refusals by caller and object, those of the API too, and raises
// the alert once in a window.
func (c *Call) watch() {
	if c.g.o.Alert == nil || !c.refusedObject() {
		return
	}
	x := c.Exchange
	a := Alert{Time: c.pass.Now, Within: c.g.o.AlertWithin, Operation: x.Server.Operation, Exchange: x.ID}
	if x.TCP != nil {
		a.Address = x.TCP.Remote.Addr().String()
	}
	key := "address " + a.Address
	if x.Server.Caller != nil {
		a.Caller = x.Server.Caller.Subject
		key = "caller " + string(a.Caller)
	}
	var fresh bool
	if a.Objects, fresh = c.g.refusals.Add(key, x.Request.Target, a.Time); fresh && a.Objects == c.g.o.AlertObjects {
		c.g.o.Alert(a)
	}
}

// refusedObject reports whether the caller did not get one object of many: by
// an authorization check, or by the API where the path names one.
func (c *Call) refusedObject() bool {
	if c.pass.Operation() == nil {
		return false
	}
	for _, a := range c.Exchange.Actions {
		if a.Kind == exchange.Refused && strings.HasPrefix(a.Check, "authz-") {
			return true
		}
	}
	r := c.Exchange.Response
	return r != nil && len(c.pass.Match.Params) > 0 && (r.Status == http.StatusForbidden || r.Status == http.StatusNotFound)
}

// otherClient reports whether a good token comes from a client that has not
// presented it lately, while another has. Keys of programs are shared by all
// of a partner's programs and are not asked.
func (c *Call) otherClient() bool {
	x := c.Exchange
	k := x.Server.Credential
	if k == nil || !k.Verified || k.Scheme == "api-key" || k.Fingerprint == "" {
		return false
	}
	n, fresh := c.g.tokens.Add(k.Fingerprint, x.Request.Header.Get("User-Agent"), c.pass.Now)
	return fresh && n > 1
}
