package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/example/play"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/guard"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/internal/needs"
)

// tape records what passes through a client, as a browser would for a HAR.
type tape struct {
	next http.RoundTripper
	mu   sync.Mutex
	xs   []*exchange.Exchange
}

func (p *tape) RoundTrip(r *http.Request) (*http.Response, error) {
	now := time.Now()
	x := &exchange.Exchange{ID: exchange.NewID(now), Source: exchange.FromImport, Start: now, Request: exchange.Request{Method: r.Method, Scheme: r.URL.Scheme,
		Authority: r.URL.Host, Target: r.URL.RequestURI(), Proto: "HTTP/1.1", Header: call.Fields(r.Header), Fidelity: exchange.Canonical}}
	if r.Host != "" {
		x.Request.Authority = r.Host
	}
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(data))
		x.Request.Body = exchange.Body{Size: int64(len(data)), Data: data}
	}
	resp, err := p.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(data))
	x.Response = &exchange.Response{Status: resp.StatusCode, Proto: resp.Proto, Header: call.Fields(resp.Header), Fidelity: exchange.Canonical,
		Body: exchange.Body{Size: int64(len(data)), Data: data}}
	p.mu.Lock()
	p.xs = append(p.xs, x)
	p.mu.Unlock()
	return resp, nil
}

