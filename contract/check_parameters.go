package contract

import (
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"encoding/json"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/jsonscan"
)

const (
	maxPairs  = 1000 // of a query; more is an attack, not a question
	maxFaults = 64
)

// CheckParameters judges a request's path, query, header and cookie values by
// what the operation declares. Headers and cookies that are not declared are
// not looked at; undeclared query parameters are faults. A fault never holds a
// value.
func (o *Operation) CheckParameters(r *exchange.Request, ps []Param) []ParameterFault {
	if o == nil || r == nil {
		return nil
	}
	s := scratches.Get().(*scratch)
	s.faults = nil
	s.query = s.query[:0]
	for _, p := range o.Parameters {
		switch p.In {
		case "path":
			for i := range ps {
				if ps[i].Name == p.Name {
					s.one(p, ps[i].Value)
				}
			}
		case "header":
			var values []string
			if r.Header.Has(p.Name) {
				values = r.Header.Values(p.Name)
			}
			s.values(p, values)
		case "cookie":
			s.values(p, cookieValues(r.Header, p.Name))
		}
	}
	s.checkQuery(o, r.Query())
	faults := s.faults
	scratches.Put(s)
	return faults
}

// A scratch is room for one check.
type scratch struct {
	faults []ParameterFault
	query  []pair
	text   []byte
	result jsonscan.Result
}

