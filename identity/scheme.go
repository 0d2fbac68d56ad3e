package identity

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"time"
	"unsafe"

	"github.com/parley-project/parley/exchange"
)

// A Scheme is one way to prove who speaks.
type Scheme struct {
	Name string
	// Find returns what a request presents in this scheme.
	Find func(v *Verifier, r *exchange.Request) (Presented, bool)
	// Verify judges it. Its results are those of Verifier.Identify.
	Verify func(ctx context.Context, v *Verifier, p Presented, now time.Time) (*exchange.Caller, *exchange.Credential, error)
}

// Schemes are all that are known; the first that finds something decides.
var Schemes = []*Scheme{Bearer, Basic, Cookie, Key}

// Presented is a credential as a request carried it.
type Presented struct {
	Scheme  string
	Carrier string
	Field   string
	Value   Secret
	problem problem // why it need not be verified at all
}

// bad describes a credential that was not proved.
func (v *Verifier) bad(p Presented, why problem) *exchange.Credential {
	c := &exchange.Credential{Scheme: p.Scheme, Carrier: p.Carrier, Field: p.Field, Problem: string(why)}
	sum := digest(string(p.Value))
	if p.Scheme == "basic" {
		// A password is short: without the salt its hash would tell it.
		m := hmac.New(sha256.New, v.salt[:])
		m.Write([]byte(p.Value))
		sum = [32]byte(m.Sum(nil))
	}
	c.Fingerprint = fingerprint(&sum)
	return c
}

func newSalt() (salt [16]byte) {
	rand.Read(salt[:])
	return salt
}

// digest is SHA-256 of a string, without copying it.
func digest(s string) [32]byte {
	return sha256.Sum256(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// viewOf is data as a string, without copying it. It must not outlive data.
func viewOf(data []byte) string { return unsafe.String(unsafe.SliceData(data), len(data)) }
