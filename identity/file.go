package identity

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// A watched file is read again when it has changed.
type watched struct {
	path  string
	limit int64
	size  int64
	mtime time.Time
	info  os.FileInfo
	young bool // it was changed so shortly before that a change since may not show
}

// settled is the age from which a file's time tells all later changes.
const settled = 2 * time.Second

// read returns the file's content, or false when it is as it was.
func (w *watched) read() ([]byte, bool, error) {
	info, err := os.Stat(w.path)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", w.path, cause(err))
	}
	if w.info != nil && !w.young && os.SameFile(w.info, info) && w.size == info.Size() && w.mtime.Equal(info.ModTime()) {
		return nil, false, nil
	}
	f, err := os.Open(w.path)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", w.path, cause(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, w.limit+1))
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", w.path, cause(err))
	}
	if int64(len(data)) > w.limit {
		return nil, false, fmt.Errorf("%s: is larger than %d bytes", w.path, w.limit)
	}
	// What was seen before it was opened: a change in between is seen next time.
	w.info, w.size, w.mtime = info, info.Size(), info.ModTime()
	w.young = time.Since(w.mtime) < settled
	return data, true, nil
}

// others reports whether people other than the owner's group may read it.
func (w *watched) others() bool { return w.info != nil && w.info.Mode().Perm()&0o007 != 0 }

func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// A revocation list holds token ids and fingerprints.
type revocations map[string]struct{}

// parseRevocations reads one id a line; empty lines and those that begin with
// # say nothing.
func parseRevocations(data []byte) revocations {
	r := revocations{}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			r[line] = struct{}{}
		}
	}
	return r
}

func (r revocations) has(id, fingerprint string) bool {
	if len(r) == 0 {
		return false
	}
	if _, ok := r[fingerprint]; ok {
		return true
	}
	_, ok := r[id]
	return ok && id != ""
}
