package contract

import (
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Where the values of rules come from: the caller, the request, or a span of a
// scanned body.

// getter returns the function that takes the value at a place out of a
// message, or nil for a place that is no value.
func (b *binder) getter(c *chain) func(*Input) ref.Val {
	switch c.root {
	case "caller":
		if len(c.steps) == 0 {
			return nil
		}
		b.usesID = b.usesID || c.steps[0] == "id"
		return callerValue(c)
	case "request":
		b.used.request = true
		return b.requestValue(c)
	case "response":
		b.used.response, b.used.specific = true, true
		list := b.rc.l.replyCaptures(b.o)
		return bodyValue(list, list.slot(pointerOf(c.steps)), c.shape, func(in *Input) *Facts { return in.Reply })
	}
	b.used.object, b.used.specific = true, true
	list := b.rc.l.replyCaptures(b.rc.l.getter(b.o))
	return bodyValue(list, list.slot(pointerOf(c.steps)), c.shape, func(in *Input) *Facts { return in.Object })
}

// presence returns the function that says whether there is a value at a place.
// One that is there but cannot be read counts as there: `!has(x) || x == y`
// must not hold because x was given twice. Where nothing is known of the
// message there is no answer, and the rule is false.
func (b *binder) presence(c *chain, get func(*Input) ref.Val) func(*Input) ref.Val {
	inBody := func(list *captureList, steps []string, facts func(*Input) *Facts) func(*Input) ref.Val {
		slot := list.slot(pointerOf(steps))
		return func(in *Input) ref.Val {
			f := facts(in)
			if f == nil || f.Result.Fault != nil || f.Body == nil || f.Body.captures != list {
				return nil
			}
			return types.Bool(f.captured(list, slot) != nil)
		}
	}
	switch c.root {
	case "response":
		return inBody(b.rc.l.replyCaptures(b.o), c.steps, func(in *Input) *Facts { return in.Reply })
	case "object":
		return inBody(b.rc.l.replyCaptures(b.rc.l.getter(b.o)), c.steps, func(in *Input) *Facts { return in.Object })
	case "request":
		switch {
		case c.steps[0] == "body":
			judged := inBody(b.rc.l.requestCaptures(b.o), c.steps[1:], func(in *Input) *Facts { return in.Body })
			return func(in *Input) ref.Val {
				if in.Body == nil && in.Request != nil && in.Request.Body.Size == 0 && !in.Request.Header.Has("Content-Type") {
					return types.False // no body at all
				}
				return judged(in)
			}
		case c.steps[0] == "header" && len(c.steps) == 2:
			return func(in *Input) ref.Val {
				if in.Request == nil {
					return nil
				}
				return types.Bool(in.Request.Header.Has(c.steps[1]))
			}
		case c.steps[0] == "query":
			return func(in *Input) ref.Val {
				if in.Request == nil {
					return nil
				}
				vs, ok := queryValues(in.Request.Query(), c.steps[1])
				if !ok {
					return nil
				}
				return types.Bool(len(vs) > 0)
			}
		}
	case "caller":
		return func(in *Input) ref.Val { return types.Bool(in.Caller != nil && get(in) != nil) }
	}
	return func(in *Input) ref.Val { return types.Bool(get(in) != nil) }
}

func pointerOf(steps []string) string {
	p := ""
	for _, s := range steps {
		p += "/" + pointerEscapes.Replace(s)
	}
	return p
}

func bodyValue(list *captureList, slot int, s *shape, facts func(*Input) *Facts) func(*Input) ref.Val {
	return func(in *Input) ref.Val { return decodeValue(facts(in).captured(list, slot), s) }
}

func callerValue(c *chain) func(*Input) ref.Val {
	switch c.steps[0] {
	case "id":
		if c.shape.kind == intShape {
			return func(in *Input) ref.Val {
				if in.Caller == nil {
					return nil
				}
				return parseText(string(in.Caller.Subject), oneInt)
			}
		}
		return func(in *Input) ref.Val {
			if in.Caller == nil || in.Caller.Subject == "" {
				return nil
			}
			return types.String(in.Caller.Subject)
		}
	case "name":
		return func(in *Input) ref.Val {
			if in.Caller == nil || in.Caller.Name == "" {
				return nil
			}
			return types.String(in.Caller.Name)
		}
	case "roles":
		return func(in *Input) ref.Val {
			if in.Caller == nil {
				return nil
			}
			return types.NewStringList(types.DefaultTypeAdapter, in.Caller.Roles)
		}
	case "scopes":
		return func(in *Input) ref.Val {
			if in.Caller == nil {
				return nil
			}
			return types.NewStringList(types.DefaultTypeAdapter, in.Caller.Scopes)
		}
	}
	steps := c.steps[1:]
	return func(in *Input) ref.Val {
		if in.Caller == nil {
			return nil
		}
		var v any = in.Caller.Claims
		for _, s := range steps {
			m, ok := v.(map[string]any)
			if !ok {
				return nil
			}
			if v, ok = m[s]; !ok {
				return nil
			}
		}
		return claim(v)
	}
}

func (b *binder) requestValue(c *chain) func(*Input) ref.Val {
	if len(c.steps) == 0 {
		return nil
	}
	switch c.steps[0] {
	case "method":
		return func(in *Input) ref.Val {
			if in.Request == nil {
				return nil
			}
			return types.String(in.Request.Method)
		}
	case "body":
		b.used.specific = true
		list := b.rc.l.requestCaptures(b.o)
		return bodyValue(list, list.slot(pointerOf(c.steps[1:])), c.shape, func(in *Input) *Facts { return in.Body })
	case "header":
		if len(c.steps) == 1 {
			return headerFields
		}
		name := c.steps[1]
		return func(in *Input) ref.Val {
			if in.Request == nil {
				return nil
			}
			// Two lines could be read as either; a rule trusts neither.
			if vs := in.Request.Header.Values(name); len(vs) == 1 {
				return types.String(vs[0])
			}
			return nil
		}
	case "path", "query":
		if len(c.steps) == 1 {
			return nil
		}
		b.used.specific = true
		name, s := c.steps[1], c.shape
		if len(c.steps) > 2 {
			return nil // members of an object in a parameter
		}
		if c.steps[0] == "path" {
			return func(in *Input) ref.Val {
				for i := range in.Params {
					if in.Params[i].Name == name {
						return parseText(in.Params[i].Value, s)
					}
				}
				return nil
			}
		}
		p := b.o.parameter("query", name)
		return func(in *Input) ref.Val {
			if in.Request == nil {
				return nil
			}
			vs, ok := queryValues(in.Request.Query(), name)
			if !ok || len(vs) == 0 {
				return nil
			}
			if s.kind == listShape {
				return parseTexts(p.split(vs), s.elem)
			}
			if len(vs) > 1 {
				return nil // which one the API takes is anybody's guess
			}
			return parseText(vs[0], s)
		}
	}
	return nil
}

func headerFields(in *Input) ref.Val {
	if in.Request == nil {
		return nil
	}
	m := map[string]string{}
	for _, f := range in.Request.Header {
		name := strings.ToLower(f.Name)
		if _, twice := m[name]; !twice {
			m[name] = f.Value
		}
	}
	return types.NewStringStringMap(types.DefaultTypeAdapter, m)
}
