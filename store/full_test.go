package store_test

import (
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/parley-project/parley/store"
	"github.com/parley-project/parley/store/storetest"
)

// TestDiskFull records while nothing can be written: by default all waits and
// is written later, and Flush says why it is not yet.
func TestDiskFull(t *testing.T) {
	var told atomic.Int64
	s := open(t, filepath.Join(t.TempDir(), "x.db"), store.Options{Queue: 100, OnError: func(error) { told.Add(1) }})
	mend := store.FailWrites(s)
	for i := range 50 {
		s.Record(storetest.Simple(i))
	}
	if err := s.Flush(ctx); err == nil {
		t.Error("Flush said all is written on a full disk")
	}
	if st, err := s.Stats(ctx); err != nil || st.Problem == "" || st.Lost != 0 {
		t.Errorf("Stats on a full disk: %+v, %v", st, err)
	}
	done := make(chan struct{})
	go func() {
		for i := range 200 { // more than the queue holds
			s.Record(storetest.Simple(50 + i))
		}
		close(done)
	}()
	mend()
	<-done
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if st, err := s.Stats(ctx); err != nil || st.Rows != 250 || st.Lost != 0 || st.Problem != "" {
		t.Errorf("Stats afterwards: %+v, %v", st, err)
	}
	if told.Load() < 2 {
		t.Error("OnError was not told of the failure and its end")
	}
}

// TestDiskFullDrops loses what it cannot write, says how much, and goes on.
func TestDiskFullDrops(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "x.db"), store.Options{DropOnError: true})
	s.Record(storetest.Simple(1))
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	mend := store.FailWrites(s)
	for i := range 30 {
		s.Record(storetest.Simple(i + 2))
	}
	if err := s.Flush(ctx); err == nil {
		t.Error("Flush said all is written on a full disk")
	}
	mend()
	x := storetest.Simple(99)
	x.Server.Operation = "GET /v1/orders/{id}"
	id := x.ID
	s.Record(x)
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	st, err := s.Stats(ctx)
	if err != nil || st.Rows != 2 || st.Lost != 30 {
		t.Errorf("Stats = %+v, %v, want 2 rows, 30 lost", st, err)
	}
	page, err := s.List(ctx, store.Query{})
	if err != nil || len(page.Rows) != 2 || page.Rows[0].ID != id || page.Rows[0].Operation != x.Server.Operation {
		t.Errorf("List = %+v, %v", page.Rows, err)
	}
}
