package check

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
)

// A token is a JWT taken apart, to be put together again otherwise. What it says
// of itself is all that is known of it.
type token struct {
	head   map[string]any
	claims []byte // as they stand
	alg    string
	kid    string
	text   string // the whole
}

// parseToken reads a JWT that is signed or pretends to be, or returns nil.
func parseToken(text string) *token {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || len(text) > 16<<10 {
		return nil
	}
	head, err1 := base64.RawURLEncoding.DecodeString(parts[0])
	claims, err2 := base64.RawURLEncoding.DecodeString(parts[1])
	t := &token{claims: claims, text: text}
	if err1 != nil || err2 != nil || json.Unmarshal(head, &t.head) != nil || !json.Valid(claims) {
		return nil
	}
	t.alg, _ = t.head["alg"].(string)
	t.kid, _ = t.head["kid"].(string)
	if t.alg == "" {
		return nil
	}
	return t
}

// secret reports whether whoever verifies the token can sign as well.
func (k *token) secret() bool { return strings.HasPrefix(k.alg, "HS") }

// signed is the token with other members in its header, signed by s. A nil value
// takes a member out; a nil s leaves the signature empty.
func (k *token) signed(s *signer, head map[string]any) string { return k.saying(k.claims, s, head) }

// saying is signed with other claims.
func (k *token) saying(claims []byte, s *signer, head map[string]any) string {
	h := maps.Clone(k.head)
	if s != nil {
		h["alg"] = s.alg
	}
	for name, value := range head {
		if h[name] = value; value == nil {
			delete(h, name)
		}
	}
	first, err := json.Marshal(h)
	if err != nil {
		return ""
	}
	text := base64.RawURLEncoding.EncodeToString(first) + "." + base64.RawURLEncoding.EncodeToString(claims)
	if s == nil {
		return text + "."
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(s.sign([]byte(text)))
}

// bearer returns the first person, the victim before all others, whose
// credential is a token that can be told from others somewhere.
func (t *Trial) bearer() (*place, *token) {
	for _, p := range append([]*Person{t.Victim, t.Attacker}, t.People...) {
		if p == nil || p.Token == "" {
			continue
		}
		k := parseToken(secretOf(p))
		if k == nil {
			continue
		}
		if pl := t.place(p); pl != nil {
			return pl, k
		}
	}
	return nil, nil
}

// refusesForged reports whether the person's own token with somebody else's
// signature is refused. Where it is not, nothing that a token says is looked at,
// and that is what is to be told.
func (pl *place) refusesForged(t *Trial, k *token) bool {
	if pl.forged == nil {
		pl.forged = t.Ask(pl.with(k.signed(t.ownKey(k.alg), nil)))
	}
	return StatusOf(pl.forged) != 0 && !pl.believes(pl.forged)
}

// unknownAlgorithm is one that nobody verifies with: who believes a token that
// names it looks at no more than what the token says.
const unknownAlgorithm = "XX256"

// forge shows the forgeries of a person's token one after the other and reports
// the first that is believed, if a control is not: one that only differs in what
// the forgery is about.
func (t *Trial) forge(says string, make func(k *token) []string, control func(k *token) string) (found bool) {
	pl, k := t.bearer()
	if pl == nil {
		return false
	}
	for _, forged := range make(k) {
		if forged == "" {
			continue
		}
		x := pl.show(t, forged)
		if !pl.believes(x) {
			continue
		}
		c := t.Ask(pl.with(control(k)))
		if pl.refusesRandom(t) && StatusOf(c) != 0 && !pl.believes(c) {
			pl.report(t, says, x, c)
			return true
		}
		return false
	}
	return false
}
