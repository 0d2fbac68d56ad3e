package exchange

import (
	"slices"
	"time"
)

// Subject names a person or program. It is a type of its own so that a user
// cannot stand in an order's place.
type Subject string

// A Caller is somebody who was proved to speak.
type Caller struct {
	Subject Subject  `json:"subject"`
	Roles   []string `json:"roles,omitempty"`
	Scopes  []string `json:"scopes,omitempty"`
	// Claims are those that the policy names; never the whole token.
	Claims map[string]any `json:"claims,omitempty"`
	// Name is what people call the caller, when the configuration says.
	Name string `json:"name,omitempty"`
}

// HasRole reports whether the caller has any of the roles. Nobody has none.
func (c *Caller) HasRole(roles ...string) bool {
	if c == nil {
		return false
	}
	for _, r := range roles {
		if slices.Contains(c.Roles, r) {
			return true
		}
	}
	return false
}

// A Credential is what a request presented to prove who speaks. The secret
// itself is not here.
type Credential struct {
	// Scheme is how it proves: "bearer", "cookie", "api-key", "basic".
	Scheme string `json:"scheme"`
	// Carrier is where it travelled: "header", "cookie", "query", "body".
	Carrier string `json:"carrier"`
	// Field is the header, cookie or parameter name.
	Field string `json:"field,omitempty"`
	// Fingerprint tells credentials apart without revealing them.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Verified is true when it was proved good.
	Verified bool `json:"verified"`
	// Problem says why it was not, in a fixed word such as "expired",
	// "signature", "unsigned", "algorithm", "audience", "issuer", "key", "kid",
	// "own-key", "malformed", "revoked", "unknown".
	Problem string    `json:"problem,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
}
