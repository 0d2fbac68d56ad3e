// Package trace follows one call from the name lookup to the client.
package trace
