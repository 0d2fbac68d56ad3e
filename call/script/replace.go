package script

import (
	"os"
	"slices"
	"strings"
	"time"
)

// Bounds of what a text may become: values name other variables.
const (
	maxDepth = 20
	maxText  = 64 << 20
)

// Replace puts values for the {{names}} in a text. What a value names is
// replaced, too, up to a depth. Names of nothing stay as they are and are
// returned. escape, unless it is nil, is asked how a value stands in the text
// before it.
func (s *Scopes) Replace(text string, now time.Time, escape func(before, value string) string) (out string, unknown []string) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	r := replacer{s: s, now: now, left: maxText}
	out = r.replace(text, 0, escape)
	return out, r.unknown
}

type replacer struct {
	s       *Scopes
	now     time.Time
	left    int
	unknown []string
}

func (r *replacer) replace(text string, depth int, escape func(before, value string) string) string {
	var b strings.Builder
	for {
		open := strings.Index(text, "{{")
		if open < 0 {
			break
		}
		length := strings.Index(text[open+2:], "}}")
		if length < 0 {
			break
		}
		// Of "{{{a}}" the last two braces belong to the name.
		if last := strings.LastIndex(text[open:open+2+length], "{{"); last > 0 {
			length -= last
			open += last
		}
		b.WriteString(text[:open])
		whole := text[open : open+2+length+2]
		name := strings.TrimSpace(whole[2 : len(whole)-2])
		value, ok := r.value(name)
		switch {
		case !ok:
			if !slices.Contains(r.unknown, name) {
				r.unknown = append(r.unknown, name)
			}
			value = whole
		case strings.Contains(value, "{{"):
			if depth+1 >= maxDepth {
				if !slices.Contains(r.unknown, name) {
					r.unknown = append(r.unknown, name)
				}
				value = whole
			} else {
				value = r.replace(value, depth+1, nil)
			}
		}
		if ok && escape != nil {
			value = escape(b.String(), value)
		}
		if r.left -= len(value); r.left < 0 {
			return b.String()
		}
		b.WriteString(value)
		text = text[open+len(whole):]
	}
	b.WriteString(text)
	return b.String()
}

func (r *replacer) value(name string) (string, bool) {
	if v, ok := r.s.Lookup(name); ok {
		return Text(v), true
	}
	if env, ok := strings.CutPrefix(name, "process.env."); ok { // of Bruno
		v, ok := os.LookupEnv(env)
		r.secret(v)
		return v, ok
	}
	if strings.HasPrefix(name, "$processEnv") || strings.HasPrefix(name, "$env.") {
		v, ok := Dynamic(name, r.now)
		r.secret(v)
		return v, ok
	}
	if strings.HasPrefix(name, "$") {
		return Dynamic(name, r.now)
	}
	return "", false
}

func (r *replacer) secret(value string) {
	if r.s.Secret != nil {
		r.s.Secret(value)
	}
}
