package ledger

import "github.com/parley-project/parley/example/play"

// Traps lists what is sound here and looks like a flaw. Nothing switches it;
// traps_test.go shows that each is there.
var Traps = []play.Trap{
	{ID: "rates-for-all", Title: "pages of any site may read what is public, without credentials", Check: "client-cors", Where: "GET /rates"},
	{ID: "notices-for-all", Title: "the users of all tenants see the same notices, with their authors", Check: "authz-object-list", Where: "GET /notices"},
	{ID: "notice-of-another", Title: "a user reads a notice that a user of another tenant wrote", Check: "authz-object", Where: "GET /notices/{notice}"},
	{ID: "answers-no", Title: "200, and inside it valid is false and error has words: the question was answered", Check: "status-200-on-failure", Where: "GET /iban-checks/{iban}"},
	{ID: "number-told-back", Title: "the account number that comes is the one that was sent", Check: "response-account-number", Where: "GET /iban-checks/{iban}"},
	{ID: "ignored-subject", Title: "204 to a body that names another, and one's own profile changes", Check: "authz-object-write", Where: "PUT /profile"},
	{ID: "same-address", Title: "one address is another object for everybody", Check: "authz-object", Where: "GET /profile"},
	{ID: "colleague-reads", Title: "colleagues of a tenant read each other's entries", Check: "authz-object", Where: "GET /tenants/{tenant}/books/{book}/entries/{entry}"},
	{ID: "auditor-reads", Title: "an auditor reads what he may not change", Check: "authz-object", Where: "GET /tenants/{tenant}/books/{book}/entries/{entry}"},
	{ID: "owner-changes", Title: "an owner changes the entries of his clerks", Check: "authz-object-write", Where: "PATCH /tenants/{tenant}/books/{book}/entries/{entry}"},
	{ID: "till-reads", Title: "a program of the tenant reads with a key what its users wrote", Check: "authz-object", Where: "GET /tenants/{tenant}/books/{book}/entries"},
	{ID: "own-tenant", Title: "the tenant may be named in the query, if it is one's own", Check: "authz-query-owner", Where: "GET /balances"},
	{ID: "amounts-in-text", Title: "amounts are text, and so are zeros", Check: "response-schema", Where: "GET /tenants/{tenant}/books/{book}/entries/{entry}"},
	{ID: "gone", Title: "410 to its own people for what was deleted, and 404 to others as ever", Check: "authz-existence", Where: "GET /tenants/{tenant}/books/{book}/entries/{entry}"},
	{ID: "no-such-version", Title: "428 to a change that names no version, of one's own entry", Check: "request-schema", Where: "PATCH /tenants/{tenant}/books/{book}/entries/{entry}"},
	{ID: "two-addresses", Title: "the same API under two base paths, both in its contract", Check: "request-undeclared-endpoint", Where: "GET /status"},
	{ID: "csrf-refused", Title: "403 to a change with a cookie that does not repeat the token, of the user's own", Check: "status-401-403", Where: "PUT /profile"},
	{ID: "csrf-readable", Title: "scripts may read the cookie against CSRF: they must", Check: "client-cookie", Where: "POST /sessions"},
	{ID: "masked-iban", Title: "account numbers are XXXX and four digits", Check: "response-account-number", Where: "GET /tenants/{tenant}/books/{book}/entries/{entry}"},
	{ID: "not-modified", Title: "304 without a body to who has it already", Check: "response-cache-control", Where: "GET /tenants/{tenant}/books/{book}"},
	{ID: "free-labels", Title: "labels of any name are kept: they mean nothing to the ledger", Check: "request-mass-assignment", Where: "POST /tenants/{tenant}/books/{book}/entries"},
}
