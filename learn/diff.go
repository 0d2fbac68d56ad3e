package learn

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// A Change is something that was seen and that the description does not have.
type Change struct {
	// Operation is the description's name, or the learnt one of a new operation.
	Operation string `json:"operation"`
	// What is "new operation", "new member", "new status", "new parameter" or
	// "type differs".
	What string `json:"what"`
	// Place is a JSON Pointer: /requestBody/items/*/note, /responses/200/note,
	// /responses/418, /parameters/query/limit. * stands for every item.
	Place string `json:"place"`
	// Count is how often it was seen.
	Count int `json:"count"`
}

// judge notes what an exchange has and Options.API does not declare.
func (l *Learner) judge(x *exchange.Exchange, method string) {
	if l.o.API == nil || x.Response == nil {
		return
	}
	match := l.o.API.Match(method, x.Request.Path())
	o := match.Operation
	if o == nil {
		return // it shows in the model
	}
	status := x.Response.Status
	if sound(status) {
		for _, f := range o.CheckParameters(&x.Request, match.Params) {
			switch f.Keyword {
			case "undeclared":
				l.stray(o.Name, "new parameter", "/parameters/"+f.In+"/"+pointerWord(f.Name))
			case "type", "enum", "format":
				l.stray(o.Name, "type differs", "/parameters/"+f.In+"/"+pointerWord(f.Name))
			}
		}
		if mt := x.Request.Header.MediaType(); x.Request.Body.Size > 0 {
			if b := o.RequestBody(mt); b != nil {
				l.judgeBody(o.Name, "/requestBody", b, &x.Request.Body)
			} else if contract.IsJSON(mt) {
				l.stray(o.Name, "new member", "/requestBody")
			}
		}
	}
	r := o.Response(status)
	if r == nil {
		if status < 400 || len(o.Statuses()) > 0 {
			l.stray(o.Name, "new status", "/responses/"+strconv.Itoa(status))
		}
		return
	}
	if data, ok := plainBody(x.Response); ok && method != "HEAD" {
		l.judgeBody(o.Name, "/responses/"+strconv.Itoa(status), r.Body(x.Response.Header.MediaType()), &exchange.Body{Size: int64(len(data)), Data: data})
	}
}

func (l *Learner) judgeBody(operation, at string, b *contract.Body, body *exchange.Body) {
	if b == nil || !body.Complete() || len(body.Data) > maxBody || len(body.Data) == 0 {
		return
	}
	violations, _ := b.Judge(body.Data)
	for i, v := range violations {
		if i == 50 {
			return
		}
		pointer, says, _ := strings.Cut(v, ": ")
		if pointer == "/" {
			pointer = ""
		}
		parts := strings.Split(pointer, "/")
		for i, p := range parts {
			if digits.MatchString(p) {
				parts[i] = "*"
			}
		}
		place := at + strings.Join(parts, "/")
		switch {
		case strings.HasPrefix(says, "undeclared"):
			l.stray(operation, "new member", place)
		case strings.HasPrefix(says, "invalid type"), strings.HasPrefix(says, "invalid enum"), strings.HasPrefix(says, "invalid format"), strings.HasPrefix(says, "invalid const"):
			l.stray(operation, "type differs", place)
		}
	}
}

func pointerWord(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }

func (l *Learner) stray(operation, what, place string) {
	if len(place) > 500 {
		return
	}
	c, kept := l.strays.at(operation+"\x00"+place+"\x00"+what, func() *Change { return &Change{operation, what, place, 0} })
	if kept {
		c.Count++
	}
}

// Diff lists what was seen and Options.API does not have, by operation and
// place. Without Options.API every operation is new.
func (l *Learner) Diff() []Change {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := []Change{}
	for _, o := range l.model().ops {
		if l.o.API == nil || l.o.API.Match(o.method, o.sample()).Operation == nil && !o.refused {
			out = append(out, Change{o.name(), "new operation", "/paths/" + pointerWord(o.path) + "/" + strings.ToLower(o.method), o.cell.count})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(l.strays.m)) {
		out = append(out, *l.strays.m[key])
	}
	return out
}
