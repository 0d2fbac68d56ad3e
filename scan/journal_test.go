package scan_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/scan"
)

func strangeOptions(t *testing.T) (*strange, scan.Options) {
	t.Helper()
	n := &strange{notes: map[string]map[string]any{}}
	for range 12 {
		n.last++
		n.notes[fmt.Sprint(n.last)] = map[string]any{"id": n.last, "owner": "anna", "text": "old", "colour": "red", "stars": 3}
	}
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	o := optionsFor(t, server.URL, []byte(memosAPI))
	o.Journal = filepath.Join(t.TempDir(), "scan.journal")
	for _, name := range []string{"anna-1", "bert-2"} {
		o.People = append(o.People, &identity.Person{Name: name[:4], Auth: identity.NewBearer(identity.Secret("token-of-" + name))})
	}
	return n, o
}

// A journal that others can have written is not followed.
func TestJournalOfOthers(t *testing.T) {
	n, o := strangeOptions(t)
	line := fmt.Sprintf(`{"n":1,"target":%q,"as":"anna","method":"DELETE","path":"/v1/notes/11"}`+"\n", o.URL)
	if err := os.WriteFile(o.Journal, []byte(line), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := scan.CleanUp(context.Background(), o); err == nil || !strings.Contains(err.Error(), "by others") {
		t.Errorf("it was followed: %v", err)
	}
	if _, err := scan.Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "by others") {
		t.Errorf("it was written over: %v", err)
	}
	if n.notes["11"] == nil {
		t.Error("a note is gone")
	}
	os.Chmod(o.Journal, 0o600) // looked at by its owner: now it counts
	if u, err := scan.CleanUp(context.Background(), o); err != nil || u.Done != 1 || n.notes["11"] != nil {
		t.Errorf("%v %v", u, err)
	}
}

// A link in the place of the journal leads nowhere.
func TestJournalIsALink(t *testing.T) {
	_, o := strangeOptions(t)
	precious := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(precious, []byte("a life's work"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(precious, o.Journal); err != nil {
		t.Fatal(err)
	}
	if _, err := scan.Run(context.Background(), o); err == nil {
		t.Error("the scan began")
	}
	if b, _ := os.ReadFile(precious); string(b) != "a life's work" {
		t.Errorf("it was written over: %q", b)
	}
}

// A path of a journal is one at the target, and what is there must be the scan's.
func TestJournalOfAnotherServer(t *testing.T) {
	n, o := strangeOptions(t)
	var asked atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked.Add(1) }))
	t.Cleanup(other.Close)
	lines := fmt.Sprintf(`{"n":1,"target":%q,"as":"anna","method":"DELETE","path":"@%s/v1/notes/1"}`+"\n", o.URL, strings.TrimPrefix(other.URL, "http://")) +
		fmt.Sprintf(`{"n":2,"target":%q,"as":"anna","method":"DELETE","path":"/v1/notes/11","seed":"abcdefgh"}`+"\n", o.URL) +
		fmt.Sprintf(`{"n":3,"target":%q,"as":"somebody","method":"PUT","path":"/v1/notes/12","body":"e30="}`+"\n", o.URL)
	if err := os.WriteFile(o.Journal, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	u, err := scan.CleanUp(context.Background(), o)
	if err != nil || u.Done != 0 || len(u.Failed) != 3 {
		t.Errorf("%+v %v", u, err)
	}
	if asked.Load() > 0 {
		t.Error("another host was asked")
	}
	if n.notes["11"] == nil {
		t.Error("what has nothing of the scan's in it was deleted")
	}
}
