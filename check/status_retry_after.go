package check

import (
	"net/http"
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
}

func sentAway(p *Pass) bool {
	return p.Response.Status == http.StatusTooManyRequests || p.Response.Status == http.StatusServiceUnavailable
}
