package contract

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func fixtureFiles(t testing.TB, folder string) []string {
	dir := os.Getenv("PARLEY_FIXTURES")
	if dir == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, folder))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures at %s (%v)", folder, err)
	}
	return files
}

// TestFixtures loads the descriptions of real APIs. Those that are broken say
// so with a place.
func TestFixtures(t *testing.T) {
	for _, file := range fixtureFiles(t, "openapi/*") {
		if filepath.Ext(file) == ".md" {
			continue
		}
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			c, err := FromAPI(file)
			if err != nil {
				t.Log(err)
				t.Fail()
				return
			}
			t.Log(len(c.Operations), time.Since(start), len(c.NotJudged), len(c.Notes))
			for i, n := range c.NotJudged {
				if i < 4 {
					t.Log(n)
				}
			}
			for i, n := range c.Notes {
				if i < 4 {
					t.Log(n)
				}
			}
		})
	}
}
