package guard_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/guard"
	"github.com/parley-project/parley/identity"
)

// people signs tokens for a guard that knows the key.
type people struct {
	t   *testing.T
	key *ecdsa.PrivateKey
	g   *guard.Guard
	m   *memory
}

func newPeople(t *testing.T) *people {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ecdh, _ := key.PublicKey.ECDH()
	point := ecdh.Bytes()
	enc := base64.RawURLEncoding.EncodeToString
	set, _ := json.Marshal(map[string]any{"keys": []any{map[string]string{"kty": "EC", "crv": "P-256", "kid": "1", "alg": "ES256", "use": "sig", "x": enc(point[1:33]), "y": enc(point[33:])}}})
	api, err := os.ReadFile("testdata/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	policy, err := os.ReadFile("testdata/parley.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(policy), "identity:\n", "identity:\n  jwt: {issuer: https://login.test, audience: shop, keys: jwks.json, algorithms: [ES256]}\n  cookie: session\n", 1)
	for name, data := range map[string]string{"openapi.yaml": string(api), "parley.yaml": text, "jwks.json": string(set)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
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
	p := &people{t: t, key: key, m: &memory{}}
	if p.g, err = guard.New(c, guard.Options{TLSInFront: true, Identity: v, Recorder: p.m}); err != nil {
		t.Fatal(err)
	}
	return p
}

// token is good for an hour.
func (p *people) token(subject string, roles ...string) string {
	tok := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"iss": "https://login.test", "aud": "shop", "sub": subject, "roles": roles,
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()})
	tok.Header["kid"] = "1"
	s, err := tok.SignedString(p.key)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// Only the credential that guard judged goes upstream: an API that looked at
// another place would act for somebody else.
func TestOnlyTheJudgedCredentialGoesUpstream(t *testing.T) {
	p := newPeople(t)
	priya, forged := p.token("101"), p.token("101")+"x"
	tests := []struct {
		name, target          string
		authorization, cookie string
		status                int
		wantAuth, wantCookie  string // upstream
	}{
		{"bearer decides, cookie goes", "/v1/orders/887", "Bearer " + priya, "session=" + forged + "; theme=dark", 200, "Bearer " + priya, "theme=dark"},
		{"bearer decides, a cookie hides behind a comma", "/v1/orders/887", "Bearer " + priya, "theme=dark, session=" + forged + "; lang=en", 200, "Bearer " + priya, "lang=en"},
		{"cookie decides, another hides in quotes", "/v1/orders/887", "", `theme="a, session = ` + forged + `"; session=` + priya, 200, "", "session=" + priya},
		{"a name that ends alike is another", "/v1/orders/887", "Bearer " + priya, "mysession=1; x=mysession=2", 200, "Bearer " + priya, "mysession=1; x=mysession=2"},
		{"cookie decides", "/v1/orders/887", "", "theme=dark; session=" + priya, 200, "", "theme=dark; session=" + priya},
		{"a bad bearer is not rescued", "/v1/orders/887", "Bearer " + forged, "session=" + priya, 401, "", ""},
		{"two cookies", "/v1/orders/887", "", "session=" + priya + "; session=" + forged, 401, "", ""},
		{"forged on a public operation", "/v1/products/5", "Bearer " + forged, "session=" + forged, 200, "", ""},
		{"nobody", "/v1/orders/887", "", "", 401, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var saw http.Header
			h := p.g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				saw = r.Header.Clone()
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, `{"id":887,"user_id":101,"item":"lamp"}`)
			}))
			r := httptest.NewRequest("GET", tt.target, nil)
			if tt.authorization != "" {
				r.Header.Set("Authorization", tt.authorization)
			}
			if tt.cookie != "" {
				r.Header.Set("Cookie", tt.cookie)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Fatalf("status %d, want %d", w.Code, tt.status)
			}
			if tt.status == 401 {
				if saw != nil {
					t.Error("the API saw a request that was refused")
				}
				if w.Header().Get("WWW-Authenticate") == "" {
					t.Error("401 without WWW-Authenticate")
				}
				return
			}
			if got := saw.Get("Authorization"); got != tt.wantAuth {
				t.Errorf("the API saw Authorization %q, want %q", got, tt.wantAuth)
			}
			if got := saw.Get("Cookie"); got != tt.wantCookie {
				t.Errorf("the API saw Cookie %q, want %q", got, tt.wantCookie)
			}
		})
	}
}

