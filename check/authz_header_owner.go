package check

import (
	"net/http"
	"slices"
	"strings"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// AuthzHeaderOwner flags an API that believes the user named in a header.
var AuthzHeaderOwner = &Check{
	ID:    "authz-header-owner",
	Title: "the user named in a header is believed",
	Doc: `Behind many gateways X-User-Id says who speaks, because the gateway wrote it.
Where a client can write it too, one line makes anybody anybody.`,
	Fix:  "Take the user from the verified token; strip such fields at the edge and believe none that came from outside.",
	Step: StepServer, Severity: Critical, OWASP: "API1:2023", CWE: 290, Conversation: []int{9, 52},
	Needs: SawContract | SawCaller,

	Inspect: func(p *Pass) {
		if f, bad := claimedByHeader(p); bad && p.Success() {
			p.Suspect(Header(f.Name, "names somebody else, and the API answered"))
		}
		if p.Saw&SawBody != 0 {
			inspectRules(p, headerOwner)
		}
	},
	Admit: func(p *Pass) {
		if f, bad := claimedByHeader(p); bad {
			p.Refuse(http.StatusForbidden, Header(f.Name, "names somebody else than the credential"))
		}
		admitRules(p, headerOwner)
	},

	Probe: probeHeaderOwner,
}

func headerOwner(r *contract.Rule) bool { return tieOf(r) == toHeader }

// userFields are those that programs behind a gateway take for the caller or
// his role.
var userFields = map[string]bool{
	"X-User-Id": true, "X-User": true, "X-Userid": true, "X-Customer-Id": true, "X-Account-Id": true, "X-Owner-Id": true,
	"X-Auth-User": true, "X-Auth-User-Id": true, "X-Authenticated-User": true, "X-Authenticated-Userid": true,
	"X-Remote-User": true, "X-Forwarded-User": true, "X-Original-User": true,
	"X-Role": true, "X-Roles": true, "X-User-Role": true, "X-Admin": true, "X-Is-Admin": true,
}

// claimedByHeader is the first field that names somebody whom the credential
// does not prove. One that the contract declares is for the rules.
func claimedByHeader(p *Pass) (exchange.Field, bool) {
	for _, f := range p.Request.Header {
		if len(f.Name) < 6 || f.Name[0]|0x20 != 'x' || !userFields[http.CanonicalHeaderKey(f.Name)] {
			continue
		}
		if c := p.Caller(); c != nil && (string(c.Subject) == f.Value || slices.Contains(c.Roles, f.Value)) {
			continue
		}
		op := p.Operation()
		if op == nil || !slices.ContainsFunc(op.Parameters, func(d *contract.Parameter) bool {
			return d.In == "header" && strings.EqualFold(d.Name, f.Name)
		}) {
			return f, true
		}
	}
	return exchange.Field{}, false
}

// ownerFields are fields in which proxies and careless clients say who asks.
var ownerFields = []string{"X-User-Id", "X-User", "X-Userid", "X-Account-Id", "X-Customer-Id", "X-Owner-Id", "X-Subject", "X-Auth-User", "X-Authenticated-User",
	"X-Forwarded-User", "X-Remote-User", "X-Impersonate-User", "X-On-Behalf-Of", "X-Tenant-Id"}

// probeHeaderOwner says in header fields to be the victim, first in all of them
// at once.
func probeHeaderOwner(t *Trial) {
	v, by := t.Victim, t.Attacker
	if v == nil || by == nil || v.Subject == "" {
		return
	}
	for _, e := range t.Endpoints {
		if e.Method != "GET" || e.Personal == "" || e.Few != "" || !e.Answered(v) || !e.Answered(by) || strings.Contains(e.Path, "{") {
			continue
		}
		plain, ok := t.Request(e, nil, by)
		if !ok {
			continue
		}
		said := func(names ...string) *exchange.Exchange {
			a := plain.With(by)
			a.Of = v
			for _, n := range names {
				value := v.Subject
				if NamesTenant(strings.TrimPrefix(n, "X-")) {
					if value = factNamed(v, "tenant"); value == "" {
						continue
					}
				}
				a = a.Set(n, value)
			}
			return t.Ask(a)
		}
		theirs := ownValues(e.Honest[v], e.Honest[by])
		fooled := func(x *exchange.Exchange) bool {
			return Succeeded(x) && slices.ContainsFunc(theirs, func(m string) bool { return namesIt(x, m) })
		}
		if len(theirs) == 0 || !fooled(said(ownerFields...)) {
			return // one endpoint tells of all
		}
		left := ownerFields
		for len(left) > 1 {
			half := left[:len(left)/2]
			if fooled(said(half...)) {
				left = half
			} else {
				left = left[len(left)/2:]
			}
		}
		x, mine := said(left...), t.control(plain, by)
		if fooled(x) && !fooled(mine) {
			t.Report(&Flaw{Endpoint: e, Parameter: "header " + left[0], By: by, Of: v, Marks: theirs[:1],
				Evidence: []exchange.Evidence{Header(left[0], "names "+v.Name+", and "+by.Name+" is taken for "+v.Name)}, Proof: []*exchange.Exchange{mine, x}})
		}
		return
	}
}

// ownValues are values that stand in one answer and not in the other, of which only
// one person has them.
func ownValues(of, other *exchange.Exchange) []string {
	var out []string
	for _, l := range Members(of) {
		if (l.Kind == "string" && len(l.Value) >= 6 || NamesOwner(l.Name) || l.Name == "id") && !namesIt(other, l.Value) {
			out = append(out, l.Value)
		}
	}
	return out
}
