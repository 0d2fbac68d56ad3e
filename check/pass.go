package check

import (
	"net/netip"
	"strings"
	"time"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/jsonscan"
)

// A Pass is one exchange before the checks: the facts, what the contract makes
// of them, and where a check puts what it has to say. Tools fill it in.
type Pass struct {
	*exchange.Exchange

	// Saw is the set of facts that this pass has. A check runs only when it
	// has all that the check needs.
	Saw Needs
	Now time.Time

	Contract *contract.Contract // nil: not known
	Match    contract.Match
	// Input is what rules are evaluated on; its bodies are filled in as they
	// are read.
	Input contract.Input
	// Parameters are what the contract finds wrong with path, query, headers
	// and cookies.
	Parameters []contract.ParameterFault
	// TooLarge is true when the request's body is longer than guard reads.
	TooLarge bool

	// Challenge is the value of WWW-Authenticate that belongs to a 401.
	Challenge string
	// SecureURL is where the same request would be encrypted; empty when there
	// is no such place.
	SecureURL string
	// SessionCookie is the name of the cookie that carries a credential.
	SessionCookie string
	// Presented are the credentials found in the request, proved or not.
	Presented []exchange.Credential

	// LocalZones are names that the client's own network gives a meaning to,
	// with all below them, beside those of special use.
	LocalZones []string

	// OtherClient is true when the credential has just been seen with another
	// client than this one.
	OtherClient bool

	// Count takes one from the limit's budget for key and reports whether
	// there was one, and if not how long to wait. Nil: nothing is counted.
	Count func(l *contract.Limit, key string) (ok bool, wait time.Duration)
	// Object reads the object that the request is about. It returns the
	// status that the API answered with. Nil: it cannot be read.
	Object func() (object *contract.Facts, status int, err error)

	check   *Check
	Refusal *Refusal // the first refusal proposed
	Edits   []Edit   // repairs proposed for the response
	found   []exchange.Finding
}

// A Refusal is guard's answer instead of the API's.
type Refusal struct {
	Check  string
	Status int
	Header exchange.Header // such as Allow, Retry-After, WWW-Authenticate
	Rule   string          // place of the policy's line
	exchange.Evidence
}

// Run lets one check speak through one of its verbs.
func (p *Pass) Run(c *Check, verb func(*Pass)) {
	if verb == nil || c.Needs&^p.Saw != 0 {
		return
	}
	p.check = c
	verb(p)
}

// Findings returns what was found, and forgets it.
func (p *Pass) Findings() []exchange.Finding {
	f := p.found
	p.found = nil
	return f
}

// Find reports a flaw, confirmed by what is in this exchange.
func (p *Pass) Find(ev ...exchange.Evidence) { p.find(exchange.Confirmed, ev) }

// Suspect reports a flaw that this exchange alone makes likely.
func (p *Pass) Suspect(ev ...exchange.Evidence) { p.find(exchange.Likely, ev) }

func (p *Pass) find(v exchange.Verdict, ev []exchange.Evidence) {
	p.found = append(p.found, exchange.Finding{
		Check: p.check.ID, Severity: p.check.Severity, Verdict: v, Step: p.check.Step, Evidence: ev,
	})
}

// Refuse proposes to answer the client in the API's place. The first refusal
// stands.
func (p *Pass) Refuse(status int, ev exchange.Evidence, header ...exchange.Field) {
	p.RefuseBy("", status, ev, header...)
}

// RefuseBy is Refuse for the line of the policy that decided.
func (p *Pass) RefuseBy(place string, status int, ev exchange.Evidence, header ...exchange.Field) {
	if p.Refusal == nil {
		p.Refusal = &Refusal{Check: p.check.ID, Status: status, Header: header, Rule: place, Evidence: ev}
	}
}

// Repair proposes changes to the response. Guard applies all of them at once.
func (p *Pass) Repair(edits ...Edit) {
	for _, e := range edits {
		e.Check = p.check.ID
		p.Edits = append(p.Edits, e)
	}
}

// Operation is the contract's operation, or nil.
func (p *Pass) Operation() *contract.Operation { return p.Match.Operation }

// Caller is who was proved to speak, or nil.
func (p *Pass) Caller() *exchange.Caller { return p.Server.Caller }

// Credential is what was presented and decided on, or nil.
func (p *Pass) Credential() *exchange.Credential { return p.Server.Credential }

// RequestViolations are what the contract finds wrong with the request's body.
func (p *Pass) RequestViolations() []jsonscan.Violation { return violations(p.Input.Body) }

// ReplyViolations are what the contract finds wrong with the response's body.
func (p *Pass) ReplyViolations() []jsonscan.Violation { return violations(p.Input.Reply) }

func violations(f *contract.Facts) []jsonscan.Violation {
	if f == nil {
		return nil
	}
	return f.Result.Violations
}

// Success reports whether the response's status is 2xx.
func (p *Pass) Success() bool {
	return p.Response != nil && p.Response.Status >= 200 && p.Response.Status < 300
}

// Encrypted reports whether the request came over TLS.
func (p *Pass) Encrypted() bool { return p.TLS != nil && !p.TLS.Clear }

// LocalName reports whether the request's authority is this machine by name
// (RFC 6761, 6.3) or any address literal: browsers keep no HSTS for those
// (RFC 6797, 8.1.1), and nobody else is on the path to the first.
func (p *Pass) LocalName() bool {
	host := p.Request.Authority
	if strings.HasPrefix(host, "[") {
		return true
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	host = strings.TrimSuffix(host, ".")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	if n := len(host) - len(".localhost"); n > 0 && strings.EqualFold(host[n:], ".localhost") {
		return true
	}
	if host == "" || host[0] < '0' || host[0] > '9' {
		return false
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

// Unsafe reports whether the request's method promises a change.
func (p *Pass) Unsafe() bool {
	switch p.Request.Method {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return false
	}
	return true
}

// Evidence in the words of where it stands.

// Header is evidence about a header field.
func Header(name, says string) exchange.Evidence {
	return exchange.Evidence{Where: "header", Name: name, Says: says}
}

// Query is evidence about a query parameter.
func Query(name, says string) exchange.Evidence {
	return exchange.Evidence{Where: "query", Name: name, Says: says}
}

// Cookie is evidence about a cookie.
func Cookie(name, says string) exchange.Evidence {
	return exchange.Evidence{Where: "cookie", Name: name, Says: says}
}

// RequestBody is evidence about a place in the request's body.
func RequestBody(pointer, says string) exchange.Evidence {
	return exchange.Evidence{Where: "request body", Name: pointer, Says: says}
}

// ResponseBody is evidence about a place in the response's body.
func ResponseBody(pointer, says string) exchange.Evidence {
	return exchange.Evidence{Where: "response body", Name: pointer, Says: says}
}

// Status is evidence about the status code.
func Status(says string) exchange.Evidence {
	return exchange.Evidence{Where: "status", Says: says}
}

// CredentialSays is evidence about what was presented.
func CredentialSays(says string) exchange.Evidence {
	return exchange.Evidence{Where: "credential", Says: says}
}

// RuleSays is evidence by a rule of the policy.
func RuleSays(source, says string) exchange.Evidence {
	return exchange.Evidence{Where: "rule", Name: source, Says: says}
}
