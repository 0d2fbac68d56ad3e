package archive

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// A Masker puts placeholders in the place of secrets; identity.Masker is one.
// Equal secrets get equal placeholders.
type Masker interface {
	// Mask takes the secrets out of an exchange, in place.
	Mask(*exchange.Exchange)
	// Text takes out what has the shape of a secret.
	Text(string) string
	// Value takes out all of a value whose name is that of a secret, and what
	// Text does of any other.
	Value(name, value string) string
}

// Hide takes the secrets out of a collection, in place; exchanges, which others
// may hold as well, are copied first. It returns how many different secrets
// were found. {{name}} stays. A secret that is known by its name or place is
// looked for in all other text, too, also in base64, in hex and percent-encoded.
func Hide(c *Collection, m Masker) int {
	h := &hider{m: m, known: map[string]string{}, found: map[string]bool{}, seen: map[*tree]bool{}}
	h.collection(c)
	h.sweeping = h.replacer()
	clear(h.seen)
	h.collection(c)
	return len(h.found)
}

// quotedPart is what an error quotes of its input.
var quotedPart = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'[^']*'`)

// HideError returns err without what it quotes of its input, if that may be a
// secret: words with digits, and long ones.
func HideError(err error) error {
	if err == nil {
		return nil
	}
	hide := func(s string) string {
		return quotedPart.ReplaceAllStringFunc(s, func(q string) string {
			if len(q) < 26 && !strings.ContainsAny(q, "0123456789") {
				return q
			}
			return `"…"`
		})
	}
	var e *Error
	if errors.As(err, &e) {
		c := *e
		c.Text, c.Hint = hide(e.Text), hide(e.Hint)
		return &c
	}
	return errors.New(hide(err.Error()))
}

// A hider goes through a collection twice: once to find secrets by name and
// shape, and once to find those again elsewhere.
type hider struct {
	m Masker
	// known are the secrets with what stands for them.
	known map[string]string
	found map[string]bool
	// sweeping replaces them, the second time.
	sweeping *strings.Replacer
	seen     map[*tree]bool
}

// textKind is what a text is.
type textKind int

const (
	textPlain  textKind = iota // text for people
	textValue                  // the value of something with a name
	textSecret                 // a secret, whatever its name
	textLink                   // a URL
	textScript                 // a program
	textBody                   // a message's content; its name is the media type
)

// text hides one text.
func (h *hider) text(k textKind, name, s string) string {
	if s == "" {
		return s
	}
	if h.sweeping != nil {
		return h.sweeping.Replace(s)
	}
	out := h.hide(k, name, s)
	h.note(s, out)
	return out
}

// note remembers what stands for a secret: for all of a text, or for its end,
// after a scheme.
func (h *hider) note(s, out string) {
	if s == out {
		return
	}
	for _, p := range anyPlaceholder.FindAllString(out, -1) {
		h.found[p] = true
	}
	at := len(out) - placeholderLength
	if at >= 0 && isPlaceholder(out[at:]) && strings.HasPrefix(s, out[:at]) {
		h.known[s[at:]] = out[at:]
	}
}

func (h *hider) in(k textKind, name string, s *string) { *s = h.text(k, name, *s) }

func (h *hider) collection(c *Collection) {
	h.in(textPlain, "", &c.Name)
	h.in(textPlain, "", &c.Doc)
	for i := range c.Warnings {
		h.in(textPlain, "", &c.Warnings[i])
	}
	h.scope(&c.Scope)
	h.items(c.Items)
	c.Foreign = h.foreign(c.Foreign)
}

func (h *hider) scope(s *Scope) {
	for i := range s.Variables {
		v := &s.Variables[i]
		k := textValue
		if v.Secret {
			k = textSecret
		}
		h.in(k, v.Name, &v.Value)
	}
	for i := range s.Scripts {
		h.in(textScript, "", &s.Scripts[i].Text)
	}
	h.auth(s.Auth)
}

func (h *hider) items(items []*Item) {
	for _, it := range items {
		h.in(textPlain, "", &it.Name)
		h.in(textPlain, "", &it.Doc)
		h.scope(&it.Scope)
		if it.Request != nil {
			h.request(it.Request)
		}
		for i := range it.Expect {
			e := &it.Expect[i]
			if s, ok := e.Want.(string); ok {
				e.Want = h.text(textValue, e.Fact[strings.LastIndexByte(e.Fact, '.')+1:], s)
			}
		}
		for _, row := range it.Rows {
			for name, v := range row {
				if s, ok := v.(string); ok {
					row[name] = h.text(textValue, name, s)
				}
			}
		}
		for i, x := range it.Recorded {
			it.Recorded[i] = h.exchange(x)
		}
		it.Foreign = h.foreign(it.Foreign)
		h.items(it.Items)
	}
}

