package contract

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/parley-project/parley/internal/jsonscan"
	"go.yaml.in/yaml/v3"
)

// bodyShape is what rules may expect of JSON bodies: the first of the media
// types that has a schema. Nil: no JSON is declared.
func (l *loader) bodyShape(bodies map[string]*Body) *shape {
	var names []string
	for mt, b := range bodies {
		if b.json {
			names = append(names, mt)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.SortFunc(names, func(a, b string) int {
		if (a == "application/json") != (b == "application/json") {
			if a == "application/json" {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	for _, n := range names {
		if bodies[n].schema.ok() {
			return l.shapes.of(bodies[n].schema)
		}
	}
	return &shape{}
}

// success lists the responses that mean success, the plainest first.
func (o *Operation) success() []*Response {
	var names []string
	for s := range o.responses {
		if s[0] == '2' {
			names = append(names, s)
		}
	}
	slices.Sort(names) // "200" before "201" before "2XX"
	if len(names) == 0 && o.responses["default"] != nil {
		names = []string{"default"}
	}
	var out []*Response
	for _, n := range names {
		out = append(out, o.responses[n])
	}
	return out
}

func (l *loader) replyShape(o *Operation) *shape {
	for _, r := range o.success() {
		if s := l.bodyShape(r.Bodies); s != nil {
			return s
		}
	}
	return nil
}

func (l *loader) requestCaptures(o *Operation) *captureList { return share(o.Requests) }

func (l *loader) replyCaptures(o *Operation) *captureList {
	var all []map[string]*Body
	for _, r := range o.success() {
		all = append(all, r.Bodies)
	}
	return share(all...)
}

// share gives bodies one list of captures.
func share(bodies ...map[string]*Body) *captureList {
	var list *captureList
	for _, bs := range bodies {
		for _, b := range bs {
			if b.captures != nil {
				list = b.captures
			}
		}
	}
	if list == nil {
		list = &captureList{}
	}
	for _, bs := range bodies {
		for _, b := range bs {
			if b.json {
				b.captures = list
			}
		}
	}
	return list
}

// programKey says which bodies can have the same program.
type programKey struct {
	doc      *document
	location string
	request  bool
	captures *captureList
}

type programResult struct {
	program *jsonscan.Program
	err     error
}

// compileBodies compiles every schema once, several at a time.
func (l *loader) compileBodies() error {
	byKey := map[programKey]*programResult{}
	var keys []programKey
	key := func(b *Body) programKey {
		c := b.schema
		for range 100 { // a schema that is only a reference is what it refers to
			if len(c.members()) != 1 || !c.get("$ref").ok() {
				break
			}
			to, err := l.r.ds.resolve(c.doc, c.get("$ref").text(), c)
			if err != nil {
				break
			}
			c = to
		}
		k := programKey{c.doc, "#" + c.pointer, b.request, b.captures}
		if b.captures != nil && len(b.captures.pointers) == 0 {
			k.captures = nil
		}
		return k
	}
	for _, b := range l.r.bodies {
		if b.schema.ok() {
			k := key(b)
			if byKey[k] == nil {
				byKey[k] = &programResult{}
				keys = append(keys, k)
			}
		}
	}
	roots := map[*document]any{}
	for _, d := range l.r.ds.byKey {
		roots[d] = d.top().value()
		d.unnamed = !names(d.root)
	}
	var lock sync.Mutex // documents are read and decoded as they are met
	work := make(chan programKey)
	var wg sync.WaitGroup
	for range max(1, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for k := range work {
				byKey[k].program, byKey[k].err = l.compile(k, roots[k.doc], &lock)
			}
		})
	}
	for _, k := range keys {
		work <- k
	}
	close(work)
	wg.Wait()

	for _, b := range l.r.bodies {
		if b.schema.ok() {
			result := byKey[key(b)]
			b.Program, b.Judged = result.program, result.err == nil
			if result.err != nil {
				b.Program, b.unjudged = nil, true
				l.uncompiled(key(b), b.schema, b.name, result.err)
			}
		}
	}
	for _, b := range l.r.bodies {
		b.schema = cursor{}
		if b.Program == nil && b.captures != nil && len(b.captures.pointers) > 0 {
			p, err := captureProgram(b.captures.pointers)
			if err != nil {
				return fmt.Errorf("contract: %s: %w", b.name, err)
			}
			b.Program = p
		}
	}
	return l.compileParameters(roots, &lock)
}

func (l *loader) compile(k programKey, root any, lock *sync.Mutex) (*jsonscan.Program, error) {
	var captures []string
	if k.captures != nil {
		captures = k.captures.pointers
	}
	o := schemaOptions{Dialect: l.r.dialect, Request: k.request, Closed: true, Captures: captures,
		Resolve: l.resolver(k.doc, lock), Unnamed: k.doc.unnamed}
	if marked := l.marked[k.request]; len(marked) > 0 {
		base := k.doc.base
		o.Marks = func(location string) map[string]int {
			if strings.HasPrefix(location, "#") {
				location = base + location
			}
			return marked[location]
		}
	}
	return compileSchema(root, k.location, o)
}

// uncompiled lists a schema that could not be compiled, at the place in it that
// the compiler names.
func (l *loader) uncompiled(k programKey, at cursor, what string, err error) {
	text := strings.TrimPrefix(err.Error(), "schema "+k.location+": ")
	if pointer, rest, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(pointer, "#/") {
		if c, err := l.r.ds.resolve(k.doc, pointer, at); err == nil {
			at, text = c, rest
		}
	}
	l.r.notJudged(at, what, text)
}

// names reports whether a tree has a member that gives a schema a name.
func names(n *yaml.Node) bool {
	if n.Kind == yaml.MappingNode {
		for i := 0; i < len(n.Content); i += 2 {
			switch n.Content[i].Value {
			case "$id", "$anchor", "$dynamicAnchor":
				return true
			}
		}
	}
	return slices.ContainsFunc(n.Content, names)
}

// resolver answers the schema compiler's questions for other documents. base
// and the location returned are a document's name and a fragment.
func (l *loader) resolver(doc *document, lock *sync.Mutex) func(base, ref string) (any, string, error) {
	return func(base, ref string) (any, string, error) {
		lock.Lock()
		defer lock.Unlock()
		from := doc
		if name, _, _ := strings.Cut(base, "#"); name != "" {
			for _, d := range l.r.ds.byKey {
				if d.base == name {
					from = d
				}
			}
		}
		c, err := l.r.ds.resolve(from, ref, from.top())
		if err != nil {
			return nil, "", err
		}
		return c.value(), c.location(), nil
	}
}
