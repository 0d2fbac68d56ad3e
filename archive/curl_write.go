package archive

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// writeCurl writes one command a request, for a POSIX shell: variables become
// the shell's, those of the collection are set at the top.
func writeCurl(w io.Writer, c *Collection) error {
	cw := &curlWriter{c: c}
	for _, v := range c.Variables {
		if !v.Disabled && reference.MatchString("{{"+v.Name+"}}") {
			cw.b.WriteString(v.Name + "=" + quoteWord(v.Value) + "\n")
		}
	}
	cw.items(c.Items, c.Auth)
	if cw.lost > 0 {
		c.Warnings = append(c.Warnings, fmt.Sprintf("%s: %d scripts, expectations and captures, which a command line cannot hold", c.File, cw.lost))
	}
	_, err := io.WriteString(w, cw.b.String())
	return err
}

type curlWriter struct {
	c    *Collection
	b    strings.Builder
	lost int
}

func (w *curlWriter) items(items []*Item, auth *Auth) {
	for _, it := range items {
		a := auth
		if it.Auth != nil {
			a = it.Auth
		}
		w.lost += len(it.Expect) + len(it.Capture) + len(it.Scripts)
		if it.Request != nil {
			w.item(it, a)
		}
		w.items(it.Items, a)
	}
}

func (w *curlWriter) item(it *Item, auth *Auth) {
	if w.b.Len() > 0 {
		w.b.WriteByte('\n')
	}
	if it.Name != "" && it.Name != requestName(it.Request) || it.Doc != "" {
		name := it.Name
		if name == "" {
			name = requestName(it.Request)
		}
		for line := range strings.SplitSeq(strings.TrimRight(name+"\n"+it.Doc, "\n"), "\n") {
			w.b.WriteString(strings.TrimRight("# "+oneLine(line), " ") + "\n")
		}
	}
	if it.Request.Auth != nil {
		auth = it.Request.Auth
	}
	f, ok := it.Foreign.(*curlForeign)
	if !ok {
		f = &curlForeign{}
	}
	a := &curlArguments{r: it.Request, f: f, own: ok && len(it.Recorded) == 0, recorded: len(it.Recorded) > 0}
	a.all(auth)
	for _, text := range a.warnings {
		w.c.Warnings = append(w.c.Warnings, fmt.Sprintf("%s:%d: %s: %s", w.c.File, it.Line, it.Name, text))
	}
	w.b.WriteString(joinArguments(a.groups))
}

// oneLine keeps a comment from becoming a command.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
}

// joinArguments puts a command on one line, or on a line an option when that
// is too long to read.
func joinArguments(groups []string) string {
	line := "curl " + strings.Join(groups, " ")
	if len(line) <= 100 {
		return line + "\n"
	}
	return "curl " + strings.Join(groups, " \\\n  ") + "\n"
}

// curlArguments puts the arguments of one request together.
type curlArguments struct {
	r        *Request
	f        *curlForeign
	own      bool // it was read from a command line
	recorded bool // what was sent is known, and what was not
	groups   []string
	warnings []string
}

// put adds an option and its value.
func (a *curlArguments) put(option string, value ...string) {
	for _, v := range value {
		option += " " + quoteWord(v)
	}
	a.groups = append(a.groups, option)
}

func (a *curlArguments) all(auth *Auth) {
	r := a.r
	url := r.URL
	for _, p := range r.Params {
		url = strings.Replace(url, ":"+p.Name, p.Value, 1)
	}
	if auth != nil && auth.Scheme == "apikey" && auth.Params["in"] == "query" {
		url = appendQuery(url, escapeCurl(auth.Params["key"], "%20")+"="+escapeCurl(auth.Params["value"], "%20"))
	}
	plain := anyReference.ReplaceAllString(url, "")
	a.method()
	if strings.ContainsAny(plain, "{}[]") {
		a.put("--globoff")
	}
	if strings.HasPrefix(url, "-") {
		a.put("--url", url)
	} else {
		a.groups = append(a.groups, quoteWord(url))
	}
	a.header(auth)
	a.auth(auth)
	a.body()
	a.options()
	for i := 0; i < len(a.f.Extra); i++ {
		name := a.f.Extra[i]
		if o := curlLong[strings.TrimPrefix(name, "--")]; o != nil && o.value && i+1 < len(a.f.Extra) {
			i++
			a.put(name, a.f.Extra[i])
		} else {
			a.put(name)
		}
	}
}

func (a *curlArguments) method() {
	usual := "GET"
	switch {
	case a.f.Upload:
		usual = "PUT"
	case a.r.Body != nil:
		usual = "POST"
	}
	method := a.r.Method
	switch {
	case method == "" || method == usual && !a.f.Method:
	case method == "HEAD" && a.r.Body == nil && !a.f.Method:
		a.put("--head")
	default:
		a.put("-X", method)
	}
}

