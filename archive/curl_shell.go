package archive

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// A curlCommand is one call of curl in a script.
type curlCommand struct {
	words   []curlWord
	comment string
	// stdin is what the command reads: the text of a here-document, or a file.
	stdin     string
	stdinFile string // "-" when it is not known
	line      int
	column    int
}

type curlWord struct {
	text         string
	line, column int
}

var (
	curlCall = regexp.MustCompile(`(?m)(?:^|[|;&])\s*(?:[$>#%]\s+)?(?:sudo\s+|time\s+)?(?:[A-Za-z_]\w*=\S*\s+)*(?:\S*[/\\])?curl(?:\.exe)?[\s"']`)
	// httpLine is what .http files have and scripts have not.
	httpLine = regexp.MustCompile(`(?m)^(?:###|(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) \S)`)
	prompt   = regexp.MustCompile(`(?m)^([ \t]*)[$>%][ \t]+((?:\S*/)?curl(?:\.exe)?[ \t])`)
)

func isCurl(file string, data []byte) bool {
	switch strings.ToLower(extension(file)) {
	case ".curl":
		return true
	case ".sh", ".bash":
		return curlCall.MatchString(decodeText(data))
	case ".har", ".json", ".http", ".rest", ".bru", ".yaml", ".yml", ".html", ".md":
		return false
	}
	text := decodeText(data)
	loc := curlCall.FindStringIndex(text)
	// A script begins with comments, assignments or the call itself, not with
	// the brackets of another format.
	return loc != nil && !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") && !httpLine.MatchString(text)
}

// maxScript is the largest script of curl calls that is read.
const maxScript = 64 << 20

// A shellReader takes the calls of curl out of a script. Nothing is run: a
// variable becomes {{NAME}}.
type shellReader struct {
	file     string
	c        *Collection
	commands []*curlCommand
	substs   int
}

func (r *shellReader) warn(line uint, format string, args ...any) {
	r.c.Warnings = append(r.c.Warnings, fmt.Sprintf("%s:%d: %s", r.file, line, fmt.Sprintf(format, args...)))
}

