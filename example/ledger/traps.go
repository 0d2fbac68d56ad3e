package ledger

import "github.com/parley-project/parley/example/play"

// Traps lists what is sound here and looks like a flaw.
var Traps = []play.Trap{}
