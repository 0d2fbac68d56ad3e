package check

import (
	"strings"
	"testing"
)

func TestSecretIn(t *testing.T) {
	bcrypt := "$2b$12$abcdefghijklmnopqrstuuO9i7TPgBcOzDAKO1zFeSw/8jtbVxjOe"
	sha256 := strings.Repeat("0123456789abcdef", 4)
	for _, c := range []struct{ json, want string }{
		{`{"password_hash":"` + bcrypt + `"}`, "the hash of a password"},
		{`{"anything":"` + bcrypt + `"}`, "the hash of a password"},
		{`{"x":"$argon2id$v=19$m=65536,t=1,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo"}`, "the hash of a password"},
		{`{"passwordHash":"` + sha256 + `"}`, "the hash of a password"},
		{`{"pwd":"` + sha256[:32] + `"}`, "the hash of a password"},
		{`{"password":"correct-horse"}`, "a password"},
		{`{"pem":"-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n"}`, "a private key"},
		{`{"kty":"EC","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}`, "a private key"},
		{`{"credit_card":"4111111111111111"}`, "the whole number of a card"},
		{`{"card_number":4111111111111111}`, "the whole number of a card"},
		{`{"note":"5555 5555 5555 4444"}`, "the whole number of a card"},

		{`{"password":"********"}`, ""},
		{`{"password":""}`, ""},
		{`{"password_reset_at":"2026-11-02T09:30:00Z"}`, ""},
		{`{"passwordPolicyId":"0f8fad5b-d9cb-469f-a165-70867728950e"}`, ""},
		{`{"commit":"` + sha256[:40] + `"}`, ""},
		{`{"etag":"` + sha256 + `"}`, ""},
		{`{"integrity":"sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC"}`, ""},
		{`{"certificate":"-----BEGIN CERTIFICATE-----\nMIIB\n"}`, ""},
		{`{"key":"-----BEGIN PUBLIC KEY-----\nMFkw\n"}`, ""},
		{`{"kty":"EC","crv":"P-256","x":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}`, ""},
		{`{"d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}`, ""},
		{`{"sample_card":"4111 1111 1111 1112"}`, ""},
		{`{"card":"XXXX XXXX XXXX 1111"}`, ""},
		{`{"id":4111111111111111}`, ""},
		{`{"at":1700000000000}`, ""},
		{`{"zeros":"0000 0000 0000 0000"}`, ""},
	} {
		near, got := map[string]bool{}, ""
		for _, l := range Leaves([]byte(c.json)) {
			near[l.Name] = true
		}
		for _, l := range Leaves([]byte(c.json)) {
			if says := secretIn(l, near); says != "" {
				got = says
			}
		}
		if got != c.want {
			t.Errorf("secretIn(%s) = %q, want %q", c.json, got, c.want)
		}
	}
}

func TestAccountIn(t *testing.T) {
	for json, want := range map[string]bool{
		`{"account_number":"50100234561234"}`:      true,
		`{"iban":"DE89370400440532013000"}`:        true,
		`{"to":"DE89 3704 0044 0532 0130 00"}`:     true,
		`{"account_number":"XXXX1234"}`:            false,
		`{"account_number":"1234"}`:                false,
		`{"iban":"DE89****3000"}`:                  false,
		`{"sample_iban":"XX00000000000000000000"}`: false,
		`{"account_id":"50100234561234"}`:          false,
	} {
		if got := accountIn(Leaves([]byte(json))[0]); got != want {
			t.Errorf("accountIn(%s) = %v, want %v", json, got, want)
		}
	}
}

func TestAbsent(t *testing.T) {
	for _, id := range []string{"101", "989898989", "usr_carl", "main", "0f8fad5b-d9cb-469f-a165-70867728950e"} {
		got := absent(id)
		if got == id || len(id) > 8 && len(got) != len(id) {
			t.Errorf("absent(%q) = %q, want another of the same shape", id, got)
		}
	}
}
