package main

import (
	"os"
	"runtime/debug"
)

// spendMemory lets a server trade memory for processor time: rubbish is
// collected when the heap has grown fivefold rather than twofold, and as often
// as it takes to stay within half a gigabyte. What the person set in GOGC or
// GOMEMLIMIT stands.
func spendMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(512 << 20)
	}
}

// spareMemory is the opposite, for a command that runs beside others and has
// time to spare: rubbish is collected when the heap has grown by half.
func spareMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}
