package check

// describesContent reports whether the response is one that carries content to
// somebody who interprets it. Interim answers, 204 and 304 carry none.
func describesContent(p *Pass) bool {
	s := p.Response.Status
	return s >= 200 && s != 204 && s != 304 && p.Response.Body.Size != 0
}

// rendered reports whether a browser would render the response as a page.
func rendered(p *Pass) bool {
	mt := p.Response.Header.MediaType()
	return mt == "text/html" || mt == "application/xhtml+xml" || mt == "image/svg+xml"
}

// findMissing is the Inspect of a header that ought to be there.
func findMissing(name string, applies func(*Pass) bool) func(*Pass) {
	return func(p *Pass) {
		if applies(p) && p.Response.Header.Get(name) == "" {
			p.Find(Header(name, "missing"))
		}
	}
}

// addMissing is its Release. A value that the API set stays as it is.
func addMissing(name string, applies func(*Pass) bool, value func(*Pass) string) func(*Pass) {
	return func(p *Pass) {
		if applies(p) && p.Response.Header.Get(name) == "" {
			p.Repair(SetHeader(name, value(p)))
		}
	}
}
