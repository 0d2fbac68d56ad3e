// Package tools pins the programs that tests of this checkout run and that no
// distribution packs. `make deps` builds them into bin/. It is a module of its
// own so that what they need stays out of ours.
package tools
