package jsonscan

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
)

// A Program is a compiled schema with its policy and captures. It is not
// changed by Scan and is safe for concurrent use.
type Program struct {
	schemas  []code
	captures [][]token
	closed   bool
	policy   bool // something to look for besides validity
	judges   bool // there is a schema
}

// absent is a schema that is not there; never accepts nothing.
const absent = int32(-1)

// A code is a Schema made flat: other schemas are numbers, words are
// precomputed, and what is not there costs one test.
type code struct {
	types  uint8 // by kind, with bit 6 for integers; 0: all
	never  bool
	nullOK bool
	only   bool // Check decides on validity
	simple bool // no other schema speaks of the same value
	policy bool // it or a schema below it has something for policy
	shared bool // there are several ways to it, perhaps from itself
	hasNum bool
	hasStr bool
	hasArr bool
	hasObj bool
	check  func([]byte) string

	enum    *enumRule
	num     *numberRules
	str     *textRules
	arr     *arrayRules
	obj     *objectRules
	inPlace *inPlace
}

type arrayRules struct {
	min, max                 int
	prefix                   []int32
	rest                     int32
	contains                 int32
	minContains, maxContains int
	unique                   bool
	unevaluated              int32
}

type objectRules struct {
	min, max    int
	slots       []uint16 // numbers of entries plus one, by hash
	mask        uint32
	entries     []entry
	declares    bool // `properties` with at least one name
	patterns    []patternEntry
	additional  entry // schema absent: nothing said
	hasAddition bool
	required    []string
	names       int32
	dependent   []dependent
	unevaluated int32
	depSchemas  []depSchema
}

// An entry is what a schema says of one name.
type entry struct {
	name      string
	hash      uint32
	declared  bool
	required  bool
	readOnly  bool
	writeOnly bool
	flagged   bool // one of readOnly, writeOnly, mark
	mark      int
	schema    int32
}

type patternEntry struct {
	match Pattern
	entry
}

type dependent struct {
	name  string
	hash  uint32
	needs []string
}

type depSchema struct {
	name   string
	hash   uint32
	schema int32
}

type inPlace struct {
	all, any, one           []int32
	not, cond, then, orElse int32
}

type token struct {
	name string
	hash uint32
	item int // as an index; -1: none
	any  bool
}

// Compile makes a program of a schema. A nil schema makes one that only
// captures. It is an error when a schema would have to judge one value
// forever, or holds what is not JSON.
func Compile(s *Schema, o Options) (*Program, error) {
	p := &Program{closed: o.Closed}
	for _, c := range o.Captures {
		t, err := parsePointer(c)
		if err != nil {
			return nil, err
		}
		p.captures = append(p.captures, t)
	}
	if s == nil {
		return p, nil
	}
	c := compiler{numbers: map[*Schema]int32{}}
	c.number(s)
	for i := 0; i < len(c.order); i++ { // grows while it is read
		if err := c.compile(i); err != nil {
			return nil, err
		}
	}
	p.schemas, p.judges = c.codes, true
	if err := c.loops(); err != nil {
		return nil, err
	}
	c.markShared()
	c.markPolicy(o.Closed)
	p.policy = p.schemas[0].policy
	return p, nil
}

func parsePointer(s string) ([]token, error) {
	if s == "" {
		return nil, nil
	}
	if s[0] != '/' {
		return nil, fmt.Errorf("jsonscan: capture %q: not a JSON Pointer", s)
	}
	var ts []token
	for _, part := range splitPointer(s[1:]) {
		name := []byte{}
		for i := 0; i < len(part); i++ {
			b := part[i]
			if b == '~' {
				if i++; i >= len(part) || part[i] != '0' && part[i] != '1' {
					return nil, fmt.Errorf("jsonscan: capture %q: bad escape", s)
				}
				b = '~'
				if part[i] == '1' {
					b = '/'
				}
			}
			name = append(name, b)
		}
		t := token{name: string(name), hash: hashBytes(name), item: -1, any: part == "-"}
		if n, err := strconv.Atoi(part); err == nil && n >= 0 && strconv.Itoa(n) == part {
			t.item = n
		}
		ts = append(ts, t)
	}
	return ts, nil
}

