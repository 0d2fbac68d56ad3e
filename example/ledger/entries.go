package ledger

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// An entry is a payment to somebody or a transfer between two accounts: the
// database keeps the two sides of both in the same columns.
type entry struct {
	seq                  int64
	ID, Tenant, Book     string
	Kind, Status         string
	Cents                int64
	BookedAt             string
	Memo                 *string
	Metadata             json.RawMessage
	OneSide, OtherSide   string
	CreatedBy, CreatedAt string
	version              int
	deleted              bool
}

const selectEntry = `SELECT seq, id, tenant, book, kind, status, cents, booked_at, memo, metadata, one_side, other_side, created_by, created_at, version, deleted FROM entries`

func scanEntry(r row) (e entry, err error) {
	return e, r.Scan(&e.seq, &e.ID, &e.Tenant, &e.Book, &e.Kind, &e.Status, &e.Cents, &e.BookedAt, &e.Memo, (*[]byte)(&e.Metadata),
		&e.OneSide, &e.OtherSide, &e.CreatedBy, &e.CreatedAt, &e.version, &e.deleted)
}

// showEntry is what is told of an entry.
func (l *Ledger) showEntry(e entry) any {
	m := map[string]any{"id": e.ID, "tenant": e.Tenant, "book": e.Book, "kind": e.Kind, "status": e.Status, "amount": amount(e.Cents),
		"bookedAt": e.BookedAt, "memo": e.Memo, "metadata": e.Metadata, "createdBy": e.CreatedBy, "createdAt": e.CreatedAt}
	if e.Kind == "transfer" {
		m["fromAccount"], m["toAccount"] = e.OneSide, e.OtherSide
	} else {
		m["counterparty"], m["ibanMasked"] = e.OneSide, "XXXX"+e.OtherSide[max(0, len(e.OtherSide)-4):]
	}
	if l.flawed("response-excessive-data") {
		if e.Kind == "payment" {
			m["iban"] = e.OtherSide
		}
		m["rowVersion"], m["deleted"] = e.version, e.deleted
	}
	return m
}

// amount writes cents as a decimal.
func amount(cents int64) string {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	return fmt.Sprintf("%s%d.%02d", sign, cents/100, cents%100)
}

func parseAmount(s string) int64 {
	n, _ := strconv.ParseInt(strings.Replace(s, ".", "", 1), 10, 64) // judged before
	return n
}

// theEntry returns the entry of the path, or why there is none.
func (l *Ledger) theEntry(r *request) (entry, error) {
	if !uuidText.MatchString(r.PathValue("entry")) {
		return entry{}, invalid("an entry's ID is a UUID")
	}
	e, err := only(r.Context(), l.db, scanEntry, selectEntry+` WHERE id = ?`, r.PathValue("entry"))
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	switch {
	case errors.Is(err, errNone):
		return e, notFound()
	case err != nil:
		return e, err
	case (e.Tenant != r.PathValue("tenant") || e.Book != r.PathValue("book")) && !l.flawed(objectFlaw(method)):
		return e, notFound()
	case e.deleted:
		return e, refuse(http.StatusGone, "gone", "the entry was deleted")
	case method == http.MethodGet || l.flawed(objectFlaw(method)):
	case e.CreatedBy != r.caller.subject && !r.caller.is("owner"):
		return e, forbidden("only who wrote an entry and owners change it")
	}
	return e, nil
}

// open refuses changes in a book that was closed.
func (l *Ledger) open(r *request) error {
	b, err := l.theBook(r)
	if err != nil {
		return err
	}
	if b.State == "closed" {
		return refuse(http.StatusConflict, "conflict", "the book is closed")
	}
	return nil
}

// anAmount is the field of an amount; the flaw takes negative ones, too.
func (l *Ledger) anAmount() field {
	if l.flawed("request-schema") {
		return pattern(anyAmount)
	}
	return pattern(amountText)
}

var accounts = pattern(slugText)

