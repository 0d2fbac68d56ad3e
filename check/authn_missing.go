package check

import (
	"net/http"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// AuthnMissing flags an operation that answers without asking who speaks.
var AuthnMissing = &Check{
	ID:    "authn-missing",
	Title: "an operation answers without asking who speaks",
	Doc: `The contract says that the operation needs a credential, and the API answers
without one. Everything behind it is public, whatever the documentation says.`,
	Fix:  "Refuse with 401 and WWW-Authenticate before any logic runs, for every operation that is not public.",
	Step: StepServer, Severity: Critical, OWASP: "API2:2023", CWE: 306, Conversation: []int{11, 24, 52},
	Needs: SawContract | SawCaller,
	// What anybody gets, somebody else gets as well.
	Implies: []string{"authz-object", "authz-object-list", "authz-query-owner"},

	Inspect: func(p *Pass) {
		if needsCaller(p) && p.Credential() == nil && p.Success() {
			p.Find(CredentialSays("none was sent, and the API answered"))
		}
	},
	Admit: func(p *Pass) {
		if needsCaller(p) && p.Credential() == nil {
			p.Refuse(http.StatusUnauthorized, CredentialSays("missing"), challenge(p))
		}
	},
	Probe: func(t *Trial) {
		for _, e := range t.Endpoints {
			byContract, needed := t.needsSomebody(e)
			if nobody := e.Honest[nil]; needed && e.Safe() && Succeeded(nobody) && len(Text(nobody)) > 0 {
				reportNobody(t, e, byContract)
			}
		}
		for _, r := range t.Resources {
			if r.Remove != nil {
				if byContract, needed := t.needsSomebody(r.Remove); byContract && needed {
					t.deletedByNobody(r)
				}
			}
			for _, e := range []*Endpoint{r.Update, r.Replace} {
				if e == nil {
					continue
				}
				if byContract, needed := t.needsSomebody(e); byContract && needed {
					t.writtenByNobody(r, e)
				}
			}
		}
	},
}

// needsCaller reports whether the operation needs somebody and nobody was
// proved.
func needsCaller(p *Pass) bool {
	op := p.Operation()
	return op != nil && !op.Public && p.Caller() == nil
}

// reportNobody reports an endpoint that gave nobody what is somebody's, unless
// every place answers like that.
func reportNobody(t *Trial, e *Endpoint, byContract bool) {
	of, says, _ := t.nobodysShare(e, byContract)
	if says == "" {
		return
	}
	nobody := e.Honest[nil]
	if !byContract && e.Personal == "" && !tellsOfPrivate(Members(nobody)) && !keptFrom(t, e, of) {
		return // it may be there for everybody
	}
	again := t.Ask(askedAgain(e, nobody)) // it may have been a slip, or another's answer out of a cache
	if !Succeeded(again) {
		return
	}
	at, _, _ := strings.Cut(nobody.Request.Target, "?")
	elsewhere := t.Ask(&Ask{Method: "GET", Target: at[:strings.LastIndexByte(at, '/')+1] + t.Mark(), Control: true})
	if Succeeded(elsewhere) && (Alike(nobody, elsewhere, nil) || Alike(again, elsewhere, Differences(nobody, again))) {
		return
	}
	proof := []*exchange.Exchange{}
	for _, p := range t.People {
		if e.Answered(p) && (of == nil || of == p) {
			proof = append(proof, e.Honest[p])
			break
		}
	}
	flaw := &Flaw{Endpoint: e, Of: of, Evidence: []exchange.Evidence{CredentialSays("none was sent, and the answer " + says)}, Proof: append(proof, again)}
	if of == nil && e.Resource == nil && e.Personal == "" && sameForAll(t, e, again, Differences(nobody, again)) {
		flaw.Verdict, flaw.Missing = exchange.Likely, "something in it that is not for everybody: all are told the same"
	}
	t.Report(flaw)
}

// sameForAll reports whether everybody is told the same, but for what changes by
// itself: whether the API is up, for one.
func sameForAll(t *Trial, e *Endpoint, nobody *exchange.Exchange, noise map[string]bool) bool {
	for _, p := range t.People {
		if e.Answered(p) && !Alike(e.Honest[p], nobody, noise) {
			return false
		}
	}
	return true
}

// askedAgain is the request that nobody made, once more.
func askedAgain(e *Endpoint, x *exchange.Exchange) *Ask {
	return &Ask{Endpoint: e, Method: x.Request.Method, Target: x.Request.Target, Header: unsigned(x)}
}

// unsigned are the fields of a request that say what is wanted, and not who asks.
func unsigned(x *exchange.Exchange) (out exchange.Header) {
	for _, f := range x.Request.Header {
		switch strings.ToLower(f.Name) {
		case "host", "content-length", "user-agent", "authorization", "cookie":
		default:
			out = append(out, f)
		}
	}
	return out
}

// keptFrom reports whether another person is refused what is one person's.
func keptFrom(t *Trial, e *Endpoint, of *Person) bool {
	for _, p := range t.People {
		if p == of {
			continue
		}
		a, ok := t.Request(e, e.Resource.Of(of), p)
		if !ok {
			return false
		}
		a.Of, a.Control = of, true
		status := StatusOf(t.Ask(a))
		return (status == 401 || status == 403 || status == 404) && t.Alive(p)
	}
	return false
}
