package ledger

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
)

type book struct {
	Tenant    string          `json:"tenant"`
	Slug      string          `json:"slug"`
	Title     string          `json:"title"`
	Currency  string          `json:"currency"`
	State     string          `json:"state"`
	Metadata  json.RawMessage `json:"metadata"`
	CreatedAt string          `json:"createdAt"`

	version int
	deleted bool
}

const selectBook = `SELECT tenant, slug, title, currency, state, metadata, created_at, version, deleted FROM books`

func scanBook(r row) (b book, err error) {
	return b, r.Scan(&b.Tenant, &b.Slug, &b.Title, &b.Currency, &b.State, (*[]byte)(&b.Metadata), &b.CreatedAt, &b.version, &b.deleted)
}

// theBook returns the book of the path, or why there is none.
func (l *Ledger) theBook(r *request) (book, error) {
	b, err := only(r.Context(), l.db, scanBook, selectBook+` WHERE tenant = ? AND slug = ?`, r.PathValue("tenant"), r.PathValue("book"))
	switch {
	case errors.Is(err, errNone):
		return b, notFound()
	case err == nil && b.deleted:
		return b, refuse(http.StatusGone, "gone", "the book was deleted")
	}
	return b, err
}

// etag is the version of an object (RFC 9110, 8.8.3).
func etag(version int) string { return `"` + strconv.Itoa(version) + `"` }

// unchanged refuses a change that does not say which version it changes, or
// says another (RFC 6585, 3; RFC 9110, 13.1.1).
func unchanged(r *request, version int) error {
	switch match := r.Header.Get("If-Match"); match {
	case "":
		return refuse(http.StatusPreconditionRequired, "preconditionRequired", "say with If-Match which version is changed")
	case "*", etag(version):
		return nil
	}
	return refuse(http.StatusPreconditionFailed, "preconditionFailed", "somebody has changed it since")
}

// show sends an object with its version, or 304 to who has that already.
func show(w http.ResponseWriter, r *request, version int, data any) error {
	w.Header().Set("ETag", etag(version))
	if (r.Method == "GET" || r.Method == "HEAD") && r.Header.Get("If-None-Match") == etag(version) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return reply(w, http.StatusOK, data, nil)
}

func (l *Ledger) listBooks(w http.ResponseWriter, r *request) error {
	bs, err := list(r.Context(), l.db, scanBook, selectBook+` WHERE tenant = ? AND NOT deleted ORDER BY slug`, r.PathValue("tenant"))
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, bs, nil)
}

var currency = oneOf("EUR", "USD", "DKK")

func (l *Ledger) addBook(w http.ResponseWriter, r *request) error {
	in, err := l.read(r, form{"slug": required(pattern(slugText)), "title": required(text(1, 80)), "currency": required(currency), "metadata": labels})
	if err != nil {
		return err
	}
	b := book{r.PathValue("tenant"), in.text("slug"), in.text("title"), in.text("currency"), "open", json.RawMessage(in.raw("metadata", "{}")), stamp(l.now()), 1, false}
	err = l.db.exec(r.Context(), `INSERT INTO books VALUES (?, ?, ?, ?, ?, 'open', 1, ?, 0) ON CONFLICT DO NOTHING`,
		b.Tenant, b.Slug, b.Title, b.Currency, string(b.Metadata), b.CreatedAt)
	if errors.Is(err, errNone) {
		return refuse(http.StatusConflict, "conflict", "there is or was a book of that name")
	} else if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(1))
	return created(w, r, "/tenants/"+b.Tenant+"/books/"+b.Slug, b)
}

func (l *Ledger) getBook(w http.ResponseWriter, r *request) error {
	b, err := l.theBook(r)
	if err != nil {
		return err
	}
	return show(w, r, b.version, b)
}

