package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseTrace(t *testing.T) {
	const key = "0123456789abcdef0123456789abcdef"
	sum := sha256.Sum256([]byte(key))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "trace.key"), []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := ParseTrace(section(t, ""), dir); got != nil || err != nil {
		t.Errorf("no section: %v, %v", got, err)
	}
	for _, text := range []string{"key_sha256: " + hex.EncodeToString(sum[:]), "key_file: trace.key", "key_sha256: " + strings.ToUpper(hex.EncodeToString(sum[:]))} {
		if got, err := ParseTrace(section(t, text), dir); err != nil || *got != sum {
			t.Errorf("ParseTrace(%q) = %v, %v", text, got, err)
		}
	}
	empty := sha256.Sum256(nil)
	for text, want := range map[string]string{
		"key: x":                                      `unknown field "key"`,
		"key_sha256: 9f86d0":                          "parley.yaml:1:13: key_sha256 is not 64 digits",
		"key_sha256: " + strings.Repeat("g", 64):      "is not 64 digits",
		"key_sha256: " + strings.Repeat("a", 66):      "is not 64 digits",
		"key_sha256: [1]":                             "is not 64 digits",
		"key_sha256: " + hex.EncodeToString(empty[:]): "of an empty key",
		"key_file: gone.key":                          "gone.key cannot be read",
		"key_file: trace.key\nkey_sha256: 00":         "one of them",
		"{}":                                          "one of them",
	} {
		if got, err := ParseTrace(section(t, text), dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseTrace(%q) = %v, %v, want %s", text, got, err, want)
		}
	}
}
