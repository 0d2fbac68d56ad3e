package run

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
)

// secretsCollection sends secrets in every place, to a server that sends them
// all back, and expects what does not hold, so that each is talked about.
const secretsCollection = `name: Secrets
variables:
  a: {value: mark-01-variable-Zq7, secret: true}
  b: {value: "mark 02/plus+and&Zq7", secret: true}
  c: {value: mark-03-nested-Zq7, secret: true}
  outer: 'x{{c}}y'
  d: {value: '', secret: true}
auth: {bearer: mark-04-bearer-Zq7}
requests:
  - name: everything
    post: '$U/mirror?api_key=mark-05-query-Zq7&q={{a}}'
    headers:
      X-Api-Key: mark-06-header-Zq7
      Cookie: sid=mark-07-cookie-Zq7
      X-Plain: '{{a}}'
      X-Basic: Basic bWFyay0wOC1iYXNpYy1acTc6cHc=
    json: {password: mark-09-body-Zq7, note: '{{outer}}', t: '{{b}}'}
    expect: {status: 500, body: nothing, 'body.$.all': 1, header.X-Back: 1, header.Set-Cookie: 1, body.$.password: 1, request.url: 1, request.body: 1, body.$.token: mark-10-want-Zq7, cookies.session: 1}
    capture: {kept: {fact: body.$.access, secret: true}, gone: body.$.nothing}
  - name: 'use {{kept}} mark-04-bearer-Zq7'
    get: '$U/mirror/{{kept}}/{{a}}?x={{kept}}'
    auth: {basic: 'user:mark-12-password-Zq7'}
    expect: {body.$.url: 1, status: 201}
  - name: api key
    get: $U/mirror
    auth: {apikey: {key: X-Custom, value: mark-13-apikey-Zq7}}
    expect: {body: 1}
  - name: login
    get: $U/mirror
    headers: {Authorization: Bearer mark-14-literal-Zq7}
    expect: {body: 1, body.$.all: {matches: never}}
  - name: refused
    get: http://mark-01-variable-Zq7.invalid/{{a}}?token=mark-15-token-Zq7
  - name: unknown
    get: '$U/{{a}}/{{nobody}}'
  - name: given
    get: '$U/mirror?v={{given}}&e={{env}}&r={{row}}&s={{client_secret}}&d={{d}}&p={{process.env.PARLEY_TEST_SECRET}}&w={{password}}'
    expect: {body: 1}
`

// mirror sends back what it got, in the body, in header fields, as text, as
// base64, as hex, and compressed.
func mirror(w http.ResponseWriter, r *http.Request) {
	var all bytes.Buffer
	fmt.Fprintf(&all, "%s\n", r.URL)
	r.Header.Write(&all)
	var body bytes.Buffer
	body.ReadFrom(r.Body)
	all.Write(body.Bytes())
	var sent map[string]any
	json.Unmarshal(body.Bytes(), &sent)
	w.Header().Set("X-Back", r.Header.Get("Authorization")+" "+r.Header.Get("X-Plain"))
	http.SetCookie(w, &http.Cookie{Name: "session", Value: "mark-16-session-Zq7"})
	out := map[string]any{"all": all.String(), "url": r.URL.String(), "password": sent["password"], "access": "mark-11-captured-Zq7",
		"token": "mark-17-token-Zq7", "base64": base64.StdEncoding.EncodeToString([]byte("x" + r.Header.Get("X-Plain"))),
		"hex": hex.EncodeToString([]byte(r.Header.Get("X-Plain")))}
	w.Header().Set("Content-Type", "application/json")
	b, _ := json.Marshal(out)
	if r.URL.Query().Get("v") != "" {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		z.Write(b)
		z.Close()
		return
	}
	w.Write(b)
}

// found looks for a mark in a text in every form, and in what is compressed in
// it.
func found(text, mark string) string {
	for name, f := range map[string]string{"plain": mark, "query": url.QueryEscape(mark), "path": url.PathEscape(mark), "hex": hex.EncodeToString([]byte(mark)),
		"base64": base64.RawStdEncoding.EncodeToString([]byte(mark))} {
		if strings.Contains(text, f) {
			return name
		}
	}
	return ""
}

type recorded struct{ all []*exchange.Exchange }

func (r *recorded) Record(x *exchange.Exchange) { r.all = append(r.all, x) }

