package ledger

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/parley-project/parley/example/play"
)

// Each trap of the list is really there, so that the list cannot lie.
func TestTraps(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]any
	}
	if err := yaml.Unmarshal(OpenAPI, &doc); err != nil {
		t.Fatal(err)
	}
	proofs := trapProofs()
	base, keys := open(t, Options{})
	for _, trap := range Traps {
		t.Run(trap.ID, func(t *testing.T) {
			method, path, _ := strings.Cut(trap.Where, " ")
			if trap.Title == "" || trap.Check == "" || doc.Paths[path][strings.ToLower(method)] == nil {
				t.Errorf("it says too little, or the contract has no %s", trap.Where)
			}
			proof := proofs[trap.ID]
			if proof == nil {
				t.Fatal("nothing shows it")
			}
			delete(proofs, trap.ID)
			n, err := play.NewRunner(http.DefaultClient, base, keys, nil)
			if err != nil {
				t.Fatal(err)
			}
			proof(&prober{t, n})
		})
	}
	for id := range proofs {
		t.Errorf("%s is shown and not listed", id)
	}
}

// A prober asks, and fails the test when the status is another.
type prober struct {
	t *testing.T
	n *play.Runner
}

func (p *prober) ask(want int, s play.Step) play.Response {
	p.t.Helper()
	r, err := p.n.Send(context.Background(), s)
	if err != nil {
		p.t.Fatal(err)
	}
	if r.Status != want {
		p.t.Fatalf("%s %s as %q answered %d, want %d: %s", s.Method, s.Path, s.As, r.Status, want, r.Body)
	}
	return r
}

func (p *prober) get(want int, as, path string) play.Response {
	p.t.Helper()
	return p.ask(want, play.Step{As: as, Method: "GET", Path: path})
}

func (p *prober) says(r play.Response, pointer, want string) {
	p.t.Helper()
	if got := r.Text(pointer); got != want {
		p.t.Errorf("%s %s: %s is %q, want %q", r.Step.Method, r.Step.Path, pointer, got, want)
	}
}

// logIn opens a session of carl's, and returns the answer.
func (p *prober) logIn() play.Response {
	p.t.Helper()
	return p.ask(201, play.Step{Method: "POST", Path: "/api/sessions", Body: `{"email":"carl@acme.example","password":"` + Password("carl") + `"}`,
		Save: map[string]string{"browser": "cookie:" + sessionCookie, "csrf": "cookie:" + csrfCookie}})
}

