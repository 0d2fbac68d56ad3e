package identity

// A Secret is a value that must not be shown: it prints as ***. Convert it to
// a string where it is used.
type Secret string

// String returns ***.
func (s Secret) String() string { return "***" }

// GoString returns ***.
func (s Secret) GoString() string { return "***" }

// MarshalText returns ***.
func (s Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }
