package scan

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// A journal remembers on disk what is to be undone, before it is done: a scan
// that is killed can be cleaned up after. It holds credentials of people that
// the scan registered, so that only its owner may read it.
type journal struct {
	file *os.File
	name string
	next int
}

// An entry is a line of the journal: something to be undone, somebody who was
// registered, or the word that an earlier entry is done with.
type entry struct {
	N      int              `json:"n"`
	Done   bool             `json:"done,omitempty"`
	Target string           `json:"target,omitempty"` // scheme and authority
	As     string           `json:"as,omitempty"`
	Method string           `json:"method,omitempty"`
	Path   string           `json:"path,omitempty"`
	Header []exchange.Field `json:"header,omitempty"`
	Body   []byte           `json:"body,omitempty"`
	What   string           `json:"what,omitempty"`
	// Among is the item path of a resource in which something may have been
	// made with Seed in its texts. Without Among, what is at Path has it. Who was killed before the answer came does not
	// know what it is called.
	Among string `json:"among,omitempty"`
	Seed  string `json:"seed,omitempty"`
	// Had are the IDs that were there before, for what has no text of the scan's
	// in it: then Body is what was sent.
	Had    []string          `json:"had,omitempty"`
	Person map[string]string `json:"person,omitempty"` // name, field, token
}

// openJournal makes the file. One that is there from a scan that was broken off
// must be cleaned up first.
func openJournal(name string) (*journal, error) {
	j := &journal{name: name}
	if name == "" {
		return j, nil
	}
	left, err := readJournal(name)
	switch {
	case err == nil && len(left) > 0:
		return nil, &UncleanError{name, len(left)}
	case err == nil: // made anew: whoever can read or write this one has it open
		err = os.Remove(name)
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("scan: journal: %w", err)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("scan: journal: %w", err)
	}
	j.file = f
	return j, nil
}

// An UncleanError says that an earlier scan was broken off and has left
// something behind.
type UncleanError struct {
	File string
	N    int
}

func (e *UncleanError) Error() string {
	return fmt.Sprintf("scan: an earlier scan was broken off and left %d things behind (%s)", e.N, e.File)
}

func (j *journal) write(e entry) {
	if j.file == nil {
		return
	}
	line, err := json.Marshal(e)
	if err != nil {
		return
	}
	j.file.Write(append(line, '\n'))
	j.file.Sync()
}

func (j *journal) add(e entry) int {
	j.next++
	e.N = j.next
	j.write(e)
	return e.N
}

// close takes the file away when nothing is left to be undone.
func (j *journal) close() {
	if j.file == nil {
		return
	}
	j.file.Close()
	if left, err := readJournal(j.name); err == nil && len(left) == 0 {
		os.Remove(j.name)
	}
}

// maxJournal bounds what is read of a file that somebody names.
const maxJournal = 64 << 20

// readJournal believes only what nobody else can have written: a journal that
// came with somebody's files would say what is deleted in the name of people.
//
// It returns what is still to be undone, the last first, with the
// people before it.
func readJournal(name string) ([]entry, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("%s may be read or written by others, so it is none that a scan wrote: look at it, then remove it or give it mode 600", name)
	}
	if info.Size() > maxJournal || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no journal", name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	left := map[int]entry{}
	var people []entry
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, maxJournal)
	for line := 1; sc.Scan(); line++ {
		var e entry
		if json.Unmarshal(sc.Bytes(), &e) != nil {
			continue // the last line of a scan that was killed while it wrote
		}
		switch {
		case e.Done:
			delete(left, e.N)
		case e.Person != nil:
			people = append(people, e)
		default:
			left[e.N] = e
		}
	}
	var out []entry
	for _, e := range left {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b entry) int { return b.N - a.N })
	if len(out) == 0 {
		return nil, nil
	}
	return append(people, out...), nil
}

// keep remembers an object that was made, so that it is taken away again.
func (s *scanner) keep(o *check.Object) {
	s.made = append(s.made, o)
	if o.Owner != nil && o.Owner.Spare {
		s.introduceToJournal(o.Owner)
	}
	if a := s.removal(o); a != nil {
		e := s.entryOf(a, "made by the scan")
		if o.Resource.Read != nil && len(marksIn(o.Sent, s.markSeed)) > 0 {
			e.Seed = s.markSeed
		}
		s.undo[o] = s.journal.add(e)
	}
}