func trapProofs() map[string]func(*prober) {
	const theEntry, theNotice = acmeMain + "/entries/" + AnEntry, "/api/notices/0d5c1c36-7d0a-4b34-9a5e-6a1f5b0a9c02"
	return map[string]func(*prober){
		"rates-for-all": func(p *prober) {
			r := p.ask(200, play.Step{Method: "GET", Path: "/api/rates", Header: map[string]string{"Origin": "https://any.example"}})
			if r.Header.Get("Access-Control-Allow-Origin") != "*" || r.Header.Get("Access-Control-Allow-Credentials") != "" {
				p.t.Errorf("the header is %v", r.Header)
			}
		},
		"notices-for-all": func(p *prober) {
			p.get(401, "", "/api/notices")
			for _, as := range []string{"carl", "bina"} {
				r := p.get(200, as, "/api/notices")
				p.says(r, "/data/0/author", "usr_boris")
				p.says(r, "/data/1/author", "usr_olga")
			}
		},
		"notice-of-another": func(p *prober) {
			p.says(p.get(200, "bina", theNotice), "/data/author", "usr_olga")
		},
		"answers-no": func(p *prober) {
			r := p.get(200, "", "/api/iban-checks/DK5000400440116244")
			p.says(r, "/data/valid", "false")
			p.says(r, "/data/error", "the check digits are wrong")
			p.says(p.get(200, "", "/api/iban-checks/DK5000400440116243"), "/data/valid", "true")
		},
		"number-told-back": func(p *prober) {
			p.says(p.get(200, "", "/api/iban-checks/DK5000400440116243"), "/data/iban", "DK5000400440116243")
		},
		"ignored-subject": func(p *prober) {
			p.ask(204, play.Step{As: "bina", Method: "PUT", Path: "/api/profile", Body: `{"subject":"usr_carl","displayName":"B-{run}"}`})
			if r := p.get(200, "carl", "/api/profile"); strings.HasPrefix(r.Text("/data/displayName"), "B-") {
				p.t.Errorf("carl is %s now", r.Body)
			}
			p.says(p.get(200, "bina", "/api/profile"), "/data/subject", "usr_bina")
		},
		"same-address": func(p *prober) {
			p.says(p.get(200, "carl", "/api/profile"), "/data/subject", "usr_carl")
			p.says(p.get(200, "olga", "/api/profile"), "/data/subject", "usr_olga")
		},
		"colleague-reads": func(p *prober) {
			p.says(p.get(200, "cleo", theEntry), "/data/createdBy", "usr_carl")
			p.get(404, "bina", theEntry)
		},
		"auditor-reads": func(p *prober) {
			p.get(200, "anna", theEntry)
			p.ask(403, play.Step{As: "anna", Method: "PATCH", Path: theEntry, Header: mergePatch, Body: `{"memo":"x"}`})
		},
		"owner-changes": func(p *prober) {
			p.ask(201, carlsEntry)
			p.ask(200, play.Step{As: "olga", Method: "PATCH", Path: acmeMain + entryOf, Header: mergePatch, Body: `{"memo":"seen"}`})
			p.ask(403, play.Step{As: "cleo", Method: "PATCH", Path: acmeMain + entryOf, Header: mergePatch, Body: `{"memo":"seen"}`})
		},
		"till-reads": func(p *prober) {
			p.says(p.get(200, "acme-till", acmeMain+"/entries"), "/data/0/createdBy", "usr_carl")
		},
		"own-tenant": func(p *prober) {
			p.get(200, "carl", "/api/balances?tenant=acme")
			p.get(403, "carl", "/api/balances?tenant=bluebird")
		},
		"amounts-in-text": func(p *prober) {
			if v, ok := p.get(200, "carl", theEntry).JSON.(map[string]any)["data"].(map[string]any)["amount"].(string); !ok || v != "2400.00" {
				p.t.Errorf("the amount is %v", v)
			}
		},
		"gone": func(p *prober) {
			p.ask(201, carlsEntry)
			p.ask(204, play.Step{As: "carl", Method: "DELETE", Path: acmeMain + entryOf})
			p.get(410, "carl", acmeMain+entryOf)
			p.get(410, "cleo", acmeMain+entryOf)
			p.get(404, "bina", acmeMain+entryOf)
		},
		"no-such-version": func(p *prober) {
			p.ask(201, carlsEntry)
			header := map[string]string{"Content-Type": "application/merge-patch+json"}
			p.ask(428, play.Step{As: "carl", Method: "PATCH", Path: acmeMain + entryOf, Header: header, Body: `{"memo":"x"}`})
			p.ask(404, play.Step{As: "bina", Method: "PATCH", Path: acmeMain + entryOf, Header: header, Body: `{"memo":"x"}`})
		},
		"two-addresses": func(p *prober) {
			p.get(200, "", "/api/status")
			p.get(200, "", "/ledger/api/status")
			if !strings.Contains(string(OpenAPI), "/ledger/api'") {
				p.t.Error("the contract does not name the other")
			}
		},
		"csrf-refused": func(p *prober) {
			p.logIn()
			put := play.Step{As: "browser", By: play.Cookie, Method: "PUT", Path: "/api/profile", Body: `{"displayName":"Carl"}`}
			p.ask(403, put)
			put.Header = page
			p.ask(204, put)
		},
		"csrf-readable": func(p *prober) {
			for _, c := range p.logIn().Header.Values("Set-Cookie") {
				if http := strings.Contains(c, "HttpOnly"); http != strings.HasPrefix(c, sessionCookie) {
					p.t.Errorf("scripts and cookies: %s", c)
				}
			}
		},
		"masked-iban": func(p *prober) {
			p.says(p.get(200, "carl", theEntry), "/data/ibanMasked", "XXXX6243")
		},
		"not-modified": func(p *prober) {
			r := p.ask(304, play.Step{As: "carl", Method: "GET", Path: acmeMain, Header: map[string]string{"If-None-Match": `"1"`}})
			if len(r.Body) > 0 {
				p.t.Errorf("its body is %q", r.Body)
			}
		},
		"free-labels": func(p *prober) {
			p.ask(201, play.Step{As: "carl", Method: "POST", Path: acmeMain + "/entries", Save: map[string]string{"entry": "Location"},
				Body: `{"kind":"transfer","amount":"1.00","bookedAt":"2026-11-05T11:00:00Z","fromAccount":"bank","toAccount":"till","metadata":{"role":"owner","status":"posted"}}`})
			r := p.get(200, "carl", acmeMain+entryOf)
			p.says(r, "/data/metadata/role", "owner")
			p.says(r, "/data/status", "draft")
		},
	}
}

func TestCredentials(t *testing.T) {
	l, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if token, err := l.Token("carl"); err != nil || token == "" {
		t.Errorf("Token: %q, %v", token, err)
	}
	if key, err := l.APIKey("acme-till"); err != nil || key == "" {
		t.Errorf("APIKey: %q, %v", key, err)
	}
	if _, err := l.Token("nobody"); err == nil {
		t.Error("nobody got a token")
	}
	if _, err := l.APIKey("nothing"); err == nil {
		t.Error("nothing got a key")
	}
}
