// Package run runs collections: requests in order, with variables, captures
// and expectations on every step of each call.
package run
