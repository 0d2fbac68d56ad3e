package guard

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// maxObjects bounds the bytes of all objects that a rehearsal knows.
const maxObjects = 128 << 20

// objects are what the traffic shows of those objects that rules have to see
// before a request goes in: the answers to their GET, by whomever it was asked.
type objects struct {
	of    map[*contract.Operation]bool // the GETs that rules are answered with
	known map[string][]version
	left  int64
}

// A version is an object as it was at a time.
type version struct {
	at    time.Time
	reply *exchange.Response
}

func newObjects(k *contract.Contract) *objects {
	o := &objects{of: map[*contract.Operation]bool{}, known: map[string][]version{}, left: maxObjects}
	for _, op := range k.Operations {
		for _, r := range op.Rules {
			if r.Phase == contract.OnObject && op.Preread != nil {
				o.of[op.Preread] = true
			}
		}
	}
	return o
}

func (o *objects) wants(get *contract.Operation) bool { return o.of[get] }

// objectKey is what guard would have asked for: the host, the path, and what
// the GET takes of the query.
func objectKey(get *contract.Operation, q *exchange.Request) string {
	return strings.ToLower(q.Authority) + q.Path() + "?" + get.QueryOf(q.Query())
}

// add keeps an answer to the GET. One that says what the one before it says
// adds nothing.
func (o *objects) add(get *contract.Operation, x *exchange.Exchange, p *exchange.Response) {
	key := objectKey(get, &x.Request)
	vs := o.known[key]
	if n := len(vs); n > 0 && !vs[n-1].at.After(x.Start) && bytes.Equal(vs[n-1].reply.Body.Data, p.Body.Data) {
		return
	}
	if o.left -= int64(len(p.Body.Data)) + 256; o.left < 0 {
		return
	}
	kept := &exchange.Response{Status: p.Status, Header: exchange.Header{{Name: "Content-Type", Value: strings.Clone(p.Header.Get("Content-Type"))}},
		Body: exchange.Body{Size: p.Body.Size, Data: bytes.Clone(p.Body.Data)}}
	vs = append(vs, version{x.Start, kept})
	for i := len(vs) - 1; i > 0 && vs[i].at.Before(vs[i-1].at); i-- {
		vs[i], vs[i-1] = vs[i-1], vs[i]
	}
	o.known[key] = vs
}

// find returns the object as it was seen last before a time, or else first
// after it; nil if nobody was shown it.
func (o *objects) find(get *contract.Operation, q *exchange.Request, at time.Time) *exchange.Response {
	vs := o.known[objectKey(get, q)]
	if len(vs) == 0 {
		return nil
	}
	i, same := slices.BinarySearchFunc(vs, at, func(v version, at time.Time) int { return cmp.Compare(v.at.UnixNano(), at.UnixNano()) })
	if !same && i > 0 {
		i--
	}
	return vs[min(i, len(vs)-1)].reply
}
