package main

import (
	"os"
	"path/filepath"
	"testing"
)

// A token goes into a file of its own, whatever lies at its place.
func TestWriteSecret(t *testing.T) {
	dir := t.TempDir()
	elsewhere, link, open := filepath.Join(dir, "elsewhere"), filepath.Join(dir, "asha.jwt"), filepath.Join(dir, "rajan.jwt")
	for _, f := range []string{elsewhere, open} {
		if err := os.WriteFile(f, []byte("before"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(elsewhere, link); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{link, open} {
		if err := writeSecret(f, []byte("token")); err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(f)
		if err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(f); info.Mode() != 0o600 || err != nil || string(data) != "token" {
			t.Errorf("%s: mode %v, %q, %v", filepath.Base(f), info.Mode(), data, err)
		}
	}
	if data, err := os.ReadFile(elsewhere); err != nil || string(data) != "before" {
		t.Errorf("what the link pointed at was written: %q, %v", data, err)
	}
}
