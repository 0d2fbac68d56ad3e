package exchange

import (
	"net/netip"
	"time"
)

// Step is one of the seven parts of a call.
type Step int

const (
	StepDNS Step = iota + 1
	StepTCP
	StepTLS
	StepRequest
	StepServer
	StepResponse
	StepClient
)

// Steps lists the seven in the order of a call.
var Steps = []Step{StepDNS, StepTCP, StepTLS, StepRequest, StepServer, StepResponse, StepClient}

var stepNames = [...]string{"", "dns", "tcp", "tls", "request", "server", "response", "client"}

// String returns the step's name in lower case, as JSON has it.
func (s Step) String() string {
	if s < 1 || int(s) >= len(stepNames) {
		return "unknown"
	}
	return stepNames[s]
}

// MarshalText writes the step's name.
func (s Step) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a step's name.
func (s *Step) UnmarshalText(b []byte) error {
	for i, n := range stepNames {
		if i > 0 && n == string(b) {
			*s = Step(i)
			return nil
		}
	}
	return &UnknownNameError{What: "step", Name: string(b)}
}

// DNS is step 1: how the name became an address.
type DNS struct {
	Name      string       `json:"name"`
	Resolver  string       `json:"resolver,omitempty"` // who gave Addresses: "system", "hosts", "given", "local" (localhost), or a resolver's name
	Addresses []netip.Addr `json:"addresses,omitempty"`
	TTL       uint32       `json:"ttl,omitempty"` // seconds; 0 when it was not told
	// Answers are what resolvers said, question by question, for a tool that
	// asked them itself.
	Answers []Answer `json:"answers,omitempty"`
	// Failure says why there is no address.
	Failure string `json:"failure,omitempty"`
}

// An Answer is what one resolver said to one question.
type Answer struct {
	Resolver string `json:"resolver"`           // its name: "system", or as the person named it
	Server   string `json:"server,omitempty"`   // the address or URL that was asked
	Protocol string `json:"protocol,omitempty"` // "system", "udp", "tcp", "dot", "doh"
	Name     string `json:"name"`
	Type     string `json:"type"`            // "A", "AAAA", "CNAME", "HTTPS", "CAA"
	RCode    string `json:"rcode,omitempty"` // "NOERROR", "NXDOMAIN", "SERVFAIL"
	// Records are the data of the answer's records of that type, in the form of
	// a zone file.
	Records []string `json:"records,omitempty"`
	// Aliases are the names that CNAME records led through.
	Aliases []string `json:"aliases,omitempty"`
	TTL     uint32   `json:"ttl,omitempty"` // seconds, the least of the records
	// Authenticated is the AD bit: the resolver says that it validated.
	Authenticated bool `json:"authenticated,omitempty"`
	// Signed is true when RRSIG records came with the answer.
	Signed bool `json:"signed,omitempty"`
	// Stray counts datagrams that came for the question and do not belong to
	// it: somebody who could not see it may have guessed.
	Stray   int           `json:"stray,omitempty"`
	Time    time.Duration `json:"time,omitempty"` // nanoseconds
	Failure string        `json:"failure,omitempty"`
}

// TCP is step 2: the connection's two ends. For HTTP/3 it is UDP.
type TCP struct {
	Local  netip.AddrPort `json:"local,omitzero"`
	Remote netip.AddrPort `json:"remote,omitzero"`
	Reused bool           `json:"reused,omitempty"`
	// Attempts are all addresses that were tried, for a tool that knows them.
	Attempts []Attempt `json:"attempts,omitempty"`
	// Proxy is the URL of the proxy that was gone through, without credentials.
	Proxy string `json:"proxy,omitempty"`
}

// An Attempt is one try to connect.
type Attempt struct {
	Remote  netip.AddrPort `json:"remote"`
	Time    time.Duration  `json:"time,omitempty"` // nanoseconds
	Failure string         `json:"failure,omitempty"`
}

// TLS is step 3. A nil TLS with a nil TCP means unknown; use Clear for a
// connection that was seen to be plain.
type TLS struct {
	// Clear is true when the connection was seen to carry no TLS. The other
	// fields are then empty.
	Clear      bool      `json:"clear,omitempty"`
	Version    string    `json:"version,omitempty"` // "TLS 1.3"
	Suite      string    `json:"suite,omitempty"`   // IANA name
	Group      string    `json:"group,omitempty"`   // "X25519MLKEM768"
	ALPN       string    `json:"alpn,omitempty"`
	ServerName string    `json:"server_name,omitempty"`
	Resumed    bool      `json:"resumed,omitempty"`
	EarlyData  bool      `json:"early_data,omitempty"`
	PeerName   string    `json:"peer_name,omitempty"`  // subject of the peer's leaf certificate
	PeerExpiry time.Time `json:"peer_expiry,omitzero"` // its notAfter

	// Chain is what the peer sent, its own certificate first.
	Chain []Certificate `json:"chain,omitempty"`
	// Trust is what was made of the chain; nil when nobody judged it.
	Trust *Trust `json:"trust,omitempty"`
	// Asked is true when the peer asked for a client certificate.
	Asked bool `json:"asked,omitempty"`
	// Shown is true when it was shown one.
	Shown bool `json:"shown,omitempty"`
	// SCTs counts the signed certificate timestamps, Stapled says that an OCSP
	// response came with the certificate.
	SCTs    int  `json:"scts,omitempty"`
	Stapled bool `json:"stapled,omitempty"`
	// Offers is what the peer takes beside what was agreed on; nil when nobody
	// tried.
	Offers *Offers `json:"offers,omitempty"`
	// Failure says why the handshake broke off.
	Failure string `json:"failure,omitempty"`
}

