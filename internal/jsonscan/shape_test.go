package jsonscan

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// A shape accepts what its expression accepts.
func TestShape(t *testing.T) {
	shaped := []string{`^[0-9]{6}$`, `^\+[0-9]{8,15}$`, `^[A-Z0-9-]{3,20}$`, `^abc$`, `^a?b$`, `^ab*c$`, `^[a-z]+$`, `^[A-Z]{2}\d+-x$`, `^\d{4}-\d{2}$`}
	for _, source := range shaped {
		re := regexp.MustCompile(source)
		s := shapeOf(re)
		if s == nil {
			t.Errorf("%s has no shape", source)
			continue
		}
		rapid.Check(t, func(t *rapid.T) {
			b := []byte(rapid.OneOf(rapid.StringMatching(source), rapid.StringOfN(rapid.RuneFrom([]rune("abcxABX0159-+ é\n")), 0, 22, -1)).Draw(t, "text"))
			if got, want := s.match(b), re.Match(b); got != want {
				t.Fatalf("%s: shape says %v of %q, the expression %v", source, got, b, want)
			}
		})
	}
	for _, source := range []string{`[0-9]{6}`, `^[0-9]+`, `^a|b$`, `^[a-z]*[0-9]*$`, `^[^x]$`, `^(?i)a$`, `^(ab)+$`, `^é$`, `^.$`, `(?m)^a$`, `^\bx$`} {
		if shapeOf(regexp.MustCompile(source)) != nil {
			t.Errorf("%s has a shape", source)
		}
	}
	if s := shapeOf(regexp.MustCompile(`^[0-9]{6}$`)); testing.AllocsPerRun(100, func() { s.match([]byte("560001")) }) != 0 {
		t.Error("matching a shape allocates")
	}
}
