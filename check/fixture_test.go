package check_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v3"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/jsonscan"
)

// A fixture is one exchange as a person would write it, and what the check of
// its folder says of it. The lines before the messages:
//
//	TLS 1.3 api.shop.test          or: clear api.shop.test
//	caller 101 admin               who was proved, with roles
//	credential bearer algorithm    what was presented, with its problem if it is bad
//	object {"user_id":101}         what a preread would show
//	large                          the body is larger than is read
//	spent                          every limit is used up
//	shared                         the credential came from another client before
//
// "> " begins a line of the request, "< " one of the response; an empty one
// ends the header. What is wanted is a list of lines such as
// "find header Strict-Transport-Security missing", "suspect …", "refuse 403 …",
// "repair …", "strip …"; none means that the check has nothing to say.
func TestChecks(t *testing.T) {
	api, err := contract.Load(filepath.Join("testdata", "parley.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range check.All {
		files, _ := filepath.Glob(filepath.Join("testdata", c.ID, "*.txtar"))
		var flawed, sound bool
		for _, file := range files {
			t.Run(c.ID+"/"+strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
				got, want := judge(t, c, api, file)
				if *update && strings.TrimSpace(got) != strings.TrimSpace(want) {
					rewrite(t, file, got)
					want = got
				}
				if strings.TrimSpace(got) != strings.TrimSpace(want) {
					t.Errorf("%s says\n%swant\n%s", c.ID, got, want)
				}
				flawed = flawed || want != ""
				sound = sound || want == ""
			})
		}
		if !flawed || !sound {
			t.Errorf("%s: testdata has flawed: %v, sound: %v; want both", c.ID, flawed, sound)
		}
	}
	for _, c := range check.All {
		if c.Title == "" || c.Doc == "" || c.Fix == "" || c.CWE == 0 || c.OWASP == "" || len(c.Conversation) == 0 {
			t.Errorf("%s: says too little about itself", c.ID)
		}
		for _, id := range c.Implies {
			if check.ByID(id) == nil {
				t.Errorf("%s implies %s, which is no check", c.ID, id)
			}
		}
		var sections map[string]any
		if err := yaml.Unmarshal([]byte(c.Remedy), &sections); err != nil {
			t.Errorf("%s: remedy: %v", c.ID, err)
		}
		for name := range sections {
			if !slices.Contains([]string{"rules", "fields", "limits", "cors", "identity"}, name) {
				t.Errorf("%s: remedy: parley.yaml has no section %s", c.ID, name)
			}
		}
	}
}

var update = flag.Bool("update", false, "write what the checks say into the fixtures")

func rewrite(t *testing.T, file, want string) {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.Files {
		if a.Files[i].Name == "want" {
			a.Files[i].Data = []byte(want)
		}
	}
	if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}

// judge runs every verb of a check over a fixture.
func judge(t *testing.T, c *check.Check, api *contract.Contract, file string) (got, want string) {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var x *exchange.Exchange
	var object string
	var spent, tooLarge, shared bool
	for _, f := range a.Files {
		switch f.Name {
		case "exchange":
			x, object, spent, tooLarge, shared = parseExchange(t, string(f.Data))
		case "facts": // what the short form has no words for, as JSON, after it
			if err := json.Unmarshal(f.Data, x); err != nil {
				t.Fatalf("%s: facts: %v", file, err)
			}
		case "want":
			want = string(f.Data)
		default:
			t.Fatalf("%s: unknown section %s", file, f.Name)
		}
	}
	var b strings.Builder
	for _, verb := range []struct {
		name string
		run  func(*check.Pass)
	}{{"inspect", c.Inspect}, {"admit", c.Admit}, {"release", c.Release}} {
		p := check.PassOf(x, api, time.Unix(1_700_000_000, 0))
		p.Saw |= check.SawCaller
		p.TooLarge, p.OtherClient = tooLarge, shared
		if object != "" {
			op := p.Operation()
			facts := op.Preread.Response(200).Body("application/json").Scan([]byte(object), jsonscan.Limits{})
			p.Object = func() (*contract.Facts, int, error) { return facts, 200, nil }
			if verb.name == "inspect" {
				p.Input.Object = facts
			}
		}
		p.Count = func(*contract.Limit, string) (bool, time.Duration) { return !spent, 12 * time.Second }
		p.Run(c, verb.run)
		for _, f := range p.Findings() {
			word := map[exchange.Verdict]string{exchange.Confirmed: "find", exchange.Likely: "suspect"}[f.Verdict]
			fmt.Fprintf(&b, "%s %s\n", word, f.Evidence[0])
		}
		if r := p.Refusal; r != nil {
			fmt.Fprintf(&b, "refuse %d %s\n", r.Status, r.Evidence)
		}
		for i := range p.Edits {
			if p.Edits[i].Quiet {
				continue
			}
			act := p.Edits[i].Action(true)
			fmt.Fprintf(&b, "%s %s\n", act.Kind, act.Evidence)
		}
	}
	return b.String(), want
}

