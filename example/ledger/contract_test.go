package ledger

import (
	"testing"

	"github.com/parley-project/parley/example/play/playtest"
)

func TestContract(t *testing.T) {
	l, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	keys, err := l.Keys()
	if err != nil {
		t.Fatal(err)
	}
	playtest.TestContract(t, playtest.API{OpenAPI: OpenAPI, Base: "/api", Handler: l.Handler(), Keys: keys, Legitimate: Legitimate(), Routes: len(l.table())})
}
