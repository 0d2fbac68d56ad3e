package run

import (
	"fmt"
	"strings"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call/script"
)

// Scripts is the engine that runs the programs of a collection. Package script
// has it, and the types that both sides share: script.Program, script.Event.
//
// The runner compiles each script of the requests that are run once, before the
// first, and runs it whenever its turn comes: the scripts "prerequest" of the
// collection, the folders and the request, outermost first; then, when a
// response came or did not, those "test" in the same order. Each gets the same
// Event, one after the other. With Jobs, iterations run at the same time and so
// may one program, on different events.
type Scripts interface {
	// Compile makes a program of a script. place is "shop.json:12" for messages
	// and stack traces. An error says where the text is wrong; the run goes on
	// without the script, and fails.
	Compile(s archive.Script, place string) (script.Program, error)
}

// A compiledScript is compiled when a request that is run has it.
type compiledScript struct {
	archive.Script
	program script.Program
	place   string
}

// scriptsOf are the scripts of a scope, not compiled yet.
func (p *planner) scriptsOf(file string, scripts []archive.Script) (before, after []*compiledScript) {
	for _, t := range scripts {
		if strings.TrimSpace(t.Text) == "" {
			continue
		}
		s := &compiledScript{Script: t, place: placeIn(file, t.Line)}
		if t.When == "prerequest" {
			before = append(before, s)
		} else {
			after = append(after, s)
		}
	}
	return before, after
}

// compile compiles the scripts of the requests that are run, each once, and
// takes those away that nothing here can run.
func (p *planner) compile() {
	left := map[*compiledScript]bool{}
	ready := func(s *compiledScript) bool {
		if s.program != nil || left[s] {
			return !left[s]
		}
		if p.o.Scripts == nil || s.Language != "" && s.Language != "javascript" {
			left[s] = true
			p.scripts++
			return false
		}
		var err error
		if s.program, err = p.o.Scripts.Compile(s.Script, s.place); err != nil {
			p.problems = append(p.problems, fmt.Sprintf("%s: %v", s.place, err))
			s.program = broken{err}
		}
		p.scripted = true
		return true
	}
	for _, s := range p.steps {
		s.before, s.after = filtered(s.before, ready), filtered(s.after, ready)
	}
}
