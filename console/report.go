package console

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/report"
	"github.com/parley-project/parley/store"
)

// maxReported is how many exchanges one report looks at, the newest first.
const maxReported = 20000

// A reportView is a line of the download menu.
type reportView struct {
	Name      string `json:"name"`
	Extension string `json:"extension"`
}

// report makes a file of what was found in the exchanges that the list shows:
// the same filter and side; or, with scan, of what that scan found. It is always a download: a page of captured text
// has no place in the console's own origin.
func (c *Console) report(w http.ResponseWriter, r *http.Request) {
	f, ok := report.FormatByName(r.URL.Query().Get("format"))
	if !ok {
		problem(w, http.StatusBadRequest, "format must be one of "+strings.Join(report.FormatNames(), ", "))
		return
	}
	out := report.New(report.Options{Title: c.title(), Filter: r.URL.Query().Get("filter"), Version: c.o.Version, Made: time.Now(),
		FailOn: exchange.High, Locate: c.place})
	if !c.reported(w, r, out) {
		return
	}
	var b bytes.Buffer
	if err := f.Write(&b, out); err != nil {
		problem(w, http.StatusInternalServerError, err.Error())
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.MediaType)
	h.Set("Content-Disposition", `attachment; filename="parley-report`+f.Extension+`"`)
	w.Write(b.Bytes())
}

func (c *Console) fill(ctx context.Context, out *report.Report, q store.Query) error {
	for out.Exchanges < maxReported {
		p, err := c.source.List(ctx, q)
		if err != nil {
			return err
		}
		for i := range p.Rows {
			x, err := c.source.Get(ctx, p.Rows[i].ID)
			if errors.Is(err, store.ErrNotFound) {
				continue // deleted since
			}
			if err != nil {
				return err
			}
			out.Add(x)
		}
		if p.Next == 0 {
			return nil
		}
		q.Before = p.Next
	}
	return nil
}

func (c *Console) title() string {
	if c.o.Title == "" && c.o.Contract != nil {
		return c.o.Contract.Title
	}
	return c.o.Title
}

// place finds an operation in the API's description.
func (c *Console) place(operation string) (file string, line int) {
	if c.o.Contract == nil {
		return "", 0
	}
	for _, op := range c.o.Contract.Operations {
		if op.Name == operation {
			return report.Place(op.Place)
		}
	}
	return "", 0
}
