package call_test

import (
	"context"
	"strings"
	"testing"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/identity"
)

// TestAuth proves who asks to a server that looks.
func TestAuth(t *testing.T) {
	s := serve(t, nil)
	inQuery, err := identity.NewAPIKey("query", "k", "topsecret")
	if err != nil {
		t.Fatal(err)
	}
	inVersions(t, func(t *testing.T, version string) {
		c := client(t, s, call.Options{HTTP: version})
		for _, test := range []struct {
			name, path string
			auth       identity.Auth
			calls      []int // the statuses
			carrier    string
			says       string
		}{
			{"basic", "/basic-auth", identity.NewBasic("postman", "password"), []int{200}, "header", "true"},
			{"wrong basic", "/basic-auth", identity.NewBasic("postman", "word"), []int{401}, "header", "false"},
			{"bearer", "/bearer-auth", identity.NewBearer("topsecret"), []int{200}, "header", "true"},
			{"key in the query", "/get?a=1", inQuery, []int{200}, "query", `"k":"topsecret"`},
			{"digest", "/digest-auth", identity.NewDigest("postman", "password"), []int{401, 200}, "header", "true"},
			{"digest by SHA-256", "/digest-auth?algorithm=SHA-256", identity.NewDigest("postman", "password"), []int{401, 200}, "header", "true"},
			{"wrong digest", "/digest-auth", identity.NewDigest("postman", "word"), []int{401, 401}, "header", "false"},
		} {
			xs := c.Do(context.Background(), &call.Request{Method: "GET", URL: s.URL() + test.path, Auth: test.auth})
			var got []int
			for _, x := range xs {
				if x.Response != nil {
					got = append(got, x.Response.Status)
				}
			}
			x := xs[len(xs)-1]
			if len(got) != len(test.calls) || got[len(got)-1] != test.calls[len(test.calls)-1] || !strings.Contains(string(x.Response.Body.Data), test.says) {
				t.Errorf("%s: Do got %v, want %v: %q", test.name, got, test.calls, x.Failure)
				continue
			}
			if k := x.Server.Credential; k == nil || k.Carrier != test.carrier || k.Scheme != test.auth.Scheme() {
				t.Errorf("%s: Do noted %+v", test.name, k)
			}
			// What the store writes has none of it, wherever it travelled.
			identity.Mask(x, []byte("key"))
			if all := x.Request.Target; strings.Contains(all, "topsecret") || strings.Contains(x.Request.Header.Get("Authorization"), "topsecret") {
				t.Errorf("%s: masked, it still says %s", test.name, all)
			}
		}
	})
}
