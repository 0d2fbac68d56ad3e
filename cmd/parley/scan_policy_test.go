package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/example/ledger"
	"github.com/parley-project/parley/example/play"
	"github.com/parley-project/parley/example/shop"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/internal/lab"
	"github.com/parley-project/parley/scan"
)

// askers are those that the examples are scanned as: victim, attacker, those of
// higher rank, others, and programs with a key.
var askers = map[string][]string{
	"shop":   {"priya", "rajan", "asha", "swift", "dart"},
	"ledger": {"carl", "bina", "olga", "cleo", "boris", "anna", "acme-till", "bluebird-till"},
}

var descriptions = map[string][]byte{"shop": shop.OpenAPI, "ledger": ledger.OpenAPI}

// A scanned example: the API with its flaws, and what a scan of it takes.
type scanned struct {
	name, base string
	over       string // its name and port over TLS
	api        api
	opened     opened
	keys       play.Keys
	client     *http.Client
	options    scan.Options
	dir        string
}

// toScan opens an example with flaws and gets ready to scan it.
func toScan(t *testing.T, name string, flaws ...string) *scanned {
	t.Helper()
	a := apis[name]
	s, signing := openKeyed(t, name, flaws)
	t.Cleanup(func() { s.Close() })
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	x := &scanned{name: name, base: server.URL, api: a, opened: s, client: server.Client(), dir: t.TempDir()}
	var err error
	if x.keys, err = s.Keys(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(x.dir, "openapi.yaml")
	if err := os.WriteFile(file, descriptions[name], 0o600); err != nil {
		t.Fatal(err)
	}
	// Browsers keep HSTS for names that are not local only.
	over := httptest.NewUnstartedServer(s.Handler())
	over.TLS = &tls.Config{Certificates: []tls.Certificate{scanAuthority().Issue(lab.Leaf{Names: []string{"api.example"}})}}
	over.Config.ErrorLog = log.New(io.Discard, "", 0)
	over.StartTLS()
	t.Cleanup(over.Close)
	at := netip.MustParseAddrPort(over.Listener.Addr().String())
	x.over = net.JoinHostPort("api.example", strconv.Itoa(int(at.Port())))
	x.options = scan.Options{URL: "https://" + x.over, File: file, SigningKey: signing}
	x.options.Call.Resolve = map[string][]netip.Addr{x.over: {at.Addr()}}
	x.options.Call.Roots = scanAuthority().Pool()
	if x.options.Contract, err = contract.FromAPI(file); err != nil {
		t.Fatal(err)
	}
	for _, who := range askers[name] {
		p := &identity.Person{Name: who}
		if who == "cleo" { // she has a browser's session
			p.Login = &identity.Login{Method: "POST", URL: "/api/sessions", Cookie: "ledger_session", Header: exchange.Header{{Name: "Content-Type", Value: "application/json"}},
				Body: identity.Secret(`{"email":"cleo@acme.example","password":"` + ledger.Password("cleo") + `"}`)}
		} else if key := x.keys.APIKey[who]; key != "" {
			if p.Auth, err = identity.NewAPIKey("header", x.keys.KeyHeader, identity.Secret(key)); err != nil {
				t.Fatal(err)
			}
		} else {
			p.Auth = identity.NewBearer(identity.Secret(x.keys.Token[who]))
		}
		x.options.People = append(x.options.People, p)
	}
	return x
}

var scanAuthority = sync.OnceValue(lab.NewAuthority)

// openKeyed opens an example with a key of its own, which its people lend.
func openKeyed(t *testing.T, name string, flaws []string) (opened, []byte) {
	t.Helper()
	var s opened
	var key any
	var err, err2 error
	if name == "shop" {
		k, e := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		key, err2 = k, e
		s, err = shop.New(shop.Options{Flaws: flaws, Key: k})
	} else {
		_, k, e := ed25519.GenerateKey(rand.Reader)
		key, err2 = k, e
		s, err = ledger.New(ledger.Options{Flaws: flaws, Key: k})
	}
	der, err3 := x509.MarshalPKCS8PrivateKey(key)
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	return s, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func (x *scanned) scan(t *testing.T, o scan.Options) *scan.Result {
	t.Helper()
	r, err := scan.Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// policy writes what stops what was found.
func (x *scanned) policy(t *testing.T, r *scan.Result) *scan.Patch {
	t.Helper()
	file := filepath.Join(x.dir, "parley.yaml")
	text, _ := os.ReadFile(file)
	p, err := r.Policy(scan.PolicyOptions{File: file, Text: text})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Text) == 0 {
		return p
	}
	if err := os.WriteFile(file, p.Text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, b := range p.Beside {
		if err := os.WriteFile(filepath.Join(x.dir, b.Name), b.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// take uses the policy that was written of another instance of the same API: at
// another address, and with other keys.
func (x *scanned) take(t *testing.T, from *scanned) {
	t.Helper()
	theirs := t.TempDir()
	if err := x.opened.WriteConfiguration(theirs, x.base); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"parley.yaml", "jwks.json", "api-keys.yaml"} {
		dir := from.dir
		if name == "jwks.json" {
			dir = theirs
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(data), "https://"+from.over, x.base)
		for who, key := range from.keys.APIKey {
			text = strings.ReplaceAll(text, hashOf(key), hashOf(x.keys.APIKey[who]))
		}
		if err := os.WriteFile(filepath.Join(x.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func hashOf(key string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(key))) }

// guarded stands guard in front of the same API with the policy that was
// written.
func (x *scanned) guarded(t *testing.T, r exchange.Recorder) (url string, client *http.Client, options scan.Options) {
	t.Helper()
	k, err := contract.Load(filepath.Join(x.dir, "parley.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	st, client := standFor(t, k, x.base, r)
	o := x.options
	o.URL = st.url()
	o.Call = call.Options{Roots: client.Transport.(*http.Transport).TLSClientConfig.RootCAs}
	return st.url(), client, o
}

func tellFindings(r *scan.Result) string {
	var b strings.Builder
	for _, f := range r.Findings {
		b.WriteString("\n  " + string(f.Verdict) + " " + f.Check + " " + f.Operation + " " + f.Parameter + " by " + f.By + " of " + f.Of)
		for _, e := range f.Evidence {
			b.WriteString("; " + e.String())
		}
		for _, p := range f.Proof {
			b.WriteString("\n      " + p.Request + " as " + p.As)
		}
	}
	return b.String()
}

func patchText(p *scan.Patch) string {
	var b strings.Builder
	for word, ss := range map[string][]scan.Stop{"written": p.Written, "stopped": p.Stopped, "left": p.Left} {
		for _, s := range ss {
			b.WriteString("\n  " + word + " " + s.Check + " " + s.Operation + ": " + s.Says)
		}
	}
	for _, n := range p.Notes {
		b.WriteString("\n  note: " + n)
	}
	return b.String()
}

// tolerated are flaws that stand in honest clients' way even once they are
// stopped, with what they then get.
var tolerated = map[string]func(want, was, got play.Result) bool{
	// The API puts everybody's orders into every answer, and guard refuses such
	// an answer whole.
	"shop/authz-object-list": func(_, was, got play.Result) bool { return was.Status == 200 && got.Status == 403 },
	// What comes after the API's 204 is no HTTP: nobody can tell what it would
	// be taken for, and guard closes the connection.
	"shop/status-204-body": func(want, _, got play.Result) bool { return want.Status == 204 && got.Status == 502 },
	// Guard gives a session cookie the attributes that it lacks; it cannot know
	// that the ledger, were it sound, would have said Strict.
	"ledger/client-cookie": func(want, was, got play.Result) bool {
		for _, r := range []*play.Result{&want, &got} {
			r.Header = maps.Clone(r.Header)
			r.Header["Set-Cookie"] = strings.ReplaceAll(r.Header["Set-Cookie"], "SameSite=Lax", "SameSite=Strict")
		}
		return len(play.Differences([]play.Result{want}, []play.Result{got})) == 0
	},
	// An ETag is of the bytes that the API sent, and guard took some out.
	"ledger/response-excessive-data": func(want, _, got play.Result) bool {
		h := maps.Clone(want.Header)
		delete(h, "ETag")
		want.Header = h
		return len(play.Differences([]play.Result{want}, []play.Result{got})) == 0
	},
}

// mended reports whether an answer is the sound one but for a header that the
// flawed API does not send and guard put there in its own words.
func mended(want, was, got play.Result) bool {
	h := maps.Clone(got.Header)
	for name := range h {
		if w, ok := want.Header[name]; ok && was.Header[name] == "" {
			h[name] = w
		}
	}
	got.Header = h
	return len(play.Differences([]play.Result{want}, []play.Result{got})) == 0
}

// TestPolicyStopsEachFlaw goes round once with each flaw of each example: a scan
// proves it, the policy is written, and in front of the same API the next scan
// finds nothing, while honest clients get what they got. Most of a round is
// waiting, so that several go at once.
func TestPolicyStopsEachFlaw(t *testing.T) {
	var rounds sync.WaitGroup
	at := make(chan struct{}, 6)
	for _, name := range []string{"shop", "ledger"} {
		for _, f := range apis[name].flaws {
			rounds.Go(func() {
				at <- struct{}{}
				defer func() { <-at }()
				t.Run(name+"/"+f.ID, func(t *testing.T) { goRound(t, name, f.ID) })
			})
		}
	}
	rounds.Wait()
}

// TestPolicyStopsAllFlaws goes round with all flaws at once.
func TestPolicyStopsAllFlaws(t *testing.T) {
	for _, name := range []string{"shop", "ledger"} {
		t.Run(name, func(t *testing.T) { goRound(t, name, "all") })
	}
}

func goRound(t *testing.T, name, flaw string) {
	x := toScan(t, name, flaw)
	first := x.options
	if flaw != "all" {
		first.Only = []string{flaw}
	}
	r := x.scan(t, first)
	found := slices.ContainsFunc(r.Findings, func(f *scan.Finding) bool {
		return f.Verdict == exchange.Confirmed && (f.Check == flaw || flaw == "all")
	})
	if !found {
		t.Fatalf("%s is not confirmed:%s", flaw, tellFindings(r))
	}
	p := x.policy(t, r)
	t.Log(patchText(p))
	t.Logf("\n%s", p.Diff)
	for _, n := range p.Notes {
		if strings.HasPrefix(n, "identity:") {
			t.Error(n)
		}
	}
	if len(p.Left) > 0 {
		t.Errorf("it is left to be done by hand:%s", patchText(p))
	}
	again := x.policy(t, r)
	if again.Diff != "" {
		t.Errorf("writing it twice adds:\n%s", again.Diff)
	}
	_, _, o := x.guarded(t, &counter{})
	after := x.scan(t, o)
	if len(after.Findings) > 0 {
		t.Errorf("through guard a scan still finds:%s", tellFindings(after))
	}
	x.honest(t, flaw)
	if len(p.Written) > 0 || flaw == "all" {
		x.rehearse(t)
	}
}

// rehearse tries the policy on what honest clients do with the sound API: it
// would refuse nothing.
func (x *scanned) rehearse(t *testing.T) {
	t.Helper()
	sound := toScan(t, x.name)
	sound.take(t, x)
	recorded := &tape{next: sound.client.Transport}
	if _, err := play.Play(context.Background(), &http.Client{Transport: recorded}, sound.base, sound.keys, sound.api.legitimate, nil); err != nil {
		t.Fatal(err)
	}
	har := filepath.Join(sound.dir, "honest.har")
	recorded.har(t, har, nil)
	var out, stderr bytes.Buffer
	if code := run([]string{"guard", "--try", har, "-c", filepath.Join(sound.dir, "parley.yaml")}, &out, &stderr); code != 0 {
		t.Errorf("rehearsed on honest traffic the policy refuses, exit %d: %s%s", code, &stderr, &out)
	}
}

var (
	soundOnce  sync.Mutex
	soundPlays = map[string][]play.Result{}
)

// soundly is what honest clients get of the sound example.
func soundly(t *testing.T, name string) []play.Result {
	t.Helper()
	soundOnce.Lock()
	defer soundOnce.Unlock()
	if soundPlays[name] == nil {
		s := toScan(t, name)
		rs, err := play.Play(context.Background(), s.client, s.base, s.keys, s.api.legitimate, nil)
		if err != nil {
			t.Fatal(err)
		}
		soundPlays[name] = rs
	}
	return soundPlays[name]
}

// honest plays the legitimate script through guard: each answer is that of the
// open API, or of the sound one where guard mended it.
func (x *scanned) honest(t *testing.T, flaw string) {
	t.Helper()
	steps := func(y *scanned, client *http.Client, base string) []play.Result {
		rs, err := play.Play(context.Background(), client, base, y.keys, y.api.legitimate, nil)
		if err != nil {
			t.Fatal(err)
		}
		return rs
	}
	fresh := toScan(t, x.name, flaw)
	fresh.take(t, x)
	base, client, _ := fresh.guarded(t, &counter{})
	got, want := steps(fresh, client, base), soundly(t, x.name)
	if len(play.Differences(want, got)) == 0 {
		return
	}
	open := toScan(t, x.name, flaw)
	was := steps(open, open.client, open.base)
	for i := range got {
		if i >= len(want) || i >= len(was) {
			t.Fatalf("%d answers, %d and %d", len(got), len(want), len(was))
		}
		if flaw == "all" { // one flaw's answer is another's request: who gets in is what counts
			list, gone := want[i].Status == 200 && got[i].Status == 403, want[i].Status == 204 && got[i].Status == 502 // see tolerated
			if want[i].Status < 400 && got[i].Status >= 400 && !list && !gone {
				t.Errorf("honest clients notice: %s: %d, want %d", got[i].Step, got[i].Status, want[i].Status)
			}
			continue
		}
		ds := play.Differences(want[i:i+1], got[i:i+1])
		if len(ds) == 0 || len(play.Differences(was[i:i+1], got[i:i+1])) == 0 {
			continue
		}
		if tolerated[x.name+"/"+flaw] != nil && tolerated[x.name+"/"+flaw](want[i], was[i], got[i]) {
			continue
		}
		if mended(want[i], was[i], got[i]) {
			continue
		}
		for _, d := range ds {
			t.Errorf("honest clients notice: %s", d)
		}
	}
}

// TestPolicyKeepsWhatAPersonWrote adds to the policy that ships with the shop,
// from which the rule on orders was taken.
func TestPolicyKeepsWhatAPersonWrote(t *testing.T) {
	x := toScan(t, "shop", "authz-object")
	if err := x.opened.WriteConfiguration(x.dir, "https://"+x.over); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(x.dir, "parley.yaml")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rule := "  - operation: GET /v1/orders/{id}\n    owner: response.user_id            # judged on the answer, before it leaves\n    unless: '\"admin\" in caller.roles'\n    hide_existence: true\n"
	before := strings.Replace(string(data), rule, "", 1)
	if before == string(data) {
		t.Fatal("the policy of the shop has another rule on orders")
	}
	if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	p := x.policy(t, x.scan(t, x.options))
	added := subtract(t, before, string(p.Text))
	if want := strings.ReplaceAll(rule, "            # judged on the answer, before it leaves", ""); !strings.HasSuffix(added, want) || strings.Count(added, "\n") != strings.Count(want, "\n")+1 {
		t.Errorf("added\n%s\nwant a comment and\n%s", added, want)
	}
	if len(p.Beside) > 0 {
		t.Errorf("%d files are written beside a policy that has its own", len(p.Beside))
	}
	_, _, o := x.guarded(t, &counter{})
	if after := x.scan(t, o); len(after.Findings) > 0 {
		t.Errorf("through guard a scan still finds:%s", tellFindings(after))
	}
	if again := x.policy(t, x.scan(t, x.options)); again.Diff != "" || len(again.Stopped) != 1 || !strings.Contains(again.Stopped[0].Says, "response.user_id") {
		t.Errorf("a second scan of the open address adds\n%s%s", again.Diff, patchText(again))
	}
}

// subtract are the lines of a text that another one has not, whose own must all
// be there in their order.
func subtract(t *testing.T, before, after string) string {
	t.Helper()
	var out strings.Builder
	old := strings.SplitAfter(before, "\n")
	for l := range strings.Lines(after) {
		if len(old) > 0 && l == old[0] {
			old = old[1:]
		} else {
			out.WriteString(l)
		}
	}
	if len(old) > 0 && old[0] != "" {
		t.Errorf("the line %q is gone", old[0])
	}
	return out.String()
}

// TestPolicyOfLearntAPI scans an API of which only traffic is known: the
// description that was learnt is written beside the policy.
func TestPolicyOfLearntAPI(t *testing.T) {
	x := toScan(t, "shop", "authz-object")
	recorded := &tape{next: x.client.Transport}
	if _, err := play.Play(context.Background(), &http.Client{Transport: recorded}, x.base, x.keys, x.api.legitimate, nil); err != nil {
		t.Fatal(err)
	}
	har, file := filepath.Join(x.dir, "traffic.har"), filepath.Join(x.dir, "policy", "parley.yaml")
	recorded.har(t, har, nil)
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	args := []string{"scan", x.base, "--from", har, "--only", "authz-object", "--no-sign-up", "--store", filepath.Join(x.dir, "scan.db"), "--journal", filepath.Join(x.dir, "journal"), "--write-policy", file}
	for _, who := range []string{"priya", "rajan", "asha"} {
		token := filepath.Join(x.dir, who+".txt")
		if err := os.WriteFile(token, []byte(x.keys.Token[who]), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--as", who+"=@"+token)
	}
	var out, stderr bytes.Buffer
	if code := run(args, &out, &stderr); code != exitFound {
		t.Fatalf("scan exits %d, want %d: %s%s", code, exitFound, &stderr, &out)
	}
	k, err := contract.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	st, client := standFor(t, k, "", &counter{})
	o := x.options
	o.URL, o.Only = st.url(), []string{"authz-object"}
	o.Call = call.Options{Roots: client.Transport.(*http.Transport).TLSClientConfig.RootCAs}
	if after := x.scan(t, o); len(after.Findings) > 0 {
		t.Errorf("through guard a scan still finds:%s\n%s", tellFindings(after), &out)
	}
}
