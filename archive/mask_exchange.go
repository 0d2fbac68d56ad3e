package archive

import (
	"slices"

	"github.com/parley-project/parley/exchange"
)

// exchange returns a copy without secrets.
func (h *hider) exchange(x *exchange.Exchange) *exchange.Exchange {
	c := *x
	c.Request.Header = slices.Clone(x.Request.Header)
	if x.Response != nil {
		p := *x.Response
		p.Header, p.Trailer = slices.Clone(p.Header), slices.Clone(p.Trailer)
		c.Response = &p
	}
	if h.sweeping == nil {
		h.m.Mask(&c)
		for i, f := range c.Request.Header {
			h.note(x.Request.Header[i].Value, f.Value)
		}
		h.note(x.Request.Target, c.Request.Target)
		h.note(string(x.Request.Body.Data), string(c.Request.Body.Data))
		if p := x.Response; p != nil {
			for i, f := range c.Response.Header {
				h.note(p.Header[i].Value, f.Value)
			}
			h.note(string(p.Body.Data), string(c.Response.Body.Data))
		}
		h.each(&c, func(s string) string {
			return issued.ReplaceAllStringFunc(h.userOnly(s), func(t string) string { return h.text(textSecret, "", t) })
		})
		return &c
	}
	h.each(&c, h.sweeping.Replace)
	return &c
}

// each changes the texts of an exchange that is ours to change.
func (h *hider) each(x *exchange.Exchange, f func(string) string) {
	r := &x.Request
	r.Authority, r.Target, x.Failure = f(r.Authority), f(r.Target), f(x.Failure)
	lines := func(hs exchange.Header) {
		for i := range hs {
			hs[i].Value = f(hs[i].Value)
		}
	}
	content := func(b *exchange.Body) {
		if len(b.Data) == 0 {
			return
		}
		if h.sweeping != nil && (b.Data[0] == 0x1f || b.Data[0] == 0x78) { // packed, perhaps
			if out, ok := h.content("", b.Data); ok {
				b.Size += int64(len(out) - len(b.Data))
				b.Data = out
				return
			}
		}
		if to := f(string(b.Data)); to != string(b.Data) {
			b.Size += int64(len(to) - len(b.Data))
			b.Data = []byte(to)
		}
	}
	lines(r.Header)
	content(&r.Body)
	if p := x.Response; p != nil {
		lines(p.Header)
		lines(p.Trailer)
		content(&p.Body)
	}
	for i := range x.Findings {
		x.Findings[i].Evidence = slices.Clone(x.Findings[i].Evidence)
		for j := range x.Findings[i].Evidence {
			x.Findings[i].Evidence[j].Says = f(x.Findings[i].Evidence[j].Says)
		}
	}
}
