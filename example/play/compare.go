package play

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Result is what a step of the legitimate script answered, without what
// differs from run to run: IDs that the script made, times, tokens.
type Result struct {
	Step   string `json:"step"` // "GET /v1/orders/{order} as kavya"
	Want   int    `json:"want"`
	Status int    `json:"status"`
	// Header holds those of ListedHeaders that were sent.
	Header map[string]string `json:"header"`
	// Body is the JSON value, the text, or the hash of anything else. It is
	// nil for failures: every server words its own problems.
	Body any `json:"body,omitempty"`
}

// ListedHeaders are those that clients rely on. Of WWW-Authenticate and
// Retry-After only the presence counts; of the security headers of a failure
// too, since nobody renders a problem.
var ListedHeaders = []string{
	"Content-Type", "Content-Disposition", "Location", "Allow", "WWW-Authenticate", "Retry-After", "Cache-Control", "Set-Cookie",
	"ETag", "Content-Security-Policy", "Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options",
}

// forPages are those that matter to whoever renders an answer.
var forPages = ListedHeaders[len(ListedHeaders)-4:]

// Play plays a script on an address and returns all results. The
// error is for what could not be sent; a status that was not wanted is none.
func Play(ctx context.Context, client *http.Client, base string, keys Keys, script []Step, hook func(*http.Request)) ([]Result, error) {
	n, err := NewRunner(client, base, keys, hook)
	if err != nil {
		return nil, err
	}
	var rs []Result
	for _, s := range script {
		r, err := n.Send(ctx, s)
		if err != nil {
			return rs, err
		}
		rs = append(rs, n.result(s, r))
	}
	return rs, nil
}

// Differences tells how two plays of the script differ; none if they do not.
func Differences(a, b []Result) []string {
	if len(a) != len(b) {
		return []string{fmt.Sprintf("%d answers and %d", len(a), len(b))}
	}
	var ds []string
	for i := range a {
		x, y := a[i], b[i]
		if x.Status != y.Status {
			ds = append(ds, fmt.Sprintf("%s: status %d and %d", x.Step, x.Status, y.Status))
		}
		for _, name := range ListedHeaders {
			if x.Header[name] != y.Header[name] {
				ds = append(ds, fmt.Sprintf("%s: %s %q and %q", x.Step, name, x.Header[name], y.Header[name]))
			}
		}
		if !reflect.DeepEqual(x.Body, y.Body) {
			xb, _ := json.Marshal(x.Body)
			yb, _ := json.Marshal(y.Body)
			ds = append(ds, fmt.Sprintf("%s: body %s and %s", x.Step, xb, yb))
		}
	}
	return ds
}

func (n *Runner) result(s Step, r Response) Result {
	out := Result{Step: s.title(), Want: s.Want, Status: r.Status, Header: map[string]string{}}
	for _, name := range ListedHeaders {
		if vs := r.Header.Values(name); len(vs) > 0 {
			out.Header[name] = n.headerValue(name, vs, r.Status)
		}
	}
	switch {
	case r.Status >= 400 || len(r.Body) == 0:
	case strings.HasSuffix(MediaType(r), "json"):
		out.Body = n.value("", r.JSON)
	case utf8.Valid(r.Body):
		out.Body = n.text(string(r.Body))
	default:
		sum := sha256.Sum256(r.Body)
		out.Body = hex.EncodeToString(sum[:])
	}
	return out
}

func (n *Runner) headerValue(name string, vs []string, status int) string {
	v := strings.Join(vs, ", ")
	switch {
	case name == "WWW-Authenticate" || name == "Retry-After",
		status >= 400 && slices.Contains(forPages, name):
		return "is there"
	case name == "Allow":
		methods := strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })
		slices.Sort(methods)
		return strings.Join(methods, ", ")
	case name == "Set-Cookie":
		// The attributes in any order; the value is a token.
		var cookies []string
		for _, c := range vs {
			pair, attributes, _ := strings.Cut(c, ";")
			cookie, value, _ := strings.Cut(pair, "=")
			if value != "" {
				value = "{token}"
			}
			as := strings.Split(attributes, ";")
			for i := range as {
				as[i] = strings.TrimSpace(as[i])
			}
			slices.Sort(as)
			cookies = append(cookies, cookie+"="+value+"; "+strings.Join(as, "; "))
		}
		return strings.Join(cookies, ", ")
	case name == "Location":
		path, id := v[:strings.LastIndexByte(v, '/')+1], v[strings.LastIndexByte(v, '/')+1:]
		return n.text(path) + n.text(n.id(id))
	}
	return v
}

// id puts a saved ID's name in its place.
func (n *Runner) id(v string) string {
	for _, name := range slices.Sorted(maps.Keys(n.saved)) {
		if n.saved[name] == v && name != "next" { // which is an order's, too
			return "{" + name + "}"
		}
	}
	return v
}

var accountNumber = regexp.MustCompile(`^XXXX[0-9]{4}$`)

// uuid is an ID that a server made up (RFC 9562).
var uuid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

var timeStamp = regexp.MustCompile(`20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z`)

func (n *Runner) text(v string) string {
	v = strings.ReplaceAll(v, n.saved["run"], "{run}")
	v = uuid.ReplaceAllStringFunc(v, func(id string) string {
		if name := n.id(id); name != id {
			return name
		}
		return "{uuid}"
	})
	v = accountNumber.ReplaceAllString(v, "XXXX{digits}")
	return timeStamp.ReplaceAllString(v, "{time}")
}

// secret are members whose value is another each time.
var secret = []string{"token", "csrfToken", "kid", "x", "y", "nonce", "tip"}

// counted are members whose number is another each time.
var counted = []string{"views", "uptime_seconds"}

// value puts names in the place of what differs from run to run. name is the
// member that holds the value.
func (n *Runner) value(name string, v any) any {
	switch t := v.(type) {
	case map[string]any:
		for k := range t {
			t[k] = n.value(k, t[k])
		}
	case []any:
		for i := range t {
			t[i] = n.value(name, t[i])
		}
	case json.Number:
		if slices.Contains(counted, name) {
			return "{" + name + "}"
		}
		if name == "id" || strings.HasSuffix(name, "_id") {
			if v := n.id(t.String()); v != t.String() {
				return v
			}
		}
	case string:
		switch {
		case slices.Contains(secret, name):
			return "{" + name + "}"
		case name == "next" && t == n.saved["next"]:
			return "{next}"
		case t != "" && n.id(t) != t:
			return n.id(t)
		}
		return n.text(t)
	}
	return v
}
