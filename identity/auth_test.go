package identity

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/needs"
)

func get(target string, h ...string) *exchange.Request {
	r := &exchange.Request{Method: "GET", Scheme: "https", Authority: "example.amazonaws.com", Target: target}
	for i := 0; i < len(h); i += 2 {
		r.Header = append(r.Header, exchange.Field{Name: h[i], Value: h[i+1]})
	}
	return r
}

func TestAuthApply(t *testing.T) {
	for _, c := range []struct {
		scheme string
		params map[string]string
		r      *exchange.Request
		target string
		header string
	}{
		{"basic", map[string]string{"username": "Aladdin", "password": "open sesame"}, get("/"), "/", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}, // RFC 7617, 2
		{"bearer", map[string]string{"token": "t1"}, get("/", "authorization", "old", "A", "b", "AUTHORIZATION", "older"), "/", "authorization: Bearer t1|A: b"},
		{"apikey", map[string]string{"key": "X-API-Key", "value": "k"}, get("/"), "/", "X-API-Key: k"},
		{"apikey", map[string]string{"key": "api key", "value": "k&1", "in": "query"}, get("/a?b=c&api+key=2&d"), "/a?b=c&d&api+key=k%261", ""},
		{"apikey", map[string]string{"key": "sid", "value": "k", "in": "cookie"}, get("/", "Cookie", "a=b; sid=old"), "/", "Cookie: a=b; sid=k"},
	} {
		a, err := NewAuth(c.scheme, c.params)
		if err != nil {
			t.Fatalf("NewAuth(%s): %v", c.scheme, err)
		}
		if err := a.Apply(context.Background(), c.r); err != nil {
			t.Errorf("Apply(%s): %v", c.scheme, err)
		}
		var got []string
		for _, f := range c.r.Header {
			got = append(got, f.Name+": "+f.Value)
		}
		if h := strings.Join(got, "|"); h != c.header || c.r.Target != c.target {
			t.Errorf("Apply(%s %v) gave %s and %q, want %s and %q", c.scheme, c.params, c.r.Target, h, c.target, c.header)
		}
	}
}

// What would end the field is an error, and says nothing of the secret.
func TestAuthRefuses(t *testing.T) {
	for _, c := range []struct {
		scheme string
		params map[string]string
	}{
		{"bearer", map[string]string{"token": "marked\r\nX-Evil: 1"}},
		{"apikey", map[string]string{"key": "a b", "value": "marked"}},
		{"apikey", map[string]string{"key": "a", "value": "marked", "in": "body"}},
		{"apikey", map[string]string{"key": "a", "value": "marked; b=c", "in": "cookie"}},
		{"bearer", nil},
		{"hawk", nil},
	} {
		a, err := NewAuth(c.scheme, c.params)
		if err == nil {
			err = a.Apply(context.Background(), get("/"))
		}
		if err == nil || strings.Contains(err.Error(), "marked") {
			t.Errorf("NewAuth(%s %v) says %v, want an error without the secret", c.scheme, c.params, err)
		}
	}
}

