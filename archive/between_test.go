package archive

import (
	"bufio"
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/parley-project/parley/internal/needs"
)

// TestBetweenFormats takes what HAR and curl say through Postman and .http: each
// request comes back as it was.
func TestBetweenFormats(t *testing.T) {
	var all []*Collection
	for _, file := range corpus(t, "har", "*.har") {
		if c, err := Read(filepath.Base(file), contents(t, file)); err == nil {
			all = append(all, c)
		}
	}
	s := bufio.NewScanner(bytes.NewReader(contents(t, corpus(t, "http", "curl-commands.jsonl")[0])))
	for s.Scan() {
		var row map[string]any
		if err := json.Unmarshal(s.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		for _, v := range row {
			text, _ := v.(string)
			if c, err := readCurl("c.sh", []byte(text)); err == nil && requests(c.Items) > 0 {
				all = append(all, c)
			}
		}
	}
	n := 0
	for _, c := range all {
		forget(c.Items)
		n += requests(c.Items)
		for _, to := range []string{"postman", "http"} {
			again, out := written(t, FormatNamed(to), c)
			if c.Name == "" { // one without a name has that of its file
				again.Name = ""
			}
			if a, b := plain(c), plain(again); a != b {
				t.Errorf("%s through %s: %s\n%.800s", c.File, to, difference(a, b), out)
			}
		}
	}
	if n < 100 {
		t.Errorf("%d requests were taken, want more than 100", n)
	}
	needs.Figure(t, "requests of HAR and curl through Postman and .http", "%d", n)
}
