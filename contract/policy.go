package contract

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley-project/parley/internal/config"
)

// settings reads the short sections of parley.yaml.
func (l *loader) settings(s config.Section) error {
	c := l.c
	word := func(s config.Section, into *string, allowed ...string) error {
		if !s.Present() {
			return nil
		}
		t, _ := s.Text()
		if !slices.Contains(allowed, t) {
			return s.Errorf("one of "+strings.Join(allowed, ", "), "%q is not known here", t)
		}
		*into = t
		return nil
	}
	if err := word(l.p.Mode, (*string)(&c.Mode), string(Report), string(Enforce)); err != nil {
		return err
	}
	if err := word(l.p.Default, (*string)(&c.Default), string(BySecurity), string(Deny)); err != nil {
		return err
	}
	if l.p.Upstream.Present() {
		t, _ := l.p.Upstream.Text()
		u, err := url.Parse(t)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return l.p.Upstream.Errorf("write it like http://127.0.0.1:9000", "%q is not the address of an API", t)
		}
		c.Upstream = t
	}
	if n := l.p.Body.Request; n > 0 {
		c.MaxRequest = int64(n)
	}
	if n := l.p.Body.Response; n > 0 {
		c.MaxResponse = int64(n)
	}
	if err := l.cors(); err != nil {
		return err
	}
	return l.subject()
}

// subject looks at identity.subject.type: what kind of thing caller.id is.
// Everything else there is the identity package's to judge.
func (l *loader) subject() error {
	at := l.c.Sections["identity"]
	for _, name := range []string{"subject", "type"} {
		fields, err := at.Fields()
		if err != nil {
			return nil
		}
		at = config.Section{}
		for _, f := range fields {
			if f.Name == name {
				at = f.Value
			}
		}
	}
	switch t, _ := at.Text(); {
	case !at.Present() || t == "string":
	case t == "integer":
		l.integerSubject = true
	default:
		return at.Errorf("one of string, integer", "a subject is not of type %q", t)
	}
	return nil
}

func (l *loader) cors() error {
	if !l.p.CORS.Present() {
		return nil
	}
	var t struct {
		Origins     []string      `yaml:"origins"`
		Methods     []string      `yaml:"methods"`
		Headers     []string      `yaml:"headers"`
		Expose      []string      `yaml:"expose"`
		Credentials bool          `yaml:"credentials"`
		MaxAge      time.Duration `yaml:"max_age"`
	}
	if err := l.p.CORS.Decode(&t); err != nil {
		return err
	}
	fields, _ := l.p.CORS.Fields()
	at := l.p.CORS
	for _, f := range fields {
		if f.Name == "origins" {
			at = f.Value
		}
	}
	items, _ := at.Items()
	for i, o := range t.Origins {
		if o == "*" {
			if t.Credentials {
				return items[i].Errorf("list the origins by name", "every origin together with credentials would let any site act for its visitor")
			}
			continue
		}
		u, err := url.Parse(o)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil || o == "null" || strings.Contains(o, "*") || strings.ToLower(o) != o {
			return items[i].Errorf("write it like https://app.example, in lower case and without a path", "%q is not an origin", o)
		}
	}
	if t.Credentials && (slices.Contains(t.Headers, "*") || slices.Contains(t.Methods, "*") || slices.Contains(t.Expose, "*")) {
		return l.p.CORS.Errorf("list them by name", "\"*\" does not mean all together with credentials")
	}
	for i, m := range t.Methods {
		t.Methods[i] = strings.ToUpper(m)
	}
	l.c.CORS = &CORS{t.Origins, t.Methods, t.Headers, t.Expose, t.Credentials, t.MaxAge}
	return nil
}

// A ruleText is a rule as written.
type ruleText struct {
	Operation     config.Section `yaml:"operation"`
	Allow         config.Section `yaml:"allow"`
	Owner         config.Section `yaml:"owner"`
	Unless        config.Section `yaml:"unless"`
	HideExistence bool           `yaml:"hide_existence"`
}

