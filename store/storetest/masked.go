package storetest

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/store"
)

// masked records exchanges that carry marked secrets where secrets travel, and
// wants none of them back, and each as the same placeholder wherever it was.
// It returns the secrets, so that a store can look for them in what it wrote.
func masked(t *testing.T, s Store) []string {
	var secrets []string
	mark := func() string {
		m := fmt.Sprintf("Mark%02dQz7xK9wLtVbN3", len(secrets))
		secrets = append(secrets, m)
		return m
	}
	jwt := func() string {
		enc := base64.RawURLEncoding.EncodeToString
		return enc([]byte(`{"alg":"ES256","typ":"JWT"}`)) + "." + enc([]byte(`{"sub":"101","iss":"https://login.example"}`)) + "." + mark()
	}
	var xs []*exchange.Exchange
	add := func(change func(x *exchange.Exchange)) {
		x := Simple(len(xs))
		change(x)
		xs = append(xs, x)
	}
	header := func(name, value string) {
		add(func(x *exchange.Exchange) { x.Request.Header = exchange.Header{{Name: name, Value: value}} })
	}
	body := func(mediaType, data string) {
		add(func(x *exchange.Exchange) {
			x.Request.Header = exchange.Header{{Name: "Content-Type", Value: mediaType}}
			x.Request.Body = exchange.Body{Size: int64(len(data)), Data: []byte(data)}
		})
		add(func(x *exchange.Exchange) {
			x.Response.Header = exchange.Header{{Name: "content-type", Value: mediaType}}
			x.Response.Body = exchange.Body{Size: int64(len(data)), Data: []byte(data)}
		})
	}
	long := strings.Repeat(`"padding that makes the body large enough for a chunk",`, 3)
	header("Authorization", "Bearer "+mark())
	header("authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("priya:"+mark())))
	header("Proxy-Authorization", "Digest "+mark())
	header("Cookie", "theme=dark; session="+mark())
	header("X-API-Key", mark())
	header("X-Auth-Token", mark())
	header("X-Debug", "token is "+jwt())
	add(func(x *exchange.Exchange) {
		x.Response.Header = exchange.Header{{Name: "Set-Cookie", Value: "session=" + mark() + "; HttpOnly"}}
	})
	add(func(x *exchange.Exchange) { x.Response.Header = exchange.Header{{Name: "X-Refresh", Value: jwt()}} })
	add(func(x *exchange.Exchange) { x.Request.Target = "/v1/orders?access_token=" + mark() })
	add(func(x *exchange.Exchange) { x.Request.Target = "/v1/orders?api_key=" + mark() + "&limit=1" })
	add(func(x *exchange.Exchange) { x.Request.Target = "/v1/reset/" + jwt() })
	add(func(x *exchange.Exchange) {
		x.Response.Status = 302
		x.Response.Header = exchange.Header{{Name: "Location", Value: "https://shop.test/cb?access_token=" + mark()}}
	})
	add(func(x *exchange.Exchange) { x.Failure = "upstream said no to " + jwt() })
	body("application/json", `{"user":"priya","password":"`+mark()+`"}`)
	body("application/json", `{"list":[`+long+`"x"],"client_secret":"`+mark()+`"}`)
	body("application/json", `{"list":[`+long+`"x"],"deep":{"a":[{"access_token":"`+mark()+`"}]}}`)
	body("application/json", `{"list":[`+long+`"x"],"refresh_token":"`+mark()+`"}`)
	body("application/json", `{"list":[`+long+`"x"],"note":"`+jwt()+`"}`)
	body("application/x-www-form-urlencoded", "padding="+strings.Repeat("x", 100)+"&password="+mark())
	body("text/plain", strings.Repeat("log line\n", 20)+jwt())
	body("application/json", `{"list":[`+long+`"x"],"api_key":"`+mark()+`"}`)
	body("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n"+mark()+"\r\n--b--\r\n"+strings.Repeat(" ", 100))
	add(func(x *exchange.Exchange) {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write([]byte(`{"list":[` + long + `"x"],"password":"` + mark() + `"}`))
		w.Close()
		x.Request.Header = exchange.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "Content-Encoding", Value: "gzip"}}
		x.Request.Body = exchange.Body{Size: int64(b.Len()), Data: b.Bytes()}
	})
	for range 3 { // the second and third time a body is known already
		for _, x := range xs {
			c := Clone(x)
			c.ID = exchange.NewID(x.Start)
			s.Record(c)
		}
		flush(t, s)
	}
	page, err := s.List(ctx, store.Query{Limit: 3 * len(xs)})
	if err != nil || len(page.Rows) != 3*len(xs) {
		t.Fatalf("List has %d rows, %v, want %d", len(page.Rows), err, 3*len(xs))
	}
	var texts []string
	for _, r := range page.Rows {
		x, err := s.Get(ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		x.ID = ""
		b, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b) + string(x.Request.Body.Data)
		if x.Response != nil {
			text += string(x.Response.Body.Data)
		}
		texts = append(texts, text+r.Target)
	}
	for _, secret := range secrets {
		for _, text := range texts {
			if strings.Contains(text, secret) {
				t.Errorf("%s came back in %s", secret, text)
				break
			}
		}
	}
	if n := len(xs); !slices.Equal(texts[:n], texts[n:2*n]) || !slices.Equal(texts[:n], texts[2*n:]) {
		t.Error("the same exchange was masked in another way when it came again")
	}
	for i, text := range texts {
		if i%len(xs) > 0 && !strings.Contains(text, "secret:") { // the gzip one is unreadable here
			t.Errorf("no placeholder in %s", text)
		}
	}
	return secrets
}

// Masked runs the test of masking on a store that masks, and returns the
// secrets that it must not have written anywhere.
func Masked(t *testing.T, s Store) []string { return masked(t, s) }
