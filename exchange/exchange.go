// Package exchange is one conversation, step by step: the only data model.
//
// An Exchange holds what was seen of one API call: name lookup, TCP, TLS,
// request, what the server made of it, response, and how long each phase took.
// It holds facts and no opinion, does no I/O, and is not changed once it has
// been handed to a Recorder. A nil step is one that was not seen: unknown,
// never absent.
package exchange

import "time"

// An Exchange is one request and what came of it.
type Exchange struct {
	ID     ID        `json:"id"`
	Source Source    `json:"source"`
	Side   Side      `json:"side,omitempty"`
	Start  time.Time `json:"start"`
	Links  []Link    `json:"links,omitempty"`

	DNS      *DNS      `json:"dns,omitempty"`
	TCP      *TCP      `json:"tcp,omitempty"`
	TLS      *TLS      `json:"tls,omitempty"`
	Request  Request   `json:"request"`
	Server   Server    `json:"server"`
	Response *Response `json:"response,omitempty"`
	Client   *Client   `json:"client,omitempty"`
	Times    Times     `json:"times"`

	// Failure says in plain words why there is no response, or why it
	// broke off. Empty when the exchange came to its end.
	Failure string `json:"failure,omitempty"`
	// FailedAt is the step at which it did, when that is known.
	FailedAt Step `json:"failed_at,omitzero"`

	// Findings are what checks said of this exchange.
	Findings []Finding `json:"findings,omitempty"`
	// Actions are what guard did to it, or in report mode would have done.
	Actions []Action `json:"actions,omitempty"`
}

// A Recorder keeps exchanges. Record may wait for room but never drops one;
// the exchange belongs to the recorder afterwards. Two that are linked may share
// header lines and bodies: what a recorder does to one must be good for both.
// It must be safe for concurrent use.
type Recorder interface {
	Record(*Exchange)
}

// Source is the part that saw the exchange.
type Source string

const (
	FromGuard  Source = "guard"
	FromProxy  Source = "proxy"
	FromScan   Source = "scan"
	FromTrace  Source = "trace"
	FromCall   Source = "call"
	FromSniff  Source = "sniff"
	FromImport Source = "import"
)

// Side says which of the two conversations of an intermediary this is.
type Side string

const (
	ClientSide   Side = "client"   // between the client and us
	UpstreamSide Side = "upstream" // between us and the API
)

// A Link names an earlier exchange that this one has to do with.
type Link struct {
	Kind LinkKind `json:"kind"`
	ID   ID       `json:"id"`
}

// LinkKind says what this exchange is to the one it names.
type LinkKind string

const (
	Forwarded LinkKind = "forwarded" // the upstream's side of it
	Preread   LinkKind = "preread"   // guard's look at the object before deciding on it
	Probe     LinkKind = "probe"     // a scan's question about it
	Control   LinkKind = "control"   // what makes a probe's answer mean something
	Replay    LinkKind = "replay"    // the same request sent again
	Redirect  LinkKind = "redirect"  // where its answer pointed
	Retry     LinkKind = "retry"     // another attempt
	Edited    LinkKind = "edited"    // the message after somebody changed it
	Compared  LinkKind = "compared"  // the same attack on the other address
)
