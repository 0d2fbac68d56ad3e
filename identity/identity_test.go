package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/exchange"
)

func hexHash(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

func withKeys(c *Config) *Config {
	c.APIKeys = &APIKeys{Keys: []APIKey{
		{Name: "partner", SHA256: hexHash("pk-1"), Subject: "partner-1", Roles: []string{"partner"}},
		{Name: "other", SHA256: hexHash("pk-2"), Subject: "partner-2"},
	}}
	return c
}

func TestIdentify(t *testing.T) {
	s, foreign := newSigner(t, "k1"), newSigner(t, "k1")
	v := verifier(t, withKeys(shop(write(t, "jwks.json", jwks(t, s)))), Options{})
	good, bad := s.sign(t, nil, claims(nil)), foreign.sign(t, nil, claims(nil))
	post := func(media, body string) *exchange.Request {
		r := request("/", "Content-Type", media)
		r.Body = exchange.Body{Size: int64(len(body)), Data: []byte(body)}
		return r
	}
	tests := []struct {
		name string
		r    *exchange.Request
		want string
	}{
		{"nothing", request("/v1/orders?user_id=101&page_token=abc&key=colour"), "nothing"},
		{"scheme in capitals", request("/", "AUTHORIZATION", "BEARER "+good), "good 101"},
		{"cookie", request("/", "Cookie", "theme=dark; session="+good), "good 101"},
		{"API key", request("/", "x-api-key", "pk-1"), "good partner-1"},
		{"second API key", request("/", "X-API-Key", "pk-2"), "good partner-2"},

		{"two Authorization fields", request("/", "Authorization", "Bearer "+good, "authorization", "Bearer "+good), "bearer malformed"},
		{"empty Authorization", request("/", "Authorization", ""), "unknown unsupported"},
		{"bare token", request("/", "Authorization", good), "unknown unsupported"},
		{"other scheme", request("/", "Authorization", "DPoP "+good), "unknown unsupported"},
		{"Basic", request("/", "Authorization", "Basic dXNlcjpwYXNz"), "basic unsupported"},
		{"Basic and a good cookie", request("/", "Authorization", "Basic dXNlcjpwYXNz", "Cookie", "session="+good), "basic unsupported"},
		{"bad bearer and a good cookie", request("/", "Cookie", "session="+good, "Authorization", "Bearer "+bad), "bearer signature"},
		{"bad bearer and a good key", request("/", "X-API-Key", "pk-1", "Authorization", "Bearer "+bad), "bearer signature"},
		{"two cookies", request("/", "Cookie", "session="+good+"; session="+good), "cookie ambiguous"},
		{"two cookies in two fields", request("/", "Cookie", "session="+good, "Cookie", "session="+bad), "cookie ambiguous"},
		{"two cookies, one with a space", request("/", "Cookie", "session ="+bad+"; session="+good), "cookie ambiguous"},
		{"quoted cookie", request("/", "Cookie", `session="`+good+`"`), "cookie malformed"},
		{"empty cookie", request("/", "Cookie", "session="), "cookie malformed"},
		{"bad cookie and a good key", request("/", "X-API-Key", "pk-1", "Cookie", "session="+bad), "cookie signature"},
		{"unknown API key", request("/", "X-API-Key", "pk-3"), "api-key unknown"},
		{"empty API key", request("/", "X-API-Key", ""), "api-key unknown"},
		{"two API keys", request("/", "X-API-Key", "pk-1", "X-API-Key", "pk-1"), "api-key ambiguous"},

		{"token in the query", request("/?access_token=" + good), "bearer query"},
		{"token under any name", request("/?x=" + good), "bearer query"},
		{"opaque token in the query", request("/?a=1&Token=abc"), "unknown query"},
		{"encoded name", request("/?%74oken=abc"), "unknown query"},
		{"API key in the query", request("/?api-key=pk-1"), "api-key query"},
		{"known key named key", request("/?key=pk-1"), "api-key query"},
		{"long key named key", request("/?key=AIza0123456789abcdef"), "unknown query"},
		{"token in the query and a good bearer", request("/?token=abc", "Authorization", "Bearer "+good), "good 101"},
		{"token in a form", post("application/x-www-form-urlencoded; charset=utf-8", "a=1&access_token="+good), "bearer body"},
		{"token endpoint", post("application/x-www-form-urlencoded", "grant_type=password&password=p&token=t"), "nothing"},
		{"JSON body", post("application/json", "access_token=abc"), "nothing"},
	}
	for _, tt := range tests {
		if got := ask(t, v, tt.r, now); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestCaller(t *testing.T) {
	s := newSigner(t, "k1")
	c := shop(write(t, "jwks.json", jwks(t, s)))
	c.JWT.Roles, c.Claims = "realm.roles", []string{"plan", "level", "absent"}
	v := verifier(t, c, Options{})
	token := s.sign(t, nil, claims(map[string]any{"realm": map[string]any{"roles": []string{"a", "b"}}, "level": 3}))
	got, cred, err := v.Identify(t.Context(), bearer(token), now)
	if err != nil {
		t.Fatal(err)
	}
	want := exchange.Caller{Subject: "101", Roles: []string{"a", "b"}, Scopes: []string{"orders:read", "orders:write"},
		Claims: map[string]any{"plan": "free", "level": int64(3)}}
	if g, w := fmt.Sprintf("%#v", *got), fmt.Sprintf("%#v", want); g != w {
		t.Errorf("caller %s, want %s", g, w)
	}
	if cred.Scheme != "bearer" || cred.Carrier != "header" || cred.Field != "Authorization" ||
		cred.Fingerprint != hexHash(token)[:12] || !cred.Expires.Equal(now.Add(time.Hour)) {
		t.Errorf("credential %+v", cred)
	}
	if text, _ := json.Marshal(got); strings.Contains(string(text), "t-1") {
		t.Errorf("the caller holds claims that were not asked for: %s", text)
	}
}

func TestCredentialsIn(t *testing.T) {
	v := verifier(t, withKeys(shop(write(t, "jwks.json", jwks(t, newSigner(t, "k1"))))), Options{})
	r := request("/?token=abc&limit=1&jwt=x", "Authorization", "Bearer x", "Cookie", "session=y; other=z", "X-API-Key", "w")
	var got []string
	for _, c := range v.CredentialsIn(r) {
		if c.Verified || c.Fingerprint == "" {
			t.Errorf("%+v: verified, or without a fingerprint", c)
		}
		got = append(got, c.Scheme+" "+c.Carrier+" "+c.Field)
	}
	want := "bearer header Authorization, cookie cookie session, api-key header X-API-Key, unknown query token, unknown query jwt"
	if g := strings.Join(got, ", "); g != want {
		t.Errorf("found %s, want %s", g, want)
	}
}

func TestChallenge(t *testing.T) {
	v := verifier(t, shop(write(t, "jwks.json", jwks(t, newSigner(t, "k1")))), Options{})
	if got := v.Challenge(); got != `Bearer realm="api"` {
		t.Errorf("Challenge() = %s", got)
	}
	if got := v.ChallengeFor(nil); got != `Bearer realm="api"` {
		t.Errorf("ChallengeFor(nil) = %s", got)
	}
	if got := v.ChallengeFor(&exchange.Credential{Problem: "expired"}); got != `Bearer realm="api", error="invalid_token"` {
		t.Errorf("ChallengeFor(expired) = %s", got)
	}
	if got := fmt.Sprint(v.Carriers()); got != "[{bearer header Authorization} {cookie cookie session}]" {
		t.Errorf("Carriers() = %s", got)
	}
}

// TestZeroConfig: without a configuration everything presented is unsupported,
// and nothing is accepted.
func TestZeroConfig(t *testing.T) {
	v := verifier(t, nil, Options{})
	if got := ask(t, v, bearer("x"), now); got != "bearer unsupported" {
		t.Error(got)
	}
	if got := ask(t, v, request("/", "X-API-Key", "x"), now); got != "nothing" {
		t.Error(got)
	}
}

func TestRevoked(t *testing.T) {
	s := newSigner(t, "k1")
	c := withKeys(shop(write(t, "jwks.json", jwks(t, s))))
	c.Revoked = write(t, "revoked.txt", nil)
	v := verifier(t, c, Options{})
	one, two := s.sign(t, nil, claims(nil)), s.sign(t, nil, claims(map[string]any{"jti": nil}))
	key := request("/", "X-API-Key", "pk-1")
	for _, r := range []*exchange.Request{bearer(one), bearer(two), key} {
		if got := ask(t, v, r, now); !strings.HasPrefix(got, "good") {
			t.Fatal(got)
		}
	}
	write(t, c.Revoked, []byte("# taken back\n\n t-1 \n"+hexHash(two)[:12]+"\n"+hexHash("pk-1")[:12]+"\n"))
	if got := ask(t, v, bearer(one), now.Add(lookEvery/2)); got != "good 101" {
		t.Errorf("the list was read before its time: %s", got)
	}
	later := now.Add(lookEvery)
	for _, r := range []*exchange.Request{bearer(one), bearer(two), key} {
		if got := ask(t, v, r, later); !strings.HasSuffix(got, " revoked") {
			t.Errorf("after the list changed: %s, want revoked", got)
		}
	}
	os.Remove(c.Revoked)
	if got := ask(t, v, bearer(one), later.Add(lookEvery)); got != "bearer revoked" {
		t.Errorf("after the list was deleted: %s, want revoked still", got)
	}
}

func TestCacheDies(t *testing.T) {
	s, s2 := newSigner(t, "k1"), newSigner(t, "k2")
	file := write(t, "jwks.json", jwks(t, s, s2))
	v := verifier(t, shop(file), Options{})
	long := s.sign(t, nil, claims(map[string]any{"exp": now.Add(24 * time.Hour).Unix()}))
	short := s2.sign(t, nil, claims(map[string]any{"exp": now.Add(time.Minute).Unix()}))
	for _, token := range []string{long, short} {
		if got := ask(t, v, bearer(token), now); got != "good 101" {
			t.Fatal(got)
		}
	}
	if got := v.cache.len(); got != 2 {
		t.Fatalf("%d entries, want 2", got)
	}
	sum := digest(long)
	if v.cache.get(&sum, now.Add(verdictTTL-1).UnixNano()) == nil {
		t.Error("gone before its time")
	}
	if v.cache.get(&sum, now.Add(verdictTTL).UnixNano()) != nil {
		t.Error("alive after its time")
	}
	if got := ask(t, v, bearer(short), now.Add(time.Minute+31*time.Second)); got != "bearer expired" {
		t.Errorf("after exp: %s", got)
	}
	ask(t, v, bearer(long), now)
	write(t, file, jwks(t, s2))
	if got := ask(t, v, bearer(long), now.Add(2*time.Minute)); got != "bearer key" {
		t.Errorf("after its key left the set: %s, want key", got)
	}
	write(t, file, []byte("{ broken"))
	if got := ask(t, v, bearer(short), now.Add(30*time.Second)); got != "good 101" {
		t.Errorf("a broken file took the old keys away: %s", got)
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache(256)
	k := &key{}
	for i := range 10000 {
		sum := sha256.Sum256(fmt.Append(nil, i))
		c.put(&sum, &entry{key: k, dies: now.UnixNano() + int64(i)}, now.UnixNano()-1)
	}
	if got := c.len(); got > 256 || got < 200 {
		t.Errorf("%d entries, want at most 256", got)
	}
}

// TestRefusalsAreNotRemembered: bad tokens take no memory.
func TestRefusalsAreNotRemembered(t *testing.T) {
	s, foreign := newSigner(t, "k1"), newSigner(t, "k1")
	v := verifier(t, shop(write(t, "jwks.json", jwks(t, s))), Options{})
	for i := range 50 {
		ask(t, v, bearer(foreign.sign(t, nil, claims(map[string]any{"jti": fmt.Sprint(i)}))), now)
		ask(t, v, bearer(s.sign(t, nil, claims(map[string]any{"exp": i + 1}))), now)
	}
	if got := v.cache.len(); got != 0 {
		t.Errorf("%d refusals are remembered", got)
	}
}

func TestSecretPrintsAsStars(t *testing.T) {
	s := struct{ S Secret }{"hunter2"}
	j, _ := json.Marshal(s)
	if got := fmt.Sprintf("%v %+v %#v %s %q %s", s, s, s, s.S, s.S, j); strings.Contains(got, "hunter2") {
		t.Error(got)
	}
}
