package identity

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
)

// maxToken is the longest token that is looked at.
const maxToken = 16 << 10

// A problem is why a credential is no good, in a fixed word. Only these words
// go into Credential.Problem; none reveals the token.
type problem string

const (
	malformed   problem = "malformed"   // not a compact JWS, or given twice
	unsigned    problem = "unsigned"    // says that nobody signed it
	wrongAlg    problem = "algorithm"   // not one of those configured, or not the key's
	wrongKey    problem = "key"         // no key, or not exactly one
	wrongKid    problem = "kid"         // no key, and its name is a path or a query
	ownKey      problem = "own-key"     // no such key or signature, and it brings one along
	signature   problem = "signature"   // does not verify
	expired     problem = "expired"     // its time is over
	notYet      problem = "not-yet"     // its time has not begun
	issuer      problem = "issuer"      // somebody else's
	audience    problem = "audience"    // for somebody else
	noSubject   problem = "subject"     // says not who, or not in the form configured
	revoked     problem = "revoked"     // taken back
	unknown     problem = "unknown"     // no such API key
	ambiguous   problem = "ambiguous"   // two cookies or keys of one name
	inQuery     problem = "query"       // travelled in a URL
	inBody      problem = "body"        // travelled in a form
	unsupported problem = "unsupported" // a scheme that is not configured
)

func (p problem) Error() string { return "identity: " + string(p) }

var strictBase64 = base64.RawURLEncoding.Strict()

// decodeBase64 is strict: no padding, no character outside the alphabet (the
// library skips line breaks), no bits left over.
func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("line break")
	}
	return strictBase64.DecodeString(s)
}

// A jws is a token whose outer form is sound. Nothing in it is proved yet.
type jws struct {
	alg     *algorithm
	kid     string
	hasKid  bool
	brings  bool   // a key of its own, or an address to get one from
	signed  string // what the signature covers
	payload []byte
	sig     []byte
}

// parseJWS takes a compact serialisation apart (RFC 7515, 7.1) and refuses
// everything that two readers could see differently. allowed are the
// algorithms that the configuration lists; what the token says never adds one.
func parseJWS(token string, allowed []*algorithm) (*jws, error) {
	if len(token) > maxToken {
		return nil, malformed
	}
	head, rest, ok := strings.Cut(token, ".")
	body, sig, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 || head == "" || strings.Contains(sig, ".") {
		return nil, malformed
	}
	t := &jws{signed: token[:len(head)+1+len(body)]}
	raw, err := decodeBase64(head)
	if err != nil {
		return nil, malformed
	}
	if t.payload, err = decodeBase64(body); err != nil {
		return nil, malformed
	}
	if t.sig, err = decodeBase64(sig); err != nil {
		return nil, malformed
	}
	h, err := object(raw)
	if err != nil {
		return nil, malformed
	}
	err = t.header(h, allowed)
	if sig == "" && err != unsigned {
		err = malformed
	}
	return t, err
}

// header reads what the protected header says. jku, jwk, x5u and x5c are not
// looked at: a token does not choose the key that proves it.
func (t *jws) header(h map[string]any, allowed []*algorithm) error {
	for _, name := range []string{"crit", "enc", "zip"} {
		if _, ok := h[name]; ok {
			return malformed
		}
	}
	if v, ok := h["b64"]; ok && v != true {
		return malformed
	}
	typ, ok, err := text(h, "typ")
	if err != nil || ok && !tokenType(typ) {
		return malformed
	}
	alg, ok, err := text(h, "alg")
	if err != nil || !ok {
		return malformed
	}
	if t.kid, t.hasKid, err = text(h, "kid"); err != nil {
		return malformed
	}
	for _, name := range []string{"jwk", "jku", "x5c", "x5u"} {
		if _, ok := h[name]; ok {
			t.brings = true
		}
	}
	i := slices.IndexFunc(allowed, func(a *algorithm) bool { return a.name == alg })
	if i < 0 && strings.EqualFold(alg, "none") {
		return unsigned
	}
	if i < 0 && t.hasKid && odd(t.kid) {
		return wrongKid
	}
	if i < 0 {
		return wrongAlg
	}
	t.alg = allowed[i]
	return nil
}

// blame names what is peculiar to a token whose key or signature was no good.
// It decides nothing: the token is refused in any case.
func (t *jws) blame(err error) error {
	switch {
	case err != wrongKey && err != signature:
	case t.brings:
		return ownKey
	case err == wrongKey && t.hasKid && odd(t.kid):
		return wrongKid
	}
	return err
}

// odd reports whether the name of a key is more likely meant for a file system
// or a database: none of ours has such a name, or it would have been found.
func odd(kid string) bool {
	return strings.Contains(kid, "..") || strings.HasPrefix(kid, "/") || strings.ContainsAny(kid, "'\"\\;|`$<>\x00")
}

func tokenType(typ string) bool {
	typ = strings.ToLower(typ)
	typ = strings.TrimPrefix(typ, "application/")
	return typ == "jwt" || typ == "at+jwt"
}

// choose returns the one key that the token may be proved with: that of its
// kid, or without a kid the only one that its algorithm fits.
func (s *keySet) choose(t *jws) (*key, error) {
	var found *key
	for _, k := range s.keys {
		if t.hasKid {
			if k.kid != t.kid {
				continue
			}
			if k.alg != "" && k.alg != t.alg.name || t.alg.fits(k.material) != "" {
				return nil, wrongAlg
			}
		} else if k.alg != "" && k.alg != t.alg.name || t.alg.fits(k.material) != "" {
			continue
		}
		if found != nil {
			return nil, wrongKey
		}
		found = k
	}
	if found == nil {
		return nil, wrongKey
	}
	return found, nil
}

// verify checks the signature with the key that choose returned.
func (t *jws) verify(k *key) error {
	if err := t.alg.method.Verify(t.signed, t.sig, k.material); err != nil {
		return signature
	}
	return nil
}

// verifyJWS proves a token's signature with a key set and returns its payload.
// It looks at no claim.
func verifyJWS(token string, set *keySet, allowed []*algorithm) ([]byte, error) {
	t, err := parseJWS(token, allowed)
	if err != nil {
		return nil, err
	}
	k, err := set.choose(t)
	if err != nil {
		return nil, err
	}
	return t.payload, t.verify(k)
}
