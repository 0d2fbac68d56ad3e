//go:build !unix

package main

import "io"

// terminalWidth knows no terminals here: 80 columns, no colours.
func terminalWidth(io.Writer) (int, bool) { return 0, false }
