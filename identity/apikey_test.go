package identity

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/parley-project/parley/internal/config"
)

// A program's key may say what a token's claims say of a person.
func TestAPIKeyClaims(t *testing.T) {
	s, err := config.Parse("parley.yaml", []byte("api_keys: {keys: [{name: till, sha256: "+hexHash("tk-1")+", subject: key_1, claims: {tenant: acme, shop: 12, floors: [1, 2]}}]}"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(s, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	v, err := New(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	caller, _, err := v.Identify(context.Background(), request("/", "X-API-Key", "tk-1"), time.Now())
	if err != nil || caller == nil {
		t.Fatalf("Identify: %v, %v", caller, err)
	}
	// The kinds that claims of a token have.
	if want := map[string]any{"tenant": "acme", "shop": int64(12), "floors": []any{int64(1), int64(2)}}; !reflect.DeepEqual(caller.Claims, want) {
		t.Errorf("claims %#v, want %#v", caller.Claims, want)
	}
}
