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
	// politely answers all the same.
	politely bool
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
		if !k.politely {
			return
		}
	}
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(rec.Code)
	w.Write(rec.Body.Bytes())
}

// A stage is the shop in a file, served through a killer, and the program in a
// folder with all that a scan needs.
type stage struct {
	t       *testing.T
	dir     string
	file    string
	shop    *shop.Shop
	killer  *killer
	url     string
	program string
	args    []string
}

func newStage(t *testing.T, left int) *stage {
	t.Helper()
	g := &stage{t: t, dir: t.TempDir(), args: []string{"scan", "--api", "openapi.yaml"}}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	g.program = filepath.Join(t.TempDir(), "parley") // its name is what testscript's main goes by
	if err := os.Symlink(self, g.program); err != nil {
		t.Fatal(err)
	}
	g.file = filepath.Join(g.dir, "shop.db")
	if g.shop, err = shop.New(shop.Options{File: g.file}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.shop.Close() })
	g.killer = &killer{next: g.shop.Handler(), left: left}
	server := httptest.NewServer(g.killer)
	t.Cleanup(server.Close)
	g.url = server.URL
	for _, name := range shopPeople {
		token, err := g.shop.Token(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(g.dir, name+".txt"), []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
		g.args = append(g.args, "--as", name+"=@"+name+".txt")
	}
	if err := os.WriteFile(filepath.Join(g.dir, "openapi.yaml"), shop.OpenAPI, 0o600); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *stage) parley(more ...string) *exec.Cmd {
	c := exec.CommandContext(g.t.Context(), g.program, append(append(slices.Clone(g.args), more...), g.url)...)
	c.Dir = g.dir
	return c
}

// untouched wants the database as it was before, the people alive, and no
// journal.
func (g *stage) untouched(before map[string][]string) {
	t := g.t
	t.Helper()
	after := rowsOf(t, g.file)
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
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for _, name := range shopPeople {
		paths := []string{"/v1/me", "/v1/questions", "/v1/wishlists"}
		for tries := 0; len(paths) > 0; tries++ {
			status, text := g.get(paths[0], name)
			if strings.Contains(text, "parley") && tries < 250 { // what was deleted may be shown for a moment
				<-look.C
				continue
			}
			if status != 200 && paths[0] == "/v1/me" || strings.Contains(text, "parley") {
				t.Errorf("%s gets %d for %s: %s", name, status, paths[0], text)
			}
			paths = paths[1:]
		}
	}
	if left, _ := filepath.Glob(filepath.Join(g.dir, ".parley", "*.journal")); len(left) > 0 {
		t.Errorf("the journal is still there")
	}
}

func (g *stage) get(path, name string) (int, string) {
	token, err := os.ReadFile(filepath.Join(g.dir, name+".txt"))
	if err != nil {
		g.t.Fatal(err)
	}
	r, _ := http.NewRequestWithContext(g.t.Context(), "GET", g.url+path, nil)
	r.Header.Set("Authorization", "Bearer "+string(token))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

const changing = "authz-object-write,authz-object-delete,request-mass-assignment,authz-function"

// A scan that is killed at any moment leaves nothing behind that --cleanup does
// not take away, and has changed nothing that was there before.
func TestScanKilled(t *testing.T) {
	points := []int{3, 7, 40}
	if os.Getenv("PARLEY_ACCEPT") != "" {
		points = nil
		for i := 1; i <= 120; i++ {
			points = append(points, i)
		}
		for i := 125; i <= 425; i += 10 { // asking all checks
			points = append(points, i)
		}
	}
	for _, n := range points {
		only := changing
		if n > 120 {
			only = ""
		}
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			g := newStage(t, n)
			before := rowsOf(t, g.file)
			c := g.parley("--only=" + only)
			g.killer.kill = func() { c.Process.Signal(syscall.SIGKILL) }
			out, err := c.CombinedOutput()
			if c.ProcessState.ExitCode() != -1 {
				t.Fatalf("the scan was not killed: it made %d changes, and ended with %v\n%s", g.killer.seen, err, out)
			}
			journals, _ := filepath.Glob(filepath.Join(g.dir, ".parley", "*.journal"))
			if len(journals) != 1 {
				t.Fatalf("there are %d journals, want one", len(journals))
			}
			if info, err := os.Stat(journals[0]); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the journal has the mode %v, want 600", info.Mode())
			}
			if entries, _ := os.ReadFile(journals[0]); len(entries) > 0 {
				out, err = g.parley().CombinedOutput()
				if !strings.Contains(string(out), "an earlier scan was broken off") || !strings.Contains(string(out), "--cleanup") {
					t.Errorf("another scan begins over what is left: %v\n%s", err, out)
				}
			}
			if out, err = g.parley("--cleanup").CombinedOutput(); err != nil {
				t.Errorf("--cleanup: %v\n%s", err, out)
			}
			g.untouched(before)
		})
	}
}

// A scan that is interrupted cleans up, writes what there is, and says so.
func TestScanInterrupted(t *testing.T) {
	g := newStage(t, 30)
	before := rowsOf(t, g.file)
	c := g.parley("--only", changing)
	g.killer.kill, g.killer.politely = func() { c.Process.Signal(os.Interrupt) }, true
	var out, talk bytes.Buffer
	c.Stdout, c.Stderr = &out, &talk
	err := c.Run()
	if got := c.ProcessState.ExitCode(); got != exitInterrupted {
		t.Errorf("the exit code is %d, want %d: %v\n%s", got, exitInterrupted, err, talk.String())
	}
	if !strings.Contains(out.String(), "not complete: it was interrupted") {
		t.Errorf("the result does not say that it is not complete:\n%s", out.String())
	}
	if strings.ContainsAny(talk.String(), "\r\x1b") {
		t.Errorf("progress is told into a pipe: %q", talk.String())
	}
	d, err := readResult(filepath.Join(g.dir, ".parley", "scan.json"))
	if err != nil || d.Incomplete == "" || d.Exit != exitInterrupted || d.Requests == 0 {
		t.Errorf("the result that is kept: %+v, %v", d, err)
	}
	g.untouched(before)
}

// A result that others can have written says neither whom to ask nor with what.
func TestReplayOfOthersResult(t *testing.T) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked = true }))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	result := filepath.Join(dir, "scan.json")
	text := fmt.Sprintf(`{"schema":"parley.scan/1","target":%q,"findings":[{"id":"9d757a55","fingerprint":"9d757a55aaaaaaaa","check":"authz-object","operation":"GET /v1/orders/{id}"}],"how":{"as":["priya=env:HOME","rajan=env:HOME"],"api":"../../example/shop/openapi.yaml"}}`, server.URL)
	if err := os.WriteFile(result, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run([]string{"scan", "--store", filepath.Join(dir, "scan.db"), "--replay", "9d757a55"}, &out, &errs); code != 2 || !strings.Contains(errs.String(), "by others") || asked {
		t.Errorf("code %d, asked %v: %s", code, asked, &errs)
	}
}
