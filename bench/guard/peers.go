package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/parley-project/parley/bench/stage"
)

// A peer is one proxy in one configuration.
type peer struct {
	name  string
	does  string // what it does, for the table
	level stage.Level
	// refuses names the hostile requests that it must not answer with 2xx.
	refuses []string
	filters bool
	records bool
	// start runs it in a folder of its own.
	start func(dir string, port int) (*process, error)
}

var (
	refusesTokens = []string{"no token", "broken token"}
	refusesBodies = append(slices.Clone(refusesTokens), "undeclared member")
	refusesAll    = append(slices.Clone(refusesBodies), "somebody else's id", "for somebody else")
)

// peers lists who is measured. parley is empty when guard is not.
func (b *bench) peers(nginx, combo, parley string) []*peer {
	list := []*peer{
		{
			name: "nginx", does: "TLS proxying, nothing else", level: stage.Bare,
			start: func(dir string, port int) (*process, error) {
				return b.startNginx(nginx, dir, stage.ProxyConf(dir, b.dir, port, b.upstreamPort))
			},
		},
		{
			name: "ReverseProxy", does: "httputil.ReverseProxy, nothing else", level: stage.Bare,
			start: func(dir string, port int) (*process, error) {
				return b.startCombo(combo, dir, port, "-bare")
			},
		},
		{
			name: "combination", does: "ReverseProxy, jwx with a token cache, santhosh-tekuri both ways, cel-go, filter; no recording",
			level: stage.All, refuses: refusesAll, filters: true,
			start: func(dir string, port int) (*process, error) {
				if _, err := stage.WritePolicy(dir, stage.All, stage.Policy{KeyDir: b.dir}); err != nil {
					return nil, err
				}
				return b.startCombo(combo, dir, port, "-api", filepath.Join(dir, stage.APIFile),
					"-jwks", filepath.Join(b.dir, stage.JWKSFile), "-issuer", stage.Issuer, "-audience", stage.Audience)
			},
		},
	}
	if parley == "" {
		return list
	}
	for _, g := range []peer{
		{name: "guard bare", does: "report mode, nothing to judge", level: stage.Bare},
		{name: "guard token", does: "ES256 token", level: stage.Token, refuses: refusesTokens},
		{name: "guard schema", does: "token, request schema", level: stage.Schema, refuses: refusesBodies},
		{name: "guard all", does: "token, ownership, schema both ways, field filter, recording", level: stage.All,
			refuses: refusesAll, filters: true, records: true},
	} {
		g.start = func(dir string, port int) (*process, error) { return b.startGuard(parley, dir, port, &g) }
		list = append(list, &g)
	}
	return list
}

func (b *bench) startNginx(nginx, dir, conf string) (*process, error) {
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return nil, err
	}
	return start(dir, nginx, "-c", file, "-e", filepath.Join(dir, "error.log"), "-p", dir)
}

func (b *bench) startCombo(combo, dir string, port int, args ...string) (*process, error) {
	return start(dir, combo, append([]string{
		"-listen", fmt.Sprintf("127.0.0.1:%d", port), "-upstream", b.upstreamURL(),
		"-cert", filepath.Join(b.dir, stage.CertFile), "-key", filepath.Join(b.dir, stage.KeyFile),
	}, args...)...)
}

// storeFile is where guard records in a peer's folder.
const storeFile = "store.db"

func (b *bench) startGuard(parley, dir string, port int, p *peer) (*process, error) {
	// Only HTTP/1.1 is asked for; the other versions stay as they come.
	sections := fmt.Sprintf("tls: {certificate: %q, key: %q}\n", filepath.Join(b.dir, stage.CertFile), filepath.Join(b.dir, stage.KeyFile))
	policy, err := stage.WritePolicy(dir, p.level, stage.Policy{Upstream: b.upstreamURL(), KeyDir: b.dir, Sections: sections})
	if err != nil {
		return nil, err
	}
	args := []string{"guard", "-c", policy, "--dir", dir, "--listen", fmt.Sprintf("127.0.0.1:%d", port)}
	if p.records {
		args = append(args, "--store", filepath.Join(dir, storeFile))
	} else {
		args = append(args, "--no-store")
	}
	return start(dir, parley, args...)
}

// build compiles a program of this module, or of the one around it.
func build(out, module, pkg string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-o", out, pkg)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	text, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, strings.TrimSpace(string(text)))
	}
	return nil
}
