package main

import (
	"io"
	"os"
)

// colored reports whether colours may be written: on a terminal that has
// them, unless the person said no (https://no-color.org).
func colored(w io.Writer) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	_, ok := terminalWidth(w)
	return ok
}
