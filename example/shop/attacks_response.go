package shop

import "fmt"

func statusAttacks() []Attack {
	return []Attack{
		{
			Flaw: "status-401-403", Name: "learn nothing from the refusal of nobody",
			Steps:   []Step{{Method: "GET", Path: "/v1/me", Tells: true}},
			Worked:  status(403, "swapped"),
			Stopped: and(status(401, "right"), func(a Answers) bool { return a.Telling().Header.Get("WWW-Authenticate") != "" }),
		},
		{
			Flaw: "status-401-403", Name: "learn nothing from the refusal of a customer",
			Steps:   []Step{{As: "rajan", Method: "DELETE", Path: "/v1/users/424242", Tells: true}},
			Worked:  status(401, "swapped"),
			Stopped: status(403, "right"),
		},
		{
			Flaw: "status-200-on-failure", Name: "pay with money that is not there",
			Steps: []Step{{As: "meera", Method: "POST", Path: "/v1/account/transfers", Body: `{"to_user_id":102,"amount":99000}`, Tells: true}},
			Worked: func(a Answers) (bool, string) {
				return a.Telling().Status == 200 && a.Telling().Has("/error"), "200 with an error"
			},
			Stopped: func(a Answers) (bool, string) {
				return a.Telling().Status >= 400, fmt.Sprintf("%d repaired", a.Telling().Status)
			},
		},
	}
}

func responseAttacks() []Attack {
	header := func(flaw, name string, s Step) Attack {
		s.Tells = true
		return Attack{
			Flaw: flaw, Name: "do without " + name,
			Title:   s.Method + " " + s.Path + ": " + name,
			Steps:   []Step{s},
			Worked:  got("missing", func(r Response) bool { return r.Header.Get(name) == "" }),
			Stopped: got("repaired", func(r Response) bool { return r.Header.Get(name) != "" }),
		}
	}
	me := Step{As: "rajan", Method: "GET", Path: "/v1/me"}
	named := me
	named.Host = "shop.example" // of a local name HSTS would be wrong
	return []Attack{
		{
			Flaw: "response-excessive-data", Name: "look at what the screen does not show",
			Steps:   []Step{{As: "rajan", Method: "GET", Path: "/v1/me", Tells: true}},
			Worked:  got("whole row", func(r Response) bool { return r.Has("/password_hash") && r.Has("/credit_card") }),
			Stopped: filtered("id", "password_hash", "credit_card", "internal_notes"),
		},
		{
			Flaw: "response-excessive-data", Name: "read what the shop pays its supplier",
			Steps:   []Step{{Method: "GET", Path: "/v1/products?limit=3", Tells: true}},
			Worked:  got("whole row", func(r Response) bool { return r.Has("/items/0/supplier_price") }),
			Stopped: filtered("items", "supplier_price"),
		},
		{
			Flaw: "response-error-details", Name: "break the search",
			Steps: []Step{{Method: "GET", Path: "/v1/products?q=%22steel", Tells: true}},
			Worked: func(a Answers) (bool, string) {
				r := a.Telling()
				return r.Status == 500 && contains(r, "MATCH ?") && contains(r, "goroutine"), "500 with the SQL"
			},
			Stopped: func(a Answers) (bool, string) {
				r := a.Telling()
				return !contains(r, "MATCH") && !contains(r, "goroutine"), fmt.Sprintf("%d repaired", r.Status)
			},
		},
		{
			Flaw: "response-content-type", Name: "have a product's text run as a page",
			Steps:   []Step{{Method: "GET", Path: "/v1/products/2", Tells: true}},
			Worked:  got("as text/html", func(r Response) bool { return mediaType(r) == "text/html" }),
			Stopped: got("repaired", func(r Response) bool { return mediaType(r) == "application/json" }),
		},
		header("response-csp", "Content-Security-Policy", me),
		header("response-hsts", "Strict-Transport-Security", named),
		header("response-nosniff", "X-Content-Type-Options", me),
		header("response-frame-options", "X-Frame-Options", me),
		header("response-cache-control", "Cache-Control", me),
	}
}

func clientAttacks() []Attack {
	login := Step{Method: "POST", Path: "/v1/session", Want: 201, Save: map[string]string{"mallory": "cookie:session"},
		Body: `{"email":"{run}@example.com","password":"a-long-secret-{run}"}`}
	loginTells := login
	loginTells.Tells = true
	evil := map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
	return []Attack{
		{
			Flaw: "client-cookie", Name: "take the cookie with a script, a clear line or a form",
			Steps:   []Step{aCustomer, loginTells},
			Worked:  got("bare cookie", func(r Response) bool { return lacking(r, "session") == "Secure HttpOnly SameSite" }),
			Stopped: got("repaired", func(r Response) bool { return lacking(r, "session") == "" }),
		},
		{
			Flaw: "client-csrf", Name: "a page that freezes the account of whoever opens it",
			Title: "POST /v1/account/freeze from evil.example, cookie",
			Steps: []Step{
				aCustomer, login,
				// No body and no header of its own: what any form can send.
				{As: "mallory", By: Cookie, Method: "POST", Path: "/v1/account/freeze", Header: evil, Tells: true},
				{As: "mallory", Method: "GET", Path: "/v1/account"},
			},
			Worked:  and(got("frozen", always), lastSays("/frozen", "true")),
			Stopped: and(refused(403), lastSays("/frozen", "false")),
		},
		{
			Flaw: "client-cors", Name: "a page that reads the account of whoever opens it",
			Title: "GET /v1/account from evil.example, cookie",
			Steps: []Step{{As: "meera", By: Cookie, Method: "GET", Path: "/v1/account", Header: evil, Tells: true}},
			Worked: got("readable", func(r Response) bool {
				return r.Header.Get("Access-Control-Allow-Origin") == evil["Origin"] && r.Header.Get("Access-Control-Allow-Credentials") == "true"
			}),
			Stopped: either(refused(403), got("repaired", func(r Response) bool { return r.Header.Get("Access-Control-Allow-Origin") == "" })),
		},
	}
}
