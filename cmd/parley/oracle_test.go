package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/guard"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/internal/needs"
)

// A verdict is what the oracle says of one exchange.
type verdict struct{ leaks, refusals, faults int }

// TestOracle compares guard with an oracle that knows every owner and every
// declared member, in front of APIs that check nothing at all. A leak is
// another's object, or a member that may not be seen, in an answer; or a write
// to what is another's or may not be set. A false refusal is an honest request
// that is refused or answered otherwise than the oracle says.
func TestOracle(t *testing.T) {
	worlds, each := 50, 100
	if needs.Full() {
		worlds = 1000
	}
	var sum outcomes
	for seed := range worlds {
		w := newWorld(t, uint64(seed))
		h := w.guarded(t)
		w.play(t, each, &sum, func(raw []byte) (int, []byte, error) { return inProcess(h, raw) })
	}
	sum.note(t, "oracle, middleware")
}

// TestOracleThroughGateway plays some of it over TLS, with listener, upstream
// and every byte on a wire.
func TestOracleThroughGateway(t *testing.T) {
	worlds, each := 4, 60
	if needs.Full() {
		worlds, each = 40, 100
	}
	var sum outcomes
	for seed := range worlds {
		t.Run(fmt.Sprint("world ", seed), func(t *testing.T) {
			w := newWorld(t, uint64(seed))
			upstream := httptest.NewServer(w.api)
			t.Cleanup(upstream.Close)
			s, client := standFor(t, w.contract, upstream.URL, &counter{})
			config := client.Transport.(*http.Transport).TLSClientConfig
			w.play(t, each, &sum, func(raw []byte) (int, []byte, error) { return overTLS(s.gateway.Addr().String(), config, raw) })
		})
	}
	sum.note(t, "oracle, gateway")
}

// The oracle is not blind: without guard it sees every kind of harm, and with
// a guard that lets nobody in, false refusals.
func TestOracleSees(t *testing.T) {
	w := newWorld(t, 1)
	said := map[string]int{"a hidden member": 0, "a member for ": 0, " of ": 0, "HEAD says": 0, "a transfer": 0, "DELETE": 0, " set ": 0, "the report": 0}
	closed, refused := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(403) }), 0
	for range 600 {
		w.api.begin(plainJSON)
		a := w.ask(plainJSON)
		if _, _, err := inProcess(closed, a.raw("api.example")); err == nil {
			v, _ := w.judge(a, 403, nil)
			refused += v.refusals
		}
		status, body, err := inProcess(w.api, a.raw("api.example"))
		if err != nil {
			t.Fatal(err)
		}
		_, says := w.judge(a, status, body)
		if a.want < 300 { // its answer is a whole row
			w.twist(a)
			status, body, _ = inProcess(w.api, a.raw("api.example"))
			_, more := w.judge(a, status, body)
			says += more
		}
		for word := range said {
			if strings.Contains(says, word) {
				said[word]++
			}
		}
	}
	for word, n := range said {
		if n == 0 {
			t.Errorf("without guard the oracle never says %q", word)
		}
	}
	if refused == 0 {
		t.Error("the oracle saw no false refusal where everything is refused")
	}
}

// Outcomes count what the oracle said.
type outcomes struct {
	verdict
	worlds, honest, allowed, hostile, unread int
}

func (s *outcomes) note(t testing.TB, name string) {
	needs.Figure(t, name, "%d cases in %d APIs, %d honest (%d of them allowed) and %d hostile (%d not even HTTP): %d leaks, %d false refusals, %d wrong answers",
		s.honest+s.hostile, s.worlds, s.honest, s.allowed, s.hostile, s.unread, s.leaks, s.refusals, s.faults)
}

// play sends requests of all kinds and judges what comes.
func (w *world) play(t testing.TB, cases int, sum *outcomes, send func(raw []byte) (int, []byte, error)) {
	t.Helper()
	sum.worlds++
	for n := range cases {
		q := quirk(w.r.IntN(int(quirks)))
		w.api.begin(q)
		a := w.ask(q)
		if w.coin(2) || q == strangeType {
			for range w.r.IntN(3) {
				w.twist(a)
			}
			sum.hostile++
		} else {
			sum.honest++
			if a.want < 300 {
				sum.allowed++
			}
		}
		status, body, err := send(a.raw("api.example"))
		if err != nil {
			sum.unread++
			if a.want != 0 {
				t.Errorf("world %d, case %d (%s, quirk %d): %v\n%s", w.seed, n, a.what, q, err, a.raw("api.example"))
			}
			continue
		}
		v, says := w.judge(a, status, body)
		sum.leaks += v.leaks
		sum.refusals += v.refusals
		sum.faults += v.faults
		if says != "" {
			t.Errorf("world %d, case %d (%s, quirk %d): %s\n%s\nanswer %d %s", w.seed, n, a.what, q, says, a.raw("api.example"), status, body)
		}
		if t.Failed() && sum.leaks+sum.refusals+sum.faults > 20 {
			t.FailNow()
		}
	}
}

