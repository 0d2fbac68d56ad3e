package console

import (
	"context"
	"strconv"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/filter"
	"github.com/parley-project/parley/store"
)

// A source is what the console asks of a store.
type source interface {
	Get(context.Context, exchange.ID) (*exchange.Exchange, error)
	List(context.Context, store.Query) (store.Page, error)
	Linked(context.Context, exchange.ID) ([]store.Linked, error)
	Actions(context.Context, store.Cursor) ([]store.ActionCount, error)
	Stats(context.Context) (store.Stats, error)
	Watch(context.Context) <-chan struct{}
}

var _ source = (*store.Store)(nil)

// A rowView is one line of the list, as short as can be: a page holds many.
type rowView struct {
	ID        exchange.ID     `json:"id"`
	Number    store.Cursor    `json:"n"`
	Start     int64           `json:"start"` // milliseconds since 1970
	Source    exchange.Source `json:"source"`
	Side      exchange.Side   `json:"side,omitempty"`
	Method    string          `json:"method"`
	TLS       string          `json:"tls,omitempty"`
	Authority string          `json:"authority"`
	Target    string          `json:"target"`
	Operation string          `json:"operation,omitempty"`
	Status    int             `json:"status,omitempty"`
	Caller    string          `json:"caller,omitempty"`
	Type      string          `json:"type,omitempty"`
	Size      int64           `json:"size"`
	Time      float64         `json:"time"` // milliseconds
	Failed    bool            `json:"failed,omitempty"`
	Findings  int             `json:"findings,omitempty"`
	Worst     string          `json:"worst,omitempty"` // severity of the worst of them
	// Acts is how often guard did something, by kind; "would refuse" and so
	// on where it was only counted.
	Acts map[string]int `json:"acts,omitempty"`
}

func viewRows(rows []store.Row) []rowView {
	vs := make([]rowView, len(rows))
	for i := range rows {
		r := &rows[i]
		v := rowView{
			ID: r.ID, Number: r.Cursor, Start: r.Start.UnixMilli(), Source: r.Source, Side: r.Side, Method: r.Method, TLS: r.TLS,
			Authority: r.Authority, Target: r.Target, Operation: r.Operation, Status: r.Status, Caller: r.Caller, Type: r.MediaType,
			Size: r.Response, Time: float64(r.Total.Microseconds()) / 1000, Failed: r.Failed, Acts: r.Actions,
		}
		if v.Caller == "" && r.Known {
			v.Caller = string(r.Subject)
		}
		// A target may be megabytes; a line of the list is not.
		if len(v.Target) > 2<<10 {
			v.Target = v.Target[:2<<10] + "…"
		}
		for s, n := range r.Findings {
			if n > 0 {
				v.Findings += n
				v.Worst = exchange.Severity(s).String()
			}
		}
		vs[i] = v
	}
	return vs
}

// ofSide narrows a filter to one of an intermediary's two conversations.
// What is of neither counts as the client's: it was not guard's own asking.
func ofSide(e *filter.Expr, side string) (*filter.Expr, error) {
	if side == "all" {
		return e, nil
	}
	var t filter.Node = filter.Term{Key: "side", Op: filter.Is, Value: string(exchange.UpstreamSide)}
	if side == "client" {
		t = filter.Not{Node: t}
	}
	return filter.New(filter.And{t, e.Root})
}

// cursor writes a place for the page; zero is none.
func cursor(c store.Cursor) string {
	if c == 0 {
		return ""
	}
	return strconv.FormatInt(int64(c), 10)
}