// readEntry reads a whole entry, of either kind.
func (l *Ledger) readEntry(r *request, e *entry) error {
	f := form{"kind": required(oneOf("payment", "transfer")), "status": oneOf("draft", "posted"), "amount": required(l.anAmount()),
		"bookedAt": required(moment), "memo": nullable(text(0, 200)), "metadata": labels,
		"counterparty": text(1, 80), "iban": pattern(ibanText), "fromAccount": accounts, "toAccount": accounts}
	if l.flawed("request-mass-assignment") {
		f["createdBy"] = text(1, 80)
	}
	in, err := l.read(r, f)
	if err != nil {
		return err
	}
	one, other, foreign := "counterparty", "iban", []string{"fromAccount", "toAccount"}
	if in.text("kind") == "transfer" {
		one, other, foreign = "fromAccount", "toAccount", []string{"counterparty", "iban"}
	}
	if !in.has(one) || !in.has(other) || slices.ContainsFunc(foreign, in.has) {
		return invalid("a " + in.text("kind") + " has " + one + " and " + other)
	}
	if err := l.mayPost(r, in); err != nil {
		return err
	}
	e.Kind, e.Status, e.Cents, e.BookedAt = in.text("kind"), "draft", parseAmount(in.text("amount")), in.text("bookedAt")
	e.Metadata, e.OneSide, e.OtherSide, e.Memo = json.RawMessage(in.raw("metadata", "{}")), in.text(one), in.text(other), nil
	if in.has("status") {
		e.Status = in.text("status")
	}
	if m, ok := in["memo"].(string); ok {
		e.Memo = &m
	}
	if by := in.text("createdBy"); by != "" {
		e.CreatedBy = by
	}
	return nil
}

// mayPost lets owners set the status, and nobody else.
func (l *Ledger) mayPost(r *request, in input) error {
	if in.has("status") && !r.caller.is("owner") && !l.flawed("request-mass-assignment") {
		return forbidden("only owners post entries")
	}
	return nil
}

func (l *Ledger) addEntry(w http.ResponseWriter, r *request) error {
	e := entry{ID: newUUID(), Tenant: r.PathValue("tenant"), Book: r.PathValue("book"), CreatedBy: r.caller.subject, CreatedAt: stamp(l.now()), version: 1}
	if err := l.open(r); err != nil {
		return err
	}
	if err := l.readEntry(r, &e); err != nil {
		return err
	}
	err := l.db.exec(r.Context(), `INSERT INTO entries (id, tenant, book, kind, status, cents, booked_at, memo, metadata, one_side, other_side, created_by, created_at, version)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)`, e.ID, e.Tenant, e.Book, e.Kind, e.Status, e.Cents, e.BookedAt, e.Memo, string(e.Metadata),
		e.OneSide, e.OtherSide, e.CreatedBy, e.CreatedAt)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(1))
	return created(w, r, "/tenants/"+e.Tenant+"/books/"+e.Book+"/entries/"+e.ID, l.showEntry(e))
}

func (l *Ledger) getEntry(w http.ResponseWriter, r *request) error {
	e, err := l.theEntry(r)
	if err != nil {
		return err
	}
	return show(w, r, e.version, l.showEntry(e))
}

func (l *Ledger) putEntry(w http.ResponseWriter, r *request) error {
	e, err := l.theEntry(r)
	if err != nil {
		return err
	}
	if err := l.readEntry(r, &e); err != nil {
		return err
	}
	return l.saveEntry(w, r, e)
}

// patchEntry takes a merge patch: null removes a memo, a label with null is
// removed from the metadata (RFC 7396).
func (l *Ledger) patchEntry(w http.ResponseWriter, r *request) error {
	e, err := l.theEntry(r)
	if err != nil {
		return err
	}
	f := form{"status": oneOf("draft", "posted"), "amount": l.anAmount(), "bookedAt": moment, "memo": nullable(text(0, 200)), "metadata": nullable(patchLabels)}
	if l.flawed("request-mass-assignment") {
		f["createdBy"] = text(1, 80)
	}
	in, err := l.read(r, f)
	if err != nil {
		return err
	}
	if err := l.mayPost(r, in); err != nil {
		return err
	}
	if in.has("status") {
		e.Status = in.text("status")
	}
	if in.has("amount") {
		e.Cents = parseAmount(in.text("amount"))
	}
	if in.has("bookedAt") {
		e.BookedAt = in.text("bookedAt")
	}
	if in.has("memo") {
		e.Memo = nil
		if m, ok := in["memo"].(string); ok {
			e.Memo = &m
		}
	}
	if by := in.text("createdBy"); by != "" {
		e.CreatedBy = by
	}
	if in.has("metadata") {
		old := map[string]any{}
		if err := json.Unmarshal(e.Metadata, &old); err != nil {
			return err
		}
		change, _ := in["metadata"].(map[string]any)
		if change == nil {
			old = map[string]any{}
		}
		for k, v := range change {
			if old[k] = v; v == nil {
				delete(old, k)
			}
		}
		if e.Metadata, err = json.Marshal(old); err != nil {
			return err
		}
	}
	return l.saveEntry(w, r, e)
}

