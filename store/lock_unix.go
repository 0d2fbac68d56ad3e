//go:build unix

package store

import (
	"os"
	"syscall"
)

// lockFile makes sure that only one process records into a store. The lock
// lies on a file of its own, since closing any descriptor of the database
// would drop SQLite's locks on it, and ends with the process.
func lockFile(file string) (*os.File, error) {
	f, err := os.OpenFile(file+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, ErrInUse
	}
	return f, nil
}
