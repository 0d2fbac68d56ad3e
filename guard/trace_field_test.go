package guard

import (
	"testing"
	"time"

	"github.com/parley-project/parley/exchange"
)

// Rules and subjects are other people's words: the field stays one field.
func TestTimingField(t *testing.T) {
	got := timingField([]exchange.Timing{
		{Name: "authn", Duration: 312 * time.Microsecond, Says: "bearer verified: p\u00e4m\r\nX: y"},
		{Name: "authz", Says: `allow: "admin" in caller.roles \ x`},
		{Name: "app", Duration: 46900 * time.Microsecond},
	})
	const want = `authn;dur=0.312;desc="bearer verified: p?m??X: y", authz;dur=0;desc="allow: \"admin\" in caller.roles \\ x", app;dur=46.9`
	if got != want {
		t.Errorf("timingField = %s, want %s", got, want)
	}
}
