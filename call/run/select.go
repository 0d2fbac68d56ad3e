package run

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-project/parley/archive"
)

// only keeps the requests in a folder, or the one request of that name. What
// they need stays, too.
func (p *planner) only(name string) error {
	keep := make([]bool, len(p.steps))
	var folders, requests []string
	found := false
	for i, s := range p.steps {
		if slices.Contains(s.path, name) || s.item.Name == name || s.item.ID == name && name != "" {
			keep[i], found = true, true
		}
		if n := s.item.Name; n != "" && !slices.Contains(requests, n) {
			requests = append(requests, n)
		}
		for _, f := range s.path {
			if !slices.Contains(folders, f) {
				folders = append(folders, f)
			}
		}
	}
	if !found {
		var there []string
		if len(folders) > 0 {
			there = append(there, "folders are "+someOf(folders))
		}
		if len(requests) > 0 {
			there = append(there, "requests are "+someOf(requests))
		}
		if len(there) == 0 {
			there = append(there, "nothing in it has a name")
		}
		return &archive.Error{File: p.c.File, Text: fmt.Sprintf("no folder or request is named %q", name), Hint: p.o.Masker.Text(strings.Join(there, "; "))}
	}
	for i := len(p.steps) - 1; i >= 0; i-- {
		if !keep[i] {
			continue
		}
		for j := range i {
			if slices.Contains(p.steps[i].item.Needs, p.steps[j].item.Name) {
				keep[j] = true
			}
		}
	}
	var left []*step
	for i, s := range p.steps {
		if keep[i] {
			left = append(left, s)
		}
	}
	p.steps = left
	return nil
}

// someOf lists names, as many as one can read.
func someOf(names []string) string {
	const most = 10
	var quoted []string
	for _, n := range names[:min(len(names), most)] {
		quoted = append(quoted, strconv.Quote(n))
	}
	list := strings.Join(quoted, ", ")
	if n := len(names) - most; n > 0 {
		list += fmt.Sprintf(" and %d more", n)
	}
	return list
}

// leaveWrites takes the requests away that a description was made into and
// that may change something: nobody has written them down to be sent.
func (p *planner) leaveWrites() {
	all := len(p.steps)
	p.steps = filtered(p.steps, func(s *step) bool {
		return s.style != fromDescription || slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, s.item.Request.Method)
	})
	if n := all - len(p.steps); n > 0 {
		p.warnings = append(p.warnings, plural(n, "request")+" left out that may change something; --writes sends them, too")
	}
}

// fromDescription is the format of a collection that was made of an API's
// description.
const fromDescription = "openapi"

// filtered leaves list as it is: several requests share it.
func filtered[T any](list []T, ok func(T) bool) []T {
	var out []T
	for _, x := range list {
		if ok(x) {
			out = append(out, x)
		}
	}
	return out
}
