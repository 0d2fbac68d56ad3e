package store_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/parley-project/parley/store"
	"github.com/parley-project/parley/store/storetest"
)

func open(t testing.TB, file string, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(file, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestSuite(t *testing.T) {
	storetest.Run(t, func(t testing.TB, keepSecrets bool) storetest.Store {
		return open(t, filepath.Join(t.TempDir(), "seen?%#.db"), store.Options{KeepSecrets: keepSecrets})
	})
}

var ctx = context.Background()
