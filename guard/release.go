package guard

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/jsonscan"
)

// WantsReply reports whether a response has to be read whole before it may
// leave, judged by its head.
func (c *Call) WantsReply(status int, h exchange.Header) bool {
	op := c.pass.Operation()
	if op == nil || status < 200 || status == 204 || status == 304 || c.Exchange.Request.Method == "HEAD" && !c.asksForObject() {
		return false
	}
	mt := h.MediaType()
	switch {
	case mt == "text/event-stream":
		return false // it has no end to wait for; a rule that needs it refuses its head
	case status >= 400, check.IsJSON(mt):
		return true
	}
	// A reply that was promised as JSON is looked at under any name, or its
	// label would be a way around the filter.
	// So is what was not promised at all, when it has the label of a page.
	r := check.Promised(op, status)
	if r == nil || len(r.Bodies) == 0 {
		return isPage(mt) || c.judgedReply(op)
	}
	return r.Body(mt) == nil || c.judgedReply(op)
}

// isPage reports a label that JSON is commonly sent under by mistake.
func isPage(mt string) bool { return mt == "" || mt == "text/html" || mt == "text/plain" }

// judgedReply reports whether a rule has to see the response.
func (c *Call) judgedReply(op *contract.Operation) bool {
	return slices.ContainsFunc(op.Rules, func(r *contract.Rule) bool { return r.Phase == contract.OnResponse })
}

// asksForObject reports whether a HEAD has to be asked for as a GET, because a
// rule judges the content.
func (c *Call) asksForObject() bool {
	op := c.pass.Operation()
	return op != nil && c.judgedReply(op)
}

// replies bounds what is read of answers. An honest list of some megabytes has
// more members than anybody should send in a request.
var replies = jsonscan.Limits{Members: 1_000_000}

// Release decides on the upstream's response. whole says that its body is
// there in full. It returns what the client gets: the response as it is, a
// changed copy of it, or nil when the refusal is the answer.
func (c *Call) Release(up *exchange.Response, whole bool) (*exchange.Response, *check.Refusal) {
	g, p := c.g, &c.pass
	began := g.o.Now()
	defer func() { c.spent += g.o.Now().Sub(began) }()

	c.Exchange.Response = up
	p.Saw |= check.SawResponse
	op := p.Operation()
	if whole && op != nil && up.Body.Size > 0 {
		b := check.ReplyBody(op, up)
		if check.IsJSON(up.Header.MediaType()) || b != nil && b.JSON() {
			p.Input.Reply = g.scan(b, up.Body.Data, replies)
			p.Saw |= check.SawReply
		}
	}

	wouldBeRefused := len(c.Exchange.Actions) > 0
	for _, ck := range g.release {
		p.Run(ck, ck.Release)
		if p.Refusal != nil && !c.trial.setAside(c) {
			if wouldBeRefused {
				p.Refusal = nil // counted once, where it would have ended
				continue
			}
			if r := c.refuse(p.Refusal); r != nil {
				return nil, r
			}
		}
	}
	if r := c.unreadable(whole); r != nil {
		if r = c.refuse(r); r != nil {
			return nil, r
		}
	}
	if r := c.hide(up); r != nil {
		return nil, r
	}
	c.grantCORS()
	for _, ck := range g.inspect {
		p.Run(ck, ck.Inspect)
	}
	c.Exchange.Findings = append(c.Exchange.Findings, p.Findings()...)

	if len(p.Edits) == 0 {
		return up, nil
	}
	c.Exchange.Actions = slices.Grow(c.Exchange.Actions, len(p.Edits))
	for i := range p.Edits {
		if !p.Edits[i].Quiet {
			c.Exchange.Actions = append(c.Exchange.Actions, p.Edits[i].Action(g.enforce))
		}
	}
	if !g.enforce {
		return up, nil
	}
	return c.apply(up), nil
}

// unreadable refuses a reply that must be filtered and cannot be read: JSON
// that is broken, or coded so that it was not decoded, or something else where
// only JSON was promised. What cannot be filtered does not leave.
func (c *Call) unreadable(whole bool) *check.Refusal {
	p := &c.pass
	r := p.Input.Reply
	switch {
	case !whole || !p.Success():
	case r == nil && p.Response.Body.Size > 0 && c.filtered(p.Response):
		return &check.Refusal{Check: check.ResponseContentType.ID, Status: 502,
			Evidence: check.Header("Content-Type", "is not declared, and cannot be filtered")}
	case r != nil && r.Result.Fault != nil && r.Body != nil && r.Body.Judged:
		return &check.Refusal{Check: check.ResponseSchema.ID, Status: 502,
			Evidence: check.ResponseBody(r.Result.Fault.Pointer, string(r.Result.Fault.Kind))}
	case r != nil && r.Body != nil && r.Body.Judged && anotherKind(r):
		return &check.Refusal{Check: check.ResponseSchema.ID, Status: 502,
			Evidence: check.ResponseBody("", "is not of the type that is declared")}
	}
	return nil
}

