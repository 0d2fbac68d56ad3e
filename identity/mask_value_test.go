package identity

import (
	"regexp"
	"testing"
)

func TestMaskerValue(t *testing.T) {
	hash := regexp.MustCompile(`secret:[0-9a-f]{12}`)
	m := NewMasker([]byte("key"))
	for _, test := range []struct{ name, value, want string }{
		{"Authorization", "Bearer abc", "Bearer #"},
		{"Cookie", "a=b; c=d", "a=#; c=#"},
		{"client_secret", "s", "#"},
		{"accessToken", "s", "#"},
		{"Ocp-Apim-Subscription-Key", "s", "#"},
		{"X-Auth-Key", "s", "#"},
		{"x-functions-key", "s", "#"},
		{"X-Auth", "s", "#"},
		{"Idempotency-Key", "s", "s"},
		{"sort_key", "s", "s"},
		{"colour", "red", "red"},
		{"colour", `{"password": "p", "n": 1}`, `{"password": "#", "n": 1}`},
		{"link", "https://u:p@a.test/?token=t&n=1", "https://u:#@a.test/?token=#&n=1"},
		{"pageToken", "7", "7"},
		{"password", "", ""},
		{"password", "secret:0123456789ab", "#"},
	} {
		if got := hash.ReplaceAllString(m.Value(test.name, test.value), "#"); got != test.want {
			t.Errorf("Value(%s, %s) found %s, want %s", test.name, test.value, got, test.want)
		}
	}
	if a, b := m.Value("password", "same"), m.Value("X-Api-Key", "same"); a != b {
		t.Errorf("Value found %s and %s for one secret, want one placeholder", a, b)
	}
}
