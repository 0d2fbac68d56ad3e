package check

import (
	"slices"
	"strings"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// A Trial is an API under question: what is known of it, who asks, what was
// made for the asking, and how to ask. Probes read it and ask; the tool that
// runs them fills it in and does the asking.
//
// A probe proves: what it reports as confirmed was shown by an answer that only
// the flaw explains, beside controls that were answered as they should be. It
// changes nothing but what was made for the trial.
type Trial struct {
	Contract *contract.Contract
	// Declared is true when the API's makers described it. Otherwise the
	// contract was learnt from traffic, and what it does not say means nothing.
	Declared  bool
	Endpoints []*Endpoint
	Resources []*Resource
	// Victim and Attacker are two people of the same kind: what is one's own is
	// no business of the other. Attacker is nil when there is only one.
	Victim, Attacker *Person
	// People are all who can be spoken as, those two and the spare ones among
	// them.
	People []*Person
	// Gentle leaves out what many requests are needed for.
	Gentle bool
	// Listener is the URL of a place that is the tool's own, and Heard reports
	// whether somebody asked there for a path. Nil: there is none.
	Listener string
	Heard    func(path string) bool
	// SigningKey signs tokens of the API, when its people lent it: PEM or JWK.
	SigningKey []byte

	// Ask sends a request. It never returns nil: an exchange without a Response
	// is one that could not be asked, because the budget is used up for one.
	Ask func(*Ask) *exchange.Exchange
	// Request is the honest request of an endpoint: about an object, or when
	// that is nil about what the person has. It is false when there is a value
	// that nobody knows.
	Request func(e *Endpoint, o *Object, as *Person) (*Ask, bool)
	// Make makes an object of a resource as a person, with marks in every free
	// field. Nil: it cannot be made.
	Make func(r *Resource, owner *Person) *Object
	// Adopt takes what an answer says was made as an object of a person, so that
	// it is taken away again; nil when the answer does not say what it is called.
	Adopt func(r *Resource, owner *Person, x *exchange.Exchange) *Object
	// Look reads an object as its owner. An exchange without a Response says that
	// there is no way to.
	Look func(o *Object) *exchange.Exchange
	// Alive reports whether a person's credential still works, and mends it when
	// that can be done. A probe that was answered by a refusal asks before it
	// believes it.
	Alive func(p *Person) bool
	// Mark makes a text of eight characters or more that occurs nowhere else.
	Mark func() string
	// Remember notes a change that has to be undone should the trial be broken
	// off: the request to send then. The function forgets it again.
	Remember func(undo *Ask) (done func())
	// Found takes what a probe has to report.
	Found func(*Flaw)

	check *Check
	known *known
}

// Probe lets one check ask.
func (t *Trial) Probe(c *Check) {
	if c.Probe == nil {
		return
	}
	if t.known == nil {
		t.known = &known{}
	}
	own := *t
	own.check = c
	c.Probe(&own)
}

// Check is the check that asks.
func (t *Trial) Check() *Check { return t.check }

// Report reports a flaw in an endpoint.
func (t *Trial) Report(f *Flaw) {
	f.Check = t.check
	if f.Verdict == "" {
		f.Verdict = exchange.Confirmed
	}
	t.Found(f)
}

// A Person is one who asks: somebody with a credential, or a program.
type Person struct {
	Name string
	// Subject is how the API calls the person, such as "101"; empty when that is
	// not known.
	Subject string
	// Facts are values that tell this person from others, by name: claims of the
	// token and what the API says of whoever asks: "sub", "tenant", "email".
	Facts map[string]string
	Roles []string
	// Spare is true for somebody who was registered for the trial: what belongs
	// to a spare person may be changed.
	Spare bool
	// Token is the bearer token, key or cookie, Field the header field that
	// carries it: "Authorization", "Cookie", "X-API-Key".
	Token identity.Secret
	Field string
	// Cookies are the session cookies that the person has, as a Cookie field's
	// value, and CSRF the fields that belong to them; empty when there are none.
	Cookies identity.Secret
	CSRF    exchange.Header
	// Email and Password log a spare person in.
	Email    string
	Password identity.Secret
}

// String is the person's name.
func (p *Person) String() string {
	if p == nil {
		return "nobody"
	}
	return p.Name
}

// HasRole reports whether a person has one of some roles.
func (p *Person) HasRole(roles ...string) bool {
	return p != nil && slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(p.Roles, r) })
}

// Role is what an endpoint does to its resource.
type Role string

const (
	List    Role = "list"    // GET of the collection
	Create  Role = "create"  // POST to the collection
	Read    Role = "read"    // GET of one
	Replace Role = "replace" // PUT of one
	Update  Role = "update"  // PATCH of one
	Remove  Role = "remove"  // DELETE of one
	Own     Role = "own"     // GET of what the caller has, without an ID
	Action  Role = "action"  // anything else that changes something
	LogIn   Role = "log in"
	SignUp  Role = "sign up"
	Other   Role = "other"
)

