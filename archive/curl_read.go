package archive

import (
	"fmt"
	"strings"
)

// curl's command lines are read with the meaning that curl 8 gives them:
// what it would send by itself, such as Accept: */*, is in the request, with
// the exception of its User-Agent.

func readCurl(file string, data []byte) (*Collection, error) {
	if len(data) > maxScript {
		return nil, &Error{File: file, Text: fmt.Sprintf("has %d MiB, and at most %d are read", len(data)>>20, maxScript>>20)}
	}
	c := &Collection{Format: "curl", File: file}
	r := &shellReader{file: file, c: c}
	if err := r.read(data); err != nil {
		return nil, err
	}
	for _, cmd := range r.commands {
		p := &curlParser{r: r, cmd: cmd}
		if err := p.parse(); err != nil {
			return nil, err
		}
	}
	if len(c.Items) == 0 {
		return nil, &Error{File: file, Line: 1, Column: 1, Text: "calls curl nowhere with a URL", Hint: "begin with: curl https://…"}
	}
	return c, nil
}

// curlForeign is what a Request has no word for.
type curlForeign struct {
	// Extra are options that are written again as they were.
	Extra []string
	// ByOption are the header fields, in lower case, that came from options of
	// their own: curl sends those before the ones of -H.
	ByOption []string
	// Method is true when the method was given although curl would choose it.
	Method bool
	// Upload is true for the body of -T.
	Upload bool
	// Text is true for a form whose fields came from --form-string.
	Form bool
}

// A curlParser reads the words of one command.
type curlParser struct {
	r   *shellReader
	cmd *curlCommand
	curlState
	made int
}

// curlState is what holds until --next.
type curlState struct {
	urls            []curlWord
	uploads         []string
	method          string
	head, get, json bool
	globoff         bool
	header          []Field
	agent, referer  *string
	byteRange       string
	cookies         []string
	data            []Piece
	form            []FormField
	query           []string
	user            *string
	schemes         []string
	bearer, sigv4   string
	options         Options
	extra           []string
}

func (p *curlParser) fail(w curlWord, text, hint string) error {
	return &Error{File: p.r.file, Line: w.line, Column: w.column, Text: text, Hint: hint}
}

func (p *curlParser) parse() error {
	words := p.cmd.words
	only := false // after -- there are URLs only
	for i := 0; i < len(words); i++ {
		w := words[i]
		next := func(o string) (string, error) {
			if i+1 >= len(words) {
				return "", p.fail(w, "option "+o+" needs a value", "curl "+o+" VALUE")
			}
			i++
			return words[i].text, nil
		}
		switch {
		case !only && w.text == "--":
			only = true
		case only || w.text == "-" || !strings.HasPrefix(w.text, "-") || w.text == "":
			if strings.TrimSpace(w.text) != "" {
				p.urls = append(p.urls, w)
			} else if w.text != "" {
				p.r.warn(uint(w.line), "a word of spaces: a backslash ends its line only when nothing follows it")
			}
		case strings.HasPrefix(w.text, "--"):
			name, joined, has := strings.Cut(w.text[2:], "=")
			o, off := longOption(name)
			if o == nil {
				hint := nearOption(name)
				if hint == "" {
					hint = "curl --help all lists them"
				}
				return p.fail(w, "curl has no option --"+shortened(name), hint)
			}
			value := joined
			var err error
			if o.value && !has {
				value, err = next("--" + o.long)
			}
			if err == nil {
				err = p.option(w, o, value, off)
			}
			if err != nil {
				return err
			}
		default:
			for rest := w.text[1:]; rest != ""; {
				var o *curlOption
				if rest[0] < 128 {
					o = curlShort[rest[0]]
				}
				if o == nil {
					return p.fail(w, "curl has no option -"+shortened(rest[:1]), "curl --help all lists them")
				}
				rest = rest[1:]
				value := ""
				if o.value {
					var err error
					if value, rest = rest, ""; value == "" {
						if value, err = next("-" + string(o.short)); err != nil {
							return err
						}
					}
				}
				if err := p.option(w, o, value, false); err != nil {
					return err
				}
			}
		}
	}
	return p.finish()
}

// clip bounds a word of a message.
func shortened(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// option takes one option.
func (p *curlParser) option(w curlWord, o *curlOption, v string, off bool) error {
	switch o.use {
	case 'd':
		return nil
	case 'k':
		name := "--" + o.long
		if off {
			name = "--no-" + o.long
		}
		p.extra = append(p.extra, name)
		if o.value {
			p.extra = append(p.extra, v)
		}
		return nil
	}
	switch o.long {
	case "next":
		if err := p.finish(); err != nil {
			return err
		}
		p.curlState = curlState{}
	case "url":
		p.urls = append(p.urls, curlWord{v, w.line, w.column})
	case "request":
		p.method = v
	case "head":
		p.head = !off
	case "get":
		p.get = !off
	case "globoff":
		p.globoff = !off
	case "header":
		p.headerOption(w, v)
	case "user-agent":
		p.agent = &v
	case "referer":
		v = strings.TrimSuffix(v, ";auto")
		p.referer = &v
	case "range":
		p.byteRange = v
	case "cookie":
		switch {
		case strings.HasPrefix(v, "@") || !strings.Contains(v, "=") && !strings.Contains(v, "{{"):
			p.extra = append(p.extra, "--cookie", v)
			p.r.warn(uint(w.line), "cookies in the file %s: they are not read", shortened(strings.TrimPrefix(v, "@")))
		default:
			p.cookies = append(p.cookies, v)
		}
	case "data", "data-ascii":
		p.dataOption(v, true, true)
	case "data-binary":
		p.dataOption(v, true, false)
	case "data-raw":
		p.dataOption(v, false, false)
	case "json":
		p.json = true
		p.dataFrom(v, true, false, "")
	case "data-urlencode":
		text, file := urlencodeOption(v)
		p.add(Piece{Text: text, File: file, Encoded: file != ""}, "&")
	case "url-query":
		p.queryOption(w, v)
	case "form":
		fields, err := p.formOption(w, v)
		if err != nil {
			return err
		}
		p.form = append(p.form, fields...)
	case "form-string":
		name, value, ok := strings.Cut(v, "=")
		if !ok {
			return p.fail(w, "a form's field is NAME=VALUE", "")
		}
		p.form = append(p.form, FormField{Field: Field{Name: name, Value: value}})
	case "upload-file":
		p.uploads = append(p.uploads, v)
	default:
		return p.connectionOption(w, o, v, off)
	}
	return nil
}
