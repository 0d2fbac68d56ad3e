package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// storeFile is the store that a person named, or the one in .parley that was
// written last.
func storeFile(given string) (string, error) {
	if given != "" {
		if _, err := os.Stat(given); err != nil {
			return "", &hintError{fmt.Errorf("%s: no such store", given), "parley guard and parley up write one, into .parley if not told otherwise", exitUsage}
		}
		return given, nil
	}
	var newest string
	var at time.Time
	for _, name := range []string{"guard.db", "up.db"} {
		for _, suffix := range []string{"", "-wal"} { // what was written last may not be in the file itself yet
			file := filepath.Join(".parley", name)
			if info, err := os.Stat(file + suffix); err == nil && info.ModTime().After(at) {
				newest, at = file, info.ModTime()
			}
		}
	}
	if newest == "" {
		return "", &hintError{fmt.Errorf("there is no store in .parley"), "parley guard and parley up write one; name another with --store FILE", exitUsage}
	}
	return newest, nil
}
