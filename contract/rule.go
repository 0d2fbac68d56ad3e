package contract

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"github.com/parley-project/parley/internal/config"
)

// Rules are CEL, checked against the contract before they are run. Every chain
// of names that begins at caller, request, response or object is looked up in
// the contract and replaced by one variable, whose value comes straight out of
// the message: no map of a body is ever built.

// A ruleCompiler makes rules of expressions.
type ruleCompiler struct {
	l   *loader
	env *cel.Env
	// general keeps expressions that mean the same for every operation, by
	// their place in the policy.
	general map[config.Section]*expression
}

// An expression is a compiled CEL expression with the values it needs.
type expression struct {
	program cel.Program
	leaves  []*leaf
	roots   roots
}

// roots says which of the variables an expression uses.
type roots struct{ request, response, object, specific bool }

func (r roots) phase() Phase {
	switch {
	case r.response:
		return OnResponse
	case r.object:
		return OnObject
	}
	return OnRequest
}

func (rc *ruleCompiler) environment() (*cel.Env, error) {
	if rc.env != nil {
		return rc.env, nil
	}
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	rc.general = map[config.Section]*expression{}
	rc.env, err = cel.NewEnv(
		cel.CustomTypeProvider(provider{registry, rc.l.shapes}),
		cel.CustomTypeAdapter(registry),
	)
	return rc.env, err
}

// rule compiles `allow: expr` or `owner: expr` for an operation.
func (rc *ruleCompiler) rule(o *Operation, expr, unless config.Section, owner bool) (*Rule, error) {
	main, err := rc.expression(o, expr, owner)
	if err != nil {
		return nil, err
	}
	source, _ := expr.Text()
	r := &Rule{Owner: owner, Source: source, eval: main.eval}
	used := main.roots
	if unless.Present() {
		except, err := rc.expression(o, unless, false)
		if err != nil {
			return nil, err
		}
		used.response = used.response || except.roots.response
		used.object = used.object || except.roots.object
		text, _ := unless.Text()
		r.Source += " unless " + text
		r.eval = func(in *Input) (bool, error) {
			// An exception that cannot be decided is none.
			if ok, err := except.eval(in); ok && err == nil {
				return true, nil
			}
			return main.eval(in)
		}
	}
	r.Phase = used.phase()
	if used.object {
		if used.response {
			return nil, expr.Errorf("write two rules; both must hold", "a rule uses object or response, not both")
		}
		o.Preread = rc.l.getter(o)
	}
	return r, nil
}

// getter returns the GET on the operation's path, or nil.
func (l *loader) getter(o *Operation) *Operation {
	for _, g := range l.c.Operations {
		if g.Method == "GET" && g.Path == o.Path {
			return g
		}
	}
	return nil
}

// expression compiles one expression to be true or false. With owner, the
// expression names who owns the object, and is true for that caller.
func (rc *ruleCompiler) expression(o *Operation, s config.Section, owner bool) (*expression, error) {
	env, err := rc.environment()
	if err != nil {
		return nil, err
	}
	if e := rc.general[s]; e != nil {
		return e, nil
	}
	text, ok := s.Text()
	if !ok || strings.TrimSpace(text) == "" {
		return nil, s.Errorf("", "expected a CEL expression")
	}
	shift := 0
	if owner {
		if err := rc.ownerType(env, o, s, text); err != nil {
			return nil, err
		}
		text, shift = "("+text+") == caller.id", 1
	}
	b, checked, err := rc.check(env, o, s, text, shift)
	if err != nil {
		return nil, err
	}
	if t := checked.OutputType(); t.Kind() != types.BoolKind {
		return nil, s.Errorf("compare it with something, or use owner:", "the rule gives %s, not true or false", typeName(t))
	}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if b.loops {
		// What a message holds decides how often a loop runs.
		options = append(options, cel.CostLimit(1_000_000))
	}
	program, err := b.env.Program(checked, options...)
	if err != nil {
		return nil, s.Errorf("", "%s", firstLine(err.Error()))
	}
	e := &expression{program, b.leaves, b.used}
	if !b.used.specific {
		rc.general[s] = e
	}
	return e, nil
}

