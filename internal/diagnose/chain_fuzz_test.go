package diagnose_test

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/parley-project/parley/internal/diagnose"
	"github.com/parley-project/parley/internal/lab"
)

// FuzzChain judges bytes as a chain: pieces with a length before each. Nothing
// that is made up may verify, and nothing may panic.
func FuzzChain(f *testing.F) {
	l, err := lab.NewCertLab()
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(l.Close)
	for _, s := range lab.CertSettings {
		f.Add(joined(s.Serve(l).Certificate))
	}
	f.Add(joined([][]byte{l.Root.Certificate.Raw, l.Root.Certificate.Raw}))
	// Another authority than that of the seeds, so that none of them verifies.
	pool := lab.NewAuthority().Pool()
	f.Fuzz(func(t *testing.T, b []byte) {
		var sent [][]byte
		for rest := b; len(rest) >= 2 && len(sent) < 40; {
			n := min(int(binary.BigEndian.Uint16(rest)), len(rest)-2)
			sent, rest = append(sent, rest[2:2+n]), rest[2+n:]
		}
		fetch := func(context.Context, string) ([]byte, error) { return b, nil }
		facts, trust := diagnose.Chain(t.Context(), sent, diagnose.ChainOptions{Name: lab.Name, Now: l.Now, Roots: pool, Fetch: fetch, Pins: []string{"x"}})
		if trust.Verified || len(trust.Problems) == 0 {
			t.Errorf("Chain verified %v with %d problems, want a reason not to", trust.Verified, len(trust.Problems))
		}
		if len(facts) != min(len(sent), 32) {
			t.Errorf("Chain found %d facts of %d", len(facts), len(sent))
		}
	})
}

func joined(chain [][]byte) (b []byte) {
	for _, der := range chain {
		b = binary.BigEndian.AppendUint16(b, uint16(len(der)))
		b = append(b, der...)
	}
	return b
}
