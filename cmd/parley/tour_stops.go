package main

import "github.com/parley-project/parley/example/shop"

// A tourStop is a step of the tour: a part of a call, the requests that show
// it, and why it matters.
type tourStop struct {
	title    string
	why      string
	facts    []int // numbers of the conversation
	checks   []string
	requests []tourRequest
}

// A tourRequest is asked on both sides, after what has to be there first.
type tourRequest struct {
	before []shop.Step // not shown
	step   shop.Step
	times  int // sends the step so often; the last answer is shown
	note   string
	// tell are the places of an answer that show what happened: header fields,
	// and JSON Pointers into the body.
	tell []string
	// versions asks once over each version of HTTP.
	versions bool
	// plain asks guard over HTTP without TLS.
	plain bool
}

var (
	tourOrder = shop.Step{As: "priya", Method: "POST", Path: "/v1/orders", Want: 201, Save: map[string]string{"order": "Location"},
		Body: `{"items":[{"product_id":2,"quantity":1}],"shipping_address":"12 Lake Road, Kochi"}`}
	tourCustomer = shop.Step{Method: "POST", Path: "/v1/users", Want: 201,
		Body: `{"email":"{run}@example.com","name":"Mallory","password":"a-long-secret-{run}"}`}
	tourLogin = shop.Step{Method: "POST", Path: "/v1/session", Save: map[string]string{"mallory": "cookie:session"},
		Body: `{"email":"{run}@example.com","password":"a-long-secret-{run}"}`}
	fromEvil = map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
)

