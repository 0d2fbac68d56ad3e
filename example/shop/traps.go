package shop

import "github.com/parley-project/parley/example/play"

// Traps lists what is sound here and looks like a flaw. Nothing switches it;
// traps_test.go shows that each is there.
var Traps = []play.Trap{
	{ID: "public-review", Title: "anybody may read a review that names its author", Check: "authz-object", Where: "GET /v1/reviews/{id}"},
	{ID: "reviews-of-all", Title: "the list has everybody's reviews, with their authors", Check: "authz-object-list", Where: "GET /v1/reviews"},
	{ID: "review-of-another", Title: "another's review answers 403 to a change, since that it is there is no secret", Check: "authz-existence", Where: "PATCH /v1/reviews/{id}"},
	{ID: "view-counter", Title: "each GET counts a view in the answer", Check: "request-get-changes", Where: "GET /v1/reviews/{id}"},
	{ID: "clamped-limit", Title: "a million is asked for and at most a hundred are sent", Check: "request-page-size", Where: "GET /v1/reviews"},
	{ID: "questions-of-all", Title: "whoever is logged in sees everybody's questions", Check: "authz-object-list", Where: "GET /v1/questions"},
	{ID: "question-not-yet", Title: "what was just written is not there for 200 ms, as if somebody had deleted it", Check: "authz-object-delete", Where: "GET /v1/questions/{id}"},
	{ID: "question-still", Title: "what was just changed reads as before for 200 ms, as if somebody had changed it back", Check: "authz-object-write", Where: "GET /v1/questions/{id}"},

	{ID: "shared-list", Title: "a wishlist is read by somebody whom its owner shows it to", Check: "authz-object", Where: "GET /v1/wishlists/{id}"},
	{ID: "told-back", Title: "members that are not known are told back and not kept", Check: "request-mass-assignment", Where: "PATCH /v1/wishlists/{id}"},
	{ID: "tombstone", Title: "a deleted wishlist answers 200 to its owner, without what was in it", Check: "status-200-on-failure", Where: "GET /v1/wishlists/{id}"},
	{ID: "delete-whatever", Title: "204 to the deletion of anything, and another's stays", Check: "authz-object-delete", Where: "DELETE /v1/alerts/{id}"},
	{ID: "own-cart", Title: "the same address and ID is another object for everybody", Check: "authz-object", Where: "GET /v1/cart"},

	{ID: "public-profile", Title: "another's profile has a name, and e-mail and phone only for oneself", Check: "authz-object", Where: "GET /v1/profiles/{id}"},
	{ID: "masked-email", Title: "another's e-mail address is masked", Check: "response-excessive-data", Where: "GET /v1/profiles/{id}"},
	{ID: "ignored-id", Title: "the ID in the path is not looked at: one's own settings come", Check: "authz-object", Where: "GET /v1/users/{id}/settings"},
	{ID: "ignored-owner", Title: "204 to a body that names another, and one's own settings change", Check: "authz-body-owner", Where: "PUT /v1/preferences"},
	{ID: "own-contact", Title: "one's own e-mail address and phone are declared and sent", Check: "response-excessive-data", Where: "GET /v1/me"},

	{ID: "optional-login", Title: "nobody gets the same page, without a greeting by name", Check: "authn-missing", Where: "GET /v1/home"},
	{ID: "stale-token", Title: "a bad token counts as nobody where nobody is welcome", Check: "authn-invalid", Where: "GET /v1/home"},
	{ID: "lang-cookie", Title: "a cookie for scripts to read, which is no credential", Check: "client-cookie", Where: "GET /v1/home"},
	{ID: "own-origin", Title: "one named origin may read the page, and none that resembles it", Check: "client-cors", Where: "GET /v1/home"},
	{ID: "hollow-404", Title: "404 with a body of the same form as success", Check: "request-undeclared-endpoint", Where: "GET /v1/coupons/{code}"},
	{ID: "quoted-input", Title: "a refusal quotes what was asked for, as JSON", Check: "request-injection", Where: "GET /v1/coupons/{code}"},
	{ID: "quote-in-search", Title: "a search for a quotation mark finds nothing, and breaks nothing", Check: "request-injection", Where: "GET /v1/products"},
	{ID: "random-answer", Title: "another body each time", Check: "request-injection", Where: "GET /v1/tips/today"},
	{ID: "random-delay", Title: "up to 50 ms of delay, by chance", Check: "request-injection", Where: "GET /v1/tips/today"},
	{ID: "random-reference", Title: "each refusal has a number of its own", Check: "authn-enumeration", Where: "POST /v1/login"},
	{ID: "moving-clock", Title: "the answer depends on when one asks", Check: "request-injection", Where: "GET /v1/time"},
	{ID: "like-secrets", Title: "hashes, identifiers and a certificate that are public, a card number that is none", Check: "response-excessive-data", Where: "GET /v1/meta"},
	{ID: "public-keys", Title: "keys that are for everybody", Check: "response-excessive-data", Where: "GET /.well-known/jwks.json"},
	{ID: "echo", Title: "whatever members are sent come back, and nothing keeps them", Check: "request-mass-assignment", Where: "POST /v1/echo"},
	{ID: "page-for-all", Title: "every path below /app/ answers with one page", Check: "request-undeclared-endpoint", Where: "GET /app/{page}"},
	{ID: "version-gone", Title: "version 0 answers, 410 to all but products", Check: "request-old-version", Where: "GET /v0/users/{id}"},
	{ID: "version-moved", Title: "products of version 0 redirect to their place in version 1", Check: "status-redirect", Where: "GET /v0/products/{id}"},

	{ID: "masked-account", Title: "the account number is XXXX and four digits", Check: "response-account-number", Where: "GET /v1/account"},
	{ID: "two-sides", Title: "a transfer is read by its payer and its payee", Check: "authz-object", Where: "GET /v1/account/transfers/{id}"},
	{ID: "own-payer", Title: "the payer may be named in the body, if it is oneself", Check: "authz-body-owner", Where: "POST /v1/account/transfers"},
	{ID: "own-user-id", Title: "the user may be named in the query, if it is oneself", Check: "authz-query-owner", Where: "GET /v1/orders"},
	{ID: "administrator-reads", Title: "an administrator reads everybody's orders", Check: "authz-object", Where: "GET /v1/orders/{id}"},
	{ID: "courier-reads", Title: "a courier's program reads the status of the order that it carries", Check: "authz-object", Where: "GET /v1/orders/{id}/status"},
	{ID: "log-in-refused", Title: "401 to a wrong password, and a token would not help", Check: "status-401-403", Where: "POST /v1/login"},
	{ID: "log-in-limited", Title: "429 to the sixth try for an address, whether it has an account or not", Check: "authn-enumeration", Where: "POST /v1/login"},
	{ID: "origin-refused", Title: "403 to a change with a cookie and no Origin, of the user's own account", Check: "status-401-403", Where: "POST /v1/account/freeze"},
	{ID: "override-ignored", Title: "a method in a header is not looked at: 200 to the GET", Check: "request-method-override", Where: "GET /v1/products/{id}"},
	{ID: "given-twice", Title: "a parameter that is given twice is refused", Check: "request-parameters", Where: "GET /v1/products"},
	{ID: "accept-anything", Title: "JSON to a browser, whose Accept ends in anything", Check: "request-accept", Where: "GET /v1/products/{id}"},
	{ID: "head-and-options", Title: "HEAD and OPTIONS are answered wherever GET is", Check: "request-method", Where: "GET /v1/account"},
	{ID: "public-cache", Title: "what is everybody's may be kept by shared caches, for nobody", Check: "response-cache-public", Where: "GET /v1/products"},
}
