package main

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// update writes what tests compare with anew: transcripts and generated pages.
var update = flag.Bool("update", false, "write transcripts and generated pages anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"parley": main})
}

// The scripts run the program as a person would.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Deadline:      time.Now().Add(2 * time.Minute), // one that serves by mistake must not hang the run
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "1")
			return os.MkdirAll(e.WorkDir+"/tmp", 0o755)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits, "echoes": echoes, "taken": taken, "appears": appears, "normal": normal,
			"free": free, "listens": listens, "shop": openShopFor, "faulty": openFaulty, "idof": idOf,
		},
	})
}
