package check

// ResponseCacheControl flags personal answers that caches may keep.
var ResponseCacheControl = &Check{
	ID:      "response-cache-control",
	Aliases: []string{"no-store"},
	Title:   "a personal answer may be kept by caches",
	Doc: `An answer to somebody who proved who they are, without Cache-Control, may be
stored by a browser or a cache on the way and shown to the next person.`,
	Fix:  "Send Cache-Control: no-store with every answer that belongs to one caller.",
	Step: StepResponse, Severity: Medium, OWASP: "API8:2023", CWE: 525, Conversation: []int{36},
	Needs: SawResponse | SawCaller,

	Inspect: findMissing("Cache-Control", personal),
	Release: addMissing("Cache-Control", personal, func(*Pass) string { return "no-store" }),
}

func personal(p *Pass) bool {
	return p.Caller() != nil && describesContent(p) && !p.Response.Header.Has("Expires")
}
