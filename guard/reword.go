package guard

import (
	"slices"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// reworded is guard's own answer in the place of the API's, with nothing left
// that would tell the two apart.
func (c *Call) reworded(e *check.Edit) *exchange.Response {
	r := &check.Refusal{Check: e.Check, Status: e.Status}
	if e.Name != "" {
		r.Header = exchange.Header{{Name: e.Name, Value: e.Value}}
	}
	return c.refusalResponse(r)
}

// masked leaves of the values of some members the last four digits. The text
// keeps its length, spaces filling it up, so that what is to be cut out of it
// stands where it stood.
func (c *Call) masked(body []byte, violations []int) []byte {
	if len(violations) == 0 {
		return body
	}
	body = slices.Clone(body)
	for _, i := range violations {
		start, end := check.Value(body, &c.pass.Input.Reply.Result.Violations[i])
		mask(body[start:end])
	}
	return body
}

// mask makes a JSON value XXXX and its last four digits.
func mask(value []byte) {
	last := make([]byte, 0, 4)
	for i := len(value) - 1; i >= 0 && len(last) < 4; i-- {
		if value[i] >= '0' && value[i] <= '9' {
			last = append(last, value[i])
		}
	}
	slices.Reverse(last)
	text := append([]byte(`"XXXX`), last...)
	text = append(text, '"')
	if len(text) > len(value) { // a number of five digits has no room for it
		text = []byte("null")
	}
	n := copy(value, text)
	for ; n < len(value); n++ {
		value[n] = ' '
	}
}
