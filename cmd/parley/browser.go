package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"time"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/identity"
)

// openBrowser says where a person can log in, and on a terminal opens a browser
// there. That none opens is no error: the address can be copied.
func openBrowser(stderr io.Writer) func(url string) error {
	return func(url string) error {
		fmt.Fprintf(stderr, "parley: log in: %s\n", url)
		if _, ok := terminalWidth(stderr); !ok {
			return nil
		}
		program, args := browserProgram(runtime.GOOS)
		c := exec.Command(program, append(args, url)...)
		if c.Start() == nil {
			go c.Wait()
		}
		return nil
	}
}

// browserProgram opens a URL in the person's browser.
func browserProgram(system string) (program string, args []string) {
	switch system {
	case "darwin":
		return "open", nil
	case "windows":
		return "rundll32", []string{"url.dll,FileProtocolHandler"}
	}
	return "xdg-open", nil
}

// patience is how long a person may take to log in.
const patience = 5 * time.Minute

// speakAs makes the credential of somebody. Whoever has to log in by hand does
// so now: a call's own time would not be enough.
func speakAs(ctx context.Context, p *identity.Person, c *call.Client, base string, stderr io.Writer) (identity.Auth, error) {
	a, err := call.As(p, c, base, openBrowser(stderr))
	if err != nil || p.OAuth2 == nil || p.OAuth2.Grant != "authorization_code" {
		return a, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return a, call.Ready(ctx, a)
}
