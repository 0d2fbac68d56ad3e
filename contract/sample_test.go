package contract

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-project/parley/internal/needs"
)

// TestSamplesOfFixtures makes a request for every operation of the fixtures: the
// contract itself must find nothing wrong with them.
func TestSamplesOfFixtures(t *testing.T) {
	made, faulty := 0, 0
	for _, file := range fixtureFiles(t, "openapi/*") {
		name := filepath.Base(file)
		if strings.HasPrefix(name, "bad-") {
			continue
		}
		c, err := FromAPI(file)
		if err != nil {
			t.Errorf("FromAPI(%s): %v", name, err)
			continue
		}
		samples, err := c.Samples(file)
		if err != nil {
			t.Errorf("Samples(%s): %v", name, err)
			continue
		}
		have := map[*Operation]bool{}
		for _, s := range samples {
			made++
			have[s.Operation] = true
			if len(s.Faults) > 0 {
				faulty++
				t.Errorf("%s: %s %s: %s\n%.1500s", name, s.Method, s.Path, strings.Join(s.Faults[:min(5, len(s.Faults))], "; "), s.Body)
			}
		}
		for _, o := range c.Operations {
			if !have[o] && !have[c.sibling(o, have)] {
				t.Errorf("%s: no sample of %s", name, o.Name)
			}
		}
	}
	needs.Figure(t, "operations with a sample", "%d, with faults %d", made, faulty)
}

// sibling is the same operation on another server.
func (c *Contract) sibling(o *Operation, have map[*Operation]bool) *Operation {
	for other := range have {
		if other != nil && other.Place == o.Place {
			return other
		}
	}
	return nil
}
