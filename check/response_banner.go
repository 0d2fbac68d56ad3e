package check

import "strings"

// ResponseBanner flags header fields that tell which program runs.
var ResponseBanner = &Check{
	ID:    "response-banner",
	Title: "response tells which program runs, and which version",
	Doc: `Server: Apache/2.4.49 is an invitation to look up what that version is known
for. Those who scan the whole Internet for one flaw read nothing else.`,
	Fix:  "Send Server without a version, and no X-Powered-By, X-AspNet-Version and the like.",
	Step: StepResponse, Severity: Low, OWASP: "API8:2023", CWE: 497, Conversation: []int{28},
	Needs: SawResponse,

	Inspect: func(p *Pass) {
		for _, f := range p.Response.Header {
			if banner(f.Name, f.Value) {
				p.Find(Header(f.Name, "tells which program runs"))
			}
		}
	},
	Release: func(p *Pass) {
		for _, f := range p.Response.Header {
			if banner(f.Name, f.Value) {
				p.Repair(DropHeader(f.Name, "tells which program runs"))
			}
		}
	},
}

func banner(name, value string) bool {
	switch len(name) {
	case len("Server"):
		return strings.EqualFold(name, "Server") && strings.ContainsAny(value, "0123456789")
	case len("X-Runtime"):
		return strings.EqualFold(name, "X-Runtime")
	case len("X-Generator"):
		return strings.EqualFold(name, "X-Generator")
	case len("X-Powered-By"):
		return strings.EqualFold(name, "X-Powered-By")
	case len("X-AspNet-Version"):
		return strings.EqualFold(name, "X-AspNet-Version")
	case len("X-AspNetMvc-Version"):
		return strings.EqualFold(name, "X-AspNetMvc-Version")
	}
	return false
}
