package scan

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// identified is how people prove who they are, as far as the scan saw it: what
// the section identity says.
type identified struct {
	s *scanner

	issuer, audience string
	algorithms       []string
	roles            string // the claim, when it is not "roles"
	cookie           string
	jwks             []byte
	integer          bool
	header           string                    // of API keys
	keyed            []*check.Person           // who has one
	callers          map[*check.Person]*caller // what guard will know of each
	why              string                    // there is no section
	notes            []string
}

// caller is what guard knows of somebody once their credential is verified.
type caller struct {
	subject string
	known   bool // that the subject is the API's own word
	roles   []string
	claims  map[string]any
}

// identify reads it off the credentials of those who asked.
func (d *draft) identify() *identified {
	w := &identified{s: d.s, callers: map[*check.Person]*caller{}}
	tokens := w.readTokens()
	if tokens > 0 {
		if w.jwks = d.o.Keys; w.jwks == nil {
			w.jwks = w.published()
		}
	}
	for _, p := range d.s.trial.People {
		if c := w.callers[p]; c == nil && !p.Spare && p.Field != "" && !strings.EqualFold(p.Field, "Authorization") && !strings.EqualFold(p.Field, "Cookie") && p.Token != "" {
			if w.header == "" || strings.EqualFold(w.header, p.Field) {
				w.header = p.Field
				w.keyed = append(w.keyed, p)
				w.callers[p] = w.program(p)
			}
		}
	}
	switch {
	case tokens == 0 && len(w.keyed) == 0:
		w.why = "nobody showed a signed token (JWT) or an API key; guard verifies no others"
	case tokens > 0 && w.jwks == nil:
		w.why = "the API publishes no key set; give the one that tokens are verified with by --keys"
	case tokens > 0 && w.issuer == "":
		w.why = "the tokens do not say who issued them (iss)"
	}
	w.cookie = w.sessionCookie()
	w.integer = w.integerSubjects()
	return w
}

// readTokens takes issuer, audience and claims from the tokens of those whose
// tokens say so, and counts them.
func (w *identified) readTokens() (n int) {
	for _, p := range w.s.trial.People {
		var head struct {
			Alg string `json:"alg"`
		}
		var claims map[string]any
		first, _, _ := strings.Cut(string(p.Token), ".")
		payload := claimsOf(string(p.Token))
		if payload == nil || json.Unmarshal(decodeSegment(first), &head) != nil {
			continue
		}
		dec := json.NewDecoder(strings.NewReader(string(payload)))
		dec.UseNumber()
		if dec.Decode(&claims) != nil {
			continue
		}
		n++
		if iss, _ := claims["iss"].(string); w.issuer == "" {
			w.issuer = iss
		}
		if w.audience == "" {
			switch aud := claims["aud"].(type) {
			case string:
				w.audience = aud
			case []any:
				if len(aud) > 0 {
					w.audience, _ = aud[0].(string)
				}
			}
		}
		if head.Alg != "" && !strings.EqualFold(head.Alg, "none") && !slices.Contains(w.algorithms, head.Alg) {
			w.algorithms = append(w.algorithms, head.Alg)
		}
		if claims["roles"] == nil && w.roles == "" {
			w.roles = rolesClaim(payload)
		}
		c := &caller{subject: fmt.Sprint(claims["sub"]), known: true, roles: p.Roles, claims: map[string]any{}}
		for name, v := range claims {
			switch v.(type) {
			case string, json.Number:
				if !slices.Contains(unsaid, name) && name != "sub" {
					c.claims[name] = v
				}
			}
		}
		w.callers[p] = c
	}
	slices.Sort(w.algorithms)
	return n
}

// rolesClaim is where roles stand when that is not "roles".
func rolesClaim(claims []byte) string {
	for _, l := range check.Leaves(claims) {
		if l.Name == "role" || l.Name == "groups" || strings.HasSuffix(l.Shape, "/roles/*") {
			return strings.ReplaceAll(strings.Trim(strings.TrimSuffix(l.Shape, "/*"), "/"), "/", ".")
		}
	}
	return ""
}

// published is the key set that the API shows to anybody.
func (w *identified) published() []byte {
	for _, e := range w.s.trial.Endpoints {
		x := e.Honest[nil]
		if !check.Succeeded(x) {
			continue
		}
		text := check.Text(x)
		var set struct {
			Keys []map[string]any `json:"keys"`
			Data struct {
				Keys []map[string]any `json:"keys"`
			} `json:"data"`
		}
		if json.Unmarshal(text, &set) != nil {
			continue
		}
		keys := append(set.Keys, set.Data.Keys...)
		if len(keys) == 0 || slices.ContainsFunc(keys, func(k map[string]any) bool { return k["kty"] == nil }) {
			continue
		}
		for _, k := range keys { // never a private part, should somebody show one
			for _, secret := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
				delete(k, secret)
			}
		}
		if out, err := json.MarshalIndent(map[string]any{"keys": keys}, "", "  "); err == nil {
			return append(out, '\n')
		}
	}
	return nil
}

