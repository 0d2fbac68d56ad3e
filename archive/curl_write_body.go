package archive

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

func (a *curlArguments) body() {
	b := a.r.Body
	if !a.hasBody() {
		return
	}
	switch b.Mode {
	case "urlencoded":
		n := 0
		for _, f := range b.Fields {
			if !f.Disabled {
				a.put("--data-urlencode", escapeCurl(f.Name, "+")+"="+f.Value)
				n++
			}
		}
		if n == 0 {
			a.put("--data-raw", "")
		}
	case "form-data":
		for _, f := range b.Fields {
			if !f.Disabled {
				a.formField(f)
			}
		}
	case "graphql":
		a.put("--data-raw", graphqlText(b))
	case "file":
		switch {
		case a.f.Upload, b.MediaType == "" && a.r.Method == "PUT" && !fieldIn(a.r.Header, "Content-Type"):
			a.put("--upload-file", b.File)
		case b.Joined:
			a.put("--data", "@"+b.File)
		default:
			a.put("--data-binary", "@"+b.File)
		}
	case "pieces":
		for i, p := range b.Pieces {
			text := p.Text
			if i > 0 {
				text = strings.TrimPrefix(text, "&") // curl puts it there
			}
			switch {
			case p.Encoded:
				before, name := "", strings.TrimSuffix(text, "=")
				if j := strings.LastIndexByte(name, '&'); j >= 0 {
					before, name = name[:j], name[j+1:]
					a.put("--data-raw", before)
				}
				a.put("--data-urlencode", name+"@"+p.File)
			case p.File != "":
				if text = strings.TrimSuffix(text, "&"); text != "" {
					a.put("--data-raw", text)
				}
				if p.Joined {
					a.put("--data", "@"+p.File)
				} else {
					a.put("--data-binary", "@"+p.File)
				}
			default:
				a.put("--data-raw", text)
			}
		}
	default:
		if strings.IndexByte(b.Text, 0) >= 0 {
			a.warnings = append(a.warnings, "its body has zero bytes, which no argument can hold")
		}
		if a.f.Upload {
			a.warnings = append(a.warnings, "its body came from standard input")
		}
		a.put("--data-raw", b.Text)
	}
}

func graphqlText(b *Body) string {
	t := object(member{"query", str(b.Text)}, member{"operationName", strOrNone(b.Operation)})
	if v, err := parseTree("", []byte(b.Variables)); err == nil {
		t.members = append(t.members, member{"variables", v})
	} else if strings.TrimSpace(b.Variables) != "" {
		q, _ := json.Marshal(b.Text)
		return `{"query":` + string(q) + `,"variables":` + b.Variables + `}`
	}
	return t.compact()
}

// formOption finds what follows a type in -F (the curl manual, --form).
var formOption = regexp.MustCompile(`(?i);\s*(type|filename|headers|encoder)=`)

// unclear reports whether a variable in s may hold what -F does not take as it is.
func (a *curlArguments) unclear(s string) bool {
	return slices.ContainsFunc(reference.FindAllStringSubmatch(s, -1), func(m []string) bool { return a.form[m[1]] })
}

// formField writes -F. Text that curl would take for something else is quoted.
func (a *curlArguments) formField(f FormField) {
	quoted := func(s string) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
	word := func(s string) string {
		if strings.ContainsAny(s, `;,"\`) || strings.TrimSpace(s) != s {
			return quoted(s)
		}
		return s
	}
	v := f.Name + "="
	// Part of the name, the type or a variable's value must not be read as the
	// options of a field: headers=@FILE would send any file.
	if formOption.MatchString(f.MediaType) || a.unclear(f.MediaType) {
		a.warnings = append(a.warnings, "the type of the form's field "+f.Name+" is left out: curl would take it for more")
		f.MediaType = ""
	}
	if f.File == "" && (strings.Contains(f.Name, "=") || a.unclear(f.Name+f.Value)) {
		if f.MediaType != "" || f.FileName != "" {
			a.warnings = append(a.warnings, "the type and file name of the form's field "+f.Name+" are left out: curl would take its text for more")
		}
		a.put("--form-string", v+f.Value)
		return
	}
	switch {
	case f.File != "" && f.Inline:
		v += "<" + word(f.File)
	case f.File != "":
		v += "@" + word(f.File)
	case f.MediaType == "" && f.FileName == "":
		if f.Value == "" || !strings.ContainsAny(f.Value, `@<;"(\`) && strings.TrimSpace(f.Value) == f.Value {
			a.put("-F", v+f.Value)
		} else {
			a.put("--form-string", v+f.Value)
		}
		return
	default:
		if v += f.Value; strings.ContainsAny(f.Value, `@<;"(\`) || strings.TrimSpace(f.Value) != f.Value {
			v = f.Name + "=" + quoted(f.Value)
		}
	}
	if f.MediaType != "" {
		v += ";type=" + f.MediaType
	}
	if f.FileName != "" {
		v += ";filename=" + word(f.FileName)
	}
	a.put("-F", v)
}
