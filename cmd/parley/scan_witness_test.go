package main

import (
	"bytes"
	"testing"

	calls "github.com/parley-project/parley/call/run"
	"github.com/parley-project/parley/exchange"
)

// A password that an API says again is kept nowhere, whatever it calls it.
func TestScanWitnessOfEchoes(t *testing.T) {
	const password = "Aa1!parleyabcdefgh001"
	body := func(text string) exchange.Body {
		return exchange.Body{Size: int64(len(text)), Data: []byte(text)}
	}
	w := &scanWitness{secrets: calls.NewMasker(false)}
	w.Record(&exchange.Exchange{
		Request:  exchange.Request{Method: "POST", Target: "/v1/users", Body: body(`{"name":"n","password":"` + password + `"}`)},
		Response: &exchange.Response{Status: 400, Body: body(`{"detail":"` + password + ` is too short"}`)},
	})
	for _, x := range w.held {
		if bytes.Contains(x.Response.Body.Data, []byte(password)) || bytes.Contains(x.Request.Body.Data, []byte(password)) {
			t.Errorf("kept: %s, %s", x.Request.Body.Data, x.Response.Body.Data)
		}
	}
}
