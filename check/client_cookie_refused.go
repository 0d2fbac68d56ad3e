package check

// ClientCookieRefused flags cookies that clients do not keep.
var ClientCookieRefused = &Check{
	ID:      "client-cookie-refused",
	Aliases: []string{"cookie-prefix"},
	Title:   "a cookie is set that clients refuse",
	Doc: `Clients drop a cookie that is set in clear with Secure, for a domain of somebody
else, with a prefix whose promise it breaks, or that is too large, and say
nothing of it (RFC 6265bis, 5.7). The session then ends with each answer, or an
older cookie stays in its place.`,
	Fix:  "Set the cookie over HTTPS, for the host itself, with what its prefix promises, in fewer than 4,096 bytes.",
	Step: StepClient, Severity: Low, OWASP: "API8:2023", CWE: 573, Conversation: []int{45, 54},
	Needs: SawResponse | SawClient,

	Inspect: func(p *Pass) {
		if t := p.TLS; t != nil && t.Trust != nil && !t.Trust.Verified {
			return // nothing is kept over such a channel, whatever it is
		}
		for _, c := range p.Client.Cookies {
			switch c.Refused {
			case "", "no jar is in use", "the channel was not verified": // not the server's doing
			default:
				p.Find(Cookie(c.Name, "is not kept: "+c.Refused))
			}
		}
	},
}
