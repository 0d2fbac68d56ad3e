package shop

import "fmt"

// priyasOrder places an order as priya and keeps its ID.
var priyasOrder = Step{As: "priya", Method: "POST", Path: "/v1/orders", Want: 201, Save: map[string]string{"order": "Location"},
	Body: `{"items":[{"product_id":2,"quantity":1}],"note":"for {run}","shipping_address":"12 Lake Road, Kochi"}`}

// priyaLooks reads it again, to see what became of it.
var priyaLooks = Step{As: "priya", Method: "GET", Path: "/v1/orders/{order}"}

func authzAttacks() []Attack {
	return []Attack{
		{
			Flaw: "authz-object", Name: "read another's order",
			Steps: []Step{{As: "rajan", Method: "GET", Path: "/v1/orders/887", Tells: true}},
			Worked: got("read", func(r Response) bool {
				return r.Text("/user_id") == "101" && r.Has("/shipping_address")
			}),
			Stopped: refused(403, 404),
		},
		{
			Flaw: "authz-object-write", Name: "send another's order to one's own address",
			Steps: []Step{
				priyasOrder,
				{As: "rajan", Method: "PATCH", Path: "/v1/orders/{order}", Body: `{"shipping_address":"1 Rajan Street"}`, Tells: true},
				priyaLooks,
			},
			Worked:  and(got("changed", always), lastSays("/shipping_address", "1 Rajan Street")),
			Stopped: and(refused(403, 404), lastSays("/shipping_address", "12 Lake Road, Kochi")),
		},
		{
			Flaw: "authz-object-write", Name: "replace another's order",
			Steps: []Step{
				priyasOrder,
				{As: "rajan", Method: "PUT", Path: "/v1/orders/{order}", Tells: true,
					Body: `{"items":[{"product_id":3,"quantity":90}],"shipping_address":"1 Rajan Street"}`},
				priyaLooks,
			},
			Worked:  and(got("replaced", always), lastSays("/items/0/quantity", "90")),
			Stopped: and(refused(403, 404), lastSays("/items/0/quantity", "1")),
		},
		{
			Flaw: "authz-object-delete", Name: "delete another's order",
			Steps: []Step{
				priyasOrder,
				{As: "rajan", Method: "DELETE", Path: "/v1/orders/{order}", Tells: true},
				priyaLooks,
			},
			Worked:  and(got("gone", always), func(a Answers) bool { return !succeeded(a.Last()) }),
			Stopped: and(refused(403, 404), func(a Answers) bool { return succeeded(a.Last()) }),
		},
		{
			Flaw: "authz-query-owner", Name: "list another's orders",
			Steps:  []Step{{As: "rajan", Method: "GET", Path: "/v1/orders?user_id=101&status=pending&limit=10", Tells: true}},
			Worked: got("listed", func(r Response) bool { return r.Text("/items/0/user_id") == "101" }),
			Stopped: either(refused(403, 404), func(a Answers) (bool, string) {
				r := a.Telling()
				return succeeded(r) && r.Has("/items") && !contains(r, `"user_id":101`), fmt.Sprintf("%d filtered", r.Status)
			}),
		},
		{
			Flaw: "authz-header-owner", Name: "say to be somebody else",
			Title:   "GET /v1/me with X-User-Id: 101 as rajan",
			Steps:   []Step{{As: "rajan", Method: "GET", Path: "/v1/me", Header: map[string]string{"X-User-Id": "101"}, Tells: true}},
			Worked:  got("believed", func(r Response) bool { return r.Text("/id") == "101" }),
			Stopped: either(refused(400, 401, 403, 404), got("own", func(r Response) bool { return r.Text("/id") == "102" })),
		},
		{
			Flaw: "authz-body-owner", Name: "pay with another's money",
			Steps: []Step{
				aCustomer, theCustomerLogsIn,
				{As: "asha", Method: "POST", Path: "/v1/account/transfers", Body: `{"to_user_id":{customer},"amount":5}`, Want: 201},
				{As: "rajan", Method: "POST", Path: "/v1/account/transfers", Body: `{"from_user_id":{customer},"to_user_id":1,"amount":4}`, Tells: true},
				{As: "mallory", Method: "GET", Path: "/v1/account"},
			},
			Worked:  and(got("paid", always), lastSays("/balance", "1.00")),
			Stopped: and(refused(400, 403), lastSays("/balance", "5.00")),
		},
		{
			Flaw: "authz-object-list", Name: "list everybody's orders without asking for anybody's",
			Steps:   []Step{{As: "rajan", Method: "GET", Path: "/v1/orders?limit=50", Tells: true}},
			Worked:  got("everybody's", func(r Response) bool { return contains(r, `"user_id":101`) && contains(r, `"user_id":102`) }),
			Stopped: either(refused(403, 404), got("filtered", func(r Response) bool { return r.Has("/items") && !contains(r, `"user_id":101`) })),
		},
		{
			Flaw: "authz-existence", Name: "count the orders by their refusals",
			Title: "GET /v1/orders/887/events as rajan, and 424242",
			Steps: []Step{
				{As: "rajan", Method: "GET", Path: "/v1/orders/887/events", Tells: true},
				{As: "rajan", Method: "GET", Path: "/v1/orders/424242/events"},
			},
			Worked: func(a Answers) (bool, string) {
				r := a.Telling()
				return !succeeded(r) && !succeeded(a.Last()) && r.Status != a.Last().Status, fmt.Sprintf("%d tells", r.Status)
			},
			Stopped: func(a Answers) (bool, string) {
				r := a.Telling()
				return !succeeded(r) && r.Status == a.Last().Status && r.Text("/detail") == a.Last().Text("/detail"), fmt.Sprintf("%d refused", r.Status)
			},
		},
		{
			Flaw: "authz-method", Name: "delete a product",
			Steps: []Step{
				aProduct,
				{As: "rajan", Method: "DELETE", Path: "/v1/products/{product}", Tells: true},
				{Method: "GET", Path: "/v1/products/{product}"},
			},
			Worked:  and(got("gone", always), func(a Answers) bool { return !succeeded(a.Last()) }),
			Stopped: and(refused(401, 403), func(a Answers) bool { return succeeded(a.Last()) }),
		},
		{
			Flaw: "authz-method", Name: "set a product's price",
			Steps: []Step{
				aProduct,
				{As: "rajan", Method: "PUT", Path: "/v1/products/{product}", Tells: true,
					Body: `{"name":"Spare lid","description":"","price":0.01,"stock":5}`},
				{Method: "GET", Path: "/v1/products/{product}"},
			},
			Worked:  and(got("changed", always), lastSays("/price", "0.01")),
			Stopped: and(refused(401, 403), lastSays("/price", "99.00")),
		},
		{
			Flaw: "authz-function", Name: "read the business reports",
			Steps:   []Step{{As: "rajan", Method: "GET", Path: "/v1/admin/reports", Tells: true}},
			Worked:  got("read", func(r Response) bool { return r.Has("/revenue") }),
			Stopped: refused(401, 403),
		},
		{
			Flaw: "authz-function", Name: "list all users",
			Steps:   []Step{{As: "rajan", Method: "GET", Path: "/v1/users?limit=5", Tells: true}},
			Worked:  got("listed", func(r Response) bool { return r.Has("/items/1/email") }),
			Stopped: refused(401, 403),
		},
	}
}

// aProduct adds a product as the administrator and keeps its ID.
var aProduct = Step{As: "asha", Method: "POST", Path: "/v1/products", Want: 201, Save: map[string]string{"product": "Location"},
	Body: `{"name":"Spare lid","description":"","price":99,"stock":5}`}
