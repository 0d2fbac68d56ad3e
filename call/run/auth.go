package run

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/identity"
)

// auth makes the credential of what is written. Schemes that ask a server keep
// what it told them, so one that is written alike is made once.
func (r *Runner) auth(a *archive.Auth, w *writer, c *call.Client) (identity.Auth, error) {
	if a == nil || a.Scheme == "none" || a.Scheme == "" || a.Scheme == "noauth" {
		return nil, nil
	}
	params := map[string]string{}
	key := a.Scheme
	for _, name := range slices.Sorted(maps.Keys(a.Params)) {
		v := w.text(a.Params[name])
		params[name] = v
		key += "\x00" + name + "\x00" + v
		if secretParam[name] {
			r.o.Masker.Know(v)
		}
	}
	if empty(params) {
		return nil, errEmpty
	}
	r.authMu.Lock()
	defer r.authMu.Unlock()
	if known, ok := r.auths[key]; ok {
		return known, nil
	}
	made, err := makeAuth(a.Scheme, params, c)
	if err != nil {
		return nil, err
	}
	if len(r.auths) >= 1000 { // data rows with a credential each
		clear(r.auths)
	}
	r.auths[key] = made
	return made, nil
}

// errEmpty says that a credential was not filled in: the request is sent
// without one, as other programs do.
var errEmpty = errors.New("the credential is empty: it is sent without one")

// errNotRun says the same of a scheme that is not run.
var errNotRun = errors.New("its authentication is kept and not run: it is sent without")

// empty reports whether nothing of a credential was filled in.
func empty(params map[string]string) bool {
	for name, v := range params {
		if v != "" && (secretParam[name] || name == "username" || name == "accessKey" || strings.HasSuffix(name, "Url") || strings.HasSuffix(name, "Id")) {
			return false
		}
	}
	return true
}

// secretParam are the parameters whose values are never shown.
var secretParam = map[string]bool{"password": true, "token": true, "value": true, "secretKey": true, "sessionToken": true,
	"clientSecret": true, "accessToken": true, "refreshToken": true, "client_secret": true}

func makeAuth(scheme string, p map[string]string, c *call.Client) (identity.Auth, error) {
	if slices.Contains(archive.NotRun(), scheme) {
		return nil, errNotRun
	}
	if scheme != "oauth2" {
		if scheme == "apikey" && p["key"] == "" {
			return nil, errEmpty
		}
		return identity.NewAuth(scheme, p)
	}
	if t := p["accessToken"]; t != "" { // it was got by other means
		if p["addTokenTo"] == "queryParams" {
			return identity.NewAPIKey("query", "access_token", identity.Secret(t))
		}
		return identity.NewBearer(identity.Secret(t)), nil
	}
	grant := map[string]string{"": "client_credentials", "password_credentials": "password", "client_credentials": "client_credentials",
		"refresh_token": "refresh_token", "password": "password"}[p["grant_type"]]
	if grant == "" {
		return nil, fmt.Errorf("the OAuth 2 grant %q needs a browser: log in first and give the token", p["grant_type"])
	}
	o := &identity.OAuth2{Grant: grant, TokenURL: p["accessTokenUrl"], ClientID: p["clientId"], ClientSecret: identity.Secret(p["clientSecret"]),
		Username: p["username"], Password: identity.Secret(p["password"]), RefreshToken: identity.Secret(p["refreshToken"]), Audience: p["audience"]}
	if p["scope"] != "" {
		o.Scopes = []string{p["scope"]}
	}
	return call.As(&identity.Person{Name: "of the collection", OAuth2: o}, c, "", nil)
}
