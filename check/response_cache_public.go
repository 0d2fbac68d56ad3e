package check

import "strings"

// ResponseCachePublic flags personal answers that shared caches are told to keep.
var ResponseCachePublic = &Check{
	ID:    "response-cache-public",
	Title: "a personal answer is made public to caches",
	Doc: `public or s-maxage lets every cache on the way keep the answer, a credential in
the request or not, and give it to the next who asks for the same address.`,
	Fix:  "Send no-store, or private, with every answer that belongs to one caller; keep public for what is everybody's.",
	Step: StepResponse, Severity: High, OWASP: "API8:2023", CWE: 524, Conversation: []int{36},
	Needs: SawResponse,

	Inspect: func(p *Pass) {
		if directive := sharedCache(p); directive != "" {
			p.Find(Header("Cache-Control", "says "+directive+" of a personal answer"))
		}
	},
	Release: func(p *Pass) {
		if directive := sharedCache(p); directive != "" {
			e := SetHeader("Cache-Control", "no-store")
			e.Says = "said " + directive + " of a personal answer"
			p.Repair(e)
		}
	},
}

// sharedCache is the directive that lets shared caches keep an answer to
// somebody who had to prove who he is (RFC 9111, 3.5).
func sharedCache(p *Pass) string {
	if !describesContent(p) {
		return ""
	}
	switch op := p.Operation(); {
	case p.Contract == nil: // then who asked with a credential had a reason to
		if !p.Request.Header.Has("Authorization") {
			return ""
		}
	case op == nil, op.Public, p.Caller() == nil:
		return ""
	}
	for _, f := range p.Response.Header {
		if len(f.Name) != len("Cache-Control") || !strings.EqualFold(f.Name, "Cache-Control") {
			continue
		}
		for d := range strings.SplitSeq(f.Value, ",") {
			name, _, _ := strings.Cut(strings.TrimSpace(d), "=")
			switch {
			case strings.EqualFold(name, "public"):
				return "public"
			case strings.EqualFold(name, "s-maxage"):
				return "s-maxage"
			}
		}
	}
	return ""
}
