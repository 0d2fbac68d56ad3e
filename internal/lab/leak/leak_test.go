package leak

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"testing"
)

func TestFind(t *testing.T) {
	const secret = "s3cr3t of/the+house"
	packed := func(s string) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write([]byte(s))
		w.Close()
		return b.Bytes()
	}
	for name, data := range map[string]string{
		"plain":            "x" + secret + "y",
		"hex":              "0x" + hex.EncodeToString([]byte(secret)),
		"query":            url.QueryEscape("a=" + secret),
		"path":             url.PathEscape(secret),
		"base64":           "Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+secret)),
		"base64 url":       base64.RawURLEncoding.EncodeToString([]byte("us:" + secret)),
		"json":             `"s3cr3t of\/the+house"`,
		"gzip":             "..." + string(packed("a "+secret)),
		"gzip in base64":   base64.StdEncoding.EncodeToString(packed(secret)),
		"base64 in base64": base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(secret)))),
	} {
		if Find([]byte(data), secret) == "" {
			t.Errorf("Find(%s) found nothing, want the secret", name)
		}
		if form := Find([]byte(data), "another secret"); form != "" {
			t.Errorf("Find(%s) found %q, want nothing", name, form)
		}
	}
}
