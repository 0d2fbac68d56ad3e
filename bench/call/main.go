// Call measures a run of a collection: `parley call` beside newman, the same
// Postman file with its scripts, against the same local server, in turns.
//
// Each request has three assertions and keeps one value for the next, so that
// nothing can be left out; both must judge all of them before a time counts.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/parley-project/parley/internal/needs"
)

func main() {
	rounds := flag.Int("rounds", 5, "how often each takes its turn")
	requests := flag.Int("requests", 200, "requests of the collection")
	parley := flag.String("parley", "", "a parley `program` to measure (default: built from this checkout)")
	markdown := flag.Bool("markdown", false, "print the table as Markdown, for a page")
	flag.Parse()
	if err := measure(*rounds, *requests, *parley, *markdown); err != nil {
		fmt.Fprintln(os.Stderr, "bench: error:", err)
		os.Exit(1)
	}
}

// A runner is one of those that take turns.
type runner struct {
	name    string
	command []string
	want    string // in what it prints, when all was judged
	wall    []time.Duration
	cpu     []time.Duration
	memory  []int64 // KiB, the most that was resident
}

func measure(rounds, requests int, parley string, markdown bool) error {
	newman := needs.Find("newman")
	if newman == "" {
		return errors.New("newman is not on this machine: make deps CI=true")
	}
	dir, err := os.MkdirTemp("", "bench-call")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if parley == "" {
		parley = filepath.Join(dir, "parley")
		cmd := exec.Command("go", "build", "-trimpath", "-o", parley, "./cmd/parley")
		cmd.Dir = ".."
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go build ./cmd/parley: %w\n%s", err, out)
		}
		if parley, err = installed(parley); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"path":%q,"items":[{"id":7,"name":"lamp"},{"id":8,"name":"desk"}],"token":"t-%d"}`, r.URL.Path, len(r.URL.Path))
	})}
	go server.Serve(l)
	defer server.Close()
	scripted, plain := filepath.Join(dir, "bench.postman_collection.json"), filepath.Join(dir, "bench.yaml")
	if err := errors.Join(os.WriteFile(scripted, postman(requests, "http://"+l.Addr().String()), 0o600), os.WriteFile(plain, own(requests, "http://"+l.Addr().String()), 0o600)); err != nil {
		return err
	}
	runners := []*runner{
		{name: "newman", command: []string{newman, "run", scripted, "--color", "off"}, want: fmt.Sprint(3 * requests)},
		{name: "parley call, the same file", command: []string{parley, "call", scripted}, want: fmt.Sprint(3 * requests)},
		{name: "parley call, own YAML", command: []string{parley, "call", plain}, want: fmt.Sprint(3 * requests)},
		{name: "parley --version", command: []string{parley, "--version"}, want: "parley"},
	}
	for range rounds {
		for _, r := range runners {
			if err := r.turn(); err != nil {
				return err
			}
		}
	}
	print(runners, requests, rounds, markdown)
	return nil
}

// installed is a copy of a program, as an installation makes one. The pages of
// a file that the linker has just mapped and written count for more when it
// runs: up to 10 MiB of the same program.
func installed(program string) (string, error) {
	to := program + "-installed"
	// By another program: what is resident here when a runner is started counts
	// as the runner's.
	if out, err := exec.Command("cp", program, to).CombinedOutput(); err != nil {
		return "", fmt.Errorf("cp: %w: %s", err, out)
	}
	return to, nil
}

func (r *runner) turn() error {
	cmd := exec.Command(r.command[0], r.command[1:]...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s%s", r.name, err, stderr.Bytes(), out.Bytes()[max(0, out.Len()-400):])
	}
	r.wall = append(r.wall, time.Since(began))
	r.cpu = append(r.cpu, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.memory = append(r.memory, u.Maxrss)
	}
	if !bytes.Contains(out.Bytes(), []byte(r.want)) && !bytes.Contains(stderr.Bytes(), []byte(r.want)) {
		return fmt.Errorf("%s does not say %s: %s", r.name, r.want, out.Bytes()[max(0, out.Len()-400):])
	}
	return nil
}

func median[T int64 | time.Duration](list []T) T {
	s := slices.Sorted(slices.Values(list))
	return s[len(s)/2]
}

func print(runners []*runner, requests, rounds int, markdown bool) {
	base := median(runners[0].wall)
	row := func(cells ...string) string { return strings.Join(cells, "\t") }
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	if markdown {
		row = func(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |" }
		fmt.Printf("\n## A collection of %d requests, 3 assertions each; %d rounds in turns, medians\n\n", requests, rounds)
	}
	fmt.Fprintln(w, row("what", "wall", "requests/s", "× newman", "CPU", "memory"))
	if markdown {
		fmt.Fprintln(w, "|---|---|---|---|---|---|")
	}
	for _, r := range runners {
		wall := median(r.wall)
		rate, times := "", ""
		if r.command[1] != "--version" {
			rate, times = fmt.Sprintf("%.0f", float64(requests)/wall.Seconds()), fmt.Sprintf("%.1f", float64(base)/float64(wall))
		}
		fmt.Fprintln(w, row(r.name, wall.Round(time.Millisecond).String(), rate, times, median(r.cpu).Round(time.Millisecond).String(), fmt.Sprintf("%.1f MiB", float64(median(r.memory))/1024)))
	}
	w.Flush()
}

// postman is the collection with scripts, as Postman exports it.
func postman(n int, base string) []byte {
	script := []string{
		`pm.test("status", function () { pm.response.to.have.status(200); });`,
		`pm.test("type", function () { pm.expect(pm.response.headers.get("Content-Type")).to.include("json"); });`,
		`pm.test("body", function () { pm.expect(pm.response.json().items[0].id).to.equal(7); });`,
		`pm.collectionVariables.set("token", pm.response.json().token);`,
	}
	var items []any
	for i := range n {
		items = append(items, map[string]any{"name": fmt.Sprintf("request %d", i),
			"request": map[string]any{"method": "GET", "url": fmt.Sprintf("%s/v1/orders/%d", base, i), "header": []any{map[string]any{"key": "X-Last", "value": "{{token}}"}}},
			"event":   []any{map[string]any{"listen": "test", "script": map[string]any{"type": "text/javascript", "exec": script}}}})
	}
	data, err := json.Marshal(map[string]any{"info": map[string]any{"name": "bench", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
		"variable": []any{map[string]any{"key": "token", "value": "none"}}, "item": items})
	if err != nil {
		panic(err) // it is made of what JSON has
	}
	return data
}

// own is the same in Parley's form, where assertions are data.
func own(n int, base string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "name: bench\nvariables: {token: none}\nrequests:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - name: request %d\n    get: %s/v1/orders/%d\n    headers: {X-Last: \"{{token}}\"}\n", i, base, i)
		b.WriteString("    expect:\n      status: 200\n      header.Content-Type: {contains: json}\n      body.$.items[0].id: 7\n    capture: {token: body.$.token}\n")
	}
	return []byte(b.String())
}
