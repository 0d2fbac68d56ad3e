package archive

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ohler55/ojg/jp"

	"github.com/parley-project/parley/internal/config"
)

// A FactKind is what values a fact has.
type FactKind int

const (
	TextFact   FactKind = iota // text
	NumberFact                 // a number
	BoolFact                   // true or false
	TimeFact                   // a length of time, compared with "500ms"
	ListFact                   // a list of texts
	JSONFact                   // anything that JSON has
)

// A FactName is one thing that expectations and captures can look at.
type FactName struct {
	// Name is its full name, step first: "response.status". One that ends in a
	// dot takes an argument: "response.header.".
	Name string
	// Short is what one may also write; empty for nothing.
	Short string
	Kind  FactKind
	// Doc says in a line what it is.
	Doc string
}

// Facts are all facts of a call, in the order of its steps.
var Facts = []FactName{
	{"dns.name", "", TextFact, "the name that was looked up"},
	{"dns.resolver", "", TextFact, "who gave the addresses: system, hosts, given, or a resolver's name"},
	{"dns.addresses", "", ListFact, "the addresses of the name"},
	{"dns.ttl", "", NumberFact, "seconds for which the answer holds, if it was told"},
	{"dns.failure", "", TextFact, "why there is no address"},
	{"tcp.address", "", TextFact, "the address of the server's end"},
	{"tcp.port", "", NumberFact, "the port of the server's end"},
	{"tcp.reused", "", BoolFact, "whether the connection had carried a request before"},
	{"tcp.proxy", "", TextFact, "the proxy that was gone through"},
	{"tls.clear", "", BoolFact, "whether the connection carries no TLS"},
	{"tls.version", "", TextFact, "TLS 1.3, TLS 1.2, ..."},
	{"tls.suite", "", TextFact, "the cipher suite's IANA name"},
	{"tls.group", "", TextFact, "the key exchange group, such as X25519MLKEM768"},
	{"tls.alpn", "", TextFact, "the protocol that was agreed on: h2, http/1.1"},
	{"tls.verified", "", BoolFact, "whether the certificate chain was good for the name"},
	{"tls.problems", "", ListFact, "what was wrong with the chain, in fixed words such as expired"},
	{"tls.subject", "", TextFact, "the subject of the server's certificate"},
	{"tls.issuer", "", TextFact, "its issuer"},
	{"tls.names", "", ListFact, "the names it is good for"},
	{"tls.key", "", TextFact, "its key, such as ECDSA P-256"},
	{"tls.expires", "", TimeFact, "how long it is still good, such as > 240h"},
	{"tls.pin", "", TextFact, "base64 SHA-256 of its public key (SPKI)"},
	{"tls.chain", "", ListFact, "the subjects of all certificates that were sent"},
	{"tls.resumed", "", BoolFact, "whether an earlier session was resumed"},
	{"tls.stapled", "", BoolFact, "whether an OCSP response came with the certificate"},
	{"tls.scts", "", NumberFact, "how many signed certificate timestamps came"},
	{"tls.failure", "", TextFact, "why the handshake broke off"},
	{"request.method", "", TextFact, "the method that was sent"},
	{"request.url", "url", TextFact, "the URL that was asked, the last one after redirects"},
	{"request.http", "", TextFact, "the HTTP version of the request: 1.1, 2, 3"},
	{"request.header.", "", TextFact, "a header field that was sent; absent when it was not"},
	{"request.body", "", TextFact, "the body that was sent, as text"},
	{"request.size", "", NumberFact, "bytes of the body that was sent"},
	{"server.timing.", "", TimeFact, "an entry of Server-Timing"},
	{"response.status", "status", NumberFact, "the status code"},
	{"response.http", "http", TextFact, "the HTTP version of the response: 1.1, 2, 3"},
	{"response.interim", "", ListFact, "the 1xx statuses that came before"},
	{"response.header.", "header.", TextFact, "a header field; several lines are joined with a comma and a space"},
	{"response.headers.", "headers.", ListFact, "all lines of a header field"},
	{"response.trailer.", "trailer.", TextFact, "a trailer field"},
	{"response.type", "type", TextFact, "the media type, without parameters"},
	{"response.body", "body", TextFact, "the content, as text, its codings undone"},
	{"response.body.$", "body.$", JSONFact, "what a JSONPath (RFC 9535) finds in the content"},
	{"response.size", "size", NumberFact, "bytes of the content as it was sent"},
	{"response.sha256", "sha256", TextFact, "SHA-256 of the content as it was sent, in hex"},
	{"client.cookies", "cookies", ListFact, "the names of the cookies that came"},
	{"client.cookies.", "cookies.", TextFact, "a cookie's value; with .kept and .refused at the end, whether it was kept and why not"},
	{"client.hsts", "", TimeFact, "how long HTTPS is remembered for the host"},
	{"client.alt_svc", "", ListFact, "other places that the answer named"},
	{"client.withheld", "", ListFact, "credentials that were not sent because the channel was not verified"},
	{"contract", "", TextFact, "valid, violated, or unknown when the API's description has no such operation"},
	{"contract.operation", "", TextFact, "the operation's name"},
	{"contract.violations", "", ListFact, "what the response, and the request, do against the description"},
	{"times.blocked", "", TimeFact, "waiting for a connection"},
	{"times.dns", "", TimeFact, "looking the name up"},
	{"times.connect", "", TimeFact, "connecting, with TLS"},
	{"times.tls", "", TimeFact, "the TLS handshake"},
	{"times.send", "", TimeFact, "sending the request"},
	{"times.wait", "", TimeFact, "waiting for the first byte"},
	{"times.receive", "", TimeFact, "receiving the response"},
	{"times.total", "time", TimeFact, "all of it"},
	{"redirects", "", NumberFact, "how many redirects were followed"},
	{"failure", "", TextFact, "why there is no response; absent when there is one"},
	{"failed_at", "", TextFact, "the step that failed: dns, tcp, tls, request, response"},
}

