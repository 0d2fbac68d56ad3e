package check

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// AuthnInvalid flags an API that believes a credential which proves nothing.
var AuthnInvalid = &Check{
	ID:    "authn-invalid",
	Title: "a credential that proves nothing is believed",
	Doc: `A forged or revoked credential must be worth as little as none: a wrong
signature, a key for programs that nobody gave out, a token that was taken back,
a scheme that is not in use. What is wrong in a way of its own has a check of its
own.`,
	Fix: "Verify the signature of each token and look up each key, and answer 401 when one fails.",
	Remedy: `identity:
  jwt:
    issuer: https://login.example
    audience: shop
    keys: jwks.json
    algorithms: [ES256]`,
	Step: StepServer, Severity: Critical, OWASP: "API2:2023", CWE: 287, Conversation: []int{11, 15, 24, 52},
	Needs: SawContract | SawCaller,
	// Who looks at no signature believes all that a forged token says.
	Implies: []string{"authn-jwt-none", "authn-jwt-algorithm", "authn-jwt-kid", "authn-jwt-header", "authn-jwt-key"},

	Inspect: func(p *Pass) {
		if c := p.Credential(); judgedBad(p) && p.Success() {
			p.Find(CredentialSays(c.Problem + ", and the API answered"))
		}
	},
	Admit: func(p *Pass) {
		if c := p.Credential(); judgedBad(p) {
			p.Refuse(http.StatusUnauthorized, CredentialSays(c.Problem), challenge(p))
		}
	},
	Probe: func(t *Trial) {
		seen := map[string]bool{}
		for _, p := range append([]*Person{t.Victim}, t.People...) {
			if p == nil || p.Token == "" {
				continue
			}
			k := parseToken(secretOf(p))
			kind := strings.ToLower(p.Field) + " " + strconv.FormatBool(k != nil)
			if seen[kind] {
				continue
			}
			pl := t.place(p)
			if pl == nil {
				continue
			}
			if seen[kind] = true; k == nil {
				believesOpaque(t, pl)
			} else if !believesUnsigned(t, pl, k) {
				believesGuessed(t, pl, k)
			}
		}
	},
}

// judgedBad reports a bad credential that no other check speaks of.
func judgedBad(p *Pass) bool {
	c := p.Credential()
	if c == nil || c.Verified || c.Carrier == "query" || !needsCaller(p) {
		return false
	}
	switch c.Problem {
	case "unsigned", "algorithm", "key", "kid", "own-key", "expired", "not-yet", "issuer", "audience":
		return false
	}
	return true
}

// believed is the Inspect of a credential that is bad in one way.
func believed(says string, problems ...string) func(*Pass) {
	return func(p *Pass) {
		if presents(p, problems) && p.Success() {
			p.Find(CredentialSays(says + ", and the API answered"))
		}
	}
}

// disbelieved is its Admit.
func disbelieved(says string, problems ...string) func(*Pass) {
	return func(p *Pass) {
		if presents(p, problems) {
			p.Refuse(http.StatusUnauthorized, CredentialSays(says), challenge(p))
		}
	}
}

func presents(p *Pass, problems []string) bool {
	c := p.Credential()
	return c != nil && !c.Verified && slices.Contains(problems, c.Problem) && needsCaller(p)
}

// believesUnsigned reports a token that is believed whoever signed it, or nobody.
func believesUnsigned(t *Trial, pl *place, k *token) bool {
	if !pl.refusesForged(t, k) {
		if pl.refusesRandom(t) {
			pl.report(t, "is the person's own with somebody else's signature, and the API answered", pl.forged, pl.random)
		}
		return true
	}
	if x := pl.show(t, k.signed(nil, nil)); pl.believes(x) && pl.refusesRandom(t) {
		pl.report(t, "is the person's own with an empty signature, and the API answered", x, pl.random, pl.forged)
		return true
	}
	return false
}

// believesGuessed reports a token whose secret is one that anybody tries first.
// It is found out without asking; one request proves it.
func believesGuessed(t *Trial, pl *place, k *token) {
	secret, ok := k.guess()
	if !ok {
		return
	}
	x := pl.show(t, k.signed(secretSigner(k.alg, []byte(secret)), map[string]any{"x": t.Mark()}))
	if pl.believes(x) && pl.refusesRandom(t) {
		pl.report(t, "is signed with a secret that anybody guesses, and the API answered", x, pl.forged)
	}
}

// believesOpaque reports keys and tokens of no meaning that are believed without
// being looked up.
func believesOpaque(t *Trial, pl *place) {
	own := secretOf(pl.person)
	if len(own) < 8 {
		return
	}
	if !pl.refusesRandom(t) {
		pl.report(t, "is no key that anybody was given, and the API answered", pl.random)
		return
	}
	half := own[:len(own)/2] + turned(own[len(own)/2:])
	if x := pl.show(t, half); pl.believes(x) {
		pl.report(t, "is the person's own with another second half, and the API answered", x, pl.random)
	}
}

// turned is a text of the same form with every letter and digit another one:
// also where upper and lower case are alike, or letters beyond f not allowed.
func turned(s string) string {
	b := []byte(s)
	for i, c := range b {
		switch {
		case '0' <= c && c <= '9':
			b[i] = '0' + (c-'0'+5)%10
		case 'a' <= c && c <= 'f':
			b[i] = 'a' + (c-'a'+3)%6
		case 'A' <= c && c <= 'F':
			b[i] = 'A' + (c-'A'+3)%6
		case 'g' <= c && c <= 'z':
			b[i] = 'g' + (c-'g'+10)%20
		case 'G' <= c && c <= 'Z':
			b[i] = 'G' + (c-'G'+10)%20
		}
	}
	return string(b)
}
