package serve

import (
	"net/http"
	"strconv"
	"strings"
)

// HygieneOptions relax Hygiene.
type HygieneOptions struct {
	// AllowUnderscores lets field names with an underscore pass, as long as
	// they do not resemble one that matters.
	AllowUnderscores bool
	// Refused is told of each request that was refused, and why. May be nil.
	Refused func(r *http.Request, status int, reason string)
}

// Hygiene refuses requests that another reader could understand otherwise than
// we do, in every mode of operation: whoever judges such a request judges
// something else than the API will see.
func Hygiene(next http.Handler, o HygieneOptions) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, reason := judge(r, o.AllowUnderscores)
		if status == 0 {
			next.ServeHTTP(w, r)
			return
		}
		if o.Refused != nil {
			o.Refused(r, status, reason)
		}
		// The rest of the connection is as doubtful as the request.
		if r.ProtoMajor == 1 {
			w.Header().Set("Connection", "close")
		}
		Problem(w, status)
	})
}

// Ambiguity says whether, and why, a request could be understood in two ways.
// It answers nothing itself. What net/http has settled or refused before (bare
// line ends, several lengths, a length beside chunks) cannot be seen any more.
func Ambiguity(r *http.Request) (reason string, bad bool) {
	status, reason := judge(r, false)
	return reason, status != 0
}

// judge returns the status to refuse with, or 0, and why.
func judge(r *http.Request, underscores bool) (int, string) {
	const bad = http.StatusBadRequest
	switch r.Method {
	case http.MethodConnect:
		return http.StatusMethodNotAllowed, "CONNECT"
	case http.MethodTrace:
		return http.StatusMethodNotAllowed, "TRACE"
	}
	// HTTP/2 and 3 can carry anything as a method, net/http lets it pass.
	for i := 0; i < len(r.Method); i++ {
		if c := r.Method[i]; (c|0x20 < 'a' || c|0x20 > 'z') && c != '-' && c != '_' || c >= 0x80 {
			return bad, "method"
		}
	}
	if r.ProtoMajor == 1 && r.ProtoMinor > 1 || r.ProtoMajor == 0 {
		return http.StatusHTTPVersionNotSupported, "HTTP version"
	}
	if why := target(r); why != "" {
		return bad, why
	}
	if !host(r.Host) || r.Host == "" && (r.ProtoMajor > 1 || r.ProtoMinor > 0) {
		return bad, "Host is not a host and port"
	}
	if r.ProtoMajor == 1 && len(r.TransferEncoding) > 0 {
		if r.ProtoMinor == 0 || len(r.TransferEncoding) != 1 || r.TransferEncoding[0] != "chunked" {
			return bad, "Transfer-Encoding"
		}
	}
	for name, values := range r.Header {
		if why := field(r, name, values, underscores); why != "" {
			return bad, why
		}
	}
	if e := r.Header["Expect"]; len(e) > 0 && (len(e) > 1 || !strings.EqualFold(e[0], "100-continue")) {
		return http.StatusExpectationFailed, "Expect"
	}
	if len(r.Trailer) > 0 {
		for name := range r.Trailer {
			if matters[squeeze(name)] {
				return bad, "trailer announces " + name
			}
		}
	}
	return 0, ""
}

// target judges the request target. Only the origin form is taken, and "*" for
// OPTIONS: with the absolute form the request would name its host twice, and
// net/http has dropped one of the two by now.
func target(r *http.Request) string {
	t := r.RequestURI
	if t == "*" && r.Method == http.MethodOptions {
		return ""
	}
	if t == "" || t[0] != '/' {
		return "target is not a path"
	}
	// A reader may take the rest for a host.
	if len(t) > 1 && t[1] == '/' {
		return "target begins with two slashes"
	}
	for i := 0; i < len(t); i++ {
		if b := t[i]; b <= ' ' || b == 0x7f || b == '#' {
			return "target has a byte that cannot be in one"
		}
	}
	return ""
}

// matters are the names, squeezed, that framing, routing or trust depend on.
// A field that only resembles one may be taken for it further on: CGI and its
// heirs make X_Forwarded_For and X-Forwarded-For one variable.
var matters = map[string]bool{
	"transferencoding": true, "contentlength": true, "host": true, "connection": true,
	"te": true, "trailer": true, "upgrade": true, "expect": true, "contenttype": true,
	"contentencoding": true, "authorization": true, "proxyauthorization": true, "cookie": true,
	"origin": true, "forwarded": true, "xforwardedfor": true, "xforwardedhost": true,
	"xforwardedproto": true, "xforwardedport": true, "xforwardedprefix": true, "xrealip": true,
	"xoriginalurl": true, "xrewriteurl": true, "xhttpmethodoverride": true, "xapikey": true,
	"proxyconnection": true, "keepalive": true, "range": true, "via": true,
}

