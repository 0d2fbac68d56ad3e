//go:build !unix

package call

// nothingToRead cannot be found out here; a connection that turns out to be
// closed is made again.
func nothingToRead(uintptr) bool { return true }