func TestSecretsAppearNowhere(t *testing.T) {
	u := server(t, http.HandlerFunc(mirror))
	var outs [5]bytes.Buffer
	masker := NewMasker(false)
	kept := &recorded{}
	har := &archive.Collection{Format: "har"}
	junit, page := &Keep{}, &Keep{}
	junit.Write = func(k *Keep) error { return JUnit(&outs[2], k) }
	page.Write = func(k *Keep) error { return HTML(&outs[3], k) }
	environment := Variables("e", []archive.Variable{{Name: "env", Value: "mark-18-environment-Zq7", Secret: true}})
	given := Variables("g", []archive.Variable{{Name: "given", Value: "mark-19-given-Zq7", Secret: true}})
	environment.Set("client_secret", "mark-20-named-Zq7")
	given.Set("d", "mark-21-declared-Zq7")
	t.Setenv("PARLEY_TEST_SECRET", "mark-22-process-Zq7")
	o := Options{Masker: masker, Environment: environment, Given: given, Call: call.Options{Clear: true, Recorder: kept},
		Data:      []map[string]any{{"row": "7", "password": "mark-23-row-Zq7"}},
		Reporters: []Reporter{&Text{W: &outs[0], Verbose: true}, &JSON{W: &outs[1]}, junit, page, harOf{har, masker}}}
	k, s := play(t, read(t, u, secretsCollection), o)
	if s.Requests != 7 || s.Failed < 12 {
		t.Fatalf("Run found %+v, want 7 requests of which everything fails\n%s", s, messages(k))
	}
	if err := archive.FormatNamed("har").Write(&outs[4], har); err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(kept.all)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"text": outs[0].String(), "json": outs[1].String(), "junit": outs[2].String(), "html": outs[3].String(), "har": outs[4].String(), "store": string(stored)}
	for i, x := range kept.all {
		texts[fmt.Sprint("body ", i)] = string(x.Request.Body.Data)
		if x.Response != nil {
			b, _ := decode(x.Response)
			texts[fmt.Sprint("response ", i)] = string(b)
		}
	}
	for i := 1; i <= 23; i++ {
		mark := fmt.Sprintf("mark-%02d-", i)
		for name, text := range texts {
			for _, whole := range marksOf(mark) {
				if form := found(text, whole); form != "" {
					at := strings.Index(text, whole)
					t.Errorf("%s shows %s (%s): …%s…", name, whole, form, text[max(0, at-80):min(len(text), max(at, 0)+60)])
				}
			}
		}
	}
	if raw := NewMasker(true); raw.Text("Bearer mark-04-bearer-Zq7") != "Bearer mark-04-bearer-Zq7" {
		t.Error("a raw masker changes text")
	}
}

// marksOf are the whole marks that begin so.
func marksOf(prefix string) []string {
	var out []string
	text := secretsCollection + " mark-11-captured-Zq7 mark-16-session-Zq7 mark-17-token-Zq7 mark-18-environment-Zq7 mark-19-given-Zq7 mark-08-basic-Zq7 mark-20-named-Zq7 mark-21-declared-Zq7 mark-22-process-Zq7 mark-23-row-Zq7"
	if prefix == "mark-02-" {
		return []string{"mark 02/plus+and&Zq7"}
	}
	if prefix == "mark-01-" {
		return []string{"mark-01-variable-Zq7"}
	}
	if i := strings.Index(text, prefix); i >= 0 {
		out = append(out, text[i:i+strings.Index(text[i:], "Zq7")+3])
	}
	return out
}

// harOf keeps masked exchanges.
type harOf struct {
	c *archive.Collection
	m *Masker
}

func (h harOf) Begin(*Info) error  { return nil }
func (h harOf) End(*Summary) error { return nil }
func (h harOf) Add(r *Result) error {
	for _, x := range r.Exchanges {
		x = h.m.Exchange(x)
		h.c.Items = append(h.c.Items, &archive.Item{Name: r.Name, Request: &archive.Request{Method: x.Request.Method, URL: x.Request.URL()}, Recorded: []*exchange.Exchange{x}})
	}
	return nil
}

// Short words are left alone, or no line could be read.
func TestShortSecrets(t *testing.T) {
	m := NewMasker(false)
	m.Know("a")
	m.Know("200")
	if got := m.Text("a status of 200"); got != "a status of 200" {
		t.Errorf("Text found %q, want it unchanged", got)
	}
}
