// Package parley holds no code. It is where the tests that look at all
// packages at once live; doc/decisions/001-map.md says what they hold true.
package parley