// har writes what was recorded, without what edit takes out.
func (p *tape) har(t *testing.T, file string, edit func(*exchange.Exchange)) {
	t.Helper()
	c := &archive.Collection{Name: "traffic"}
	for _, x := range p.xs {
		y := *x
		y.Request.Header = slices.Clone(x.Request.Header)
		if edit != nil {
			edit(&y)
		}
		c.Items = append(c.Items, &archive.Item{Name: y.Request.Method, Request: &archive.Request{Method: y.Request.Method, URL: y.Request.URL()}, Recorded: []*exchange.Exchange{&y}})
	}
	var b bytes.Buffer
	if err := archive.FormatNamed("har").Write(&b, c); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// legitimateTape records the script of honest clients on a sound API.
func (a api) legitimateTape(t *testing.T) (dir string, p *tape) {
	t.Helper()
	s, err := a.open(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	keys, err := s.Keys()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	dir = t.TempDir()
	if err := s.WriteConfiguration(dir, server.URL); err != nil {
		t.Fatal(err)
	}
	p = &tape{next: server.Client().Transport}
	if _, err := play.Play(context.Background(), &http.Client{Transport: p, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		server.URL, keys, a.legitimate, nil); err != nil {
		t.Fatal(err)
	}
	return dir, p
}

func try(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(append([]string{"guard", "--try"}, args...), &out, &errs)
	for line := range strings.SplitSeq(out.String(), "\n") {
		if !slices.Contains(args, "--format") && len([]rune(line)) > 80 {
			t.Errorf("wider than 80 columns: %s", line)
		}
	}
	return code, out.String(), errs.String()
}

// The policy that ships with an example stands in no honest client's way.
func TestTryLegitimate(t *testing.T) {
	for name, a := range apis {
		t.Run(name, func(t *testing.T) {
			dir, p := a.legitimateTape(t)
			file := filepath.Join(dir, "traffic.har")
			p.har(t, file, nil)
			code, out, errs := try(t, file, "-c", filepath.Join(dir, "parley.yaml"))
			if code != 0 || !strings.HasPrefix(out, strconv.Itoa(len(p.xs))+" exchanges: 0 would be refused, 0 fields removed") {
				t.Errorf("exit code %d, %s%s", code, out, errs)
			}
			t.Log(out)
			needs.Figure(t, "rehearsal of the "+name+"'s honest clients", "%d exchanges, exit code %d", len(p.xs), code)

			// Programs that leave secrets out leave it open who asked.
			p.har(t, file, func(x *exchange.Exchange) {
				x.Request.Header = slices.DeleteFunc(x.Request.Header, func(f exchange.Field) bool { return f.Name == "Authorization" || f.Name == "Cookie" })
			})
			code, out, errs = try(t, file, "-c", filepath.Join(dir, "parley.yaml"))
			if code != 0 || !regexp.MustCompile(`(?m)^ +[1-9]\d*  not judged for who asked`).MatchString(out) || !strings.Contains(errs, "hint: export the HAR") {
				t.Errorf("without credentials: exit code %d, %s%s", code, out, errs)
			}
		})
	}
}

// A rule that is too strict is named with its line and how often it stands in
// the way.
func TestTryNamesTheRule(t *testing.T) {
	dir, p := apis["shop"].legitimateTape(t)
	file, policy := filepath.Join(dir, "traffic.har"), filepath.Join(dir, "parley.yaml")
	p.har(t, file, nil)
	text, err := os.ReadFile(policy)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	at := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "operation: GET /v1/users/{id}") })
	if at < 0 || !strings.Contains(lines[at+2], "unless") {
		t.Fatalf("the policy is another: %q", lines[at:at+3])
	}
	lines[at+2] = ""
	if err := os.WriteFile(policy, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := try(t, file, "-c", policy)
	want := regexp.MustCompile(`(?m)^  parley\.yaml:` + strconv.Itoa(at+1) + ` \S+.* refuse 404 +(\d+)  GET /v1/users/\d+ as`)
	if code != 1 || !want.MatchString(out) || !strings.Contains(errs, "parley: found: ") {
		t.Errorf("exit code %d, want 1 and %s\n%s%s", code, want, out, errs)
	}
	t.Log(out)
	for _, format := range []string{"json", "sarif", "junit", "html"} {
		code, out, errs := try(t, file, "-c", policy, "--format", format)
		if code != 1 || !strings.Contains(out, "parley.yaml:"+strconv.Itoa(at+1)) {
			t.Errorf("--format %s: exit code %d, %.600s%s", format, code, out, errs)
		}
		if strings.Contains(out, "eyJ") {
			t.Errorf("--format %s: shows a token", format)
		}
		if format == "json" {
			schema, err := jsonschema.NewCompiler().Compile("../../doc/schema/parley.rehearsal-1.schema.json")
			if err != nil {
				t.Fatal(err)
			}
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(v); err != nil {
				t.Errorf("--format json: %v", err)
			}
		}
	}
}

// The clock is the exchange's: the same tokens are good in a recording of now,
// and expired in one that says it was made in two days.
func TestTryClock(t *testing.T) {
	dir, p := apis["shop"].legitimateTape(t)
	file := filepath.Join(dir, "traffic.har")
	p.har(t, file, func(x *exchange.Exchange) { x.Start = x.Start.Add(48 * time.Hour) })
	code, out, errs := try(t, file, "-c", filepath.Join(dir, "parley.yaml"))
	if want := regexp.MustCompile(`(?m)^  authn-jwt-expired +refuse 401 +\d\d  `); code != 1 || !want.MatchString(out) {
		t.Errorf("exit code %d, want 1 and %s\n%s%s", code, want, out, errs)
	}
}

// A masked recording is judged without who asked, and nothing is held against
// what is masked.
func TestTryMasked(t *testing.T) {
	dir, p := apis["shop"].legitimateTape(t)
	file, policy := filepath.Join(dir, "traffic.har"), filepath.Join(dir, "parley.yaml")
	masker := identity.NewMasker([]byte("a key"))
	p.har(t, file, func(x *exchange.Exchange) {
		response := *x.Response
		response.Header = slices.Clone(response.Header)
		x.Response = &response
		masker.Mask(x)
	})
	code, out, errs := try(t, file, "-c", policy)
	if code != 0 || !strings.Contains(out, ": 0 would be refused, 0 fields removed") || !strings.Contains(out, "not judged for who asked") {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
	// Keys at a URL are not fetched, and nobody's token is believed or not.
	text, err := os.ReadFile(policy)
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 1)
	issuer := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- r.URL.Path:
		default:
		}
	}))
	defer issuer.Close()
	remote := strings.Replace(string(text), "keys: jwks.json", "keys: "+issuer.URL+"/jwks", 1)
	if remote == string(text) {
		t.Fatal("the policy names other keys")
	}
	if err := os.WriteFile(policy, []byte(remote), 0o600); err != nil {
		t.Fatal(err)
	}
	p.har(t, file, nil)
	code, out, errs = try(t, file, "-c", policy)
	if code != 0 || !strings.Contains(out, "not judged for who asked") || !strings.Contains(errs, "--keys FILE") {
		t.Errorf("keys at a URL: exit code %d, %s%s", code, out, errs)
	}
	code, out, errs = try(t, file, "-c", policy, "--keys", filepath.Join(dir, "jwks.json"))
	if code != 0 || strings.Contains(out, "not judged for who asked") {
		t.Errorf("keys in a file: exit code %d, %s%s", code, out, errs)
	}
	select {
	case path := <-asked:
		t.Errorf("the issuer was asked for %s", path)
	default:
	}
}

