package filter

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits on a filter's text; what a person writes is far below them.
const (
	maxText  = 8 << 10
	maxDepth = 100
)

// Parse reads a filter. Empty text lets everything through. The error is an
// *Error with the column and, where there is one, a hint.
func Parse(text string) (*Expr, error) {
	if len(text) > maxText {
		return nil, &Error{Column: 1, What: fmt.Sprintf("the filter is longer than %d bytes", maxText)}
	}
	p := &parser{text: text}
	p.space()
	if p.at == len(text) {
		return New(And{})
	}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.at < len(text) { // only a closing parenthesis stops or early
		return nil, p.fail(p.at, "nothing was opened that ) could close", "quote it to search for it")
	}
	c := compiler{}
	m, err := c.compile(root)
	if err != nil {
		return nil, err
	}
	return &Expr{Root: root, match: m, bodies: c.bodies}, nil
}

// parser reads by recursive descent: or > and > not > term.
type parser struct {
	text  string
	at    int
	depth int
}

func (p *parser) fail(at int, what, hint string) *Error {
	return &Error{Column: utf8.RuneCountInString(p.text[:at]) + 1, What: what, Hint: hint}
}

func (p *parser) space() {
	for p.at < len(p.text) {
		r, n := utf8.DecodeRuneInString(p.text[p.at:])
		if !unicode.IsSpace(r) {
			return
		}
		p.at += n
	}
}

// word reports whether the operator w stands here, and steps over it.
func (p *parser) word(w string) bool {
	rest := p.text[p.at:]
	if !strings.HasPrefix(rest, w) || !delimited(rest[len(w):]) {
		return false
	}
	p.at += len(w)
	p.space()
	return true
}

// delimited reports whether a word may end before rest.
func delimited(rest string) bool {
	if rest == "" || rest[0] == '(' || rest[0] == ')' {
		return true
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return unicode.IsSpace(r)
}

func (p *parser) or() (Node, error) {
	var or Or
	for {
		n, err := p.and()
		if err != nil {
			return nil, err
		}
		or = append(or, n)
		if !p.word("OR") {
			break
		}
	}
	if len(or) == 1 {
		return or[0], nil
	}
	return or, nil
}

func (p *parser) and() (Node, error) {
	var and And
	for {
		n, err := p.not()
		if err != nil {
			return nil, err
		}
		and = append(and, n)
		if p.word("AND") {
			continue
		}
		if p.at == len(p.text) || p.text[p.at] == ')' || p.peek("OR") {
			break
		}
	}
	if len(and) == 1 {
		return and[0], nil
	}
	return and, nil
}

func (p *parser) peek(w string) bool {
	rest := p.text[p.at:]
	return strings.HasPrefix(rest, w) && delimited(rest[len(w):])
}

func (p *parser) not() (Node, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, p.fail(p.at, "too deeply nested", "")
	}
	start := p.at
	switch {
	case p.at == len(p.text):
		return nil, p.fail(p.at, "a term is missing at the end", "quote AND, OR and NOT to search for them")
	case p.peek("AND"), p.peek("OR"):
		return nil, p.fail(p.at, "a term is missing before "+strings.Fields(p.text[p.at:])[0], "quote AND, OR and NOT to search for them")
	case p.word("NOT"):
		n, err := p.not()
		return Not{n}, err
	case p.text[p.at] == '-' && p.at+1 < len(p.text) && p.text[p.at+1] != ')' && !delimited(p.text[p.at+1:]) || strings.HasPrefix(p.text[p.at:], "-("):
		p.at++
		n, err := p.not()
		return Not{n}, err
	case p.text[p.at] == '(':
		p.at++
		p.space()
		if p.at < len(p.text) && p.text[p.at] == ')' {
			return nil, p.fail(start, "there is nothing between ( and )", "")
		}
		n, err := p.or()
		if err != nil {
			return nil, err
		}
		if p.at == len(p.text) {
			return nil, p.fail(start, "this ( is never closed", "")
		}
		p.at++ // or stops at the end or at )
		p.space()
		return n, nil
	case p.text[p.at] == ')':
		return nil, p.fail(p.at, "a term is missing before )", "")
	}
	n, err := p.term()
	p.space()
	return n, err
}

func (p *parser) term() (Node, error) {
	start := p.at
	if p.text[p.at] != '"' && p.text[p.at] != '/' {
		if t, ok, err := p.keyed(); err != nil || ok {
			return t, err
		}
		p.at = start
	}
	v, re, err := p.value()
	if err != nil {
		return nil, err
	}
	t := Term{Op: Has, Value: v}
	if re {
		t.Op = Matches
	}
	return p.check(start, start, t)
}

