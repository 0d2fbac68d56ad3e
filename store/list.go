package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/filter"
)

// Cursor is a place in the order of recording. Exchanges recorded later have
// greater ones; zero is no place.
type Cursor int64

// Query says what List returns.
type Query struct {
	// Filter chooses; nil lets everything through.
	Filter *filter.Expr
	// Before asks for exchanges recorded before that one. Zero means from
	// the newest on.
	Before Cursor
	// After asks for exchanges recorded after that one. With it the page
	// begins there: it holds the Limit oldest of them.
	After Cursor
	// Limit is the greatest number of rows. Zero means 100; the most is 10,000.
	Limit int
	// Budget is how long to look before returning what was found so far.
	// Zero means two seconds.
	Budget time.Duration
}

// Page is a part of a list, newest first.
type Page struct {
	Rows []Row
	// Next continues with older exchanges as Query.Before, Prev with newer
	// ones as Query.After. Zero means there are none, or none yet.
	Next, Prev Cursor
	// Scanned is how many exchanges were looked at, Total how many there were
	// to look at.
	Scanned, Total int64
	// Partial is true when the budget ran out: Next (or, with After, Prev)
	// goes on from there.
	Partial bool
}

// Row is an exchange as lists show it.
type Row struct {
	Cursor    Cursor           `json:"cursor"`
	ID        exchange.ID      `json:"id"`
	Start     time.Time        `json:"start"`
	Source    exchange.Source  `json:"source"`
	Side      exchange.Side    `json:"side,omitempty"`
	Method    string           `json:"method"`
	Authority string           `json:"authority"`
	Target    string           `json:"target"`
	Status    int              `json:"status,omitempty"` // 0 when there is no response
	MediaType string           `json:"media_type,omitempty"`
	Operation string           `json:"operation,omitempty"`
	Subject   exchange.Subject `json:"subject,omitempty"`
	Caller    string           `json:"caller,omitempty"` // the caller's name
	Known     bool             `json:"known,omitempty"`  // somebody was proved to speak
	Failed    bool             `json:"failed,omitempty"` // it broke off; Get says why
	TLS       string           `json:"tls,omitempty"`    // "yes", "no", or "" when unknown
	Request   int64            `json:"request_size"`
	Response  int64            `json:"response_size"`
	Total     time.Duration    `json:"total,omitempty"`
	Findings  [5]int           `json:"findings"`          // by severity, from info
	Actions   map[string]int   `json:"actions,omitempty"` // by kind; "would refuse" and so on when not enforced
	Check     string           `json:"check,omitempty"`   // the first check: an action's, else a finding's
}

const rowColumns = `seq, id, start, source, side, method, authority, operation, media, subject, caller, found, acted,
	status, flags, severities, actions, req_size, resp_size, total, detail, target`

// scanned is a row as the file has it.
type scanned struct {
	seq, start, source, side, method, authority, operation, media, subject, caller, found, acted int64
	status, flags, severities, actions, reqSize, respSize, total, detail                         int64
	id                                                                                           []byte
	target                                                                                       string
}

func (r *scanned) scan(rows *sql.Rows) error {
	return rows.Scan(&r.seq, &r.id, &r.start, &r.source, &r.side, &r.method, &r.authority, &r.operation, &r.media, &r.subject,
		&r.caller, &r.found, &r.acted, &r.status, &r.flags, &r.severities, &r.actions, &r.reqSize, &r.respSize, &r.total, &r.detail, &r.target)
}

// exchangeID reads an ID as the file has it.
func exchangeID(b []byte) exchange.ID {
	switch {
	case len(b) == 16:
		return exchange.ID(ulid.ULID(b).String())
	case string(b) == " ":
		return ""
	}
	return exchange.ID(b)
}

var actionNames = [6]string{"refuse", "strip", "repair", "would refuse", "would strip", "would repair"}

func (s *Store) row(ctx context.Context, r *scanned) (Row, error) {
	row := Row{Cursor: Cursor(r.seq), ID: exchangeID(r.id), Start: time.Unix(0, r.start).UTC(), Target: r.target,
		Status: int(r.status), Known: r.flags&flagCaller != 0, Failed: r.flags&flagFailure != 0,
		Request: r.reqSize, Response: r.respSize, Total: time.Duration(r.total)}
	var source, side, subject, found, acted string
	for _, w := range [...]struct {
		id int64
		to *string
	}{{r.source, &source}, {r.side, &side}, {r.method, &row.Method}, {r.authority, &row.Authority}, {r.operation, &row.Operation},
		{r.media, &row.MediaType}, {r.subject, &subject}, {r.caller, &row.Caller}, {r.found, &found}, {r.acted, &acted}} {
		text, err := s.words.text(ctx, w.id)
		if err != nil {
			return row, err
		}
		*w.to = text
	}
	row.Source, row.Side, row.Subject = exchange.Source(source), exchange.Side(side), exchange.Subject(subject)
	switch {
	case r.flags&flagClear != 0:
		row.TLS = "no"
	case r.flags&flagTLS != 0:
		row.TLS = "yes"
	}
	for i := range row.Findings {
		row.Findings[i] = counter(r.severities, i, 12)
	}
	for i, name := range actionNames {
		if n := counter(r.actions, i, 10); n > 0 {
			if row.Actions == nil {
				row.Actions = map[string]int{}
			}
			row.Actions[name] = n
		}
	}
	if cs := append(setChecks(acted), setChecks(found)...); len(cs) > 0 {
		row.Check = cs[0]
	}
	return row, nil
}