// check parses, binds and type-checks an expression. shift is the number of
// characters put before the text that the person wrote.
func (rc *ruleCompiler) check(env *cel.Env, o *Operation, s config.Section, text string, shift int) (*binder, *cel.Ast, error) {
	at := func(line, column int, hint, message string) error {
		if line <= 1 {
			column -= shift
		}
		l, c := s.PlaceIn(rc.l.source, max(1, line), max(1, column))
		return &config.Error{File: s.File, Line: l, Column: c, Text: message, Hint: hint}
	}
	b := &binder{rc: rc, o: o, scope: map[string]int{}}
	first := func(iss *cel.Issues) error {
		e := iss.Errors()[0]
		message, hint := explain(e.Message, b)
		return at(e.Location.Line(), e.Location.Column()+1, hint, message)
	}
	parsed, iss := env.Parse(text)
	if iss.Err() != nil {
		return nil, nil, first(iss)
	}
	tree := parsed.NativeRep()
	b.info = tree.SourceInfo()
	b.visit(tree.Expr())
	if b.failed != nil {
		loc := b.info.GetStartLocation(b.failed.id)
		return nil, nil, at(loc.Line(), loc.Column()+1+b.failed.skip, b.failed.hint, b.failed.text)
	}
	var variables []cel.EnvOption
	for _, l := range b.leaves {
		variables = append(variables, cel.Variable(l.name, l.typ))
	}
	var err error
	if b.env, err = env.Extend(variables...); err != nil {
		return nil, nil, s.Errorf("", "%s", firstLine(err.Error()))
	}
	checked, iss := b.env.Check(parsed)
	if iss.Err() != nil {
		return nil, nil, first(iss)
	}
	return b, checked, nil
}

// ownerType says plainly why an owner cannot be compared with the caller.
func (rc *ruleCompiler) ownerType(env *cel.Env, o *Operation, s config.Section, text string) error {
	_, checked, err := rc.check(env, o, s, text, 0)
	if err != nil {
		return err
	}
	t, want := checked.OutputType(), types.StringType
	if rc.l.integerSubject {
		want = types.IntType
	}
	name := typeName(t)
	switch {
	case t.Kind() == types.DynKind || name == want.TypeName():
		return nil
	case t.Kind() == types.ListKind:
		return s.Errorf("use allow: "+strings.TrimSpace(text)+".all(o, o == caller.id)", "an owner is one value, and this is a %s", name)
	case name == "int" && !rc.l.integerSubject:
		return s.Errorf("say identity: subject: {type: integer} when subjects are numbers", "the owner is int, and caller.id is string")
	}
	return s.Errorf("", "the owner is %s, and caller.id is %s", name, want.TypeName())
}

// key compiles what a limit counts by, such as request.body.email.
func (rc *ruleCompiler) key(o *Operation, s config.Section) (func(*Input) (string, bool), error) {
	env, err := rc.environment()
	if err != nil {
		return nil, err
	}
	text, ok := s.Text()
	if !ok {
		return nil, s.Errorf("", "expected address, caller or a value such as request.body.email")
	}
	if near := config.Nearest(text, []string{"address", "caller"}); near != "" {
		return nil, s.Errorf(fmt.Sprintf("did you mean %q?", near), "a limit does not count by %q", text)
	}
	b, checked, err := rc.check(env, o, s, text, 0)
	if err != nil {
		return nil, err
	}
	if len(b.leaves) != 1 || checked.NativeRep().Expr().Kind() != ast.IdentKind || b.used.response || b.used.object {
		return nil, s.Errorf("use address, caller or a value such as request.body.email", "a limit counts by one value of the request")
	}
	get := b.leaves[0].get
	return func(in *Input) (string, bool) {
		switch v := get(in).(type) {
		case types.String:
			// priya@shop.example and Priya@Shop.example are one account to
			// whoever guesses its password.
			return strings.ToLower(strings.TrimSpace(string(v))), true
		case types.Int, types.Double, types.Bool:
			return fmt.Sprint(v), true
		}
		return "", false
	}, nil
}

