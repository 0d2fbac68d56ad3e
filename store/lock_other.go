//go:build !unix

package store

import "os"

// lockFile does not lock here: SQLite keeps the file whole, and a second
// process that records into it is told so by its own failing inserts.
func lockFile(file string) (*os.File, error) {
	return os.OpenFile(file+".lock", os.O_RDWR|os.O_CREATE, 0o600)
}
