package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/scan"
)

// A Scan is an address that was scanned, or that can be from here.
type Scan struct {
	// Name tells it apart from the others: "open", "guarded".
	Name string
	// URL is what is scanned; empty when only the result knows.
	URL string
	// Last returns what the last scan found. It is called whenever the page
	// looks, and has to be quick: see ScanFile. Nil, or a nil result: there was
	// none yet.
	Last func() (*scan.Result, error)
	// Run scans now, tells how far it is, and returns when it has cleaned up.
	// Its exchanges belong into the console's store. Nil: it cannot be started
	// from here.
	Run func(context.Context, func(scan.Progress)) (*scan.Result, error)
	// Store is the file that the result stands beside, for the line that shows a
	// finding again. Empty means the one that parley scan takes by itself.
	Store string
}

// Limits of what is shown of one scan.
const (
	maxScanFile = 64 << 20
	maxFindings = 5000
	maxMatrix   = 2000 // operations
)

// ScanFile returns a Scan's Last that reads a result from a file: again when
// the file has changed, and never more than once for the same state of it.
func ScanFile(name string) func() (*scan.Result, error) {
	var mu sync.Mutex
	var at time.Time
	var size int64
	var last *scan.Result
	var fault error
	return func() (*scan.Result, error) {
		mu.Lock()
		defer mu.Unlock()
		st, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			at, last, fault = time.Time{}, nil, nil
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if !at.IsZero() && st.ModTime().Equal(at) && st.Size() == size {
			return last, fault
		}
		at, size = st.ModTime(), st.Size()
		r, err := readScan(name)
		if fault = err; err == nil {
			last = r
		}
		return last, fault
	}
}

// readScan reads a result. What it holds was partly written by strangers, and
// the file may be anything: it is bounded and has to say what it is.
func readScan(name string) (*scan.Result, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxScanFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxScanFile {
		return nil, fmt.Errorf("%s: more than %d MiB, which no scan writes", name, maxScanFile>>20)
	}
	d, err := scan.ReadJSON(b)
	if err != nil {
		return nil, fmt.Errorf("%s: no result of a scan: %w", name, err)
	}
	return whole(d.Result), nil
}

// whole leaves out what a hand-written file may hold and nobody can show.
func whole(r *scan.Result) *scan.Result {
	kept := r.Findings[:0]
	for _, f := range r.Findings {
		if f != nil {
			f.Severity = min(max(f.Severity, exchange.Info), exchange.Critical)
			kept = append(kept, f)
		}
	}
	r.Findings = kept
	return r
}

// tally counts the findings of a result.
type tally struct {
	// Confirmed counts by severity, those that somebody has to look at.
	Confirmed  map[string]int `json:"confirmed"`
	All        int            `json:"all"` // the sum of Confirmed
	Likely     int            `json:"likely"`
	Suppressed int            `json:"suppressed"`
	Known      int            `json:"known"`
}

func tallyOf(r *scan.Result) tally {
	t := tally{Confirmed: map[string]int{}}
	for _, f := range r.Findings {
		switch {
		case f.Suppressed != "":
			t.Suppressed++
		case f.Known:
			t.Known++
		case f.Verdict == exchange.Confirmed:
			t.Confirmed[f.Severity.String()]++
			t.All++
		default:
			t.Likely++
		}
	}
	return t
}

// scanView is what the page's head says of one scan.
type scanView struct {
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
	// Run says that it can be started from here.
	Run    bool        `json:"run"`
	Fault  string      `json:"fault,omitempty"`
	Result *resultView `json:"result,omitempty"`
}

type resultView struct {
	Target     string       `json:"target"`
	Title      string       `json:"title,omitempty"`
	Start      time.Time    `json:"start"`
	Time       float64      `json:"time"` // milliseconds
	Requests   int          `json:"requests"`
	People     []scan.Asker `json:"people"`
	Operations int          `json:"operations"`
	Tally      tally        `json:"tally"`
	Left       []string     `json:"left,omitempty"`
	Notes      []string     `json:"notes,omitempty"`
	Incomplete string       `json:"incomplete,omitempty"`
}

