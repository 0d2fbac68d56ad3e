package archive

import (
	"strings"
)

// escapeCurl percent-encodes as curl does: all but the unreserved characters
// (RFC 3986, 2.3), with "+" for a space. Variables are left alone.
func escapeCurl(s string, space string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '{' {
			if m := anyReference.FindStringIndex(s[i:]); m != nil && m[0] == 0 {
				b.WriteString(s[i : i+m[1]])
				i += m[1] - 1
				continue
			}
		}
		switch {
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		case c == ' ':
			b.WriteString(space)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// urlencodeOption reads the value of --data-urlencode: content, =content,
// name=content, @file, name@file.
func urlencodeOption(v string) (text, file string) {
	i := strings.IndexAny(v, "=@")
	if eq := strings.IndexByte(v, '='); eq >= 0 {
		i = eq
	}
	if i < 0 {
		return escapeCurl(v, "+"), ""
	}
	name := v[:i]
	if name != "" {
		name += "="
	}
	if v[i] == '@' {
		return name, v[i+1:]
	}
	return name + escapeCurl(v[i+1:], "+"), ""
}

// queryOption reads --url-query: as --data-urlencode, and +text for what is
// encoded already.
func (p *curlParser) queryOption(w curlWord, v string) {
	if raw, ok := strings.CutPrefix(v, "+"); ok {
		p.query = append(p.query, raw)
		return
	}
	text, file := urlencodeOption(v)
	switch {
	case file == "-" && p.cmd.stdinFile == "":
		text += escapeCurl(p.cmd.stdin, "+")
	case file != "":
		p.extra = append(p.extra, "--url-query", v)
		p.r.warn(uint(w.line), "a query out of a file: curl reads it, nobody else")
		return
	}
	p.query = append(p.query, text)
}

// formOption reads the value of -F: name=content, name=@file, name=<file, each
// followed by ;type=…, ;filename=… and the like. Content and names of files may
// stand in double quotes.
func (p *curlParser) formOption(w curlWord, v string) ([]FormField, error) {
	name, rest, ok := strings.Cut(v, "=")
	if !ok {
		return nil, p.fail(w, "a form's field is NAME=VALUE", "-F 'name=value'")
	}
	if strings.HasPrefix(rest, "(") && len(rest) > 1 || name == "" && rest == ")" {
		p.r.warn(uint(w.line), "a form inside a form: it is kept for curl alone")
		p.extra = append(p.extra, "--form", v)
		return nil, nil
	}
	f := FormField{Field: Field{Name: name}}
	switch {
	case strings.HasPrefix(rest, "@"):
		var fields []FormField
		for rest = rest[1:]; ; {
			one := f
			one.File, rest = formWord(rest, ";,")
			rest = p.formParameters(w, &one, rest)
			if one.File == "-" && p.cmd.stdinFile == "" {
				one.File = ""
				one.Value = p.cmd.stdin
			} else if one.File == "-" {
				one.File = p.cmd.stdinFile
			}
			fields = append(fields, one)
			if !strings.HasPrefix(rest, ",") {
				return fields, nil
			}
			if len(fields) == 1 {
				p.r.warn(uint(w.line), "several files in one field: curl nests them, here they are fields of their own")
			}
			rest = rest[1:]
		}
	case strings.HasPrefix(rest, "<"):
		f.File, rest = formWord(rest[1:], ";")
		f.Inline = true
		if f.File == "-" {
			if f.File = p.cmd.stdinFile; f.File == "" {
				f.Value, f.Inline = p.cmd.stdin, false
			}
		}
	default:
		f.Value, rest = formWord(rest, ";")
		if !formParameter(rest) { // a semicolon that belongs to the text
			f.Value += rest
			rest = ""
		}
	}
	p.formParameters(w, &f, rest)
	return []FormField{f}, nil
}

// formWord reads a word that may be quoted, up to one of the ends.
func formWord(s, ends string) (word, rest string) {
	t := strings.TrimLeft(s, " \t")
	if strings.HasPrefix(t, `"`) {
		var b strings.Builder
		for i := 1; i < len(t); i++ {
			switch {
			case t[i] == '\\' && i+1 < len(t) && (t[i+1] == '\\' || t[i+1] == '"'):
				i++
				b.WriteByte(t[i])
			case t[i] == '"':
				after := strings.TrimLeft(t[i+1:], " \t")
				if after == "" || strings.IndexByte(ends, after[0]) >= 0 {
					return b.String(), after
				}
				if j := strings.IndexAny(after, ends); j >= 0 { // curl drops what follows the quote
					return b.String(), after[j:]
				}
				return b.String(), ""
			default:
				b.WriteByte(t[i])
			}
		}
	}
	// Around text without quotes blanks do not count.
	if i := strings.IndexAny(t, ends); i >= 0 {
		return strings.TrimRight(t[:i], " \t"), t[i:]
	}
	return strings.TrimRight(t, " \t"), ""
}

// formParameter reports whether what follows a value is one of the parameters
// that curl knows.
func formParameter(rest string) bool {
	rest = strings.TrimLeft(strings.TrimPrefix(rest, ";"), " \t")
	for _, k := range []string{"type=", "filename=", "headers=", "encoder="} {
		if len(rest) >= len(k) && strings.EqualFold(rest[:len(k)], k) {
			return true
		}
	}
	return rest == ""
}

// formParameters reads ;type=…;filename=… and returns what follows.
func (p *curlParser) formParameters(w curlWord, f *FormField, rest string) string {
	for strings.HasPrefix(rest, ";") {
		rest = strings.TrimLeft(rest[1:], " \t")
		key, after, ok := strings.Cut(rest, "=")
		if !ok {
			return rest
		}
		switch strings.ToLower(key) {
		case "type":
			// The type may have parameters of its own: text/plain; charset=utf-8.
			end := 0
			for end < len(after) && after[end] != ',' && (after[end] != ';' || !formParameter(after[end:])) {
				end++
			}
			f.MediaType, rest = strings.TrimSpace(after[:end]), after[end:]
		case "filename":
			f.FileName, rest = formWord(after, ";,")
		default:
			var value string
			value, rest = formWord(after, ";,")
			_ = value
			p.r.warn(uint(w.line), "-F …;%s=: it is left out", shortened(key))
		}
	}
	return rest
}