// tourStops is the tour, through the parts of a call in their order.
var tourStops = []tourStop{
	{
		title: "Method: DELETE somebody else's order", facts: []int{7, 8, 9}, checks: []string{"authz-object-delete"},
		why: "A method that changes things has to ask whose they are: guard reads the order first, and compares its owner with the caller.",
		requests: []tourRequest{{before: []shop.Step{tourOrder}, note: "the order is priya's",
			step: shop.Step{As: "rajan", Method: "DELETE", Path: "/v1/orders/{order}"}}},
	},
	{
		title: "Method: one that is not offered", facts: []int{3, 8}, checks: []string{"request-method"},
		why: "Frameworks answer more methods than anybody thought about; what the contract does not name gets 405, and Allow says what is offered.",
		requests: []tourRequest{{before: []shop.Step{tourCustomer, tourLogin}, tell: []string{"/balance", "Allow"},
			step: shop.Step{As: "mallory", Method: "PATCH", Path: "/v1/account", Body: `{"balance":1000000}`}}},
	},
	{
		title: "URL and query: change the number", facts: []int{9, 26}, checks: []string{"authz-object", "authz-query-owner"},
		why: "That an order exists is not enough; whose it is decides. What is somebody else's looks as if it were not there.",
		requests: []tourRequest{
			{step: shop.Step{As: "rajan", Method: "GET", Path: "/v1/orders/887"}, tell: []string{"/user_id", "/shipping_address"}, note: "rajan is 102"},
			{step: shop.Step{As: "rajan", Method: "GET", Path: "/v1/orders?user_id=101&status=pending&limit=10"}, tell: []string{"/items/0/user_id"}},
		},
	},
	{
		title: "URL and query: a token in the URL", facts: []int{10, 17}, checks: []string{"request-token-in-url"},
		why:      "URLs are kept in logs, histories and Referer fields, and a token in one is read by whoever reads those.",
		requests: []tourRequest{{step: shop.Step{As: "rajan", By: shop.InQuery, Method: "GET", Path: "/v1/me"}, tell: []string{"/email", "WWW-Authenticate"}}},
	},
	{
		title: "Headers: Content-Type says what it is not", facts: []int{12, 13}, checks: []string{"request-content-type"},
		why: "Two programs that read one body in two ways can be played off against each other; and a form of another site can send text/plain.",
		requests: []tourRequest{{step: shop.Step{As: "meera", Method: "PATCH", Path: "/v1/users/104", Body: `{"phone":""}`,
			Header: map[string]string{"Content-Type": "text/plain"}}}},
	},
	{
		title: "Authentication: a token that nobody signed", facts: []int{11, 24, 52}, checks: []string{"authn-jwt-none"},
		why:      "Who lets the token say how it is signed believes what anybody wrote; guard binds each key to its algorithm and asks nothing of the token.",
		requests: []tourRequest{{step: shop.Step{As: "asha", By: shop.Unsigned, Method: "GET", Path: "/v1/me"}, tell: []string{"/role", "WWW-Authenticate"}}},
	},
	{
		title: "Authorization: a customer asks for the reports", facts: []int{25, 52}, checks: []string{"authz-function"},
		why:      "Known is not allowed: 401 asks who you are, 403 says that you may not, and the two are never swapped.",
		requests: []tourRequest{{step: shop.Step{As: "rajan", Method: "GET", Path: "/v1/admin/reports"}, tell: []string{"/revenue"}}},
	},
	{
		title: "Request body: register as an administrator", facts: []int{19, 20}, checks: []string{"request-mass-assignment"},
		why: "A body that is written into the row as it comes lets everybody set everything; only those the policy names may set role and plan.",
		requests: []tourRequest{{step: shop.Step{Method: "POST", Path: "/v1/users",
			Body: `{"email":"{run}@example.com","name":"Mallory","password":"a-long-secret-{run}","role":"admin","plan":"premium"}`}, tell: []string{"/role", "/plan"}}},
	},
	{
		title: "Status: 200, and an error inside", facts: []int{21, 28, 30}, checks: []string{"status-200-on-failure", "response-error-details"},
		why: "Whatever counts failures to see an attack counts the status; and a failure that shows its statement of SQL tells the attacker what to try next.",
		requests: []tourRequest{
			{step: shop.Step{As: "meera", Method: "POST", Path: "/v1/account/transfers", Body: `{"to_user_id":102,"amount":99000}`}, tell: []string{"/error", "/detail"}},
			{step: shop.Step{Method: "GET", Path: "/v1/products?q=%22steel"}, tell: []string{"/error", "/detail"}},
		},
	},
	{
		title: "Response headers: what the browser is told", facts: []int{31, 32, 33, 34, 35, 36},
		checks: []string{"response-content-type", "response-csp", "response-hsts", "response-nosniff", "response-frame-options", "response-cache-control"},
		why:    "Each line takes one thing away that a browser would do unasked; what the API set stays as it is.",
		requests: []tourRequest{{step: shop.Step{As: "rajan", Method: "GET", Path: "/v1/me", Host: "api.shop.example"},
			tell: []string{"Content-Type", "Content-Security-Policy", "Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options", "Cache-Control"}}},
	},
	{
		title: "Response body: the whole row", facts: []int{37, 53}, checks: []string{"response-excessive-data"},
		why:      "Everybody can look at what an answer carries; what the contract does not promise is cut out on the way.",
		requests: []tourRequest{{step: shop.Step{As: "rajan", Method: "GET", Path: "/v1/users/102"}, tell: []string{"/email", "/password_hash", "/credit_card", "/internal_notes"}}},
	},
	{
		title: "HTTP versions: 1.1, 2 and 3", facts: []int{39, 40, 41, 42}, checks: []string{"authz-object"},
		why:      "No version is secure by itself: the same question has the same answer over each.",
		requests: []tourRequest{{step: shop.Step{As: "rajan", Method: "GET", Path: "/v1/orders/887"}, versions: true}},
	},
	{
		title: "Cookies and tokens: a session cookie without its attributes", facts: []int{16, 18, 45, 46}, checks: []string{"client-cookie"},
		why: "A cookie goes along by itself: Secure keeps it off plain lines, HttpOnly away from scripts, SameSite out of other sites' requests.",
		requests: []tourRequest{{before: []shop.Step{tourCustomer}, tell: []string{"Set-Cookie"},
			step: shop.Step{Method: "POST", Path: "/v1/session", Body: tourLogin.Body}}},
	},
	{
		title: "CSRF and CORS: another site asks", facts: []int{45, 47}, checks: []string{"client-csrf", "client-cors"},
		why: "The browser sends the cookie for any page; Origin and Sec-Fetch-Site tell whose page it was, and only named origins may read.",
		requests: []tourRequest{
			{before: []shop.Step{tourCustomer, tourLogin}, tell: []string{"/frozen"},
				step: shop.Step{As: "mallory", By: shop.Cookie, Method: "POST", Path: "/v1/account/freeze", Header: fromEvil}},
			{step: shop.Step{As: "meera", By: shop.Cookie, Method: "GET", Path: "/v1/account", Header: fromEvil},
				tell: []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"}},
		},
	},
	{
		title: "Rate limit: guess the password", facts: []int{27, 30}, checks: []string{"authn-rate-limit"},
		why: "What may be tried without end is guessed in the end; 429 says stop, and Retry-After says until when.",
		requests: []tourRequest{{before: []shop.Step{tourCustomer}, times: 6, note: "the sixth guess in a minute", tell: []string{"Retry-After"},
			step: shop.Step{Method: "POST", Path: "/v1/session", Body: `{"email":"{run}@example.com","password":"a-guess"}`}}},
	},
	{
		title: "TLS: the call in clear", facts: []int{17, 33, 39, 51}, checks: []string{"tls-clear"},
		why: "A token that crossed the wire in clear is stolen, whatever is answered: it is refused and never sent on. Without one, a redirect does no harm.",
		requests: []tourRequest{
			{plain: true, step: shop.Step{As: "rajan", Method: "GET", Path: "/v1/me"}, tell: []string{"/email"}},
			{plain: true, step: shop.Step{Method: "GET", Path: "/v1/products/2"}, tell: []string{"/name", "Location"}},
		},
	},
}