func (h *hider) request(r *Request) {
	h.in(textLink, "", &r.URL)
	h.fields(r.Params)
	h.fields(r.Disabled)
	h.fields(r.Header)
	h.auth(r.Auth)
	h.in(textLink, "", &r.Options.Proxy)
	b := r.Body
	if b == nil {
		return
	}
	media := b.MediaType
	for _, f := range r.Header {
		if strings.EqualFold(f.Name, "Content-Type") {
			media = f.Value
		}
	}
	if b.Mode == "graphql" {
		media = "application/json"
	}
	h.in(textBody, media, &b.Text)
	h.in(textBody, "application/json", &b.Variables)
	for i := range b.Fields {
		f := &b.Fields[i]
		h.field(&f.Field)
		h.in(textPlain, "", &f.FileName)
	}
	for i := range b.Pieces {
		h.in(textBody, "application/x-www-form-urlencoded", &b.Pieces[i].Text)
	}
}

func (h *hider) fields(fs []Field) {
	for i := range fs {
		h.field(&fs[i])
	}
}

func (h *hider) field(f *Field) {
	k := textValue
	if everydayName.MatchString(f.Name) && len(f.Value) >= 8 {
		k = textSecret
	}
	h.in(k, f.Name, &f.Value)
	h.in(textPlain, "", &f.Doc)
}

// publicParams are the parameters of schemes that prove nothing.
var publicParams = func() map[string]bool {
	set := map[string]bool{}
	for _, n := range strings.Fields("username user key in algorithm realm region service provider scheme scope grant_type grantType " +
		"accessTokenUrl authUrl refreshTokenUrl clientId client_authentication addTokenTo addParamsToHeader headerPrefix tokenName tokenType " +
		"redirect_uri callBackUrl callbackUrl useBrowser disableRetryRequest qop version signatureMethod addAuthDataToQuery addEmptyParamsToSign " +
		"includeBodyHash queryParamKey audience resource challengeAlgorithm nonce nonceCount clientNonce opaque timestamp timeStamp saveHelperData showPassword appId app authId delegation extraData consumerKey isSecretBase64Encoded authorizationUrl tokenUrl url") {
		set[n] = true
	}
	return set
}()

func (h *hider) auth(a *Auth) {
	if a == nil {
		return
	}
	for name, v := range a.Params {
		if strings.HasPrefix(v, "[") || strings.HasPrefix(v, "{") && !strings.HasPrefix(v, "{{") {
			if t, err := parseTree("", []byte(v)); err == nil { // as it is hidden in the document
				h.tree(t, place{name: name, auth: true})
				a.Params[name] = t.compact()
				continue
			}
		}
		a.Params[name] = h.text(h.authKind(name, a.Params["password"] == "" && a.Scheme == "basic"), name, v)
	}
}

// authKind says what a parameter of a scheme is. A user without a password is
// a key, by a custom of payment APIs.
func (h *hider) authKind(name string, alone bool) textKind {
	if !publicParams[name] || alone && name == "username" {
		return textSecret
	}
	return textLink
}

// maxForms is the number of secrets up to which each is looked for in all its
// forms. A recording of thousands of sessions is searched as it is written.
const maxForms = 4096

// replacer replaces what is known, in all forms in which it may be written.
// Short words are left alone: they would be found in places that have nothing
// to do with them.
func (h *hider) replacer() *strings.Replacer {
	type pair struct{ from, to string }
	var pairs []pair
	most := len(h.known) <= maxForms
	for s, p := range h.known {
		if len(s) < 8 || len(s) < 16 && !strings.ContainsAny(s, "0123456789") {
			continue
		}
		forms := []string{s}
		if most {
			forms = append(forms, url.QueryEscape(s), url.PathEscape(s), escapeCurl(s, "%20"), hex.EncodeToString([]byte(s)),
				strings.ToUpper(hex.EncodeToString([]byte(s))), strings.Trim(quote(s), `"`))
		}
		for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			if !most {
				break
			}
			// In the middle of something it has one of three forms.
			for shift := range 3 {
				code := e.EncodeToString(append(bytes.Repeat([]byte{0}, shift), s...))
				code = code[(shift*8+5)/6:]
				code = code[:(len(s)*8-(6-shift*8%6)%6)/6]
				forms = append(forms, code)
			}
		}
		for _, f := range forms {
			if len(f) >= 8 && !isPlaceholder(f) {
				pairs = append(pairs, pair{f, p})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(len(b.from)-len(a.from), strings.Compare(a.from, b.from), strings.Compare(a.to, b.to))
	})
	var list []string
	for i, p := range pairs {
		if i == 0 || pairs[i-1].from != p.from {
			list = append(list, p.from, p.to)
		}
	}
	return strings.NewReplacer(list...)
}