func (l *loader) readRules() error {
	items, err := l.p.Rules.Items()
	if err != nil {
		return err
	}
	for _, item := range items {
		var t ruleText
		if err := item.Decode(&t); err != nil {
			return err
		}
		if err := l.readRule(item, t); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) readRule(item config.Section, t ruleText) error {
	expr, owner := t.Allow, false
	switch {
	case t.Allow.Present() && t.Owner.Present():
		return item.Errorf("write two rules; both must hold", "a rule has allow or owner, not both")
	case t.Owner.Present():
		expr, owner = t.Owner, true
	case !t.Allow.Present() && !t.HideExistence:
		return item.Errorf("add allow: or owner:", "the rule says nothing")
	case !t.Allow.Present() && t.Unless.Present():
		return t.Unless.Errorf("unless belongs to allow or owner", "there is nothing to make an exception of")
	}
	ops, err := l.match(item, t.Operation)
	if err != nil {
		return err
	}
	for _, o := range ops {
		o.HideExistence = o.HideExistence || t.HideExistence
		if !expr.Present() { // the line speaks of the whole operation
			o.hidden = true
			for _, r := range o.Rules {
				r.Hide = true
			}
			continue
		}
		r, err := l.rules.rule(o, expr, t.Unless, owner)
		if err != nil {
			return err
		}
		r.Place, r.Hide = item.Place(), t.HideExistence || o.hidden
		o.Rules = append(o.Rules, r)
	}
	return nil
}

// match returns the operations that a rule or limit speaks of: by name, by
// operationId, or by a pattern such as "DELETE *" or "* /v1/admin/**".
func (l *loader) match(item, s config.Section) ([]*Operation, error) {
	t, ok := s.Text()
	if !ok || t == "" {
		return nil, item.Errorf("add operation: with a method and a path", "no operation is named")
	}
	var out []*Operation
	method, pattern, two := strings.Cut(t, " ")
	pattern = strings.TrimSpace(pattern)
	for _, o := range l.c.Operations {
		switch {
		case o.Name == t, !two && o.ID == t:
			out = append(out, o)
		case two && (method == "*" || strings.EqualFold(method, o.Method)) && matchPath(pattern, o.Path):
			out = append(out, o)
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	var names, there []string
	hint := ""
	for _, o := range l.c.Operations {
		if two {
			names = append(names, o.Name)
		} else if o.ID != "" {
			names = append(names, o.ID)
		}
		if two && strings.EqualFold(o.Method, method) && o.base != "" && o.base+pattern == o.Path {
			hint = fmt.Sprintf("the server's path counts: %q", o.Name)
		}
		if two && o.Path == pattern {
			there = append(there, o.Method)
		}
	}
	if len(there) > 0 {
		hint = "that path has " + strings.Join(there, ", ")
	} else if near := config.Nearest(t, names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	if hint == "" {
		hint = "name it like \"GET /v1/orders/{id}\", by its operationId, or with a pattern such as \"DELETE *\""
	}
	return nil, s.Errorf(hint, "no operation of the API is %q", t)
}

// matchPath reports whether a pattern fits a path template. "*" is anything
// within a segment and "**" any number of segments; alone, both are any path.
func matchPath(pattern, template string) bool {
	if pattern == "*" || pattern == "**" {
		return true
	}
	if !strings.Contains(pattern, "*") {
		return pattern == template
	}
	return matchSegments(strings.Split(pattern, "/"), strings.Split(template, "/"))
}

func matchSegments(pattern, segments []string) bool {
	if len(pattern) == 0 {
		return len(segments) == 0
	}
	if pattern[0] == "**" {
		for i := 0; i <= len(segments); i++ {
			if matchSegments(pattern[1:], segments[i:]) {
				return true
			}
		}
		return false
	}
	if len(segments) == 0 {
		return false
	}
	escaped := strings.NewReplacer("[", `\[`, "?", `\?`, `\`, `\\`).Replace(pattern[0])
	if ok, err := path.Match(escaped, segments[0]); err != nil || !ok {
		return false
	}
	return matchSegments(pattern[1:], segments[1:])
}

func (l *loader) readFields() error {
	l.marked = map[bool]map[string]map[string]int{true: {}, false: {}}
	items, err := l.p.Fields.Items()
	if err != nil {
		return err
	}
	top := l.r.ds.first.top()
	schemas := top.get("components").get("schemas")
	if !schemas.ok() {
		schemas = top.get("definitions")
	}
	var names []string
	for _, m := range schemas.members() {
		names = append(names, m.name)
	}
	for _, item := range items {
		var t struct {
			Schema     config.Section      `yaml:"schema"`
			NeverSend  []config.Section    `yaml:"never_send"`
			Masked     []config.Section    `yaml:"masked"`
			WritableBy map[string][]string `yaml:"writable_by"`
			ReadableBy map[string][]string `yaml:"readable_by"`
		}
		if err := item.Decode(&t); err != nil {
			return err
		}
		name, _ := t.Schema.Text()
		if name == "" {
			return item.Errorf("add schema: with a name from the API description", "no schema is named")
		}
		if !slices.Contains(names, name) {
			return t.Schema.Errorf(didYouMean(name, names), "the API has no schema %q", name)
		}
		schema := schemas.get(name)
		for _, s := range t.NeverSend {
			member, _ := s.Text()
			f, err := l.fieldRule(item, s, schema, name, member)
			if err != nil {
				return err
			}
			f.NeverSend = true
		}
		for _, s := range t.Masked {
			member, _ := s.Text()
			f, err := l.fieldRule(item, s, schema, name, member)
			if err != nil {
				return err
			}
			f.Masked = true
		}
		fields, _ := item.Fields()
		for _, by := range fields {
			if by.Name != "writable_by" && by.Name != "readable_by" {
				continue
			}
			members, err := by.Value.Fields()
			if err != nil {
				return err
			}
			for _, m := range members {
				f, err := l.fieldRule(item, m.Value, schema, name, m.Name)
				if err != nil {
					return err
				}
				if by.Name == "writable_by" {
					f.WritableBy = append([]string{}, t.WritableBy[m.Name]...)
				} else {
					f.ReadableBy = append([]string{}, t.ReadableBy[m.Name]...)
				}
			}
		}
	}
	for i, f := range l.c.marks {
		schema := schemas.get(f.Schema)
		if f.WritableBy != nil {
			l.mark(true, schema, f.Member, i+1)
		}
		if f.NeverSend || f.Masked || f.ReadableBy != nil {
			l.mark(false, schema, f.Member, i+1)
		}
	}
	return nil
}

func didYouMean(word string, names []string) string {
	if near := config.Nearest(word, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(names) == 0 || len(names) > 12 {
		return ""
	}
	return "known here: " + strings.Join(names, ", ")
}

// fieldRule returns the policy on a member, a new one if there is none yet.
func (l *loader) fieldRule(item, at config.Section, schema cursor, name, member string) (*FieldRule, error) {
	for _, f := range l.c.marks {
		if f.Schema == name && f.Member == member {
			return f, nil
		}
	}
	declared := l.shapes.of(schema)
	if declared.field(member) == nil {
		return nil, at.Errorf(didYouMean(member, declared.names()), "the schema %s has no member %q", name, member)
	}
	f := &FieldRule{Schema: name, Member: member, Place: item.Place()}
	l.c.marks = append(l.c.marks, f)
	return f, nil
}

// mark notes the policy on a member where the schema itself, or a schema that
// it is put together from, declares the member.
func (l *loader) mark(request bool, schema cursor, name string, number int) {
	var at func(c cursor, seen map[string]bool)
	at = func(c cursor, seen map[string]bool) {
		c, err := l.r.ds.follow(c)
		if err != nil || seen[c.location()] {
			return
		}
		seen[c.location()] = true
		if len(seen) == 1 || c.get("properties").get(name).ok() {
			m := l.marked[request][c.location()]
			if m == nil {
				m = map[string]int{}
				l.marked[request][c.location()] = m
			}
			if m[name] == 0 {
				m[name] = number
			}
		}
		for _, word := range []string{"allOf", "anyOf", "oneOf"} {
			for _, b := range c.get(word).items() {
				at(b, seen)
			}
		}
	}
	at(schema, map[string]bool{})
}

// Mark returns the policy that a violation's Mark stands for, or nil.
func (c *Contract) Mark(n int) *FieldRule {
	if n < 1 || n > len(c.marks) {
		return nil
	}
	return c.marks[n-1]
}

func (l *loader) readLimits() error {
	items, err := l.p.Limits.Items()
	if err != nil {
		return err
	}
	for _, item := range items {
		var t struct {
			Operation config.Section `yaml:"operation"`
			Rate      config.Section `yaml:"rate"`
			By        config.Section `yaml:"by"`
		}
		if err := item.Decode(&t); err != nil {
			return err
		}
		count, per, err := parseRate(item, t.Rate)
		if err != nil {
			return err
		}
		ops, err := l.match(item, t.Operation)
		if err != nil {
			return err
		}
		for _, o := range ops {
			lim := &Limit{Count: count, Per: per, By: "address", Place: item.Place()}
			if by, ok := t.By.Text(); ok {
				lim.By = by
			}
			switch lim.By {
			case "address":
				lim.key = func(in *Input) (string, bool) { return in.Address, in.Address != "" }
			case "caller":
				lim.key = func(in *Input) (string, bool) {
					if in.Caller == nil {
						return "", false
					}
					return string(in.Caller.Subject), true
				}
			default:
				if lim.key, err = l.rules.key(o, t.By); err != nil {
					return err
				}
			}
			o.Limits = append(o.Limits, lim)
		}
	}
	return nil
}

func parseRate(item, s config.Section) (int, time.Duration, error) {
	if !s.Present() {
		return 0, 0, item.Errorf("add rate: such as 5/minute", "the limit has no rate")
	}
	t, _ := s.Text()
	n, unit, _ := strings.Cut(t, "/")
	count, err := strconv.Atoi(strings.TrimSpace(n))
	per := periods[strings.TrimSpace(unit)]
	if err != nil || count < 1 || per == 0 {
		return 0, 0, s.Errorf("write it like 5/minute; second, hour and day are known too", "%q is not a rate", t)
	}
	return count, per, nil
}

// Key returns what the limit counts by, such as the caller's subject. It is
// false when the request does not have it.
func (l *Limit) Key(in *Input) (string, bool) {
	if l.key == nil || in == nil {
		return "", false
	}
	return l.key(in)
}
