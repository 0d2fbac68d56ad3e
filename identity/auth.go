package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// An Auth puts a credential into the requests of a client. It is safe for
// concurrent use.
type Auth interface {
	// Scheme names it as Credential does.
	Scheme() string
	// Apply puts the credential into a request that is about to be sent.
	Apply(ctx context.Context, r *exchange.Request) error
	// Answer looks at what came back and reports whether the request is worth
	// sending again: a challenge can be answered now, a token was renewed.
	Answer(ctx context.Context, r *exchange.Request, got *exchange.Response) (again bool, err error)
}

// authMakers make an Auth of its parameters, which have the words of Postman's
// collections. Those that must ask a server for a token are made by package
// call.
var authMakers = map[string]struct {
	needs []string
	make  func(p map[string]string) (Auth, error)
}{
	"basic": {nil, func(p map[string]string) (Auth, error) { return NewBasic(p["username"], Secret(p["password"])), nil }},
	"bearer": {[]string{"token"}, func(p map[string]string) (Auth, error) {
		return NewBearer(Secret(p["token"])), nil
	}},
	"apikey": {[]string{"key", "value"}, func(p map[string]string) (Auth, error) {
		return NewAPIKey(p["in"], p["key"], Secret(p["value"]))
	}},
	"digest": {[]string{"username"}, func(p map[string]string) (Auth, error) {
		return NewDigest(p["username"], Secret(p["password"])), nil
	}},
	"aws-sigv4": {[]string{"accessKey", "secretKey"}, func(p map[string]string) (Auth, error) {
		return NewSigV4(SigV4{AccessKey: p["accessKey"], SecretKey: Secret(p["secretKey"]), SessionToken: Secret(p["sessionToken"]),
			Region: p["region"], Service: p["service"]}), nil
	}},
}

// NewAuth makes the Auth of a scheme: "basic", "bearer", "apikey", "digest" or
// "aws-sigv4". Its parameters have the words of Postman's collections.
func NewAuth(scheme string, params map[string]string) (Auth, error) {
	m, ok := authMakers[scheme]
	if !ok {
		return nil, fmt.Errorf("identity: %q is no way to prove who asks that can be used here; known are %s", scheme, strings.Join(AuthSchemes(), ", "))
	}
	for _, name := range m.needs {
		if params[name] == "" {
			return nil, fmt.Errorf("identity: %s needs %q", scheme, name)
		}
	}
	return m.make(params)
}

// AuthSchemes are those that NewAuth knows.
func AuthSchemes() []string {
	names := make([]string, 0, len(authMakers))
	for name := range authMakers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// silent is the Answer of an Auth that has nothing better to offer.
type silent struct{}

func (silent) Answer(context.Context, *exchange.Request, *exchange.Response) (bool, error) {
	return false, nil
}

// setField replaces a field of a request, at its place if it has one.
func setField(r *exchange.Request, name, value string) {
	for i := range r.Header {
		if strings.EqualFold(r.Header[i].Name, name) {
			r.Header = slices.Clone(r.Header) // it may be shared with the request as written
			r.Header[i].Value = value
			rest := r.Header[i+1:]
			r.Header = append(r.Header[:i+1:i+1], slices.DeleteFunc(slices.Clone(rest), func(f exchange.Field) bool { return strings.EqualFold(f.Name, name) })...)
			return
		}
	}
	r.Header = append(r.Header[:len(r.Header):len(r.Header)], exchange.Field{Name: name, Value: value})
}

// validValue reports whether a text may stand in a field (RFC 9110, 5.5).
func validValue(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
