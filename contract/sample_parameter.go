package contract

import (
	"strings"
)

// parameter makes a value for what is sent outside of the body.
func (s *sampler) parameter(x *Sample, c cursor) (SampleValue, bool) {
	p, err := s.r.parameter(c)
	if err != nil || p == nil {
		return SampleValue{}, false
	}
	v := SampleValue{In: p.In, Name: p.Name, Required: p.Required || p.In == "path", Doc: c.get("description").text()}
	schema := c.get("schema")
	explicit := s.examples(c)
	if contents := c.get("content").members(); len(contents) > 0 {
		schema = contents[0].value.get("schema")
		explicit = append(explicit, s.examples(contents[0].value)...)
	} else if !schema.ok() && s.old {
		schema = c
	}
	for i, value := range s.candidates(schema, explicit) {
		pairs := p.spread(value)
		if p.In == "path" && (len(pairs) == 0 || pairs[0].Value == "") {
			continue
		}
		if i == 0 || v.Pairs == nil {
			v.Pairs = pairs
		}
		if x.Operation == nil || s.sound(x, p, pairs) {
			v.Pairs = pairs
			return v, true
		}
	}
	if v.Pairs == nil {
		v.Pairs = []Param{{p.Name, "text"}}
	}
	return v, true
}

// sound reports whether the operation takes the value of one parameter.
func (s *sampler) sound(x *Sample, p *Parameter, pairs []Param) bool {
	one := &Sample{Method: x.Method, Path: x.Path, Values: []SampleValue{{In: p.In, Name: p.Name, Pairs: pairs, Required: true}}}
	r := one.Request()
	var ps []Param
	if p.In == "path" {
		ps = pairs
	}
	for _, f := range x.Operation.CheckParameters(r, ps) {
		if f.In != p.In {
			continue
		}
		if f.Name == p.Name {
			return false
		}
		for _, pair := range pairs {
			if f.Name == pair.Name {
				return false
			}
		}
	}
	return true
}

// spread writes a value as the parameter's style says.
func (p *Parameter) spread(v any) []Param {
	if p.content {
		return []Param{{p.Name, string(jsonText(v))}}
	}
	switch v := v.(type) {
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, plainText(e))
		}
		if p.In == "query" && p.expand {
			var out []Param
			for _, part := range parts {
				out = append(out, Param{p.Name, part})
			}
			return out
		}
		by := ","
		switch p.style {
		case "spaceDelimited":
			by = " "
		case "pipeDelimited":
			by = "|"
		case "tabDelimited":
			by = "\t"
		}
		return []Param{{p.Name, strings.Join(parts, by)}}
	case *sampleObject:
		var out []Param
		var flat []string
		for _, m := range v.members {
			switch {
			case p.style == "deepObject":
				out = append(out, Param{p.Name + "[" + m.name + "]", plainText(m.value)})
			case p.In == "query" && p.expand:
				out = append(out, Param{m.name, plainText(m.value)})
			case p.expand:
				flat = append(flat, m.name+"="+plainText(m.value))
			default:
				flat = append(flat, m.name, plainText(m.value))
			}
		}
		if out != nil || len(v.members) == 0 {
			return out
		}
		return []Param{{p.Name, strings.Join(flat, ",")}}
	}
	return []Param{{p.Name, plainText(v)}}
}

// target fills the path template, and joins the values of the query that use
// says.
func (x *Sample) target(use func(SampleValue) bool) (path, query string) {
	path = x.Path
	var q []string
	for _, v := range x.Values {
		for _, p := range v.Pairs {
			switch v.In {
			case "path":
				path = strings.ReplaceAll(path, "{"+v.Name+"}", Escape(p.Value))
			case "query":
				if use(v) {
					q = append(q, Escape(p.Name)+"="+Escape(p.Value))
				}
			}
		}
	}
	return path, strings.Join(q, "&")
}

// Escape writes a text so that it is one segment of a path, or one name or
// value of a query (RFC 3986, 2.1).
func Escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~:@!$'()*,;", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

// answers collects the examples of responses.
func (s *sampler) answers(x *Sample, op cursor) {
	for _, m := range op.get("responses").members() {
		res, err := s.ds.follow(m.value)
		if err != nil || strings.HasPrefix(m.name, "x-") {
			continue
		}
		if s.old {
			for _, e := range res.get("examples").members() {
				x.Answers = append(x.Answers, SampleAnswer{m.name, e.name, exampleText(e.name, s.plain(e.value))})
			}
			continue
		}
		for _, c := range res.get("content").members() {
			media, err := s.ds.follow(c.value)
			if err != nil {
				continue
			}
			for _, v := range s.examples(media) {
				x.Answers = append(x.Answers, SampleAnswer{m.name, c.name, exampleText(c.name, v)})
			}
		}
	}
}

func exampleText(mt string, v any) []byte {
	if _, isText := v.(string); isText && !IsJSON(mediaType(mt)) {
		return []byte(plainText(v))
	}
	return jsonText(v)
}
