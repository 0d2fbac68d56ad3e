package archive

import (
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// block reads one block: a request, a folder of ours, or nil when it holds
// variables and comments only.
func (h *httpReader) block(b httpBlock, refs map[string][]Capture) (*Item, *httpOwn, error) {
	it := &Item{Name: b.title, Line: b.line, Column: 1, Foreign: &httpSource{block: b, refs: refs}}
	r := &Request{Method: "GET"}
	var own *httpOwn
	var doc []string
	named := ""
	i := 0
head:
	for ; i < len(b.lines); i++ {
		line := strings.TrimSpace(b.lines[i])
		m := directive.FindStringSubmatch(line)
		switch {
		case line == "":
		case m != nil && m[1] == "parley":
			own = &httpOwn{}
			if err := json.Unmarshal([]byte(m[2]), own); err != nil {
				return nil, nil, h.fail(b.line+i, "@parley is followed by what is no JSON of ours: "+err.Error(), "take the line out to read the rest")
			}
		case m != nil:
			h.directive(m[1], strings.TrimSpace(m[2]), b.line+i, &named, r)
		case strings.HasPrefix(line, "#") || strings.HasPrefix(line, "//"):
			doc = append(doc, strings.TrimPrefix(strings.TrimLeft(line, "#/"), " "))
		case strings.HasPrefix(line, "@"):
			v := fileVariable.FindStringSubmatch(line)
			if v == nil {
				return nil, nil, h.fail(b.line+i, "expected a variable, found "+excerpt(line), "a variable is written @name = value")
			}
			h.vars = append(h.vars, Variable{Name: v[1], Value: strings.TrimSpace(v[2])})
		case strings.HasPrefix(line, "<"):
			n, err := h.script(it, "prerequest", b, i)
			if err != nil {
				return nil, nil, err
			}
			i = n
		case strings.HasPrefix(line, "import ") || strings.HasPrefix(line, "run "):
			_, name, _ := strings.Cut(line, " ")
			if name = strings.TrimSpace(name); strings.HasPrefix(name, "#") || !strings.Contains(name, ".") {
				h.warn(b.line+i, "%s, which is not run", excerpt(line))
			} else {
				h.include = append(h.include, name)
			}
		case strings.HasPrefix(line, ">") || strings.HasPrefix(line, "{") && !strings.HasPrefix(line, "{{") || strings.HasPrefix(line, "["):
			return nil, nil, h.fail(b.line+i, "expected a request line, found "+excerpt(line), "a request begins with its method and URL")
		default:
			it.Line = b.line + i
			break head
		}
	}
	it.Doc = strings.Join(doc, "\n")
	if named != "" {
		if it.Name != "" && it.Name != named {
			it.Doc = strings.TrimSuffix(it.Name+"\n"+it.Doc, "\n")
		}
		it.Name = named
	}
	if i == len(b.lines) {
		if own == nil || !own.Folder {
			return nil, own, nil
		}
		own.fill(it)
		return it, own, nil
	}
	i = h.line(r, b, i)
	var err error
	if i, err = h.fields(r, b, i); err != nil {
		return nil, nil, err
	}
	if err = h.rest(it, r, b, i); err != nil {
		return nil, nil, err
	}
	it.Request = r
	credentials(r)
	if strings.EqualFold(r.Method, "WEBSOCKET") || strings.EqualFold(r.Method, "GRPC") || strings.EqualFold(r.Method, "RSOCKET") {
		h.warn(it.Line, "a request by %s, which is not run", r.Method)
	}
	if named != "" {
		it.Capture = append(it.Capture, refs[named]...)
	}
	if own != nil {
		own.fill(it)
	}
	return it, own, nil
}

// directive reads "# @name value".
func (h *httpReader) directive(name, value string, line int, named *string, r *Request) {
	switch strings.ToLower(name) {
	case "name":
		*named = value
	case "no-redirect":
		r.Options.NoRedirect = true
	case "no-cookie-jar":
		r.Options.NoCookies = true
	case "timeout":
		r.Options.Timeout = seconds(value)
	case "no-log", "no-auto-encoding", "note", "connection-timeout", "title", "description", "tags":
	default:
		h.warn(line, "@%s, which is kept and has no effect", name)
	}
}

// seconds reads a length of time as JetBrains writes it: "600", "600 ms", "2 m".
func seconds(s string) float64 {
	s = strings.ReplaceAll(s, " ", "")
	if n, err := strconv.ParseFloat(s, 64); err == nil && n >= 0 {
		return n
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0
	}
	return d.Seconds()
}

// line reads the request line, which may go on in indented ones, and returns
// the number of the line after it.
func (h *httpReader) line(r *Request, b httpBlock, i int) int {
	line := strings.TrimSpace(b.lines[i])
	for i++; i < len(b.lines); i++ {
		next := strings.TrimSpace(b.lines[i])
		indented := next != "" && (b.lines[i][0] == ' ' || b.lines[i][0] == '\t')
		if !indented && !strings.HasPrefix(next, "?") && !strings.HasPrefix(next, "&") {
			break
		}
		if strings.HasPrefix(next, "# ") || strings.HasPrefix(next, "//") {
			continue
		}
		if strings.HasPrefix(next, "HTTP/") {
			next = " " + next
		}
		line += next
	}
	if m := httpVersion.FindStringSubmatch(line); m != nil {
		line = line[:len(line)-len(m[0])]
		r.Options.HTTP = map[string]string{"1.0": "1.1", "1.1": "1.1", "2": "2", "2.0": "2", "3": "3", "3.0": "3"}[m[1]]
	}
	if m := methodLine.FindStringSubmatch(line); m != nil && !strings.Contains(m[1], "://") {
		r.Method, line = m[1], m[2]
		if strings.ToLower(r.Method) == r.Method {
			r.Method = strings.ToUpper(r.Method)
		}
	}
	r.URL = strings.TrimSpace(line)
	return i
}

// fields reads header fields up to an empty line, or to what begins like a
// script or a file.
func (h *httpReader) fields(r *Request, b httpBlock, i int) (int, error) {
	for ; i < len(b.lines); i++ {
		line := strings.TrimSpace(b.lines[i])
		switch {
		case line == "":
			return i + 1, nil
		case strings.HasPrefix(line, "<") || strings.HasPrefix(line, ">"):
			return i, nil
		case directive.MatchString(line):
			m := directive.FindStringSubmatch(line)
			var named string
			h.directive(m[1], strings.TrimSpace(m[2]), b.line+i, &named, r)
		case strings.HasPrefix(line, "#") || strings.HasPrefix(line, "//"):
		default:
			m := fieldLine.FindStringSubmatch(line)
			if m == nil {
				return i, h.fail(b.line+i, "expected a header field, found "+excerpt(line), "a field is written Name: value; an empty line comes before the body")
			}
			r.Header = append(r.Header, Field{Name: m[1], Value: strings.TrimSpace(m[2])})
		}
	}
	return i, nil
}

// rest reads the body and what follows it: scripts, references to responses.
func (h *httpReader) rest(it *Item, r *Request, b httpBlock, i int) error {
	var body []string
	begin := b.line + i
	for ; i < len(b.lines); i++ {
		line := strings.TrimSpace(b.lines[i])
		switch {
		case strings.HasPrefix(line, "> {%") || strings.HasPrefix(line, ">{%") || strings.HasPrefix(line, "> ") && strings.HasSuffix(line, ".js"):
			n, err := h.script(it, "test", b, i)
			if err != nil {
				return err
			}
			i = n
		case strings.HasPrefix(line, ">> ") || strings.HasPrefix(line, ">>! "):
			h.warn(b.line+i, "the answer is to be written to a file, which is not done")
		case strings.HasPrefix(line, "<> "):
		case strings.HasPrefix(line, "?? "):
			h.assert(it, strings.TrimSpace(line[3:]), b.line+i)
		default:
			body = append(body, b.lines[i])
		}
	}
	h.body(r, body, begin)
	return nil
}

// script reads "> {% ... %}" and "> file.js", and the same with < before a
// request. It returns the number of its last line.
func (h *httpReader) script(it *Item, when string, b httpBlock, i int) (int, error) {
	line := strings.TrimSpace(b.lines[i])
	text := strings.TrimSpace(line[1:])
	if !strings.HasPrefix(text, "{%") {
		h.warn(b.line+i, "a script in %s, which is not run", filepath.Base(text))
		return i, nil
	}
	at := i
	rest := strings.TrimPrefix(text, "{%")
	for !strings.Contains(rest, "%}") {
		if i++; i >= len(b.lines) {
			return i, h.fail(b.line+at, "a script without an end", "it ends with %}")
		}
		rest += "\n" + b.lines[i]
	}
	rest, _, _ = strings.Cut(rest, "%}")
	s := Script{When: when, Language: "jetbrains", Text: strings.Trim(rest, "\n"), Line: b.line + at}
	it.Scripts = append(it.Scripts, s)
	if !understood(it, s) {
		h.warn(b.line+at, "a script of JetBrains, which is kept and not run")
	}
	return i, nil
}