// ops are tried in this order, so that >= is not read as > and a value.
var ops = []Op{GreaterEqual, LessEqual, IsNot, Has, Is, Greater, Less}

func (p *parser) op() (Op, bool) {
	for _, o := range ops {
		if strings.HasPrefix(p.text[p.at:], string(o)) {
			p.at += len(o)
			return o, true
		}
	}
	return "", false
}

// keyed reads key, operator and value. It is not ok, and no error, when what
// stands here is a plain word.
func (p *parser) keyed() (Node, bool, error) {
	start := p.at
	for p.at < len(p.text) && keyByte(p.text[p.at]) {
		p.at++
	}
	key := p.text[start:p.at]
	if key == "" || !letter(key[0]) {
		return nil, false, nil
	}
	opAt := p.at
	op, ok := p.op()
	if !ok {
		return nil, false, nil
	}
	name, known := canonical(key)
	if !known {
		// A pasted URL or query (https://…, user_id=101) is text.
		rest := p.text[p.at:]
		switch {
		case op == Is, op == IsNot:
			return nil, false, nil
		case op == Has && strings.HasPrefix(rest, "//"):
			return nil, false, nil
		case op != Has && (rest == "" || rest[0] < '0' || rest[0] > '9'):
			return nil, false, nil
		}
		return nil, false, p.fail(start, fmt.Sprintf("%q is not a word of the filter language", key), suggestKey(key))
	}
	if op == Has { // size:>10k is what some are used to
		if o, ok := p.op(); ok && o != Has {
			op = o
		} else if ok {
			p.at--
		}
	}
	valueAt := p.at
	if p.at == len(p.text) || delimited(p.text[p.at:]) {
		return nil, false, p.fail(opAt, key+" needs a value", `"" is the empty text`)
	}
	v, re, err := p.value()
	if err != nil {
		return nil, false, err
	}
	if re {
		switch op {
		case Has, Is:
			op = Matches
		default:
			return nil, false, p.fail(opAt, fmt.Sprintf("a regular expression cannot follow %s", op), "use : or put - in front")
		}
	}
	t, err := p.check(start, valueAt, Term{Key: name, Op: op, Value: v})
	return t, true, err
}

// check compiles a term once so that its error can say the column.
func (p *parser) check(start, valueAt int, t Term) (Node, error) {
	c := compiler{}
	if _, err := c.compile(t); err != nil {
		var e *Error
		if errors.As(err, &e) {
			return nil, p.fail(valueAt, e.What, e.Hint)
		}
		return nil, p.fail(start, err.Error(), "")
	}
	return t, nil
}

// value reads a quoted text, a regular expression or a bare word.
func (p *parser) value() (v string, re bool, err error) {
	start := p.at
	switch p.text[p.at] {
	case '"':
		var b strings.Builder
		for i := p.at + 1; i < len(p.text); i++ {
			switch c := p.text[i]; {
			case c == '"':
				p.at = i + 1
				if p.at < len(p.text) && !delimited(p.text[p.at:]) {
					return "", false, p.fail(p.at, "a space is missing after the closing quote", "")
				}
				return b.String(), false, nil
			case c == '\\' && i+1 < len(p.text) && (p.text[i+1] == '"' || p.text[i+1] == '\\'):
				i++
				b.WriteByte(p.text[i])
			default:
				b.WriteByte(c)
			}
		}
		return "", false, p.fail(start, "this quote is never closed", `write \" for a quote inside quotes`)
	case '/':
		if end := regexpEnd(p.text[p.at:]); end > 0 {
			v = p.text[p.at+1 : p.at+end]
			p.at += end + 1
			return v, true, nil
		}
	}
	for p.at < len(p.text) && !delimited(p.text[p.at:]) {
		_, n := utf8.DecodeRuneInString(p.text[p.at:])
		p.at += n
	}
	return p.text[start:p.at], false, nil
}

// regexpEnd returns where the slash is that closes the expression s begins
// with: the first one before white space that ends a word. 0 means none.
func regexpEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && s[i+1] < utf8.RuneSelf && s[i+1] > ' ':
			i++
		case c == '/' && i > 1 && delimited(s[i+1:]):
			return i
		default:
			if r, _ := utf8.DecodeRuneInString(s[i:]); unicode.IsSpace(r) {
				return 0
			}
		}
	}
	return 0
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func keyByte(c byte) bool {
	return letter(c) || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
}
