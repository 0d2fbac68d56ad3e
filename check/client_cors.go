package check

import "strings"

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
