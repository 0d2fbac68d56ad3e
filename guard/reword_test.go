package guard_test

import (
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/guard"
	"github.com/parley-project/parley/identity"
)

func accounts(t *testing.T, o guard.Options) *guard.Guard {
	t.Helper()
	dir := filepath.Join("testdata", "catalogue")
	c, err := contract.Load(filepath.Join(dir, "parley.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config, err := identity.Parse(c.Sections["identity"], dir)
	if err != nil {
		t.Fatal(err)
	}
	v, err := identity.New(config, identity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	o.TLSInFront, o.Identity = true, v
	g, err := guard.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

const asJSON = "Content-Type: application/json\n"

// What fails in different ways looks the same, down to the header.
func TestRefusalsLookAlike(t *testing.T) {
	for _, tt := range []struct {
		name, method, target, header, body string
		want                               int
		replies                            []struct {
			status       int
			header, body string
		}
	}{
		{"log-in", "POST", "/v1/login", asJSON, `{"email":"a@shop.test"}`, 401, []struct {
			status       int
			header, body string
		}{
			{401, asJSON, `{"detail":"the password is wrong"}`}, {401, asJSON + "X-Account: yes\n", `{"detail":"no such user"}`},
			{404, asJSON, `{}`}, {403, "", ""}, {423, asJSON + "ETag: \"1\"\n", `{"detail":"locked"}`}, {410, "Content-Type: text/html\n", "gone"},
		}},
		{"object", "GET", "/v1/accounts/7", "X-API-Key: asha-key\n", "", 404, []struct {
			status       int
			header, body string
		}{
			{200, asJSON, `{"user_id":102}`}, {403, asJSON + "X-Owner: 102\n", `{"detail":"rajan's"}`}, {404, asJSON, `{"detail":"nobody's"}`},
			{401, asJSON, `{}`}, {410, "", ""},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var first string
			for _, reply := range tt.replies {
				w := ask(accounts(t, guard.Options{}).Middleware(answering(reply.status, reply.header, reply.body)), tt.method, tt.target, tt.header, tt.body)
				names := make([]string, 0, len(w.Header()))
				for name, vs := range w.Header() {
					if name != "Date" && len(vs) > 0 {
						names = append(names, name+": "+strings.Join(vs, ", "))
					}
				}
				slices.Sort(names)
				body, _, _ := strings.Cut(w.Body.String(), `"reference"`)
				got := strconv.Itoa(w.Code) + "\n" + strings.Join(names, "\n") + "\n" + body
				if w.Code != tt.want {
					t.Errorf("%d became %d, want %d", reply.status, w.Code, tt.want)
				}
				if first == "" {
					first = got
				}
				if got != first {
					t.Errorf("%d became\n%s\nand the first\n%s", reply.status, got, first)
				}
			}
		})
	}
}

func TestMaskedMembers(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{`{"user_id":101,"number":"50100234570101"}`, `{"user_id":101,"number":"XXXX0101"}`},
		{`{"number" : "50 1002-345701 01","user_id":101}`, `{"number" : "XXXX0101","user_id":101}`},
		{`{"number":"XXXX0101","user_id":101}`, `{"number":"XXXX0101","user_id":101}`},
		{`{"number":50100234570101,"user_id":101}`, `{"number":"XXXX0101","user_id":101}`},
		{`{"number":12345,"user_id":101}`, `{"number":null,"user_id":101}`},
		{`{"secret":1,"number":"50100234570101","cost":2,"user_id":101}`, `{"number":"XXXX0101","user_id":101}`},
		{`{"user_id":101,"older":[{"number":"111122223333"},{"x":"y","number":"\"5,:60067778888"}]}`,
			`{"user_id":101,"older":[{"number":"XXXX3333"},{"number":"XXXX8888"}]}`},
		{`{"user_id":101,"numb\u0065r":"50100234570101"}`, `{"user_id":101,"numb\u0065r":"XXXX0101"}`},
	} {
		w := ask(accounts(t, guard.Options{}).Middleware(answering(http.StatusOK, asJSON, tt.body)), "GET", "/v1/accounts/7", "X-API-Key: asha-key\n", "")
		// What is shorter is filled up with spaces after the value.
		got := w.Body.String()
		for _, end := range []string{",", "}", "]"} {
			for strings.Contains(got, " "+end) {
				got = strings.ReplaceAll(got, " "+end, end)
			}
		}
		if w.Code != 200 || got != tt.want {
			t.Errorf("%s became %d %s, want %s", tt.body, w.Code, got, tt.want)
		}
	}
}

// One alert a window for a caller who is refused on many objects, and none for
// one who asks for the same again and again.
func TestAlert(t *testing.T) {
	var alerts []guard.Alert
	g := accounts(t, guard.Options{AlertObjects: 5, Alert: func(a guard.Alert) { alerts = append(alerts, a) }})
	foreign := g.Middleware(answering(http.StatusOK, asJSON, `{"user_id":102}`))
	missing := g.Middleware(answering(http.StatusNotFound, "", ""))
	for range 20 {
		ask(foreign, "GET", "/v1/accounts/7", "X-API-Key: asha-key\n", "")
	}
	if len(alerts) > 0 {
		t.Fatalf("alert after one object: %+v", alerts)
	}
	for i := range 20 {
		h := foreign
		if i%2 == 0 {
			h = missing // what is not there counts: the numbers are being tried
		}
		ask(h, "GET", "/v1/accounts/"+strconv.Itoa(100+i), "X-API-Key: asha-key\n", "")
	}
	if len(alerts) != 1 {
		t.Fatalf("%d alerts, want 1", len(alerts))
	}
	if a := alerts[0]; a.Caller != "101" || a.Objects != 5 || a.Within != 5*time.Minute || a.Operation != "GET /v1/accounts/{id}" || a.Exchange == "" {
		t.Errorf("alert %+v", a)
	}
}

// Only what falls into one window of the chosen length is many.
func TestAlertWithin(t *testing.T) {
	var alerts []guard.Alert
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	g := accounts(t, guard.Options{
		AlertObjects: 3, AlertWithin: time.Minute, Now: func() time.Time { return now },
		Alert: func(a guard.Alert) { alerts = append(alerts, a) },
	})
	foreign := g.Middleware(answering(http.StatusOK, asJSON, `{"user_id":102}`))
	for i := range 6 {
		ask(foreign, "GET", "/v1/accounts/"+strconv.Itoa(100+i), "X-API-Key: asha-key\n", "")
		now = now.Add(40 * time.Second)
	}
	if len(alerts) > 0 {
		t.Fatalf("alert for what was spread: %+v", alerts)
	}
	for i := range 3 {
		ask(foreign, "GET", "/v1/accounts/"+strconv.Itoa(200+i), "X-API-Key: asha-key\n", "")
	}
	if len(alerts) != 1 || alerts[0].Within != time.Minute {
		t.Errorf("alerts %+v, want one within a minute", alerts)
	}
}
