// Package contract is what the API promises: operations (OpenAPI) and rules
// (who may do what to whose), compiled.
//
// Everything that can be decided once is decided when a contract is loaded:
// schemas become jsonscan programs, rules become type-checked CEL programs,
// paths become one routing tree. What could not be compiled is listed as not
// judged; it is never silently without a check.
package contract

import (
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/config"
	"github.com/parley-project/parley/internal/jsonscan"
)

// Mode says whether guard acts on what it decides.
type Mode string

const (
	Report  Mode = "report"  // judge and record, change nothing
	Enforce Mode = "enforce" // refuse, strip and repair
)

// Default says what becomes of an operation that has no rule, and of requests
// that the contract does not know.
type Default string

const (
	BySecurity Default = "security" // OpenAPI's security decides; listed as unjudged
	Deny       Default = "deny"
)

// A Contract is everything known of an API before the first request. It is
// not changed after it has been loaded and is safe for concurrent use.
type Contract struct {
	Title, Version string
	// File is the parley.yaml it was loaded from, or the OpenAPI file when
	// there is no policy.
	File     string
	Mode     Mode
	Upstream string // URL; empty when the caller must name one
	Default  Default
	// Operations are sorted by path, then method.
	Operations []*Operation
	// CORS is nil when the policy does not speak of it.
	CORS *CORS
	// MaxRequest and MaxResponse are the largest JSON bodies judged, in bytes.
	MaxRequest, MaxResponse int64
	// NotJudged lists what could not be compiled, one line each with its place.
	NotJudged []string
	// Notes lists what a person should know of the description, one line each
	// with its place: bodies that are not JSON, security that is declared
	// nowhere.
	Notes []string
	// Schemes are the ways to prove who one is that the description declares,
	// by name.
	Schemes map[string]SecurityScheme
	// Unjudged lists the operations without a rule.
	Unjudged []*Operation
	// Sections are those parts of parley.yaml that other packages own
	// ("identity", "listen", "tls", "store", ...), undecoded.
	Sections map[string]config.Section

	router *router
	marks  []*FieldRule
}

// An Operation is one method on one path template.
type Operation struct {
	Name   string // "GET /v1/orders/{id}"
	ID     string // operationId; may be empty
	Method string
	Path   string // template, base path of the server included
	Place  string // "openapi.yaml:120"

	// Security lists alternatives, each a set of schemes that must all be
	// satisfied (OpenAPI 3.1, 4.8.30). Public is true when none is needed.
	Security []SecurityRequirement
	Public   bool

	Parameters []*Parameter
	// Requests holds the declared request bodies by media type, in lower
	// case; "*/*" and "text/*" may be keys. Nil: no body is declared.
	Requests     map[string]*Body
	BodyRequired bool
	// Produces are the media types of all responses.
	Produces []string

	Rules  []*Rule
	Limits []*Limit
	// HideExistence is true when a rule hides what is somebody else's.
	HideExistence bool
	// Prereads is the GET on the same path that object.* is read with; nil
	// when there is none or no rule needs it.
	Preread *Operation

	responses map[string]*Response // by "200", "2XX", "default"
	base      string               // the part of Path that comes from a server
	openQuery bool                 // any query parameter is welcome
	hidden    bool                 // a line of the policy hides all that is somebody else's
	keys      []string             // names of API keys that may stand in a query
}

// Safe reports whether the method promises to change nothing (RFC 9110, 9.2.1).
func (o *Operation) Safe() bool {
	return o.Method == "GET" || o.Method == "HEAD" || o.Method == "OPTIONS" || o.Method == "TRACE"
}

// A Response is what an operation declares for one status.
type Response struct {
	Status string // "200", "2XX", "default"
	Bodies map[string]*Body
	Header []*Parameter
}

// A Body is a declared content: a media type and, when it could be compiled,
// the program that judges it.
type Body struct {
	MediaType string
	// Program is nil when the contract declares no schema, or one that is not
	// judged: unknown, nothing is filtered. It may then still find values for
	// rules.
	Program *jsonscan.Program
	// Judged is true when a schema is declared and could be compiled.
	Judged bool

	json     bool
	request  bool
	unjudged bool         // a schema is declared and could not be compiled
	name     string       // for a person: "GET /v1/orders: response 200 application/json"
	schema   cursor       // until it is compiled
	captures *captureList // what rules need of it; nil: nothing
}

