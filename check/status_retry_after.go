package check

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/parley-project/parley/exchange"
)

// StatusRetryAfter flags 429 and 503 that do not say when to come again.
var StatusRetryAfter = &Check{
	ID:    "status-retry-after",
	Title: "429 or 503 does not say when to come again",
	Doc: `A client that is sent away without a time comes again at once, and so do all
others: the limit or the overload makes itself worse.`,
	Fix:  "Send Retry-After with every 429 and 503 (RFC 6585, 4; RFC 9110, 10.2.3).",
	Step: StepResponse, Severity: Low, OWASP: "API4:2023", CWE: 684, Conversation: []int{27, 29},
	Needs: SawResponse,

	Inspect: findMissing("Retry-After", sentAway),
	Release: addMissing("Retry-After", sentAway, func(p *Pass) string {
		wait := 30 * time.Second // long enough to help, short enough to be forgiven
		if op := p.Operation(); op != nil && p.Response.Status == http.StatusTooManyRequests {
			for _, l := range op.Limits {
				wait = max(wait, l.Per)
			}
		}
		return strconv.Itoa(int(wait / time.Second))
	}),
	Probe: probeRetryAfter,
}

func sentAway(p *Pass) bool {
	return p.Response.Status == http.StatusTooManyRequests || p.Response.Status == http.StatusServiceUnavailable
}

// mostAgain is how often a question is asked to be sent away.
const mostAgain = 15

// probeRetryAfter asks what the contract says is limited until it is. A person
// who was made for the trial is asked as where there is one: whoever else it is
// would have to wait.
func probeRetryAfter(t *Trial) {
	if t.Gentle {
		return
	}
	tried := 0
	for _, e := range t.Endpoints {
		if e.Method != "GET" || e.Operation == nil || promises(e, "429") == 0 || tried == 2 {
			continue
		}
		tried++
		for _, p := range slices.Backward(everybody(t)) {
			if !e.Answered(p) {
				continue
			}
			a, ok := t.Request(e, e.Resource.Of(p), p)
			for range mostAgain {
				if !ok || sentAwayBy(t.Ask(a)) {
					return
				}
			}
			break
		}
	}
}

func sentAwayBy(x *exchange.Exchange) bool {
	return x.Response == nil || x.Response.Status == http.StatusTooManyRequests || x.Response.Status == http.StatusServiceUnavailable
}
