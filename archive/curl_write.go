package archive

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// writeCurl writes one command a request, for a POSIX shell: variables become
// the shell's, those of the collection are set at the top.
func writeCurl(w io.Writer, c *Collection) error {
	cw := &curlWriter{c: c, option: map[string]bool{}, form: map[string]bool{}}
	for _, v := range c.Variables {
		switch name := reference.FindString("{{" + v.Name + "}}"); {
		case v.Disabled, len(name) != len(v.Name)+4:
		case ofTheShell.MatchString(v.Name):
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s: the variable %s is left out: the shell has one of that name", c.File, v.Name))
		default:
			cw.b.WriteString(v.Name + "=" + quoteWord(v.Value) + "\n")
		}
	}
	for _, v := range c.Variables {
		if strings.HasPrefix(v.Value, "-") || cw.option[firstReference(v.Value)] {
			cw.option[v.Name] = true
		}
		cw.form[v.Name] = strings.ContainsAny(v.Value, `@<;"(\`) || strings.Contains(v.Value, "{{")
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
	// option are the variables whose values may begin with a dash, form those
	// that have what -F does not take as it is.
	option, form map[string]bool
}

// firstReference is the variable that a text begins with.
func firstReference(s string) string {
	if m := reference.FindStringSubmatchIndex(s); m != nil && m[0] == 0 {
		return s[m[2]:m[3]]
	}
	return ""
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
	if it.Request.URL == "" {
		w.c.Warnings = append(w.c.Warnings, fmt.Sprintf("%s:%d: %s: has no URL", w.c.File, it.Line, it.Name))
	}
	f, ok := it.Foreign.(*curlForeign)
	if !ok {
		f = &curlForeign{}
	}
	a := &curlArguments{r: it.Request, f: f, own: ok && len(it.Recorded) == 0, recorded: len(it.Recorded) > 0, option: w.option, form: w.form}
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

	option, form map[string]bool // see curlWriter
	groups       []string
	warnings     []string
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
	if strings.HasPrefix(url, "-") || a.option[firstReference(url)] {
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

// hasBody reports whether the body is sent.
func (a *curlArguments) hasBody() bool { return a.r.Body != nil && !a.r.Options.DropBody }

func (a *curlArguments) method() {
	usual := "GET"
	switch {
	case a.f.Upload:
		usual = "PUT"
	case a.hasBody():
		usual = "POST"
	}
	method := a.r.Method
	switch {
	case method == "" || method == usual && !a.f.Method:
	case method == "HEAD" && !a.hasBody() && !a.f.Method:
		a.put("--head")
	default:
		a.put("-X", method)
	}
}

func (a *curlArguments) options() {
	o := a.r.Options
	if slices.Contains([]string{"1.0", "1.1", "2", "3"}, o.HTTP) && !slices.Contains(a.f.Extra, "--http2-prior-knowledge") && !slices.Contains(a.f.Extra, "--http3-only") {
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
	if o.Redirects && o.KeepMethod && !slices.Contains(a.f.Extra, "--post301") {
		a.put("--post301 --post302 --post303")
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
