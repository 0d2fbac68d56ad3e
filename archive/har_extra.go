package archive

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/parley-project/parley/exchange"
)

// A harExtra is what stands under _parley in an entry: the facts of an
// exchange that HAR has no words for.
type harExtra struct {
	ID       exchange.ID        `json:"id,omitempty"`
	Source   exchange.Source    `json:"source,omitempty"`
	Side     exchange.Side      `json:"side,omitempty"`
	Links    []exchange.Link    `json:"links,omitempty"`
	DNS      *exchange.DNS      `json:"dns,omitempty"`
	TCP      *exchange.TCP      `json:"tcp,omitempty"`
	TLS      *exchange.TLS      `json:"tls,omitempty"`
	URL      *harURL            `json:"url,omitempty"`
	Request  *harMessage        `json:"request,omitempty"`
	Server   *exchange.Server   `json:"server,omitempty"`
	Response *harMessage        `json:"response,omitempty"`
	Client   *exchange.Client   `json:"client,omitempty"`
	Times    *harExtraTimes     `json:"times,omitempty"`
	Failure  string             `json:"failure,omitempty"`
	FailedAt exchange.Step      `json:"failed_at,omitzero"`
	Findings []exchange.Finding `json:"findings,omitempty"`
	Actions  []exchange.Action  `json:"actions,omitempty"`

	// Of a collection: what the item is called, and what was written, when
	// that says more than what a HAR holds.
	Name  string   `json:"name,omitempty"`
	Asked *Request `json:"asked,omitempty"`
	// Again is true for what was recorded of the item before once more.
	Again bool `json:"again,omitempty"`
	// Unsent is true for a request that was never sent.
	Unsent bool `json:"unsent,omitempty"`
}

// A harURL is a request's target that its URL does not tell: "*", or host and
// port alone.
type harURL struct {
	Scheme    string `json:"scheme"`
	Authority string `json:"authority"`
	Target    string `json:"target"`
}

type harExtraTimes struct {
	Decide time.Duration `json:"decide,omitempty"`
	Total  time.Duration `json:"total,omitempty"`
}

// A harMessage is the rest of a request or response.
type harMessage struct {
	Proto    string            `json:"proto,omitempty"`
	Fidelity exchange.Fidelity `json:"fidelity,omitempty"`
	Trailer  exchange.Header   `json:"trailer,omitempty"`
	Interim  []int             `json:"interim,omitempty"`
	// Body is what was transferred, when the text beside it is another:
	// because it was unpacked for reading, or is no text.
	Body []byte `json:"body,omitempty"`
	// Size is that of the whole body when not all of it is here.
	Size *int64 `json:"size,omitempty"`
}

// extraOf is what the HAR fields of x leave out.
func extraOf(x *exchange.Exchange) *harExtra {
	e := &harExtra{
		ID: x.ID, Source: x.Source, Side: x.Side, Links: x.Links, DNS: x.DNS, TCP: x.TCP, TLS: x.TLS,
		Client: x.Client, Failure: x.Failure, FailedAt: x.FailedAt, Findings: x.Findings, Actions: x.Actions,
	}
	r := &x.Request
	if scheme, authority, target := splitURL(r.URL()); scheme != r.Scheme || authority != r.Authority || target != r.Target {
		e.URL = &harURL{r.Scheme, r.Authority, r.Target}
	}
	if s := x.Server; s.Caller != nil || s.Credential != nil || s.Operation != "" || s.Mode != "" || s.Timing != nil {
		e.Server = &s
	}
	e.Request = messageOf(r.Proto, r.Fidelity, r.Body, nil, nil)
	if p := x.Response; p != nil {
		e.Response = messageOf(p.Proto, p.Fidelity, p.Body, p.Trailer, p.Interim)
		if plain, ok := unpacked(p.Body, p.Header); ok && string(plain) != string(p.Body.Data) {
			e.Response.Body = p.Body.Data
		}
	}
	if t := x.Times; t.Decide != 0 || t.Total != 0 && t.Total != harTotal(t) {
		e.Times = &harExtraTimes{t.Decide, t.Total}
	}
	return e
}

func messageOf(proto string, f exchange.Fidelity, b exchange.Body, trailer exchange.Header, interim []int) *harMessage {
	m := &harMessage{Fidelity: f, Trailer: trailer, Interim: interim}
	if harProto(proto) != proto {
		m.Proto = proto
	}
	if !isUTF8(b.Data) {
		m.Body = b.Data
	}
	if !b.Complete() {
		m.Size = &b.Size
	}
	return m
}

// readExtra puts what stands under _parley into x, over what HAR's own fields
// told.
func readExtra(t *tree, x *exchange.Exchange) {
	if !t.is('{') {
		return
	}
	var e harExtra
	if decode(t, &e) != nil {
		return // somebody else's _parley
	}
	if e.ID != "" {
		x.ID = e.ID
	}
	if e.Source != "" {
		// Facts of ours: what HAR's fields say less exactly is left out.
		x.Source, x.TCP, x.TLS = e.Source, e.TCP, e.TLS
	}
	x.Side, x.Links, x.DNS, x.Client = e.Side, e.Links, e.DNS, e.Client
	x.FailedAt, x.Findings, x.Actions = e.FailedAt, e.Findings, e.Actions
	if e.Failure != "" || e.Source != "" {
		x.Failure = e.Failure
	}
	if e.Server != nil {
		x.Server = *e.Server
	}
	if u := e.URL; u != nil {
		x.Request.Scheme, x.Request.Authority, x.Request.Target = u.Scheme, u.Authority, u.Target
	}
	if e.Times != nil {
		x.Times.Decide, x.Times.Total = e.Times.Decide, e.Times.Total
	}
	if m := e.Request; m != nil {
		m.into(&x.Request.Proto, &x.Request.Fidelity, &x.Request.Body)
	}
	if m, p := e.Response, x.Response; m != nil && p != nil {
		m.into(&p.Proto, &p.Fidelity, &p.Body)
		p.Trailer, p.Interim = m.Trailer, m.Interim
	}
}

func (m *harMessage) into(proto *string, f *exchange.Fidelity, b *exchange.Body) {
	if m.Proto != "" {
		*proto = m.Proto
	}
	*f = m.Fidelity
	if m.Body != nil {
		b.Data, b.Size = m.Body, int64(len(m.Body))
	}
	if m.Size != nil {
		b.Size = *m.Size
	}
}

// decode puts a tree into what v points to, as encoding/json does.
func decode(t *tree, v any) error {
	if err := json.Unmarshal([]byte(t.compact()), v); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	return nil
}
