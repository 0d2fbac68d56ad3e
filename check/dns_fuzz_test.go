package check_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// Whatever resolvers are said to have answered is judged without a fault, in
// few words, the same each time, and one thing only is said of who is right.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`{"name":"a.example","resolver":"system","answers":[{"resolver":"system","type":"A","records":["127.0.0.1"]}]}`,
		`{"name":"a.example","resolver":"s","answers":[{"resolver":"s","type":"A","rcode":"NOERROR","records":["203.0.113.1","10.0.0.1"]},
		  {"resolver":"t","protocol":"doh","type":"A","rcode":"NOERROR","records":["2001:db8::1","x"],"signed":true},
		  {"resolver":"u","protocol":"dot","type":"AAAA","rcode":"SERVFAIL"},{"resolver":"v","type":"AAAA","failure":"x","stray":3}]}`,
		`{"name":"a.example","resolver":"s","addresses":["::ffff:0.0.0.0","64:ff9b::1"],"answers":[{"resolver":"t","type":"AAAA","records":["::"]}]}`,
		`{"name":"","answers":[{"type":"A"}]}`,
		`{"name":"a.example","resolver":"s","addresses":[""],"answers":[{}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d := new(exchange.DNS)
		if json.Unmarshal(b, d) != nil {
			return
		}
		x := &exchange.Exchange{DNS: d, Request: exchange.Request{Scheme: "https", Authority: "a.example"}}
		found := check.Inspect(x, nil, false, time.Unix(0, 0))
		again, _ := json.Marshal(check.Inspect(x, nil, false, time.Unix(0, 0)))
		if once, _ := json.Marshal(found); string(once) != string(again) {
			t.Errorf("Inspect found %s, then %s", once, again)
		}
		said := map[string]bool{}
		for _, fd := range found {
			if fd.Step != exchange.StepDNS {
				continue
			}
			guessed := slices.ContainsFunc(d.Answers, func(a exchange.Answer) bool { return a.Stray != 0 })
			said[fd.Check] = fd.Check != "dns-forged" || !guessed
			for _, e := range fd.Evidence {
				if len(e.Says) > 8*len(b)+1000 {
					t.Errorf("%s says %d bytes of %d", fd.Check, len(e.Says), len(b))
				}
			}
		}
		if said["dns-forged"] && said["dns-disagree"] {
			t.Errorf("Inspect found both dns-forged and dns-disagree")
		}
	})
}
