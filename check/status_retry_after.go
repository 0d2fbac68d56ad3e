package check

import (
	"net/http"
	"slices"
	"strconv"
	"time"
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
	Probe: func(t *Trial) { // what is said is judged where it is heard
		if t.Gentle {
			return
		}
		const most = 15
		for _, e := range t.Endpoints {
			if e.Method != "GET" || !slices.Contains(e.Statuses(), "429") {
				continue
			}
			for _, p := range append([]*Person{t.knocker(), t.Attacker}, t.People...) {
				if p == nil || !e.Answered(p) || len(Text(e.Honest[p])) > 64<<10 {
					continue
				}
				a, ok := t.Request(e, e.Resource.Of(p), p)
				for range most {
					if !ok || !Succeeded(t.Ask(a)) {
						break
					}
				}
				return
			}
		}
	},
}

func sentAway(p *Pass) bool {
	return p.Response.Status == http.StatusTooManyRequests || p.Response.Status == http.StatusServiceUnavailable
}
