package archive

import (
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// An httpWriter puts blocks one after the other.
type httpWriter struct {
	lines []string
	refs  map[string][]Capture
	// same is false when the variables are not those that stand in the blocks.
	same bool
}

func writeHTTPFile(w io.Writer, c *Collection) error {
	x := &httpWriter{same: true, refs: map[string][]Capture{}}
	tail, own := c.Foreign.([]httpBlock)
	if own {
		x.same = slices.Equal(c.Variables, x.variablesIn(c.Items, tail))
	} else {
		tail = nil
	}
	x.head(c, own)
	var all strings.Builder
	for _, l := range x.lines {
		all.WriteString(l + "\n")
	}
	everything(&all, c.Items)
	x.refs = references(all.String())
	x.items(c.Items, 0, c.Auth)
	for _, b := range tail {
		x.block(b)
	}
	text := strings.TrimRight(strings.Join(x.lines, "\n"), "\n")
	if text != "" {
		text += "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

// everything collects what may refer to the answers of other requests.
func everything(b *strings.Builder, items []*Item) {
	for _, it := range items {
		if s, ok := it.Foreign.(*httpSource); ok {
			for _, l := range s.block.lines {
				b.WriteString(l + "\n")
			}
		} else if r := it.Request; r != nil {
			fmt.Fprintln(b, r.URL, r.Header, r.Body)
		}
		everything(b, it.Items)
	}
}

// variablesIn returns the variables in the blocks as they were read.
func (x *httpWriter) variablesIn(items []*Item, tail []httpBlock) []Variable {
	h := &httpReader{}
	var owns []Variable
	read := func(b httpBlock) {
		if _, own, err := h.block(b, nil); err == nil && own != nil && own.Collection != nil {
			owns = own.Collection.Variables
		}
	}
	var walk func([]*Item)
	walk = func(items []*Item) {
		for _, it := range items {
			if s, ok := it.Foreign.(*httpSource); ok {
				for _, b := range s.before {
					read(b)
				}
				read(s.block)
			}
			walk(it.Items)
		}
	}
	walk(items)
	for _, b := range tail {
		read(b)
	}
	return append(h.vars, owns...)
}

// head writes variables, and what the format has no word for.
func (x *httpWriter) head(c *Collection, own bool) {
	base := strings.TrimSuffix(filepath.Base(c.File), filepath.Ext(c.File))
	if own && x.same {
		return
	}
	for _, name := range c.Include {
		x.lines = append(x.lines, "import "+name)
	}
	head := &httpHead{Doc: c.Doc, Auth: c.Auth, Scripts: c.Scripts}
	if c.Name != base || c.Format != "http" {
		head.Name = c.Name
	}
	for _, v := range c.Variables {
		line := "@" + v.Name + " = " + v.Value
		if m := fileVariable.FindStringSubmatch(line); v.Disabled || v.Secret || m == nil || m[1] != v.Name || strings.TrimSpace(m[2]) != v.Value || strings.ContainsAny(line, "\r\n") {
			head.Variables = append(head.Variables, v)
			continue
		}
		x.lines = append(x.lines, line)
	}
	if !reflect.DeepEqual(*head, httpHead{}) {
		if head.Name == "" {
			head.Name = c.Name
		}
		x.lines = append([]string{(&httpOwn{Collection: head}).said()}, x.lines...)
	}
	if len(x.lines) > 0 {
		x.lines = append(x.lines, "")
	}
}

func (x *httpWriter) items(items []*Item, depth int, above *Auth) {
	for _, it := range items {
		src, _ := it.Foreign.(*httpSource)
		if src != nil {
			for _, b := range src.before {
				x.block(b)
			}
		}
		if src == nil || !x.asItWas(it, src, depth) {
			x.item(it, depth, above)
		}
		auth := above
		if it.Auth != nil {
			auth = it.Auth
		}
		x.items(it.Items, depth+1, auth)
	}
}

// block writes one as it stood in the document.
func (x *httpWriter) block(b httpBlock) {
	if !b.first || len(x.lines) > 0 && !x.blank() {
		// The title may have been changed since, to hide a secret.
		if b.mark == "" || strings.TrimSpace(strings.TrimLeft(b.mark, "#")) != b.title {
			b.mark = strings.TrimSpace("### " + b.title)
		}
		x.lines = append(x.lines, b.mark)
	}
	for _, l := range b.lines {
		if x.same || !strings.HasPrefix(strings.TrimSpace(l), "@") {
			x.lines = append(x.lines, l)
		}
	}
}

func (x *httpWriter) blank() bool {
	for _, l := range x.lines {
		if l != "" && !strings.HasPrefix(l, "@") && !strings.HasPrefix(l, "#") {
			return false
		}
	}
	return true
}

// asItWas writes an item's own block if it still says the same.
func (x *httpWriter) asItWas(it *Item, src *httpSource, depth int) bool {
	h := &httpReader{}
	got, own, err := h.block(src.block, src.refs)
	if err != nil || got == nil || own != nil && own.Depth != depth || own == nil && depth != 0 {
		return false
	}
	o := lacking(it, got, depth)
	// What the block's own directive says, got has already.
	o.Folder, o.Depth, o.ID, o.Auth, o.Variables, o.As, o.Needs, o.Rows, o.RowsFile, o.Params, o.Disabled = false, 0, "", nil, nil, "", nil, nil, "", nil, nil
	same := reflect.DeepEqual(it.Auth, got.Auth) && slices.Equal(it.Variables, got.Variables) && it.ID == got.ID && it.As == got.As &&
		slices.Equal(it.Needs, got.Needs) && reflect.DeepEqual(it.Rows, got.Rows) && it.RowsFile == got.RowsFile &&
		(it.Request == nil) == (got.Request == nil)
	if same && it.Request != nil {
		same = slices.Equal(it.Request.Params, got.Request.Params) && slices.Equal(it.Request.Disabled, got.Request.Disabled)
	}
	if !same || o.said() != "" {
		return false
	}
	x.block(src.block)
	return true
}

// item writes one anew: what the format can say in its words, and the rest in a
// directive.
func (x *httpWriter) item(it *Item, depth int, above *Auth) {
	title := strings.Join(strings.Fields(it.Name), " ")
	lines, ok := x.request(it, above)
	h := &httpReader{}
	got := &Item{Name: title}
	if it.Request != nil {
		again, _, err := h.block(httpBlock{title: title, lines: lines}, x.refs)
		if ok = ok && err == nil && again != nil && !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "###") || strings.ContainsAny(l, "\r\n") }); ok {
			got = again
		} else {
			// It cannot be said in the format's words: only the request line is, for
			// people.
			lines = []string{"GET http://unknown.invalid/"}
			if got, _, err = h.block(httpBlock{title: title, lines: lines}, x.refs); err != nil || got == nil {
				return
			}
		}
	}
	x.lines = append(x.lines, strings.TrimSpace("### "+title))
	if s := lacking(it, got, depth).said(); s != "" {
		x.lines = append(x.lines, s)
	}
	x.lines = append(x.lines, lines...)
	x.lines = append(x.lines, "")
}

