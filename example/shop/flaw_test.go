package shop

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	argonMemory = 64
	os.Exit(m.Run())
}

// open starts a shop behind a plain server and returns all that is needed to
// talk to it.
func open(t *testing.T, o Options) (base string, keys Keys) {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	if keys, err = s.Keys(); err != nil {
		t.Fatal(err)
	}
	return server.URL, keys
}

func attack(t *testing.T, base string, keys Keys, a Attack) Outcome {
	t.Helper()
	o, err := Run(context.Background(), http.DefaultClient, base, keys, a, nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
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
					t.Errorf("%q on the flawed shop: %s %s, want it to work", a.Name, o.Title, o.Summary)
				}
				if o := attack(t, soundBase, soundKeys, a); o.Worked || !o.Stopped {
					t.Errorf("%q on the sound shop: %s %s, want it stopped", a.Name, o.Title, o.Summary)
				}
			}
			if !found {
				t.Error("no attack shows this flaw")
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
			} else {
				t.Logf("%-28s %-56s %s", a.Flaw, o.Title, o.Summary)
			}
		}
	}
}

func TestAttacksNameFlaws(t *testing.T) {
	for _, a := range Attacks() {
		if !slices.ContainsFunc(Flaws, func(f Flaw) bool { return f.ID == a.Flaw }) {
			t.Errorf("attack %q is for %q, which is no flaw", a.Name, a.Flaw)
		}
		if n := len(a.Steps); n == 0 || !slices.ContainsFunc(a.Steps, func(s Step) bool { return s.Tells }) {
			t.Errorf("attack %q has no step that tells", a.Name)
		}
	}
}

func TestUnknownFlaw(t *testing.T) {
	for word, want := range map[string]string{
		"authz-objct":    `did you mean "authz-object"?`,
		"object-authz":   `did you mean "authz-object"?`,
		"cookies-client": `did you mean "client-cookie"?`,
		"xyz":            `no flaw is called "xyz"`,
	} {
		_, err := New(Options{Flaws: []string{word}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New with flaw %q: %v, want %s", word, err, want)
		}
	}
}
