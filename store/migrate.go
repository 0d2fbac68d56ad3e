package store

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// applicationID marks a SQLite file as ours ("PRLY").
const applicationID = 0x50524c59

//go:embed migrations/*.sql
var migrations embed.FS

// ErrNotStore says that a file is there but is no Parley store.
var ErrNotStore = errors.New("not a Parley store; give another file name, this one was left as it is")

// ErrNewer says that a later version of Parley wrote the store.
var ErrNewer = errors.New("a newer version of parley wrote this store; update parley, or give another file name")

// prepare makes sure that file is absent, empty or a SQLite file, and that
// nobody else may read it. SQLite gives its other files the same mode.
func prepare(file string, readOnly bool) error {
	flag := os.O_RDWR | os.O_CREATE
	if readOnly {
		flag = os.O_RDONLY
	}
	f, err := os.OpenFile(file, flag, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	var head [16]byte
	switch n, err := io.ReadFull(f, head[:]); {
	case n == 0 && readOnly:
		return ErrNotStore
	case n == 0 && err == io.EOF:
		return nil
	case string(head[:n]) != "SQLite format 3\x00":
		return ErrNotStore
	}
	return nil
}

// check refuses what is no store or a newer one, and returns its version.
func check(c *conn) (int, error) {
	app, err := c.int("PRAGMA application_id")
	if err != nil {
		return 0, err
	}
	version, err := c.int("PRAGMA user_version")
	if err != nil {
		return 0, err
	}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	tables, err := c.int("SELECT count(*) FROM sqlite_schema")
	switch {
	case err != nil:
		return 0, err
	case app != applicationID && (app != 0 || version != 0 || tables != 0):
		return 0, ErrNotStore
	case version > int64(len(names)):
		return 0, fmt.Errorf("version %d, known is %d: %w", version, len(names), ErrNewer)
	}
	return int(version), nil
}

// migrate brings the schema to the version of this program, each step in a
// transaction of its own.
func migrate(c *conn) error {
	version, err := check(c)
	if err != nil {
		return err
	}
	names, _ := fs.Glob(migrations, "migrations/*.sql")
	for i := version; i < len(names); i++ {
		sql, err := migrations.ReadFile(names[i])
		if err != nil {
			return err
		}
		step := fmt.Sprintf("BEGIN IMMEDIATE; %s; PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", sql, applicationID, i+1)
		if err := c.exec(step); err != nil {
			c.exec("ROLLBACK")
			return fmt.Errorf("%s: %w", names[i], err)
		}
	}
	return nil
}

// readKey returns the key that masks secrets in this store, from the file
// beside it. It is made once: with another key the same secret would get
// another placeholder, and calls of one credential could no longer be grouped.
func readKey(file string) ([]byte, error) {
	key, err := os.ReadFile(file)
	if err == nil && len(key) == 32 {
		return key, nil
	}
	if err == nil {
		return nil, fmt.Errorf("%s: %d bytes, want 32", file, len(key))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key = make([]byte, 32)
	rand.Read(key)
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(key)
	if err == nil {
		err = f.Sync()
	}
	return key, errors.Join(err, f.Close())
}

var background = context.Background()