// A change is decided on the object, which guard reads first with the client's
// credential; what that read answers decides too.
func TestPreread(t *testing.T) {
	p := newPeople(t)
	tests := []struct {
		name    string
		get     int // the API's answer to the read
		body    string
		status  int
		changed bool
	}{
		{"own", 200, `{"id":887,"user_id":102,"item":"lamp"}`, 204, true},
		{"another's", 200, `{"id":887,"user_id":101,"item":"lamp"}`, 403, false},
		{"owner is missing", 200, `{"id":887,"item":"lamp"}`, 403, false},
		{"owner is text", 200, `{"id":887,"user_id":"102","item":"lamp"}`, 403, false},
		{"owner is given twice", 200, `{"id":887,"user_id":102,"user_id":101}`, 502, false},
		{"nothing there", 404, `{}`, 404, false},
		{"it broke", 500, `{}`, 502, false},
		{"the API hides it", 403, `{}`, 403, false},
		{"no JSON", 200, `<p>hello</p>`, 502, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			changed := false
			token := "Bearer " + p.token("102")
			h := p.g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != token {
					t.Errorf("%s came with Authorization %q", r.Method, r.Header.Get("Authorization"))
				}
				if r.Method == "DELETE" {
					changed = true
					w.WriteHeader(204)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tt.get)
				io.WriteString(w, tt.body)
			}))
			r := httptest.NewRequest("DELETE", "/v1/orders/887", nil)
			r.Header.Set("Authorization", token)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.status || changed != tt.changed {
				t.Errorf("status %d, changed %v; want %d, %v", w.Code, changed, tt.status, tt.changed)
			}
			x := p.m.client(t)
			if len(x.Links) == 0 || x.Links[0].Kind != exchange.Preread {
				t.Errorf("links %v, want the preread", x.Links)
			}
		})
	}
}

// The owner is judged on the answer, whatever the request was made to look like.
func TestOwnerOfTheAnswer(t *testing.T) {
	p := newPeople(t)
	for _, tt := range []struct {
		name, method, header, answer string
		status, want                 int
	}{
		{"own", "GET", "", `{"id":887,"user_id":101,"item":"lamp"}`, 200, 200},
		{"another's", "GET", "", `{"id":887,"user_id":102,"item":"lamp"}`, 200, 403},
		{"another's, asked for with HEAD", "HEAD", "", `{"id":887,"user_id":102,"item":"lamp"}`, 200, 403},
		{"own, asked for with HEAD", "HEAD", "", `{"id":887,"user_id":101,"item":"lamp"}`, 200, 200},
		{"a part of another's", "GET", "Range: bytes=0-10", `{"id":887,"user_id":102,"item":"lamp"}`, 200, 403},
		{"another's under an undeclared status", "GET", "", `{"id":887,"user_id":102,"item":"lamp"}`, 203, 403},
		{"a list", "GET", "", `[{"id":887,"user_id":101}]`, 200, 403},
		{"not JSON", "GET", "", `order 887 of 102`, 200, 403},
		{"a failure has no owner", "GET", "", `{"title":"no such order"}`, 404, 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := p.g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Range") != "" {
					t.Error("the API was asked for a part, which nobody can judge")
				}
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Content-Length", fmt.Sprint(len(tt.answer)))
				w.WriteHeader(tt.status)
				if r.Method != "HEAD" {
					io.WriteString(w, tt.answer)
				}
			}))
			r := httptest.NewRequest(tt.method, "/v1/orders/887", nil)
			r.Header.Set("Authorization", "Bearer "+p.token("101"))
			if name, value, ok := strings.Cut(tt.header, ": "); ok {
				r.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("status %d, want %d: %s", w.Code, tt.want, w.Body)
			}
			if tt.want == 403 && strings.Contains(w.Body.String(), "lamp") {
				t.Errorf("the refusal holds the answer: %s", w.Body)
			}
			if tt.method == "HEAD" && w.Body.Len() > 0 {
				t.Errorf("HEAD was answered with a body")
			}
		})
	}
}