// A Fact is a fact's name, read.
type Fact struct {
	*FactName
	// Argument is what follows the name: a header field, a cookie, a path.
	Argument string
	// Path is a JSONPath, of response.body.$.
	Path jp.Expr
}

// String is the fact as somebody would write it: in short.
func (f Fact) String() string {
	name := f.Name
	if f.Short != "" {
		name = f.Short
	}
	if f.Path != nil {
		return strings.TrimSuffix(name, "$") + f.Argument
	}
	return name + f.Argument
}

// Canonical is the fact's full name.
func (f Fact) Canonical() string {
	return strings.TrimSuffix(f.Name, "$") + f.Argument
}

// ParseFact reads the name of a fact, short or full. An error says what is
// wrong, and hint what to write instead.
func ParseFact(s string) (f Fact, hint string, err error) {
	for _, prefix := range []string{"response.body", "body"} {
		if rest, ok := strings.CutPrefix(s, prefix); ok && (strings.HasPrefix(rest, ".$") || strings.HasPrefix(rest, "[") || strings.HasPrefix(rest, ".@")) {
			path := strings.TrimPrefix(rest, ".")
			if path[0] == '[' {
				path = "$" + path
			}
			x, err := parsePath(path)
			if err != nil {
				return Fact{}, `a path is written like body.$.items[0].id or body.$["a name"]`, fmt.Errorf("%q is no JSONPath: %v", path, err)
			}
			return Fact{FactName: factNamed("response.body.$"), Argument: path, Path: x}, "", nil
		}
	}
	for i := range Facts {
		n := &Facts[i]
		if s == n.Name || n.Short != "" && s == n.Short {
			if strings.HasSuffix(s, ".") {
				return Fact{}, "add the name after the dot", fmt.Errorf("%q names nothing", s)
			}
			return Fact{FactName: n}, "", nil
		}
	}
	for i := range Facts {
		n := &Facts[i]
		if !strings.HasSuffix(n.Name, ".") {
			continue
		}
		for _, prefix := range []string{n.Name, n.Short} {
			if prefix != "" && strings.HasPrefix(s, prefix) && len(s) > len(prefix) {
				return Fact{FactName: n, Argument: s[len(prefix):]}, "", nil
			}
		}
	}
	if strings.HasPrefix(s, "body.") || strings.HasPrefix(s, "response.body.") {
		return Fact{}, "write body.$" + s[strings.Index(s, "body.")+4:], fmt.Errorf("%q is no fact", s)
	}
	return Fact{}, nearFact(s), fmt.Errorf("%q is no fact of a call", s)
}

// parsePath reads a JSONPath; the library is asked nothing that makes it panic.
func parsePath(path string) (x jp.Expr, err error) {
	defer func() {
		if r := recover(); r != nil {
			x, err = nil, fmt.Errorf("%v", r)
		}
	}()
	if len(path) > 4096 {
		return nil, fmt.Errorf("longer than 4,096 bytes")
	}
	return jp.ParseString(path)
}

func factNamed(name string) *FactName {
	for i := range Facts {
		if Facts[i].Name == name {
			return &Facts[i]
		}
	}
	return nil
}

// nearFact is a hint for a name that is none.
func nearFact(s string) string {
	var names []string
	for _, n := range Facts {
		names = append(names, n.Name)
		if n.Short != "" {
			names = append(names, n.Short)
		}
	}
	first, argument, _ := strings.Cut(s, ".")
	if argument != "" { // of a prefix: heder.X
		var dotted []string
		for _, n := range names {
			if p, ok := strings.CutSuffix(n, "."); ok {
				dotted = append(dotted, p)
			}
		}
		if near := config.Nearest(first, dotted); near != "" {
			return fmt.Sprintf("did you mean %q?", near+"."+argument)
		}
	}
	if near := config.Nearest(s, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	var of []string
	for _, n := range names {
		if strings.HasPrefix(n, first+".") {
			of = append(of, n)
		}
	}
	if len(of) == 0 {
		of = []string{"status", "http", "header.NAME", "body", "body.$.PATH", "cookies.NAME", "times.total", "tls.version", "dns.addresses", "contract"}
	}
	slices.Sort(of)
	return "known are " + strings.Join(of, ", ")
}
