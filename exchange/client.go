package exchange

import "time"

// Client is step 7: what the client keeps after the call.
type Client struct {
	// Cookies are the cookies that came, each with what became of it.
	Cookies []KeptCookie `json:"cookies,omitempty"`
	// HSTS is how long HTTPS is remembered for the host; zero for not at all.
	HSTS time.Duration `json:"hsts,omitempty"` // nanoseconds
	// AltSvc is what other places the answer named (RFC 7838).
	AltSvc []string `json:"alt_svc,omitempty"`
	// Withheld names the request's credentials that were not sent, because the
	// channel had not been verified.
	Withheld []string `json:"withheld,omitempty"`
}

// A KeptCookie is what became of one Set-Cookie field.
type KeptCookie struct {
	Name string `json:"name"`
	// Refused says why the cookie was not kept; empty when it was.
	Refused string `json:"refused,omitempty"`
}
