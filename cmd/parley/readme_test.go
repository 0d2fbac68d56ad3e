package main

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parley-project/parley/example/shop"
)

// Every transcript of the README is run: its lines must appear in what the
// program prints, in that order. "…" stands for what differs from run to run,
// and alone on a line for lines left out.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	policy := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
	if policy == nil {
		t.Fatal("the README has no policy")
	}
	api := readmeAPI
	for name, data := range map[string]string{"parley.yaml": string(policy[1]), "openapi.yaml": api, "jwks.json": readmeKeys} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	blocks := regexp.MustCompile("(?s)```\n\\$ (.*?)\n(.*?)```").FindAllSubmatch(text, -1)
	if len(blocks) < 3 {
		t.Fatalf("found %d transcripts, want at least 3", len(blocks))
	}
	for _, b := range blocks {
		command, want := string(b[1]), string(b[2])
		t.Run(command, func(t *testing.T) {
			args := strings.Fields(strings.TrimPrefix(strings.TrimPrefix(command, "go run ./cmd/parley "), "parley "))
			if args[0] == "scan" {
				args = append(args[:len(args)-1], readmeShop(t, dir))
			}
			out := transcript(t, dir, args)
			rest := out
			for line := range strings.Lines(want) {
				line = strings.TrimRight(line, "\n")
				if line == "…" || line == "" {
					continue
				}
				pattern := "(?m)^" + strings.ReplaceAll(regexp.QuoteMeta(line), "…", `\S*`) + "$"
				pattern = regexp.MustCompile(` {2,}`).ReplaceAllString(pattern, ` +`)
				at := regexp.MustCompile(pattern).FindStringIndex(rest)
				if at == nil {
					t.Fatalf("the program does not print (any more, or in this place)\n%s\nit prints\n%s", line, out)
				}
				rest = rest[at[1]:]
			}
		})
	}
}

// readmeShop opens the shop that the transcript of a scan is about, and puts
// its people's tokens where the README has them.
func readmeShop(t *testing.T, dir string) (url string) {
	t.Helper()
	s, err := shop.New(shop.Options{Flaws: []string{"authz-object"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	if err := os.WriteFile(filepath.Join(dir, "shop.yaml"), shop.OpenAPI, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range shopPeople {
		token, err := s.Token(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".txt"), []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return server.URL
}

// transcript runs parley until it ends or has said all it says before it
// serves, and returns its stdout.
func transcript(t *testing.T, dir string, args []string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "parley") // its name is what testscript's main goes by
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(ctx, program, args...)
	c.Dir = dir
	said := &watched{done: make(chan struct{}), until: "Ctrl-C"}
	var talk bytes.Buffer
	c.Stdout, c.Stderr = said, &talk
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case <-said.done:
		c.Process.Signal(syscall.SIGTERM)
		if err := <-ended; err != nil {
			t.Errorf("parley %v, told to stop: %v\n%s", args, err, talk.String())
		}
	case err := <-ended:
		if err != nil && !(args[0] == "scan" && c.ProcessState.ExitCode() == exitFound) {
			t.Fatalf("parley %v: %v\n%s", args, err, talk.String())
		}
	}
	return said.buf.String()
}

// watched tells when a text has been written. Only one goroutine writes, and
// the text is read after it has ended.
type watched struct {
	buf   bytes.Buffer
	until string
	done  chan struct{}
	told  bool
}

func (w *watched) Write(b []byte) (int, error) {
	w.buf.Write(b)
	if !w.told && strings.Contains(w.buf.String(), w.until) {
		w.told = true
		close(w.done)
	}
	return len(b), nil
}

const readmeAPI = `openapi: 3.1.0
info: {title: orders, version: "1"}
security: [{token: []}]
paths:
  /v1/orders/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get:
      responses: {"200": {description: an order, content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}}
    delete:
      responses: {"204": {description: gone}}
  /v1/users/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get:
      responses: {"200": {description: a user, content: {application/json: {schema: {$ref: "#/components/schemas/User"}}}}}
components:
  securitySchemes: {token: {type: http, scheme: bearer}}
  schemas:
    Order: {type: object, properties: {id: {type: integer}, user_id: {type: integer}}}
    User: {type: object, properties: {id: {type: integer}, role: {type: string}, password_hash: {type: string}}}
`

const readmeKeys = `{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"1",
"x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}`
