package identity

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// NewBasic is a name and a password (RFC 7617).
func NewBasic(username string, password Secret) Auth {
	return &field{scheme: "basic", name: "Authorization",
		value: Secret("Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+string(password))))}
}

// NewBearer is a token in the Authorization field (RFC 6750, 2.1).
func NewBearer(token Secret) Auth {
	return &field{scheme: "bearer", name: "Authorization", value: "Bearer " + token}
}

// NewAPIKey is a key in a field, in a parameter of the query, or in a cookie;
// in is "header", "query" or "cookie", and empty means header.
func NewAPIKey(in, name string, value Secret) (Auth, error) {
	if name == "" {
		return nil, errors.New("identity: an API key needs the name of what carries it")
	}
	switch in {
	case "", "header":
		if !isToken(name) {
			return nil, fmt.Errorf("identity: %q is no name of a header field", name)
		}
		return &field{scheme: "api-key", name: name, value: value}, nil
	case "query":
		return &parameter{name: name, value: value}, nil
	case "cookie":
		return &cookie{name: name, value: value}, nil
	}
	return nil, fmt.Errorf("identity: an API key stands in header, query or cookie, not in %q", in)
}

// A field is a credential that is the value of a field.
type field struct {
	silent
	scheme, name string
	value        Secret
}

func (a *field) Scheme() string { return a.scheme }

func (a *field) Apply(_ context.Context, r *exchange.Request) error {
	if !validValue(string(a.value)) {
		return fmt.Errorf("identity: the %s credential has a control character, perhaps the end of a line", a.scheme)
	}
	setField(r, a.name, string(a.value))
	return nil
}

// A parameter is a credential in the query.
type parameter struct {
	silent
	name  string
	value Secret
}

func (a *parameter) Scheme() string { return "api-key" }

func (a *parameter) Apply(_ context.Context, r *exchange.Request) error {
	var kept []string
	for pair := range strings.SplitSeq(r.Query(), "&") {
		name, _, _ := strings.Cut(pair, "=")
		if known, err := url.QueryUnescape(name); pair != "" && (err != nil || known != a.name) {
			kept = append(kept, pair)
		}
	}
	kept = append(kept, url.QueryEscape(a.name)+"="+url.QueryEscape(string(a.value)))
	r.Target = r.Path() + "?" + strings.Join(kept, "&")
	return nil
}

// A cookie is a credential in the Cookie field.
type cookie struct {
	silent
	name  string
	value Secret
}

func (a *cookie) Scheme() string { return "cookie" }

func (a *cookie) Apply(_ context.Context, r *exchange.Request) error {
	if strings.ContainsAny(string(a.value), "; \t\r\n\x00") {
		return errors.New("identity: the cookie's value has a character that ends it")
	}
	var kept []string
	for _, line := range r.Header.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.TrimSpace(pair)
			if name, _, _ := strings.Cut(pair, "="); pair != "" && name != a.name {
				kept = append(kept, pair)
			}
		}
	}
	setField(r, "Cookie", strings.Join(append(kept, a.name+"="+string(a.value)), "; "))
	return nil
}
