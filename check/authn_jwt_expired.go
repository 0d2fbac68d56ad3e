package check

import (
	"encoding/json"
)

// AuthnJWTExpired flags an API that believes a token whose time is over.
var AuthnJWTExpired = &Check{
	ID:    "authn-jwt-expired",
	Title: "a token whose time is over is believed",
	Doc: `Tokens leak: into logs, backups, a lost telephone. Their time is what bounds the
harm, as long as somebody looks at it.`,
	Fix:  "Require exp, check it and nbf on every request with at most a minute of leeway, and answer 401.",
	Step: StepServer, Severity: High, OWASP: "API2:2023", CWE: 613, Conversation: []int{11, 18, 24, 52},
	Needs: SawContract | SawCaller,

	Inspect: believed("is outside of its time", "expired", "not-yet"),
	Admit:   disbelieved("is outside of its time", "expired", "not-yet"),
	Probe: func(t *Trial) {
		t.mint("ended a day before it was issued, and the API answered", func(k *token, claims map[string]any) bool {
			issued, ok := claims["iat"].(json.Number)
			if !ok {
				issued, ok = claims["exp"].(json.Number)
			}
			at, err := issued.Int64()
			if !ok || err != nil || claims["exp"] == nil {
				return false
			}
			const day = 24 * 60 * 60
			for name, when := range map[string]int64{"iat": at - 8*day, "nbf": at - 8*day, "exp": at - 7*day} {
				if claims[name] != nil {
					claims[name] = when
				}
			}
			return true
		})
	},
}
