package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/parley-project/parley/example/shop"
)

// counted are tables that change by being read, or that the database keeps for
// itself.
var counted = []string{"sqlite_sequence", "product_words", "product_words_data", "product_words_idx", "product_words_docsize", "product_words_config", "review_views"}

// buried are tables whose rows stay when what they hold is deleted.
var buried = []string{"questions", "question_texts", "wishlists"}

// rowsOf reads all rows of a database by table.
func rowsOf(t *testing.T, file string) map[string][]string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	column := func(query string) (out []string) {
		rows, err := db.Query(query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		names, _ := rows.Columns()
		for rows.Next() {
			values, at := make([]any, len(names)), make([]any, len(names))
			for i := range values {
				at[i] = &values[i]
			}
			if err := rows.Scan(at...); err != nil {
				t.Fatal(err)
			}
			out = append(out, strings.Trim(fmt.Sprintf("%v", values), "[]"))
		}
		return out
	}
	all := map[string][]string{}
	for _, table := range column(`SELECT name FROM sqlite_schema WHERE type = 'table'`) {
		if !slices.Contains(counted, table) {
			all[table] = column(`SELECT * FROM "` + table + `" ORDER BY 1, 2`)
		}
	}
	return all
}

// A killer serves the shop, and has somebody killed when the Nth request that
// changes something has been done, and not yet been answered.
type killer struct {
	next http.Handler
	mu   sync.Mutex
	left int
	kill func()
	seen int
}

func (k *killer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == "GET" || r.Method == "HEAD" || r.Method == "OPTIONS" {
		k.next.ServeHTTP(w, r)
		return
	}
	rec := httptest.NewRecorder()
	k.next.ServeHTTP(rec, r)
	k.mu.Lock()
	k.seen++
	k.left--
	kill := k.kill
	if k.left != 0 {
		kill = nil
	}
	k.mu.Unlock()
	if kill != nil {
		kill()
		return
	}
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(rec.Code)
	w.Write(rec.Body.Bytes())
}

// A scan that is killed at any moment leaves nothing behind that --cleanup does
// not take away, and has changed nothing that was there before.
func TestScanKilled(t *testing.T) {
	points := []int{3, 7, 40}
	if os.Getenv("PARLEY_ACCEPT") != "" {
		points = nil
		for i := 1; i <= 120; i++ {
			points = append(points, i)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "parley")
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	for _, n := range points {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "shop.db")
			s, err := shop.New(shop.Options{File: file})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			k := &killer{next: s.Handler(), left: n}
			server := httptest.NewServer(k)
			defer server.Close()
			args := []string{"scan", "--api", "openapi.yaml"}
			for _, name := range shopPeople {
				token, err := s.Token(name)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, name+".txt"), []byte(token), 0o600); err != nil {
					t.Fatal(err)
				}
				args = append(args, "--as", name+"=@"+name+".txt")
			}
			if err := os.WriteFile(filepath.Join(dir, "openapi.yaml"), shop.OpenAPI, 0o600); err != nil {
				t.Fatal(err)
			}
			before := rowsOf(t, file)
			parley := func(more ...string) *exec.Cmd {
				c := exec.CommandContext(t.Context(), program, append(append(slices.Clone(args), more...), server.URL)...)
				c.Dir = dir
				return c
			}
			c := parley("--only", "authz-object-write,authz-object-delete,request-mass-assignment,authz-function")
			k.kill = func() { c.Process.Signal(syscall.SIGKILL) }
			out, err := c.CombinedOutput()
			if c.ProcessState.ExitCode() != -1 {
				t.Fatalf("the scan was not killed: it made %d changes, and ended with %v\n%s", k.seen, err, out)
			}
			journals, _ := filepath.Glob(filepath.Join(dir, ".parley", "*.journal"))
			if len(journals) != 1 {
				t.Fatalf("there are %d journals, want one", len(journals))
			}
			if info, err := os.Stat(journals[0]); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the journal has the mode %v, want 600", info.Mode())
			}
			if entries, _ := os.ReadFile(journals[0]); bytes.Count(entries, []byte{'\n'}) > 0 {
				out, err = parley().CombinedOutput()
				if !strings.Contains(string(out), "an earlier scan was broken off") || !strings.Contains(string(out), "--cleanup") {
					t.Errorf("another scan begins over what is left: %v\n%s", err, out)
				}
			}
			if out, err = parley("--cleanup").CombinedOutput(); err != nil {
				t.Errorf("--cleanup: %v\n%s", err, out)
			}
			after := rowsOf(t, file)
			for table, rows := range before {
				for _, row := range rows {
					if !slices.Contains(after[table], row) {
						t.Errorf("a row of %s that was there before is not any more, or is another: %s", table, row)
					}
				}
			}
			for table, rows := range after {
				if slices.Contains(buried, table) {
					continue // asked for below
				}
				for _, row := range rows {
					if !slices.Contains(before[table], row) {
						t.Errorf("a row of %s was left behind: %s", table, row)
					}
				}
			}
			for _, name := range shopPeople {
				token, _ := os.ReadFile(filepath.Join(dir, name+".txt"))
				look := time.NewTicker(20 * time.Millisecond)
				defer look.Stop()
				paths := []string{"/v1/me", "/v1/questions", "/v1/wishlists"}
				for tries := 0; len(paths) > 0; tries++ {
					path := paths[0]
					r, _ := http.NewRequestWithContext(t.Context(), "GET", server.URL+path, nil)
					r.Header.Set("Authorization", "Bearer "+string(token))
					resp, err := http.DefaultClient.Do(r)
					if err != nil {
						t.Fatal(err)
					}
					text, _ := io.ReadAll(resp.Body)
					resp.Body.Close()
					if strings.Contains(string(text), "parley") && tries < 250 { // what was deleted may be shown for a moment
						<-look.C
						continue
					}
					paths = paths[1:]
					if resp.StatusCode != 200 && path == "/v1/me" || strings.Contains(string(text), "parley") {
						t.Errorf("%s gets %d for %s: %s", name, resp.StatusCode, path, text)
					}
				}
			}
			if left, _ := filepath.Glob(filepath.Join(dir, ".parley", "*.journal")); len(left) > 0 {
				t.Errorf("the journal is still there")
			}
		})
	}
}