// anotherKind reports whether an object came where the contract declares an
// array, or the like: the schema then says nothing of its members, and none of
// them could be filtered.
func anotherKind(r *contract.Facts) bool {
	text := bytes.TrimLeft(r.Raw, " \t\r\n")
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return false
	}
	return slices.ContainsFunc(r.Result.Violations, func(v jsonscan.Violation) bool {
		return v.Kind == jsonscan.Invalid && v.Pointer == "" && v.Keyword == "type"
	})
}

// filtered reports whether a reply has to be JSON, for its members to be
// judged: the contract promises such, and not the type that it has.
func (c *Call) filtered(r *exchange.Response) bool {
	op := c.pass.Operation()
	promised := check.Promised(op, r.Status)
	if promised == nil || promised.Body(r.Header.MediaType()) != nil {
		return false
	}
	for _, b := range promised.Bodies {
		if b.Judged && b.JSON() {
			return true
		}
	}
	return false
}

// hide makes an object that does not exist look like one that is hidden.
func (c *Call) hide(up *exchange.Response) *check.Refusal {
	op := c.pass.Operation()
	if op == nil || op.Public || !op.HideExistence || up.Status != http.StatusNotFound {
		return nil
	}
	ev := check.Status("says the same of what is another's")
	c.Exchange.Actions = append(c.Exchange.Actions, exchange.Action{
		Kind: exchange.Repaired, Check: check.AuthzObject.ID, Enforced: c.g.enforce, Status: up.Status, Evidence: ev,
	})
	if !c.g.enforce {
		return nil
	}
	return &check.Refusal{Check: check.AuthzObject.ID, Status: up.Status, Evidence: ev}
}

// apply makes the response that the client gets: all edits at once, on a copy.
func (c *Call) apply(up *exchange.Response) *exchange.Response {
	out := *up
	out.Header = append(make(exchange.Header, 0, len(up.Header)+len(c.pass.Edits)+1), up.Header...)
	var cuts []jsonscan.Violation
	var masks []int
	problem := 0
	for i := range c.pass.Edits {
		e := &c.pass.Edits[i]
		switch e.Kind {
		case check.EditFieldLine:
			out.Header[e.Index].Value = e.Value
		case check.EditStatus:
			out.Status = e.Status
		case check.EditProblem:
			if problem == 0 {
				problem = e.Status
			}
		case check.EditReword:
			return c.reworded(e)
		case check.EditMaskMember:
			masks = append(masks, e.Index)
		case check.EditCutMember:
			cuts = append(cuts, c.pass.Input.Reply.Result.Violations[e.Index])
		}
	}
	for i := range c.pass.Edits {
		switch e := &c.pass.Edits[i]; e.Kind {
		case check.EditDropHeader:
			out.Header = without(out.Header, e.Name)
		case check.EditSetHeader:
			out.Header = append(without(out.Header, e.Name), exchange.Field{Name: e.Name, Value: e.Value})
		}
	}
	switch {
	case problem != 0:
		out.Status = problem
		body := problemBody(problem, c.Exchange.ID)
		out.Body = exchange.Body{Size: int64(len(body)), Data: body}
		out.Header = append(without(out.Header, "Content-Type"), exchange.Field{Name: "Content-Type", Value: problemType})
		out.Header = without(without(without(out.Header, "Content-Encoding"), "ETag"), "Last-Modified")
	case len(cuts) > 0 || len(masks) > 0:
		body := c.masked(up.Body.Data, masks)
		if len(cuts) > 0 {
			body = jsonscan.Cut(body, cuts)
		}
		out.Body = exchange.Body{Size: int64(len(body)), Data: body}
		out.Header = without(without(out.Header, "ETag"), "Content-Digest")
	default:
		return &out
	}
	out.Header = append(without(out.Header, "Content-Length"),
		exchange.Field{Name: "Content-Length", Value: strconv.FormatInt(out.Body.Size, 10)})
	return &out
}

func without(h exchange.Header, name string) exchange.Header {
	return slices.DeleteFunc(h, func(f exchange.Field) bool {
		return len(f.Name) == len(name) && strings.EqualFold(f.Name, name)
	})
}

// finish hands the exchange, and the upstream's side of it when that differs,
// to the recorder.
func (c *Call) finish(up *exchange.Exchange) {
	g := c.g
	x := c.Exchange
	x.Times.Decide = c.spent
	x.Times.Total = g.o.Now().Sub(x.Start)
	c.watch()
	if g.o.Recorder != nil {
		if c.object != nil {
			x.Links = append(x.Links, exchange.Link{Kind: exchange.Preread, ID: c.object.ID})
			g.o.Recorder.Record(c.object)
		}
		if up != nil {
			x.Links = append(x.Links, exchange.Link{Kind: exchange.Forwarded, ID: up.ID})
			g.o.Recorder.Record(up)
		}
		g.o.Recorder.Record(x)
	}
	if c.held > 0 {
		g.room.left.Add(c.held)
	}
	edits := c.pass.Edits
	clear(edits) // they hold strings of the exchange
	*c = Call{}
	c.pass.Edits = edits[:0]
	g.calls.Put(c)
}