// patchLabels are labels of which null removes one.
var patchLabels = field{good: func(v any) bool {
	m, ok := v.(map[string]any)
	kept := map[string]any{}
	for k, t := range m {
		if t != nil {
			kept[k] = t
		}
	}
	return ok && labels.good(kept)
}}

func (l *Ledger) saveEntry(w http.ResponseWriter, r *request, e entry) error {
	if err := unchanged(r, e.version); err != nil {
		return err
	}
	err := l.db.exec(r.Context(), `UPDATE entries SET kind = ?, status = ?, cents = ?, booked_at = ?, memo = ?, metadata = ?, one_side = ?, other_side = ?,
		created_by = ?, version = version + 1 WHERE id = ? AND version = ?`,
		e.Kind, e.Status, e.Cents, e.BookedAt, e.Memo, string(e.Metadata), e.OneSide, e.OtherSide, e.CreatedBy, e.ID, e.version)
	if errors.Is(err, errNone) {
		return refuse(http.StatusPreconditionFailed, "preconditionFailed", "somebody has changed it since")
	} else if err != nil {
		return err
	}
	return show(w, r, e.version+1, l.showEntry(e))
}

func (l *Ledger) deleteEntry(w http.ResponseWriter, r *request) error {
	e, err := l.theEntry(r)
	if err != nil {
		return err
	}
	if err := l.db.exec(r.Context(), `UPDATE entries SET deleted = 1 WHERE id = ?`, e.ID); err != nil {
		return err
	}
	return noContent(w)
}

// listEntries gives a page of a book's entries, the oldest first.
func (l *Ledger) listEntries(w http.ResponseWriter, r *request) error {
	if _, err := l.theBook(r); err != nil {
		return err
	}
	q, err := l.query(r, map[string]func(string) bool{
		"limit": l.pageSize, "cursor": func(s string) bool { _, ok := parseCursor(s); return ok },
		"kind":  func(s string) bool { return s == "payment" || s == "transfer" || l.flawed("request-parameters") },
		"label": func(s string) bool { return len(s) >= 1 && len(s) <= 40 },
	})
	if err != nil {
		return err
	}
	limit, after := 20, int64(0)
	if q["limit"] != "" {
		limit, _ = strconv.Atoi(q["limit"])
	}
	if q["cursor"] != "" {
		after, _ = parseCursor(q["cursor"])
	}
	query, args := selectEntry+` WHERE tenant = ? AND book = ? AND NOT deleted AND seq > ?`, []any{r.PathValue("tenant"), r.PathValue("book"), after}
	if q["kind"] == "payment" || q["kind"] == "transfer" {
		query, args = query+` AND kind = ?`, append(args, q["kind"])
	}
	switch label := q["label"]; {
	case label == "":
	case l.flawed("response-error-details"): // a path that the client writes breaks the query
		query, args = query+` AND json_extract(metadata, '$.' || ?) IS NOT NULL`, append(args, label)
	default:
		query, args = query+` AND EXISTS (SELECT 1 FROM json_each(metadata) WHERE key = ?)`, append(args, label)
	}
	es, err := list(r.Context(), l.db, scanEntry, query+` ORDER BY seq LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return err
	}
	var next any
	if len(es) > limit {
		es = es[:limit]
		next = base64.RawURLEncoding.EncodeToString([]byte("after:" + strconv.FormatInt(es[limit-1].seq, 10)))
	}
	out := []any{}
	for _, e := range es {
		out = append(out, l.showEntry(e))
	}
	return reply(w, http.StatusOK, out, map[string]any{"next": next})
}

// parseCursor reads what "next" of a page said.
func parseCursor(s string) (int64, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	n, ok := strings.CutPrefix(string(b), "after:")
	seq, bad := strconv.ParseInt(n, 10, 64)
	return seq, err == nil && ok && bad == nil && seq >= 0
}
