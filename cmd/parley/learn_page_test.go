package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/learn"
)

const learnPage = root + "/doc/learn.md"

// doc/learn.md is true: the inventory and the policy are those of the shop's
// honest clients, learnt from a recording.
//
//	go test ./cmd/parley -run TestLearnPage -update
func TestLearnPage(t *testing.T) {
	dir := t.TempDir()
	har := filepath.Join(dir, "shop.har")
	var file bytes.Buffer
	if err := archive.WriteHAR(&file, recordedOf(t, apis["shop"])); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(har, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	policy := filepath.Join(dir, "parley.yaml")
	var out, talk bytes.Buffer
	if code := run([]string{"learn", har, "--inventory", "text", "--policy", policy, "-o", filepath.Join(dir, "openapi.yaml")}, &out, &talk); code != 0 {
		t.Fatalf("learn exits with %d: %s", code, talk.String())
	}
	proposed, err := os.ReadFile(policy)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(learnPage)
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	put := func(after, before, block string) {
		i := strings.Index(text, after)
		if i < 0 {
			t.Fatalf("doc/learn.md lacks %q", after)
		}
		i += len(after)
		j := strings.Index(text[i:], before)
		if j < 0 {
			t.Fatalf("doc/learn.md lacks %q", before)
		}
		text = text[:i] + block + text[i+j:]
	}
	put("-update -->\n", "<!-- end -->", "```\n"+out.String()+"```\n")
	put("## The proposed policy\n\n", "<!-- policy -->", "```yaml\n"+string(proposed)+"```\n")
	for _, line := range strings.Split(out.String(), "\n") {
		if len([]rune(line)) > 80 {
			t.Errorf("the inventory's line is longer than 80 columns: %q", line)
		}
	}
	if text == string(page) {
		return
	}
	if !*update {
		t.Error("doc/learn.md is not up to date: go test ./cmd/parley -run TestLearnPage -update")
		return
	}
	if err := os.WriteFile(learnPage, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// recordedOf is what passes when honest clients use the sound API.
func recordedOf(t *testing.T, a api) []*exchange.Exchange {
	t.Helper()
	h := &overheard{l: learn.New(learn.Options{})}
	h.playedBy(t, a)
	return h.xs
}
