//go:build unix

package gateway

import "syscall"

// nothingToRead reports whether a socket is open and has nothing to say, which
// is the only good news of an idle connection: end of stream means that the
// upstream closed it, and bytes that nobody asked for could only be taken for
// the next answer.
func nothingToRead(fd uintptr) bool {
	var b [1]byte
	_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return err == syscall.EAGAIN
}
