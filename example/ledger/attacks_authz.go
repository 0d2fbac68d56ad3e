package ledger

import (
	"fmt"

	"github.com/parley-project/parley/example/play"
)

func authzAttacks() []play.Attack {
	changed := play.And(play.Got("changed", play.Always), play.LastSays("/data/amount", "0.01"))
	kept := play.And(play.Refused(403, 404), play.LastSays("/data/amount", "12.50"))
	gone := play.And(play.Got("gone", play.Always), func(a play.Answers) bool { return !play.Succeeded(a.Last()) })
	stays := play.And(play.Refused(401, 403, 404), func(a play.Answers) bool { return play.Succeeded(a.Last()) })
	read := play.Got("read", func(r play.Response) bool { return r.Text("/data/tenant") == "acme" && r.Has("/data/counterparty") })
	patch := func(as, path string) []play.Step {
		return []play.Step{carlsEntry, {As: as, Method: "PATCH", Path: path, Header: mergePatch, Body: `{"amount":"0.01"}`, Tells: true}, carlLooks}
	}
	remove := func(as, path string) []play.Step {
		return []play.Step{carlsEntry, {As: as, Method: "DELETE", Path: path, Tells: true}, carlLooks}
	}
	aBook := play.Step{As: "olga", Method: "POST", Path: "/api/tenants/acme/books", Want: 201, Save: map[string]string{"book": "Location"},
		Body: `{"slug":"b-{run}","title":"A book","currency":"EUR"}`}
	return []play.Attack{
		{
			Flaw: "authz-object", Name: "read another tenant's entry",
			Steps:  []play.Step{{As: "bina", Method: "GET", Path: acmeMain + "/entries/" + AnEntry, Tells: true}},
			Worked: read, Stopped: play.Refused(403, 404),
		},
		{
			Flaw: "authz-object", Name: "read it under one's own tenant's path",
			Steps:  []play.Step{{As: "bina", Method: "GET", Path: blueMain + "/entries/" + AnEntry, Tells: true}},
			Worked: read, Stopped: play.Refused(403, 404),
		},
		{
			Flaw: "authz-object", Name: "list another tenant's entries with an API key",
			Steps:   []play.Step{{As: "bluebird-till", Method: "GET", Path: acmeMain + "/entries?limit=5", Tells: true}},
			Worked:  play.Got("listed", func(r play.Response) bool { return r.Text("/data/0/tenant") == "acme" }),
			Stopped: play.Refused(403, 404),
		},
		{
			Flaw: "authz-object-write", Name: "change another tenant's entry",
			Steps: patch("bina", acmeMain+entryOf), Worked: changed, Stopped: kept,
		},
		{
			Flaw: "authz-object-write", Name: "change it under one's own tenant's path",
			Steps: patch("bina", blueMain+entryOf), Worked: changed, Stopped: kept,
		},
		{
			Flaw: "authz-object-write", Name: "change a colleague's entry",
			Steps: patch("cleo", acmeMain+entryOf), Worked: changed, Stopped: kept,
		},
		{
			Flaw: "authz-object-write", Name: "replace another tenant's entry",
			Steps: []play.Step{carlsEntry,
				{As: "boris", Method: "PUT", Path: acmeMain + entryOf, Header: map[string]string{"If-Match": "*"}, Tells: true,
					Body: `{"kind":"payment","amount":"0.01","bookedAt":"2026-11-05T10:00:00Z","counterparty":"Boris","iban":"DE75512108001245126199"}`},
				carlLooks},
			Worked: changed, Stopped: kept,
		},
		{
			Flaw: "authz-object-delete", Name: "delete another tenant's entry",
			Steps: remove("boris", acmeMain+entryOf), Worked: gone, Stopped: stays,
		},
		{
			Flaw: "authz-object-delete", Name: "delete it under one's own tenant's path",
			Steps: remove("boris", blueMain+entryOf), Worked: gone, Stopped: stays,
		},
		{
			Flaw: "authz-object-delete", Name: "delete a colleague's entry",
			Steps: remove("cleo", acmeMain+entryOf), Worked: gone, Stopped: stays,
		},
		{
			Flaw: "authz-query-owner", Name: "ask for another tenant's balances",
			Steps:  []play.Step{{As: "bina", Method: "GET", Path: "/api/balances?tenant=acme", Tells: true}},
			Worked: play.Got("read", func(r play.Response) bool { return r.Text("/data/0/tenant") == "acme" }),
			Stopped: play.Either(play.Refused(403, 404), func(a play.Answers) (bool, string) {
				r := a.Telling()
				return play.Succeeded(r) && !play.Contains(r, "acme"), fmt.Sprintf("%d filtered", r.Status)
			}),
		},
		{
			Flaw: "authz-method", Name: "delete a book as a clerk",
			Steps: []play.Step{aBook,
				{As: "carl", Method: "DELETE", Path: "/api/tenants/acme/books/{book}", Tells: true},
				{As: "olga", Method: "GET", Path: "/api/tenants/acme/books/{book}"}},
			Worked: gone, Stopped: stays,
		},
		{
			Flaw: "authz-method", Name: "rename a book as an auditor",
			Steps: []play.Step{aBook,
				{As: "anna", Method: "PUT", Path: "/api/tenants/acme/books/{book}", Header: map[string]string{"If-Match": "*"}, Body: `{"title":"Mine","currency":"USD"}`, Tells: true},
				{As: "olga", Method: "GET", Path: "/api/tenants/acme/books/{book}"}},
			Worked:  play.And(play.Got("renamed", play.Always), play.LastSays("/data/title", "Mine")),
			Stopped: play.And(play.Refused(401, 403), play.LastSays("/data/title", "A book")),
		},
		{
			Flaw: "authz-function", Name: "list the members as a clerk",
			Steps:   []play.Step{{As: "carl", Method: "GET", Path: "/api/tenants/acme/members", Tells: true}},
			Worked:  play.Got("listed", func(r play.Response) bool { return r.Has("/data/0/email") }),
			Stopped: play.Refused(401, 403),
		},
	}
}
