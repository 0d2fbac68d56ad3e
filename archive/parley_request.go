package archive

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/internal/config"
)

func (r *parleyReader) request(s config.Section, raw *rawItem) (*Request, error) {
	q := &Request{Method: raw.Method}
	var places []config.Section
	for i, v := range []config.Section{raw.Get, raw.Head, raw.Post, raw.Put, raw.Patch, raw.Delete, raw.Opts, raw.Trace} {
		if !v.Present() {
			continue
		}
		if m := methods[i]; m == "options" && v.Kind() == "fields" {
			return nil, v.Errorf(`how to send it is below "send:"`, "options is a method here")
		} else if q.Method == "" {
			q.Method = strings.ToUpper(m)
		} else if len(places) == 0 {
			return nil, v.Errorf("write one of them", "both a method and %q", m)
		}
		places = append(places, v)
	}
	if raw.URL.Present() {
		places = append(places, raw.URL)
	}
	switch len(places) {
	case 0:
		return nil, s.Errorf(`write "get: https://..." or "url:"`, "a request without a URL")
	case 1:
	default:
		return nil, places[1].Errorf("write one of them", "the URL is given twice")
	}
	if q.Method == "" {
		q.Method = "GET"
	}
	if !isMethod(q.Method) {
		return nil, s.Errorf("", "%q is no method", q.Method)
	}
	if err := places[0].Decode(&q.URL); err != nil {
		return nil, err
	}
	if q.URL == "" {
		return nil, places[0].Errorf("", "the URL is empty")
	}
	query, err := fields(raw.Query_)
	if err != nil {
		return nil, err
	}
	q.URL = withQuery(q.URL, query)
	if q.Params, err = fields(raw.Params); err != nil {
		return nil, err
	}
	if q.Header, err = fields(raw.Headers); err != nil {
		return nil, err
	}
	for _, h := range q.Header {
		if !isFieldName(h.Name) {
			return nil, raw.Headers.Errorf("", "%q is no name of a header field", h.Name)
		}
	}
	if q.Body, err = r.body(raw); err != nil {
		return nil, err
	}
	q.Options, err = readSend(raw.Send)
	return q, err
}

// isFieldName reports whether a header field may have that name, which may name
// variables.
func isFieldName(name string) bool {
	return isMethod(strings.NewReplacer("{", "", "}", "", "$", "").Replace(name))
}

// isMethod reports whether s is a token (RFC 9110, 5.6.2), as methods and
// field names are.
func isMethod(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"(),/:;<=>?@[\\]{}", c) >= 0 {
			return false
		}
	}
	return s != ""
}

// fields reads names and values: a mapping, whose values may be lists, or a
// list of {name, value}.
func fields(s config.Section) ([]Field, error) {
	if s.Kind() == "list" {
		var raw []struct {
			Name  string         `yaml:"name"`
			Value config.Section `yaml:"value"`
		}
		if err := s.Decode(&raw); err != nil {
			return nil, err
		}
		var out []Field
		for _, f := range raw {
			v, err := textOf(f.Value)
			if err != nil {
				return nil, err
			}
			out = append(out, Field{Name: f.Name, Value: v})
		}
		return out, nil
	}
	fs, err := s.Fields()
	if err != nil {
		return nil, err
	}
	var out []Field
	for _, f := range fs {
		if f.Value.Kind() != "list" {
			v, err := textOf(f.Value)
			if err != nil {
				return nil, err
			}
			out = append(out, Field{Name: f.Name, Value: v})
			continue
		}
		items, err := f.Value.Items()
		if err != nil {
			return nil, err
		}
		for _, one := range items {
			v, err := textOf(one)
			if err != nil {
				return nil, err
			}
			out = append(out, Field{Name: f.Name, Value: v})
		}
	}
	return out, nil
}

// withQuery adds parameters to a URL. Names of variables stay as they are.
func withQuery(u string, query []Field) string {
	sep := "?"
	u, fragment, cut := strings.Cut(u, "#")
	if strings.Contains(u, "?") {
		sep = "&"
	}
	for _, f := range query {
		u += sep + escapeQuery(f.Name) + "=" + escapeQuery(f.Value)
		sep = "&"
	}
	if cut {
		u += "#" + fragment
	}
	return u
}

var variableName = regexp.MustCompile(`\{\{[^{}]*\}\}`)

func escapeQuery(s string) string {
	var b strings.Builder
	at := 0
	for _, m := range variableName.FindAllStringIndex(s, -1) {
		b.WriteString(url.QueryEscape(s[at:m[0]]))
		b.WriteString(s[m[0]:m[1]])
		at = m[1]
	}
	b.WriteString(url.QueryEscape(s[at:]))
	return b.String()
}

// readSend reads how to send.
func readSend(s config.Section) (Options, error) {
	var raw struct {
		HTTP       config.Section `yaml:"http"`
		SendAnyway bool           `yaml:"send_anyway"`
		Redirects  config.Section `yaml:"redirects"`
		Timeout    time.Duration  `yaml:"timeout"`
		Proxy      string         `yaml:"proxy"`
		Cert       string         `yaml:"cert"`
		Key        string         `yaml:"key"`
		CACert     string         `yaml:"cacert"`
		Pin        string         `yaml:"pin"`
		Resolve    []string       `yaml:"resolve"`
		Compressed bool           `yaml:"compressed"`
		NoCookies  bool           `yaml:"no_cookies"`
	}
	if err := s.Decode(&raw); err != nil {
		return Options{}, err
	}
	o := Options{Insecure: raw.SendAnyway, Timeout: raw.Timeout.Seconds(), Proxy: raw.Proxy, Cert: raw.Cert, Key: raw.Key,
		CACert: raw.CACert, Pin: raw.Pin, Resolve: raw.Resolve, Compressed: raw.Compressed, NoCookies: raw.NoCookies}
	if raw.HTTP.Present() {
		o.HTTP, _ = raw.HTTP.Text()
		if !slices.Contains([]string{"1.1", "2", "3"}, o.HTTP) {
			return o, raw.HTTP.Errorf(`known here: "1.1", 2, 3`, "%q is no version of HTTP that is spoken here", o.HTTP)
		}
	}
	switch raw.Redirects.Kind() {
	case "bool":
		var follow bool
		if err := raw.Redirects.Decode(&follow); err != nil {
			return o, err
		}
		o.Redirects, o.NoRedirect = follow, !follow
	case "":
	default:
		if err := raw.Redirects.Decode(&o.MaxRedirect); err != nil {
			return o, err
		}
		if o.MaxRedirect < 0 || o.MaxRedirect > 100 {
			return o, raw.Redirects.Errorf("", "redirects is not between 0 and 100")
		}
		o.Redirects, o.NoRedirect = o.MaxRedirect > 0, o.MaxRedirect == 0
	}
	if raw.Timeout < 0 {
		return o, s.Errorf("", "timeout is less than nothing")
	}
	return o, nil
}
