package main

import (
	"fmt"
	"io"
	"os"
)

// progress says on a terminal what is being done, in a line that the next one
// replaces; an empty text clears it. Into a file or a pipe it says nothing.
func progress(w io.Writer, format string, args ...any) {
	f, ok := w.(*os.File)
	if !ok {
		return
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return
	}
	fmt.Fprintf(w, "\r\x1b[K"+format, args...)
}