func (l *Ledger) putBook(w http.ResponseWriter, r *request) error {
	b, err := l.theBook(r)
	if err != nil {
		return err
	}
	in, err := l.read(r, form{"title": required(text(1, 80)), "currency": required(currency), "metadata": labels})
	if err != nil {
		return err
	}
	if err := unchanged(r, b.version); err != nil {
		return err
	}
	b.Title, b.Currency, b.Metadata = in.text("title"), in.text("currency"), json.RawMessage(in.raw("metadata", "{}"))
	err = l.db.exec(r.Context(), `UPDATE books SET title = ?, currency = ?, metadata = ?, version = version + 1 WHERE tenant = ? AND slug = ? AND version = ?`,
		b.Title, b.Currency, string(b.Metadata), b.Tenant, b.Slug, b.version)
	if errors.Is(err, errNone) {
		return refuse(http.StatusPreconditionFailed, "preconditionFailed", "somebody has changed it since")
	} else if err != nil {
		return err
	}
	return show(w, r, b.version+1, b)
}

// deleteBook keeps the row, so that the name is not given to another book.
func (l *Ledger) deleteBook(w http.ResponseWriter, r *request) error {
	b, err := l.theBook(r)
	if err != nil {
		return err
	}
	if err := l.db.exec(r.Context(), `UPDATE books SET deleted = 1 WHERE tenant = ? AND slug = ?`, b.Tenant, b.Slug); err != nil {
		return err
	}
	return noContent(w)
}

// closeBook starts a job. Small books are closed at once; the client cannot
// tell, and looks at the job.
func (l *Ledger) closeBook(w http.ResponseWriter, r *request) error {
	b, err := l.theBook(r)
	if err != nil {
		return err
	}
	in, err := l.read(r, form{"period": required(text(7, 7))})
	if err != nil {
		return err
	}
	if b.State == "closed" {
		return refuse(http.StatusConflict, "conflict", "the book is closed already")
	}
	id := newUUID()
	if err := l.db.exec(r.Context(), `INSERT INTO jobs VALUES (?, ?, ?, 'done', ?)`, id, b.Tenant, "closing of "+b.Slug+" for "+in.text("period"), stamp(l.now())); err != nil {
		return err
	}
	if err := l.db.exec(r.Context(), `UPDATE books SET state = 'closed', version = version + 1 WHERE tenant = ? AND slug = ?`, b.Tenant, b.Slug); err != nil {
		return err
	}
	w.Header().Set("Location", r.base+"/tenants/"+b.Tenant+"/jobs/"+id)
	return reply(w, http.StatusAccepted, map[string]string{"id": id, "tenant": b.Tenant, "kind": "closing of " + b.Slug + " for " + in.text("period"), "state": "queued"}, nil)
}

func (l *Ledger) getJob(w http.ResponseWriter, r *request) error {
	type job struct {
		ID     string `json:"id"`
		Tenant string `json:"tenant"`
		Kind   string `json:"kind"`
		State  string `json:"state"`
	}
	if !uuidText.MatchString(r.PathValue("job")) {
		return invalid("a job's ID is a UUID")
	}
	j, err := only(r.Context(), l.db, func(r row) (j job, err error) { return j, r.Scan(&j.ID, &j.Tenant, &j.Kind, &j.State) },
		`SELECT id, tenant, kind, state FROM jobs WHERE id = ? AND tenant = ?`, r.PathValue("job"), r.PathValue("tenant"))
	if errors.Is(err, errNone) {
		return notFound()
	} else if err != nil {
		return err
	}
	return reply(w, http.StatusOK, j, nil)
}

// balances adds up the books of a tenant: the caller's.
func (l *Ledger) balances(w http.ResponseWriter, r *request) error {
	q, err := l.query(r, map[string]func(string) bool{"tenant": slugText.MatchString})
	if err != nil {
		return err
	}
	slug := q["tenant"]
	if slug == "" {
		slug = r.caller.tenant
	}
	if slug != r.caller.tenant && !l.flawed("authz-query-owner") {
		return forbidden("that is another tenant")
	}
	type balance struct {
		Tenant string `json:"tenant"`
		Book   string `json:"book"`
		Total  string `json:"total"`
	}
	bs, err := list(r.Context(), l.db, func(r row) (b balance, err error) {
		var cents int64
		err = r.Scan(&b.Tenant, &b.Book, &cents)
		b.Total = amount(cents)
		return b, err
	}, `SELECT b.tenant, b.slug, coalesce(sum(e.cents), 0) FROM books b LEFT JOIN entries e ON e.tenant = b.tenant AND e.book = b.slug AND NOT e.deleted
		WHERE b.tenant = ? AND NOT b.deleted GROUP BY b.slug ORDER BY b.slug`, slug)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, bs, nil)
}
