package shop

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
CREATE TABLE users (
	id             INTEGER PRIMARY KEY AUTOINCREMENT,
	email          TEXT NOT NULL UNIQUE,
	name           TEXT NOT NULL,
	phone          TEXT NOT NULL DEFAULT '',
	role           TEXT NOT NULL DEFAULT 'customer',
	plan           TEXT NOT NULL DEFAULT 'free',
	created_at     TEXT NOT NULL,
	internal_notes TEXT NOT NULL DEFAULT '',
	password_hash  TEXT NOT NULL,
	credit_card    TEXT NOT NULL DEFAULT ''
);
CREATE TABLE accounts (
	user_id        INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,
	account_number TEXT NOT NULL,
	balance        INTEGER NOT NULL CHECK (balance >= 0),
	frozen         INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE transfers (
	id           INTEGER PRIMARY KEY AUTOINCREMENT,
	from_user_id INTEGER NOT NULL,
	to_user_id   INTEGER NOT NULL,
	amount       INTEGER NOT NULL,
	note         TEXT NOT NULL,
	created_at   TEXT NOT NULL
);
CREATE TABLE products (
	id             INTEGER PRIMARY KEY AUTOINCREMENT,
	name           TEXT NOT NULL,
	description    TEXT NOT NULL,
	price          INTEGER NOT NULL,
	stock          INTEGER NOT NULL,
	supplier_price INTEGER NOT NULL DEFAULT 0
);
CREATE VIRTUAL TABLE product_words USING fts5(name, description);
CREATE TABLE orders (
	id               INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id          INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
	carrier_id       INTEGER NOT NULL,
	status           TEXT NOT NULL,
	total            INTEGER NOT NULL,
	note             TEXT NOT NULL,
	shipping_address TEXT NOT NULL,
	internal_notes   TEXT NOT NULL DEFAULT '',
	created_at       TEXT NOT NULL,
	updated_at       TEXT NOT NULL
);
CREATE INDEX orders_of_user ON orders (user_id, id);
CREATE TABLE order_items (
	order_id   INTEGER NOT NULL REFERENCES orders ON DELETE CASCADE,
	product_id INTEGER NOT NULL,
	quantity   INTEGER NOT NULL,
	unit_price INTEGER NOT NULL
);
CREATE INDEX items_of_order ON order_items (order_id);
CREATE TABLE revoked (token_id TEXT PRIMARY KEY, expires INTEGER NOT NULL);
`

// moreTables are of what customers do beside buying.
const moreTables = `
CREATE TABLE IF NOT EXISTS reviews (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	product_id INTEGER NOT NULL,
	author_id  INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
	stars      INTEGER NOT NULL,
	text       TEXT NOT NULL,
	created_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS review_views (
	review_id INTEGER PRIMARY KEY REFERENCES reviews ON DELETE CASCADE,
	n         INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS questions (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	product_id INTEGER NOT NULL,
	author_id  INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
	created_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS question_texts (
	seq         INTEGER PRIMARY KEY AUTOINCREMENT,
	question_id INTEGER NOT NULL REFERENCES questions ON DELETE CASCADE,
	text        TEXT,
	at          INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS texts_of_question ON question_texts (question_id, seq);
CREATE TABLE IF NOT EXISTS wishlists (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	owner_id   INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
	title      TEXT NOT NULL,
	created_at TEXT NOT NULL,
	deleted_at TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS wishlist_readers (
	wishlist_id INTEGER NOT NULL REFERENCES wishlists ON DELETE CASCADE,
	user_id     INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
	PRIMARY KEY (wishlist_id, user_id)
);
CREATE TABLE IF NOT EXISTS alerts (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id    INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
	product_id INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS carts (
	user_id INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,
	items   TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS preferences (
	user_id    INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,
	language   TEXT NOT NULL,
	newsletter INTEGER NOT NULL
);
`

// openStore opens a database file, or one in memory, and fills it if it is new.
func openStore(file string) (*store, error) {
	pragmas := "?_pragma=foreign_keys(1)&_pragma=busy_timeout(5000)&_txlock=immediate"
	dsn := ":memory:" + pragmas
	if file != "" {
		dsn = "file:" + (&url.URL{Path: file}).EscapedPath() + pragmas + "&_pragma=journal_mode(wal)&_pragma=synchronous(normal)"
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("shop: store: %s: %w", file, err)
	}
	if file == "" {
		db.SetMaxOpenConns(1) // each connection would be a memory of its own
	}
	s := &store{db}
	if err := s.prepare(); err != nil {
		db.Close()
		return nil, fmt.Errorf("shop: store: %s: %w", file, err)
	}
	return s, nil
}

func (s *store) prepare() error {
	ctx := context.Background()
	return s.inTx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM sqlite_schema WHERE name = 'users'`).Scan(&n); err != nil {
			return err
		} else if n > 0 {
			_, err := tx.Exec(moreTables) // the file is of before they were
			return err
		}
		if _, err := tx.Exec(schema + moreTables); err != nil {
			return err
		}
		return seed(tx)
	})
}

func (s *store) close() error { return s.db.Close() }

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

// one runs a query for one row.
func one[T any](ctx context.Context, q querier, scan func(row) (T, error), text string, args ...any) (T, error) {
	v, err := scan(q.QueryRowContext(ctx, text, args...))
	if err != nil && !errors.Is(err, errNone) {
		err = &statementError{text, err}
	}
	return v, err
}

// all runs a query for many rows. It has read them all when it returns, since
// the memory has only one connection.
func all[T any](ctx context.Context, q querier, scan func(row) (T, error), text string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, &statementError{text, err}
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, &statementError{text, err}
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, &statementError{text, err}
	}
	return out, nil
}

// exec runs a statement; errNone when it changed nothing.
func exec(ctx context.Context, q querier, text string, args ...any) (id int64, err error) {
	res, err := q.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, &statementError{text, err}
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return 0, errors.Join(err, errNone)
	}
	return res.LastInsertId()
}

// row is *sql.Row or *sql.Rows; querier is *sql.DB or *sql.Tx.
type row interface{ Scan(...any) error }
type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
	ExecContext(context.Context, string, ...any) (sql.Result, error)
}

// tokenGood reports whether a token's user is still there and has not logged
// out with it.
func (s *store) tokenGood(ctx context.Context, userID int64, tokenID string) (bool, error) {
	scan := func(r row) (ok bool, err error) { return ok, r.Scan(&ok) }
	return one(ctx, s.db, scan, `SELECT EXISTS (SELECT 1 FROM users WHERE id = ?)
		AND NOT EXISTS (SELECT 1 FROM revoked WHERE token_id = ?)`, userID, tokenID)
}

func (s *store) revoke(ctx context.Context, tokenID string, expires, now time.Time) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM revoked WHERE expires < ?`, now.Unix()); err != nil {
		return err
	}
	_, err := s.db.ExecContext(ctx, `INSERT OR IGNORE INTO revoked VALUES (?, ?)`, tokenID, expires.Unix())
	return err
}

// stamp is how times are kept and sent (RFC 3339, UTC, whole seconds).
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
