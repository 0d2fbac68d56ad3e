package run

import (
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/internal/lab"
	"github.com/parley-project/parley/internal/needs"
)

// Whatever a server sends, the call ends with a named step, and memory stays
// within bounds.
func TestHostileServers(t *testing.T) {
	raw, err := lab.ServeRaw(lab.NewAuthority())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	odd := "http://" + raw.Plain.String()
	faults := server(t, lab.Faults())
	size := "67108864"
	if needs.Full() {
		size = "1073741824"
	}
	for _, v := range []struct{ name, request, outcome, says string }{
		{"endless header", odd + "/endless-header", "one: at response", ""},
		{"endless line", odd + "/endless-line", "one: at response", ""},
		{"many fields", odd + "/many-fields", "one: at response", ""},
		{"endless status", odd + "/endless-status", "one: at response", ""},
		{"endless interim", odd + "/endless-interim", "one: at response", ""},
		{"endless trailer", odd + "/endless-trailer", "one: at response", ""},
		{"rubbish", odd + "/rubbish", "one: at response", ""},
		{"short body", odd + "/short-body", "one: at response", ""},
		{"endless redirects", faults + "/endless-redirects", "one: at response", "redirected more than 5 times"},
		{"endless body", faults + "/endless-body", "one: at response", "longer than"},
		{"body in bounds", faults + "/body?size=" + size, "one: ok", ""},
	} {
		t.Run(v.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			k, s := play(t, read(t, "", "requests:\n  - {name: one, get: '"+v.request+"', send: {redirects: 5}}\n"),
				Options{Call: call.Options{Timeout: 20 * time.Second, MaxTransfer: 1 << 30, MaxBody: 4 << 20}})
			runtime.ReadMemStats(&after)
			if got := outcome(k.Results[0]); got != v.outcome || !strings.Contains(k.Results[0].Failure, v.says) {
				t.Errorf("Run(%s) found %v: %s, want %v with %q", v.request, got, k.Results[0].Failure, v.outcome, v.says)
			}
			if want := map[bool]int{true: 0, false: 3}[v.outcome == "one: ok"]; s.Exit() != want {
				t.Errorf("Run(%s) exits with %d, want %d", v.request, s.Exit(), want)
			}
			if grown := int64(after.TotalAlloc - before.TotalAlloc); grown > 64<<20 {
				t.Errorf("Run(%s) took %d MiB, want less than 64", v.request, grown>>20)
			}
		})
	}
}

// A little gzip that opens to a gigabyte is not opened to the end.
func TestBomb(t *testing.T) {
	bomb := lab.Bomb(64 << 20)
	u := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(bomb)
	}))
	k, _ := play(t, read(t, u, "requests:\n  - {name: one, get: $U/, expect: {body.$.a: 1}}\n"), Options{})
	if got := messages(k); !strings.Contains(got, "more than 32 MiB") && !strings.Contains(got, "beginning of the body") {
		t.Errorf("Run found %v, want that the body is too large", got)
	}
}

// Every sound collection of the corpus can be made ready, and run to its end
// against a server that knows nothing: each result has a status or a step.
func TestPostmanFixtures(t *testing.T) {
	root := os.Getenv("PARLEY_FIXTURES")
	if root == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	u := server(t, nil)
	files, err := filepath.Glob(filepath.Join(root, "postman", "*.postman_collection.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no collections in %s: %v", root, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, err := archive.Read(file, data)
			if err != nil {
				t.Fatal(err)
			}
			redirect(c.Items, u)
			o := Options{Call: call.Options{Timeout: 5 * time.Second, Clear: true}}
			stem := strings.TrimSuffix(file, ".postman_collection.json")
			if data, err := os.ReadFile(stem + ".postman_environment.json"); err == nil {
				vs, err := archive.ReadEnvironment(stem+".json", data)
				if err != nil {
					t.Fatal(err)
				}
				o.Environment = Variables("e", vs)
			}
			for _, ext := range []string{".postman_data.json", ".postman_data.csv"} {
				if _, err := os.Stat(stem + ext); err == nil {
					if o.Data, err = ReadRows(stem + ext); err != nil {
						t.Fatal(err)
					}
				}
			}
			k, s := play(t, c, o)
			if s.Requests == 0 {
				t.Errorf("Run(%s) made no request", file)
			}
			for _, r := range k.Results {
				if r.Status == 0 && (r.Failure == "" || r.FailedAt == "") && r.Skipped == "" {
					t.Errorf("Run(%s): %s has neither status nor step: %+v", file, r.Name, r)
				}
			}
		})
	}
}

// redirect points requests of the corpus, which name a public service, to u.
func redirect(items []*archive.Item, u string) {
	for _, it := range items {
		redirect(it.Items, u)
		if it.Request == nil {
			continue
		}
		for _, host := range []string{"https://postman-echo.com", "http://postman-echo.com", "https://echo.getpostman.com", "postman-echo.com"} {
			if rest, ok := strings.CutPrefix(it.Request.URL, host); ok {
				it.Request.URL = u + rest
				break
			}
		}
	}
}