func parseExchange(t *testing.T, text string) (x *exchange.Exchange, object string, spent, tooLarge, shared bool) {
	t.Helper()
	x = &exchange.Exchange{
		TCP:     &exchange.TCP{Remote: netip.MustParseAddrPort("203.0.113.7:50000")},
		Request: exchange.Request{Scheme: "https", Authority: "api.shop.test"},
	}
	var inBody [2]bool
	s := bufio.NewScanner(strings.NewReader(text))
	for s.Scan() {
		line := s.Text()
		switch {
		case strings.HasPrefix(line, ">"):
			inBody[0] = request(x, strings.TrimPrefix(strings.TrimPrefix(line, ">"), " "), inBody[0])
		case strings.HasPrefix(line, "<"):
			inBody[1] = response(t, x, strings.TrimPrefix(strings.TrimPrefix(line, "<"), " "), inBody[1])
		default:
			word, rest, _ := strings.Cut(line, " ")
			switch word {
			case "TLS":
				version, host, _ := strings.Cut(rest, " ")
				x.TLS, x.Request.Authority = &exchange.TLS{Version: "TLS " + version}, host
			case "clear":
				x.TLS, x.Request.Scheme, x.Request.Authority = &exchange.TLS{Clear: true}, "http", rest
			case "caller":
				f := strings.Fields(rest)
				x.Server.Caller = &exchange.Caller{Subject: exchange.Subject(f[0]), Roles: f[1:]}
				if x.Server.Credential == nil {
					x.Server.Credential = &exchange.Credential{Scheme: "bearer", Carrier: "header", Field: "Authorization", Verified: true}
				}
			case "credential":
				f := strings.Fields(rest)
				x.Server.Credential = &exchange.Credential{Scheme: f[0], Carrier: "header", Field: "Authorization", Verified: len(f) == 1}
				switch f[0] {
				case "cookie":
					x.Server.Credential.Carrier, x.Server.Credential.Field = "cookie", "session"
				case "query":
					x.Server.Credential.Carrier, x.Server.Credential.Field = "query", "access_token"
				}
				if len(f) > 1 {
					x.Server.Credential.Problem = f[1]
				}
			case "object":
				object = rest
			case "large":
				tooLarge = true
			case "shared":
				shared = true
			case "spent":
				spent = true
			case "":
			default:
				t.Fatalf("fixture: unknown line %q", line)
			}
		}
	}
	return x, object, spent, tooLarge, shared
}

func request(x *exchange.Exchange, line string, body bool) bool {
	r := &x.Request
	switch {
	case r.Method == "":
		f := strings.Fields(line)
		r.Method, r.Target, r.Proto = f[0], f[1], f[2]
	case body:
		r.Body.Data = append(r.Body.Data, line...)
		r.Body.Size = int64(len(r.Body.Data))
	case line == "":
		return true
	default:
		name, value, _ := strings.Cut(line, ": ")
		r.Header = append(r.Header, exchange.Field{Name: name, Value: value})
	}
	return body
}

func response(t *testing.T, x *exchange.Exchange, line string, body bool) bool {
	if x.Response == nil {
		status, err := strconv.Atoi(strings.Fields(line)[1])
		if err != nil {
			t.Fatal(err)
		}
		x.Response = &exchange.Response{Status: status}
		return false
	}
	r := x.Response
	switch {
	case body:
		r.Body.Data = append(r.Body.Data, line+"\n"...)
		r.Body.Size = int64(len(r.Body.Data))
	case line == "":
		return true
	default:
		name, value, _ := strings.Cut(line, ": ")
		r.Header = append(r.Header, exchange.Field{Name: name, Value: value})
	}
	return body
}