// scans says which scans there are, what they found in numbers, and what is
// running. The page asks for it again and again: the count on its tab.
func (c *Console) scans(w http.ResponseWriter, r *http.Request) {
	v := struct {
		Scans   []scanView   `json:"scans"`
		Running *runningView `json:"running,omitempty"`
	}{[]scanView{}, c.scanning.view()}
	for i := range c.o.Scans {
		s := &c.o.Scans[i]
		sv := scanView{Name: s.Name, URL: s.URL, Run: s.Run != nil}
		res, err := c.result(s)
		if err != nil {
			sv.Fault = err.Error()
		}
		if res != nil {
			sv.Result = &resultView{res.Target, res.Title, res.Start, float64(res.Time.Microseconds()) / 1000, res.Requests, res.People, len(res.Access), tallyOf(res), res.Left, res.Notes, res.Incomplete}
		}
		v.Scans = append(v.Scans, sv)
	}
	writeJSON(w, v)
}

// result is the newer of what was found from here and what Last has.
func (c *Console) result(s *Scan) (*scan.Result, error) {
	own, err := c.scanning.last(s.Name)
	if s.Last == nil {
		return own, err
	}
	r, lastErr := s.Last()
	if own != nil && (r == nil || !r.Start.After(own.Start)) {
		return own, err
	}
	return r, errors.Join(err, lastErr)
}

// named finds the scan that a request names, and its result.
func (c *Console) named(w http.ResponseWriter, r *http.Request) (*Scan, *scan.Result) {
	name := r.URL.Query().Get("scan")
	for i := range c.o.Scans {
		s := &c.o.Scans[i]
		if s.Name != name {
			continue
		}
		res, err := c.result(s)
		switch {
		case res != nil:
			return s, res
		case err != nil:
			problem(w, http.StatusInternalServerError, err.Error())
		default:
			problem(w, http.StatusNotFound, "nothing has been scanned there yet")
		}
		return nil, nil
	}
	problem(w, http.StatusNotFound, "there is no scan of that name")
	return nil, nil
}

// findings are all that a scan found, in its order: confirmed before likely,
// the worst first. The exchanges of their proofs are asked for one by one.
func (c *Console) findings(w http.ResponseWriter, r *http.Request) {
	s, res := c.named(w, r)
	if res == nil {
		return
	}
	v := struct {
		Schema   string                  `json:"schema"`
		Findings []*scan.Finding         `json:"findings"`
		Cut      int                     `json:"cut,omitempty"` // how many there are beyond
		Replay   string                  `json:"replay"`
		Explain  map[string]*Explanation `json:"explain"`
	}{Schema: res.Schema, Findings: res.Findings, Replay: s.replay(), Explain: map[string]*Explanation{}}
	if v.Findings == nil {
		v.Findings = []*scan.Finding{}
	}
	if n := len(v.Findings); n > maxFindings {
		v.Findings, v.Cut = v.Findings[:maxFindings], n-maxFindings
	}
	for _, f := range v.Findings {
		if e := c.explain(f.Check); e != nil {
			v.Explain[f.Check] = e
		}
	}
	writeJSON(w, v)
}

// replay is the command that shows a finding again when its ID is added.
func (s *Scan) replay() string {
	if s.Store == "" {
		return "parley scan --replay"
	}
	return "parley scan --store " + quoted(s.Store) + " --replay"
}

// matrix is what each of the people gets of each operation: nobody first, then
// in the scan's order, those whom it registered last.
func (c *Console) matrix(w http.ResponseWriter, r *http.Request) {
	_, res := c.named(w, r)
	if res == nil {
		return
	}
	v := struct {
		People []scan.Asker `json:"people"`
		Rows   []scan.Row   `json:"rows"`
		Cut    int          `json:"cut,omitempty"`
	}{People: []scan.Asker{{Name: "nobody"}}, Rows: res.Access}
	for _, spare := range []bool{false, true} {
		for _, p := range res.People {
			if p.Spare == spare {
				v.People = append(v.People, p)
			}
		}
	}
	if v.Rows == nil {
		v.Rows = []scan.Row{}
	}
	if n := len(v.Rows); n > maxMatrix {
		v.Rows, v.Cut = v.Rows[:maxMatrix], n-maxMatrix
	}
	writeJSON(w, v)
}
