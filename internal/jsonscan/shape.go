package jsonscan

import (
	"regexp"
	"regexp/syntax"
)

// A shape is a regular expression that needs no machine: anchored at both ends,
// a row of ASCII classes of which at most one varies in length. So are most
// patterns of contracts, postcodes and article numbers, and they are looked at
// for each value.
type shape struct {
	pieces []piece
	// fixed is the length of all pieces but the one that varies.
	fixed int
}

// piece is a class that occurs between min and max times.
type piece struct {
	class    [4]uint64 // a bit for each byte
	min, max int       // max -1: without bound
}

// shapeOf returns the shape of an expression, or nil when it has none.
func shapeOf(re *regexp.Regexp) *shape {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return nil
	}
	if tree.Op != syntax.OpConcat || len(tree.Sub) < 2 || tree.Sub[0].Op != syntax.OpBeginText || tree.Sub[len(tree.Sub)-1].Op != syntax.OpEndText {
		return nil
	}
	s := &shape{}
	varies := false
	for _, sub := range tree.Sub[1 : len(tree.Sub)-1] {
		ps, ok := piecesOf(sub)
		if !ok {
			return nil
		}
		for _, p := range ps {
			if p.min == p.max {
				s.fixed += p.min
			} else if varies {
				return nil
			} else {
				varies = true
			}
		}
		s.pieces = append(s.pieces, ps...)
	}
	return s
}

// piecesOf reads one part of an expression.
func piecesOf(e *syntax.Regexp) ([]piece, bool) {
	switch e.Op {
	case syntax.OpLiteral:
		if e.Flags&syntax.FoldCase != 0 {
			return nil, false
		}
		var ps []piece
		for _, c := range e.Rune {
			if c >= 0x80 {
				return nil, false
			}
			p := piece{min: 1, max: 1}
			p.class[c>>6] |= 1 << (c & 63)
			ps = append(ps, p)
		}
		return ps, true
	case syntax.OpCharClass:
		p := piece{min: 1, max: 1}
		for i := 0; i+1 < len(e.Rune); i += 2 {
			if e.Rune[i+1] >= 0x80 {
				return nil, false
			}
			for c := e.Rune[i]; c <= e.Rune[i+1]; c++ {
				p.class[c>>6] |= 1 << (c & 63)
			}
		}
		return []piece{p}, true
	case syntax.OpRepeat, syntax.OpStar, syntax.OpPlus, syntax.OpQuest:
		if e.Flags&syntax.NonGreedy != 0 {
			return nil, false
		}
		ps, ok := piecesOf(e.Sub[0])
		if !ok || len(ps) != 1 || ps[0].min != 1 || ps[0].max != 1 {
			return nil, false
		}
		switch e.Op {
		case syntax.OpRepeat:
			ps[0].min, ps[0].max = e.Min, e.Max
		case syntax.OpStar:
			ps[0].min, ps[0].max = 0, -1
		case syntax.OpPlus:
			ps[0].max = -1
		case syntax.OpQuest:
			ps[0].min = 0
		}
		return ps, true
	}
	return nil, false
}

// match reports whether the whole of b has the shape.
func (s *shape) match(b []byte) bool {
	rest := len(b) - s.fixed
	if rest < 0 {
		return false
	}
	for i := range s.pieces {
		p := &s.pieces[i]
		n := p.min
		if p.min != p.max {
			if n, rest = rest, 0; n < p.min || p.max >= 0 && n > p.max {
				return false
			}
		}
		for _, c := range b[:n] {
			if p.class[c>>6]&(1<<(c&63)) == 0 {
				return false
			}
		}
		b = b[n:]
	}
	return len(b) == 0
}
