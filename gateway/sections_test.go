package gateway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/internal/config"
)

func section(t *testing.T, text string) config.Section {
	t.Helper()
	if text == "" {
		return config.Section{}
	}
	s, err := config.Parse("parley.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParseListen(t *testing.T) {
	var o Options
	if err := ParseListen(section(t, ""), &o); err != nil || o.Address != DefaultAddress || !o.Move || !o.HTTP3 || o.PlainAddress != "" {
		t.Errorf("no section: %+v, %v", o, err)
	}
	o = Options{}
	err := ParseListen(section(t, "address: :9443\nhttp: localhost:8080\nhttp3: false\ndrain: 5s\nconnections: 7\nheader_size: 16KiB"), &o)
	if err != nil || o.Address != ":9443" || o.Move || o.HTTP3 || o.PlainAddress != "localhost:8080" || o.Drain != 5*time.Second ||
		o.Limits.Connections != 7 || o.Limits.HeaderBytes != 16<<10 {
		t.Errorf("full section: %+v, %v", o, err)
	}
	for text, want := range map[string]string{
		"addres: :1":                          `parley.yaml:1:1: unknown field "addres"`,
		"address: shop":                       `parley.yaml:1:10: "shop" is not host:port`,
		"address: localhost:http":             `no port number`,
		"address: example.com:443":            `is not an address of this machine`,
		"address: [1]":                        `expected an address`,
		"drain: -1s":                          `drain is below zero`,
		"drain: soon":                         `parley.yaml:1:8: expected a length of time`,
		"address: :8443\nhttp: :8443":         `parley.yaml:2:7: :8443 is the address for HTTPS`,
		"header_size: 1KiB":                   `not between`,
		"address: :8443\naddress: :8444":      `given twice`,
		"http3: perhaps":                      `expected true or false`,
		"address: 127.0.0.1:99999\nhttp3: no": `no port number`,
	} {
		var o Options
		if err := ParseListen(section(t, text), &o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseListen(%q) = %v, want %s", text, err, want)
		}
	}
}

func TestParseTLS(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "junk.pem"), []byte("junk"), 0o600)
	c, err := ParseTLS(section(t, ""), dir)
	if err != nil || c.Directory != filepath.Join(dir, ".parley") {
		t.Fatalf("no section: %+v, %v", c, err)
	}
	o := Options{Address: "127.0.0.1:0"}
	authority, err := c.Source(&o, nil)
	if err != nil || o.Certificate == nil || authority == nil {
		t.Fatalf("local authority: %v", err)
	}
	for text, want := range map[string]string{
		"certificate: junk.pem":                                "needs its key",
		"certificate: gone.pem\nkey: junk.pem":                 "gone.pem cannot be read",
		"certificate: junk.pem\nkey: junk.pem":                 "parley.yaml:1:14: certificate and key cannot be used",
		"certificate: junk.pem\nkey: junk.pem\nnames: [a.b.c]": "are for the local authority",
		"cert: junk.pem":                                       "unknown field",
	} {
		if _, err := ParseTLS(section(t, text), dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseTLS(%q) = %v, want %s", text, err, want)
		}
	}
}

func TestParseForward(t *testing.T) {
	o, err := ParseForward(section(t, "host: upstream\nforwarded: append\nconnect: 1s\nallow_private: true"), "")
	if err != nil || o.Host != "upstream" || o.Forwarded != "append" || o.Connect != time.Second || !o.AllowPrivate {
		t.Errorf("full section: %+v, %v", o, err)
	}
	if o, err := ParseForward(section(t, "forwarded: off"), ""); err != nil || o.Forwarded != "off" {
		t.Errorf("forwarded off: %+v, %v", o, err)
	}
	for text, want := range map[string]string{
		"forwarded: perhaps": "parley.yaml:1:12: expected replace, append or off",
		"ca: gone.pem":       "gone.pem has no certificate",
		"idle: -2s":          "below zero",
	} {
		if _, err := ParseForward(section(t, text), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseForward(%q) = %v, want %s", text, err, want)
		}
	}
}

func TestNewUpstreamRefuses(t *testing.T) {
	for base, want := range map[string]string{
		"ftp://x": "must be http or https", "http://": "no host", "http://u:secret@x/": "credentials",
		"http://x/?a": "query", ":": "not a URL", "http://x y": "not a URL",
	} {
		_, err := NewUpstream(base, UpstreamOptions{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("NewUpstream(%q) = %v, want %s", base, err, want)
		}
	}
	if _, err := NewUpstream("https://x", UpstreamOptions{CAFile: "gone.pem"}); err == nil {
		t.Error("took an authority file that is not there")
	}
	if _, err := NewUpstream("http://x", UpstreamOptions{Host: "a/b"}); err == nil {
		t.Error("took a/b for a host")
	}
}
