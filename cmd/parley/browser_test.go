package main

import (
	"bytes"
	"testing"
)

// Without a terminal the address is said, and no program is started.
func TestOpenBrowser(t *testing.T) {
	var talk bytes.Buffer
	if err := openBrowser(&talk)("https://login.shop.test/authorize?state=a&b=c"); err != nil || talk.String() != "parley: log in: https://login.shop.test/authorize?state=a&b=c\n" {
		t.Errorf("openBrowser said %q, %v", talk.String(), err)
	}
	for _, system := range []string{"linux", "darwin", "windows", "freebsd"} {
		if program, _ := browserProgram(system); program == "" {
			t.Errorf("browserProgram(%s) found nothing", system)
		}
	}
}
