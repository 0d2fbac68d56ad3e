package shop

import "time"

// browser are the headers that a browser adds to what the shop's own page does.
var browser = map[string]string{"Origin": "{origin}", "Sec-Fetch-Site": "same-origin"}

const (
	anOrder   = `{"items":[{"product_id":1,"quantity":2},{"product_id":4,"quantity":1}],"note":"ring twice","shipping_address":"7 Hill Street, Munnar"}`
	aNewLid   = `{"name":"Lid {run}","description":"Fits the tumbler.","price":12.5,"stock":9}`
	customers = `{"email":"{run}@example.com","name":"Customer","password":"a-long-secret-{run}"}`
)

// Legitimate is what honest clients do with the shop, mistakes of theirs
// included, each with the status that the sound shop answers. It makes the
// customer, orders and products that it works on and takes them away again, so
// that it may be played any number of times, but not twice at once: the lists
// of the one would show the objects of the other. What the sound shop refuses
// here does no harm on a flawed one.
func Legitimate() []Step {
	shows := behind + 50*time.Millisecond // long enough for a question to show
	wrongPassword := Step{Method: "POST", Path: "/v1/login", Body: `{"email":"nobody-{run}@example.com","password":"a-guess"}`, Want: 401}
	return []Step{
		// Anybody: the service and the products.
		{Method: "GET", Path: "/healthz", Want: 200},
		{Method: "GET", Path: "/.well-known/jwks.json", Want: 200},
		{Method: "GET", Path: "/v1/products?limit=3", Want: 200},
		{Method: "GET", Path: "/v1/products?limit=2&offset=2", Want: 200},
		{Method: "GET", Path: "/v1/products?q=steel", Want: 200},
		{Method: "GET", Path: "/v1/products?sort=-price&limit=2", Want: 200},
		{Method: "GET", Path: "/v1/products?sort=colour", Want: 400},
		{Method: "GET", Path: "/v1/products?q=%22Cooler%22+than", Want: 200},
		{Method: "GET", Path: "/v1/products/1", Want: 200},
		{Method: "HEAD", Path: "/v1/products/1", Want: 200},
		{Method: "GET", Path: "/v1/products/1/photo", Want: 200},
		{Method: "GET", Path: "/v1/products/2", Header: map[string]string{"Accept": "text/html;q=0.2, application/*;q=0.9"}, Want: 200},
		{Method: "GET", Path: "/v1/products/2", Header: map[string]string{"Accept": "text/html"}, Want: 406},
		{Method: "GET", Path: "/v1/products/424242", Want: 404},
		{Method: "GET", Path: "/v1/products/first", Want: 400},
		{Method: "GET", Path: "/v1/products?limit=0", Want: 400},
		{Method: "GET", Path: "/v1/nothing", Want: 404},
		{Method: "POST", Path: "/healthz", Want: 405},

		// Partners' programs, with an API key.
		{As: "swift", Method: "GET", Path: "/v1/feeds/products", Want: 200},
		{As: "swift", Method: "GET", Path: "/v1/products?limit=1", Want: 200},
		{As: "swift", Method: "GET", Path: "/v1/orders/887/status", Want: 200},
		{As: "swift", Method: "GET", Path: "/v1/orders/889/status", Want: 404}, // another courier's
		{As: "dart", Method: "GET", Path: "/v1/orders/889/status", Want: 200},
		{As: "dart", Method: "GET", Path: "/v1/orders/424242/status", Want: 404},
		{Method: "GET", Path: "/v1/feeds/products", Want: 401},
		{Method: "GET", Path: "/v1/feeds/products", Header: map[string]string{"X-API-Key": "shop-OFLASTYEAR"}, Want: 401},

		// A new customer.
		{Method: "POST", Path: "/v1/users", Body: customers, Want: 201, Save: map[string]string{"customer": "Location"}},
		{Method: "POST", Path: "/v1/users", Body: customers, Want: 409},
		{Method: "POST", Path: "/v1/users", Body: `{"email":"other-{run}@example.com","name":"Other","password":"short"}`, Want: 400},
		{Method: "POST", Path: "/v1/login", Body: `{"email":"{run}@example.com","password":"a-long-secret-{run}"}`, Want: 200, Save: map[string]string{"kavya": "/token"}},
		{Method: "POST", Path: "/v1/login", Body: `{"email":"{run}@example.com","password":"a-long-secret"}`, Want: 401},
		{Method: "POST", Path: "/v1/login", Body: `{"email":"priya@shop.example","password":"` + Password("priya") + `"}`, Want: 200},
		{Method: "POST", Path: "/v1/session", Header: browser, Body: `{"email":"{run}@example.com","password":"a-long-secret-{run}"}`, Want: 201, Save: map[string]string{"kavya's browser": "cookie:session"}},
		{As: "kavya's browser", By: Cookie, Method: "GET", Path: "/v1/session", Want: 200},
		{As: "kavya's browser", By: Cookie, Method: "GET", Path: "/v1/me", Want: 200},
		{As: "kavya", Method: "GET", Path: "/v1/me", Want: 200},
		{As: "kavya", Method: "GET", Path: "/v1/users/{customer}", Want: 200},
		{As: "kavya", Method: "PATCH", Path: "/v1/users/{customer}", Body: `{"phone":"+91 98000 01000"}`, Want: 200,
			Header: map[string]string{"Content-Type": "application/merge-patch+json"}},
		{As: "kavya's browser", By: Cookie, Method: "PUT", Path: "/v1/users/{customer}", Header: browser, Want: 200,
			Body: `{"email":"{run}@example.com","name":"Kavya"}`},
		{As: "kavya", Method: "GET", Path: "/v1/users/101", Want: 404},
		{As: "kavya", Method: "GET", Path: "/v1/users/424242", Want: 404},
		{As: "kavya", Method: "GET", Path: "/v1/users", Want: 403},
		{As: "kavya", Method: "DELETE", Path: "/v1/me", Want: 405},
		{Method: "GET", Path: "/v1/me", Want: 401},
		{Method: "GET", Path: "/v1/me", Header: map[string]string{"Authorization": "Bearer not-a-token"}, Want: 401},
		{As: "priya", By: Expired, Method: "GET", Path: "/v1/me", Want: 401},

		// Orders.
		{As: "kavya", Method: "POST", Path: "/v1/orders", Body: anOrder, Want: 201, Save: map[string]string{"order": "Location"}},
		{As: "kavya's browser", By: Cookie, Method: "POST", Path: "/v1/orders", Body: anOrder, Header: map[string]string{"Origin": "{origin}"},
			Want: 201, Save: map[string]string{"second": "Location"}},
		{As: "kavya", Method: "POST", Path: "/v1/orders", Body: anOrder, Header: map[string]string{"Content-Type": "application/json; charset=utf-8"},
			Want: 201, Save: map[string]string{"third": "Location"}},
		{As: "kavya", Method: "GET", Path: "/v1/orders", Want: 200},
		{As: "kavya", Method: "GET", Path: "/v1/orders?user_id={customer}&status=pending&limit=2", Want: 200, Save: map[string]string{"next": "/next"}},
		{As: "kavya", Method: "GET", Path: "/v1/orders?limit=2&cursor={next}", Want: 200},
		{As: "kavya's browser", By: Cookie, Method: "GET", Path: "/v1/orders?status=delivered", Want: 200},
		{As: "kavya", Method: "GET", Path: "/v1/orders/{order}", Want: 200},
		{As: "kavya", Method: "HEAD", Path: "/v1/orders/{order}", Want: 200},
		{As: "kavya", Method: "PATCH", Path: "/v1/orders/{order}", Body: `{"shipping_address":"8 Hill Street, Munnar"}`, Want: 200},
		{As: "kavya", Method: "PUT", Path: "/v1/orders/{order}", Body: `{"items":[{"product_id":5,"quantity":3}],"shipping_address":"9 Hill Street, Munnar"}`, Want: 200},
		{As: "kavya", Method: "GET", Path: "/v1/orders/{order}", Want: 200}, // PUT took the note away
		{As: "kavya", Method: "PUT", Path: "/v1/orders/{order}", Body: `{"items":[{"product_id":424242,"quantity":3}],"shipping_address":"x"}`, Want: 422},
		{As: "kavya's browser", By: Cookie, Method: "DELETE", Path: "/v1/orders/{second}", Header: browser, Want: 204},
		{As: "kavya", Method: "GET", Path: "/v1/orders/{second}", Want: 404},
		{As: "kavya", Method: "DELETE", Path: "/v1/orders/{second}", Want: 404},
		{As: "kavya", Method: "GET", Path: "/v1/orders/887", Want: 404},
		{As: "kavya", Method: "PATCH", Path: "/v1/orders/888", Body: `{"note":""}`, Want: 404},
		{As: "kavya", Method: "DELETE", Path: "/v1/orders/424242", Want: 404},
		{As: "kavya", Method: "GET", Path: "/v1/orders?user_id=101", Want: 403},
		{As: "kavya", Method: "GET", Path: "/v1/orders?status=lost", Want: 400},
		{As: "priya", Method: "GET", Path: "/v1/orders?user_id=101&status=pending&limit=2", Want: 200},
		{As: "priya", Method: "GET", Path: "/v1/orders/887", Want: 200},
		{As: "priya", By: Cookie, Method: "GET", Path: "/v1/orders/887", Want: 200},
		{As: "priya", Method: "GET", Path: "/v1/orders/883/events", Want: 200},
		{As: "priya", Method: "GET", Path: "/v1/orders/424242/events", Want: 404},

		{As: "kavya", Method: "POST", Path: "/v1/orders/{order}/notify", Body: `{"url":"https://127.0.0.1:1/hook"}`, Want: 422}, // not a public address
		{As: "kavya", Method: "POST", Path: "/v1/orders/{order}/notify", Body: `{}`, Want: 400},

		// The account.
		{As: "priya", Method: "GET", Path: "/v1/account", Want: 200},
		{As: "asha", Method: "POST", Path: "/v1/account/transfers", Body: `{"to_user_id":{customer},"amount":100,"note":"welcome"}`, Want: 201, Save: map[string]string{"welcome": "Location"}},
		{As: "kavya", Method: "GET", Path: "/v1/account", Want: 200},
		{As: "kavya", Method: "POST", Path: "/v1/account/transfers", Body: `{"to_user_id":1,"amount":40.5}`, Want: 201, Save: map[string]string{"transfer": "Location"}},
		{As: "kavya", Method: "POST", Path: "/v1/account/transfers", Body: `{"from_user_id":{customer},"to_user_id":1,"amount":2}`, Want: 201, Save: map[string]string{"paid": "Location"}},
		{As: "kavya", Method: "GET", Path: "/v1/account/live", Want: 426},
		{As: "kavya", Method: "GET", Path: "/v1/account/transfers?limit=5", Want: 200},
		{As: "kavya", Method: "GET", Path: "/v1/account/transfers/{transfer}", Want: 200},
		{As: "asha", Method: "GET", Path: "/v1/account/transfers/{transfer}", Want: 200},
		{As: "sara", Method: "GET", Path: "/v1/account/transfers/{transfer}", Want: 404},
		{As: "kavya", Method: "POST", Path: "/v1/account/transfers", Body: `{"to_user_id":1,"amount":1000}`, Want: 409},
		{As: "kavya", Method: "POST", Path: "/v1/account/transfers", Body: `{"to_user_id":424242,"amount":1}`, Want: 422},
		{As: "kavya", Method: "POST", Path: "/v1/account/transfers", Body: `{"to_user_id":1,"amount":-1}`, Want: 400},
		{As: "kavya's browser", By: Cookie, Method: "POST", Path: "/v1/account/freeze", Header: browser, Want: 204},
		{As: "kavya", Method: "POST", Path: "/v1/account/transfers", Body: `{"to_user_id":1,"amount":1}`, Want: 409},
		{As: "kavya's browser", By: Cookie, Method: "POST", Path: "/v1/account/freeze", Want: 403}, // no Origin
		{As: "kavya's browser", By: Cookie, Method: "POST", Path: "/v1/account/freeze", Want: 403,
			Header: map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}},
		{As: "kavya", Method: "DELETE", Path: "/v1/account/freeze", Want: 204},
		{As: "kavya", Method: "POST", Path: "/v1/account/transfers", Body: `{"to_user_id":1,"amount":57.50,"note":"back"}`, Want: 201, Save: map[string]string{"back": "Location"}},
		{As: "kavya's browser", By: Cookie, Method: "GET", Path: "/v1/account/statement", Want: 200},

		// What customers say to each other.
		{As: "kavya", Method: "POST", Path: "/v1/reviews", Body: `{"product_id":2,"stars":5,"text":"Holds what it holds."}`, Want: 201, Save: map[string]string{"review": "Location"}},
		{As: "kavya", Method: "POST", Path: "/v1/reviews", Body: `{"product_id":424242,"stars":5,"text":"Of nothing."}`, Want: 422},
		{As: "kavya", Method: "POST", Path: "/v1/questions", Body: `{"product_id":2,"text":"Which size, {run}?"}`, Want: 201, Save: map[string]string{"question": "Location"}},
		{Method: "POST", Path: "/v1/reviews", Body: `{"product_id":2,"stars":1,"text":"Of nobody."}`, Want: 401},
		{Method: "GET", Path: "/v1/reviews?product_id=2&limit=500", Want: 200}, // 100 at most
		{Method: "GET", Path: "/v1/reviews?limit=0", Want: 400},
		{Method: "GET", Path: "/v1/reviews/{review}", Want: 200},
		{As: "priya", Method: "GET", Path: "/v1/reviews/{review}", Want: 200},
		{As: "swift", Method: "GET", Path: "/v1/reviews/1", Want: 200},
		{Method: "GET", Path: "/v1/reviews/424242", Want: 404},
		{As: "kavya", Method: "PATCH", Path: "/v1/reviews/{review}", Body: `{"stars":4}`, Want: 200},
		{As: "priya", Method: "PATCH", Path: "/v1/reviews/{review}", Body: `{"stars":1}`, Want: 403},
		{As: "priya", Method: "DELETE", Path: "/v1/reviews/{review}", Want: 403},
		{As: "kavya", Method: "DELETE", Path: "/v1/reviews/{review}", Want: 204},
		{As: "kavya", Method: "GET", Path: "/v1/reviews/{review}", Want: 404},
		{As: "priya", Method: "GET", Path: "/v1/questions/{question}", After: shows, Want: 200},
		{As: "priya", Method: "GET", Path: "/v1/questions?product_id=2&limit=5", Want: 200},
		{Method: "GET", Path: "/v1/questions", Want: 401},
		{As: "kavya", Method: "PATCH", Path: "/v1/questions/{question}", Body: `{"text":"Which colour, {run}?"}`, Want: 200},
		{As: "priya", Method: "PATCH", Path: "/v1/questions/{question}", Body: `{"text":"None?"}`, Want: 403},
		{As: "kavya", Method: "GET", Path: "/v1/questions/{question}", After: shows, Want: 200},
		{As: "priya", Method: "DELETE", Path: "/v1/questions/{question}", Want: 403},
		{As: "kavya", Method: "DELETE", Path: "/v1/questions/{question}", Want: 204},
		{As: "kavya", Method: "GET", Path: "/v1/questions/{question}", After: shows, Want: 404},

		// What customers wish for.
		{As: "kavya", Method: "POST", Path: "/v1/wishlists", Body: `{"title":"Of {run}"}`, Want: 201, Save: map[string]string{"wishlist": "Location"}},
		{As: "kavya", Method: "GET", Path: "/v1/wishlists", Want: 200},
		{As: "sara", Method: "GET", Path: "/v1/wishlists/{wishlist}", Want: 404},
		{As: "kavya", Method: "POST", Path: "/v1/wishlists/{wishlist}/readers", Body: `{"user_id":103}`, Want: 204},
		{As: "kavya", Method: "POST", Path: "/v1/wishlists/{wishlist}/readers", Body: `{"user_id":424242}`, Want: 422},
		{As: "sara", Method: "GET", Path: "/v1/wishlists/{wishlist}", Want: 200},
		{As: "sara", Method: "GET", Path: "/v1/wishlists", Want: 200},
		{As: "sara", Method: "PATCH", Path: "/v1/wishlists/{wishlist}", Body: `{"title":"Sara's"}`, Want: 403},
		{As: "rajan", Method: "GET", Path: "/v1/wishlists/{wishlist}", Want: 404},
		{As: "rajan", Method: "DELETE", Path: "/v1/wishlists/{wishlist}", Want: 404},
		{As: "kavya", Method: "PATCH", Path: "/v1/wishlists/{wishlist}", Body: `{"title":"Still of {run}","colour":"green"}`, Want: 200},
		{As: "kavya", Method: "DELETE", Path: "/v1/wishlists/{wishlist}", Want: 204},
		{As: "kavya", Method: "GET", Path: "/v1/wishlists/{wishlist}", Want: 200}, // when it was deleted
		{As: "sara", Method: "GET", Path: "/v1/wishlists/{wishlist}", Want: 404},
		{As: "kavya", Method: "POST", Path: "/v1/alerts", Body: `{"product_id":6}`, Want: 201, Save: map[string]string{"alert": "Location"}},
		{As: "kavya", Method: "GET", Path: "/v1/alerts", Want: 200},
		{As: "kavya", Method: "GET", Path: "/v1/alerts/{alert}", Want: 200},
		{As: "rajan", Method: "GET", Path: "/v1/alerts/{alert}", Want: 404},
		{As: "rajan", Method: "DELETE", Path: "/v1/alerts/{alert}", Want: 204}, // it is not rajan's, and stays
		{As: "kavya", Method: "GET", Path: "/v1/alerts/{alert}", Want: 200},
		{As: "kavya", Method: "DELETE", Path: "/v1/alerts/{alert}", Want: 204},
		{As: "kavya", Method: "DELETE", Path: "/v1/alerts/{alert}", Want: 204},
		{As: "kavya", Method: "GET", Path: "/v1/alerts/{alert}", Want: 404},
		{As: "kavya", Method: "PUT", Path: "/v1/cart", Body: `{"items":[{"product_id":2,"quantity":3}]}`, Want: 200},
		{As: "kavya", Method: "GET", Path: "/v1/cart", Want: 200},
		{As: "rajan", Method: "GET", Path: "/v1/cart", Want: 200},

		// Who customers are.
		{As: "kavya", Method: "GET", Path: "/v1/profiles/{customer}", Want: 200},
		{As: "kavya", Method: "GET", Path: "/v1/profiles/101", Want: 200},
		{As: "kavya", Method: "GET", Path: "/v1/profiles/424242", Want: 404},
		{As: "kavya", Method: "PUT", Path: "/v1/preferences", Body: `{"user_id":101,"language":"ml","newsletter":true}`, Want: 204}, // kavya's
		{As: "kavya", Method: "GET", Path: "/v1/preferences", Want: 200},
		{As: "kavya", Method: "GET", Path: "/v1/users/101/settings", Want: 200}, // kavya's
		{As: "priya", Method: "GET", Path: "/v1/preferences", Want: 200},

		// What is for everybody.
		{Method: "GET", Path: "/v1/home", Want: 200},
		{Method: "GET", Path: "/v1/home?lang=kn", Want: 200},
		{As: "kavya", Method: "GET", Path: "/v1/home", Want: 200},
		{Method: "GET", Path: "/v1/home", Header: map[string]string{"Authorization": "Bearer not-a-token"}, Want: 200},
		{Method: "GET", Path: "/v1/home?lang=fr", Want: 400},
		{Method: "GET", Path: "/v1/coupons/welcome10", Want: 200},
		{Method: "GET", Path: "/v1/coupons/NOTHING", Want: 404},
		{Method: "GET", Path: "/v1/tips/today", Want: 200},
		{Method: "GET", Path: "/v1/time", Want: 200},
		{Method: "GET", Path: "/v1/meta", Want: 200},
		{As: "kavya", Method: "POST", Path: "/v1/echo", Body: `{"is":"it","whole":[1,2,{"yes":true}]}`, Want: 200},
		{Method: "GET", Path: "/app/orders", Header: map[string]string{"Accept": "text/html"}, Want: 200},

		// The administrator.
		{As: "asha", Method: "GET", Path: "/v1/users?limit=3&offset=1", Want: 200},
		{As: "asha", Method: "GET", Path: "/v1/users/101", Want: 200},
		{As: "asha", Method: "PATCH", Path: "/v1/users/{customer}", Body: `{"plan":"premium"}`, Want: 200},
		{As: "asha", Method: "GET", Path: "/v1/orders?user_id=101&limit=2", Want: 200},
		{As: "asha", Method: "PATCH", Path: "/v1/orders/{order}", Body: `{"status":"shipped"}`, Want: 200},
		{As: "kavya", Method: "PATCH", Path: "/v1/orders/{order}", Body: `{"note":"too late"}`, Want: 409},
		{As: "asha", Method: "GET", Path: "/v1/admin/reports", Want: 200},
		{As: "priya", Method: "GET", Path: "/v1/admin/reports", Want: 403},
		{As: "asha", Method: "POST", Path: "/v1/products", Body: aNewLid, Want: 201, Save: map[string]string{"product": "Location"}},
		{As: "asha", Method: "PUT", Path: "/v1/products/{product}", Body: `{"name":"Lid {run}","description":"","price":13,"stock":0}`, Want: 200},
		{As: "asha", By: Cookie, Method: "PATCH", Path: "/v1/products/{product}", Header: browser, Body: `{"stock":4}`, Want: 200},
		{As: "priya", Method: "PUT", Path: "/v1/products/{product}", Body: aNewLid, Want: 403},
		{As: "priya", Method: "DELETE", Path: "/v1/products/424242", Want: 403},
		{Method: "GET", Path: "/v1/products/{product}", Want: 200},
		{As: "asha", Method: "DELETE", Path: "/v1/products/{product}", Want: 204},
		{As: "asha", Method: "GET", Path: "/v1/products/{product}", Want: 404},
		{As: "asha", Method: "PUT", Path: "/v1/products", Body: aNewLid, Want: 405},
		{As: "kavya", Method: "DELETE", Path: "/v1/users/{customer}", Want: 403},

		// Bodies with mistakes.
		{As: "kavya", Method: "POST", Path: "/v1/orders", Body: anOrder, Header: map[string]string{"Content-Type": "text/plain"}, Want: 415},
		{As: "kavya", Method: "POST", Path: "/v1/orders", Body: `{"items":[`, Want: 400},
		{As: "kavya", Method: "POST", Path: "/v1/orders", Body: `{"items":[{"product_id":1,"quantity":1}]}`, Want: 400},
		{As: "kavya", Method: "POST", Path: "/v1/orders", Body: `{"items":"all","shipping_address":"x"}`, Want: 400},
		{As: "kavya", Method: "POST", Path: "/v1/orders", Body: anOrder, Pad: 70 << 10, Want: 413},

		// Too many log-ins for one address.
		wrongPassword, wrongPassword, wrongPassword, wrongPassword, wrongPassword,
		{Method: "POST", Path: "/v1/login", Body: wrongPassword.Body, Want: 429},

		// Good-bye.
		{As: "kavya's browser", By: Cookie, Method: "DELETE", Path: "/v1/session", Header: browser, Want: 204},
		{As: "kavya's browser", By: Cookie, Method: "GET", Path: "/v1/me", Want: 401},
		{As: "asha", Method: "DELETE", Path: "/v1/users/{customer}", Want: 204},
		{As: "kavya", Method: "GET", Path: "/v1/me", Want: 401},
		{As: "asha", Method: "GET", Path: "/v1/users/{customer}", Want: 404},
	}
}
