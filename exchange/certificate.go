package exchange

import "time"

// A Certificate is what is known of one that a peer sent (RFC 5280).
type Certificate struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Serial    string    `json:"serial,omitempty"` // hex
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
	Names     []string  `json:"names,omitempty"`     // subjectAltName: DNS names and addresses
	Key       string    `json:"key,omitempty"`       // "ECDSA P-256", "RSA 2048", "Ed25519"
	Signature string    `json:"signature,omitempty"` // "ECDSA-SHA256"
	CA        bool      `json:"ca,omitempty"`
	SHA256    string    `json:"sha256,omitempty"` // of the DER bytes, in hex
	// PinSHA256 is the base64 SHA-256 of the public key's SPKI (RFC 7469, 2.4).
	PinSHA256 string `json:"pin_sha256,omitempty"`
	// DER is the certificate itself.
	DER []byte `json:"der,omitempty"`
}

// Trust is what was made of a chain for a name at a time.
type Trust struct {
	// Verified is true when a path leads to a root that is trusted, and every
	// certificate on it was good for the name.
	Verified bool `json:"verified"`
	// Path is the subjects from the peer's certificate to the root. For a chain
	// that did not verify it is as far as it leads.
	Path []string `json:"path,omitempty"`
	// Problems are all that was wrong, those that prevent trust first.
	Problems []TrustProblem `json:"problems,omitempty"`
	// Repaired is true when Verified needed a certificate that the peer did not
	// send and that was fetched from where its child points (AIA).
	Repaired bool `json:"repaired,omitempty"`
}

// A TrustProblem is one thing wrong with a chain.
type TrustProblem struct {
	// Kind is one of the words of internal/diagnose: "expired", "name",
	// "self-signed", "unknown-root", "missing-intermediate", and so on.
	Kind string `json:"kind"`
	// Certificate is its index in the chain as sent; -1 for the chain.
	Certificate int `json:"certificate"`
	// Fatal is true when it prevents trust.
	Fatal bool `json:"fatal"`
	// Says explains it in a sentence, Fix what to do about it.
	Says string `json:"says"`
	Fix  string `json:"fix,omitempty"`
}

// Offers is what a TLS server takes, found by asking for everything.
type Offers struct {
	Versions []Offer `json:"versions"` // newest first
	// ALPN are the protocols it chose when each was offered alone.
	ALPN []string `json:"alpn,omitempty"`
	// Features are what its hellos showed: "extended-master-secret",
	// "secure-renegotiation", "fallback-scsv", "compression".
	Features []string `json:"features,omitempty"`
	// HTTP3 is what came of trying the place that the answer's Alt-Svc names;
	// nil when none was named or tried.
	HTTP3       *HTTP3        `json:"http3,omitempty"`
	Connections int           `json:"connections"`
	Time        time.Duration `json:"time,omitempty"` // nanoseconds
	// Incomplete says why the list may lack something; empty when it does not.
	Incomplete string `json:"incomplete,omitempty"`
}

// HTTP3 is what came of a QUIC handshake with a place that is said to speak
// HTTP/3.
type HTTP3 struct {
	At string `json:"at"` // host and port
	// Failure says why there was no handshake; empty when there was one.
	Failure string `json:"failure,omitempty"`
}

// An Offer is what is taken in one protocol version.
type Offer struct {
	Version string   `json:"version"` // "TLS 1.2", "SSL 3.0"
	Suites  []string `json:"suites"`  // IANA names, in the server's order if it has one
	// ServerOrder is true when the server chooses by its own order.
	ServerOrder bool     `json:"server_order,omitempty"`
	Groups      []string `json:"groups,omitempty"` // key exchange groups, IANA names
}
