package gateway

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseAlert(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"alert.key": "0123456789abcdef0123456789abcdef\r\n", "short.key": "0123456789abcde\n", "long.key": strings.Repeat("k", 4097)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if a, err := ParseAlert(section(t, ""), dir); err != nil || a.Objects != 0 || a.Within != 0 || a.Webhook != "" || a.Secret != nil {
		t.Errorf("no section: %+v, %v", a, err)
	}
	a, err := ParseAlert(section(t, "objects: 5\nwithin: 1m\nwebhook: https://alerts.example.com/a?b=c\nsecret_file: alert.key"), dir)
	if err != nil || a.Objects != 5 || a.Within != time.Minute || a.Webhook != "https://alerts.example.com/a?b=c" ||
		!bytes.Equal(a.Secret, []byte("0123456789abcdef0123456789abcdef")) {
		t.Errorf("full section: %+v, %v", a, err)
	}
	for _, local := range []string{"http://127.0.0.1:9000/", "http://[::1]:9000/", "http://localhost/x"} {
		if _, err := ParseAlert(section(t, "webhook: \""+local+"\""), dir); err != nil {
			t.Errorf("%s: %v", local, err)
		}
	}
	for text, want := range map[string]string{
		"object: 5":       `parley.yaml:1:1: unknown field "object"`,
		"objects: 0":      "parley.yaml:1:10: objects is not between",
		"objects: 33":     "parley.yaml:1:10: objects is not between",
		"objects: many":   "parley.yaml:1:10: expected",
		"within: 0s":      "parley.yaml:1:9: within is not between",
		"within: 25h":     "parley.yaml:1:9: within is not between",
		"webhook: [1]":    "parley.yaml:1:10: expected a URL",
		"webhook: alerts": "parley.yaml:1:10: the webhook is not a URL",
		"webhook: ftp://alerts.example.com/SECRET":          "scheme is not https",
		"webhook: http://alerts.example.com/SECRET":         "parley.yaml:1:10: the webhook has http, and is not on this machine",
		"webhook: http://127.0.0.1.example.com/SECRET":      "is not on this machine",
		"webhook: http://10.0.0.1/SECRET":                   "is not on this machine",
		"webhook: https://u:SECRET@alerts.example.com/":     "credentials do not belong",
		"webhook: https://alerts.example.com/#SECRET":       "a fragment does not belong",
		"secret_file: alert.key":                            "parley.yaml:1:14: there is nothing to sign",
		"webhook: https://a.example\nsecret_file: gone.key": "gone.key cannot be read",
		"webhook: https://a.example\nsecret_file: .":        "cannot be read",
		// The length is in bytes without the line's end.
		"webhook: https://a.example\nsecret_file: short.key": "parley.yaml:2:14: " + filepath.Join(dir, "short.key") + " has 15 bytes",
		"webhook: https://a.example\nsecret_file: long.key":  "has 4097 bytes",
		"objects: 5\nobjects: 6":                             "given twice",
	} {
		_, err := ParseAlert(section(t, text), dir)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseAlert(%q) = %v, want %s", text, err, want)
		} else if strings.Contains(err.Error(), "SECRET") {
			t.Errorf("ParseAlert(%q) tells the webhook: %v", text, err)
		}
	}
}
