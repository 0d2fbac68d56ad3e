package console

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// Collections lie in one folder. All that is done there goes through an
// os.Root: no name and no link leads out of it.

const (
	maxCollection  = 4 << 20 // bytes of a file
	maxCollections = 500
	maxFileName    = 80
)

var (
	errNoFolder = errors.New("this console has no folder for collections")
	errFileName = errors.New("this is no name of a collection: it ends in .yaml, and has no slash")
	errTooLarge = errors.New("the file is larger than 4 MiB")
	errChanged  = errors.New("the file has been changed since it was opened here: open it again, or save under another name")
	errExists   = errors.New("there is a collection of this name: choose another")
)

// goodName reports whether a name is that of a file that Compose may touch.
func goodName(name string) bool {
	ext := filepath.Ext(name)
	return len(name) <= maxFileName+8 && len(name) > len(ext) && (ext == ".yaml" || ext == ".yml") && name[0] != '.' && name[0] != '-' &&
		!strings.ContainsFunc(name, func(r rune) bool {
			return strings.ContainsRune(`/\:*?"<>|`, r) || !unicode.IsPrint(r)
		})
}

// fileName makes a file's name of what a person calls a collection.
func fileName(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(name)) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= maxFileName-4 {
			break
		}
	}
	s := strings.Trim(b.String(), "-")
	if s == "" {
		s = "collection"
	}
	return s + ".yaml"
}

// folder opens the folder of collections, which make makes if it is not there.
func (c *Console) folder(make bool) (*os.Root, error) {
	if c.o.Collections == "" {
		return nil, errNoFolder
	}
	if make {
		if err := os.MkdirAll(c.o.Collections, 0o700); err != nil {
			return nil, err
		}
	}
	return os.OpenRoot(c.o.Collections)
}

// files lists the names of collections.
func (c *Console) files() ([]string, error) {
	names := []string{}
	root, err := c.folder(false)
	if errors.Is(err, fs.ErrNotExist) || err == errNoFolder {
		return names, nil
	}
	if err != nil {
		return nil, err
	}
	defer root.Close()
	d, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer d.Close()
	es, err := d.ReadDir(10 * maxCollections)
	if err != nil && err != io.EOF {
		return nil, err
	}
	for _, e := range es {
		if e.Type().IsRegular() && goodName(e.Name()) && len(names) < maxCollections {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// readCollection reads a file of the folder.
func (c *Console) readCollection(name string) ([]byte, error) {
	if !goodName(name) {
		return nil, errFileName
	}
	root, err := c.folder(false)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if i, err := f.Stat(); err != nil || !i.Mode().IsRegular() {
		return nil, errFileName
	}
	data, err := io.ReadAll(io.LimitReader(f, maxCollection+1))
	if err == nil && len(data) > maxCollection {
		err = errTooLarge
	}
	return data, err
}

// writeCollection writes a file of the folder, all of it or nothing. version is
// that of the file which is replaced, or empty for a new one.
func (c *Console) writeCollection(name, version string, data []byte) error {
	if !goodName(name) {
		return errFileName
	}
	if len(data) > maxCollection {
		return errTooLarge
	}
	c.saving.Lock()
	defer c.saving.Unlock()
	was, err := c.readCollection(name)
	switch {
	case err == nil && version == "":
		return errExists
	case err == nil && versionOf(was) != version:
		return errChanged
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	root, err := c.folder(true)
	if err != nil {
		return err
	}
	defer root.Close()
	tmp := "." + name + "." + rand.Text() + ".tmp"
	f, err := root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = root.Rename(tmp, name)
	}
	if err != nil {
		root.Remove(tmp)
	}
	return err
}

// versionOf tells whether a file is still the one that was read.
func versionOf(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:12])
}
