package ledger

import "github.com/parley-project/parley/example/play"

func requestAttacks() []play.Attack {
	mine := play.Step{As: "carl", Method: "POST", Path: acmeMain + "/entries", Tells: true}
	body := func(s play.Step, text string) play.Step { s.Body = text; return s }
	return []play.Attack{
		{
			Flaw: "request-token-in-url", Name: "a token where logs and histories keep it",
			Title:   "GET /api/sessions/current?access_token=... as carl",
			Steps:   []play.Step{{As: "carl", By: play.InQuery, Method: "GET", Path: "/api/sessions/current", Tells: true}},
			Worked:  play.Got("accepted", func(r play.Response) bool { return r.Text("/data/subject") == "usr_carl" }),
			Stopped: play.Refused(400, 401, 403),
		},
		{
			Flaw: "request-content-type", Name: "an entry under the name of a form",
			Steps: []play.Step{{As: "carl", Method: "POST", Path: acmeMain + "/entries", Body: aTransfer, Tells: true,
				Header: map[string]string{"Content-Type": "text/plain"}}},
			Worked:  play.Got("accepted", play.Always),
			Stopped: play.Refused(415),
		},
		{
			Flaw: "request-mass-assignment", Name: "post an entry without an owner",
			Steps: []play.Step{
				carlsEntry,
				{As: "carl", Method: "PATCH", Path: acmeMain + entryOf, Header: mergePatch, Body: `{"status":"posted"}`, Tells: true},
				carlLooks,
			},
			Worked:  play.And(play.Got("posted", play.Always), play.LastSays("/data/status", "posted")),
			Stopped: play.And(play.Refused(400, 403, 422), play.LastSays("/data/status", "draft")),
		},
		{
			Flaw: "request-mass-assignment", Name: "book something in another's name",
			Steps: []play.Step{body(mine,
				`{"kind":"transfer","amount":"80.00","bookedAt":"2026-11-05T11:00:00Z","fromAccount":"bank","toAccount":"till","createdBy":"usr_cleo"}`)},
			Worked:  play.Got("by usr_cleo", func(r play.Response) bool { return r.Text("/data/createdBy") == "usr_cleo" }),
			Stopped: play.Refused(400, 403, 422),
		},
		{
			Flaw: "request-schema", Name: "pay a negative amount",
			Steps: []play.Step{body(mine,
				`{"kind":"payment","amount":"-900.00","bookedAt":"2026-11-05T10:00:00Z","counterparty":"Paper & Co","iban":"DK5000400440116243"}`)},
			Worked:  play.Got("booked", func(r play.Response) bool { return r.Text("/data/amount") == "-900.00" }),
			Stopped: play.Refused(400, 422),
		},
		{
			Flaw: "request-duplicate-member", Name: "one amount for the check, another for the book",
			Steps: []play.Step{body(mine,
				`{"kind":"transfer","amount":"1.00","amount":"9999.00","bookedAt":"2026-11-05T11:00:00Z","fromAccount":"bank","toAccount":"till"}`)},
			Worked:  play.Got("for 9999.00", func(r play.Response) bool { return r.Text("/data/amount") == "9999.00" }),
			Stopped: play.Refused(400),
		},
		{
			Flaw: "request-parameters", Name: "ask for a kind that does not exist",
			Steps:   []play.Step{{As: "carl", Method: "GET", Path: acmeMain + "/entries?kind=secret", Tells: true}},
			Worked:  play.Got("all kinds", func(r play.Response) bool { return r.Has("/data/0") }),
			Stopped: play.Refused(400, 422),
		},
		{
			Flaw: "request-page-size", Name: "the whole book on one page",
			Steps:   []play.Step{{As: "carl", Method: "GET", Path: acmeMain + "/entries?limit=100000", Tells: true}},
			Worked:  play.Got("all of it", func(r play.Response) bool { return r.Has("/data/0") }),
			Stopped: play.Refused(400, 422),
		},
		{
			Flaw: "request-method", Name: "delete one's employer",
			Steps:   []play.Step{{As: "carl", Method: "DELETE", Path: "/api/tenants/acme", Tells: true}},
			Worked:  play.Got("gone", play.Always),
			Stopped: play.And(play.Refused(405), func(a play.Answers) bool { return a.Telling().Header.Get("Allow") != "" }),
		},
		{
			Flaw: "request-undeclared-endpoint", Name: "find the page that was forgotten",
			Steps:   []play.Step{{Method: "GET", Path: "/ledger/api/internal/users", Tells: true}},
			Worked:  play.Got("found", func(r play.Response) bool { return r.Has("/data/0/passwordHash") }),
			Stopped: play.Refused(404),
		},
	}
}