// sessionCookie is the cookie that carries the same token.
func (w *identified) sessionCookie() string {
	for _, p := range w.s.trial.People {
		for pair := range strings.SplitSeq(string(p.Cookies), "; ") {
			if name, value, ok := strings.Cut(pair, "="); ok && claimsOf(value) != nil {
				return name
			}
		}
	}
	var declared []string
	for _, s := range w.s.o.Contract.Schemes {
		if s.Type == "apiKey" && s.In == "cookie" {
			declared = append(declared, s.Name)
		}
	}
	if len(declared) == 1 {
		return declared[0]
	}
	return ""
}

// integerSubjects reports whether subjects are numbers where the API writes
// them.
func (w *identified) integerSubjects() bool {
	number := false
	for p, c := range w.callers {
		if !c.known {
			continue
		}
		if _, err := strconv.ParseInt(c.subject, 10, 64); err != nil {
			return false
		}
		for _, e := range w.s.trial.Endpoints {
			for _, l := range check.Members(e.Honest[p]) {
				number = number || l.Kind == "number" && l.Value == c.subject && (isOwnerName(l.Name) || isIDName(l.Name))
			}
		}
	}
	return number
}

// program is what is known of a program with an API key: the API says it
// nowhere, so that it is read off what it has of its own.
func (w *identified) program(p *check.Person) *caller {
	c := &caller{subject: p.Subject, known: p.Subject != "", roles: p.Roles, claims: map[string]any{}}
	for _, q := range w.s.trial.People {
		other := w.callers[q]
		if other == nil || !other.known {
			continue
		}
		for name := range other.claims {
			if v := w.onlyValue(p, name); v != "" && check.NamesTenant(name) {
				c.claims[name] = v
			}
		}
	}
	if !c.known {
		if v := w.ownMember(p); v != "" {
			c.subject, c.known = v, true
		}
	}
	if !c.known {
		c.subject = p.Name
	}
	return c
}

// onlyValue is the value of a member in what somebody is answered without
// naming anything, when it is always the same.
func (w *identified) onlyValue(p *check.Person, name string) string {
	value := ""
	for _, e := range w.s.trial.Endpoints {
		if strings.Contains(e.Path, "{") || !check.Succeeded(e.Honest[p]) || e.Public {
			continue
		}
		for _, l := range check.Members(e.Honest[p]) {
			if l.Name != name || l.Value == "" {
				continue
			}
			if value != "" && value != l.Value {
				return ""
			}
			value = l.Value
		}
	}
	return value
}

// ownMember is what stands in something that a program made, where the maker
// stands in what others made.
func (w *identified) ownMember(p *check.Person) string {
	for _, r := range w.s.trial.Resources {
		mine := r.Of(p)
		if mine == nil || !mine.Made {
			continue
		}
		for _, q := range w.s.trial.People {
			theirs, c := r.Of(q), w.callers[q]
			if theirs == nil || !theirs.Made || c == nil || !c.known {
				continue
			}
			for _, l := range check.Members(theirs.Seen) {
				if l.Value != c.subject || !check.NamesOwner(l.Name) {
					continue
				}
				for _, m := range check.Members(mine.Seen) {
					if m.Shape == l.Shape {
						return m.Value
					}
				}
			}
		}
	}
	return ""
}

