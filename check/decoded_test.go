package check

import (
	"bytes"
	"compress/gzip"
	"testing"
	"time"

	"github.com/parley-project/parley/exchange"
)

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

// TestDecoded looks into a compressed body as into one that is not.
func TestDecoded(t *testing.T) {
	plain := []byte(`{"error":"java.lang.NullPointerException at com.shop.Orders"}`)
	bomb := gzipped(make([]byte, maxDecoded+1))
	for _, test := range []struct {
		coding     string
		data, want []byte
		complete   bool
	}{
		{"", plain, plain, true},
		{"identity", plain, plain, true},
		{"gzip", gzipped(plain), plain, true},
		{"GZIP", gzipped(plain), plain, true},
		{"gzip", gzipped(plain)[:20], nil, false},
		{"gzip", plain, nil, false},
		{"br", plain, nil, false},
		{"gzip", bomb, nil, false},
	} {
		x := &exchange.Exchange{Response: &exchange.Response{Status: 500, Body: exchange.Body{Size: int64(len(test.data)), Data: test.data}}}
		if test.coding != "" {
			x.Response.Header = exchange.Header{{Name: "Content-Encoding", Value: test.coding}}
		}
		p := PassOf(x, nil, time.Time{})
		if b := p.Response.Body; !bytes.Equal(b.Data, test.want) || b.Complete() != test.complete {
			t.Errorf("PassOf saw %d bytes of %q, complete %v, want %d, %v", len(b.Data), test.coding, b.Complete(), len(test.want), test.complete)
		}
		if !bytes.Equal(x.Response.Body.Data, test.data) {
			t.Errorf("PassOf changed a body in %q", test.coding)
		}
	}
}
