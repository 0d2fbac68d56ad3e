package check

import (
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// ClientCORS flags answers that scripts of any site may read.
var ClientCORS = &Check{
	ID:      "client-cors",
	Aliases: []string{"cors"},
	Title:   "scripts of other sites may read personal answers",
	Doc: `The API allows whatever origin asks, with credentials. A page of anybody's
then reads the answers in the name of whoever visits it.`,
	Fix: "Allow named origins only, compared whole; never reflect Origin, never allow null.",
	Remedy: `cors:
  origins: [https://app.example]
  credentials: true`,
	Step: StepClient, Severity: High, OWASP: "API8:2023", CWE: 942, Conversation: []int{45, 47},
	Needs: SawResponse,

	Inspect: func(p *Pass) {
		if foreignGrant(p) {
			p.Find(Header("Access-Control-Allow-Origin", "lets another site read the answer"))
		}
	},
	Release: func(p *Pass) {
		if !foreignGrant(p) {
			return
		}
		for _, f := range p.Response.Header {
			if len(f.Name) > 15 && strings.EqualFold(f.Name[:15], "Access-Control-") {
				p.Repair(DropHeader(f.Name, "lets another site read the answer"))
			}
		}
	},
	Probe: func(t *Trial) { // what is granted is judged where it is seen
		p := t.Victim
		pl := t.place(p)
		if pl == nil {
			return
		}
		host := pl.yes.Request.Authority
		named, _, _ := strings.Cut(host, ":")
		mark := t.Mark()
		origins := []string{"https://" + mark + ".example", "null", "https://" + named + "." + mark + ".example", "https://" + mark + named}
		for _, allowed := range t.allowedOrigins() {
			scheme, rest, ok := strings.Cut(allowed, "://")
			if ok && len(origins) < maxOrigins {
				origins = append(origins, scheme+"://"+rest+"."+mark+".example", scheme+"://"+mark+rest)
			}
		}
		for _, o := range origins {
			a := pl.with(secretOf(p))
			if p.Cookies != "" {
				a = pl.ask.With(p)
				a.ByCookie = true
			}
			a = a.Set("Origin", o).Set("Sec-Fetch-Site", "cross-site")
			a.Control = false
			if x := t.Ask(a); foreignAllowed(x, o) {
				return
			}
		}
	},
}

// foreignGrant reports an Access-Control-Allow-Origin that the policy does not
// grant. Without a policy on CORS, allowing all is taken as meant as long as it
// is without credentials.
func foreignGrant(p *Pass) bool {
	grant := p.Response.Header.Get("Access-Control-Allow-Origin")
	if grant == "" {
		return false
	}
	if p.Contract != nil && p.Contract.CORS != nil {
		return !allowedOrigin(p, grant)
	}
	if grant == p.Request.Scheme+"://"+p.Request.Authority {
		return false
	}
	credentials := strings.EqualFold(p.Response.Header.Get("Access-Control-Allow-Credentials"), "true")
	return credentials && (grant == "null" || grant == p.Request.Header.Get("Origin"))
}

// maxOrigins bounds the origins that are tried.
const maxOrigins = 10

// allowedOrigins are those that the policy names or that an answer did.
func (t *Trial) allowedOrigins() (out []string) {
	if t.Contract != nil && t.Contract.CORS != nil {
		out = append(out, t.Contract.CORS.Origins...)
	}
	for _, e := range t.Endpoints {
		for _, p := range []*Person{nil, t.Victim} {
			if x := e.Honest[p]; x != nil && x.Response != nil {
				o := x.Response.Header.Get("Access-Control-Allow-Origin")
				if strings.Contains(o, "://") && !slices.Contains(out, o) {
					out = append(out, o)
				}
			}
		}
	}
	return out[:min(len(out), 3)]
}

// foreignAllowed reports whether an answer lets an origin read it.
func foreignAllowed(x *exchange.Exchange, origin string) bool {
	return x.Response != nil && x.Response.Header.Get("Access-Control-Allow-Origin") == origin
}
