package shop

import (
	"fmt"
	"slices"
	"strings"
)

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
		{
			Flaw: "status-201-location", Name: "make something without learning where",
			Steps: []Step{{As: "priya", Method: "POST", Path: "/v1/orders", Tells: true,
				Body: `{"items":[{"product_id":2,"quantity":1}],"shipping_address":"12 Lake Road, Kochi"}`}},
			Worked:  got("nowhere", func(r Response) bool { return r.Header.Get("Location") == "" }),
			Stopped: got("repaired", func(r Response) bool { return r.Header.Get("Location") == "/v1/orders/"+r.Text("/id") }),
		},
		{
			Flaw: "status-204-body", Name: "an answer after the answer",
			Steps: []Step{priyasOrder, {As: "priya", Method: "DELETE", Path: "/v1/orders/{order}", Tells: true}},
			Worked: func(a Answers) (bool, string) {
				return a.Telling().Status == 204 && a.Telling().Header.Get("Content-Length") != "", "204 with content"
			},
			// Whoever stands between may have no use for such an answer.
			Stopped: either(refused(502), func(a Answers) (bool, string) {
				return a.Telling().Status == 204 && a.Telling().Header.Get("Content-Length") == "", "204 repaired"
			}),
		},
		redirect("follow to plain HTTP", "2", func(to string) bool { return strings.HasPrefix(to, "http:") },
			func(to string) bool { return to == "" || strings.HasPrefix(to, "https:") }),
		redirect("follow to somebody else", "3", func(to string) bool { return strings.Contains(to, "evil.example") },
			func(to string) bool { return to == "" }),
		{
			Flaw: "status-405-allow", Name: "ask for what is not offered",
			Steps:   []Step{{Method: "DELETE", Path: "/v1/account", Tells: true}},
			Worked:  and(status(405, "without Allow"), func(a Answers) bool { return a.Telling().Header.Get("Allow") == "" }),
			Stopped: and(status(405, "repaired"), func(a Answers) bool { return a.Telling().Header.Get("Allow") != "" }),
		},
		{
			Flaw: "status-retry-after", Name: "be sent away without a time",
			Title: "GET /v1/account/statement 11 times",
			Steps: slices.Concat([]Step{aCustomer, theCustomerLogsIn},
				slices.Repeat([]Step{{As: "mallory", Method: "GET", Path: "/v1/account/statement"}}, 10),
				[]Step{{As: "mallory", Method: "GET", Path: "/v1/account/statement", Tells: true}}),
			Worked:  and(status(429, "without a time"), func(a Answers) bool { return a.Telling().Header.Get("Retry-After") == "" }),
			Stopped: and(status(429, "repaired"), func(a Answers) bool { return a.Telling().Header.Get("Retry-After") != "" }),
		},
	}
}

func redirect(name, id string, bad, good func(string) bool) Attack {
	return Attack{
		Flaw: "status-redirect", Name: name,
		Steps: []Step{{Method: "GET", Path: "/v1/products/" + id + "/photo", Tells: true}},
		Worked: func(a Answers) (bool, string) {
			r := a.Telling()
			return r.Status == 302 && bad(r.Header.Get("Location")), "302 " + r.Header.Get("Location")
		},
		Stopped: func(a Answers) (bool, string) {
			r := a.Telling()
			return good(r.Header.Get("Location")) && !bad(r.Header.Get("Location")), fmt.Sprintf("%d repaired", r.Status)
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
		{
			Flaw: "response-account-number", Name: "read the number of the account",
			Steps:   []Step{{As: "rajan", Method: "GET", Path: "/v1/account", Tells: true}},
			Worked:  got("whole", func(r Response) bool { return len(r.Text("/account_number")) > 8 }),
			Stopped: got("filtered", func(r Response) bool { n := r.Text("/account_number"); return len(n) == 8 && n[:4] == "XXXX" }),
		},
		{
			Flaw: "response-cache-public", Name: "find the account in a cache",
			Steps:   []Step{{As: "sara", Method: "GET", Path: "/v1/account", Tells: true}},
			Worked:  got("public", func(r Response) bool { return strings.Contains(r.Header.Get("Cache-Control"), "public") }),
			Stopped: got("repaired", func(r Response) bool { return r.Header.Get("Cache-Control") == "no-store" }),
		},
		{
			Flaw: "response-banner", Name: "look up what this version is known for",
			Title:  "GET /v1/products/1: Server, X-Powered-By",
			Steps:  []Step{{Method: "GET", Path: "/v1/products/1", Tells: true}},
			Worked: got("told", func(r Response) bool { return r.Header.Get("X-Powered-By") != "" }),
			Stopped: got("repaired", func(r Response) bool {
				return r.Header.Get("X-Powered-By") == "" && !strings.Contains(r.Header.Get("Server"), "/")
			}),
		},
		header("response-csp", "Content-Security-Policy", me),
		header("response-hsts", "Strict-Transport-Security", named),
		header("response-nosniff", "X-Content-Type-Options", me),
		header("response-frame-options", "X-Frame-Options", me),
		header("response-cache-control", "Cache-Control", me),
	}
}

func clientAttacks() []Attack {
	reads := func(who, origin string) Attack {
		return Attack{
			Flaw: "client-cors", Name: who + " that reads the account of whoever opens it",
			Title: "GET /v1/account from " + origin,
			Steps: []Step{{As: "meera", By: Cookie, Method: "GET", Path: "/v1/account", Tells: true,
				Header: map[string]string{"Origin": origin, "Sec-Fetch-Site": "cross-site"}}},
			Worked: got("readable", func(r Response) bool {
				return r.Header.Get("Access-Control-Allow-Origin") == origin && r.Header.Get("Access-Control-Allow-Credentials") == "true"
			}),
			Stopped: either(refused(403), got("repaired", func(r Response) bool { return r.Header.Get("Access-Control-Allow-Origin") == "" })),
		}
	}
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
			Flaw: "client-token-in-body", Name: "take the session's token with a script",
			Steps:   []Step{aCustomer, loginTells},
			Worked:  got("in the body", func(r Response) bool { return r.Has("/token") }),
			Stopped: got("filtered", func(r Response) bool { return r.Has("/user_id") && !r.Has("/token") }),
		},
		{
			Flaw: "client-websocket-origin", Name: "a page that listens to the account of whoever opens it",
			Title: "GET /v1/account/live from evil.example, WebSocket",
			Steps: []Step{{As: "sara", By: Cookie, Method: "GET", Path: "/v1/account/live", Tells: true, Header: map[string]string{
				"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Connection": "Upgrade", "Upgrade": "websocket",
				"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}}},
			Worked:  and(status(101, "opened"), func(a Answers) bool { return contains(a.Telling(), `"balance"`) }),
			Stopped: refused(401, 403),
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
		reads("a sandboxed page", "null"),
		reads("a page of a longer name", "https://app.shop.example.evil.example"),
		reads("a page of a name before", "https://evilapp.shop.example"),
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
