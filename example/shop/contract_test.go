package shop

import (
	"testing"

	"github.com/parley-project/parley/example/play/playtest"
)

func TestContract(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	keys, err := s.Keys()
	if err != nil {
		t.Fatal(err)
	}
	playtest.TestContract(t, playtest.API{OpenAPI: OpenAPI, Handler: s.Handler(), Keys: keys, Legitimate: Legitimate(), Routes: len(s.table())})
}
