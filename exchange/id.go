package exchange

import (
	"time"

	"github.com/oklog/ulid/v2"
)

// ID is a ULID: 26 characters that sort by time. The zero value is no ID.
type ID string

// NewID returns an ID for something that began at t. IDs of this process that were
// made in the same millisecond sort in the order they were made.
func NewID(t time.Time) ID {
	return ID(ulid.MustNew(ulid.Timestamp(t), ulid.DefaultEntropy()).String())
}
