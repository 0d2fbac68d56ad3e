package ledger

import (
	"fmt"

	"github.com/parley-project/parley/example/play"
)

func responseAttacks() []play.Attack {
	header := func(flaw, name string, s play.Step) play.Attack {
		s.Tells = true
		return play.Attack{
			Flaw: flaw, Name: "do without " + name,
			Title:   s.Method + " " + s.Path + ": " + name,
			Steps:   []play.Step{s},
			Worked:  play.Got("missing", func(r play.Response) bool { return r.Header.Get(name) == "" }),
			Stopped: play.Got("repaired", func(r play.Response) bool { return r.Header.Get(name) != "" }),
		}
	}
	session := play.Step{As: "carl", Method: "GET", Path: "/api/sessions/current"}
	named := session
	named.Host = "ledger.example" // of a local name HSTS would be wrong
	return []play.Attack{
		{
			Flaw: "status-401-403", Name: "learn nothing from the refusal of nobody",
			Steps:   []play.Step{{Method: "GET", Path: "/api/sessions/current", Tells: true}},
			Worked:  play.Status(403, "swapped"),
			Stopped: play.And(play.Status(401, "right"), func(a play.Answers) bool { return a.Telling().Header.Get("WWW-Authenticate") != "" }),
		},
		{
			Flaw: "status-401-403", Name: "learn nothing from the refusal of an auditor",
			Steps: []play.Step{{As: "anna", Method: "POST", Path: "/api/tenants/acme/books", Tells: true,
				Body: `{"slug":"b-{run}","title":"A book","currency":"EUR"}`}},
			Worked:  play.Status(401, "swapped"),
			Stopped: play.Status(403, "right"),
		},
		{
			Flaw: "status-200-on-failure", Name: "change what somebody has changed since",
			Steps: []play.Step{carlsEntry,
				{As: "carl", Method: "PATCH", Path: acmeMain + entryOf, Body: `{"amount":"13.00"}`, Tells: true,
					Header: map[string]string{"Content-Type": "application/merge-patch+json", "If-Match": `"7"`}}},
			Worked: func(a play.Answers) (bool, string) {
				return a.Telling().Status == 200 && a.Telling().Has("/error"), "200 with an error"
			},
			Stopped: func(a play.Answers) (bool, string) {
				return a.Telling().Status == 412, fmt.Sprintf("%d repaired", a.Telling().Status)
			},
		},
		{
			Flaw: "response-excessive-data", Name: "read the account that is shown masked",
			Steps: []play.Step{{As: "carl", Method: "GET", Path: acmeMain + "/entries/" + AnEntry, Tells: true}},
			Worked: play.Got("whole row", func(r play.Response) bool {
				return r.Text("/data/iban") == "DK5000400440116243" && r.Has("/data/rowVersion")
			}),
			Stopped: play.Filtered("data/ibanMasked", "iban", "rowVersion", "deleted"),
		},
		{
			Flaw: "response-excessive-data", Name: "the same in a list",
			Steps:   []play.Step{{As: "carl", Method: "GET", Path: acmeMain + "/entries?limit=3", Tells: true}},
			Worked:  play.Got("whole rows", func(r play.Response) bool { return r.Has("/data/0/iban") && r.Has("/data/1/rowVersion") }),
			Stopped: play.Filtered("data/1/fromAccount", "iban", "rowVersion", "deleted"),
		},
		{
			Flaw: "response-excessive-data", Name: "read the colleagues' password hashes",
			Steps:   []play.Step{{As: "anna", Method: "GET", Path: "/api/tenants/acme/members", Tells: true}},
			Worked:  play.Got("whole rows", func(r play.Response) bool { return r.Has("/data/0/passwordHash") }),
			Stopped: play.Filtered("data/0/email", "passwordHash"),
		},
		{
			Flaw: "response-error-details", Name: "break the filter by label",
			Steps: []play.Step{{As: "carl", Method: "GET", Path: acmeMain + "/entries?label=%5B", Tells: true}},
			Worked: func(a play.Answers) (bool, string) {
				r := a.Telling()
				return r.Status == 500 && play.Contains(r, "json_extract") && play.Contains(r, "goroutine"), "500 with the SQL"
			},
			Stopped: func(a play.Answers) (bool, string) {
				r := a.Telling()
				return !play.Contains(r, "json_extract") && !play.Contains(r, "goroutine"), fmt.Sprintf("%d repaired", r.Status)
			},
		},
		{
			Flaw: "response-content-type", Name: "have a memo run as a page",
			Steps:   []play.Step{{As: "carl", Method: "GET", Path: acmeMain + "/entries/" + AnEntry, Tells: true}},
			Worked:  play.Got("as text/html", func(r play.Response) bool { return play.MediaType(r) == "text/html" }),
			Stopped: play.Got("repaired", func(r play.Response) bool { return play.MediaType(r) == "application/json" }),
		},
		header("response-csp", "Content-Security-Policy", session),
		header("response-hsts", "Strict-Transport-Security", named),
		header("response-nosniff", "X-Content-Type-Options", session),
		header("response-frame-options", "X-Frame-Options", session),
		header("response-cache-control", "Cache-Control", session),
	}
}

func clientAttacks() []play.Attack {
	login := play.Step{Method: "POST", Path: "/api/sessions", Want: 201, Save: map[string]string{"carl's browser": "cookie:ledger_session", "csrf": "cookie:csrf"},
		Body: `{"email":"carl@acme.example","password":"` + Password("carl") + `"}`}
	loginTells := login
	loginTells.Tells = true
	return []play.Attack{
		{
			Flaw: "client-cookie", Name: "take the cookie with a script, a clear line or a form",
			Steps:  []play.Step{loginTells},
			Worked: play.Got("bare cookie", func(r play.Response) bool { return play.Lacking(r, "ledger_session") == "Secure HttpOnly SameSite" }),
			// The other cookie is for scripts: a repair that hid it would break every page.
			Stopped: play.Got("repaired", func(r play.Response) bool {
				return play.Lacking(r, "ledger_session") == "" && play.Lacking(r, "csrf") == "HttpOnly"
			}),
		},
		{
			Flaw: "client-csrf", Name: "a page that deletes an entry of whoever opens it",
			Title: "DELETE an entry from evil.example, cookie",
			Steps: []play.Step{
				carlsEntry, login,
				// The browser sends both cookies by itself; the header is what the page cannot know.
				{As: "carl's browser", By: play.Cookie, Method: "DELETE", Path: acmeMain + entryOf, Tells: true,
					Header: map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Cookie": "csrf={csrf}"}},
				carlLooks,
			},
			Worked:  play.And(play.Got("gone", play.Always), func(a play.Answers) bool { return !play.Succeeded(a.Last()) }),
			Stopped: play.And(play.Refused(403), func(a play.Answers) bool { return play.Succeeded(a.Last()) }),
		},
	}
}
