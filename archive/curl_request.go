package archive

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

var anyReference = regexp.MustCompile(`\{\{[^{}]*\}\}`)

// finish makes an item of each URL of the state.
func (p *curlParser) finish() error {
	if len(p.urls) == 0 {
		if p.made == 0 && len(p.cmd.words) > 0 && p.urls == nil && (len(p.data) > 0 || len(p.header) > 0) {
			return p.fail(curlWord{line: p.cmd.line, column: p.cmd.column}, "curl is called without a URL", "curl URL")
		}
		return nil
	}
	for i, u := range p.urls {
		upload := ""
		if i < len(p.uploads) {
			upload = p.uploads[i]
		}
		urls := []string{u.text}
		if !p.globoff {
			urls = globbed(u.text)
			if urls == nil {
				p.r.warn(uint(u.line), "a URL with too many or broken ranges: it is kept as it stands")
				urls = []string{u.text}
			}
		}
		for _, text := range urls {
			p.item(u, text, upload)
		}
	}
	return nil
}

func (p *curlParser) item(u curlWord, address, upload string) {
	f := &curlForeign{Extra: slices.Clone(p.extra)}
	r := &Request{URL: withScheme(address), Options: p.options}
	r.Options.Resolve = slices.Clone(p.options.Resolve)
	r.Options.NoRedirect = !r.Options.Redirects
	p.fields(r, f)
	usual := "GET"
	kinds := 0
	for _, is := range []bool{p.head, len(p.form) > 0, upload != "", len(p.data) > 0 && !p.get} {
		if is {
			kinds++
		}
	}
	if kinds > 1 {
		p.r.warn(uint(u.line), "curl refuses to send two kinds of request at once (--head, --data, --form, --upload-file): one of them is kept")
	}
	switch {
	case p.get:
		for i := range p.data {
			if p.data[i].File != "" {
				p.r.warn(uint(u.line), "a query out of a file: it is left out")
				continue
			}
			r.URL = appendQuery(r.URL, p.data[i].Text)
		}
	case len(p.form) > 0:
		usual = "POST"
		r.Body = &Body{Mode: "form-data", Fields: slices.Clone(p.form)}
	case upload != "":
		usual = "PUT"
		f.Upload = true
		r.Body = &Body{Mode: "file", File: upload}
		if upload == "-" || upload == "." {
			r.Body.File = p.cmd.stdinFile
			if r.Body.File == "" {
				r.Body = &Body{Mode: "raw", Text: p.cmd.stdin}
			}
		} else {
			r.URL = uploadURL(r.URL, upload)
		}
	case len(p.data) > 0:
		usual = "POST"
		r.Body = p.body()
		if !fieldIn(r.Header, "Content-Type") {
			r.Body.MediaType = "application/x-www-form-urlencoded"
		}
	}
	if p.head {
		usual = "HEAD"
	}
	for _, q := range p.query {
		r.URL = appendQuery(r.URL, q)
	}
	r.Method = usual
	if p.method != "" {
		r.Method, f.Method = p.method, true
	}
	r.Auth = p.auth(f)
	if r.Auth != nil && r.Auth.Params["password"] == "" && p.user != nil && !strings.Contains(*p.user, ":") {
		p.r.warn(uint(u.line), "a user without a password, which curl asks for")
	}
	it := &Item{Request: r, Foreign: f, Line: u.line, Column: u.column}
	name, doc, _ := strings.Cut(p.cmd.comment, "\n")
	if it.Name = name; p.made > 0 || name == "" {
		it.Name, doc = requestName(r), ""
	}
	it.Doc = doc
	p.made++
	p.r.c.Items = append(p.r.c.Items, it)
}

// fields puts the header together in the order in which curl sends it.
func (p *curlParser) fields(r *Request, f *curlForeign) {
	byOption := func(name, value string) {
		r.Header = append(r.Header, Field{Name: name, Value: value})
		f.ByOption = append(f.ByOption, strings.ToLower(name))
	}
	custom := func(name string) bool { return fieldIn(p.header, name) }
	if p.byteRange != "" && !custom("Range") {
		value := p.byteRange
		if !strings.Contains(value, "=") {
			value = "bytes=" + value
		}
		byOption("Range", value)
	}
	if p.agent != nil && !custom("User-Agent") {
		if *p.agent == "" {
			r.Header = append(r.Header, Field{Name: "User-Agent", Disabled: true})
		} else {
			byOption("User-Agent", *p.agent)
		}
	}
	if !custom("Accept") && !p.json {
		r.Header = append(r.Header, Field{Name: "Accept", Value: "*/*"})
	}
	if p.referer != nil && *p.referer != "" && !custom("Referer") {
		byOption("Referer", *p.referer)
	}
	if len(p.cookies) > 0 {
		byOption("Cookie", strings.Join(p.cookies, ";"))
	}
	r.Header = append(r.Header, p.header...)
	if p.json {
		for _, name := range []string{"Content-Type", "Accept"} {
			if !custom(name) {
				r.Header = append(r.Header, Field{Name: name, Value: "application/json"})
			}
		}
	}
}