func (r *shellReader) read(data []byte) error {
	text := decodeText(data)
	if isCmd(text) {
		text = fromCmd(text)
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = prompt.ReplaceAllString(text, "$1  $2") // the prompt of whoever pasted it
	f, err := syntax.NewParser(syntax.KeepComments(true)).Parse(strings.NewReader(text), r.file)
	if err != nil {
		e := &Error{File: r.file, Text: "is no shell command", Hint: "curl's arguments are quoted as a shell wants them"}
		var syntaxErr syntax.ParseError
		var lang syntax.LangError
		switch {
		case errors.As(err, &syntaxErr):
			e.Line, e.Column, e.Text = int(syntaxErr.Pos.Line()), int(syntaxErr.Pos.Col()), syntaxErr.Text
		case errors.As(err, &lang):
			e.Line, e.Column = int(lang.Pos.Line()), int(lang.Pos.Col())
		}
		return e
	}
	for _, s := range f.Stmts {
		r.stmt(s, "")
	}
	return nil
}

// stmt reads a statement. stdin is "-" when something is piped into it.
func (r *shellReader) stmt(s *syntax.Stmt, stdin string) {
	var comment []string
	for _, c := range s.Comments {
		if c.Pos().Line() < s.Pos().Line() && !strings.HasPrefix(c.Text, "!") {
			comment = append(comment, strings.TrimSpace(c.Text))
		}
	}
	switch n := s.Cmd.(type) {
	case *syntax.CallExpr:
		r.call(s, n, strings.TrimSpace(strings.Join(comment, "\n")), stdin)
	case *syntax.BinaryCmd:
		r.stmt(n.X, stdin)
		if n.Op == syntax.Pipe || n.Op == syntax.PipeAll {
			r.stmt(n.Y, "-")
		} else {
			r.stmt(n.Y, stdin)
		}
	case *syntax.Block:
		r.stmts(n.Stmts)
	case *syntax.Subshell:
		r.stmts(n.Stmts)
	case *syntax.DeclClause: // export NAME=value
		for _, a := range n.Args {
			r.assign(a)
		}
	case *syntax.TimeClause:
		if n.Stmt != nil {
			r.stmt(n.Stmt, stdin)
		}
	case nil:
	default:
		before := len(r.commands)
		syntax.Walk(s.Cmd, func(n syntax.Node) bool {
			if in, ok := n.(*syntax.Stmt); ok {
				if call, ok := in.Cmd.(*syntax.CallExpr); ok {
					r.call(in, call, "", "-")
				}
			}
			return true
		})
		if len(r.commands) > before {
			r.warn(s.Pos().Line(), "a loop, condition or function: what is in it is read once")
		}
	}
}

func (r *shellReader) stmts(ss []*syntax.Stmt) {
	for _, s := range ss {
		r.stmt(s, "")
	}
}

func (r *shellReader) assign(a *syntax.Assign) {
	if a.Name == nil || a.Value == nil {
		return
	}
	r.c.Variables = append(r.c.Variables, Variable{Name: a.Name.Value, Value: r.word(a.Value)})
}

func (r *shellReader) call(s *syntax.Stmt, n *syntax.CallExpr, comment, stdin string) {
	if len(n.Args) == 0 {
		for _, a := range n.Assigns {
			r.assign(a)
		}
		return
	}
	at := -1
	for i, w := range n.Args {
		name := w.Lit()
		if name = name[strings.LastIndexAny(name, `/\`)+1:]; name == "curl" || name == "curl.exe" {
			at = i
			break
		}
		if i == 0 && name != "sudo" && name != "command" && name != "exec" && name != "env" && name != "nohup" {
			return
		}
	}
	if at < 0 {
		return
	}
	for _, a := range n.Assigns {
		r.assign(a)
	}
	c := &curlCommand{comment: comment, line: int(n.Args[at].Pos().Line()), column: int(n.Args[at].Pos().Col()), stdinFile: stdin}
	for _, w := range n.Args[at+1:] {
		c.words = append(c.words, curlWord{r.word(w), int(w.Pos().Line()), int(w.Pos().Col())})
	}
	for _, d := range s.Redirs {
		switch d.Op {
		case syntax.RdrIn:
			c.stdinFile = r.word(d.Word)
		case syntax.Hdoc, syntax.DashHdoc:
			c.stdin, c.stdinFile = r.document(d.Hdoc), ""
		case syntax.WordHdoc:
			c.stdin, c.stdinFile = r.word(d.Word)+"\n", ""
		}
	}
	if c.stdinFile == "" && c.stdin == "" {
		c.stdinFile = "-"
	}
	r.commands = append(r.commands, c)
}

// word is the text of a word, with {{NAME}} for variables.
func (r *shellReader) word(w *syntax.Word) string {
	if w == nil {
		return ""
	}
	line := w.Pos().Line()
	r.simplify(w.Parts, line)
	unescape(w.Parts)
	return r.expand(w, line)
}

// unescape takes the backslashes out of what stands in no quotes; the library
// takes all of a word for text in double quotes, where few of them count.
func unescape(parts []syntax.WordPart) {
	for i, p := range parts {
		l, ok := p.(*syntax.Lit)
		if !ok || !strings.Contains(l.Value, `\`) {
			continue
		}
		var b strings.Builder
		for k := 0; k < len(l.Value); k++ {
			if l.Value[k] == '\\' && k+1 < len(l.Value) {
				if k++; l.Value[k] == '\n' {
					continue
				}
			}
			b.WriteByte(l.Value[k])
		}
		parts[i] = &syntax.SglQuoted{Value: b.String()}
	}
}

// document is the text of a here-document.
func (r *shellReader) document(w *syntax.Word) string {
	if w == nil {
		return ""
	}
	line := w.Pos().Line()
	r.simplify(w.Parts, line)
	return r.expand(w, line)
}

func (r *shellReader) expand(w *syntax.Word, line uint) (text string) {
	defer func() {
		// The library expands what it parsed; what it cannot is kept as it stands.
		if recover() != nil {
			text = r.asItStands(w, line)
		}
	}()
	s, err := expand.Literal(&expand.Config{
		Env: expand.FuncEnviron(func(name string) string { return "{{" + name + "}}" }),
	}, w)
	if err != nil {
		return r.asItStands(w, line)
	}
	return s
}

func (r *shellReader) asItStands(w *syntax.Word, line uint) string {
	r.warn(line, "a word that only a shell can expand: it is kept as it stands")
	var b strings.Builder
	if syntax.NewPrinter().Print(&b, w) != nil {
		return ""
	}
	return b.String()
}

// simplify makes a plain variable of all that would have to be run or
// computed: ${NAME:-x} is {{NAME}}, the output of a command {{output1}}.
func (r *shellReader) simplify(parts []syntax.WordPart, line uint) {
	for i, p := range parts {
		switch p := p.(type) {
		case *syntax.DblQuoted:
			r.simplify(p.Parts, line)
		case *syntax.ParamExp:
			name := "variable"
			if p.Param != nil {
				name = p.Param.Value
			}
			parts[i] = variablePart(name)
		case *syntax.CmdSubst, *syntax.ArithmExp, *syntax.ProcSubst:
			r.substs++
			r.warn(line, "the output of a command is not known here: it is the variable output%d", r.substs)
			parts[i] = variablePart(fmt.Sprintf("output%d", r.substs))
		}
	}
}

// variablePart is the reference to a variable, as a part that is not expanded.
func variablePart(name string) syntax.WordPart {
	return &syntax.SglQuoted{Value: "{{" + name + "}}"}
}
