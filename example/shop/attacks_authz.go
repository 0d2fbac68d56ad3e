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
