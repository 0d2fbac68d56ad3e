package call

import (
	"fmt"
	"io"
	"sync"

	"github.com/parley-project/parley/exchange"
)

// wastes are where bytes go that are counted and not kept.
var wastes = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

func tooLong(most int64) error {
	return unreadable(fmt.Sprintf("it is longer than %d bytes, and no more is read", most))
}

// keep reads a body, keeps its beginning and counts the rest. A length of -1
// is not known.
func (c *Client) keep(b *exchange.Body, r io.Reader, length int64) error {
	// A length is only a promise: no more than this is set aside for it.
	room := int64(4 << 10)
	if length >= 0 {
		room = min(length, c.o.MaxBody, 1<<20)
	}
	if room > 0 {
		b.Data = make([]byte, 0, room)
	}
	for int64(len(b.Data)) < c.o.MaxBody {
		if len(b.Data) == cap(b.Data) {
			if length == int64(len(b.Data)) {
				return nil
			}
			more := make([]byte, len(b.Data), min(int64(2*cap(b.Data)+4<<10), c.o.MaxBody))
			copy(more, b.Data)
			b.Data = more
		}
		n, err := r.Read(b.Data[len(b.Data):cap(b.Data)])
		b.Data = b.Data[:len(b.Data)+n]
		b.Size = int64(len(b.Data))
		if err == io.EOF {
			if b.Size == 0 {
				b.Data = nil
			}
			return nil
		}
		if err != nil {
			return err
		}
		if b.Size > c.o.MaxTransfer {
			return tooLong(c.o.MaxTransfer)
		}
	}
	waste := wastes.Get().(*[]byte)
	defer wastes.Put(waste)
	for {
		n, err := r.Read(*waste)
		if b.Size += int64(n); b.Size > c.o.MaxTransfer {
			return tooLong(c.o.MaxTransfer)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
