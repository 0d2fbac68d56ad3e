//go:build unix

package run

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A file that a collection names neither holds the program nor fills its memory.
func TestFilesWithoutEnd(t *testing.T) {
	dir := t.TempDir()
	pipe, zero := filepath.Join(dir, "pipe"), filepath.Join(dir, "zero")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink("/dev/zero", zero); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{pipe, zero} {
		if _, err := ReadRoots(file); err == nil {
			t.Errorf("ReadRoots(%s) found certificates", file)
		}
		if _, err := ReadCertificate(file, ""); err == nil {
			t.Errorf("ReadCertificate(%s) found one", file)
		}
		for _, w := range []*writer{{dir: dir}, {dir: dir, anyFile: true}} {
			if _, err := w.file(filepath.Base(file)); err == nil {
				t.Errorf("file(%s) sent it", file)
			}
		}
	}
	if data, err := ReadFile(pipe); err != nil || len(data) > 0 {
		t.Errorf("ReadFile(pipe) found %d bytes, %v", len(data), err)
	}
}
