package check

import (
	"bytes"
	"encoding/json"
)

// mint shows a token that is signed with the API's own key and says something
// else than the person's own, and reports it if it is believed. The same made
// with what the person's own says must be believed, too: otherwise the key that
// was lent is not the right one.
func (t *Trial) mint(says string, change func(k *token, claims map[string]any) bool) {
	if len(t.SigningKey) == 0 {
		return
	}
	pl, k := t.bearer()
	if pl == nil {
		return
	}
	key := lentSigner(t.SigningKey, k.alg)
	claims, other := k.all(), k.all()
	if key == nil || claims == nil || !change(k, other) {
		return
	}
	right, err1 := json.Marshal(claims)
	wrong, err2 := json.Marshal(other)
	if err1 != nil || err2 != nil {
		return
	}
	x := pl.show(t, k.saying(wrong, key, nil))
	if !pl.believes(x) || !pl.refusesRandom(t) {
		return
	}
	c := t.Ask(pl.with(k.saying(right, key, nil)))
	if pl.believes(c) {
		pl.report(t, says, x, c)
	}
}

// all are the token's claims, numbers as they are written.
func (k *token) all() map[string]any {
	d := json.NewDecoder(bytes.NewReader(k.claims))
	d.UseNumber()
	var m map[string]any
	if d.Decode(&m) != nil {
		return nil
	}
	return m
}
