package shop

import (
	"fmt"
	"net/http"
	"slices"
)

func authnAttacks() []Attack {
	pretend := func(flaw, name string, by Proof) Attack {
		return Attack{
			Flaw: flaw, Name: name,
			Steps:   []Step{{As: "asha", By: by, Method: "GET", Path: "/v1/me", Tells: true}},
			Worked:  got("believed", func(r Response) bool { return r.Text("/id") == "1" }),
			Stopped: refused(401),
		}
	}
	return []Attack{
		{
			Flaw: "authn-missing", Name: "read the account of the first tester",
			Steps:   []Step{{Method: "GET", Path: "/v1/account", Tells: true}},
			Worked:  got("read", func(r Response) bool { return r.Has("/balance") }),
			Stopped: refused(401),
		},
		{
			Flaw: "authn-missing", Name: "list everybody's orders",
			Steps:   []Step{{Method: "GET", Path: "/v1/orders?limit=10", Tells: true}},
			Worked:  got("listed", func(r Response) bool { return r.Has("/items/0/shipping_address") }),
			Stopped: refused(401),
		},
		pretend("authn-jwt-none", "be the administrator without a signature", Unsigned),
		pretend("authn-invalid", "be the administrator with another key", OtherKey),
		pretend("authn-jwt-algorithm", "be the administrator with the public key as a secret", Confused),
		pretend("authn-jwt-key", "be the administrator with a key of last year", OtherKid),
		pretend("authn-jwt-kid", "be the administrator with an empty file for a key", PathKid),
		pretend("authn-jwt-header", "be the administrator with a key in the token", OwnKey),
		pretend("authn-jwt-expired", "be the administrator with an old token", Expired),
		pretend("authn-jwt-issuer", "be the administrator of another company", Stranger),
		pretend("authn-jwt-audience", "be the administrator with another API's token", Elsewhere),
		{
			Flaw: "authn-enumeration", Name: "ask who has an account",
			Title: "POST /v1/login with and without an account",
			Steps: []Step{
				aCustomer,
				{Method: "POST", Path: "/v1/login", Body: `{"email":"nobody-{run}@example.com","password":"a-guess"}`, Tells: true},
				{Method: "POST", Path: "/v1/login", Body: `{"email":"{run}@example.com","password":"a-guess"}`},
			},
			Worked: func(a Answers) (bool, string) {
				r := a.Telling()
				return r.Status != a.Last().Status || r.Text("/detail") != a.Last().Text("/detail"), fmt.Sprintf("%d tells", r.Status)
			},
			Stopped: func(a Answers) (bool, string) {
				r := a.Telling()
				return r.Status == a.Last().Status && r.Text("/detail") == a.Last().Text("/detail"), fmt.Sprintf("%d right", r.Status)
			},
		},
		{
			Flaw: "authn-rate-limit", Name: "guess a password",
			Title: "POST /v1/login 9 guesses, the last one right",
			Steps: append([]Step{aCustomer}, guesses(9)...),
			Worked: func(a Answers) (bool, string) {
				r := a.Telling()
				return r.Status == http.StatusOK && r.Has("/token"), "200 guessed"
			},
			Stopped: func(a Answers) (bool, string) {
				r := a.Telling()
				return r.Status == http.StatusTooManyRequests && r.Header.Get("Retry-After") != "", fmt.Sprintf("%d refused", r.Status)
			},
		},
	}
}

// aCustomer registers a customer for this run alone.
var aCustomer = Step{Method: "POST", Path: "/v1/users", Want: 201, Save: map[string]string{"customer": "Location"},
	Body: `{"email":"{run}@example.com","name":"Customer {run}","password":"a-long-secret-{run}"}`}

// theCustomerLogsIn keeps the customer's token under the name mallory.
var theCustomerLogsIn = Step{Method: "POST", Path: "/v1/login", Want: 200, Save: map[string]string{"mallory": "/token"},
	Body: `{"email":"{run}@example.com","password":"a-long-secret-{run}"}`}

func guesses(n int) []Step {
	wrong := Step{Method: "POST", Path: "/v1/login", Body: `{"email":"{run}@example.com","password":"a-guess"}`}
	right := Step{Method: "POST", Path: "/v1/login", Body: theCustomerLogsIn.Body, Tells: true}
	return append(slices.Repeat([]Step{wrong}, n-1), right)
}
