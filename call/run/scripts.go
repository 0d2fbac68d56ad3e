package run

import (
	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call/script"
)

// Scripts is the engine that runs the programs of a collection. Package script
// has it, and the types that both sides share: script.Program, script.Event.
//
// The runner compiles each script of a collection once, before the first
// request, and runs it whenever its turn comes: the scripts "prerequest" of the
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
