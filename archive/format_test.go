package archive

import (
	"errors"
	"strings"
	"testing"
)

// What is in no format is answered with those that there are, and with what the
// file's ending says.
func TestUnknownFormat(t *testing.T) {
	for _, test := range []struct{ file, want string }{
		{"a.yaml", ", parley; the ending .yaml is that of opencollection and parley, and the content is not"},
		{"A.YML", "; the ending .YML is that of opencollection and parley, and the content is not"},
		{"a.txt", ", parley; the ending .txt is that of none of them"},
		{"stdin", ", parley"},
	} {
		_, err := Read(test.file, []byte("hello: there\n"))
		var e *Error
		if !errors.As(err, &e) || !strings.HasPrefix(e.Hint, "known are har, ") || !strings.HasSuffix(e.Hint, test.want) {
			t.Errorf("Read(%s) found %v, %+v, want a hint that ends with %q", test.file, err, e, test.want)
		}
	}
}
