// Package lab is test servers: forging DNS, good and bad TLS, echo, faulty
// HTTP. Everything listens on random loopback ports and names end in .test, so
// nothing leaves the machine. Tests and cmd/parley only.
package lab