// claimNames are the claims of tokens, in order.
func (w *identified) claimNames() []string {
	var out []string
	for _, c := range w.callers {
		for name := range c.claims {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// section is identity as it is written, or nothing when it cannot be said.
func (w *identified) section(claims []string) string {
	if w.why != "" {
		return ""
	}
	var b strings.Builder
	b.WriteString("identity:")
	if w.jwks != nil {
		audience := w.audience
		if audience == "" {
			audience = "any"
		}
		fmt.Fprintf(&b, "\n  jwt:\n    issuer: %s\n    audience: %s\n    keys: jwks.json\n    algorithms: [%s]", quoted(w.issuer), quoted(audience), strings.Join(w.algorithms, ", "))
		if w.roles != "" {
			b.WriteString("\n    roles: " + quoted(w.roles))
		}
		if w.cookie != "" {
			b.WriteString("\n  cookie: " + quoted(w.cookie))
		}
	}
	if len(w.keyed) > 0 {
		fmt.Fprintf(&b, "\n  api_keys: {header: %s, file: api-keys.yaml}", inFlow(w.header))
	}
	if w.integer {
		b.WriteString("\n  subject: {claim: sub, type: integer}")
	}
	if len(claims) > 0 {
		b.WriteString("\n  claims: [" + strings.Join(claims, ", ") + "]")
	}
	return b.String()
}

// beside are the files that the section names.
func (w *identified) beside(claims []string) []Beside {
	if w.why != "" {
		return nil
	}
	var out []Beside
	if w.jwks != nil {
		out = append(out, Beside{"jwks.json", w.jwks})
	}
	w.noteKeys()
	if len(w.keyed) == 0 {
		return out
	}
	var b strings.Builder
	b.WriteString("# Programs that have a key: its hash, never the key itself.\nkeys:\n")
	for _, p := range w.keyed {
		c := w.callers[p]
		fmt.Fprintf(&b, "  - {name: %s, sha256: %x, subject: %s", inFlow(p.Name), sha256.Sum256([]byte(p.Token)), strconv.Quote(c.subject))
		if len(c.roles) > 0 {
			var roles []string
			for _, r := range c.roles {
				roles = append(roles, inFlow(r))
			}
			b.WriteString(", roles: [" + strings.Join(roles, ", ") + "]")
		}
		var facts []string
		for _, name := range claims {
			if v, ok := c.claims[name]; ok {
				facts = append(facts, name+": "+inFlow(fmt.Sprint(v)))
			}
		}
		if len(facts) > 0 {
			b.WriteString(", claims: {" + strings.Join(facts, ", ") + "}")
		}
		b.WriteString("}\n")
		if note := "api-keys.yaml: how the API calls " + p.Name + " is not known: its name stands in subject"; !c.known && !slices.Contains(w.notes, note) {
			w.notes = append(w.notes, note)
		}
	}
	return append(out, Beside{"api-keys.yaml", []byte(b.String())})
}

// noteKeys says that programs whose keys the scan was not given would be locked
// out.
func (w *identified) noteKeys() {
	for _, s := range w.s.o.Contract.Schemes {
		if s.Type != "apiKey" || s.In != "header" || strings.EqualFold(s.Name, "Authorization") {
			continue
		}
		note := "api-keys.yaml: add the hashes of the other programs' keys: guard refuses those that it does not know"
		if len(w.keyed) == 0 {
			note = "no key in " + s.Name + " was given: guard refuses programs that show one until identity has api_keys: {header: " + s.Name + ", file: api-keys.yaml}"
		}
		if !slices.Contains(w.notes, note) {
			w.notes = append(w.notes, note)
		}
	}
}

// notNamed are claims that rules look at and the identity section does not keep.
func (w *identified) notNamed(used []string, k *contract.Contract) []string {
	var kept []string
	if fields, err := k.Sections["identity"].Fields(); err == nil {
		for _, f := range fields {
			if f.Name != "claims" {
				continue
			}
			items, _ := f.Value.Items()
			for _, i := range items {
				t, _ := i.Text()
				kept = append(kept, t)
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(used), func(c string) bool { return slices.Contains(kept, c) })
}

// seenBy is who guard takes somebody for.
func (w *identified) seenBy(p *check.Person) *exchange.Caller {
	c := w.callers[p]
	if p == nil || c == nil {
		return nil
	}
	out := &exchange.Caller{Subject: exchange.Subject(c.subject), Roles: c.roles, Name: p.Name, Claims: map[string]any{}}
	for name, v := range c.claims {
		if n, ok := v.(json.Number); ok {
			if i, err := n.Int64(); err == nil {
				out.Claims[name] = i
				continue
			}
			f, _ := n.Float64()
			out.Claims[name] = f
			continue
		}
		out.Claims[name] = v
	}
	return out
}

// unverified tries the identity section that was written on those who asked: a
// key set that does not belong to their tokens would lock everybody out.
func (d *draft) unverified(claims []string) (notes []string) {
	if d.who.section(claims) == "" {
		return nil
	}
	dir, err := os.MkdirTemp("", "parley-policy-*")
	if err != nil {
		return nil
	}
	defer os.RemoveAll(dir)
	for _, b := range d.who.beside(claims) {
		if os.WriteFile(filepath.Join(dir, b.Name), b.Data, 0o600) != nil {
			return nil
		}
	}
	k, err := d.parse(d.additions, claims)
	if err != nil {
		return nil
	}
	c, err := identity.Parse(k.Sections["identity"], dir)
	if err != nil {
		return []string{"identity: " + err.Error()}
	}
	v, err := identity.New(c, identity.Options{})
	if err != nil {
		return []string{"identity: " + err.Error()}
	}
	defer v.Close()
	for _, p := range d.s.trial.People {
		auth := d.s.auth[p]
		if p.Spare || auth == nil {
			continue
		}
		q := exchange.Request{Method: "GET", Scheme: "https", Authority: "api.invalid", Target: "/"}
		if auth.Apply(d.s.ctx, &q) != nil {
			continue
		}
		if caller, _, err := v.Identify(d.s.ctx, &q, time.Now()); err != nil || caller == nil {
			notes = append(notes, "identity: guard would not take the credential of "+p.Name+", which the API takes: look at keys, issuer, audience and algorithms before it stands in front")
		}
	}
	return notes
}