// The example of RFC 7616, 3.9.1, with its own client nonce left to chance: the
// answer is verified by computing it again.
func TestDigest(t *testing.T) {
	a := NewDigest("Mufasa", "Circle of Life")
	r := get("/dir/index.html")
	if a.Apply(context.Background(), r); r.Header.Has("Authorization") {
		t.Fatalf("Apply without a challenge sent %v, want nothing", r.Header)
	}
	ask := func(nonce, more string) *exchange.Response {
		return &exchange.Response{Status: 401, Header: exchange.Header{
			{Name: "WWW-Authenticate", Value: `Basic realm="x"`},
			{Name: "WWW-Authenticate", Value: `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="` + nonce + `"` + more}}}
	}
	again, err := a.Answer(context.Background(), r, ask("n1", ""))
	if !again || err != nil {
		t.Fatalf("Answer(challenge) = %v, %v, want again", again, err)
	}
	if err := a.Apply(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	if v := r.Header.Get("Authorization"); !strings.HasPrefix(v, "Digest ") || !strings.Contains(v, `username="Mufasa"`) || strings.Contains(v, "Circle") {
		t.Errorf("Authorization is %q, want an answer without the password", v)
	}
	if again, _ := a.Answer(context.Background(), r, ask("n1", "")); again {
		t.Errorf("Answer(the same challenge) asks again, want an end: the password is wrong")
	}
	if again, _ := a.Answer(context.Background(), r, ask("n2", ", stale=true")); !again {
		t.Errorf("Answer(stale) gives up, want another attempt")
	}
	if again, _ := a.Answer(context.Background(), r, &exchange.Response{Status: 403}); again {
		t.Errorf("Answer(403) asks again")
	}
}

// Two signatures that AWS publishes for its own test keys.
func TestSigV4(t *testing.T) {
	now := func() time.Time { return time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC) }
	key := SigV4{AccessKey: "AKIDEXAMPLE", SecretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Now: now}
	for _, c := range []struct {
		service, host, target, media string
		want                         string
	}{
		{"service", "example.amazonaws.com", "/", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"iam", "iam.amazonaws.com", "/?Action=ListUsers&Version=2010-05-08", "application/x-www-form-urlencoded; charset=utf-8", "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
	} {
		k := key
		k.Service = c.service
		r := &exchange.Request{Method: "GET", Scheme: "https", Authority: c.host, Target: c.target}
		if c.media != "" {
			r.Header = exchange.Header{{Name: "Content-Type", Value: c.media}}
		}
		if err := NewSigV4(k).Apply(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		if v := r.Header.Get("Authorization"); !strings.HasSuffix(v, "Signature="+c.want) {
			t.Errorf("Apply(%s %s) signed %s, want %s", c.service, c.target, v, c.want)
		}
	}
}

// curl signs the same requests, and so must we, at the second it says.
func TestSigV4LikeCurl(t *testing.T) {
	curl := needs.Program(t, "curl")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	seen := make(chan *http.Request, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				seen <- r
			}
			c.Write([]byte("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"))
			c.Close()
		}
	}()
	for _, target := range []string{"/", "/v1/orders?a=b&c=d", "/v1/orders/7?limit=10"} {
		for _, body := range []string{"", `{"item":"lamp"}`} {
			args := []string{"-s", "--max-time", "10", "--aws-sigv4", "aws:amz:eu-west-1:execute-api", "--user", "AKID:secret/key", "http://" + l.Addr().String() + target}
			if body != "" {
				args = slices.Insert(args, 0, "-d", body, "-H", "Content-Type: application/json")
			}
			if out, err := exec.Command(curl, args...).CombinedOutput(); err != nil {
				t.Fatalf("curl %q: %v: %s", args, err, out)
			}
			got := <-seen
			stamp, err := time.Parse("20060102T150405Z", got.Header.Get("X-Amz-Date"))
			if err != nil {
				t.Fatal(err)
			}
			r := &exchange.Request{Method: got.Method, Scheme: "http", Authority: got.Host, Target: got.RequestURI,
				Body: exchange.Body{Size: int64(len(body)), Data: []byte(body)}}
			if body != "" && strings.Contains(got.Header.Get("Authorization"), "content-type") {
				r.Header = exchange.Header{{Name: "Content-Type", Value: got.Header.Get("Content-Type")}}
			}
			a := NewSigV4(SigV4{AccessKey: "AKID", SecretKey: "secret/key", Region: "eu-west-1", Now: func() time.Time { return stamp }})
			if err := a.Apply(context.Background(), r); err != nil {
				t.Fatal(err)
			}
			if a, b := r.Header.Get("Authorization"), got.Header.Get("Authorization"); a != b {
				t.Errorf("Apply(%s %s) = %s, want curl's %s", r.Method, target, a, b)
			}
		}
	}
}
