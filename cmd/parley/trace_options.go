package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/trace"
)

// options puts what was said into those of trace.
func (o *traceOptions) options(resolvers []string) (to trace.Options, people map[string]*identity.Person, err error) {
	to.Deep = o.deep
	if o.config != "" {
		if to.Contract, people, err = readPolicy(o.config); err != nil {
			return to, nil, err
		}
		if to.Identity, err = o.verifier(to.Contract); err != nil {
			return to, nil, err
		}
	} else if o.api != "" {
		if to.Contract, err = contract.FromAPI(o.api); err != nil {
			return to, nil, err
		}
	}
	if to.Client, err = o.client(); err != nil {
		return to, nil, err
	}
	for _, spec := range append(o.compare, resolvers...) {
		specs := []string{spec}
		if spec == configuredResolvers {
			if specs = strings.FieldsFunc(os.Getenv("PARLEY_RESOLVERS"), func(r rune) bool { return r == ',' || r == ' ' }); len(specs) == 0 && len(resolvers) == 0 {
				return to, nil, &usageError{"--compare: no resolver is named", "--compare=https://dns.example/dns-query, or put some into PARLEY_RESOLVERS"}
			}
		}
		for _, s := range specs {
			r, err := call.ResolverOptions{Roots: to.Client.Roots, More: to.Client.More}.Parse(s)
			if err != nil {
				return to, nil, &usageError{"--compare: " + strings.TrimPrefix(err.Error(), "call: "), "such as 192.0.2.53, tls://dns.example, https://dns.example/dns-query"}
			}
			to.Compare = append(to.Compare, r)
		}
	}
	return to, people, nil
}

// configuredResolvers stands for those of the environment.
const configuredResolvers = "configured"

// verifier proves callers by the policy's identity section, if that needs no
// other server: trace speaks to nobody but the API.
func (o *traceOptions) verifier(k *contract.Contract) (*identity.Verifier, error) {
	if k == nil || !k.Sections["identity"].Present() {
		return nil, nil
	}
	config, err := identity.Parse(k.Sections["identity"], filepath.Dir(o.config))
	if err != nil || config.JWT != nil && strings.Contains(config.JWT.Keys, "://") {
		return nil, err
	}
	v, err := identity.New(config, identity.Options{})
	if err != nil {
		return nil, nil // the keys are guard's, and may be readable to guard alone
	}
	return v, nil
}

// login is the client for recipes that get a credential: it stops where the
// channel is not verified.
func (o *traceOptions) login(co call.Options) (*call.Client, error) {
	co.Untrusted, co.Redirects = call.Stop, 0
	l, err := call.New(co)
	if err != nil {
		return nil, &usageError{strings.TrimPrefix(err.Error(), "call: "), "parley trace --help"}
	}
	return l, nil
}

var errNoPEM = errors.New("has no certificate in PEM")
