// Package wire is bytes <-> messages: TLS hellos. It does no I/O.
package wire
