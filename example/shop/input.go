package shop

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxBody is the largest body that the shop reads.
const maxBody = 64 << 10

// An object is the JSON object of a request body, read with care: a duplicate
// member, a wrong type and a member that nobody asked for are all refused.
// encoding/json alone would take the last of two members and would fill role
// from "ROLE".
type object struct {
	members map[string]json.RawMessage
	asked   []string
	errs    []fieldError
	lax     bool // by the flaw request-schema: any number will do
}

// readObject reads the body. What it sends must be JSON and must say so.
func (s *Shop) readObject(r *request, alsoType ...string) (*object, error) {
	mt, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if (err != nil || mt != "application/json" && !slices.Contains(alsoType, mt)) && !s.flawed("request-content-type") {
		return nil, refuse(http.StatusUnsupportedMediaType, "the body must be application/json")
	}
	most := int64(maxBody)
	if s.flawed("request-size") {
		most = math.MaxInt64
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, most))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body is larger than 64 KiB")
	} else if err != nil {
		return nil, refuse(http.StatusBadRequest, "the body broke off")
	}
	if !utf8.Valid(body) {
		return nil, refuse(http.StatusBadRequest, "the body is not UTF-8")
	}
	o := &object{lax: s.flawed("request-schema")}
	if json.Unmarshal(body, &o.members) != nil || o.members == nil {
		return nil, refuse(http.StatusBadRequest, "the body is not one JSON object")
	}
	if noDuplicates(json.NewDecoder(bytes.NewReader(body)), 0) != nil && !s.flawed("request-duplicate-member") {
		return nil, refuse(http.StatusBadRequest, "a member is given twice, or too deep")
	}
	return o, nil
}

