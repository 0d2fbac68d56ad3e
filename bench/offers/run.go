package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// asked is what parley says of a server's offers.
type asked struct {
	Versions []struct {
		Suites []string `json:"suites"`
	} `json:"versions"`
	Time       time.Duration `json:"time"`
	Incomplete string        `json:"incomplete"`
}

func (a *asked) suites() (n int) {
	for _, v := range a.Versions {
		n += len(v.Suites)
	}
	return n
}

// runParley runs trace. That something is found, which its exit code says, is
// what these servers are for.
func runParley(program, address string) (*asked, error) {
	out, err := exec.Command(program, "trace", "--deep", "--format", "json", "--fail-on", "never", "https://"+address+"/").Output()
	if err != nil {
		return nil, fmt.Errorf("parley: %w: %s", err, stderr(err))
	}
	var doc struct {
		Steps []struct {
			Seen struct {
				Offers *asked `json:"offers"`
			} `json:"seen"`
		} `json:"steps"`
	}
	if err := json.Unmarshal(out, &doc); err != nil {
		return nil, fmt.Errorf("parley: %w", err)
	}
	for _, s := range doc.Steps {
		if s.Seen.Offers != nil {
			return s.Seen.Offers, nil
		}
	}
	return nil, errors.New("parley: no offers in what it says")
}

func runSSLScan(program, address string, args []string) (suites int, err error) {
	out, err := exec.Command(program, append(append([]string{"--xml=-", "--no-colour"}, args...), address)...).Output()
	if err != nil {
		return 0, fmt.Errorf("sslscan: %w: %s", err, stderr(err))
	}
	var doc struct {
		Ciphers []struct{} `xml:"ssltest>cipher"`
	}
	if err := xml.Unmarshal(out, &doc); err != nil {
		return 0, fmt.Errorf("sslscan: %w", err)
	}
	return len(doc.Ciphers), nil
}

func stderr(err error) []byte {
	var x *exec.ExitError
	if errors.As(err, &x) {
		return bytes.TrimSpace(x.Stderr)
	}
	return nil
}

func build(program, module string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-o", program, "./cmd/parley")
	cmd.Dir = module
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build ./cmd/parley: %w\n%s", err, out)
	}
	return nil
}