type pair struct {
	name, value string
	used        bool
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func (s *scratch) fault(in, name, keyword string) {
	if len(s.faults) >= maxFaults {
		return
	}
	if len(name) > 64 {
		name = strings.ToValidUTF8(name[:64], "")
	}
	for _, f := range s.faults {
		if f.In == in && f.Name == name && f.Keyword == keyword {
			return
		}
	}
	s.faults = append(s.faults, ParameterFault{in, name, keyword})
}

func (s *scratch) checkQuery(o *Operation, raw string) {
	for n := 0; raw != ""; n++ {
		if n == maxPairs {
			s.fault("query", "", "count")
			break
		}
		var part string
		part, raw, _ = strings.Cut(raw, "&")
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, ok1 := decodeQuery(name)
		value, ok2 := decodeQuery(value)
		if !ok1 || !ok2 {
			if !ok1 {
				name = ""
			}
			s.fault("query", name, "encoding")
			continue
		}
		s.query = append(s.query, pair{name: name, value: value})
	}
	for _, p := range o.Parameters {
		if p.In != "query" {
			continue
		}
		if p.object {
			s.object(p)
			continue
		}
		found := 0
		var first string
		for i := range s.query {
			if s.query[i].name == p.Name {
				s.query[i].used = true
				if found++; found == 1 {
					first = s.query[i].value
				}
			}
		}
		switch {
		case found == 0:
			if p.Required {
				s.fault("query", p.Name, "required")
			}
		case p.Repeats:
			var values []string
			for i := range s.query {
				if s.query[i].name == p.Name {
					values = append(values, s.query[i].value)
				}
			}
			if found > 1 && !p.expand {
				s.fault("query", p.Name, "repeated")
			} else {
				s.array(p, p.split(values))
			}
		case found > 1:
			s.fault("query", p.Name, "repeated")
		default:
			s.one(p, first)
		}
	}
	if o.openQuery {
		return
	}
next:
	for i := range s.query {
		if s.query[i].used {
			continue
		}
		for _, k := range o.keys {
			if s.query[i].name == k {
				continue next
			}
		}
		s.fault("query", s.query[i].name, "undeclared")
	}
}

// values judges a header or cookie.
func (s *scratch) values(p *Parameter, values []string) {
	switch {
	case len(values) == 0:
		if p.Required {
			s.fault(p.In, p.Name, "required")
		}
	case p.Repeats:
		s.array(p, splitAll(values, ','))
	case len(values) > 1:
		s.fault(p.In, p.Name, "repeated")
	default:
		s.one(p, values[0])
	}
}

// one judges a single text.
func (s *scratch) one(p *Parameter, text string) {
	switch {
	case p.program == nil || text == "" && p.allowEmpty:
		return
	case p.content:
		s.text = append(s.text[:0], text...)
		if k := s.scan(p); k != "" {
			s.fault(p.In, p.Name, k)
		}
		return
	case p.Repeats:
		s.array(p, p.split([]string{text}))
		return
	case p.object:
		s.flatObject(p, text)
		return
	}
	bare, canBare := literal(text, p.kinds)
	keyword := ""
	if canBare {
		s.text = append(s.text[:0], bare...)
		if keyword = s.scan(p); keyword == "" {
			return
		}
		if p.kinds&asString == 0 {
			s.fault(p.In, p.Name, keyword)
			return
		}
	}
	s.text = appendQuoted(s.text[:0], text)
	if k := s.scan(p); k != "" {
		if keyword == "" {
			keyword = k
		}
		s.fault(p.In, p.Name, keyword)
	}
}

func (s *scratch) array(p *Parameter, items []string) {
	if p.program == nil {
		return
	}
	s.text = append(s.text[:0], '[')
	for i, t := range items {
		if i > 0 {
			s.text = append(s.text, ',')
		}
		s.text = appendCoerced(s.text, t, p.items)
	}
	s.text = append(s.text, ']')
	if k := s.scan(p); k != "" {
		s.fault(p.In, p.Name, k)
	}
}

// object judges an object that is spread over the query: filter[name]=x, or
// its members by their own names.
func (s *scratch) object(p *Parameter) {
	if p.style == "form" && !p.expand {
		for i := range s.query {
			if s.query[i].name == p.Name {
				s.query[i].used = true
				s.flatObject(p, s.query[i].value)
			}
		}
		return
	}
	s.text = append(s.text[:0], '{')
	n := 0
	for i := range s.query {
		name := s.query[i].name
		if p.style == "deepObject" {
			inner, ok := strings.CutPrefix(name, p.Name+"[")
			if !ok || !strings.HasSuffix(inner, "]") {
				continue
			}
			name = inner[:len(inner)-1]
		} else if _, ok := p.members[name]; !ok {
			continue
		}
		s.query[i].used = true
		for j := range s.query[:i] {
			if s.query[j].name == s.query[i].name {
				s.fault("query", s.query[i].name, "repeated")
				return
			}
		}
		if n++; n > 1 {
			s.text = append(s.text, ',')
		}
		s.text = appendQuoted(s.text, name)
		s.text = append(s.text, ':')
		s.text = appendCoerced(s.text, s.query[i].value, p.members[name])
	}
	s.text = append(s.text, '}')
	switch {
	case n == 0 && p.Required:
		s.fault("query", p.Name, "required")
	case n > 0:
		if k := s.scan(p); k != "" {
			s.fault("query", p.Name, k)
		}
	}
}

// flatObject judges an object written role,admin,level,3 or role=admin,level=3.
func (s *scratch) flatObject(p *Parameter, text string) {
	if p.program == nil {
		return
	}
	parts := strings.Split(text, ",")
	s.text = append(s.text[:0], '{')
	for i := 0; i < len(parts); i++ {
		name, value, pairs := strings.Cut(parts[i], "=")
		if !p.expand || !pairs {
			if i+1 == len(parts) {
				s.fault(p.In, p.Name, "type")
				return
			}
			i++
			name, value = parts[i-1], parts[i]
		}
		if len(s.text) > 1 {
			s.text = append(s.text, ',')
		}
		s.text = appendQuoted(s.text, name)
		s.text = append(s.text, ':')
		s.text = appendCoerced(s.text, value, p.members[name])
	}
	s.text = append(s.text, '}')
	if k := s.scan(p); k != "" {
		s.fault(p.In, p.Name, k)
	}
}

// scan judges s.text and returns the keyword that failed, or "".
func (s *scratch) scan(p *Parameter) string {
	if p.program == nil {
		return ""
	}
	p.program.Scan(s.text, jsonscan.Limits{}, &s.result)
	switch {
	case s.result.Fault != nil && s.result.Fault.Kind == jsonscan.Duplicate:
		return "repeated"
	case s.result.Fault != nil && s.result.Fault.Kind == jsonscan.BadText:
		return "encoding"
	case s.result.Fault != nil:
		return "type"
	case len(s.result.Violations) == 0:
		return ""
	}
	v := s.result.Violations[0]
	if v.Kind == jsonscan.Invalid && v.Keyword != "" {
		return v.Keyword
	}
	return v.Kind.String()
}

// literal returns text as it stands when it is JSON of one of the kinds.
func literal(text string, k coercion) (string, bool) {
	switch {
	case k&asInteger != 0 && isInteger(text):
		return text, true
	case k&asNumber != 0 && isNumber(text):
		return text, true
	case k&asBool != 0 && (text == "true" || text == "false"):
		return text, true
	case k&asNull != 0 && text == "":
		return "null", true
	}
	return "", false
}

func appendCoerced(b []byte, text string, k coercion) []byte {
	if l, ok := literal(text, k); ok && k&asString == 0 {
		return append(b, l...)
	}
	return appendQuoted(b, text)
}

func isInteger(s string) bool {
	s = strings.TrimPrefix(s, "-")
	if s == "" || s[0] == '0' && len(s) > 1 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func isNumber(s string) bool {
	if s == "" || s[0] != '-' && (s[0] < '0' || s[0] > '9') {
		return false
	}
	return json.Valid([]byte(s)) && s[len(s)-1] >= '0' && s[len(s)-1] <= '9'
}

// appendQuoted writes a JSON string. Text that is not UTF-8 stays as it is,
// for the scanner to refuse.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// split cuts the texts of an array parameter into its items.
func (p *Parameter) split(values []string) []string {
	if p == nil || p.expand && p.In == "query" {
		return values
	}
	switch p.style {
	case "spaceDelimited":
		return splitAll(values, ' ')
	case "tabDelimited":
		return splitAll(values, '\t')
	case "pipeDelimited":
		return splitAll(values, '|')
	}
	return splitAll(values, ',')
}

func splitAll(values []string, by byte) []string {
	var out []string
	for _, v := range values {
		for _, t := range strings.Split(v, string(rune(by))) {
			out = append(out, strings.TrimSpace(t))
		}
	}
	return out
}

// queryValues returns the values of a query parameter, and false when the
// query cannot be read.
func queryValues(raw, name string) ([]string, bool) {
	var out []string
	for raw != "" {
		var part string
		part, raw, _ = strings.Cut(raw, "&")
		n, v, _ := strings.Cut(part, "=")
		n, ok := decodeQuery(n)
		if !ok {
			return nil, false
		}
		if n != name {
			continue
		}
		if v, ok = decodeQuery(v); !ok {
			return nil, false
		}
		out = append(out, v)
	}
	return out, true
}

// QueryOf returns of a raw query what the operation declares.
func (o *Operation) QueryOf(raw string) string {
	if o == nil || raw == "" {
		return ""
	}
	var kept []string
	for part := range strings.SplitSeq(raw, "&") {
		name, _, _ := strings.Cut(part, "=")
		if name, ok := decodeQuery(name); ok && o.declaresQuery(name) {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}

func (o *Operation) declaresQuery(name string) bool {
	for _, p := range o.Parameters {
		if p.In != "query" {
			continue
		}
		if _, member := p.members[name]; name == p.Name || p.object && (member || strings.HasPrefix(name, p.Name+"[")) {
			return true
		}
	}
	return false
}

// decodeQuery undoes percent-encoding and the plus of forms.
func decodeQuery(s string) (string, bool) {
	if strings.IndexByte(s, '+') >= 0 {
		s = strings.ReplaceAll(s, "+", " ")
	}
	d, ok := decodeSegment(s)
	if !ok || !utf8.ValidString(d) || strings.IndexByte(d, 0) >= 0 {
		return "", false
	}
	return d, true
}

// cookieValues returns the values of the cookies of a name (RFC 6265, 5.4).
func cookieValues(h exchange.Header, name string) []string {
	var out []string
	for _, f := range h {
		if len(f.Name) != 6 || !strings.EqualFold(f.Name, "cookie") {
			continue
		}
		for rest := f.Value; rest != ""; {
			var c string
			c, rest, _ = strings.Cut(rest, ";")
			n, v, _ := strings.Cut(strings.TrimSpace(c), "=")
			if n == name {
				out = append(out, strings.Trim(v, `"`))
			}
		}
	}
	return out
}

// String says what is wrong, as a person reads it: `query "limit": maximum`.
func (f ParameterFault) String() string {
	return f.In + " " + strconv.Quote(f.Name) + ": " + f.Keyword
}
