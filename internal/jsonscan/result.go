// Package jsonscan reads JSON bytes once: it validates, finds and drops, and
// allocates nothing while the document is sound.
package jsonscan

// Limits bound what a document may be. The zero value means the defaults.
type Limits struct {
	// Depth is how deep arrays and objects may nest. Zero means 64.
	Depth int
	// Members is how many object members and array items a document may
	// have. Zero means 10,000 members of objects and 1,000,000 items.
	Members int
}

// FaultKind says why bytes are not an acceptable JSON text (RFC 8259), before
// any schema is asked.
type FaultKind string

const (
	Malformed FaultKind = "malformed JSON"
	BadText   FaultKind = "text that is not UTF-8" // lone surrogates included
	Duplicate FaultKind = "duplicate member"
	TooDeep   FaultKind = "nested too deep"
	TooMany   FaultKind = "too many members"
	// TooCostly: judging the text by its schema takes far more steps than its
	// size warrants. It is not judged further and must be refused.
	TooCostly FaultKind = "too costly to judge"
)

// A Fault is the first thing wrong with the text itself.
type Fault struct {
	Kind    FaultKind
	Offset  int    // bytes from the start
	Pointer string // JSON Pointer (RFC 6901) of where it happened
}

func (f *Fault) Error() string { return "jsonscan: " + string(f.Kind) + " at " + f.Pointer }

// ViolationKind says how a sound text breaks the contract.
type ViolationKind uint8

const (
	Invalid    ViolationKind = iota + 1 // a schema keyword failed
	Undeclared                          // a member that the schema does not have
	ReadOnly                            // a member that only responses carry
	WriteOnly                           // a member that only requests carry
	Marked                              // a member that the policy speaks of; see Mark
)

func (k ViolationKind) String() string {
	return [...]string{"", "invalid", "undeclared", "read-only", "write-only", "marked"}[k]
}

// A Violation is one place where the document breaks its contract.
type Violation struct {
	Kind    ViolationKind
	Pointer string // JSON Pointer of the value
	Keyword string // the schema keyword: "type", "required", "maxLength"
	Detail  string // a few words without any value of the document
	// Mark is the number that whoever compiled the program gave to the
	// policy on this member, from 1; 0 when there is none.
	Mark int
	// Start and End are what to cut to remove the member with its comma, or
	// the item; both 0 where nothing can be cut. Cutting several of them from
	// one document, in any combination, leaves JSON.
	Start, End int
}

// A Span is a value found: data[Start:End] is its JSON text. The zero Span
// means that it was not there.
type Span struct{ Start, End int }

// Found reports whether the value was there.
func (s Span) Found() bool { return s.End > s.Start }

// A Result is what one scan found. It may be used again: Scan resets it.
type Result struct {
	// Fault is nil when the text is acceptable; all else is then complete.
	Fault *Fault
	// Violations, at most 64; More reports whether there were others.
	// Undeclared, ReadOnly, WriteOnly and Marked ones are never left out for
	// want of room: a document with more than 10,000 of them is a Fault.
	Violations []Violation
	More       bool
	// Captures holds, for each place that the program was told to capture,
	// the value found there (the first, if an array holds several).
	Captures []Span
}