// Fidelity says how close a message's header fields are to the bytes sent.
type Fidelity string

const (
	OnTheWire Fidelity = "wire"      // names, case and order as they were sent
	Canonical Fidelity = "canonical" // names canonicalised, order lost
)

// Request is step 4, in the words of RFC 9110.
type Request struct {
	Method    string   `json:"method"`
	Scheme    string   `json:"scheme"`    // "http" or "https"
	Authority string   `json:"authority"` // host and port as the client named them
	Target    string   `json:"target"`    // path and query as sent, undecoded
	Proto     string   `json:"proto"`     // "HTTP/1.1", "HTTP/2.0", "HTTP/3.0"
	Header    Header   `json:"header,omitempty"`
	Fidelity  Fidelity `json:"fidelity,omitempty"`
	Body      Body     `json:"body,omitzero"`
}

// URL returns the absolute URI of the request's target.
func (r *Request) URL() string { return r.Scheme + "://" + r.Authority + r.Target }

// Path returns the target without its query.
func (r *Request) Path() string {
	for i := 0; i < len(r.Target); i++ {
		if r.Target[i] == '?' {
			return r.Target[:i]
		}
	}
	return r.Target
}

// Query returns the raw query of the target, without the question mark.
func (r *Request) Query() string {
	for i := 0; i < len(r.Target); i++ {
		if r.Target[i] == '?' {
			return r.Target[i+1:]
		}
	}
	return ""
}

// Server is step 5: what is known of who asked and how it was decided.
type Server struct {
	// Caller is who was proved to speak; nil when nobody was.
	Caller *Caller `json:"caller,omitempty"`
	// Credential is what was presented, proved or not; nil when nothing was.
	Credential *Credential `json:"credential,omitempty"`
	// Operation is the contract's name of what was asked for, such as
	// "GET /v1/orders/{id}". Empty when the contract has none.
	Operation string `json:"operation,omitempty"`
	// Mode is guard's mode at the time: "enforce" or "report".
	Mode string `json:"mode,omitempty"`
	// Timing is what the server told of its own work (Server-Timing).
	Timing []Timing `json:"timing,omitempty"`
}

// A Timing is one entry of a Server-Timing field.
type Timing struct {
	Name     string        `json:"name"`
	Duration time.Duration `json:"duration,omitempty"` // nanoseconds
	Says     string        `json:"says,omitempty"`     // its desc
}

// Response is step 6, in the words of RFC 9110.
type Response struct {
	Status   int      `json:"status"`
	Proto    string   `json:"proto,omitempty"`
	Header   Header   `json:"header,omitempty"`
	Trailer  Header   `json:"trailer,omitempty"`
	Fidelity Fidelity `json:"fidelity,omitempty"`
	Body     Body     `json:"body,omitzero"`
	// Interim are the 1xx statuses that came before.
	Interim []int `json:"interim,omitempty"`
}

// A Body is what was seen of a message's content.
type Body struct {
	// Size is the number of bytes of the whole content.
	Size int64 `json:"size"`
	// Data is its beginning, as much as the tool keeps.
	Data []byte `json:"data,omitempty"`
}

// Complete reports whether Data is the whole body.
func (b Body) Complete() bool { return int64(len(b.Data)) == b.Size }

// IsZero reports whether there is no body.
func (b Body) IsZero() bool { return b.Size == 0 && len(b.Data) == 0 }

// Times are the phases of the call in the terms of HAR 1.2; those that did not
// happen, or were not seen, are zero.
type Times struct {
	Blocked time.Duration `json:"blocked,omitempty"` // nanoseconds, as all of these: waiting for a connection
	DNS     time.Duration `json:"dns,omitempty"`
	Connect time.Duration `json:"connect,omitempty"` // TCP, and TLS as HAR counts it
	TLS     time.Duration `json:"tls,omitempty"`
	Send    time.Duration `json:"send,omitempty"`
	Wait    time.Duration `json:"wait,omitempty"`
	Receive time.Duration `json:"receive,omitempty"`
	Decide  time.Duration `json:"decide,omitempty"` // guard's own work, both ways
	Total   time.Duration `json:"total,omitempty"`
}
