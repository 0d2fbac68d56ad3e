package contract

import (
	"fmt"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// A binder replaces chains such as response.user_id by variables ("@0") that
// know where their value comes from.
type binder struct {
	rc     *ruleCompiler
	o      *Operation
	env    *cel.Env
	info   *ast.SourceInfo
	scope  map[string]int  // variables of loops
	seen   map[string]bool // all that there were
	leaves []*leaf
	used   roots
	loops  bool
	usesID bool
	failed *failure
}

// A leaf is one value that an expression needs.
type leaf struct {
	name string
	typ  *types.Type
	path string // for telling leaves apart
	get  func(*Input) ref.Val
}

type failure struct {
	id         int64
	skip       int // columns from the expression's place to what is wrong
	text, hint string
}

func (b *binder) fail(id int64, skip int, hint, format string, args ...any) {
	if b.failed == nil {
		b.failed = &failure{id, skip, fmt.Sprintf(format, args...), hint}
	}
}

// A chain is a place that names lead to.
type chain struct {
	root  string   // "caller", "request", "response", "object"
	steps []string // names after it
	shape *shape
}

func (c *chain) String() string { return strings.Join(append([]string{c.root}, c.steps...), ".") }

// visit binds the chains in an expression.
func (b *binder) visit(e ast.Expr) {
	if b.failed != nil {
		return
	}
	if c := b.chain(e); c != nil {
		b.replace(e, c, false)
		return
	}
	switch e.Kind() {
	case ast.SelectKind:
		s := e.AsSelect()
		if s.IsTestOnly() {
			if c := b.chain(s.Operand()); c != nil && b.failed == nil {
				if c = b.step(c, s.FieldName(), e.ID(), 0); c != nil {
					b.replace(e, c, true)
					return
				}
			}
		}
		b.visit(s.Operand())
	case ast.CallKind:
		c := e.AsCall()
		if c.IsMemberFunction() {
			b.visit(c.Target())
		}
		for _, a := range c.Args() {
			b.visit(a)
		}
	case ast.ListKind:
		for _, i := range e.AsList().Elements() {
			b.visit(i)
		}
	case ast.MapKind:
		for _, m := range e.AsMap().Entries() {
			b.visit(m.AsMapEntry().Key())
			b.visit(m.AsMapEntry().Value())
		}
	case ast.StructKind:
		b.fail(e.ID(), 0, "", "a rule cannot make objects")
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		b.loops = true
		b.visit(c.IterRange())
		b.visit(c.AccuInit())
		names := []string{c.IterVar(), c.IterVar2(), c.AccuVar()}
		for _, n := range names {
			switch n {
			case "caller", "request", "response", "object":
				b.fail(e.ID(), 0, "choose another name", "%q already means something", n)
			}
			b.scope[n]++
			if b.seen == nil {
				b.seen = map[string]bool{}
			}
			if n != "" && n[0] != '@' && n[0] != '_' {
				b.seen[n] = true
			}
		}
		b.visit(c.LoopCondition())
		b.visit(c.LoopStep())
		b.visit(c.Result())
		for _, n := range names {
			b.scope[n]--
		}
	}
}

// chain returns the place that an expression names, or nil when it is
// something else: then its parts are looked at one by one.
func (b *binder) chain(e ast.Expr) *chain {
	if b.failed != nil {
		return nil
	}
	switch e.Kind() {
	case ast.IdentKind:
		name := e.AsIdent()
		if b.scope[name] > 0 {
			return nil
		}
		return b.root(name, e.ID())
	case ast.SelectKind:
		s := e.AsSelect()
		if s.IsTestOnly() {
			return nil
		}
		c := b.chain(s.Operand())
		if c == nil {
			return nil
		}
		return b.step(c, s.FieldName(), e.ID(), 1)
	case ast.CallKind:
		call := e.AsCall()
		if call.FunctionName() != "_[_]" || call.Args()[1].Kind() != ast.LiteralKind {
			return nil
		}
		name, ok := call.Args()[1].AsLiteral().(types.String)
		if !ok {
			return nil
		}
		c := b.chain(call.Args()[0])
		if c == nil {
			return nil
		}
		return b.step(c, string(name), call.Args()[1].ID(), 0)
	}
	return nil
}

// step goes from a place to one of its members. It returns nil when the place
// has no members, and fails when it has others.
func (b *binder) step(c *chain, name string, id int64, skip int) *chain {
	next := &chain{root: c.root, steps: append(append([]string{}, c.steps...), name)}
	switch c.shape.kind {
	case objectShape:
		next.shape = c.shape.field(name)
		if next.shape == nil && c.root == "request" && len(c.steps) == 0 && name == "body" {
			b.fail(id, skip, "", "%s declares no JSON request body", b.o.Name)
			return nil
		}
		if next.shape == nil {
			names := c.shape.names()
			b.fail(id, skip, didYouMean(name, names), "%s has no %q", c, name)
			return nil
		}
	case mapShape:
		next.shape = c.shape.elem
	case anyShape:
		next.shape = c.shape
	case listShape:
		b.fail(id, skip, fmt.Sprintf("use allow: %s.all(o, o.%s == caller.id)", c, name), "%s is a list", c)
		return nil
	default:
		b.fail(id, skip, "", "%s is %s and has no members", c, typeName(c.shape.celType()))
		return nil
	}
	return next
}

var (
	oneString  = &shape{kind: stringShape}
	oneInt     = &shape{kind: intShape}
	strings0   = &shape{kind: listShape, elem: oneString}
	anything   = &shape{}
	anyMap     = &shape{kind: mapShape, elem: anything}
	headerMap  = &shape{kind: mapShape, elem: oneString}
	callerBase = map[string]*shape{"id": oneString, "name": oneString, "roles": strings0, "scopes": strings0, "claims": anyMap}
)

func object(fields map[string]*shape) *shape { return &shape{kind: objectShape, fixed: fields} }

// root is where a chain begins.
func (b *binder) root(name string, id int64) *chain {
	c := &chain{root: name}
	switch name {
	case "caller":
		fields := map[string]*shape{}
		for k, v := range callerBase {
			fields[k] = v
		}
		if b.rc.l.integerSubject {
			fields["id"] = oneInt
		}
		c.shape = object(fields)
	case "request":
		path, query := map[string]*shape{}, map[string]*shape{}
		segments, _ := parseTemplate(b.o.Path)
		for _, s := range segments {
			for _, v := range s.variables {
				path[v] = oneString
			}
		}
		for _, p := range b.o.Parameters {
			s := oneString
			if p.schema.ok() {
				s = b.rc.l.shapes.of(p.schema)
			}
			switch {
			case p.In == "path" && path[p.Name] != nil:
				path[p.Name] = s
			case p.In == "query":
				query[p.Name] = s
			}
		}
		fields := map[string]*shape{"method": oneString, "path": object(path), "query": object(query), "header": headerMap}
		if s := b.rc.l.bodyShape(b.o.Requests); s != nil {
			fields["body"] = s
		}
		c.shape = object(fields)
	case "response":
		if !b.o.Safe() {
			b.fail(id, 0, "use object.…: guard then reads the object first, with GET",
				"%s changes something: when the response is known, it has happened", b.o.Name)
			return nil
		}
		if c.shape = b.rc.l.replyShape(b.o); c.shape == nil {
			b.fail(id, 0, "", "%s declares no JSON response", b.o.Name)
			return nil
		}
	case "object":
		if b.o.Method == "GET" || b.o.Method == "HEAD" {
			b.fail(id, 0, "use response.…", "%s is itself how the object is read", b.o.Name)
			return nil
		}
		g := b.rc.l.getter(b.o)
		if g == nil {
			b.fail(id, 0, "declare a GET there, or use request.…", "object needs a GET on %s", b.o.Path)
			return nil
		}
		if c.shape = b.rc.l.replyShape(g); c.shape == nil {
			b.fail(id, 0, "", "%s declares no JSON response", g.Name)
			return nil
		}
	default:
		return nil
	}
	return c
}

// replace puts a variable in the place of an expression. With test, the
// variable says whether there is a value.
func (b *binder) replace(e ast.Expr, c *chain, test bool) {
	l := &leaf{name: "@" + strconv.Itoa(len(b.leaves)), path: c.String()}
	if test {
		l.path = "has " + l.path
	}
	for _, known := range b.leaves {
		if known.path == l.path {
			e.SetKindCase(ast.NewExprFactory().NewIdent(e.ID(), known.name))
			return
		}
	}
	l.get = b.getter(c)
	if l.get == nil {
		b.fail(e.ID(), 0, "name one of its members", "%s cannot be used as a whole", c)
		return
	}
	l.typ = c.shape.celType()
	if test {
		l.typ, l.get = types.BoolType, b.presence(c, l.get)
	}
	b.leaves = append(b.leaves, l)
	e.SetKindCase(ast.NewExprFactory().NewIdent(e.ID(), l.name))
}
