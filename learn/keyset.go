package learn

import (
	"bytes"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// Whoever can make an API answer with a JWK Set of their own, such as one that
// gives back what it was sent, must not become who signs its tokens. So a set is
// believed only where APIs publish theirs, and only when there is one such place.

// keySets are the sets that passed by, one for each scheme, host and path.
type keySets map[string][]byte

// maxKeyPlaces bounds them. With a second one that says something else none is
// believed, so that more tell nothing.
const maxKeyPlaces = 8

// keyPlaces are how paths end at which keys are published.
var keyPlaces = []string{"/jwks.json", "/jwks", "/.well-known/keys", "/openid-connect/certs", "/oauth2/v3/certs", "/oauth2/certs", "/discovery/keys", "/discovery/v2.0/keys"}

// publishes notes a set that an answer publishes.
func (l *Learner) publishes(x *exchange.Exchange, status int, reply any) {
	q := &x.Request
	if q.Method != "GET" || status != 200 || !isKeySet(reply) || len(x.Response.Body.Data) > 64<<10 {
		return
	}
	path := q.Path()
	if !slices.ContainsFunc(keyPlaces, func(end string) bool { return strings.HasSuffix(path, end) }) {
		return
	}
	data, ok := plainBody(x.Response)
	if !ok {
		return
	}
	at := q.Scheme + "://" + q.Authority + path
	if l.keySets == nil {
		l.keySets = keySets{}
	}
	if had := l.keySets[at]; had == nil && len(l.keySets) < maxKeyPlaces || had != nil && bytes.Compare(data, had) < 0 {
		l.keySets[at] = bytes.Clone(data)
	}
}

// isKeySet reports whether a value is a JWK Set of public keys (RFC 7517, 5).
func isKeySet(v any) bool {
	o, _ := v.(map[string]any)
	keys, _ := o["keys"].([]any)
	for _, k := range keys {
		key, _ := k.(map[string]any)
		if key["kty"] == nil || key["d"] != nil || key["k"] != nil {
			return false
		}
	}
	return len(keys) > 0
}

// KeySet is the JWK Set that was published, or nil: there was none, or there were
// two and nobody knows which is the issuer's.
func (l *Learner) KeySet() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.keySets.one())
}

func (k keySets) one() (set []byte) {
	for _, s := range k {
		if set != nil && !bytes.Equal(s, set) {
			return nil
		}
		set = s
	}
	return set
}
