package archive

import (
	"encoding/base64"
	"mime"
	"regexp"
	"strconv"
	"strings"
)

// fileLine is a line that stands for a file's content: "< name", "<@ name" with
// variables in it, "<@latin1 name".
var fileLine = regexp.MustCompile(`^<(@[\w-]*)?[ \t]+(\S.*)$`)

// body makes a body of the lines after the header.
func (h *httpReader) body(r *Request, lines []string, at int) {
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
		at++
	}
	if len(lines) == 0 {
		return
	}
	contentType, params := "", map[string]string(nil)
	for _, f := range r.Header {
		if strings.EqualFold(f.Name, "Content-Type") {
			t, p, err := mime.ParseMediaType(f.Value)
			if err == nil {
				contentType, params = t, p
			}
		}
	}
	text := strings.Join(lines, "\n")
	if m := fileLine.FindStringSubmatch(strings.TrimSpace(text)); m != nil && len(lines) == 1 {
		r.Body = &Body{Mode: "file", File: strings.TrimSpace(m[2])}
		if m[1] != "" {
			h.warn(at, "variables in the file are not resolved")
		}
		return
	}
	if contentType == "multipart/form-data" && params["boundary"] != "" {
		if fs, ok := partsOf(lines, params["boundary"]); ok {
			r.Body = &Body{Mode: "form-data", Fields: fs}
			return
		}
	}
	if strings.EqualFold(r.Method, "GRAPHQL") || saysField(r, "X-Request-Type", "GraphQL") {
		query, variables, _ := strings.Cut(text, "\n\n")
		if !strings.HasPrefix(strings.TrimSpace(variables), "{") {
			query, variables = text, ""
		}
		r.Body = &Body{Mode: "graphql", Text: query, Variables: strings.TrimSpace(variables)}
		return
	}
	if contentType == "application/x-www-form-urlencoded" {
		joined := strings.Builder{}
		for _, l := range lines {
			joined.WriteString(strings.TrimSpace(l))
		}
		fs := formFields(joined.String())
		if formText(fs) == joined.String() {
			r.Body = &Body{Mode: "urlencoded", Fields: fs}
			return
		}
		text = joined.String()
	}
	for i, l := range lines {
		if fileLine.MatchString(l) && !strings.HasSuffix(strings.TrimSpace(l), ">") {
			h.warn(at+i, "a file within a body, which is not put in: %s", excerpt(l))
		}
	}
	r.Body = &Body{Mode: "raw", Text: text}
}

func saysField(r *Request, name, value string) bool {
	for _, f := range r.Header {
		if strings.EqualFold(f.Name, name) && strings.EqualFold(f.Value, value) {
			return true
		}
	}
	return false
}

