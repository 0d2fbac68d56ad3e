package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	_ "modernc.org/sqlite"
)

// store is the database. Its methods know rows and nothing of who may see them.
type store struct{ db *sql.DB }

const schema = `
CREATE TABLE tenants (
	slug TEXT PRIMARY KEY, name TEXT NOT NULL, plan TEXT NOT NULL, contact TEXT, tax_id TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE users (
	subject TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenants, role TEXT NOT NULL, email TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL, created_at TEXT NOT NULL, password_hash BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE books (
	tenant TEXT NOT NULL REFERENCES tenants, slug TEXT NOT NULL, title TEXT NOT NULL, currency TEXT NOT NULL, metadata TEXT NOT NULL,
	state TEXT NOT NULL, version INTEGER NOT NULL, created_at TEXT NOT NULL, deleted INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (tenant, slug)
) WITHOUT ROWID;
CREATE TABLE entries (
	seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, book TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL,
	cents INTEGER NOT NULL, booked_at TEXT NOT NULL, memo TEXT, metadata TEXT NOT NULL, one_side TEXT NOT NULL, other_side TEXT NOT NULL,
	created_by TEXT NOT NULL, created_at TEXT NOT NULL, version INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0,
	FOREIGN KEY (tenant, book) REFERENCES books
);
CREATE INDEX entries_of_book ON entries (tenant, book, seq);
CREATE TABLE jobs (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, created_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE revoked (token_id TEXT PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID;
` + moreTables

// moreTables are made in files of before they were, too.
const moreTables = `
CREATE TABLE IF NOT EXISTS nicknames (subject TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
`

func openStore(file string) (*store, error) {
	pragmas := "?_pragma=foreign_keys(1)&_pragma=busy_timeout(5000)&_txlock=immediate"
	dsn := ":memory:" + pragmas
	if file != "" {
		dsn = "file:" + (&url.URL{Path: file}).EscapedPath() + pragmas + "&_pragma=journal_mode(wal)&_pragma=synchronous(normal)"
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("ledger: store: %w", err)
	}
	if file == "" {
		db.SetMaxOpenConns(1) // each connection would be a memory of its own
	}
	s := &store{db}
	err = s.inTx(context.Background(), func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM sqlite_schema WHERE name = 'tenants'`).Scan(&n); err != nil {
			return err
		} else if n > 0 {
			_, err := tx.Exec(moreTables)
			return err
		}
		if _, err := tx.Exec(schema); err != nil {
			return err
		}
		return seed(tx)
	})
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("ledger: store: %w", err)
	}
	return s, nil
}

// inTx runs f in a transaction that is rolled back when f fails.
func (s *store) inTx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// errNone says that there is no such row.
var errNone = sql.ErrNoRows

// A statementError is a query that the database refused, with the query.
type statementError struct {
	query string
	cause error
}

func (e *statementError) Error() string { return e.cause.Error() + " in " + e.query }
func (e *statementError) Unwrap() error { return e.cause }

// row is *sql.Row or *sql.Rows.
type row interface{ Scan(...any) error }

// list runs a query for rows. It has read them all when it returns, since the
// memory has only one connection.
func list[T any](ctx context.Context, s *store, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, &statementError{query, err}
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, &statementError{query, err}
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, &statementError{query, err}
	}
	return out, nil
}

// only runs a query for one row; errNone when there is none.
func only[T any](ctx context.Context, s *store, scan func(row) (T, error), query string, args ...any) (T, error) {
	vs, err := list(ctx, s, scan, query, args...)
	if err == nil && len(vs) == 0 {
		err = errNone
	}
	if err != nil {
		var none T
		return none, err
	}
	return vs[0], nil
}

// exec runs a statement; errNone when it changed nothing.
func (s *store) exec(ctx context.Context, query string, args ...any) error {
	res, err := s.db.ExecContext(ctx, query, args...)
	if err != nil {
		return &statementError{query, err}
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, errNone)
	}
	return nil
}

func (s *store) revoke(ctx context.Context, tokenID string, expires time.Time) error {
	err := s.exec(ctx, `INSERT OR IGNORE INTO revoked VALUES (?, ?)`, tokenID, expires.Unix())
	if errors.Is(err, errNone) {
		return nil
	}
	return err
}

// tokenGood reports whether a token's user is still there and has not logged
// out with it.
func (s *store) tokenGood(ctx context.Context, subject, tokenID string) (bool, error) {
	return only(ctx, s, func(r row) (ok bool, err error) { return ok, r.Scan(&ok) },
		`SELECT EXISTS (SELECT 1 FROM users WHERE subject = ?) AND NOT EXISTS (SELECT 1 FROM revoked WHERE token_id = ?)`, subject, tokenID)
}

// stamp is how times are kept and sent.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
