package scan

import (
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// A Suppression is somebody's decision to live with a finding.
type Suppression struct {
	// ID is a fingerprint, or its beginning of eight digits or more, or a check
	// and an operation: "authz-object GET /v1/orders/{id}".
	ID string
	// Reason is why. It is shown in the finding's place.
	Reason string
	// Until is the day after which it counts again; zero means never.
	Until time.Time
}

// means reports whether a suppression is about a finding.
func (s *Suppression) means(f *Finding) bool {
	if f.Fingerprint == s.ID || len(s.ID) >= 8 && strings.HasPrefix(f.Fingerprint, s.ID) {
		return true
	}
	return f.Check+" "+f.Operation == strings.Join(strings.Fields(s.ID), " ") && len(f.Operations) <= 1
}

// Suppress takes findings out of what counts, and leaves them in the result
// with the reason. It returns the suppressions that have expired and those
// that are about nothing that was found.
func (r *Result) Suppress(list []Suppression, now time.Time) (expired, unused []Suppression) {
	for _, s := range list {
		used := false
		over := !s.Until.IsZero() && now.After(s.Until.AddDate(0, 0, 1))
		for _, f := range r.Findings {
			if !s.means(f) {
				continue
			}
			used = true
			if over {
				expired = append(expired, s)
				break
			}
			f.Suppressed = s.Reason
		}
		if !used {
			unused = append(unused, s)
		}
	}
	return expired, unused
}

// Know marks the findings that a baseline has. A finding that was only likely
// then, and is proved now, is new.
func (r *Result) Know(baseline map[string]exchange.Verdict) {
	for _, f := range r.Findings {
		v, ok := baseline[f.Fingerprint]
		f.Known = ok && (v != exchange.Likely || f.Verdict == exchange.Likely)
	}
}