// noDuplicates reads one value and fails at the second of two equal names.
func noDuplicates(dec *json.Decoder, depth int) error {
	t, err := dec.Token()
	if err != nil {
		return err
	}
	d, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	if depth++; depth > 16 {
		return errors.New("too deep")
	}
	seen := map[string]bool{}
	for dec.More() {
		if d == '{' {
			name, err := dec.Token()
			if err != nil {
				return err
			}
			if n := name.(string); seen[n] {
				return errors.New("duplicate")
			} else {
				seen[n] = true
			}
		}
		if err := noDuplicates(dec, depth); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

func (o *object) has(name string) bool { _, ok := o.members[name]; return ok }

func (o *object) wrong(name, text string) {
	o.errs = append(o.errs, fieldError{name, text})
}

// take notes that a member was asked for and returns it.
func (o *object) take(name string, required bool) (json.RawMessage, bool) {
	o.asked = append(o.asked, name)
	raw, ok := o.members[name]
	if !ok && required {
		o.wrong(name, "is missing")
	}
	return raw, ok
}

// text reads a string of so many characters. Absent, it is "".
func (o *object) text(name string, required bool, min, max int) string {
	raw, ok := o.take(name, required)
	if !ok {
		return ""
	}
	var v *string
	if json.Unmarshal(raw, &v) != nil || v == nil {
		o.wrong(name, "must be text")
		return ""
	}
	if n := utf8.RuneCountInString(*v); n < min || n > max {
		o.wrong(name, "must have "+strconv.Itoa(min)+" to "+strconv.Itoa(max)+" characters")
	}
	return *v
}

func (o *object) email(name string, required bool) string {
	v := o.text(name, required, 3, 254)
	if v == "" {
		return v
	}
	if a, err := mail.ParseAddress(v); err != nil || a.Address != v {
		o.wrong(name, "must be an e-mail address")
	}
	return strings.ToLower(v)
}

// oneOf reads a string that must be one of the words.
func (o *object) oneOf(name string, required bool, words ...string) string {
	v := o.text(name, required, 0, 64)
	if o.has(name) && !slices.Contains(words, v) {
		o.wrong(name, "must be one of "+strings.Join(words, ", "))
	}
	return v
}

func (o *object) flag(name string, required bool) bool {
	raw, ok := o.take(name, required)
	if ok && string(raw) != "true" && string(raw) != "false" {
		o.wrong(name, "must be true or false")
	}
	return string(raw) == "true"
}

func (o *object) number(name string, required bool, min, max int64) int64 {
	raw, ok := o.take(name, required)
	if !ok {
		return 0
	}
	v, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || (v < min || v > max) && !o.lax {
		o.wrong(name, "must be a whole number from "+strconv.FormatInt(min, 10)+" to "+strconv.FormatInt(max, 10))
	}
	return v
}

func (o *object) money(name string, required bool, min, max Money) Money {
	raw, ok := o.take(name, required)
	if !ok {
		return 0
	}
	v, ok := parseMoney(string(raw))
	if !ok || v < min || v > max {
		o.wrong(name, "must be an amount from "+min.String()+" to "+max.String())
	}
	return v
}

// done refuses the body if a value was wrong or a member was not asked for.
func (o *object) done() error {
	for name := range o.members {
		if !slices.Contains(o.asked, name) {
			o.wrong(name, "is not known here")
		}
	}
	return invalid(o.errs)
}

func invalid(errs []fieldError) error {
	if len(errs) == 0 {
		return nil
	}
	slices.SortFunc(errs, func(a, b fieldError) int { return strings.Compare(a.Field, b.Field) })
	p := refuse(http.StatusBadRequest, "some values are not as they must be")
	p.Errors = errs
	return p
}

// A query is the query of a request, read with the same care.
type query struct {
	values url.Values
	asked  []string
	errs   []fieldError
}

func readQuery(r *request) (*query, error) {
	v, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the query cannot be read")
	}
	return &query{values: v, asked: []string{"access_token"}}, nil // never used but by the flaw in identify
}

func (q *query) text(name string, max int) string {
	q.asked = append(q.asked, name)
	vs := q.values[name]
	if len(vs) == 0 {
		return ""
	}
	if len(vs) > 1 || utf8.RuneCountInString(vs[0]) > max {
		q.errs = append(q.errs, fieldError{name, "must be given once, with at most " + strconv.Itoa(max) + " characters"})
	}
	return vs[0]
}

func (q *query) oneOf(name string, words ...string) string {
	v := q.text(name, 64)
	if q.values.Has(name) && !slices.Contains(words, v) {
		q.errs = append(q.errs, fieldError{name, "must be one of " + strings.Join(words, ", ")})
	}
	return v
}

func (q *query) number(name string, otherwise, min, max int64) int64 {
	t := q.text(name, 20)
	if !q.values.Has(name) {
		return otherwise
	}
	v, err := strconv.ParseInt(t, 10, 64)
	if err != nil || v < min || v > max {
		q.errs = append(q.errs, fieldError{name, "must be a whole number from " + strconv.FormatInt(min, 10) + " to " + strconv.FormatInt(max, 10)})
	}
	return v
}

// limit reads how many items a page may have.
func (s *Shop) limit(q *query) int64 {
	least, most := int64(1), int64(100)
	if s.flawed("request-parameters") {
		least = -1 // which is all of them to the database
	}
	if s.flawed("request-page-size") {
		most = math.MaxInt32
	}
	return q.number("limit", 20, least, most)
}

func (q *query) done() error {
	for name := range q.values {
		if !slices.Contains(q.asked, name) {
			q.errs = append(q.errs, fieldError{name, "is not known here"})
		}
	}
	return invalid(q.errs)
}

// pathID reads the {id} of the path.
func pathID(r *request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, invalid([]fieldError{{"id", "must be a whole number from 1"}})
	}
	return id, nil
}

// Money is an amount in hundredths, written in JSON as a number with two digits.
type Money int64

func (m Money) String() string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	return sign + strconv.FormatInt(int64(m)/100, 10) + "." + strconv.FormatInt(int64(m)/10%10, 10) + strconv.FormatInt(int64(m)%10, 10)
}

// MarshalJSON writes 12.50.
func (m Money) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

var moneyText = regexp.MustCompile(`^([0-9]{1,9})(?:\.([0-9]{1,2}))?$`)

func parseMoney(t string) (Money, bool) {
	parts := moneyText.FindStringSubmatch(t)
	if parts == nil {
		return 0, false
	}
	v, err := strconv.ParseInt(parts[1]+(parts[2] + "00")[:2], 10, 64)
	return Money(v), err == nil
}