func fieldIn(h []Field, name string) bool {
	return slices.ContainsFunc(h, func(f Field) bool { return strings.EqualFold(f.Name, name) })
}

// body is that of -d and its kin.
func (p *curlParser) body() *Body {
	switch d := p.data; {
	case len(d) == 1 && d[0].File == "":
		return &Body{Mode: "raw", Text: d[0].Text}
	case len(d) == 1 && d[0].Text == "" && !d[0].Encoded:
		return &Body{Mode: "file", File: d[0].File, Joined: d[0].Joined}
	}
	return &Body{Mode: "pieces", Pieces: slices.Clone(p.data)}
}

// auth is who asks. Of several schemes the strongest is the one that curl
// would choose in the end.
func (p *curlParser) auth(f *curlForeign) *Auth {
	if p.user == nil && p.bearer == "" {
		if len(p.schemes) > 0 {
			f.Extra = append(f.Extra, prefixed(p.schemes)...)
		}
		return nil
	}
	name, password := "", ""
	if p.user != nil {
		name, password, _ = strings.Cut(*p.user, ":")
	}
	switch {
	case p.sigv4 != "" && p.user != nil:
		a := &Auth{Scheme: "aws-sigv4", Params: map[string]string{"accessKey": name, "secretKey": password, "provider": p.sigv4}}
		if part := strings.Split(p.sigv4, ":"); len(part) > 2 {
			a.Params["region"] = part[2]
			if len(part) > 3 {
				a.Params["service"] = part[3]
			}
		}
		return a
	case p.user == nil:
		f.Extra = append(f.Extra, prefixed(p.schemes)...)
		return &Auth{Scheme: "bearer", Params: map[string]string{"token": p.bearer}}
	case p.bearer != "":
		f.Extra = append(f.Extra, "--oauth2-bearer", p.bearer)
	}
	scheme := "basic"
	for _, s := range p.schemes {
		switch {
		case s == "basic":
		case scheme != "basic" && scheme != s:
			f.Extra = append(f.Extra, "--"+s)
		default:
			scheme = s
		}
	}
	if scheme == "ntlm-wb" {
		scheme = "ntlm"
	}
	return &Auth{Scheme: scheme, Params: map[string]string{"username": name, "password": password}}
}

func prefixed(words []string) []string {
	var out []string
	for _, w := range words {
		out = append(out, "--"+w)
	}
	return out
}

var schemeStart = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*)://|^\{\{`)

// withScheme completes a URL as curl guesses it.
func withScheme(u string) string {
	if schemeStart.MatchString(u) {
		return u
	}
	return "http://" + u
}

// appendQuery adds to the query, before a fragment.
func appendQuery(u, q string) string {
	if q == "" {
		return u
	}
	u, fragment, has := strings.Cut(u, "#")
	switch {
	case !strings.Contains(u, "?"):
		if i := strings.Index(u, "://"); i >= 0 && !strings.Contains(u[i+3:], "/") && !strings.HasPrefix(u, "{{") {
			u += "/"
		}
		u += "?"
	case !strings.HasSuffix(u, "?") && !strings.HasSuffix(u, "&"):
		u += "&"
	}
	if u += q; has {
		u += "#" + fragment
	}
	return u
}

// uploadURL gives a URL that names a folder the file's name, as curl does.
func uploadURL(u, file string) string {
	i := strings.Index(u, "://")
	if i < 0 {
		return u
	}
	rest := ""
	if at := strings.IndexAny(u[i+3:], "?#"); at >= 0 {
		u, rest = u[:i+3+at], u[i+3+at:]
	}
	switch {
	case !strings.Contains(u[i+3:], "/"):
		u += "/"
	case !strings.HasSuffix(u, "/"):
		return u + rest
	}
	return u + escapeCurl(path.Base(strings.ReplaceAll(file, `\`, "/")), "%20") + rest
}