// Facts are what one scan of one body found.
type Facts struct {
	Raw    []byte
	Body   *Body // nil: the contract declares none for it
	Result jsonscan.Result
}

// A SecurityRequirement is a set of scheme names with the scopes needed.
type SecurityRequirement map[string][]string

// A Parameter is one declared input outside of the body.
type Parameter struct {
	Name     string
	In       string // "path", "query", "header", "cookie"
	Required bool
	Repeats  bool // an array, given as several values or one joined by commas
	Bounded  bool // a number with a maximum

	style      string
	expand     bool // explode
	allowEmpty bool
	content    bool     // its text is JSON itself
	object     bool     // an object spread over names or joined by commas
	kinds      coercion // what its text, its items' or its members' may stand for
	items      coercion
	members    map[string]coercion
	program    *jsonscan.Program // nil: not judged
	schema     cursor            // until it is compiled
	where      cursor
	unjudged   bool
	inline     bool // the parameter is its own schema (OpenAPI 2.0)
}

// A FieldRule is the policy on one member of a schema: a line under `fields`.
type FieldRule struct {
	Schema, Member string
	// NeverSend: never leaves in a response.
	NeverSend bool
	// Masked: only the last four digits leave.
	Masked bool
	// WritableBy, ReadableBy: only callers with one of these roles. Nil: all.
	WritableBy, ReadableBy []string
	Place                  string // "parley.yaml:22"
}

// A Limit bounds how often an operation may be asked for.
type Limit struct {
	Count int
	Per   time.Duration
	By    string // "address", "caller", or a request value such as "request.body.email"
	Place string
	key   func(*Input) (string, bool)
}

// CORS says which other origins' scripts may read answers (Fetch standard).
type CORS struct {
	Origins     []string // exact; never "*" together with Credentials
	Methods     []string // empty: those of the contract at that path
	Headers     []string // request headers
	Expose      []string
	Credentials bool
	MaxAge      time.Duration
}

// A Match is what the contract says of a method and a path.
type Match struct {
	// Operation is nil when the contract has none.
	Operation *Operation
	// Known is true when some operation has this path; Allow is then the
	// value for an Allow field, such as "GET, HEAD, OPTIONS".
	Known bool
	Allow string
	// Params are the path's variables, decoded.
	Params []Param
}

// A Param is a path variable of one request.
type Param struct{ Name, Value string }

// Input is what rules and limits are evaluated on. What is nil is absent.
type Input struct {
	Caller  *exchange.Caller
	Address string // of the client, without its port
	Request *exchange.Request
	Params  []Param
	// Body, Reply and Object are the request's, the response's and the
	// preread object's JSON.
	Body, Reply, Object *Facts
}

// Phase says when a rule can be decided.
type Phase int

const (
	OnRequest  Phase = iota + 1 // from the request alone
	OnObject                    // after the object was read
	OnResponse                  // from the response, before it leaves
)

// A Rule is one line of the policy on one operation.
type Rule struct {
	Phase Phase
	// Owner is true for `owner:` rules (authorization on an object), false
	// for `allow:` (authorization for a function or by values).
	Owner  bool
	Source string // the expression as written
	Place  string // "parley.yaml:14"
	// Hide turns its refusal into 404, as if the object were not there.
	Hide bool
	eval func(*Input) (bool, error)
}

// Allows evaluates the rule. A value that is absent makes it false, not an
// error; an error means the rule could not be decided and callers must refuse.
func (r *Rule) Allows(in *Input) (bool, error) { return r.eval(in) }

// A ParameterFault is an input outside of the body that breaks the contract.
type ParameterFault struct {
	In      string // "path", "query", "header", "cookie"
	Name    string
	Keyword string // "undeclared", "required", "type", "repeated", or the schema keyword that failed
}