// guarded is guard's middleware before the world's API.
func (w *world) guarded(t testing.TB) http.Handler {
	t.Helper()
	config, err := identity.Parse(w.contract.Sections["identity"], dirOf(w.contract.File))
	if err != nil {
		t.Fatal(err)
	}
	v, err := identity.New(config, identity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	g, err := guard.New(w.contract, guard.Options{Identity: v, TLSInFront: true})
	if err != nil {
		t.Fatal(err)
	}
	return g.Middleware(w.api)
}

func dirOf(file string) string { return file[:strings.LastIndexByte(file, '/')] }

// inProcess serves a request as net/http reads it.
func inProcess(h http.Handler, raw []byte) (int, []byte, error) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return 0, nil, err
	}
	r.RemoteAddr = "192.0.2.1:1234"
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	if r.Method == "HEAD" {
		return rec.Code, nil, nil // net/http sends none
	}
	return rec.Code, rec.Body.Bytes(), nil
}

// overTLS sends bytes on a connection of their own.
func overTLS(address string, config *tls.Config, raw []byte) (int, []byte, error) {
	config = config.Clone()
	config.ServerName = "localhost"
	c, err := tls.Dial("tcp", address, config)
	if err != nil {
		return 0, nil, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.Write(raw); err != nil {
		return 0, nil, err
	}
	method, _, _ := strings.Cut(string(raw), " ")
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// judge says what is wrong with an exchange.
func (w *world) judge(a *ask, status int, body []byte) (v verdict, says string) {
	w.api.mu.Lock()
	defer w.api.mu.Unlock()
	leak := func(format string, args ...any) {
		v.leaks++
		says += "leak: " + fmt.Sprintf(format, args...) + "\n"
	}
	if bytes.Contains(body, []byte("HIDDEN-")) {
		leak("a hidden member")
	}
	for _, role := range []string{"admin", "editor"} {
		if bytes.Contains(body, []byte("ROLE-"+role)) && !a.who.has(role) {
			leak("a member for %ss", role)
		}
	}
	if bytes.Contains(body, []byte("OWNED-by-everybody")) && !a.who.has("admin") {
		leak("the report")
	}
	for _, res := range w.resources {
		for i, key := range res.keys {
			owner := w.people[i%len(w.people)].subject
			if bytes.Contains(body, []byte("OWNED-"+res.name+"-"+key+"-")) && !res.may(a.who, owner) {
				leak("%s %s of %s", res.name, key, owner)
			}
		}
	}
	if a.method == "HEAD" && status < 300 {
		for _, r := range w.api.reads {
			if !r.res.may(a.who, r.res.ownerOf(r.o)) {
				leak("HEAD says that %s %v is there", r.res.name, r.o["id"])
			}
		}
	}
	for _, wr := range w.api.writes {
		switch {
		case wr.res == nil:
			if a.who == nil || wr.owner != a.who.subject {
				leak("a transfer from %s", wr.owner)
			}
		case !wr.res.may(a.who, wr.owner):
			leak("%s of %s of %s", wr.verb, wr.res.name, wr.owner)
		default:
			for _, name := range wr.res.foreign(wr.members, a.who, wr.verb == "POST") {
				leak("%s set %s", wr.verb, name)
			}
		}
	}
	if status >= 500 && status != 501 && status != 505 && !(w.api.quirk == strangeType && status == 502) {
		v.faults++
		says += "a 5xx where the API had none\n"
	}
	if a.want == 0 || says != "" {
		return v, says
	}
	if status != a.want {
		if a.want < 300 {
			v.refusals++
		} else {
			v.faults++
		}
		return v, fmt.Sprintf("status %d, want %d", status, a.want)
	}
	if a.want < 300 && a.method != "HEAD" && a.want != 204 {
		if got, want := decoded(body), decoded(encoded(a.wantBody)); !reflect.DeepEqual(got, want) {
			v.refusals++
			return v, fmt.Sprintf("the answer is not what was promised:\n%s", encoded(a.wantBody))
		}
	}
	if a.want < 300 && a.members != nil && !bytes.Equal(w.api.body, a.body) {
		v.refusals++
		return v, fmt.Sprintf("the API was sent %q", w.api.body)
	}
	return v, ""
}

// foreign lists members of a body that a person may not set, by how the
// careless API took them.
func (res *resource) foreign(o object, p *person, making bool) []string {
	var out []string
	var look func(o object, detail bool)
	look = func(o object, detail bool) {
		for name, v := range o {
			inner, isObject := v.(object)
			if name == "detail" && !detail {
				if isObject {
					look(inner, true)
				}
				continue
			}
			if making && !detail && name == res.owner[0] {
				continue // by the rule on its owner
			}
			ok := false
			for _, m := range res.members {
				ok = ok || m.name == name && m.detail == detail && m.writableBy(p)
			}
			if !ok {
				out = append(out, name)
			}
		}
	}
	look(o, false)
	return out
}

func encoded(v any) []byte {
	b, _ := json.Marshal(v)
	return b
}

func decoded(b []byte) (v any) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return "more than one value"
	}
	return v
}
