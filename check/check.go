// Package check is what can go wrong: the catalogue, one flaw a file, and the
// oracles that prove it.
//
// A check is a value with up to four functions. Inspect judges a finished
// exchange, in every tool. Admit and Release enforce, in guard. Probe asks
// further questions, in scan. A nil function means that the check has nothing
// to say there. Checks open no socket, read no clock and keep no state: what
// they need is in the Pass.
package check

import (
	"strings"

	"github.com/parley-project/parley/exchange"
)

// A Check is one flaw: what it is, how it is seen and how it is stopped.
type Check struct {
	ID string // the file's name with dashes
	// Aliases are other words that people have for it, in lower case: "bola".
	Aliases []string
	Title   string // the flaw, as a clause: "response lets a browser fall back to plain HTTP"
	Doc     string // what it is and why it matters
	Fix     string // what to do about it, in the API
	// Remedy is an example of what parley.yaml says for guard to stop it. Empty:
	// guard needs no more than the API's description, or can only tell.
	Remedy string

	Step     exchange.Step
	Severity exchange.Severity
	OWASP    string // "API1:2023"
	CWE      int
	// Conversation lists the numbers of the conversation's facts it keeps.
	Conversation []int
	// Needs are the facts without which the check cannot judge. When one is
	// missing the outcome is unknown, never passed.
	Needs Needs
	// Implies names the checks whose findings follow from this one.
	Implies []string

	Inspect func(*Pass) // judge a finished exchange
	Admit   func(*Pass) // may this request go in?
	Release func(*Pass) // what must change before this response leaves?

	// Probe asks the API further questions, where what is seen proves nothing.
	// Only scan and proxy supply a Trial.
	Probe func(*Trial)
}

// Needs is a set of facts.
type Needs uint16

const (
	SawTransport Needs = 1 << iota // whether there was TLS
	SawBody                        // the request's body, scanned
	SawCaller                      // who speaks was asked
	SawContract                    // the API's promise is known
	SawResponse                    // status and headers of the response
	SawReply                       // the response's body, scanned
	SawAnswers                     // what resolvers answered
	SawTrust                       // the peer's chain, and what was made of it
	SawOffers                      // all that the server takes in TLS
	SawClient                      // what the client kept
)

// Severities under the names that checks use.
const (
	Info     = exchange.Info
	Low      = exchange.Low
	Medium   = exchange.Medium
	High     = exchange.High
	Critical = exchange.Critical
)

// ByID returns the check with an ID, or nil.
func ByID(id string) *Check { return byID[id] }

var byID = func() map[string]*Check {
	m := make(map[string]*Check, len(All))
	for _, c := range All {
		m[c.ID] = c
	}
	return m
}()

// Summary is the first sentence of the check's Doc.
func (c *Check) Summary() string {
	doc := strings.Join(strings.Fields(c.Doc), " ")
	if i := strings.Index(doc, ". "); i >= 0 {
		return doc[:i+1]
	}
	return doc
}

// Steps under the names that checks use.
const (
	StepDNS      = exchange.StepDNS
	StepTCP      = exchange.StepTCP
	StepTLS      = exchange.StepTLS
	StepRequest  = exchange.StepRequest
	StepServer   = exchange.StepServer
	StepResponse = exchange.StepResponse
	StepClient   = exchange.StepClient
)
