package guard

import (
	"net/http"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// A conditional GET of an object that a rule judges: the API is asked for the
// whole, since 304 shows nothing that could be judged, and guard answers the
// condition itself (RFC 9110, 13.2.2).

// notModified makes 304 of a released answer that the client has already, and
// returns any other as it is.
func (c *Call) notModified(out *exchange.Response) *exchange.Response {
	if c.noneMatch == "" || out.Status != http.StatusOK || !sameTag(c.noneMatch, out.Header.Get("ETag")) {
		return out
	}
	not := *out
	not.Status, not.Body = http.StatusNotModified, exchange.Body{}
	not.Header = nil
	for _, f := range out.Header {
		switch http.CanonicalHeaderKey(f.Name) {
		case "Content-Type", "Content-Length", "Content-Encoding", "Content-Language", "Last-Modified":
			// What describes a body that does not come (15.4.5).
		default:
			not.Header = append(not.Header, f)
		}
	}
	return &not
}

// sameTag reports whether an If-None-Match field names an entity tag, in the
// weak comparison (8.8.3.2).
func sameTag(field, tag string) bool {
	tag = strings.TrimPrefix(tag, "W/")
	if tag == "" {
		return false
	}
	if strings.TrimSpace(field) == "*" {
		return true
	}
	for rest := field; rest != ""; {
		rest = strings.TrimLeft(rest, " \t,")
		rest = strings.TrimPrefix(rest, "W/")
		if !strings.HasPrefix(rest, `"`) {
			return false // not a list of tags: as if the field were not there
		}
		end := strings.IndexByte(rest[1:], '"') + 2
		if end < 2 {
			return false
		}
		if rest[:end] == tag {
			return true
		}
		rest = strings.TrimLeft(rest[end:], " \t")
	}
	return false
}
