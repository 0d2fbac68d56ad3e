package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/parley-project/parley/archive"
)

// A plan is a collection made ready: requests in their order, each with what
// it inherits; expectations, patterns and scripts compiled once.
type plan struct {
	c        *archive.Collection
	steps    []*step
	warnings []string
	// variables are those of the collection, and of what it includes.
	variables []archive.Variable
	scripted  bool
	problems  []string // scripts that cannot be compiled
}

// A step is one request of a plan.
type step struct {
	item  *archive.Item
	file  string // of the collection that it is in
	own   bool   // in our own format, which is stricter
	style string // the format's name
	dir   string
	path  []string
	auth  *archive.Auth
	// variables are those of the folders and of the item.
	variables []archive.Variable
	before    []*compiledScript
	after     []*compiledScript
	expect    []expectation
	capture   []capture
	needs     []int // indexes of steps
	rows      []map[string]any
}

type capture struct {
	archive.Capture
	fact    archive.Fact
	matches *regexp.Regexp
}

// place is "shop.yaml:12".
func (s *step) place() string {
	return placeIn(s.file, s.item.Line)
}

// placeIn is a line of a file; 0 when nobody knows it.
func placeIn(file string, line int) string {
	if line == 0 {
		return filepath.Base(file)
	}
	return fmt.Sprintf("%s:%d", filepath.Base(file), line)
}

const maxIncludes = 10

// planner makes a plan.
type planner struct {
	*plan
	o       *Options
	scripts int // that were not compiled because there is no engine
}

func newPlan(c *archive.Collection, o *Options) (*plan, error) {
	p := &planner{plan: &plan{c: c}, o: o}
	if err := p.collection(c, nil); err != nil {
		return nil, err
	}
	if o.Folder != "" {
		if err := p.only(o.Folder); err != nil {
			return nil, err
		}
	}
	if o.SafeOnly {
		p.leaveWrites()
	}
	if err := p.linkNeeds(); err != nil {
		return nil, err
	}
	p.compile()
	if p.scripts > 0 {
		p.warnings = append(p.warnings, plural(p.scripts, "script")+" not run")
	}
	return p.plan, nil
}

// inherited is what the scopes above hand down.
type inherited struct {
	path          []string
	auth          *archive.Auth
	variables     []archive.Variable
	before, after []*compiledScript
}

func (p *planner) collection(c *archive.Collection, from []string) error {
	abs, err := filepath.Abs(c.File)
	if err != nil {
		abs = c.File
	}
	if slices.Contains(from, abs) || len(from) >= maxIncludes {
		return &archive.Error{File: c.File, Text: "is included by what it includes", Hint: "includes may not go round in a circle"}
	}
	from = append(from[:len(from):len(from)], abs)
	for _, name := range c.Include {
		file := filepath.Join(filepath.Dir(c.File), name)
		if filepath.IsAbs(name) {
			file = name
		}
		data, err := ReadFile(file)
		if err != nil {
			return &archive.Error{File: c.File, Text: fmt.Sprintf("includes %q, which cannot be read: %v", name, plain(err)), Hint: "its name is relative to the folder of the file that includes it"}
		}
		sub, err := archive.Read(file, data)
		if err != nil {
			return err
		}
		if err := p.collection(sub, from); err != nil {
			return err
		}
	}
	p.warnings = append(p.warnings, c.Warnings...)
	p.variables = append(p.variables, c.Variables...)
	in := inherited{auth: c.Auth}
	in.before, in.after = p.scriptsOf(c.File, c.Scripts)
	return p.items(c, c.Items, in)
}

func plain(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func (p *planner) items(c *archive.Collection, list []*archive.Item, in inherited) error {
	for _, it := range list {
		here := in
		if it.Auth != nil {
			here.auth = it.Auth
		}
		here.variables = append(in.variables[:len(in.variables):len(in.variables)], it.Variables...)
		before, after := p.scriptsOf(c.File, it.Scripts)
		here.before = append(in.before[:len(in.before):len(in.before)], before...)
		here.after = append(in.after[:len(in.after):len(in.after)], after...)
		if it.Request == nil {
			here.path = append(in.path[:len(in.path):len(in.path)], it.Name)
			if err := p.items(c, it.Items, here); err != nil {
				return err
			}
			continue
		}
		if it.Request.Auth != nil {
			here.auth = it.Request.Auth
		}
		s := &step{item: it, file: c.File, style: c.Format, own: c.Format == archive.Parley.Name, dir: filepath.Dir(c.File), path: here.path, auth: here.auth,
			variables: here.variables, before: here.before, after: here.after, rows: it.Rows}
		if it.RowsFile != "" {
			var err error
			if s.rows, err = ReadRows(filepath.Join(s.dir, it.RowsFile)); err != nil {
				return s.errorf(it.Line, "its name is relative to the collection's folder", "rows: %v", err)
			}
		}
		if err := p.conditions(s); err != nil {
			return err
		}
		p.steps = append(p.steps, s)
	}
	return nil
}

func (s *step) errorf(line int, hint, format string, args ...any) error {
	if line == 0 {
		line = s.item.Line
	}
	return &archive.Error{File: s.file, Line: line, Text: fmt.Sprintf(format, args...), Hint: hint}
}

// conditions compiles what is expected and kept.
func (p *planner) conditions(s *step) error {
	for _, e := range s.item.Expect {
		x, hint, err := newExpectation(e)
		if err != nil && s.own {
			return s.errorf(e.Line, hint, "%v", err)
		}
		if err != nil { // of another program: it fails when its turn comes
			x = expectation{Expectation: e, broken: err.Error()}
			s.expect = append(s.expect, x)
			continue
		}
		if t, ok := x.Want.(string); ok && !x.open && x.secret(p.o.Masker) {
			p.o.Masker.Know(t)
		}
		s.expect = append(s.expect, x)
	}
	for _, c := range s.item.Capture {
		f, hint, err := archive.ParseFact(c.Fact)
		if err != nil {
			return s.errorf(c.Line, hint, "%v", err)
		}
		k := capture{Capture: c, fact: f}
		if c.Matches != "" {
			if k.matches, err = regexp.Compile(c.Matches); err != nil {
				return s.errorf(c.Line, "", "%v", err)
			}
		}
		s.capture = append(s.capture, k)
	}
	return nil
}

// linkNeeds finds the requests that others need.
func (p *planner) linkNeeds() error {
	byName := map[string]int{}
	for i, s := range p.steps {
		for _, name := range s.item.Needs {
			n, ok := byName[name]
			if !ok {
				return s.errorf(0, "it must come earlier, here or in an included file", "needs %q, which is no earlier request", name)
			}
			s.needs = append(s.needs, n)
		}
		byName[s.item.Name] = i
	}
	return nil
}
