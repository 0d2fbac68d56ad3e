package ledger

import "github.com/parley-project/parley/example/play"

// Flaws lists every mistake the ledger can make, in the order of a call.
var Flaws = []play.Flaw{
	{ID: "request-token-in-url", Title: "a token in the query is accepted", Conversation: []int{10, 17}},
	{ID: "request-content-type", Title: "a body is read whatever its Content-Type says", Conversation: []int{12}},
	{ID: "request-mass-assignment", Title: "clerks may approve their own entries and write them in another's name", Conversation: []int{20}},
	{ID: "request-schema", Title: "amounts may be negative", Conversation: []int{19, 23}},
	{ID: "request-duplicate-member", Title: "of two equal members in the body the last one counts", Conversation: []int{19, 23}},
	{ID: "request-parameters", Title: "a kind that does not exist is taken for all", Conversation: []int{10, 23}},
	{ID: "request-page-size", Title: "a page may be as long as one likes", Conversation: []int{10}},
	{ID: "request-method", Title: "a method that is not offered is answered", Conversation: []int{8}},
	{ID: "request-undeclared-endpoint", Title: "a forgotten endpoint lists the users of all tenants", Conversation: []int{56}},

	{ID: "authn-missing", Title: "entries are given to anybody", Conversation: []int{11, 24, 52}},
	{ID: "authn-jwt-none", Title: "a token without a signature is accepted", Conversation: []int{11, 52}},
	{ID: "authn-jwt-expired", Title: "a token is good for ever", Conversation: []int{11, 18, 52}},
	{ID: "authn-jwt-audience", Title: "another API's token is accepted", Conversation: []int{11, 52}},
	{ID: "authn-invalid", Title: "a token with a forged signature is accepted", Conversation: []int{11, 52}},

	{ID: "authz-object", Title: "another tenant's entries can be read", Conversation: []int{9, 26}},
	{ID: "authz-object-write", Title: "another's entry can be changed", Conversation: []int{5, 6, 9}},
	{ID: "authz-object-delete", Title: "another's entry can be deleted", Conversation: []int{7, 8, 9}},
	{ID: "authz-query-owner", Title: "the tenant in the query is trusted", Conversation: []int{9}},
	{ID: "authz-method", Title: "PUT and DELETE on books ask for no role", Conversation: []int{8}},
	{ID: "authz-function", Title: "anybody of the tenant may see its members", Conversation: []int{25, 52}},

	{ID: "status-401-403", Title: "401 and 403 are swapped", Conversation: []int{24, 25}},
	{ID: "status-200-on-failure", Title: "failures are answered with 200 and an error in the envelope", Conversation: []int{21, 30}},

	{ID: "response-excessive-data", Title: "answers are whole rows", Conversation: []int{37, 53}},
	{ID: "response-error-details", Title: "500 tells the SQL error and the stack", Conversation: []int{28}},
	{ID: "response-content-type", Title: "JSON is sent as HTML", Conversation: []int{31}},
	{ID: "response-csp", Title: "no Content-Security-Policy", Conversation: []int{32}},
	{ID: "response-hsts", Title: "no Strict-Transport-Security", Conversation: []int{33}},
	{ID: "response-nosniff", Title: "no X-Content-Type-Options", Conversation: []int{34}},
	{ID: "response-frame-options", Title: "no X-Frame-Options", Conversation: []int{35}},
	{ID: "response-cache-control", Title: "no Cache-Control on private answers", Conversation: []int{36}},

	{ID: "client-cookie", Title: "the session cookie lacks its attributes", Conversation: []int{16, 18, 45}},
	{ID: "client-csrf", Title: "the token against CSRF is not compared", Conversation: []int{45}},
}