// known are those names themselves, as net/http writes them, and others that
// nearly every request has; they need no second look.
var known = func() map[string]bool {
	m := map[string]bool{}
	for n := range strings.FieldsSeq(`Transfer-Encoding Content-Length Host Connection Te Trailer Upgrade Expect
		Content-Type Content-Encoding Authorization Proxy-Authorization Cookie Origin Forwarded
		X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Port X-Forwarded-Prefix X-Real-Ip
		X-Original-Url X-Rewrite-Url X-Http-Method-Override X-Api-Key Proxy-Connection Keep-Alive Range Via
		User-Agent Accept Accept-Encoding Accept-Language Referer Cache-Control Pragma If-None-Match
		If-Match If-Modified-Since Sec-Fetch-Site Sec-Fetch-Mode Sec-Fetch-Dest Sec-Fetch-User Dnt
		Priority Traceparent Tracestate X-Request-Id X-Requested-With`) {
		m[n] = true
	}
	return m
}()

// squeeze drops what look-alike names differ by: case and everything that is
// neither letter nor digit.
func squeeze(name string) string {
	b := make([]byte, 0, 32)
	for i := 0; i < len(name) && len(b) < 32; i++ {
		switch c := name[i]; {
		case 'A' <= c && c <= 'Z':
			b = append(b, c|0x20)
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
			b = append(b, c)
		}
	}
	return string(b)
}

// ordinary reports whether a name has only letters, digits and dashes in the
// form that net/http writes it, so that most names need no second look.
func ordinary(name string) bool {
	for i := 0; i < len(name); i++ {
		if c := name[i]; (c|0x20 < 'a' || c|0x20 > 'z') && c != '-' && (c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// field judges one field and returns why it is refused, or "".
func field(r *http.Request, name string, values []string, underscores bool) string {
	if !known[name] {
		if !ordinary(name) && strings.Contains(name, "_") && !underscores {
			return "field name with an underscore"
		}
		// ContentLength, Transfer_Encoding, X--Forwarded-For, Host. and so on.
		if matters[squeeze(name)] {
			return "field name that resembles another"
		}
	}
	for _, v := range values {
		for i := 0; i < len(v); i++ {
			if b := v[i]; b < ' ' && b != '\t' || b == 0x7f {
				return "control byte in a field value"
			}
		}
	}
	switch name {
	case "Content-Length":
		// net/http has made one of several by now, unless they differed.
		if len(values) != 1 {
			return "several lengths"
		}
		n, err := strconv.ParseUint(values[0], 10, 63)
		if err != nil || int64(n) != r.ContentLength {
			return "Content-Length does not match the body"
		}
	case "Host":
		if len(values) != 1 || !strings.EqualFold(values[0], r.Host) {
			return "Host and :authority differ"
		}
	case "Transfer-Encoding", "Proxy-Connection", "Keep-Alive", "Upgrade":
		if r.ProtoMajor > 1 {
			return name + " over HTTP/" + strconv.Itoa(r.ProtoMajor) // RFC 9113, 8.2.2
		}
	case "Te":
		if r.ProtoMajor > 1 && (len(values) != 1 || !strings.EqualFold(values[0], "trailers")) {
			return "TE over HTTP/" + strconv.Itoa(r.ProtoMajor)
		}
	case "Connection":
		if r.ProtoMajor > 1 {
			return "Connection over HTTP/" + strconv.Itoa(r.ProtoMajor)
		}
		return connection(values)
	case "Content-Type", "Authorization", "Origin":
		// Readers differ on which of two they take.
		if len(values) > 1 {
			return "several " + name
		}
	}
	return ""
}

// connection refuses to have fields that matter dropped on the way to the API:
// what it names is for this hop only (RFC 9110, 7.6.1), and a request judged
// with a credential must not arrive without one.
func connection(values []string) string {
	for _, v := range values {
		for token := range strings.SplitSeq(v, ",") {
			token = strings.TrimSpace(token)
			if token == "" || strings.EqualFold(token, "close") || strings.EqualFold(token, "keep-alive") {
				continue
			}
			switch s := squeeze(token); s {
			case "upgrade", "te", "trailer", "proxyconnection", "keepalive":
			default:
				if matters[s] {
					return "Connection names " + token
				}
			}
		}
	}
	return ""
}

// host reports whether a Host value is a name or address with an optional
// port, and nothing that another reader may cut in two.
func host(h string) bool {
	if len(h) > 261 {
		return false
	}
	name, port := h, ""
	if strings.HasPrefix(h, "[") {
		i := strings.IndexByte(h, ']')
		if i < 0 {
			return false
		}
		name, port = h[1:i], h[i+1:]
		for j := 0; j < len(name); j++ {
			if c := name[j]; c != ':' && c != '.' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
				return false
			}
		}
		if port != "" && port[0] != ':' {
			return false
		}
	} else {
		if i := strings.IndexByte(h, ':'); i >= 0 {
			name, port = h[:i], h[i:]
			if name == "" {
				return false
			}
		}
		for j := 0; j < len(name); j++ {
			if c := name[j]; c != '-' && c != '.' && c != '_' && c != '~' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				return false
			}
		}
	}
	if port != "" {
		if len(port) > 6 {
			return false
		}
		for j := 1; j < len(port); j++ {
			if port[j] < '0' || port[j] > '9' {
				return false
			}
		}
	}
	return true
}
