// Package filter is the one filter language: text to tree to predicate over
// exchanges.
//
// The list, breakpoints, rules, the command line and the store all use it.
//
//	orders                      the word anywhere, upper and lower case alike
//	status>=500 method:POST     both: terms that follow each other are ANDed
//	host:shop OR -path:/v1      AND binds more tightly than OR; - and NOT negate
//	"two words" /ord[er]+s/     quotes; regular expressions (RE2, no white space)
//	status:4xx size>10k time>200ms header.X-Id:7 is:refused
//
// A value that begins and ends with a slash is a regular expression; quote it
// to mean the text. A text without letters beyond ASCII folds ASCII letters
// only, so that "k" does not find the Kelvin sign; any other text folds by
// Unicode's simple folding.
package filter

import (
	"fmt"

	"github.com/parley-project/parley/exchange"
)

// A Node is a part of the tree: And, Or, Not or Term.
type Node interface{ node() }

// And holds when all of its nodes do; without nodes it always holds.
type And []Node

// Or holds when any of its nodes does.
type Or []Node

// Not holds when its node does not.
type Not struct{ Node Node }

// A Term is one question about an exchange.
type Term struct {
	// Key is the word of the language, never an alias; header.NAME has its
	// name in lower case. Empty means anywhere.
	Key string
	Op  Op
	// Value is what was written after the operator, without quotes or slashes.
	Value string
}

func (And) node()  {}
func (Or) node()   {}
func (Not) node()  {}
func (Term) node() {}

// Op is how a term compares.
type Op string

const (
	Has          Op = ":"  // contains, or is, as the key has it
	Is           Op = "="  // is exactly, but for case
	IsNot        Op = "!=" // is not
	Less         Op = "<"
	LessEqual    Op = "<="
	Greater      Op = ">"
	GreaterEqual Op = ">="
	Matches      Op = "~" // the value is a regular expression
)

// Expr is a filter that was read. A nil Expr lets everything through. It is
// safe for concurrent use.
type Expr struct {
	// Root is the tree; And{} when the text was empty.
	Root   Node
	match  pred
	bodies bool
}

type pred func(*exchange.Exchange) bool

// New returns the filter for a tree that was made by hand.
func New(root Node) (*Expr, error) {
	c := compiler{}
	m, err := c.compile(root)
	if err != nil {
		return nil, err
	}
	return &Expr{Root: root, match: m, bodies: c.bodies}, nil
}

// Match reports whether x passes the filter.
func (e *Expr) Match(x *exchange.Exchange) bool { return e == nil || e.match(x) }

// NeedsBodies reports whether the answer may depend on the bodies' data, so
// that a store need not fetch them otherwise.
func (e *Expr) NeedsBodies() bool { return e != nil && e.bodies }

// All reports whether the filter lets everything through without looking.
func (e *Expr) All() bool {
	if e == nil {
		return true
	}
	a, ok := e.Root.(And)
	return ok && len(a) == 0
}

// Error says what is wrong with a filter's text and where.
type Error struct {
	// Column counts characters from 1; 0 when the tree was made by hand.
	Column int
	What   string
	// Hint is what to try instead, or "".
	Hint string
	// values are the only ones allowed, when that is what was wrong.
	values []string
}

func (e *Error) Error() string {
	s := "filter: "
	if e.Column > 0 {
		s += fmt.Sprintf("column %d: ", e.Column)
	}
	s += e.What
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// compiler turns a tree into a predicate.
type compiler struct{ bodies bool }

func (c *compiler) compile(n Node) (pred, error) {
	switch n := n.(type) {
	case And:
		ps, err := c.all(n)
		if err != nil {
			return nil, err
		}
		return func(x *exchange.Exchange) bool {
			for _, p := range ps {
				if !p(x) {
					return false
				}
			}
			return true
		}, nil
	case Or:
		ps, err := c.all(n)
		if err != nil {
			return nil, err
		}
		return func(x *exchange.Exchange) bool {
			for _, p := range ps {
				if p(x) {
					return true
				}
			}
			return false
		}, nil
	case Not:
		p, err := c.compile(n.Node)
		if err != nil {
			return nil, err
		}
		return func(x *exchange.Exchange) bool { return !p(x) }, nil
	case Term:
		f, arg := lookup(n.Key)
		if f == nil {
			return nil, &Error{What: fmt.Sprintf("%q is not a word of the filter language", n.Key), Hint: suggestKey(n.Key)}
		}
		c.bodies = c.bodies || f.bodies
		return f.compile(arg, n.Op, n.Value)
	}
	return nil, &Error{What: fmt.Sprintf("unknown node %T", n)}
}

func (c *compiler) all(ns []Node) ([]pred, error) {
	ps := make([]pred, len(ns))
	for i, n := range ns {
		p, err := c.compile(n)
		if err != nil {
			return nil, err
		}
		ps[i] = p
	}
	return ps, nil
}