// List returns exchanges, newest first.
func (s *Store) List(ctx context.Context, q Query) (Page, error) {
	page, err := s.list(ctx, q)
	if err != nil {
		return page, fmt.Errorf("store: list: %w", err)
	}
	return page, nil
}

func (s *Store) list(ctx context.Context, q Query) (Page, error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	q.Limit = min(q.Limit, 10000)
	if q.Budget <= 0 {
		q.Budget = 2 * time.Second
	}
	until := time.Now().Add(q.Budget)
	if s.o.ReadOnly {
		if err := s.bounds(ctx); err != nil {
			return Page{}, err
		}
	}
	lo, hi := max(s.first.Load(), int64(q.After)+1), s.last.Load()
	if q.Before > 0 {
		hi = min(hi, int64(q.Before)-1)
	}
	var page Page
	if lo > hi {
		page.Prev = max(q.After, Cursor(s.last.Load()))
		if q.Before > 0 {
			page.Prev = max(q.After, q.Before-1)
		}
		return page, nil
	}
	page.Total = hi - lo + 1
	c, err := s.push(ctx, q.Filter)
	if err != nil {
		return page, err
	}
	f := finder{s: s, q: q, cond: c, ctx: ctx}
	up := q.After > 0
	from, to := lo, hi // what is still to be looked at
	window := int64(512)
	for from <= to && len(page.Rows) < q.Limit {
		wlo, whi := max(from, to-window+1), to
		if up {
			wlo, whi = from, min(to, from+window-1)
		}
		at, err := f.window(wlo, whi, up, &page)
		if err != nil {
			return page, err
		}
		if up {
			from = at + 1
		} else {
			to = at - 1
		}
		if from <= to && len(page.Rows) < q.Limit && time.Now().After(until) {
			page.Partial = true
			break
		}
		window = min(4*window, f.widest())
	}
	if up {
		slices.Reverse(page.Rows)
		page.Prev = Cursor(from - 1)
		if lo > s.first.Load() {
			page.Next = Cursor(lo)
		}
	} else {
		page.Prev = Cursor(hi)
		if from <= to {
			page.Next = Cursor(to + 1)
		}
	}
	return page, nil
}

// finder looks through windows of the order of recording.
type finder struct {
	s    *Store
	q    Query
	cond cond
	ctx  context.Context
}

// widest is how far one statement may look before time is looked at again.
func (f *finder) widest() int64 {
	if f.cond.exact {
		return 32768
	}
	return 2048
}

// window looks at the exchanges lo to hi and returns how far it came: the last
// one looked at.
func (f *finder) window(lo, hi int64, up bool, page *Page) (at int64, err error) {
	var b strings.Builder
	b.WriteString("SELECT " + rowColumns + " FROM exchange CROSS JOIN shape USING (shape) WHERE seq BETWEEN ? AND ?")
	args := append([]any{lo, hi}, f.cond.args...)
	if f.cond.sql != "" {
		b.WriteString(" AND (" + f.cond.sql + ")")
	}
	order, end := " DESC", lo
	if up {
		order, end = " ASC", hi
	}
	b.WriteString(" ORDER BY seq" + order)
	if f.cond.exact {
		fmt.Fprintf(&b, " LIMIT %d", f.q.Limit-len(page.Rows))
	}
	rows, err := f.s.read.QueryContext(f.ctx, b.String(), args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	at = end
	for rows.Next() {
		var r scanned
		if err := r.scan(rows); err != nil {
			return 0, err
		}
		if !f.cond.exact {
			x, err := f.s.load(f.ctx, r.detail, f.q.Filter.NeedsBodies(), false)
			if err != nil {
				return 0, err
			}
			if !f.q.Filter.Match(x) {
				continue
			}
		}
		row, err := f.s.row(f.ctx, &r)
		if err != nil {
			return 0, err
		}
		page.Rows = append(page.Rows, row)
		if len(page.Rows) == f.q.Limit {
			at = r.seq
			break
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	if up {
		page.Scanned += at - lo + 1
	} else {
		page.Scanned += hi - at + 1
	}
	return at, nil
}
