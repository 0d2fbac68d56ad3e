package scan_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/scan"
)

// TestHostileAnswers scans APIs that answer with what is to hurt: the scan ends
// in its time, with bounded memory, and asks nobody else.
func TestHostileAnswers(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	list := func(members int) []byte {
		var b bytes.Buffer
		b.WriteString(`{"items":[`)
		for i := range 18000 / members {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"id":%d,"owner":"anna"`, i+1)
			for j := range members - 2 {
				fmt.Fprintf(&b, `,"m%d":"a text of its own %d"`, j, i)
			}
			b.WriteByte('}')
		}
		b.WriteString(`]}`)
		return b.Bytes()
	}
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 256 {
		z.Write(bytes.Repeat([]byte("0"), 1<<20))
	}
	z.Close()
	long, deep := list(9), strings.Repeat(`{"a":[`, 200_000)
	wide := `{"` + strings.Repeat("n", 500_000) + `":[` + strings.Repeat("1,", 19_000) + `1]}`
	json := func(w http.ResponseWriter, body []byte) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(body)
	}
	for way, answer := range map[string]http.HandlerFunc{
		"long lists": func(w http.ResponseWriter, r *http.Request) { json(w, long) },
		"deep":       func(w http.ResponseWriter, r *http.Request) { json(w, []byte(deep)) },
		"long names": func(w http.ResponseWriter, r *http.Request) { json(w, []byte(wide)) },
		"bomb": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			json(w, bomb.Bytes())
		},
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", other.URL+r.URL.Path+"/7")
			w.WriteHeader([]int{201, 302, 307, 308}[len(r.URL.Path)%4])
		},
		"huge": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for range 40 {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		},
		"many fields": func(w http.ResponseWriter, r *http.Request) {
			for i := range 4000 {
				w.Header().Add("Set-Cookie", fmt.Sprintf("c%d=v", i))
			}
			json(w, []byte(`{"id":"anna"}`))
		},
		"drips": func(w http.ResponseWriter, r *http.Request) {
			for range 600 {
				if _, err := w.Write([]byte(" ")); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				time.Sleep(100 * time.Millisecond)
			}
		},
	} {
		t.Run(way, func(t *testing.T) {
			server := httptest.NewServer(answer)
			t.Cleanup(server.Close)
			o := optionsFor(t, server.URL, []byte(memosAPI))
			for _, name := range []string{"anna-1", "bert-2"} {
				o.People = append(o.People, &identity.Person{Name: name[:4], Auth: identity.NewBearer(identity.Secret("token-of-" + name))})
			}
			o.MaxTime, o.MaxRequests, o.Call.Timeout, o.Call.MaxBody = 2*time.Second, 120, 500*time.Millisecond, 4<<20
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err := scan.Run(context.Background(), o)
			runtime.ReadMemStats(&after)
			took := time.Since(start)
			if took > 20*time.Second {
				t.Errorf("it took %v: %v", took, err)
			}
			if mib := (after.Sys - before.Sys) >> 20; mib > 1500 {
				t.Errorf("it took %d MiB", mib)
			}
		})
	}
	if n := elsewhere.Load(); n > 0 {
		t.Errorf("another host was asked %d times", n)
	}
}
