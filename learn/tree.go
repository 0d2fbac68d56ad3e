package learn

// maxSiblings is how many different words may stand at one place of a path:
// with more they are values.
const maxSiblings = 200

// maxCells is how many methods on paths are kept apart.
const maxCells = 4000

// A node is a place in the tree of all paths that were answered with success.
type node struct {
	words map[string]*node // by the segment as it is
	value *node            // what stands there is a value
	cells map[string]*cell // by method, for the path that ends here
	hints map[string]bool  // names that somebody gave the value here
	fixed bool             // the description says that it is this word
	// crowded: there were too many words, so all are values.
	crowded bool
}

func newNode() *node { return &node{} }

// step is a segment as the tree sorts it.
type step struct {
	word  string
	value bool
	hint  string
	fixed bool
}

// steps sorts segments by what they are by themselves.
func steps(segments []string) []step {
	out := make([]step, len(segments))
	for i, s := range segments {
		name, given := placeholder(s)
		out[i] = step{word: s, value: given || valueLike(s), hint: name}
	}
	return out
}

// at walks to the end of a path. It returns nil when there is no room.
func (l *Learner) at(path []step) *node {
	n := l.root
	for _, s := range path {
		if s.value || n.crowded && !s.fixed {
			if n.value == nil {
				n.value = newNode()
			}
			n = n.value
			if s.hint != "" {
				if n.hints == nil {
					n.hints = map[string]bool{}
				}
				if len(n.hints) < 8 {
					n.hints[s.hint] = true
				}
			}
			continue
		}
		next := n.words[s.word]
		if next == nil {
			if n.words == nil {
				n.words = map[string]*node{}
			}
			if l.nodes >= maxNodes {
				l.left.paths++
				return nil
			}
			l.nodes++
			next = newNode()
			n.words[s.word] = next
			if len(n.words) > maxSiblings && !s.fixed {
				l.crowd(n)
				next = n.value
			}
		}
		next.fixed = next.fixed || s.fixed
		n = next
	}
	return n
}

// maxNodes bounds the tree as a whole.
const maxNodes = 20_000

// crowd makes all words at a place values.
func (l *Learner) crowd(n *node) {
	n.crowded = true
	if n.value == nil {
		n.value = newNode()
	}
	for w, child := range n.words {
		if !child.fixed {
			l.mergeNode(n.value, child)
			delete(n.words, w)
		}
	}
}

func (l *Learner) mergeNode(to, from *node) {
	for h := range from.hints {
		if to.hints == nil {
			to.hints = map[string]bool{}
		}
		to.hints[h] = true
	}
	for m, c := range from.cells {
		if to.cells == nil {
			to.cells = map[string]*cell{}
		}
		if to.cells[m] == nil {
			to.cells[m] = newCell()
		}
		l.shapes.mergeCell(to.cells[m], c)
	}
	if from.value != nil {
		if to.value == nil {
			to.value = newNode()
		}
		l.mergeNode(to.value, from.value)
	}
	to.crowded = to.crowded || from.crowded
	for w, child := range from.words {
		if to.crowded && !child.fixed {
			if to.value == nil {
				to.value = newNode()
			}
			l.mergeNode(to.value, child)
			continue
		}
		if to.words == nil {
			to.words = map[string]*node{}
		}
		if to.words[w] == nil {
			to.words[w] = newNode()
		}
		to.words[w].fixed = to.words[w].fixed || child.fixed
		l.mergeNode(to.words[w], child)
	}
	if len(to.words) > maxSiblings {
		l.crowd(to)
	}
}
