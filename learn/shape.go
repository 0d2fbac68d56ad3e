package learn

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
)

// Bounds of what is kept of one body, and of all of them.
const (
	maxBody    = 1 << 20 // bytes of a body that is looked into
	maxDepth   = 16      // how deep
	maxMembers = 150     // names of one object; with more it is a map
	maxWords   = 12      // different values of a string that may be one of a few
	maxShapes  = 60_000  // places in all bodies together
)

// A shape is what was seen at one place of bodies. Adding to it is the same in
// any order, and so is adding one shape to another.
type shape struct {
	nulls, bools, ints, floats, strings, objects, arrays int
	// of numbers
	min float64
	// of strings
	formats formats
	words   map[string]int // nil once there were too many, or one that is no word
	open    bool           // there were such
	luhn    int            // strings and numbers that are numbers of cards
	hashes  int            // password hashes and private keys
	masked  int            // placeholders of secrets
	// of objects and arrays
	members *least[*member]
	items   *shape
}

type member struct {
	count int
	shape *shape
}

// shapes makes shapes until there are too many.
type shapes struct {
	made int
	// left counts places that were not looked at for want of room or depth.
	left int
}

func (b *shapes) fresh() *shape {
	b.made++
	return &shape{min: math.Inf(1), formats: allFormats}
}

// full reports whether no place more is to be kept.
func (b *shapes) full() bool { return b.made >= maxShapes }

// add notes a value.
func (b *shapes) add(s *shape, v any, depth int) {
	switch v := v.(type) {
	case nil:
		s.nulls++
	case bool:
		s.bools++
	case json.Number:
		s.number(string(v))
	case string:
		s.text(v)
	case []any:
		s.arrays++
		if depth >= maxDepth || s.items == nil && b.full() {
			b.left++
			return
		}
		if s.items == nil {
			s.items = b.fresh()
		}
		for _, e := range v {
			b.add(s.items, e, depth+1)
		}
	case map[string]any:
		s.objects++
		if depth >= maxDepth {
			b.left++
			return
		}
		if s.members == nil {
			s.members = newLeast[*member](maxMembers)
		}
		for name, e := range v {
			if m := b.member(s, name); m != nil {
				m.count++
				b.add(m.shape, e, depth+1)
			}
		}
	}
}

func (b *shapes) member(s *shape, name string) *member {
	if len(name) > 200 {
		b.left++
		return nil
	}
	if _, there := s.members.m[name]; !there && b.full() {
		b.left++
		return nil
	}
	m, _ := s.members.at(name, func() *member { return &member{shape: b.fresh()} })
	return m
}

func (s *shape) number(n string) {
	f, err := json.Number(n).Float64()
	if err != nil || strings.ContainsAny(n, ".eE") || math.Abs(f) >= 1<<63 {
		s.floats++
	} else {
		s.ints++
		if cardNumber(n) {
			s.luhn++
		}
	}
	if err == nil {
		s.min = min(s.min, f)
	}
}

func (s *shape) text(v string) {
	s.strings++
	switch {
	case masked(v):
		s.masked++
		s.open = true
		s.words = nil
		return // it says nothing of the value's form
	case cardNumber(v):
		s.luhn++
	case hashLike(v):
		s.hashes++
	}
	if v != "" { // an empty one is of no form, and of any
		s.formats &= formatsOf(v)
	} else {
		s.formats = 0
	}
	if s.open {
		return
	}
	if !word.MatchString(v) {
		s.open, s.words = true, nil
		return
	}
	if s.words == nil {
		s.words = map[string]int{}
	}
	if s.words[v]++; len(s.words) > maxWords {
		s.open, s.words = true, nil
	}
}

// merge adds what another shape holds; o is not changed and shares nothing.
func (b *shapes) merge(s, o *shape) {
	s.nulls += o.nulls
	s.bools += o.bools
	s.ints += o.ints
	s.floats += o.floats
	s.strings += o.strings
	s.objects += o.objects
	s.arrays += o.arrays
	s.min = min(s.min, o.min)
	s.formats &= o.formats
	s.luhn += o.luhn
	s.hashes += o.hashes
	s.masked += o.masked
	if s.open = s.open || o.open; s.open {
		s.words = nil
	}
	for w, n := range o.words {
		if s.open {
			break
		}
		if s.words == nil {
			s.words = map[string]int{}
		}
		if s.words[w] += n; len(s.words) > maxWords {
			s.open, s.words = true, nil
		}
	}
	if o.items != nil {
		if s.items == nil {
			s.items = b.fresh()
		}
		b.merge(s.items, o.items)
	}
	if o.members != nil {
		if s.members == nil {
			s.members = newLeast[*member](maxMembers)
		}
		s.members.over = s.members.over || o.members.over
		for name, om := range o.members.m {
			m, ok := s.members.at(name, func() *member { return &member{shape: b.fresh()} })
			if ok {
				m.count += om.count
				b.merge(m.shape, om.shape)
			}
		}
	}
}

// parse reads a JSON text; ok is false when it is none, or too large.
func parse(data []byte) (v any, ok bool) {
	if len(data) == 0 || len(data) > maxBody {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if d.Decode(&v) != nil || d.More() {
		return nil, false
	}
	return v, true
}

// cardNumber reports whether a text is the number of a payment card: 13 to 19
// digits, in groups or not, that begin as cards' do, with a right check digit
// (ISO/IEC 7812-1).
func cardNumber(s string) bool {
	if len(s) < 13 || len(s) > 23 || s[0] < '2' || s[0] > '6' {
		return false
	}
	sum, n := 0, 0
	for i := len(s) - 1; i >= 0; i-- {
		c := s[i]
		if c == ' ' || c == '-' {
			continue
		}
		if c < '0' || c > '9' {
			return false
		}
		d := int(c - '0')
		if n%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		n++
	}
	return n >= 13 && n <= 19 && sum%10 == 0
}

// hashLike reports whether a text is a password's hash or a private key.
func hashLike(s string) bool {
	for _, p := range []string{"$2a$", "$2b$", "$2y$", "$argon2", "$scrypt$", "$pbkdf2", "$6$", "$5$", "{SSHA}"} {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return strings.Contains(s, "PRIVATE KEY-----")
}
