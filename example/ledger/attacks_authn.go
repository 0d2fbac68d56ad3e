package ledger

import "github.com/parley-project/parley/example/play"

func authnAttacks() []play.Attack {
	pretend := func(flaw, name string, by play.Proof) play.Attack {
		return play.Attack{
			Flaw: flaw, Name: name,
			Steps:   []play.Step{{As: "olga", By: by, Method: "GET", Path: "/api/tenants/acme/members", Tells: true}},
			Worked:  play.Got("believed", func(r play.Response) bool { return r.Has("/data/0/email") }),
			Stopped: play.Refused(401),
		}
	}
	return []play.Attack{
		{
			Flaw: "authn-missing", Name: "read an entry without a word",
			Steps:   []play.Step{{Method: "GET", Path: acmeMain + "/entries/" + AnEntry, Tells: true}},
			Worked:  play.Got("read", func(r play.Response) bool { return r.Has("/data/amount") }),
			Stopped: play.Refused(401),
		},
		{
			Flaw: "authn-missing", Name: "page through the book under the other base path",
			Steps:   []play.Step{{Method: "GET", Path: "/ledger" + acmeMain + "/entries?limit=2", Tells: true}},
			Worked:  play.Got("listed", func(r play.Response) bool { return r.Has("/data/0/amount") }),
			Stopped: play.Refused(401),
		},
		pretend("authn-jwt-none", "be the owner without a signature", play.Unsigned),
		pretend("authn-invalid", "be the owner with another key", play.OtherKey),
		pretend("authn-jwt-expired", "be the owner with an old token", play.Expired),
		pretend("authn-jwt-audience", "be the owner with another API's token", play.Elsewhere),
	}
}
