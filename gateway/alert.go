package gateway

import (
	"bytes"
	"io"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/parley-project/parley/internal/config"
)

// Alert is the section `alert` of parley.yaml: when one caller who tries many
// objects is worth a word, and who is told.
type Alert struct {
	// Objects is how many different ones within Within; zero means guard's own.
	Objects int
	Within  time.Duration
	// Webhook is the URL that alerts are posted to. Empty: the log alone. It
	// may hold a token and is not for logs.
	Webhook string
	// Secret is the key that posts are signed with. Empty: they are not.
	Secret []byte
}

// ParseAlert reads the section `alert`, whose file is relative to dir:
//
//	alert:
//	  objects: 10
//	  within: 5m
//	  webhook: https://alerts.example.com/parley
//	  secret_file: alert.key    # key of the HMAC in Parley-Signature
func ParseAlert(s config.Section, dir string) (*Alert, error) {
	var f struct {
		Objects    int            `yaml:"objects"`
		Within     time.Duration  `yaml:"within"`
		Webhook    config.Section `yaml:"webhook"`
		SecretFile config.Section `yaml:"secret_file"`
	}
	if err := s.Decode(&f); err != nil {
		return nil, err
	}
	a := &Alert{Objects: f.Objects, Within: f.Within}
	given := map[string]config.Section{}
	if s.Present() {
		fields, err := s.Fields()
		if err != nil {
			return nil, err
		}
		for _, x := range fields {
			given[x.Name] = x.Value
		}
	}
	if at, ok := given["objects"]; ok && (f.Objects < 1 || f.Objects > 32) {
		return nil, at.Errorf("how many different objects are many; 10 when left out", "objects is not between 1 and 32")
	}
	if at, ok := given["within"]; ok && (f.Within < time.Second || f.Within > 24*time.Hour) {
		return nil, at.Errorf("5m when left out", "within is not between 1s and 24h")
	}
	if f.Webhook.Present() {
		t, ok := f.Webhook.Text()
		if !ok {
			return nil, f.Webhook.Errorf(webhookHint, "expected a URL")
		}
		if word := judgeWebhook(t); word != "" {
			return nil, f.Webhook.Errorf(webhookHint, "%s", word)
		}
		a.Webhook = t
	}
	if f.SecretFile.Present() {
		if a.Webhook == "" {
			return nil, f.SecretFile.Errorf("name the webhook too", "there is nothing to sign")
		}
		var err error
		if a.Secret, err = secretOf(f.SecretFile, dir); err != nil {
			return nil, err
		}
	}
	return a, nil
}

const webhookHint = "write it like https://alerts.example.com/parley; http only on this machine, like http://127.0.0.1:9000/"

// judgeWebhook says what is wrong with a webhook's URL, without repeating it:
// it may hold a token.
func judgeWebhook(text string) string {
	v, err := url.Parse(text)
	switch {
	case err != nil || v.Hostname() == "":
		return "the webhook is not a URL"
	case v.User != nil:
		return "credentials do not belong into the webhook's URL"
	case v.Fragment != "":
		return "a fragment does not belong into the webhook's URL"
	case v.Scheme == "https" || v.Scheme == "http" && onLoopback(v.Hostname()):
		return ""
	case v.Scheme == "http":
		return "the webhook has http, and is not on this machine"
	}
	return "the webhook's scheme is not https"
}

// onLoopback reports whether a host in a URL is this machine.
func onLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// secretOf reads the key of the signatures. A line's end is not part of it.
func secretOf(s config.Section, dir string) ([]byte, error) {
	const least, most = 16, 4096
	name, ok := s.Text()
	if !ok {
		return nil, s.Errorf("", "expected the name of a file")
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, s.Errorf("names are relative to the configuration's folder", "%s cannot be read", name)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, s.Errorf("", "%s cannot be read", name)
	}
	data = bytes.TrimRight(data, "\r\n")
	if len(data) < least || len(data) > most {
		return nil, s.Errorf("make one with openssl rand -hex 32", "%s has %d bytes, not between %d and %d", name, len(data), least, most)
	}
	return data, nil
}