func (s *scanner) entryOf(a *check.Ask, what string) entry {
	return entry{Target: s.base, As: a.As.String(), Method: a.Method, Path: a.Target, Header: a.Header, Body: a.Body, What: what}
}

func (s *scanner) introduceToJournal(p *check.Person) {
	if p.Token == "" || s.inJournal[p] {
		return
	}
	s.inJournal[p] = true
	s.journal.add(entry{Person: map[string]string{"name": p.Name, "field": p.Field, "token": string(p.Token)}})
}

// removal is the request that takes an object away, as whoever may: its owner,
// or somebody with more rights.
func (s *scanner) removal(o *check.Object) *check.Ask {
	r := o.Resource
	if r == nil || r.Remove == nil || o.ID() == "" {
		return nil
	}
	as := o.Owner
	if r.Remove.Few != "" || as == nil {
		for _, p := range s.trial.People {
			if s.mayFew(r.Remove, p) {
				as = p
			}
		}
	}
	a, ok := s.request(r.Remove, o, as)
	if !ok {
		return nil
	}
	a.Of = nil
	if a.Header.Has("If-Match") {
		a = a.Set("If-Match", "*")
	}
	return a
}

// remember notes a change to be undone should the scan be broken off.
func (s *scanner) remember(undo *check.Ask) (done func()) {
	s.introduceToJournal(undo.As)
	n := s.journal.add(s.entryOf(undo, "changed by the scan"))
	s.changes[n] = undo
	return func() {
		delete(s.changes, n)
		s.journal.write(entry{N: n, Done: true})
	}
}

// clean takes away what was made, the last first, also when the scan was
// interrupted.
func (s *scanner) clean() {
	s.progress.Phase = "cleaning up"
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), 30*time.Second)
	defer cancel()
	s.stopped = ""
	for n, a := range s.changes {
		if x := s.send(ctx, a, nameOf(a)); check.Succeeded(x) {
			s.journal.write(entry{N: n, Done: true})
		} else {
			s.res.Left = append(s.res.Left, "a change that "+a.Method+" "+a.Target+" was to undo")
		}
	}
	for _, o := range slices.Backward(s.made) {
		name := "a thing"
		if o.Seen != nil {
			name = "a thing of " + o.Seen.Request.Method + " " + o.Seen.Request.Target
		}
		if o.Resource != nil {
			name = o.Resource.Item
			for k, v := range o.Params {
				name = strings.ReplaceAll(name, "{"+k+"}", v)
			}
		}
		if s.remove(ctx, o) {
			if n := s.undo[o]; n > 0 {
				s.journal.write(entry{N: n, Done: true})
			}
			continue
		}
		s.res.Left = append(s.res.Left, name)
		if n := s.undo[o]; n > 0 { // nobody may take it away: it was told
			s.journal.write(entry{N: n, Done: true})
		}
	}
	s.intended()
}

func nameOf(a *check.Ask) string {
	if a.Endpoint == nil {
		return ""
	}
	return a.Endpoint.Name
}

// remove takes one object away and reports whether it is gone.
func (s *scanner) remove(ctx context.Context, o *check.Object) bool {
	a := s.removal(o)
	if a == nil {
		return false
	}
	s.progress.Asking = a.Method + " " + a.Target
	s.o.Progress(s.progress)
	who, of := []*check.Person{a.As}, s.perhapsOf[o]
	if of != nil { // first: to others it is perhaps not there
		who = []*check.Person{of, a.As}
	}
	who = append(who, s.trial.People...)
	for i, p := range who {
		if i > 0 && p != a.As && (p == nil || p.Spare || len(p.Roles) == 0) || slices.Contains(who[:i], p) {
			continue
		}
		if o.Resource.Create != nil && o.Resource.Create.Role == check.SignUp && p != o.Owner && s.somebodyElse(ctx, o, p) {
			return false
		}
		x := s.send(ctx, a.With(p), nameOf(a))
		switch st := check.StatusOf(x); {
		case check.Succeeded(x), (st == 404 || st == 410) && (of == nil || i > 0):
			return true
		case st == 0:
			return false
		}
	}
	return false
}