func (a *curlArguments) header(auth *Auth) {
	byOption := slices.Clone(a.f.ByOption)
	for _, f := range a.r.Header {
		lower := strings.ToLower(f.Name)
		if i := slices.Index(byOption, lower); i >= 0 && !f.Disabled {
			byOption = slices.Delete(byOption, i, i+1)
			switch lower {
			case "user-agent":
				a.put("--user-agent", f.Value)
			case "referer":
				a.put("--referer", f.Value)
			case "cookie":
				a.put("--cookie", f.Value)
			case "range":
				a.put("--range", strings.TrimPrefix(f.Value, "bytes="))
			}
			continue
		}
		switch {
		case f.Disabled && f.Value == "" && a.own:
			a.put("-H", f.Name+":")
		case f.Disabled, a.own && lower == "accept" && f.Value == "*/*" && f.Name == "Accept" && a.defaultAccept():
		case f.Value == "":
			a.put("-H", f.Name+";")
		default:
			a.put("-H", f.Name+": "+f.Value)
		}
	}
	if auth != nil && auth.Scheme == "apikey" && auth.Params["in"] != "query" && auth.Params["key"] != "" {
		a.put("-H", auth.Params["key"]+": "+auth.Params["value"])
	}
	for _, name := range []string{"User-Agent", "Accept"} {
		if a.recorded && !fieldIn(a.r.Header, name) {
			a.put("-H", name+":")
		}
	}
	b := a.r.Body
	if b == nil || fieldIn(a.r.Header, "Content-Type") {
		return
	}
	const form = "application/x-www-form-urlencoded"
	switch b.Mode {
	case "raw", "file", "pieces":
		if a.f.Upload || b.MediaType == form {
			return
		}
		if b.MediaType == "" && b.Mode == "file" && a.r.Method == "PUT" {
			return // sent by -T
		}
		if b.MediaType == "" {
			a.put("-H", "Content-Type:")
		} else {
			a.put("-H", "Content-Type: "+b.MediaType)
		}
	case "graphql":
		a.put("-H", "Content-Type: application/json")
	}
}

// defaultAccept reports whether the field stands where curl puts its own:
// before those of -H.
func (a *curlArguments) defaultAccept() bool {
	for _, f := range a.r.Header {
		if strings.EqualFold(f.Name, "Accept") {
			return true
		}
		if !slices.Contains(a.f.ByOption, strings.ToLower(f.Name)) && !f.Disabled {
			return false
		}
	}
	return false
}

func (a *curlArguments) auth(auth *Auth) {
	if auth == nil {
		return
	}
	p := auth.Params
	switch auth.Scheme {
	case "none", "apikey", "":
	case "basic":
		a.put("-u", p["username"]+":"+p["password"])
	case "digest", "ntlm", "negotiate", "anyauth":
		a.put("--" + auth.Scheme)
		a.put("-u", p["username"]+":"+p["password"])
	case "bearer":
		a.put("--oauth2-bearer", p["token"])
	case "oauth2":
		if p["accessToken"] == "" {
			a.warnings = append(a.warnings, "its OAuth 2 token must be fetched first: curl is given $TOKEN")
			a.put("--oauth2-bearer", "{{TOKEN}}")
			return
		}
		a.put("--oauth2-bearer", p["accessToken"])
	case "aws-sigv4":
		provider := p["provider"]
		if provider == "" {
			provider = "aws:amz:" + p["region"] + ":" + p["service"]
		}
		a.put("--aws-sigv4", provider)
		a.put("-u", p["accessKey"]+":"+p["secretKey"])
		if t := p["sessionToken"]; t != "" {
			a.put("-H", "X-Amz-Security-Token: "+t)
		}
	default:
		a.warnings = append(a.warnings, "curl cannot authenticate with "+auth.Scheme)
	}
}

func (a *curlArguments) body() {
	b := a.r.Body
	if b == nil {
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
	t := object(member{"query", str(b.Text)})
	if v, err := parseTree("", []byte(b.Variables)); err == nil {
		t.members = append(t.members, member{"variables", v})
	} else if strings.TrimSpace(b.Variables) != "" {
		q, _ := json.Marshal(b.Text)
		return `{"query":` + string(q) + `,"variables":` + b.Variables + `}`
	}
	return t.compact()
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

func (a *curlArguments) options() {
	o := a.r.Options
	if o.HTTP != "" && o.HTTP != "auto" && !slices.Contains(a.f.Extra, "--http2-prior-knowledge") && !slices.Contains(a.f.Extra, "--http3-only") {
		a.put("--http" + o.HTTP)
	}
	for _, f := range []struct {
		name string
		on   bool
	}{{"-k", o.Insecure}, {"-L", o.Redirects && !slices.Contains(a.f.Extra, "--location-trusted")}, {"--compressed", o.Compressed}} {
		if f.on {
			a.put(f.name)
		}
	}
	if o.MaxRedirect != 0 {
		a.put("--max-redirs", strconv.Itoa(o.MaxRedirect))
	}
	if o.Timeout != 0 {
		a.put("--max-time", strconv.FormatFloat(o.Timeout, 'f', -1, 64))
	}
	for _, f := range []struct{ name, value string }{
		{"--proxy", o.Proxy}, {"--cert", o.Cert}, {"--key", o.Key}, {"--cacert", o.CACert}, {"--pinnedpubkey", o.Pin},
	} {
		if f.value != "" {
			a.put(f.name, f.value)
		}
	}
	for _, r := range o.Resolve {
		a.put("--resolve", r)
	}
}

// OnlyCurl names the options of command lines that no other format has, a line
// each with its place. Their values, which may be secret, are not in it.
func OnlyCurl(c *Collection) []string {
	var out []string
	walkItems(c.Items, func(it *Item) {
		f, ok := it.Foreign.(*curlForeign)
		if !ok || len(it.Recorded) > 0 {
			return
		}
		for i := 0; i < len(f.Extra); i++ {
			out = append(out, fmt.Sprintf("%s:%d: %s is left out: only curl has it", c.File, it.Line, f.Extra[i]))
			if o := curlLong[strings.TrimPrefix(f.Extra[i], "--")]; o != nil && o.value {
				i++
			}
		}
	})
	return out
}
