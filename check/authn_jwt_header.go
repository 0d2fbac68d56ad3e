package check

import (
	"maps"

	"github.com/parley-project/parley/exchange"
)

// AuthnJWTHeader flags an API that verifies a token with the key that it brings along.
var AuthnJWTHeader = &Check{
	ID:    "authn-jwt-header",
	Title: "a token is verified with the key that it brings along",
	Doc: `A token may carry a key (jwk, x5c) or an address to fetch one from (jku, x5u).
An API that uses either lets every token prove itself, and one that fetches can
be sent to addresses inside.`,
	Fix:  "Ignore jwk, jku, x5c and x5u, or compare them with a fixed list; take keys from the issuer alone (RFC 8725, 3.10).",
	Step: StepServer, Severity: Critical, OWASP: "API2:2023", CWE: 347, Conversation: []int{11, 52},
	Needs: SawContract | SawCaller,

	Inspect: believed("brings its own key", "own-key"),
	Admit:   disbelieved("brings its own key", "own-key"),
	Probe: func(t *Trial) {
		strange := t.Mark()
		for _, named := range []bool{false, true} { // under a name of its own, or the name that is known
			head := func(k *token) map[string]any {
				jwk := map[string]any{"kid": strange, "use": "sig", "alg": t.ownKey(k.alg).alg}
				if maps.Copy(jwk, t.ownKey(k.alg).public); named {
					jwk["kid"] = k.kid
				}
				return map[string]any{"kid": jwk["kid"], "jwk": jwk}
			}
			if t.forge("is signed with the key that it brings along, and the API answered", func(k *token) []string {
				if t.ownKey(k.alg).public == nil {
					return nil
				}
				return []string{k.signed(t.ownKey(k.alg), head(k))}
			}, func(k *token) string { // signed with another key than the one in it
				return k.signed(t.freshKey(k.alg), head(k))
			}) {
				break
			}
		}
		fetchesKeys(t, strange)
	},
}

// fetchesKeys shows tokens that say where their keys are: at a place of ours.
// Whoever asks there would believe what it finds.
func fetchesKeys(t *Trial, kid string) {
	pl, k := t.bearer()
	if pl == nil || t.Listener == "" || t.Heard == nil {
		return
	}
	var paths [2]string
	var answers [2]*exchange.Exchange
	members := [2]string{"jku", "x5u"}
	for i, member := range members {
		paths[i] = "/" + t.Mark()
		answers[i] = pl.show(t, k.signed(t.ownKey(k.alg), map[string]any{"kid": kid, member: t.Listener + paths[i]}))
	}
	for i, member := range members {
		if StatusOf(answers[i]) != 0 && (i == 0 && t.heard(paths[i]) || t.Heard(paths[i])) {
			pl.report(t, "says with "+member+" where its key is, and the API asked there", answers[i])
			return
		}
	}
}