// An Endpoint is an operation with what was found out about it.
type Endpoint struct {
	*contract.Operation
	Sample   *contract.Sample
	Role     Role
	Resource *Resource // nil: none
	// Honest are the answers to honest requests by who asked; nil is nobody.
	Honest map[*Person]*exchange.Exchange
	// Few says why the endpoint seems to be for few people only: its words in
	// the description, or who was seen to use it. Empty: it does not.
	Few string
	// Personal says why its answers seem to be for one person only.
	Personal string
}

// optional reports whether the contract lets somebody ask without a credential,
// and takes one too.
func (e *Endpoint) optional() bool {
	return slices.ContainsFunc(e.Security, func(q contract.SecurityRequirement) bool { return len(q) == 0 })
}

// Answered reports whether a person's honest request succeeded.
func (e *Endpoint) Answered(p *Person) bool { return Succeeded(e.Honest[p]) }

// About returns the endpoint's object parameter: the last variable of its path.
func (e *Endpoint) About() string {
	if e.Resource == nil {
		return ""
	}
	return e.Resource.Key
}

// A Resource is a collection of objects and the endpoints on it.
type Resource struct {
	Name       string // "orders"
	Collection string // "/v1/orders", a path template
	Item       string // "/v1/orders/{id}"
	Key        string // the variable that tells one from another: "id"

	List, Create, Read, Replace, Update, Remove *Endpoint
	// Others are endpoints below one object: "/v1/orders/{id}/events".
	Others []*Endpoint

	// Objects are those that are known, by owner: made for the trial, or there
	// before, which are looked at and never changed.
	Objects map[*Person]*Object
}

// Of returns the object of a resource that a person owns, or nil.
func (r *Resource) Of(p *Person) *Object {
	if r == nil {
		return nil
	}
	return r.Objects[p]
}

// An Object is one thing that the API keeps.
type Object struct {
	Resource *Resource
	Owner    *Person
	// Params are the values of the item path's variables.
	Params map[string]string
	// Made is true when it was made for the trial. Any other is not changed.
	Made bool
	// Marks are texts that stand in it and nowhere else.
	Marks []string
	// Sent is the body that made it.
	Sent []byte
	// Seen is what its owner reads of it.
	Seen *exchange.Exchange
}

// ID is what tells the object from others of its resource.
func (o *Object) ID() string { return o.Params[o.Resource.Key] }

// An Ask is one request of a trial.
type Ask struct {
	As       *Person   // nil: nobody
	Endpoint *Endpoint // what it is about; nil for a place that has none
	// Of is whose object it is about; nil when that is the one who asks, or
	// nobody's.
	Of     *Person
	Method string
	Target string // path and query
	Header exchange.Header
	Body   []byte
	// Bare sends no credential of As: Header has what is to prove who asks.
	Bare bool
	// ByCookie proves who asks with the session's cookie, as a browser does.
	ByCookie bool
	// Control is true for a request that makes another one's answer mean
	// something.
	Control bool
}

// With returns a copy of an ask by somebody else.
func (a *Ask) With(as *Person) *Ask {
	b := *a
	b.As = as
	b.Header = slices.Clone(a.Header)
	return &b
}

// Set gives an ask's copy a header field.
func (a *Ask) Set(name, value string) *Ask {
	b := *a
	b.Header = slices.DeleteFunc(slices.Clone(a.Header), func(f exchange.Field) bool { return strings.EqualFold(f.Name, name) })
	b.Header = append(b.Header, exchange.Field{Name: name, Value: value})
	return &b
}

// A Flaw is what a probe has to report.
type Flaw struct {
	Check    *Check
	Verdict  exchange.Verdict // empty: confirmed
	Endpoint *Endpoint        // nil: of the API as a whole, or of Place
	// Place is a method and path that no operation has: "GET /v1/debug/users".
	Place string
	// Parameter is what was changed, in words that stay: "path id", "query
	// user_id", "request body /role".
	Parameter string
	By, Of    *Person
	Evidence  []exchange.Evidence
	// Missing names the control without which it is only likely.
	Missing string
	// Proof are the fewest exchanges that show it, in their order. The last one
	// shows it; those that are controls are linked so.
	Proof []*exchange.Exchange
	// Marks are texts in the proof that are to be pointed at.
	Marks []string
}

// Succeeded reports whether an exchange came to a 2xx answer.
func Succeeded(x *exchange.Exchange) bool {
	return x != nil && x.Failure == "" && x.Response != nil && x.Response.Status >= 200 && x.Response.Status < 300
}

// StatusOf is the status that an exchange was answered with, or 0.
func StatusOf(x *exchange.Exchange) int {
	if x == nil || x.Response == nil || x.Failure != "" {
		return 0
	}
	return x.Response.Status
}
