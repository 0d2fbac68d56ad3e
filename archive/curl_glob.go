package archive

import (
	"strconv"
	"strings"
)

// maxGlob is how many URLs one URL may stand for.
const maxGlob = 100

// globbed returns the URLs that curl makes of one with {a,b} and [1-3]; nil
// when the pattern is broken or stands for too many. {{name}} is a variable,
// and an address in brackets is one.
func globbed(u string) []string {
	i := strings.IndexAny(u, "{[")
	if i < 0 || len(u) > 1<<13 {
		return []string{strings.ReplaceAll(u, `\[`, "[")}
	}
	if i > 0 && u[i-1] == '\\' {
		return prefixAll(u[:i-1]+u[i:i+1], globbed(u[i+1:]))
	}
	if m := anyReference.FindStringIndex(u[i:]); m != nil && m[0] == 0 {
		return prefixAll(u[:i+m[1]], globbed(u[i+m[1]:]))
	}
	closing := "}"
	if u[i] == '[' {
		closing = "]"
	}
	end := strings.Index(u[i:], closing)
	if end < 0 {
		return nil
	}
	inner, tail := u[i+1:i+end], globbed(u[i+end+1:])
	if tail == nil {
		return nil
	}
	var choices []string
	if u[i] == '{' {
		choices = strings.Split(inner, ",")
	} else if strings.Count(inner, ":") > 1 || inner == "" {
		choices = []string{"[" + inner + "]"} // an IPv6 address, or a name such as a[]
	} else if choices = globRange(inner); choices == nil {
		return nil
	}
	if len(choices)*len(tail) > maxGlob {
		return nil
	}
	var out []string
	for _, c := range choices {
		for _, t := range tail {
			out = append(out, u[:i]+c+t)
		}
	}
	return out
}

func prefixAll(prefix string, list []string) []string {
	for i := range list {
		list[i] = prefix + list[i]
	}
	return list
}

// globRange reads 1-3, 01-10:2 and a-c.
func globRange(s string) []string {
	s, stepText, has := strings.Cut(s, ":")
	step := 1
	if has {
		var err error
		if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
			return nil
		}
	}
	from, to, ok := strings.Cut(s, "-")
	if !ok || from == "" || to == "" {
		return nil
	}
	var out []string
	if a, err := strconv.Atoi(from); err == nil {
		b, err := strconv.Atoi(to)
		if err != nil || b < a || (b-a)/step >= maxGlob {
			return nil
		}
		for n := a; n <= b; n += step {
			t := strconv.Itoa(n)
			if from[0] == '0' {
				t = strings.Repeat("0", max(0, len(from)-len(t))) + t
			}
			out = append(out, t)
		}
		return out
	}
	if len(from) != 1 || len(to) != 1 || from > to {
		return nil
	}
	for c := int(from[0]); c <= int(to[0]); c += step {
		out = append(out, string(rune(c)))
	}
	return out
}
