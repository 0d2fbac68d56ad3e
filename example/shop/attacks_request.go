package shop

import "net/url"

// byRoleOf lists the first or the last product first: the first if the role of
// the first user is this one.
func byRoleOf(role string) string {
	return "/v1/products?limit=1&sort=" + url.QueryEscape("(CASE WHEN (SELECT role FROM users WHERE users.id = 1) = '"+role+"' THEN products.id ELSE -products.id END)")
}

func requestAttacks() []Attack {
	return []Attack{
		{
			Flaw: "request-token-in-url", Name: "a token where logs and histories keep it",
			Title:   "GET /v1/me?access_token=... as rajan",
			Steps:   []Step{{As: "rajan", By: InQuery, Method: "GET", Path: "/v1/me", Tells: true}},
			Worked:  got("accepted", func(r Response) bool { return r.Text("/id") == "102" }),
			Stopped: refused(400, 401, 403),
		},
		{
			Flaw: "request-content-type", Name: "JSON under the name of a form",
			Steps: []Step{
				{As: "meera", Method: "PATCH", Path: "/v1/users/104", Tells: true, Body: `{"phone":""}`,
					Header: map[string]string{"Content-Type": "text/plain"}},
			},
			Worked:  got("accepted", always),
			Stopped: refused(415),
		},
		{
			Flaw: "request-mass-assignment", Name: "register as an administrator",
			Steps: []Step{
				{Method: "POST", Path: "/v1/users", Tells: true,
					Body: `{"email":"{run}@example.com","name":"Mallory","password":"a-long-secret-{run}","role":"admin","plan":"premium"}`},
			},
			Worked:  got("administrator", func(r Response) bool { return r.Text("/role") == "admin" && r.Text("/plan") == "premium" }),
			Stopped: refused(400, 401, 403, 422),
		},
		{
			Flaw: "request-mass-assignment", Name: "give oneself another role",
			Steps: []Step{
				aCustomer, theCustomerLogsIn,
				{As: "mallory", Method: "PATCH", Path: "/v1/users/{customer}", Body: `{"role":"admin","plan":"premium"}`, Tells: true},
				{As: "mallory", Method: "GET", Path: "/v1/me"},
			},
			Worked:  and(got("administrator", always), lastSays("/role", "admin")),
			Stopped: and(refused(400, 403, 422), lastSays("/role", "customer")),
		},
		{
			Flaw: "request-mass-assignment", Name: "set the price of one's own order",
			Steps: []Step{
				{As: "rajan", Method: "POST", Path: "/v1/orders", Tells: true,
					Body: `{"items":[{"product_id":3,"quantity":1}],"shipping_address":"1 Rajan Street","total":0.01}`},
			},
			Worked:  got("for 0.01", func(r Response) bool { return r.Text("/total") == "0.01" }),
			Stopped: refused(400, 403, 422),
		},
		{
			Flaw: "request-schema", Name: "buy a negative quantity",
			Steps: []Step{
				{As: "rajan", Method: "POST", Path: "/v1/orders", Tells: true,
					Body: `{"items":[{"product_id":3,"quantity":-5}],"shipping_address":"1 Rajan Street"}`},
			},
			Worked:  got("the shop pays", func(r Response) bool { return r.Text("/total") == "-6495.00" }),
			Stopped: refused(400, 422),
		},
		{
			Flaw: "request-duplicate-member", Name: "one note for the check, another for the shop",
			Steps: []Step{
				{As: "meera", Method: "PATCH", Path: "/v1/users/104", Tells: true, Body: `{"phone":"+91 98000 00104","phone":""}`},
			},
			Worked:  got("accepted", always),
			Stopped: refused(400),
		},
		{
			Flaw: "request-size", Name: "a body of two megabytes",
			Title: "PATCH /v1/users/104 as meera, 2 MiB",
			Steps: []Step{
				{As: "meera", Method: "PATCH", Path: "/v1/users/104", Tells: true, Body: `{"phone":""}`, Pad: 2 << 20},
			},
			Worked:  got("accepted", always),
			Stopped: refused(413),
		},
		{
			Flaw: "request-parameters", Name: "less than nothing on a page",
			Steps:   []Step{{Method: "GET", Path: "/v1/products?limit=-1", Tells: true}},
			Worked:  got("all of it", func(r Response) bool { return r.Has("/items/0") }),
			Stopped: refused(400, 422),
		},
		{
			Flaw: "request-page-size", Name: "everything on one page",
			Steps:   []Step{{Method: "GET", Path: "/v1/products?limit=1000000", Tells: true}},
			Worked:  got("all of it", func(r Response) bool { return r.Has("/items") }),
			Stopped: refused(400, 422),
		},
		{
			Flaw: "request-injection", Name: "ask another table yes or no by the order of a list",
			Title: "GET /v1/products?sort=(CASE WHEN ... as nobody",
			Steps: []Step{
				{Method: "GET", Path: byRoleOf("admin"), Tells: true},
				{Method: "GET", Path: byRoleOf("customer")},
			},
			Worked: func(a Answers) (bool, string) {
				yes, no := a.Telling(), a.Last()
				return succeeded(yes) && succeeded(no) && yes.Has("/items/0/id") && yes.Text("/items/0/id") != no.Text("/items/0/id"), "200 yes, 200 no"
			},
			Stopped: refused(400, 422),
		},
		{
			Flaw: "request-ssrf", Name: "have the shop call its own machine", Listens: true,
			Title: "POST /v1/orders/{id}/notify to 127.0.0.1 as priya",
			Steps: []Step{
				priyasOrder,
				{As: "priya", Method: "POST", Path: "/v1/orders/{order}/notify", Body: `{"url":"{listener}/inside-{run}"}`, Tells: true},
			},
			Worked:  and(got("called", always), func(a Answers) bool { return a.Last().Heard > 0 }),
			Stopped: and(refused(400, 403, 422), func(a Answers) bool { return a.Last().Heard == 0 }),
		},
		{
			Flaw: "request-put-partial", Name: "replace half of oneself",
			Steps: []Step{
				aCustomer, theCustomerLogsIn,
				{As: "mallory", Method: "PUT", Path: "/v1/users/{customer}", Body: `{"name":"Half"}`, Tells: true},
				{As: "mallory", Method: "GET", Path: "/v1/me"},
			},
			Worked:  and(got("patched", always), lastSays("/name", "Half")),
			Stopped: and(refused(400, 422), func(a Answers) bool { return succeeded(a.Last()) && a.Last().Text("/name") != "Half" }),
		},
		{
			Flaw: "request-method-override", Name: "delete a product by reading it",
			Title: "GET /v1/products/{id}, override DELETE, as rajan",
			Steps: []Step{
				aProduct,
				{As: "rajan", Method: "GET", Path: "/v1/products/{product}", Header: map[string]string{"X-HTTP-Method-Override": "DELETE"}, Tells: true},
				{Method: "GET", Path: "/v1/products/{product}"},
			},
			Worked:  and(got("gone", always), func(a Answers) bool { return !succeeded(a.Last()) }),
			Stopped: and(either(refused(400, 403, 405), got("only read", always)), func(a Answers) bool { return succeeded(a.Last()) }),
		},
		{
			Flaw: "request-get-changes", Name: "a picture that cancels an order",
			Steps: []Step{
				priyasOrder,
				// What a browser sends for <img src=...>.
				{As: "priya", By: Cookie, Method: "GET", Path: "/v1/orders/{order}?action=cancel", Tells: true,
					Header: map[string]string{"Sec-Fetch-Site": "cross-site"}},
				priyaLooks,
			},
			Worked:  and(got("cancelled", always), lastSays("/status", "cancelled")),
			Stopped: and(either(refused(400, 403), got("only read", always)), lastSays("/status", "pending")),
		},
		{
			Flaw: "request-accept", Name: "have JSON where a page was asked for",
			Steps:   []Step{{Method: "GET", Path: "/v1/products/3", Header: map[string]string{"Accept": "text/html"}, Tells: true}},
			Worked:  got("ignored", func(r Response) bool { return r.Has("/id") }),
			Stopped: refused(406),
		},
		{
			Flaw: "request-old-version", Name: "read a user as the version before showed him",
			Steps:   []Step{{Method: "GET", Path: "/v0/users/101", Tells: true}},
			Worked:  got("found", func(r Response) bool { return r.Has("/password_hash") }),
			Stopped: refused(404, 410),
		},
		{
			Flaw: "request-method", Name: "set one's own balance",
			Steps: []Step{
				aCustomer, theCustomerLogsIn,
				{As: "mallory", Method: "PATCH", Path: "/v1/account", Body: `{"balance":1000000}`, Tells: true},
				{As: "mallory", Method: "GET", Path: "/v1/account"},
			},
			Worked: and(got("rich", always), lastSays("/balance", "1000000.00")),
			Stopped: and(and(refused(405), func(a Answers) bool { return a.Telling().Header.Get("Allow") != "" }),
				lastSays("/balance", "0.00")),
		},
		{
			Flaw: "request-undeclared-endpoint", Name: "find the page that was forgotten",
			Steps:   []Step{{Method: "GET", Path: "/v1/debug/users", Tells: true}},
			Worked:  got("found", func(r Response) bool { return r.Has("/0/password_hash") }),
			Stopped: refused(404),
		},
	}
}