// formText is a form as one line. Variables stay as they are.
func formText(fs []FormField) string {
	var b strings.Builder
	for _, f := range fs {
		if f.Disabled {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(escapeForm(f.Name) + "=" + escapeForm(f.Value))
	}
	return b.String()
}

// escapeForm writes what would be read as something else in a form's line.
func escapeForm(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if strings.HasPrefix(s[i:], "{{") {
			if end := strings.Index(s[i:min(i+longestName, len(s))], "}}"); end > 0 && !strings.ContainsAny(s[i:i+end], "\r\n") {
				b.WriteString(s[i : i+end+2])
				i += end + 1
				continue
			}
		}
		switch c := s[i]; {
		case c == ' ' && i > 0 && i < len(s)-1:
			b.WriteByte('+')
		case c <= ' ' || c == '%' || c == '&' || c == '+' || c == '=' || c == '#' || c == 0x7F:
			b.WriteString("%" + strings.ToUpper(strconv.FormatInt(int64(c)+0x100, 16)[1:]))
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// partsOf reads a multipart body (RFC 7578). ok is false when it is written in
// a way that would not come back.
func partsOf(lines []string, boundary string) (fs []FormField, ok bool) {
	i := 0
	for i < len(lines) {
		switch mark := strings.TrimSpace(lines[i]); {
		case mark == "--"+boundary+"--":
			return fs, i == len(lines)-1
		case mark != "--"+boundary:
			return nil, false
		}
		var f FormField
		for i++; i < len(lines) && strings.TrimSpace(lines[i]) != ""; i++ {
			name, value, found := strings.Cut(lines[i], ":")
			switch {
			case found && strings.EqualFold(name, "Content-Disposition"):
				kind, p, err := mime.ParseMediaType(strings.TrimSpace(value))
				if err != nil || kind != "form-data" {
					return nil, false
				}
				f.Name, f.FileName = p["name"], p["filename"]
			case found && strings.EqualFold(name, "Content-Type"):
				f.MediaType = strings.TrimSpace(value)
			default:
				return nil, false
			}
		}
		var value []string
		for i++; i < len(lines) && !strings.HasPrefix(strings.TrimSpace(lines[i]), "--"+boundary); i++ {
			value = append(value, lines[i])
		}
		if f.Name == "" {
			return nil, false
		}
		f.Value = strings.Join(value, "\n")
		if m := fileLine.FindStringSubmatch(strings.TrimSpace(f.Value)); m != nil && len(value) == 1 {
			f.File, f.Value = strings.TrimSpace(m[2]), ""
		}
		fs = append(fs, f)
	}
	return nil, false
}

// credentials takes those out of Authorization that REST Client and JetBrains
// write in words of their own.
func credentials(r *Request) {
	for i, f := range r.Header {
		if !strings.EqualFold(f.Name, "Authorization") {
			continue
		}
		a := authOfField(f.Value)
		if a == nil {
			return
		}
		r.Auth = a
		r.Header = append(r.Header[:i:i], r.Header[i+1:]...)
		return
	}
}

func authOfField(value string) *Auth {
	scheme, rest, _ := strings.Cut(value, " ")
	rest = strings.TrimSpace(rest)
	words := strings.Fields(rest)
	switch strings.ToLower(scheme) {
	case "basic", "digest":
		user, password, ok := strings.Cut(rest, " ")
		if !ok {
			if user, password, ok = strings.Cut(rest, ":"); !ok {
				return nil
			}
		}
		if strings.ContainsAny(rest, ",\"") && strings.EqualFold(scheme, "digest") {
			return nil // a credential that somebody computed (RFC 7616)
		}
		if _, err := base64.StdEncoding.DecodeString(rest); err == nil && !strings.Contains(rest, ":") {
			return nil
		}
		return &Auth{Scheme: strings.ToLower(scheme), Params: map[string]string{"username": user, "password": strings.TrimSpace(password)}}
	case "aws":
		if len(words) < 2 {
			return nil
		}
		a := &Auth{Scheme: "aws-sigv4", Params: map[string]string{"accessKey": words[0], "secretKey": words[1]}}
		for _, w := range words[2:] {
			name, v, ok := strings.Cut(w, ":")
			key := map[string]string{"token": "sessionToken", "region": "region", "service": "service"}[name]
			if !ok || key == "" {
				return nil
			}
			a.Params[key] = v
		}
		return a
	}
	return nil
}

// fieldOfAuth is the same the other way; "" when the format has no words.
func fieldOfAuth(a *Auth) string {
	p := a.Params
	value := ""
	switch a.Scheme {
	case "basic", "digest":
		value = strings.ToUpper(a.Scheme[:1]) + a.Scheme[1:] + " " + p["username"] + " " + p["password"]
	case "bearer":
		value = "Bearer " + p["token"]
	case "aws-sigv4":
		value = "AWS " + p["accessKey"] + " " + p["secretKey"]
		for _, w := range []struct{ key, name string }{{"sessionToken", "token"}, {"region", "region"}, {"service", "service"}} {
			if p[w.key] != "" {
				value += " " + w.name + ":" + p[w.key]
			}
		}
	}
	if strings.ContainsAny(value, "\r\n") {
		return ""
	}
	return value
}
