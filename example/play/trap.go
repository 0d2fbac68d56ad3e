package play

// A Trap is sound behaviour that looks like a flaw to whoever looks once, or
// looks at the status alone. It is always on: what judges an example must leave
// it alone.
type Trap struct {
	ID string
	// Title says what is so.
	Title string
	// Check is the ID of the check that it is mistaken for.
	Check string
	// Where is the operation that has it: "GET /v1/reviews/{id}".
	Where string
}
