package check

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/parley-project/parley/contract"
)

// Status401403 flags the two refusals put in each other's place.
var Status401403 = &Check{
	ID:    "status-401-403",
	Title: "401 and 403 are swapped",
	Doc: `401 says: prove who you are, and how. 403 says: I know, and you may not. A
client that gets the wrong one logs in again for ever or gives up a session that
was good, and whoever counts refusals to see an attack counts the wrong thing.`,
	Fix:  "Answer 401 with WWW-Authenticate when there is no valid credential, 403 when there is one (RFC 9110, 15.5.2 and 15.5.4).",
	Step: StepResponse, Severity: Low, OWASP: "API8:2023", CWE: 393, Conversation: []int{24, 25},
	Needs: SawContract | SawCaller | SawResponse, Implies: []string{"status-401-challenge"},

	Inspect: func(p *Pass) {
		switch right := rightRefusal(p); {
		case right == http.StatusForbidden:
			p.Find(Status("401 to a caller whose credential is good"))
		case right == http.StatusUnauthorized:
			p.Find(Status("403 to a request without a valid credential"))
		}
	},
	Release: func(p *Pass) {
		switch right := rightRefusal(p); {
		case right == http.StatusForbidden:
			p.Repair(Problem(right, Status("401 to a caller whose credential is good")))
			if p.Response.Header.Has("WWW-Authenticate") {
				p.Repair(DropHeader("WWW-Authenticate", "belongs to a 401"))
			}
		case right == http.StatusUnauthorized:
			f := challenge(p)
			p.Repair(Problem(right, Status("403 to a request without a valid credential")), SetHeader(f.Name, f.Value))
		}
	},
	Probe: probe401403,
}

// rightRefusal is the status that ought to stand there, or 0 when the one that
// stands is right. An API that says invalid_token has its reason (RFC 6750,
// 3.1): it may have revoked what is otherwise good.
func rightRefusal(p *Pass) int {
	op := p.Operation()
	if op == nil || op.Public {
		return 0
	}
	switch {
	case p.Response.Status == http.StatusUnauthorized && p.Caller() != nil && !ofAnotherKind(p, op) &&
		!strings.Contains(p.Response.Header.Get("WWW-Authenticate"), "invalid_token"):
		return http.StatusForbidden
	case p.Response.Status == http.StatusForbidden && p.Caller() == nil:
		return http.StatusUnauthorized
	}
	return 0
}

// ofAnotherKind reports whether the request carries a credential of a declared
// kind, and of none that this operation takes: a token where a key is wanted.
func ofAnotherKind(p *Pass, op *contract.Operation) bool {
	if p.Contract == nil || len(op.Security) == 0 {
		return false
	}
	some := false
	for _, s := range p.Contract.Schemes {
		some = some || carries(p, s)
	}
	for _, all := range op.Security {
		fits := true
		for name := range all {
			s, known := p.Contract.Schemes[name]
			fits = fits && (!known || carries(p, s))
		}
		if fits {
			return false
		}
	}
	return some
}

// carries reports whether a request has something of a kind of credential.
func carries(p *Pass, s contract.SecurityScheme) bool {
	authorization, _, _ := strings.Cut(p.Request.Header.Get("Authorization"), " ")
	switch s.Type {
	case "apiKey":
		switch s.In {
		case "header":
			return p.Request.Header.Has(s.Name)
		case "cookie":
			for _, line := range p.Request.Header.Values("Cookie") {
				for pair := range strings.SplitSeq(line, ";") {
					if name, _, _ := strings.Cut(strings.TrimSpace(pair), "="); name == s.Name {
						return true
					}
				}
			}
			return false
		}
		q, _ := url.ParseQuery(p.Request.Query())
		return q.Has(s.Name)
	case "http", "basic":
		return strings.EqualFold(authorization, s.Scheme) || s.Type == "basic" && strings.EqualFold(authorization, "Basic")
	case "oauth2", "openIdConnect":
		return strings.EqualFold(authorization, "Bearer")
	}
	return true // what is in the channel is not seen here
}

// probe401403 asks as nobody where somebody is wanted, and as somebody who may
// not where only few may, in a form that does no harm. A dead credential is
// refused as nobody is: whoever asks is alive.
func probe401403(t *Trial) {
	anybody, few := 0, 0
	for _, e := range t.Endpoints {
		if e.Operation == nil || e.Public || e.Method == "GET" {
			continue
		}
		as, count := (*Person)(nil), &anybody
		if e.Few != "" && t.Attacker != nil {
			as, count = t.Attacker, &few
		}
		if *count == 2 {
			continue
		}
		a, ok := t.Request(e, e.Resource.Of(t.Victim), t.Victim)
		if !ok {
			continue
		}
		if a, ok = a.nowhere(); !ok || as != nil && !t.Alive(as) {
			continue
		}
		*count++
		a = a.With(as)
		a.Of = nil
		t.Ask(a)
	}
}
