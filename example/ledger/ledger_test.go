package ledger

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/parley-project/parley/example/play"
)

func TestMain(m *testing.M) {
	iterations = 10
	os.Exit(m.Run())
}

// open starts a ledger behind a plain server.
func open(t *testing.T, o Options) (base string, keys play.Keys) {
	t.Helper()
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(l.Handler())
	t.Cleanup(func() {
		server.Close()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	if keys, err = l.Keys(); err != nil {
		t.Fatal(err)
	}
	return server.URL, keys
}

func attack(t *testing.T, base string, keys play.Keys, a play.Attack) play.Outcome {
	t.Helper()
	o, err := play.Run(context.Background(), http.DefaultClient, base, keys, a, nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func script(t *testing.T, base string, keys play.Keys) []play.Result {
	t.Helper()
	rs, err := PlayLegitimate(context.Background(), http.DefaultClient, base, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func TestEachFlawAlone(t *testing.T) {
	soundBase, soundKeys := open(t, Options{})
	for _, f := range Flaws {
		t.Run(f.ID, func(t *testing.T) {
			base, keys := open(t, Options{Flaws: []string{f.ID}})
			found := false
			for _, a := range Attacks() {
				o := attack(t, base, keys, a)
				if a.Flaw != f.ID {
					if o.Worked {
						t.Errorf("%s: %q worked: %s %s", a.Flaw, a.Name, o.Title, o.Summary)
					}
					continue
				}
				found = true
				if !o.Worked {
					t.Errorf("%q on the flawed ledger: %s %s, want it to work", a.Name, o.Title, o.Summary)
				}
				if o := attack(t, soundBase, soundKeys, a); o.Worked || !o.Stopped {
					t.Errorf("%q on the sound ledger: %s %s, want it stopped", a.Name, o.Title, o.Summary)
				}
			}
			if !found {
				t.Error("no attack shows this flaw")
			}
			for _, r := range script(t, base, keys) {
				if r.Want < 400 && r.Status != r.Want {
					t.Errorf("an honest client: %s answered %d, want %d", r.Step, r.Status, r.Want)
				}
			}
		})
	}
}

func TestAllFlawsAtOnce(t *testing.T) {
	base, keys := open(t, Options{Flaws: []string{"all"}})
	for range 2 { // an attack must not spoil the next
		for _, a := range Attacks() {
			if o := attack(t, base, keys, a); !o.Worked {
				t.Errorf("%s: %q: %s %s, want it to work", a.Flaw, a.Name, o.Title, o.Summary)
			}
		}
	}
}

func TestAttacksNameFlaws(t *testing.T) {
	for _, a := range Attacks() {
		if !slices.ContainsFunc(Flaws, func(f play.Flaw) bool { return f.ID == a.Flaw }) {
			t.Errorf("attack %q is for %q, which is no flaw", a.Name, a.Flaw)
		}
		if !slices.ContainsFunc(a.Steps, func(s play.Step) bool { return s.Tells }) {
			t.Errorf("attack %q has no step that tells", a.Name)
		}
	}
	if len(Flaws) < 15 {
		t.Errorf("%d flaws, want at least 15", len(Flaws))
	}
}

func TestLegitimateOnTheSoundLedger(t *testing.T) {
	base, keys := open(t, Options{})
	first := script(t, base, keys)
	if len(first) < 60 {
		t.Errorf("the script has %d steps, want at least 60", len(first))
	}
	for _, r := range first {
		if r.Status != r.Want {
			t.Errorf("%s answered %d, want %d", r.Step, r.Status, r.Want)
		}
	}
	for _, d := range play.Differences(first, script(t, base, keys)) {
		t.Errorf("played again: %s", d)
	}
	other, otherKeys := open(t, Options{File: filepath.Join(t.TempDir(), "ledger.db")})
	for _, d := range play.Differences(first, script(t, other, otherKeys)) {
		t.Errorf("played on another ledger: %s", d)
	}
}
