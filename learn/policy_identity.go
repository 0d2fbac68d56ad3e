package learn

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// identity writes how callers are known, as far as tokens said.
func (m *model) identity(rules []rule) string {
	t := &m.l.tokens
	one := func(s *least[bool]) string {
		if len(s.m) == 1 && !s.over {
			for v := range s.m {
				return v
			}
		}
		return ""
	}
	issuer, audience := one(t.issuers), one(t.audiences)
	var algorithms []string
	for _, a := range slices.Sorted(maps.Keys(t.algorithms.m)) {
		if !strings.EqualFold(a, "none") {
			algorithms = append(algorithms, quoted(a))
		}
	}
	carriers := map[carrier]bool{}
	for _, o := range m.ops {
		cs, _ := m.carriersOf(o)
		for _, c := range cs {
			carriers[c] = true
		}
	}
	var b strings.Builder
	whole := issuer != "" && audience != "" && len(algorithms) > 0 && len(t.bearers.m)+len(t.cookies.m) > 0
	line := func(format string, args ...any) {
		if !whole {
			b.WriteString("# ")
		}
		fmt.Fprintf(&b, format+"\n", args...)
	}
	if len(carriers) == 0 {
		return "# identity: nobody was seen to prove who they are.\n"
	}
	switch {
	case !whole && len(t.issuers.m) > 0:
		b.WriteString("# Tokens did not say all that is needed, or were of several issuers: fill in and uncomment.\n")
	case !whole:
		b.WriteString("# No token was seen unmasked: fill in and uncomment.\n")
	}
	fill := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return quoted(s)
	}
	if len(algorithms) == 0 {
		algorithms = []string{"ES256"}
	}
	claims := map[string]bool{}
	for _, r := range rules {
		for _, c := range m.claims()[1:] {
			if strings.Contains(r.allow, "caller.claims."+c) {
				claims[c] = true
			}
		}
	}
	// What rules are judged by has to be there for them to load.
	needed := whole || m.integerSubjects() || len(claims) > 0
	known := func(format string, args ...any) {
		if !needed {
			b.WriteString("# ")
		}
		fmt.Fprintf(&b, format+"\n", args...)
	}
	known("identity:")
	line("  jwt:")
	line("    issuer: %s", fill(issuer, "https://login.example"))
	line("    audience: %s", fill(audience, "api"))
	if m.l.keySets.one() != nil {
		line("    keys: jwks.json")
	} else {
		line("    keys: jwks.json                    # the issuer's public keys: a file, or an https URL")
	}
	line("    algorithms: [%s]", strings.Join(algorithms, ", "))
	if r := one(t.rolesClaims); r != "" && r != "roles" {
		line("    roles: %s", quoted(r))
	}
	if c := one(t.cookies); c != "" {
		line("  cookie: %s", quoted(c))
	}
	if m.integerSubjects() {
		known("  subject: {claim: sub, type: integer}")
	}
	if len(claims) > 0 {
		known("  claims: [%s]", strings.Join(slices.Sorted(maps.Keys(claims)), ", "))
	}
	for _, c := range slices.Sorted(maps.Keys(carriers)) {
		if header, ok := strings.CutPrefix(string(c), "header:"); ok && header != "Authorization" {
			fmt.Fprintf(&b, "#  api_keys: {header: %s, file: api-keys.yaml}   # keys were seen; list their hashes and owners in the file\n", quoted(header))
		}
	}
	return b.String()
}
