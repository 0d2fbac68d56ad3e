package contract

import (
	"slices"
	"strings"
)

// read2 reads OpenAPI 2.0, called Swagger then.
func (r *reader) read2(top cursor) error {
	for _, m := range top.get("securityDefinitions").members() {
		r.addScheme(m.name, m.value)
	}
	r.security = top.get("security")
	paths := top.get("paths")
	if err := expect(paths, false, "paths"); err != nil {
		return err
	}
	base := pathOfURL(top.get("basePath").text())
	for _, p := range paths.members() {
		if strings.HasPrefix(p.name, "x-") {
			continue
		}
		item, err := r.ds.follow(p.value)
		if err != nil {
			return err
		}
		if err := expect(item, false, p.name); err != nil {
			return err
		}
		for _, m := range item.members() {
			if !slices.Contains(methods3[:8], m.name) {
				continue
			}
			op := m.value
			if err := expect(op, false, m.name+" "+p.name); err != nil {
				return err
			}
			o, err := r.operation(strings.ToUpper(m.name), p, op, item.get("parameters"))
			if err != nil {
				return err
			}
			if o == nil {
				continue
			}
			if err := r.bodyParameters(o, top, op, item.get("parameters")); err != nil {
				return err
			}
			produces := mediaTypes(op.get("produces"), top.get("produces"))
			read := func(o *Operation, res *Response, c cursor) error {
				schema := c.get("schema")
				if !schema.ok() {
					return nil
				}
				for _, mt := range produces {
					if err := r.responseMedia(o, res, mt, schema, schema); err != nil {
						return err
					}
				}
				return nil
			}
			if err := r.responses(o, op.get("responses"), read); err != nil {
				return err
			}
			r.add(o, []string{base})
		}
	}
	return nil
}

// mediaTypes returns the operation's list, or the document's, or JSON.
func mediaTypes(own, shared cursor) []string {
	if own.ok() && own.isList() {
		shared = own
	}
	if ts := shared.texts(); len(ts) > 0 {
		return ts
	}
	return []string{"application/json"}
}

// bodyParameters reads the parameters that OpenAPI 2.0 has for bodies:
// one in "body" with a schema, or some in "formData".
func (r *reader) bodyParameters(o *Operation, top, op, shared cursor) error {
	all, err := r.mergeParameters(shared, op.get("parameters"))
	if err != nil {
		return err
	}
	consumes := mediaTypes(op.get("consumes"), top.get("consumes"))
	for _, p := range all {
		in := p.get("in").text()
		if in != "body" && in != "formData" {
			continue
		}
		if o.Requests == nil {
			o.Requests = map[string]*Body{}
		}
		o.BodyRequired = o.BodyRequired || p.get("required").isTrue()
		if in == "body" {
			for _, mt := range consumes {
				if err := r.requestMedia(o, member{mt, p}, p.get("schema")); err != nil {
					return err
				}
			}
			continue
		}
		forms := consumes
		if !slices.ContainsFunc(forms, func(mt string) bool { return !IsJSON(mediaType(mt)) }) {
			forms = []string{"application/x-www-form-urlencoded", "multipart/form-data"}
		}
		for _, mt := range forms {
			if mt := mediaType(mt); o.Requests[mt] == nil && !IsJSON(mt) {
				r.addBody(o, o.Requests, r.body(mt, cursor{}, true), "request", p)
				r.note(p, o.Name+": request "+mt+": only JSON bodies are judged")
			}
		}
	}
	return nil
}