// somebodyElse reports whether a person sees somebody at a newcomer's place of
// whom nothing is the scan's: then the place is not the newcomer's.
func (s *scanner) somebodyElse(ctx context.Context, o *check.Object, as *check.Person) bool {
	r := o.Resource
	if r.Read == nil {
		return false
	}
	a, ok := s.request(r.Read, o, as)
	if !ok {
		return false
	}
	x := s.send(ctx, a, r.Read.Name)
	return check.Succeeded(x) && !check.Contains(x, s.markSeed)
}

// Undone is what came of cleaning up after a scan.
type Undone struct {
	Done   int
	Failed []string
	// Left are things of the scan's that nobody who asked may take away.
	Left []string
}

// CleanUp undoes what the journal of a scan that was broken off remembers.
func CleanUp(ctx context.Context, o Options) (*Undone, error) {
	left, err := readJournal(o.Journal)
	if err != nil {
		return nil, fmt.Errorf("scan: journal: %w", err)
	}
	journal := o.Journal
	o.Journal = ""
	s, err := begin(ctx, o)
	if err != nil {
		return nil, err
	}
	defer s.client.Close()
	defer s.upgrades.Close()
	defer s.listener.close()
	if err := s.chart(); err != nil {
		return nil, err
	}
	if err := s.introduce(); err != nil {
		return nil, err
	}
	s.quiet = true
	by := map[string]*check.Person{}
	for _, p := range s.trial.People {
		by[p.Name] = p
	}
	out := &Undone{}
	var seeks []entry
	told, err := os.OpenFile(journal, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("scan: journal: %w", err)
	}
	defer told.Close()
	settle := func(e entry) { // a second time nothing is done twice
		if line, err := json.Marshal(entry{N: e.N, Done: true}); err == nil {
			told.Write(append(line, '\n'))
		}
	}
	for _, e := range left {
		if e.Among != "" {
			seeks = append(seeks, e)
			continue
		}
		if e.Person != nil {
			p := &check.Person{Name: e.Person["name"], Spare: true, Field: e.Person["field"], Token: identity.Secret(e.Person["token"]), Facts: map[string]string{}}
			switch {
			case strings.EqualFold(p.Field, "Authorization"):
				s.auth[p] = identity.NewBearer(p.Token)
			default:
				if a, err := identity.NewAPIKey("header", p.Field, p.Token); err == nil {
					s.auth[p] = a
				}
			}
			by[p.Name] = p
			continue
		}
		if e.Target != s.base {
			out.Failed = append(out.Failed, e.Method+" "+e.Path+" is of "+e.Target)
			continue
		}
		if why := s.notOurs(e, by[e.As]); why != "" {
			out.Failed = append(out.Failed, e.Method+" "+e.Path+" "+why)
			continue
		}
		ok, refused, other := false, false, false
		for i, p := range append([]*check.Person{by[e.As]}, s.trial.People...) {
			if p == nil && e.As != "nobody" {
				continue
			}
			if i > 0 && e.Method != "DELETE" {
				break // what one changed, nobody else puts back: it would be theirs
			}
			x := s.send(ctx, &check.Ask{As: p, Method: e.Method, Target: e.Path, Header: e.Header, Body: e.Body}, "")
			if st := check.StatusOf(x); check.Succeeded(x) || st == 404 || st == 410 {
				ok = true
				break
			} else if st == 401 || st == 403 || st == 405 {
				refused = true
			} else {
				other = true
			}
		}
		switch {
		case ok:
			out.Done++
			settle(e)
		case refused && !other: // nobody who asks may, and trying again changes nothing
			out.Left = append(out.Left, e.Path)
			settle(e)
		default:
			out.Failed = append(out.Failed, e.Method+" "+e.Path)
		}
	}
	for _, e := range seeks {
		if e.Target == s.base {
			s.sweep(e, by, out)
		}
	}
	return out, nil
}

// notOurs says why what an entry is about is not to be touched: another thing may
// have its name by now, on a server that was set up anew.
func (s *scanner) notOurs(e entry, as *check.Person) string {
	if !strings.HasPrefix(e.Path, "/") {
		return "is no path"
	}
	if e.Method != "DELETE" || e.Seed == "" {
		return ""
	}
	for _, p := range append([]*check.Person{as}, s.trial.People...) {
		x := s.send(s.ctx, &check.Ask{As: p, Method: "GET", Target: pathOf(e.Path)}, "")
		switch {
		case check.Contains(x, e.Seed):
			return ""
		case check.Succeeded(x):
			return "has nothing of the scan's in it"
		}
	}
	return ""
}
