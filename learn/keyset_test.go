package learn_test

import (
	"strings"
	"testing"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/learn"
)

// What anybody can make an API answer is not who signs its tokens.
func TestKeySetOfAStranger(t *testing.T) {
	good, bad := `{"keys":[{"kty":"EC","x":"good"}]}`, ` {"keys":[{"kty":"EC","x":"bad"}]}`
	l := learn.New(learn.Options{})
	l.Add(call(t, "POST /v1/echo", bad, 200, bad))
	l.Add(call(t, "GET /v1/files/7", "", 200, bad))
	l.Add(call(t, "POST /v1/files/jwks.json", bad, 200, bad))
	if set := l.KeySet(); set != nil {
		t.Errorf("a set that was sent is believed: %s", set)
	}
	l.Add(call(t, "GET /.well-known/jwks.json", "", 200, good))
	if set := l.KeySet(); string(set) != good {
		t.Errorf("got %s, want %s", set, good)
	}
	l.Add(call(t, "GET /v1/files/jwks.json", "", 200, bad))
	if set := l.KeySet(); set != nil {
		t.Errorf("one of two is believed: %s", set)
	}
}

// A member that a rule cannot name makes no rule that does not load.
func TestUnsayableMembers(t *testing.T) {
	l := learn.New(learn.Options{})
	for _, who := range []string{"anna", "bert", "anna", "bert"} {
		x := call(t, "GET /v1/notes/7"+who, "", 200, `{"in":"`+who+`","user":{"true":"`+who+`"},"for":["`+who+`"]}`)
		x.Server.Caller = &exchange.Caller{Subject: exchange.Subject(who)}
		l.Add(x)
	}
	if p := string(l.Policy()); strings.Contains(p, ".in") || strings.Contains(p, ".true") {
		t.Errorf("got %s", p)
	}
}
