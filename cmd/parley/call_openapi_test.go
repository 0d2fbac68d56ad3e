package main

import "testing"

// A description is told from files that only speak of one.
func TestLooksOpenAPI(t *testing.T) {
	for _, test := range []struct {
		data string
		want bool
	}{
		{"openapi: 3.1.0\n", true},
		{"# ours\n---\ninfo: {}\nswagger: '2.0'\n", true},
		{"'openapi': 3.0.3\n", true},
		{"\xef\xbb\xbf{\"openapi\": \"3.0.0\"}", true},
		{"{\n  \"info\": {},\n  \"swagger\": \"2.0\"\n}", true},
		{"requests:\n  - post: http://a.test\n    json:\n      openapi: 3.0.0\n", false},
		{"POST http://a.test\n\n{\n  \"openapi\": \"3.0.0\"\n}\n", false},
		{"{\"item\": [{\"body\": \"{\\n\\\"openapi\\\": 1}\"}]}", false},
		{"", false},
	} {
		if got := looksOpenAPI([]byte(test.data)); got != test.want {
			t.Errorf("looksOpenAPI(%q) found %v, want %v", test.data, got, test.want)
		}
	}
}