// both notes what guard did to each request by its X-Request-Id.
type both struct {
	mu   sync.Mutex
	acts map[string]*exchange.Exchange
}

func (b *both) Record(x *exchange.Exchange) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if x.Side == exchange.ClientSide {
		b.acts[x.Request.Header.Get("X-Request-Id")] = x
	}
}

func refusedBy(x *exchange.Exchange) string {
	if x == nil {
		return "nothing recorded"
	}
	for _, a := range x.Actions {
		if a.Kind == exchange.Refused {
			return a.Check
		}
	}
	return ""
}

// A rehearsal of what attackers did on the open address says what guard does
// to the same requests. It must differ in two things: what is asked after guard
// has stopped something is asked of another state, and an object that nobody
// read cannot be judged.
func TestTryAgreesWithGuard(t *testing.T) {
	for name, a := range apis {
		t.Run(name, func(t *testing.T) {
			s, err := a.open([]string{"all"})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			keys, err := s.Keys()
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(s.Handler())
			defer server.Close()
			dir := t.TempDir()
			if err := s.WriteConfiguration(dir, server.URL); err != nil {
				t.Fatal(err)
			}
			k, err := contract.Load(filepath.Join(dir, "parley.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			live := &both{acts: map[string]*exchange.Exchange{}}
			st, through := standFor(t, k, "", live)
			p := &tape{next: server.Client().Transport}
			direct := &http.Client{Transport: p, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			var titles []string
			for i, attack := range a.attacks {
				step := 0
				hook := func(r *http.Request) {
					step++
					id := strconv.Itoa(i) + "." + strconv.Itoa(step)
					r.Header.Set("X-Request-Id", id)
				}
				if _, err := play.Run(context.Background(), direct, server.URL, keys, attack, hook); err != nil {
					t.Fatal(err)
				}
				step = 0
				if _, err := play.Run(context.Background(), through, st.url(), keys, attack, hook); err != nil {
					t.Fatal(err)
				}
				titles = append(titles, attack.Flaw)
			}
			r, err := guard.NewRehearsal(k, guard.RehearsalOptions{Identity: st.verifier})
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range p.xs {
				r.Look("", x)
			}
			compared, same, after, open := 0, 0, 0, 0
			stopped := map[int]bool{} // attacks that have gone another way
			undecided := func() (n int) {
				for _, m := range r.Result().Objects {
					n += m
				}
				return n
			}
			for _, x := range p.xs {
				id := x.Request.Header.Get("X-Request-Id")
				before := undecided()
				y := r.Try("", x)
				if y == nil {
					t.Errorf("%s: %s %s was not judged", id, x.Request.Method, x.Request.Target)
					continue
				}
				compared++
				rehearsed, lived := refusedBy(y), refusedBy(live.acts[id])
				i, _ := strconv.Atoi(strings.Split(id, ".")[0])
				switch {
				case (rehearsed == "") == (lived == ""):
					same++
				case stopped[i]:
					after++
				case undecided() > before && rehearsed == "":
					open++
				default:
					t.Errorf("%s, step %s: %s %s: live %q, rehearsed %q; answered %d", titles[i], id, x.Request.Method, x.Request.Target, lived, rehearsed, x.Response.Status)
				}
				stopped[i] = stopped[i] || lived != ""
			}
			if same < compared*9/10 {
				t.Errorf("%d of %d steps are judged the same", same, compared)
			}
			needs.Figure(t, "rehearsal of the "+name+"'s attacks", "%d steps: %d judged as guard did, %d after guard had stopped one, %d not decided: the object was not recorded", compared, same, after, open)
			t.Logf("%d steps: %d the same, %d after a stop, %d not decided", compared, same, after, open)
		})
	}
}
