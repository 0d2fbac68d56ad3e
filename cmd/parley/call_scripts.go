package main

import (
	calls "github.com/parley-project/parley/call/run"
	"github.com/parley-project/parley/call/script"
)

// callScripts is the engine that runs the scripts of collections.
func callScripts() calls.Scripts { return &script.Engine{} }
