package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/parley-project/parley/example/shop"
)

// exits CODE PROGRAM ARGS… runs a program and wants that exit code. Its output
// is there for stdout and stderr as with exec.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if e, ok := err.(*exec.ExitError); ok {
		got = e.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%v: exit code %d, want %d", args[1:], got, want)
	}
}

// taken NAME listens on a port until the script ends, and puts its address
// into $NAME.
func taken(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}

// normal FILE writes what the last program printed to FILE, without what
// differs from run to run: ports, seconds to wait, salts.
func normal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: normal FILE")
	}
	text := ts.ReadFile("stdout")
	for _, v := range []struct{ what, as string }{
		{`localhost:[0-9]+`, "localhost:PORT"},
		{`Retry-After: [0-9]+`, "Retry-After: SECONDS"},
		{`(\$argon2id\$\S*\$)\S+…`, "${1}SALT"},
		{`\(parley\.yaml:[0-9]+\)`, "(parley.yaml:LINE)"},
	} {
		text = regexp.MustCompile(v.what).ReplaceAllString(text, v.as)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// free NAME finds an address that nobody listens on and puts it into $NAME.
func free(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	ts.Check(l.Close())
}

// listens ADDRESS waits until a program in the background answers there.
func listens(ts *testscript.TestScript, neg bool, args []string) {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for range 3000 {
		if c, err := net.Dial("tcp", args[0]); err == nil {
			c.Close()
			return
		}
		<-look.C
	}
	ts.Fatalf("nobody listens on %s", args[0])
}

// appears FILE waits until a program in the background has written a file.
func appears(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: appears FILE")
	}
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for range 3000 {
		if info, err := os.Stat(ts.MkAbs(args[0])); err == nil && info.Size() > 0 {
			return
		}
		<-look.C
	}
	ts.Fatalf("%s was not written", args[0])
}

// shop FLAWS… opens the shop, sound or with flaws, until the script ends. It
// puts its URL into $SHOP, its description into openapi.yaml, and its people's
// tokens into files of their names.
func openShopFor(ts *testscript.TestScript, neg bool, args []string) {
	s, err := shop.New(shop.Options{Flaws: args})
	ts.Check(err)
	server := httptest.NewServer(s.Handler())
	ts.Defer(func() { server.Close(); s.Close() })
	ts.Setenv("SHOP", server.URL)
	ts.Check(os.WriteFile(ts.MkAbs("openapi.yaml"), shop.OpenAPI, 0o600))
	for _, name := range shopPeople {
		token, err := s.Token(name)
		ts.Check(err)
		ts.Setenv(strings.ToUpper(name), token)
		ts.Check(os.WriteFile(ts.MkAbs(name+".txt"), []byte(token), 0o600))
	}
}

// faulty NAME opens a server that is no good: "hangs" answers nothing, "500"
// everything with a failure. It puts its URL into $FAULTY.
func openFaulty(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: faulty hangs|500")
	}
	server := httptest.NewServer(faults[args[0]])
	ts.Defer(func() { server.CloseClientConnections(); server.Close() })
	ts.Setenv("FAULTY", server.URL)
}

// faults are APIs that no scan can learn anything from.
var faults = map[string]http.HandlerFunc{
	"hangs": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	"500": func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "the database is away", http.StatusInternalServerError)
	},
	"hangs later": func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			<-r.Context().Done()
		}
	},
}

// idof FILE NAME puts the ID of the first finding of a scan's result into
// $NAME.
func idOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: idof FILE NAME")
	}
	d, err := readResult(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(d.Findings) == 0 {
		ts.Fatalf("%s has no findings", args[0])
	}
	ts.Setenv(args[1], d.Findings[0].ID)
}
