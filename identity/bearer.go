package identity

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// Bearer is a JWT in the Authorization field (RFC 6750). It also answers for
// all other schemes in that field but Basic: they are found and not accepted.
var Bearer = &Scheme{
	Name: "bearer",
	Find: func(v *Verifier, r *exchange.Request) (Presented, bool) {
		scheme, value, n := authorization(r)
		p := Presented{Scheme: "bearer", Carrier: "header", Field: "Authorization", Value: Secret(value)}
		switch {
		case n == 0 || n == 1 && strings.EqualFold(scheme, "basic"):
			return p, false
		case n > 1:
			p.problem = malformed
		case !strings.EqualFold(scheme, "bearer"):
			p.Scheme, p.problem = "unknown", unsupported
			if value == "" { // a bare secret
				p.Value = Secret(scheme)
			}
		case v.c.JWT == nil:
			p.problem = unsupported
		}
		return p, true
	},
	Verify: verifyToken,
}

// authorization takes the Authorization field apart and counts how often it
// is there.
func authorization(r *exchange.Request) (scheme, value string, n int) {
	for i := range r.Header {
		f := &r.Header[i]
		if len(f.Name) != len("Authorization") || !strings.EqualFold(f.Name, "Authorization") {
			continue
		}
		if n++; n == 1 {
			scheme, value, _ = strings.Cut(strings.Trim(f.Value, " \t"), " ")
			value = strings.TrimLeft(value, " ")
		}
	}
	return scheme, value, n
}

// verifyToken judges a JWT, wherever it came from.
func verifyToken(ctx context.Context, v *Verifier, p Presented, now time.Time) (*exchange.Caller, *exchange.Credential, error) {
	token := string(p.Value)
	if len(token) > maxToken {
		return nil, v.bad(p, malformed), nil
	}
	sum, nano := digest(token), now.UnixNano()
	e := v.cache.get(&sum, nano)
	if e == nil {
		var err error
		if e, err = v.prove(ctx, token, now); err != nil {
			if why, ok := err.(problem); ok {
				return nil, v.bad(p, why), nil
			}
			return nil, v.bad(p, ""), fmt.Errorf("identity: %w", err)
		}
		e.fingerprint = fingerprint(&sum)
		v.cache.put(&sum, e, nano)
	}
	c := &exchange.Credential{Scheme: p.Scheme, Carrier: p.Carrier, Field: p.Field,
		Fingerprint: e.fingerprint, Expires: e.expires}
	if v.revoked.Load().has(e.id, e.fingerprint) {
		c.Problem = string(revoked)
		return nil, c, nil
	}
	c.Verified = true
	return e.caller, c, nil
}

// prove judges a token that is not remembered.
func (v *Verifier) prove(ctx context.Context, token string, now time.Time) (*entry, error) {
	t, err := parseJWS(token, v.allowed)
	if err != nil {
		return nil, err
	}
	k, err := v.keys.key(ctx, t, now)
	if err != nil {
		return nil, t.blame(err)
	}
	if err := t.verify(k); err != nil {
		return nil, t.blame(err)
	}
	verdict, err := v.c.judge(t.payload, now)
	if err != nil {
		return nil, err
	}
	dies := now.Add(verdictTTL)
	if verdict.until.Before(dies) {
		dies = verdict.until
	}
	e := &entry{caller: verdict.caller, key: k, id: verdict.id, expires: verdict.expires, dies: dies.UnixNano()}
	if !verdict.from.IsZero() {
		e.from = verdict.from.UnixNano()
	}
	return e, nil
}