func splitPointer(s string) []string {
	var parts []string
	from := 0
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == '/' {
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return parts
}

type compiler struct {
	numbers map[*Schema]int32
	order   []*Schema
	codes   []code
}

// number gives s its place; nil is absent.
func (c *compiler) number(s *Schema) int32 {
	if s == nil {
		return absent
	}
	if n, ok := c.numbers[s]; ok {
		return n
	}
	n := int32(len(c.order))
	c.numbers[s] = n
	c.order = append(c.order, s)
	c.codes = append(c.codes, code{})
	return n
}

func (c *compiler) all(ss []*Schema) []int32 {
	var ns []int32
	for _, s := range ss {
		ns = append(ns, c.number(s))
	}
	return ns
}

func bound(p *int, absent int) int {
	if p == nil {
		return absent
	}
	return *p
}

func (c *compiler) compile(i int) error {
	s := c.order[i]
	var k code
	var err error
	k.never, k.nullOK, k.types = s.Never, s.NullOK, uint8(s.Types)
	k.check, k.only = s.Check, s.Check != nil
	if s.Enum != nil {
		if k.enum, err = newEnumRule(s.Enum, s.Const); err != nil {
			return err
		}
	}
	if k.num, err = newNumberRules(s); err != nil {
		return err
	}
	k.hasNum = k.num != nil
	if k.str, err = newTextRules(s); err != nil {
		return err
	}
	k.hasStr = k.str != nil
	if s.MinItems != nil || s.MaxItems != nil || s.Prefix != nil || s.Items != nil || s.Contains != nil || s.Unique || s.UnevaluatedItems != nil {
		k.hasArr = true
		k.arr = &arrayRules{
			min: bound(s.MinItems, 0), max: bound(s.MaxItems, -1),
			prefix: c.all(s.Prefix), rest: c.number(s.Items),
			contains: c.number(s.Contains), minContains: bound(s.MinContains, 1), maxContains: bound(s.MaxContains, -1),
			unique: s.Unique, unevaluated: c.number(s.UnevaluatedItems),
		}
	}
	if s.MinProperties != nil || s.MaxProperties != nil || s.Properties != nil || s.PatternProperties != nil || s.Additional != nil ||
		len(s.Required) > 0 || s.Marks != nil || s.PropertyNames != nil || s.DependentRequired != nil || s.DependentSchemas != nil || s.UnevaluatedProperties != nil {
		k.hasObj = true
		if k.obj, err = c.members(s); err != nil {
			return err
		}
	}
	if s.AllOf != nil || s.AnyOf != nil || s.OneOf != nil || s.Not != nil || s.If != nil {
		k.inPlace = &inPlace{
			all: c.all(s.AllOf), any: c.all(s.AnyOf), one: c.all(s.OneOf), not: c.number(s.Not),
			cond: c.number(s.If), then: c.number(s.Then), orElse: c.number(s.Else),
		}
	}
	k.simple = k.inPlace == nil && s.DependentSchemas == nil && s.UnevaluatedItems == nil && s.UnevaluatedProperties == nil && s.Contains == nil && !k.only
	c.codes[i] = k
	return nil
}

func (c *compiler) entry(name string, m Member) entry {
	sub := m.Schema
	n := absent
	if sub != nil {
		n = c.number(sub)
	}
	return entry{
		name: name, hash: hashBytes([]byte(name)), declared: true, schema: n,
		readOnly: m.ReadOnly, writeOnly: m.WriteOnly, mark: m.Mark, flagged: m.ReadOnly || m.WriteOnly || m.Mark != 0,
	}
}

func (c *compiler) members(s *Schema) (*objectRules, error) {
	o := &objectRules{
		min: bound(s.MinProperties, 0), max: bound(s.MaxProperties, -1), declares: len(s.Properties) > 0,
		names: c.number(s.PropertyNames), unevaluated: c.number(s.UnevaluatedProperties),
	}
	at := map[string]int{}
	for _, name := range sorted(s.Properties) {
		at[name] = len(o.entries)
		o.entries = append(o.entries, c.entry(name, s.Properties[name]))
	}
	for _, name := range s.Required {
		if i, ok := at[name]; ok {
			if o.entries[i].required {
				continue // said twice
			}
			o.entries[i].required = true
		} else {
			at[name] = len(o.entries)
			o.entries = append(o.entries, entry{name: name, hash: hashBytes([]byte(name)), required: true, schema: absent})
		}
		o.required = append(o.required, name)
	}
	for _, name := range sorted(s.Marks) {
		i, ok := at[name]
		if !ok {
			i = len(o.entries)
			o.entries = append(o.entries, entry{name: name, hash: hashBytes([]byte(name)), schema: absent})
		}
		o.entries[i].mark, o.entries[i].flagged = s.Marks[name], true
	}
	if len(o.entries) > 30_000 {
		return nil, errors.New("jsonscan: more than 30000 members in one schema")
	}
	if n := len(o.entries); n > 0 {
		size := 1 << bits.Len(uint(n*2))
		o.slots, o.mask = make([]uint16, size), uint32(size-1)
		for i, e := range o.entries {
			slot := e.hash & o.mask
			for o.slots[slot] != 0 {
				slot = (slot + 1) & o.mask
			}
			o.slots[slot] = uint16(i + 1)
		}
	}
	for _, pm := range s.PatternProperties {
		o.patterns = append(o.patterns, patternEntry{match: pm.Match, entry: c.entry(pm.Match.Source, pm.Member)})
	}
	if s.Additional != nil {
		o.hasAddition, o.additional = true, c.entry("", *s.Additional)
	}
	for _, name := range sorted(s.DependentRequired) {
		o.dependent = append(o.dependent, dependent{name, hashBytes([]byte(name)), s.DependentRequired[name]})
	}
	for _, name := range sorted(s.DependentSchemas) {
		o.depSchemas = append(o.depSchemas, depSchema{name, hashBytes([]byte(name)), c.number(s.DependentSchemas[name])})
	}
	return o, nil
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// here lists the schemas that k asks about the same value.
func (k *code) here(visit func(int32)) {
	if p := k.inPlace; p != nil {
		for _, list := range [][]int32{p.all, p.any, p.one, {p.not, p.cond, p.then, p.orElse}} {
			for _, n := range list {
				if n >= 0 {
					visit(n)
				}
			}
		}
	}
	if k.obj != nil {
		for _, d := range k.obj.depSchemas {
			visit(d.schema)
		}
	}
}

// below lists the schemas that k asks about parts of the value.
func (k *code) below(visit func(int32)) {
	give := func(n int32) {
		if n >= 0 {
			visit(n)
		}
	}
	if a := k.arr; a != nil {
		for _, n := range a.prefix {
			give(n)
		}
		give(a.rest)
		give(a.contains)
		give(a.unevaluated)
	}
	if o := k.obj; o != nil {
		for i := range o.entries {
			give(o.entries[i].schema)
		}
		for i := range o.patterns {
			give(o.patterns[i].schema)
		}
		if o.hasAddition {
			give(o.additional.schema)
		}
		give(o.names)
		give(o.unevaluated)
	}
}

// loops finds a schema that leads back to itself without going down into the
// value: no document could be judged by it.
func (c *compiler) loops() error {
	state := make([]uint8, len(c.codes)) // 1 being visited, 2 done
	var visit func(n int32) error
	visit = func(n int32) error {
		state[n] = 1
		var err error
		c.codes[n].here(func(m int32) {
			switch {
			case err != nil || state[m] == 2:
			case state[m] == 1:
				err = errors.New("jsonscan: a schema refers to itself without end")
			default:
				err = visit(m)
			}
		})
		state[n] = 2
		return err
	}
	for n := range c.codes {
		if state[n] == 0 {
			if err := visit(int32(n)); err != nil {
				return err
			}
		}
	}
	return nil
}

// markShared finds the schemas that several others ask, or that can meet
// themselves further down: only those can be asked the same question often.
func (c *compiler) markShared() {
	ways := make([]int, len(c.codes))
	for n := range c.codes {
		c.codes[n].here(func(m int32) { ways[m]++ })
		c.codes[n].below(func(m int32) { ways[m]++ })
	}
	for n := range c.codes {
		c.codes[n].shared = ways[n] > 1
	}

	// Every cycle that the root leads to is entered somewhere: at a schema with
	// two ways to it, or at the root itself.
	c.codes[0].shared = c.codes[0].shared || ways[0] > 0
}

// markPolicy finds the schemas with something to report besides validity.
func (c *compiler) markPolicy(closed bool) {
	for n := range c.codes {
		o := c.codes[n].obj
		if o == nil {
			continue
		}
		flagged := o.hasAddition && o.additional.flagged
		for i := range o.entries {
			flagged = flagged || o.entries[i].flagged
		}
		for i := range o.patterns {
			flagged = flagged || o.patterns[i].flagged
		}
		forbids := o.hasAddition && c.never(o.additional.schema) || c.never(o.unevaluated)
		c.codes[n].policy = flagged || closed && (o.declares || forbids)
	}
	for changed := true; changed; {
		changed = false
		for n := range c.codes {
			k := &c.codes[n]
			if k.policy {
				continue
			}
			arrow := func(m int32) { k.policy = k.policy || c.codes[m].policy }
			k.here(arrow)
			k.below(arrow)
			changed = changed || k.policy
		}
	}
}

func (c *compiler) never(n int32) bool { return n >= 0 && c.codes[n].never }