// request writes a request in the format's words.
func (x *httpWriter) request(it *Item, above *Auth) (lines []string, ok bool) {
	if it.Doc != "" {
		for l := range strings.SplitSeq(it.Doc, "\n") {
			lines = append(lines, strings.TrimRight("# "+l, " "))
		}
	}
	r := it.Request
	if r == nil {
		return nil, true
	}
	if x.refs[it.Name] != nil {
		lines = append(lines, "# @name "+it.Name)
	}
	if r.Options.NoRedirect {
		lines = append(lines, "# @no-redirect")
	}
	if r.Options.NoCookies {
		lines = append(lines, "# @no-cookie-jar")
	}
	if r.Options.Timeout > 0 {
		lines = append(lines, "# @timeout "+strconv.FormatFloat(r.Options.Timeout, 'f', -1, 64))
	}
	for _, s := range it.Scripts {
		if s.Language == "jetbrains" && s.When == "prerequest" {
			lines = append(lines, strings.Split("< {%\n"+s.Text+"\n%}", "\n")...)
		}
	}
	line := r.Method + " " + r.URL
	if v := map[string]string{"1.1": "1.1", "2": "2", "3": "3"}[r.Options.HTTP]; v != "" {
		line += " HTTP/" + v
	}
	lines = append(lines, line)
	for _, f := range r.Header {
		if !f.Disabled {
			lines = append(lines, strings.TrimRight(f.Name+": "+f.Value, " "))
		}
	}
	auth := r.Auth
	if auth == nil {
		auth = it.Auth
	}
	if auth == nil {
		auth = above
	}
	if auth != nil && !slices.ContainsFunc(r.Header, func(f Field) bool { return strings.EqualFold(f.Name, "Authorization") && !f.Disabled }) {
		if v := fieldOfAuth(auth); v != "" {
			lines = append(lines, "Authorization: "+v)
		}
	}
	body, contentType := httpBody(r)
	if contentType != "" && !slices.ContainsFunc(r.Header, func(f Field) bool { return strings.EqualFold(f.Name, "Content-Type") && !f.Disabled }) {
		lines = append(lines, "Content-Type: "+contentType)
	}
	if body != nil {
		lines = append(append(lines, ""), body...)
	}
	for _, s := range it.Scripts {
		if s.Language == "jetbrains" && s.When == "test" {
			lines = append(lines, "")
			lines = append(lines, strings.Split("> {%\n"+s.Text+"\n%}", "\n")...)
		}
	}
	return lines, true
}

// httpBody is a body's lines, and the Content-Type that they need.
func httpBody(r *Request) (lines []string, contentType string) {
	b := r.Body
	if b == nil {
		return nil, ""
	}
	switch b.Mode {
	case "raw":
		if b.Text == "" {
			return nil, b.MediaType
		}
		return strings.Split(b.Text, "\n"), b.MediaType
	case "file":
		return []string{"< " + b.File}, ""
	case "urlencoded":
		return []string{formText(b.Fields)}, "application/x-www-form-urlencoded"
	case "graphql":
		lines = strings.Split(b.Text, "\n")
		if b.Variables != "" {
			lines = append(append(lines, ""), strings.Split(b.Variables, "\n")...)
		}
		return lines, ""
	}
	boundary := "parley-part"
	for _, f := range r.Header {
		if strings.EqualFold(f.Name, "Content-Type") {
			if _, after, ok := strings.Cut(f.Value, "boundary="); ok {
				boundary = strings.Trim(after, `"`)
			}
		}
	}
	for _, f := range b.Fields {
		if f.Disabled {
			continue
		}
		d := `Content-Disposition: form-data; name="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(f.Name) + `"`
		name := f.FileName
		if name == "" && f.File != "" {
			name = filepath.Base(f.File)
		}
		if name != "" {
			d += `; filename="` + name + `"`
		}
		lines = append(lines, "--"+boundary, d)
		if f.MediaType != "" {
			lines = append(lines, "Content-Type: "+f.MediaType)
		}
		lines = append(lines, "")
		if f.File != "" {
			lines = append(lines, "< "+f.File)
		} else {
			lines = append(lines, strings.Split(f.Value, "\n")...)
		}
	}
	return append(lines, "--"+boundary+"--"), "multipart/form-data; boundary=" + boundary
}
