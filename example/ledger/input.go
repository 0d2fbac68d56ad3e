package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// A form says which members a body may have and what each must be.
type form map[string]field

type field struct {
	good     func(v any) bool
	required bool
	nullable bool
}

func required(f field) field { f.required = true; return f }
func nullable(f field) field { f.nullable = true; return f }

func text(min, max int) field {
	return field{good: func(v any) bool {
		s, ok := v.(string)
		n := utf8.RuneCountInString(s)
		return ok && n >= min && n <= max
	}}
}

func pattern(re *regexp.Regexp) field {
	return field{good: func(v any) bool { s, ok := v.(string); return ok && re.MatchString(s) }}
}

func oneOf(words ...string) field {
	return field{good: func(v any) bool { s, ok := v.(string); return ok && slices.Contains(words, s) }}
}

// moment is a date-time (RFC 3339, 5.6).
var moment = field{good: func(v any) bool {
	s, ok := v.(string)
	_, err := time.Parse(time.RFC3339, s)
	return ok && err == nil
}}

// labels is a free map of text to text.
var labels = field{good: func(v any) bool {
	m, ok := v.(map[string]any)
	for _, t := range m {
		s, isText := t.(string)
		ok = ok && isText && utf8.RuneCountInString(s) <= 200
	}
	return ok && len(m) <= 20
}}

var (
	slugText   = regexp.MustCompile(`^[a-z][a-z0-9-]{1,39}$`)
	uuidText   = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	amountText = regexp.MustCompile(`^(0|[1-9][0-9]{0,9})\.[0-9]{2}$`)
	anyAmount  = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,9})\.[0-9]{2}$`)
	ibanText   = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}$`)
)

// input is a body that was judged.
type input map[string]any

func (in input) text(name string) string { s, _ := in[name].(string); return s }
func (in input) has(name string) bool    { _, ok := in[name]; return ok }

// raw is a member as JSON, for the database.
func (in input) raw(name, otherwise string) string {
	v, ok := in[name]
	if !ok || v == nil {
		return otherwise
	}
	b, _ := json.Marshal(v)
	return string(b)
}

// read takes the JSON object of a body and judges it by a form. mergePatch
// bodies are of that type (RFC 7396), all others application/json.
func (l *Ledger) read(r *request, f form) (input, error) {
	want := "application/json"
	if r.Method == http.MethodPatch {
		want = "application/merge-patch+json"
	}
	if mt, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); (err != nil || mt != want) && !l.flawed("request-content-type") {
		return nil, refuse(http.StatusUnsupportedMediaType, "mediaType", "the body must be "+want)
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 64<<10))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, refuse(http.StatusRequestEntityTooLarge, "tooLarge", "the body is larger than 64 KiB")
	} else if err != nil || !utf8.Valid(body) {
		return nil, invalid("the body cannot be read")
	}
	var in input
	if json.Unmarshal(body, &in) != nil || in == nil {
		return nil, invalid("the body is not one JSON object")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if givenTwice(dec, 0) && !l.flawed("request-duplicate-member") {
		return nil, invalid("a member is given twice, or too deep")
	}
	for name := range in {
		if _, ok := f[name]; !ok {
			return nil, invalid(name + " is not known here")
		}
	}
	for name, field := range f {
		v, there := in[name]
		switch {
		case !there && field.required:
			return nil, invalid(name + " is missing")
		case !there, v == nil && field.nullable:
		case !field.good(v):
			return nil, invalid(name + " is not as it must be")
		}
	}
	return in, nil
}

func invalid(detail string) *problem { return refuse(http.StatusBadRequest, "invalid", detail) }

// givenTwice reads one value and reports whether an object in it has two
// members of one name, or more than 16 levels.
func givenTwice(dec *json.Decoder, depth int) bool {
	t, err := dec.Token()
	d, nested := t.(json.Delim)
	if err != nil || !nested {
		return err != nil
	}
	if depth == 16 {
		return true
	}
	seen := map[json.Token]bool{}
	for dec.More() {
		if d == '{' {
			name, err := dec.Token()
			if err != nil || seen[name] {
				return true
			}
			seen[name] = true
		}
		if givenTwice(dec, depth+1) {
			return true
		}
	}
	_, err = dec.Token()
	return err != nil
}

// query takes the values of a query that may each be given once.
func (l *Ledger) query(r *request, names map[string]func(string) bool) (map[string]string, error) {
	out := map[string]string{}
	for name, vs := range r.URL.Query() {
		good, known := names[name]
		if name == "access_token" && l.flawed("request-token-in-url") {
			continue
		}
		if !known || len(vs) != 1 || !good(vs[0]) {
			return nil, invalid("the parameter " + name + " is not as it must be")
		}
		out[name] = vs[0]
	}
	return out, nil
}

// pageSize judges a limit.
func (l *Ledger) pageSize(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 1 && (n <= 50 || l.flawed("request-page-size"))
}
