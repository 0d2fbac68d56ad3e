package check

import (
	"strconv"
	"strings"
)

// ClientHSTSShort flags promises of HTTPS that clients soon forget.
var ClientHSTSShort = &Check{
	ID:      "client-hsts-short",
	Aliases: []string{"hsts-max-age"},
	Title:   "the client soon forgets that the host has HTTPS",
	Doc: `Strict-Transport-Security counts for max-age seconds from the last answer. A
client that comes back later asks in clear once, as if the field had never been
sent; without a max-age that can be read it is ignored (RFC 6797, 6.1.1). Half a
year is what graders and preload lists ask for as the least.`,
	Fix:  "Send max-age=31536000 once HTTPS is to stay; a short time is for trying it out.",
	Step: StepClient, Severity: Low, OWASP: "API8:2023", CWE: 319, Conversation: []int{33, 54},
	Needs: SawTransport | SawResponse | SawClient,

	Inspect: func(p *Pass) {
		v := p.Response.Header.Get("Strict-Transport-Security")
		if v == "" || !public(p) {
			return
		}
		switch seconds, ok := hstsAge(v); {
		case !ok:
			p.Find(Header("Strict-Transport-Security", "has no max-age that can be read, and is ignored"))
		case seconds == 0:
			p.Find(Header("Strict-Transport-Security", "has max-age=0, which takes the promise back"))
		case seconds < halfYear:
			p.Find(Header("Strict-Transport-Security", "has max-age="+strconv.FormatInt(seconds, 10)+", less than half a year"))
		}
	},
}

const halfYear = 15_768_000 // seconds

// hstsAge reads max-age; a second one makes the field invalid.
func hstsAge(v string) (seconds int64, ok bool) {
	for d := range strings.SplitSeq(v, ";") {
		name, value, _ := strings.Cut(d, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "max-age") {
			continue
		}
		n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 40)
		if err != nil || ok {
			return 0, false
		}
		seconds, ok = int64(n), true
	}
	return seconds, ok
}
