package run

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// A Masker takes secrets out of all that leaves a run: those that are known by
// their value, in the forms in which they travel, and those that look like
// one. It is safe for concurrent use.
type Masker struct {
	mu     sync.Mutex
	by     *identity.Masker
	raw    bool
	known  map[string]bool
	pairs  []pair
	values *strings.Replacer

	learned []learnt // see Learn
}

// NewMasker makes one; raw lets everything through.
func NewMasker(raw bool) *Masker {
	key := make([]byte, 32)
	rand.Read(key)
	return &Masker{by: identity.NewMasker(key), raw: raw, known: map[string]bool{}}
}

// minSecret is how long a value must be to be looked for in texts: "1" is
// everywhere.
const minSecret = 4

// Know adds a value that must not be shown.
func (m *Masker) Know(secret string) {
	if m == nil || m.raw || len(secret) < minSecret {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known[secret] {
		return
	}
	if len(m.known) == maxKnown { // a secret in each of thousands of rows: the last are enough
		m.remember(secret)
		return
	}
	m.known[secret] = true
	stand := m.stand(secret)
	for _, f := range forms(secret) {
		m.pairs = append(m.pairs, pair{f, stand})
	}
	m.values = nil
}

// maxKnown is how many declared secrets are looked for to the end of the run.
const maxKnown = 512

// A pair is a form of a secret, and what stands for it.
type pair struct{ form, stand string }

// stand is what identity puts for a secret, so that both look equal.
func (m *Masker) stand(secret string) string {
	return m.by.Value("password", secret)
}

// forms are how a value travels.
func forms(secret string) []string {
	var out []string
	add := func(f string) {
		if len(f) >= minSecret && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	quoted := secret
	if q, err := json.Marshal(secret); err == nil {
		quoted = string(q[1 : len(q)-1])
	}
	add(secret)
	for _, text := range []string{secret, quoted, url.QueryEscape(secret), url.PathEscape(secret)} {
		add(text)
		b := []byte(text)
		add(hex.EncodeToString(b))
		add(strings.ToUpper(hex.EncodeToString(b)))
		if len(b) >= 6 {
			coded(b, add)
		}
	}
	return out
}

// coded adds the forms in base64, in which a value looks different at each of
// three places in the text before it. The digits at its ends depend on its
// neighbours.
func coded(b []byte, add func(string)) {
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for skip := range 3 {
			s := e.EncodeToString(append(make([]byte, skip), b...))
			first := []int{0, 2, 3}[skip]
			last := len(s)
			if (len(b)+skip)%3 != 0 {
				last--
			}
			if last-first >= 8 {
				add(s[first:last])
			}
		}
	}
}

func (m *Masker) replacer() *strings.Replacer {
	if m.values == nil && len(m.pairs) > 0 {
		// A form may begin another one: the longest first.
		slices.SortStableFunc(m.pairs, func(a, b pair) int { return len(b.form) - len(a.form) })
		flat := make([]string, 0, 2*len(m.pairs))
		for _, p := range m.pairs {
			flat = append(flat, p.form, p.stand)
		}
		m.values = strings.NewReplacer(flat...)
	}
	return m.values
}

// Text masks a line.
func (m *Masker) Text(s string) string {
	if m == nil || m.raw || s == "" {
		return s
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.by.Text(m.replace(s))
}

// Exchange returns a masked copy.
func (m *Masker) Exchange(x *exchange.Exchange) *exchange.Exchange { return m.masked(x, true) }

// Values returns a copy in which only values are masked that are known, for
// those who mask by names themselves.
func (m *Masker) Values(x *exchange.Exchange) *exchange.Exchange { return m.masked(x, false) }

func (m *Masker) masked(x *exchange.Exchange, names bool) *exchange.Exchange {
	own := *x
	own.Request.Header = slices.Clone(x.Request.Header)
	if x.Response != nil {
		r := *x.Response
		r.Header, r.Trailer = slices.Clone(r.Header), slices.Clone(r.Trailer)
		own.Response = &r
	}
	if m == nil || m.raw {
		return &own
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if names {
		m.by.Mask(&own)
	}
	if len(m.pairs)+len(m.learned) == 0 {
		return &own
	}
	r := replaceFunc(m.replace)
	own.Request.Target = r.Replace(own.Request.Target)
	own.Request.Authority = r.Replace(own.Request.Authority)
	own.Failure = r.Replace(own.Failure)
	header(r, own.Request.Header)
	own.Request.Body = m.body(r, own.Request.Body, own.Request.Header)
	if own.Response != nil {
		header(r, own.Response.Header)
		header(r, own.Response.Trailer)
		own.Response.Body = m.body(r, own.Response.Body, own.Response.Header)
	}
	m.rest(r, &own)
	return &own
}

type replaceFunc func(string) string

// Replace is the function.
func (f replaceFunc) Replace(s string) string { return f(s) }

func replaced(r replaceFunc, values []string) []string {
	values = slices.Clone(values)
	for i, v := range values {
		values[i] = r.Replace(v)
	}
	return values
}

func header(r replaceFunc, h exchange.Header) {
	for i := range h {
		h[i].Name, h[i].Value = r.Replace(h[i].Name), r.Replace(h[i].Value)
	}
}

// body masks what is text, and lets go of a coded body that has a secret in it.
func (m *Masker) body(r replaceFunc, b exchange.Body, h exchange.Header) exchange.Body {
	if len(b.Data) == 0 {
		return b
	}
	if h.Get("Content-Encoding") != "" {
		plain, _ := decode(&exchange.Response{Header: h, Body: exchange.Body{Data: b.Data, Size: int64(len(b.Data))}})
		if t := string(plain); r.Replace(t) != t {
			b.Data = nil
		}
		return b
	}
	t := string(b.Data)
	if s := r.Replace(t); s != t {
		b.Size += int64(len(s) - len(t))
		b.Data = []byte(s)
	}
	return b
}

// rest masks what a certificate can carry, and the steps' failures.
func (m *Masker) rest(r replaceFunc, x *exchange.Exchange) {
	if x.DNS != nil {
		d := *x.DNS
		d.Name, d.Failure = r.Replace(d.Name), r.Replace(d.Failure)
		d.Answers = slices.Clone(d.Answers)
		for i := range d.Answers {
			a := &d.Answers[i]
			a.Name, a.Failure = r.Replace(a.Name), r.Replace(a.Failure)
			a.Records, a.Aliases = replaced(r, a.Records), replaced(r, a.Aliases)
		}
		x.DNS = &d
	}
	if x.TLS != nil {
		t := *x.TLS
		t.ServerName, t.PeerName, t.Failure = r.Replace(t.ServerName), r.Replace(t.PeerName), r.Replace(t.Failure)
		t.Chain = slices.Clone(t.Chain)
		for i := range t.Chain {
			c := &t.Chain[i]
			subject := c.Subject
			c.Subject, c.Issuer = r.Replace(c.Subject), r.Replace(c.Issuer)
			c.Names = slices.Clone(c.Names)
			changed := c.Subject != subject
			for j, n := range c.Names {
				c.Names[j] = r.Replace(n)
				changed = changed || c.Names[j] != n
			}
			if changed {
				c.DER = nil
			}
		}
		x.TLS = &t
	}
	if x.Client != nil {
		c := *x.Client
		c.Cookies = slices.Clone(c.Cookies)
		for i := range c.Cookies {
			c.Cookies[i].Name = r.Replace(c.Cookies[i].Name)
		}
		x.Client = &c
	}
}

// A maskedRecorder hands masked exchanges on.
type maskedRecorder struct {
	m    *Masker
	next exchange.Recorder
}

func (r maskedRecorder) Record(x *exchange.Exchange) {
	r.m.Learn(x)
	r.next.Record(r.m.Exchange(x))
}

// Recorder returns one that masks what it is given before next sees it.
func (m *Masker) Recorder(next exchange.Recorder) exchange.Recorder { return maskedRecorder{m, next} }
