package main

import (
	"errors"
	"os"
	"path/filepath"
)

// writeSecret puts a secret into a file that nobody else can read. It is made
// beside and moved there: writing into a file that exists would keep that
// file's mode, and follow a link to wherever somebody else has laid it.
func writeSecret(file string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*") // mode 600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
