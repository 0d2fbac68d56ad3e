// Package archive is exchanges in other programs' formats: HAR, Postman, curl,
// .http, and the files of Bruno.
//
// Each format is one file and one value of Formats. All read into a Collection:
// a tree of requests as somebody wrote them, with their variables unresolved,
// and of the exchanges that were recorded of them. What a format says that a
// Collection has no word for stays beside it and is written back in the same
// format, so that reading and writing loses nothing.
package archive

import "github.com/parley-project/parley/exchange"

// A Collection is a tree of requests.
type Collection struct {
	// Format is the name of the format that it was read from.
	Format string
	// File is where it was read from, for messages.
	File string
	Name string
	Doc  string
	Scope
	Items []*Item
	// Include are files that are read before this one, in any format, with
	// names relative to this one's folder: their requests come first, and their
	// variables hold here.
	Include []string
	// Warnings are what was read and cannot be run or written, one line each
	// with its place: "shop.http:12: a script, which is not run".
	Warnings []string
	// Foreign is the document as its format has it, for its own writer.
	Foreign any
}

// A Scope is what holds for everything below it.
type Scope struct {
	Variables []Variable
	Auth      *Auth // nil: that of the scope above
	Scripts   []Script
}

// A Variable has a name and a value, which may itself name variables as
// {{name}}.
type Variable struct {
	Name, Value string
	Secret      bool // never in any output
	Disabled    bool
}

// A Script is a program in a collection.
type Script struct {
	// When is "prerequest" or "test".
	When string
	// Language is "javascript"; others are not run.
	Language string
	Text     string
	Line     int
}

// An Item is a folder, or a request.
type Item struct {
	ID   string
	Name string
	Doc  string
	Scope
	// Items are those in a folder.
	Items []*Item
	// Request is nil for a folder.
	Request *Request
	// As is the identity that it is sent as; empty for nobody in particular.
	As string
	// Expect is what must hold of the call, Capture what is kept of it.
	Expect  []Expectation
	Capture []Capture
	// Needs are the names of requests that must have been made and answered as
	// expected before this one.
	Needs []string
	// Rows make the request once for each, with the row's values as variables;
	// RowsFile is a file of them, CSV or JSON.
	Rows     []map[string]any
	RowsFile string
	// Recorded are the exchanges that were recorded of it, or that it gives as
	// examples.
	Recorded []*exchange.Exchange
	// Line and Column are its place in the file, from 1; 0 when unknown.
	Line, Column int
	Foreign      any
}

// A Request is one as somebody wrote it: any text in it may name variables as
// {{name}}.
type Request struct {
	Method string
	URL    string
	// Params are the values of path segments that begin with a colon.
	Params []Field
	// Disabled are parameters of the query that are kept and not sent; those
	// that are sent stand in URL.
	Disabled []Field
	Header   []Field
	Body     *Body
	Auth     *Auth // nil: that of the item's scope
	Options  Options
}

// An Expectation is what must hold of one fact of the call.
type Expectation struct {
	// Fact is what is looked at, step first: "response.status",
	// "response.header.Content-Type", "response.body.$.items[0].id",
	// "tls.version", "dns.addresses", "times.total", "contract".
	Fact string
	// Is is how it is compared: "==", "!=", "<", "<=", ">", ">=", "contains",
	// "matches", "exists", "type", "in", "count".
	Is string
	// Want is the value, in the form of JSON: string, float64, bool, nil, []any.
	Want any
	Line int
}

// A Capture keeps a fact of the call as a variable.
type Capture struct {
	Variable, Fact string
	// Matches is a regular expression: kept is its first group, or all of what
	// it matches. Empty keeps the whole fact.
	Matches string
	Secret  bool
	Line    int
}

// A Field is a header field, a form's field or a parameter.
type Field struct {
	Name, Value string
	Doc         string
	Disabled    bool
}

// A Body is a request's content.
type Body struct {
	// Mode is "raw", "urlencoded", "form-data", "file" or "graphql".
	Mode string
	// Text is a raw body, and a GraphQL query.
	Text string
	// Variables are those of a GraphQL query, as JSON.
	Variables string
	// Operation is the operationName that is sent with a GraphQL query.
	Operation string
	// MediaType is what the format says that a raw body is, if it does; a
	// Content-Type in Header counts more.
	MediaType string
	// Fields are those of a form.
	Fields []FormField
	// File is the file that is the body.
	File string
	// Joined is true when the file is sent without its line ends and zero
	// bytes, as curl's --data does.
	Joined bool
	// Pieces are what the body is put together from in the mode "pieces":
	// text, and files among it.
	Pieces []Piece
}

// A Piece is one of several that make a body, one after another.
type Piece struct {
	Text string
	// File is read at its place, Joined as in Body.
	File   string
	Joined bool
	// Encoded is true when the file is percent-encoded, after Text.
	Encoded bool
}

// A FormField is a field of a form.
type FormField struct {
	Field
	// File is the file that is the field's value; empty for Value.
	File string
	// FileName is the name that is sent for it.
	FileName string
	// MediaType is the part's Content-Type.
	MediaType string
	// Inline is true when the file is the field's text: the field is no file.
	Inline bool
}

// An Auth says how a request proves who sends it.
type Auth struct {
	// Scheme is "none", "basic", "bearer", "apikey", "digest", "oauth2",
	// "aws-sigv4", or a word that cannot be run: "ntlm", "hawk", "oauth1".
	Scheme string
	// Params are its values in the words of Postman's format, such as
	// username, password, token, key, value, in.
	Params map[string]string
}

// Options say how to send a request.
type Options struct {
	HTTP        string // "", "1.1", "2", "3"
	Insecure    bool   // the certificate is not verified (curl -k)
	NoRedirect  bool
	Redirects   bool // redirects are followed (curl -L)
	MaxRedirect int
	Timeout     float64 // seconds; 0 is the default
	Proxy       string
	Cert, Key   string   // files
	CACert      string   // file
	Pin         string   // curl's --pinnedpubkey
	Resolve     []string // curl's --resolve, each host:port:address
	Compressed  bool
	NoCookies   bool
	// DropBody says that the body is kept and not sent: Postman sends none with
	// GET, HEAD and the like unless it is told to.
	DropBody bool
	// KeepMethod says that redirects do not turn the method into GET.
	KeepMethod bool
}
