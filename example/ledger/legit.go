package ledger

import "github.com/parley-project/parley/example/play"

// page are the headers that the ledger's own pages send with a change.
var page = map[string]string{"Origin": "{origin}", "Sec-Fetch-Site": "same-origin", "Cookie": "csrf={csrf}", "X-CSRF-Token": "{csrf}"}

// with adds header fields to some.
func with(some map[string]string, more ...string) map[string]string {
	out := map[string]string{}
	for k, v := range some {
		out[k] = v
	}
	for i := 0; i < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

// Legitimate is what honest clients do with the ledger, mistakes of theirs
// included, each with the status that the sound ledger answers. It makes the
// book, the entries and the member that it works with and deletes them again,
// so that it may be played any number of times, but not twice at once.
func Legitimate() []play.Step {
	const acme, work = "/api/tenants/acme", "/api/tenants/acme/books/b-{run}"
	const other = "/ledger" + work // the same behind the gateway
	version := func(v string) map[string]string { return map[string]string{"If-Match": v} }
	patch := func(v string) map[string]string {
		return map[string]string{"If-Match": v, "Content-Type": "application/merge-patch+json"}
	}
	replaced := `{"kind":"transfer","status":"posted","amount":"95.00","bookedAt":"2026-11-06T08:00:00+01:00","fromAccount":"bank","toAccount":"till","memo":null,"metadata":{"approved by":"olga"}}`
	return []play.Step{
		// Anybody.
		{Method: "GET", Path: "/api/status", Want: 200},
		{Method: "GET", Path: "/ledger/api/status", Want: 200},
		{Method: "GET", Path: "/api/signing-keys", Want: 200},
		{Method: "POST", Path: "/api/status", Want: 405},
		{Method: "GET", Path: "/api/nothing", Want: 404},
		{Method: "GET", Path: acme, Want: 401},
		{Method: "GET", Path: "/api/status", Header: map[string]string{"Accept": "text/csv"}, Want: 406},

		// The owner's browser.
		{Method: "POST", Path: "/api/sessions", Header: map[string]string{"Origin": "{origin}"}, Body: `{"email":"olga@acme.example","password":"wrong"}`, Want: 401},
		{Method: "POST", Path: "/api/sessions", Header: map[string]string{"Origin": "{origin}"}, Body: `{"email":"olga@acme.example"}`, Want: 400},
		{Method: "POST", Path: "/api/sessions", Header: map[string]string{"Origin": "{origin}"}, Body: `{"email":"olga@acme.example","password":"` + Password("olga") + `"}`, Want: 201,
			Save: map[string]string{"olga's browser": "cookie:ledger_session", "csrf": "cookie:csrf"}},
		{As: "olga's browser", By: play.Cookie, Method: "GET", Path: "/api/sessions/current", Want: 200},
		{As: "olga's browser", By: play.Cookie, Method: "GET", Path: acme, Want: 200},
		{As: "olga's browser", By: play.Cookie, Method: "PATCH", Path: acme, Header: with(page, "Content-Type", "application/merge-patch+json"), Body: `{"contact":null}`, Want: 200},
		{As: "olga's browser", By: play.Cookie, Method: "PATCH", Path: acme, Header: with(page, "Content-Type", "application/merge-patch+json"), Body: `{"contact":"+45 20 30 40 50"}`, Want: 200},
		{As: "olga's browser", By: play.Cookie, Method: "PATCH", Path: acme, Header: with(page, "Content-Type", "application/merge-patch+json"), Body: `{"plan":"solo"}`, Want: 400},
		{As: "olga's browser", By: play.Cookie, Method: "GET", Path: acme + "/members", Want: 200},
		{As: "olga's browser", By: play.Cookie, Method: "POST", Path: acme + "/books", Header: page, Want: 201,
			Body: `{"slug":"b-{run}","title":"Fair","currency":"EUR","metadata":{"year":"2026","city":"Aarhus"}}`},
		{As: "olga's browser", By: play.Cookie, Method: "POST", Path: acme + "/books", Header: page, Body: `{"slug":"b-{run}","title":"Fair","currency":"EUR"}`, Want: 409},
		{As: "olga's browser", By: play.Cookie, Method: "POST", Path: acme + "/books", Header: page, Body: `{"slug":"B","title":"Fair","currency":"EUR"}`, Want: 400},
		{As: "olga's browser", By: play.Cookie, Method: "GET", Path: acme + "/books", Want: 200},
		{As: "olga's browser", By: play.Cookie, Method: "GET", Path: work, Want: 200},
		{As: "olga's browser", By: play.Cookie, Method: "GET", Path: work, Header: map[string]string{"If-None-Match": `"1"`}, Want: 304},
		{As: "olga's browser", By: play.Cookie, Method: "PUT", Path: work, Header: page, Body: `{"title":"The fair","currency":"EUR"}`, Want: 428},
		{As: "olga's browser", By: play.Cookie, Method: "PUT", Path: work, Header: with(page, "If-Match", `"9"`), Body: `{"title":"The fair","currency":"EUR"}`, Want: 412},
		{As: "olga's browser", By: play.Cookie, Method: "PUT", Path: work, Header: with(page, "If-Match", `"1"`), Body: `{"title":"The fair","currency":"DKK","metadata":{}}`, Want: 200},
		{As: "olga's browser", By: play.Cookie, Method: "POST", Path: acme + "/members", Header: page, Want: 201, Save: map[string]string{"kim's ID": "/data/subject"},
			Body: `{"email":"{run}@acme.example","name":"Kim","password":"a-long-secret-{run}","role":"auditor"}`},
		{As: "olga's browser", By: play.Cookie, Method: "POST", Path: acme + "/members", Header: page, Want: 409,
			Body: `{"email":"{run}@acme.example","name":"Kim","password":"a-long-secret-{run}","role":"auditor"}`},

		// A clerk's program.
		{As: "carl", Method: "GET", Path: acme + "/members", Want: 403},
		{As: "carl", Method: "POST", Path: acme + "/books", Body: `{"slug":"c-{run}","title":"Mine","currency":"EUR"}`, Want: 403},
		{As: "carl", Method: "DELETE", Path: acme + "/books/no-such-book", Want: 403},
		{As: "carl", Method: "POST", Path: work + "/entries", Body: aPayment, Want: 201, Save: map[string]string{"first": "Location"}},
		{As: "carl", Method: "POST", Path: other + "/entries", Body: aTransfer, Want: 201, Save: map[string]string{"second": "Location"}},
		{As: "cleo", Method: "POST", Path: work + "/entries", Body: aTransfer, Want: 201, Save: map[string]string{"third": "Location"}},
		{As: "cleo", Method: "POST", Path: work + "/entries", Body: aTransfer, Want: 201, Save: map[string]string{"cleo's entry": "Location"}},
		{As: "acme-till", Method: "POST", Path: work + "/entries", Want: 201, Save: map[string]string{"fourth": "Location"},
			Body: `{"kind":"transfer","amount":"0.50","bookedAt":"2026-11-05T11:00:00Z","fromAccount":"till","toAccount":"bank","metadata":{"till":"3","a b/c~d":"free text"}}`},
		{As: "carl", Method: "GET", Path: work + "/entries/{first}", Want: 200},
		{As: "carl", Method: "HEAD", Path: work + "/entries/{first}", Want: 200},
		{As: "carl", Method: "GET", Path: work + "/entries/{first}", Header: map[string]string{"If-None-Match": `"1"`}, Want: 304},
		{As: "carl", Method: "GET", Path: other + "/entries/{first}", Want: 200},
		{As: "cleo", Method: "GET", Path: work + "/entries/{first}", Want: 200},
		{As: "anna", Method: "GET", Path: work + "/entries/{second}", Want: 200},
		{As: "carl", Method: "GET", Path: acme + "/books/main/entries/{first}", Want: 404}, // another book's
		{As: "carl", Method: "GET", Path: work + "/entries/6f1c1f0e-2d5a-4c1b-9d53-0a8b1f3f6aff", Want: 404},
		{As: "carl", Method: "GET", Path: work + "/entries/first", Want: 400},
		{As: "carl", Method: "GET", Path: work + "/entries?limit=3", Want: 200, Save: map[string]string{"next": "/meta/next"}},
		{As: "carl", Method: "GET", Path: work + "/entries?limit=3&cursor={next}", Want: 200},
		{As: "carl", Method: "GET", Path: other + "/entries?kind=payment", Want: 200},
		{As: "carl", Method: "GET", Path: work + "/entries?label=a+b/c~d", Want: 200},
		{As: "carl", Method: "GET", Path: work + "/entries?limit=51", Want: 400},
		{As: "carl", Method: "GET", Path: work + "/entries?kind=gift", Want: 400},
		{As: "carl", Method: "GET", Path: "/api/balances", Want: 200},
		{As: "carl", Method: "GET", Path: "/api/balances?tenant=acme", Want: 200},
		{As: "carl", Method: "GET", Path: "/api/balances?tenant=bluebird", Want: 403},

		// What is for all, and what is for each.
		{Method: "GET", Path: "/api/rates", Want: 200},
		{Method: "GET", Path: "/ledger/api/rates", Want: 200},
		{Method: "GET", Path: "/api/iban-checks/DK5000400440116243", Want: 200},
		{Method: "GET", Path: "/api/iban-checks/DK5000400440116244", Want: 200}, // it is not right
		{Method: "GET", Path: "/api/iban-checks/DK", Want: 400},
		{As: "carl", Method: "GET", Path: "/api/notices", Want: 200},
		{As: "bina", Method: "GET", Path: "/api/notices/0d5c1c36-7d0a-4b34-9a5e-6a1f5b0a9c02", Want: 200},
		{As: "bina", Method: "GET", Path: "/api/notices/0d5c1c36-7d0a-4b34-9a5e-6a1f5b0a9cff", Want: 404},
		{Method: "GET", Path: "/api/notices", Want: 401},
		{As: "carl", Method: "PUT", Path: "/api/profile", Body: `{"subject":"usr_cleo","displayName":"Carl J."}`, Want: 204}, // carl's
		{As: "carl", Method: "GET", Path: "/api/profile", Want: 200},
		{As: "cleo", Method: "GET", Path: "/api/profile", Want: 200},
		{As: "olga's browser", By: play.Cookie, Method: "PUT", Path: "/api/profile", Header: page, Body: `{"displayName":"O."}`, Want: 204},
		{As: "olga's browser", By: play.Cookie, Method: "PUT", Path: "/api/profile", Body: `{"displayName":"Nobody"}`, Want: 403}, // no X-CSRF-Token

		// Changes of entries.
		{As: "carl", Method: "PATCH", Path: work + "/entries/{first}", Header: patch(`"1"`), Body: `{"amount":"13.00","memo":null,"metadata":{"vat":"25"}}`, Want: 200},
		{As: "carl", Method: "PATCH", Path: work + "/entries/{first}", Header: patch(`"1"`), Body: `{"amount":"14.00"}`, Want: 412},
		{As: "carl", Method: "PATCH", Path: work + "/entries/{first}", Header: map[string]string{"Content-Type": "application/merge-patch+json"}, Body: `{"amount":"14.00"}`, Want: 428},
		{As: "carl", Method: "PATCH", Path: work + "/entries/{first}", Header: patch(`"2"`), Body: `{"metadata":{"vat":null,"note":"checked"}}`, Want: 200},
		{As: "carl", Method: "PATCH", Path: work + "/entries/{first}", Header: version(`"3"`), Body: `{"amount":"14.00"}`, Want: 415}, // application/json
		{As: "carl", Method: "PATCH", Path: work + "/entries/{first}", Header: patch(`"3"`), Body: `{"status":"posted"}`, Want: 403},
		{As: "carl", Method: "PATCH", Path: work + "/entries/{first}", Header: patch(`"3"`), Body: `{"amount":14}`, Want: 400},
		{As: "carl", Method: "PATCH", Path: work + "/entries/{cleo's entry}", Header: patch(`"1"`), Body: `{"amount":"14.00"}`, Want: 403},
		{As: "carl", Method: "PUT", Path: work + "/entries/{second}", Header: version(`"1"`), Want: 200,
			Body: `{"kind":"payment","amount":"80.00","bookedAt":"2026-11-05T11:00:00Z","counterparty":"Fair Ltd","iban":"DE89370400440532013000"}`},
		{As: "carl", Method: "PUT", Path: work + "/entries/{second}", Header: version(`"2"`), Body: `{"kind":"payment","amount":"80.00","bookedAt":"2026-11-05T11:00:00Z","fromAccount":"bank","toAccount":"till"}`, Want: 400},
		{As: "carl", Method: "PUT", Path: work + "/entries/{second}", Body: aTransfer, Want: 428},
		{As: "olga", Method: "PUT", Path: work + "/entries/{second}", Header: version(`"2"`), Body: replaced, Want: 200},
		{As: "carl", Method: "PUT", Path: work + "/entries/{second}", Header: version(`"3"`), Body: replaced, Want: 403},
		{As: "olga's browser", By: play.Cookie, Method: "PATCH", Path: other + "/entries/{third}", Header: with(page, "If-Match", `"1"`, "Content-Type", "application/merge-patch+json"), Body: `{"status":"posted"}`, Want: 200},
		{As: "acme-till", Method: "PATCH", Path: work + "/entries/{fourth}", Header: patch("*"), Body: `{"memo":"two coins"}`, Want: 200},
		{As: "acme-till", Method: "GET", Path: acme + "/books", Want: 200},
		{As: "acme-till", Method: "GET", Path: acme + "/members", Want: 403},
		{As: "anna", Method: "POST", Path: work + "/entries", Body: aTransfer, Want: 403},
		{As: "anna", Method: "GET", Path: acme + "/members", Want: 200},
		{As: "carl", Method: "POST", Path: work + "/entries", Body: `{"kind":"gift","amount":"1.00","bookedAt":"2026-11-05T11:00:00Z"}`, Want: 400},
		{As: "carl", Method: "POST", Path: work + "/entries", Body: `{"kind":"transfer"`, Want: 400},
		{As: "carl", Method: "OPTIONS", Path: work + "/entries", Want: 204},

		// Another tenant sees nothing of it.
		{As: "bina", Method: "GET", Path: "/api/tenants/bluebird", Want: 200},
		{As: "bina", Method: "GET", Path: "/api/tenants/bluebird/books/main/entries", Want: 200},
		{As: "bina", Method: "GET", Path: acme, Want: 404},
		{As: "bina", Method: "GET", Path: work + "/entries/{first}", Want: 404},
		{As: "bluebird-till", Method: "GET", Path: work + "/entries", Want: 404},
		{As: "bluebird-till", Method: "GET", Path: "/api/balances", Want: 200},
		{As: "boris", Method: "DELETE", Path: work + "/entries/{cleo's entry}", Want: 404},
		{Method: "GET", Path: work, Header: map[string]string{"Ledger-Key": "lk-OFLASTYEAR"}, Want: 401},

		// What was deleted is gone; what was closed stays.
		{As: "carl", Method: "DELETE", Path: work + "/entries/{cleo's entry}", Want: 403},
		{As: "carl", Method: "DELETE", Path: work + "/entries/{first}", Want: 204},
		{As: "carl", Method: "GET", Path: work + "/entries/{first}", Want: 410},
		{As: "carl", Method: "DELETE", Path: work + "/entries/{first}", Want: 410},
		{As: "carl", Method: "PATCH", Path: work + "/entries/{first}", Header: patch("*"), Body: `{"memo":"too late"}`, Want: 410},
		{As: "olga", Method: "POST", Path: work + "/closings", Body: `{"period":"2026-11"}`, Want: 202, Save: map[string]string{"job": "Location"}},
		{As: "olga", Method: "GET", Path: acme + "/jobs/{job}", Want: 200},
		{As: "boris", Method: "GET", Path: "/api/tenants/bluebird/jobs/{job}", Want: 404},
		{As: "olga", Method: "POST", Path: work + "/closings", Body: `{"period":"2026-11"}`, Want: 409},
		{As: "carl", Method: "POST", Path: work + "/entries", Body: aTransfer, Want: 409},

		// Good-bye.
		{As: "olga's browser", By: play.Cookie, Method: "DELETE", Path: acme + "/members/{kim's ID}", Header: page, Want: 204},
		{As: "olga's browser", By: play.Cookie, Method: "DELETE", Path: acme + "/members/{kim's ID}", Header: page, Want: 404},
		{As: "olga's browser", By: play.Cookie, Method: "DELETE", Path: work, Header: page, Want: 204},
		{As: "olga", Method: "GET", Path: work, Want: 410},
		{As: "olga's browser", By: play.Cookie, Method: "DELETE", Path: "/api/sessions/current", Header: page, Want: 204},
		{As: "olga's browser", By: play.Cookie, Method: "GET", Path: "/api/sessions/current", Want: 401},
	}
}
