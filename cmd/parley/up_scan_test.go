package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parley-project/parley/scan"
)

// TestUpScans scans both addresses from up's console: the open one has what its
// flaws make, in the guarded one none of it is left; the results are kept, shown
// again by `parley console`'s reading, and a finding can be shown again.
func TestUpScans(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, dir := filepath.Join(t.TempDir(), "parley"), t.TempDir()
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, "up", "--format", "json", "--dir", "it", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0")
	c.Dir = dir
	var talk bytes.Buffer
	c.Stderr = &talk
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	t.Cleanup(func() {
		if !stopped {
			c.Process.Kill()
			c.Wait()
		}
	})
	var up upReport
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &up)
	}
	if err != nil {
		t.Fatalf("up said %q: %v\n%s", line, err, talk.String())
	}
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar, Timeout: 30 * time.Second}
	base, _, _ := strings.Cut(up.Console, "/?")
	get := func(path string, v any) {
		t.Helper()
		r, err := client.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, _ := io.ReadAll(r.Body)
		if v != nil {
			if err := json.Unmarshal(b, v); err != nil {
				t.Fatalf("GET %s: %d %.200s", path, r.StatusCode, b)
			}
		}
	}
	start := func(name string) {
		t.Helper()
		q, _ := http.NewRequest("POST", base+"/api/scan/start", strings.NewReader(`{"scan":"`+name+`"}`))
		q.Header.Set("Content-Type", "application/json")
		q.Header.Set("Origin", base)
		r, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusAccepted {
			t.Fatalf("starting the scan of %s: %d", name, r.StatusCode)
		}
	}
	get(strings.TrimPrefix(up.Console, base), nil)
	found := func(name string) (fs []*scan.Finding, replay string) {
		t.Helper()
		start(name)
		var v struct {
			Running *struct{}
			Scans   []struct {
				Name, Fault string
				Result      *struct{ Incomplete string }
			}
		}
		for late := time.Now().Add(3 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
			v.Running = nil
			if get("/api/scan", &v); v.Running == nil {
				break
			}
			if time.Now().After(late) {
				t.Fatalf("the scan of %s does not end", name)
			}
		}
		for _, s := range v.Scans {
			if s.Name == name && (s.Fault != "" || s.Result == nil || s.Result.Incomplete != "") {
				t.Fatalf("the scan of %s: %+v", name, s)
			}
		}
		var f struct {
			Findings []*scan.Finding
			Replay   string
		}
		get("/api/scan/findings?scan="+name, &f)
		return f.Findings, f.Replay
	}
	open, replay := found("open")
	if len(open) < 40 {
		t.Errorf("the open address has %d findings, want those of all flaws", len(open))
	}
	guarded, _ := found("guarded")
	for _, f := range guarded {
		t.Errorf("the guarded address still has %s at %s: %v", f.Check, f.Operation, f.Evidence)
	}
	var object *scan.Finding
	for _, f := range open {
		if f.Check == "authz-object" {
			object = f
		}
	}
	if object == nil {
		t.Fatal("authz-object is not found on the open address")
	}
	var x struct{ Exchange struct{ ID string } }
	if get("/api/exchanges/"+string(object.Proof[len(object.Proof)-1].Exchange), &x); x.Exchange.ID == "" {
		t.Error("the exchange that proves it is not in the store")
	}
	for _, name := range []string{"scan.json", "scan-guarded.json"} {
		if st, err := os.Stat(filepath.Join(dir, "it", name)); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, want a file for its owner alone", name, err)
		}
	}
	if want := "parley scan --store it/scan.db --replay"; replay != want {
		t.Fatalf("the command is %q, want %q", replay, want)
	}
	again := exec.Command(program, append(strings.Fields(replay)[1:], object.ID)...)
	again.Dir = dir
	said, err := again.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitFound || !strings.Contains(string(said), "authz-object") {
		t.Errorf("%s %s: %v, want exit code 1\n%.600s", replay, object.ID, err, said)
	}

	// Told to stop in the middle of a scan it ends soon, and well.
	start("open")
	c.Process.Signal(syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case err := <-ended:
		if stopped = true; err != nil {
			t.Errorf("up, told to stop while it scans: %v\n%s", err, talk.String())
		}
	case <-time.After(time.Minute):
		t.Error("up, told to stop while it scans, goes on")
	}
}
