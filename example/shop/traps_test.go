package shop

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/parley-project/parley/example/play"
)

// Each trap of the list is really there, so that the list cannot lie.
func TestTraps(t *testing.T) {
	proofs := trapProofs()
	base, keys := open(t, Options{})
	for _, trap := range Traps {
		t.Run(trap.ID, func(t *testing.T) {
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

func TestTrapsAreDeclared(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]any
	}
	if err := yaml.Unmarshal(OpenAPI, &doc); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, trap := range Traps {
		if trap.Title == "" || trap.Check == "" || seen[trap.ID] {
			t.Errorf("%s: says too little, or twice", trap.ID)
		}
		seen[trap.ID] = true
		method, path, _ := strings.Cut(trap.Where, " ")
		if doc.Paths[path][strings.ToLower(method)] == nil && !strings.HasPrefix(path, "/v0/") {
			t.Errorf("%s: the contract has no %s", trap.ID, trap.Where)
		}
	}
}

// A prober asks, and fails the test when the status is another.
type prober struct {
	t *testing.T
	n *play.Runner
}

func (p *prober) ask(want int, s Step) Response {
	p.t.Helper()
	r := do(p.t, p.n, s)
	if r.Status != want {
		p.t.Fatalf("%s %s as %q answered %d, want %d: %s", s.Method, s.Path, s.As, r.Status, want, r.Body)
	}
	return r
}

func (p *prober) get(want int, as, path string) Response {
	p.t.Helper()
	return p.ask(want, Step{As: as, Method: "GET", Path: path})
}

func (p *prober) send(want int, as, method, path, body string) Response {
	p.t.Helper()
	return p.ask(want, Step{As: as, Method: method, Path: path, Body: body, Save: map[string]string{"it": "Location"}})
}

// says checks the value at a pointer.
func (p *prober) says(r Response, pointer, want string) {
	p.t.Helper()
	if got := r.Text(pointer); got != want {
		p.t.Errorf("%s %s: %s is %q, want %q", r.Step.Method, r.Step.Path, pointer, got, want)
	}
}

func (p *prober) that(ok bool, format string, args ...any) {
	p.t.Helper()
	if !ok {
		p.t.Errorf(format, args...)
	}
}

func trapProofs() map[string]func(*prober) {
	shows := behind + 50*time.Millisecond
	return map[string]func(*prober){
		"public-review": func(p *prober) {
			for _, as := range []string{"", "priya", "rajan", "swift"} {
				p.says(p.get(200, as, "/v1/reviews/1"), "/author_id", "101")
			}
		},
		"reviews-of-all": func(p *prober) {
			r := p.get(200, "", "/v1/reviews")
			p.that(r.Text("/items/0/author_id") != r.Text("/items/1/author_id"), "all are of one author")
		},
		"review-of-another": func(p *prober) {
			p.send(403, "rajan", "PATCH", "/v1/reviews/1", `{"stars":1}`)
			p.send(403, "rajan", "DELETE", "/v1/reviews/1", "")
			p.send(401, "", "DELETE", "/v1/reviews/1", "")
			p.send(404, "rajan", "DELETE", "/v1/reviews/424242", "")
			p.says(p.get(200, "", "/v1/reviews/1"), "/stars", "5")
		},
		"view-counter": func(p *prober) {
			a, b := p.get(200, "", "/v1/reviews/2"), p.get(200, "", "/v1/reviews/2")
			p.that(a.Text("/views") != b.Text("/views"), "both times %s views", a.Text("/views"))
		},
		"clamped-limit": func(p *prober) {
			for range mostReviews {
				p.send(201, "meera", "POST", "/v1/reviews", `{"product_id":5,"stars":3,"text":"Again."}`)
			}
			r := p.get(200, "", "/v1/reviews?limit=1000000")
			p.that(r.Has("/items/99") && !r.Has("/items/100"), "it has not 100 items")
		},
		"questions-of-all": func(p *prober) {
			p.get(401, "", "/v1/questions")
			r := p.get(200, "priya", "/v1/questions")
			p.says(r, "/items/0/author_id", "103")
			p.says(r, "/items/1/author_id", "102")
		},
		"question-not-yet": func(p *prober) {
			p.send(201, "priya", "POST", "/v1/questions", `{"product_id":1,"text":"Now?"}`)
			p.get(404, "priya", "/v1/questions/{it}")
			p.ask(200, Step{As: "priya", Method: "GET", Path: "/v1/questions/{it}", After: shows})
		},
		"question-still": func(p *prober) {
			p.send(201, "priya", "POST", "/v1/questions", `{"product_id":1,"text":"Now?"}`)
			p.ask(200, Step{As: "priya", Method: "PATCH", Path: "/v1/questions/{it}", Body: `{"text":"Or then?"}`, After: shows})
			p.says(p.get(200, "priya", "/v1/questions/{it}"), "/text", "Now?")
			p.ask(403, Step{As: "rajan", Method: "PATCH", Path: "/v1/questions/{it}", Body: `{"text":"Never."}`})
			p.says(p.ask(200, Step{As: "priya", Method: "GET", Path: "/v1/questions/{it}", After: shows}), "/text", "Or then?")
		},
		"shared-list": func(p *prober) {
			p.says(p.get(200, "sara", "/v1/wishlists/1"), "/owner_id", "101")
			p.get(404, "rajan", "/v1/wishlists/1")
			p.send(403, "sara", "PATCH", "/v1/wishlists/1", `{"title":"Sara's"}`)
		},
		"told-back": func(p *prober) {
			p.send(201, "priya", "POST", "/v1/wishlists", `{"title":"Some"}`)
			r := p.ask(200, Step{As: "priya", Method: "PATCH", Path: "/v1/wishlists/{it}", Body: `{"role":"admin","owner_id":1}`})
			p.says(r, "/received/role", "admin")
			p.says(r, "/wishlist/owner_id", "101")
			r = p.get(200, "priya", "/v1/wishlists/{it}")
			p.says(r, "/owner_id", "101")
			p.that(!contains(r, "admin"), "the role was kept: %s", r.Body)
		},
		"tombstone": func(p *prober) {
			p.send(201, "priya", "POST", "/v1/wishlists", `{"title":"Short-lived"}`)
			p.ask(204, Step{As: "priya", Method: "DELETE", Path: "/v1/wishlists/{it}"})
			r := p.get(200, "priya", "/v1/wishlists/{it}")
			p.that(r.Has("/deleted_at") && !contains(r, "Short-lived"), "it is there: %s", r.Body)
			p.get(404, "sara", "/v1/wishlists/{it}")
		},
		"delete-whatever": func(p *prober) {
			p.send(204, "rajan", "DELETE", "/v1/alerts/424242", "")
			p.send(204, "rajan", "DELETE", "/v1/alerts/1", "")
			p.get(200, "priya", "/v1/alerts/1")
			p.get(404, "rajan", "/v1/alerts/1")
		},
		"own-cart": func(p *prober) {
			p.send(200, "priya", "PUT", "/v1/cart", `{"items":[{"product_id":3,"quantity":1}]}`)
			p.says(p.get(200, "priya", "/v1/cart"), "/items/0/product_id", "3")
			p.that(!p.get(200, "sara", "/v1/cart").Has("/items/0"), "sara sees another's cart")
		},
		"public-profile": func(p *prober) {
			p.get(401, "", "/v1/profiles/101")
			r := p.get(200, "rajan", "/v1/profiles/101")
			p.that(r.Has("/name") && !r.Has("/email") && !r.Has("/phone"), "rajan sees %s", r.Body)
			p.says(p.get(200, "priya", "/v1/profiles/101"), "/email", "priya@shop.example")
		},
		"masked-email": func(p *prober) {
			p.says(p.get(200, "rajan", "/v1/profiles/101"), "/contact", "***@s***")
		},
		"ignored-id": func(p *prober) {
			p.says(p.get(200, "rajan", "/v1/users/101/settings"), "/user_id", "102")
		},
		"ignored-owner": func(p *prober) {
			p.send(204, "rajan", "PUT", "/v1/preferences", `{"user_id":104,"language":"ta","newsletter":true}`)
			p.says(p.get(200, "rajan", "/v1/preferences"), "/language", "ta")
			p.says(p.get(200, "meera", "/v1/preferences"), "/language", "en")
		},
		"own-contact": func(p *prober) {
			r := p.get(200, "priya", "/v1/me")
			p.says(r, "/email", "priya@shop.example")
			p.says(r, "/phone", "+91 98000 00101")
		},
		"optional-login": func(p *prober) {
			nobody, priya := p.get(200, "", "/v1/home"), p.get(200, "priya", "/v1/home")
			p.that(nobody.Has("/featured/0") && !nobody.Has("/name"), "nobody gets %s", nobody.Body)
			p.says(priya, "/name", "Priya Nair")
		},
		"stale-token": func(p *prober) {
			for _, by := range []Proof{Expired, OtherKey, Unsigned} {
				r := p.ask(200, Step{As: "priya", By: by, Method: "GET", Path: "/v1/home"})
				p.that(!r.Has("/name"), "%s is greeted", by)
			}
		},
		"lang-cookie": func(p *prober) {
			cookie := p.get(200, "", "/v1/home?lang=hi").Header.Get("Set-Cookie")
			p.that(strings.HasPrefix(cookie, "lang=hi;") && !strings.Contains(cookie, "HttpOnly") && strings.Contains(cookie, "SameSite=Lax"), "the cookie is %q", cookie)
		},
		"own-origin": func(p *prober) {
			for origin, want := range map[string]string{
				ownOrigin: ownOrigin, "https://evil.example": "", "null": "", ownOrigin + ".evil.example": "", "https://xapp.shop.example": "", "http://app.shop.example": "",
			} {
				r := p.ask(200, Step{Method: "GET", Path: "/v1/home", Header: map[string]string{"Origin": origin}})
				p.that(r.Header.Get("Access-Control-Allow-Origin") == want && r.Header.Get("Access-Control-Allow-Credentials") == "", "%s is allowed", origin)
			}
		},
		"hollow-404": func(p *prober) {
			p.says(p.get(404, "", "/v1/coupons/NO-SUCH"), "/ok", "true")
		},
		"quoted-input": func(p *prober) {
			r := p.get(404, "", "/v1/coupons/x'or'1")
			p.says(r, "/code", "x'or'1")
			p.that(r.Header.Get("Content-Type") == "application/json", "it is %s", r.Header.Get("Content-Type"))
		},
		"quote-in-search": func(p *prober) {
			for _, q := range []string{"'", "'+OR+'1'='1", "%22"} {
				p.that(!p.get(200, "", "/v1/products?q="+q).Has("/items/0"), "%s finds something", q)
			}
		},
		"random-answer": func(p *prober) {
			a, b := p.get(200, "", "/v1/tips/today"), p.get(200, "", "/v1/tips/today")
			p.that(a.Text("/nonce") != b.Text("/nonce") && a.Text("/request_id") != b.Text("/request_id"), "it is the same twice")
		},
		"random-delay": func(p *prober) {
			var took []time.Duration
			for range 12 {
				began := time.Now()
				p.get(200, "", "/v1/tips/today")
				took = append(took, time.Since(began))
			}
			p.that(slices.Max(took)-slices.Min(took) > 5*time.Millisecond, "it took %v", took)
		},
		"random-reference": func(p *prober) {
			a, b := p.get(401, "", "/v1/me"), p.get(401, "", "/v1/me")
			p.that(a.Has("/reference") && a.Text("/reference") != b.Text("/reference"), "it is the same twice")
			p.that(p.send(401, "", "POST", "/v1/login", `{"email":"{run}@example.com","password":"x"}`).Has("/reference"), "a log-in has none")
		},
		"moving-clock": func(p *prober) {
			a := p.get(200, "", "/v1/time")
			b := p.ask(200, Step{Method: "GET", Path: "/v1/time", After: 1100 * time.Millisecond})
			p.that(a.Text("/now") != b.Text("/now"), "it is always %s", a.Text("/now"))
		},
		"like-secrets": func(p *prober) {
			r := p.get(200, "", "/v1/meta")
			p.that(len(r.Text("/commit")) == 40 && strings.Contains(r.Text("/certificate"), "BEGIN CERTIFICATE"), "it is %s", r.Body)
			p.that(luhn(r.Text("/sample_card"))%10 != 0, "the card could be somebody's")
		},
		"public-keys": func(p *prober) {
			r := p.get(200, "", "/.well-known/jwks.json")
			p.that(r.Has("/keys/0/kid") && !r.Has("/keys/0/d"), "it is %s", r.Body)
		},
		"echo": func(p *prober) {
			p.says(p.send(200, "rajan", "POST", "/v1/echo", `{"role":"admin"}`), "/role", "admin")
			p.says(p.get(200, "rajan", "/v1/me"), "/role", "customer")
		},
		"page-for-all": func(p *prober) {
			a, b := p.get(200, "", "/app/orders"), p.get(200, "", "/app/admin/users.sql")
			p.that(bytes.Equal(a.Body, b.Body) && mediaType(a) == "text/html", "they differ")
		},
		"version-gone": func(p *prober) {
			p.get(410, "", "/v0/users/101")
			p.get(410, "asha", "/v0/anything")
		},
		"version-moved": func(p *prober) {
			r := p.get(308, "", "/v0/products/1")
			p.that(r.Header.Get("Location") == "/v1/products/1", "it leads to %q", r.Header.Get("Location"))
		},
		"masked-account": func(p *prober) {
			p.says(p.get(200, "priya", "/v1/account"), "/account_number", "XXXX1234")
		},
		"two-sides": func(p *prober) {
			p.get(200, "priya", "/v1/account/transfers/1")
			p.get(200, "rajan", "/v1/account/transfers/1")
			p.get(404, "sara", "/v1/account/transfers/1")
		},
		"own-payer": func(p *prober) {
			p.send(201, "sara", "POST", "/v1/account/transfers", `{"from_user_id":103,"to_user_id":104,"amount":1}`)
			p.send(403, "sara", "POST", "/v1/account/transfers", `{"from_user_id":101,"to_user_id":104,"amount":1}`)
		},
		"own-user-id": func(p *prober) {
			p.get(200, "priya", "/v1/orders?user_id=101")
			p.get(403, "rajan", "/v1/orders?user_id=101")
		},
		"administrator-reads": func(p *prober) {
			p.says(p.get(200, "asha", "/v1/orders/887"), "/user_id", "101")
		},
		"courier-reads": func(p *prober) {
			p.get(200, "swift", "/v1/orders/887/status")
			p.get(404, "dart", "/v1/orders/887/status")
		},
		"log-in-refused": func(p *prober) {
			r := p.send(401, "priya", "POST", "/v1/login", `{"email":"{run}-b@example.com","password":"x"}`)
			p.that(r.Header.Get("WWW-Authenticate") != "", "it has no challenge")
		},
		"log-in-limited": func(p *prober) {
			for _, email := range []string{"meera@shop.example", "{run}-c@example.com"} {
				body := fmt.Sprintf(`{"email":%q,"password":"x"}`, email)
				for range 5 {
					p.send(401, "", "POST", "/v1/login", body)
				}
				p.that(p.send(429, "", "POST", "/v1/login", body).Header.Get("Retry-After") != "", "it does not say when to come again")
			}
		},
		"origin-refused": func(p *prober) {
			p.ask(403, Step{As: "priya", By: Cookie, Method: "POST", Path: "/v1/account/freeze"})
		},
		"override-ignored": func(p *prober) {
			p.ask(200, Step{As: "asha", Method: "GET", Path: "/v1/products/4", Header: map[string]string{"X-HTTP-Method-Override": "DELETE"}})
			p.get(200, "", "/v1/products/4")
		},
		"given-twice": func(p *prober) {
			p.get(400, "", "/v1/products?limit=1&limit=2")
		},
		"accept-anything": func(p *prober) {
			r := p.ask(200, Step{Method: "GET", Path: "/v1/products/1", Header: map[string]string{"Accept": "text/html,application/xhtml+xml,*/*;q=0.1"}})
			p.that(mediaType(r) == "application/json", "it is %s", mediaType(r))
		},
		"head-and-options": func(p *prober) {
			p.ask(200, Step{As: "priya", Method: "HEAD", Path: "/v1/account"})
			p.ask(204, Step{Method: "OPTIONS", Path: "/v1/account"})
		},
		"public-cache": func(p *prober) {
			p.that(strings.HasPrefix(p.get(200, "", "/v1/products").Header.Get("Cache-Control"), "public"), "nobody's is private")
			p.that(p.get(200, "priya", "/v1/products").Header.Get("Cache-Control") == "no-store", "somebody's is public")
		},
	}
}

// luhn is the sum whose last digit is 0 for numbers of cards (ISO/IEC 7812-1).
func luhn(number string) (sum int) {
	digits := strings.ReplaceAll(number, " ", "")
	for i := range digits {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum
}
