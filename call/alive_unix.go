//go:build unix

package call

import "syscall"

// nothingToRead reports whether a socket is open and silent. An end of stream
// means that the peer hung up; bytes that came unasked could only be mistaken
// for the next answer.
func nothingToRead(fd uintptr) bool {
	var b [1]byte
	_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return err == syscall.EAGAIN
}
