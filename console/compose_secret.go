package console

import (
	"errors"
	"reflect"
	"regexp"
	"strings"

	"github.com/parley-project/parley/archive"
)

// The page gets a collection with placeholders in the place of its secrets, and
// sends them back where nothing else was typed. Here they turn into each other.

// placeholder is what identity puts in the place of a secret.
var placeholder = regexp.MustCompile(`secret:[0-9a-f]{12}`)

// A secrets is what stands for which secret of a collection.
type secrets map[string]string

// hidden is the form of a collection without its secrets. read reads the
// collection anew: what hides changes it in place.
func (c *Console) hidden(plain *archive.Collection, read func() (*archive.Collection, error)) (*archive.Collection, *collectionForm, secrets, error) {
	masked, err := read()
	if err != nil {
		return nil, nil, nil, err
	}
	archive.Hide(masked, c.masker())
	form := formOf(masked)
	var a, b []string
	texts(reflect.ValueOf(formOf(plain)), func(s *string) { a = append(a, *s) })
	texts(reflect.ValueOf(form), func(s *string) { b = append(b, *s) })
	if len(a) != len(b) {
		return nil, nil, nil, errors.New("its secrets cannot be told from the rest, so that it is not shown")
	}
	known := secrets{}
	for i := range a {
		known.learn(a[i], b[i])
	}
	return masked, form, known, nil
}

// learn finds out which parts of a text the placeholders of its copy stand for.
func (k secrets) learn(plain, masked string) {
	if plain == masked {
		return
	}
	found := placeholder.FindAllStringIndex(masked, -1)
	var pattern strings.Builder
	pattern.WriteString(`(?s)\A`)
	at := 0
	for _, f := range found {
		pattern.WriteString(regexp.QuoteMeta(masked[at:f[0]]) + "(.*?)")
		at = f[1]
	}
	pattern.WriteString(regexp.QuoteMeta(masked[at:]) + `\z`)
	re, err := regexp.Compile(pattern.String())
	if err != nil {
		return
	}
	if m := re.FindStringSubmatch(plain); m != nil {
		for i, f := range found {
			if mark := masked[f[0]:f[1]]; k[mark] == "" {
				k[mark] = m[i+1]
			}
		}
	}
}

// restore puts the secrets back into a form that the page sent, and returns how
// many placeholders stand for nothing that is known here.
func (k secrets) restore(f *collectionForm) (unknown int) {
	texts(reflect.ValueOf(f), func(s *string) {
		if !strings.Contains(*s, "secret:") {
			return
		}
		*s = placeholder.ReplaceAllStringFunc(*s, func(mark string) string {
			if v, ok := k[mark]; ok {
				return v
			}
			unknown++
			return mark
		})
	})
	return unknown
}

// texts calls f with every text in a form, always in the same order.
func texts(v reflect.Value, f func(*string)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			texts(v.Elem(), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			texts(v.Field(i), f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			texts(v.Index(i), f)
		}
	case reflect.String:
		f(v.Addr().Interface().(*string))
	}
}