// activation gives CEL the values of one evaluation.
type activation struct {
	in     *Input
	leaves []*leaf
}

var activations = sync.Pool{New: func() any { return new(activation) }}

// ResolveName finds "@3", the fourth value.
func (a *activation) ResolveName(name string) (any, bool) {
	if len(name) < 2 || name[0] != '@' {
		return nil, false
	}
	n := 0
	for i := 1; i < len(name); i++ {
		if name[i] < '0' || name[i] > '9' {
			return nil, false
		}
		n = n*10 + int(name[i]-'0')
	}
	if n >= len(a.leaves) {
		return nil, false
	}
	v := a.leaves[n].get(a.in)
	if v == nil {
		return nil, false
	}
	return v, true
}

// Parent is part of the interpreter's interface; there is none.
func (a *activation) Parent() interpreter.Activation { return nil }

// eval runs the expression. CEL makes an absent value an error, and so do a
// key that a map lacks and a number that overflows; to a rule they are false.
func (e *expression) eval(in *Input) (bool, error) {
	a := activations.Get().(*activation)
	a.in, a.leaves = in, e.leaves
	v, _, err := e.program.Eval(a)
	a.in, a.leaves = nil, nil
	activations.Put(a)
	if err != nil {
		if strings.Contains(err.Error(), "cost limit") {
			return false, errTooCostly
		}
		return false, nil
	}
	return v == ref.Val(types.True), nil
}

var errTooCostly = errors.New("contract: rule: the message holds too much to decide on")

var (
	noOverload = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '([^']*)'`)
	undeclared = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	noField    = regexp.MustCompile(`^undefined field '([^']*)'`)
	brackets   = regexp.MustCompile(`wrapper\(([a-z]+)\)`)
)

// explain puts a message of CEL's checker in our words.
func explain(message string, b *binder) (text, hint string) {
	message = brackets.ReplaceAllString(firstLine(message), "$1")
	if m := noOverload.FindStringSubmatch(message); m != nil {
		operator := strings.Trim(m[1], "_@")
		text = fmt.Sprintf("%s cannot be applied to %s", operator, shortNames.Replace(m[2]))
		hint = "string(…) and int(…) convert"
		if operator == "in" {
			hint = "in wants a list on its right"
		}
		if b.usesID {
			hint = "caller.id is string; say identity: subject: {type: integer} when subjects are numbers"
			if b.rc.l.integerSubject {
				hint = "caller.id is int, as identity.subject.type says"
			}
		}
		return text, hint
	}
	if m := undeclared.FindStringSubmatch(message); m != nil {
		names := []string{"caller", "request", "response", "object"}
		for n := range b.seen {
			names = append(names, n)
		}
		return fmt.Sprintf("unknown name %q", m[1]), didYouMean(m[1], names)
	}
	if m := noField.FindStringSubmatch(message); m != nil {
		var names []string
		for _, s := range b.rc.l.shapes.byName {
			names = append(names, s.names()...)
		}
		return fmt.Sprintf("unknown field %q", m[1]), didYouMean(m[1], names)
	}
	message, _, _ = strings.Cut(strings.TrimPrefix(message, "Syntax error: "), " expecting ")
	if strings.HasSuffix(message, "'<EOF>'") {
		message = "the expression ends too early"
	}
	return shortNames.Replace(message), ""
}

// shortNames makes of the names of types what a person would call them.
var shortNames = strings.NewReplacer("#/components/schemas/", "", "#/definitions/", "")

func typeName(t *types.Type) string {
	return shortNames.Replace(brackets.ReplaceAllString(t.String(), "$1"))
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimPrefix(s, "ERROR: ")
}
