package check

import (
	"strings"
)

// AuthnJWTKid flags an API that uses the key name of a token as a path or a query.
var AuthnJWTKid = &Check{
	ID:    "authn-jwt-kid",
	Title: "a token's key name is used as a path or a query",
	Doc: `The kid of a token is text that anybody wrote. An API that opens the file or
runs the query that it spells can be led to a key that the attacker knows: an
empty file, a constant in a UNION.`,
	Fix:  "Look kid up in the list of known keys by comparison, and in nothing else (RFC 8725, 3.10).",
	Step: StepServer, Severity: Critical, OWASP: "API2:2023", CWE: 20, Conversation: []int{11, 52},
	Needs: SawContract | SawCaller,

	Inspect: believed("names its key with a path or a query", "kid"),
	Admit:   disbelieved("names its key with a path or a query", "kid"),
	Probe: func(t *Trial) {
		alg := func(k *token) string {
			if k.secret() {
				return k.alg
			}
			return "HS256"
		}
		up := strings.Repeat("../", 12) // more than any directory is deep: the root is above itself
		t.forge("names an empty file as its key, and the API answered", func(k *token) (all []string) {
			for _, kid := range []string{up + "dev/null", "/dev/null", "../../dev/null"} {
				all = append(all, k.signed(secretSigner(alg(k), nil), map[string]any{"kid": kid}))
			}
			return all
		}, func(k *token) string { // a file that is not there
			return k.signed(secretSigner(alg(k), nil), map[string]any{"kid": up + "dev/" + t.Mark()})
		})
		secret := t.Mark()
		union := func(says string) map[string]any {
			return map[string]any{"kid": t.Mark() + "' UNION SELECT '" + says}
		}
		t.forge("names its key with a query that makes one up, and the API answered", func(k *token) []string {
			return []string{k.signed(secretSigner(alg(k), []byte(secret)), union(secret))}
		}, func(k *token) string { return k.signed(secretSigner(alg(k), []byte(secret)), union(t.Mark())) })
	},
}
