package identity

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/exchange"
)

var maskKey = []byte("a key for tests, 32 bytes long..")

// stands returns what stands for a secret.
func stands(secret string) string {
	m := &masker{key: maskKey}
	return m.placeholder(secret)
}

func masked(x *exchange.Exchange) *exchange.Exchange {
	Mask(x, maskKey)
	return x
}

func body(media, data string) *exchange.Exchange {
	return &exchange.Exchange{Response: &exchange.Response{Status: 200,
		Header: exchange.Header{{Name: "Content-Type", Value: media}},
		Body:   exchange.Body{Size: int64(len(data)), Data: []byte(data)}}}
}

const aJWT = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0.eyJzdWIiOiIxMDEifQ.c2lnbmF0dXJlLW9mLTY0LWJ5dGVz"

func TestMaskHeader(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"Authorization", "Bearer " + aJWT, "Bearer " + stands(aJWT)},
		{"authorization", "bearer  opaque", "bearer  " + stands("opaque")},
		{"Authorization", "Basic dXNlcjpwYXNz", "Basic " + stands("dXNlcjpwYXNz")},
		{"Authorization", "opaque", stands("opaque")},
		{"Proxy-Authorization", "Basic dXNlcjpwYXNz", "Basic " + stands("dXNlcjpwYXNz")},
		{"Cookie", "session=" + aJWT + "; theme=dark;lang=", "session=" + stands(aJWT) + "; theme=" + stands("dark") + ";lang="},
		{"Cookie", `a="quoted"; nameless`, `a="` + stands("quoted") + `"; ` + stands("nameless")},
		{"Set-Cookie", "session=abc; Path=/; HttpOnly; SameSite=Lax", "session=" + stands("abc") + "; Path=/; HttpOnly; SameSite=Lax"},
		{"Set-Cookie", "session=; Max-Age=0", "session=; Max-Age=0"},
		{"X-API-Key", "pk_live_1", stands("pk_live_1")},
		{"X-Auth-Token", "t", stands("t")},
		{"X-CSRF-Token", "t", stands("t")},
		{"X-Debug", "jwt=" + aJWT + ".", "jwt=" + stands(aJWT) + "."},
		{"Location", "https://x.test/cb#access_token=abc&expires_in=3600", "https://x.test/cb#access_token=" + stands("abc") + "&expires_in=3600"},
		{"Location", "/login?next=%2Fa%3Ftoken%3Dabc%26b%3D1", "/login?next=%2Fa%3Ftoken%3D" + stands("abc") + "%26b%3D1"},
		{"Referer", "https://priya:hunter2@x.test/?q=1&api_key=k%2B1", "https://priya:" + stands("hunter2") + "@x.test/?q=1&api_key=" + stands("k+1")},
		{"Link", `<https://x.test/o?page=2&access_token=abc>; rel="next"`, `<https://x.test/o?page=2&access_token=` + stands("abc") + `>; rel="next"`},

		{"WWW-Authenticate", `Bearer realm="api", error="invalid_token"`, `Bearer realm="api", error="invalid_token"`},
		{"WWW-Authenticate", `Basic realm="x"`, `Basic realm="x"`},
		{"ETag", `"eyeglasses-of.the.year"`, `"eyeglasses-of.the.year"`},
		{"Location", "/v1/orders?page_token=abc&limit=10", "/v1/orders?page_token=abc&limit=10"},
		{"Content-Type", "application/json; charset=utf-8", "application/json; charset=utf-8"},
		{"Access-Control-Allow-Headers", "Authorization, X-API-Key", "Authorization, X-API-Key"},
	}
	for _, tt := range tests {
		x := &exchange.Exchange{Request: exchange.Request{Header: exchange.Header{{Name: tt.name, Value: tt.value}}},
			Response: &exchange.Response{Header: exchange.Header{{Name: tt.name, Value: tt.value}}}}
		masked(x)
		if got := x.Request.Header[0].Value; got != tt.want {
			t.Errorf("%s: %s\n got %s\nwant %s", tt.name, tt.value, got, tt.want)
		}
		if got := x.Response.Header[0].Value; got != tt.want {
			t.Errorf("response %s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestMaskTarget(t *testing.T) {
	tests := []struct{ in, want string }{
		{"/v1/orders?user_id=101&limit=10", "/v1/orders?user_id=101&limit=10"},
		{"/v1/orders?token=abc&limit=10", "/v1/orders?token=" + stands("abc") + "&limit=10"},
		{"/v1/orders?Access-Token=a%20b&limit=10", "/v1/orders?Access-Token=" + stands("a b") + "&limit=10"},
		{"/v1/orders?%61ccess_token=abc", "/v1/orders?%61ccess_token=" + stands("abc")},
		{"/v1/orders?x=" + aJWT, "/v1/orders?x=" + stands(aJWT)},
		{"/v1/orders?x=" + strings.ReplaceAll(aJWT, ".", "%2E"), "/v1/orders?x=" + stands(aJWT)},
		{"/v1/orders?" + aJWT, "/v1/orders?" + stands(aJWT)},
		{"/reset/" + aJWT + "/done", "/reset/" + stands(aJWT) + "/done"},
		{"/reset/%65" + aJWT[1:], "/reset/" + stands(aJWT)},
		{"/v1/user?user[password]=p&key=colour", "/v1/user?user[password]=" + stands("p") + "&key=colour"},
		{"/v1/user?filter=%7B%22password%22%3A%22p%22%7D", "/v1/user?filter=%7B%22password%22%3A%22" + stands("p") + "%22%7D"},
		{"*", "*"},
	}
	for _, tt := range tests {
		x := masked(&exchange.Exchange{Request: exchange.Request{Target: tt.in}})
		if x.Request.Target != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.in, x.Request.Target, tt.want)
		}
	}
}

func TestMaskBody(t *testing.T) {
	pem := "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----"
	tests := []struct{ media, in, want string }{
		{"image/png", `{"password":"hunter2"}`, `{"password":"` + stands("hunter2") + `"}`},
		{"image/svg+xml", "<a>" + aJWT + "</a>", "<a>" + stands(aJWT) + "</a>"},
		{"application/json", `{"id":1,"password":"hunter2","a":[1,2]}`, `{"id":1,"password":"` + stands("hunter2") + `","a":[1,2]}`},
		{"application/json", `{ "Password" : "hunter2" }`, `{ "Password" : "` + stands("hunter2") + `" }`},
		{"application/json", `{"pass\u0077ord":"hunter\u0032"}`, `{"pass\u0077ord":"` + stands("hunter2") + `"}`},
		{"application/json", `{"new-password":"a","confirmPassword":"b","client_secret":"c","password_hash":"d"}`,
			`{"new-password":"` + stands("a") + `","confirmPassword":"` + stands("b") + `","client_secret":"` + stands("c") + `","password_hash":"` + stands("d") + `"}`},
		{"application/json", `{"pin":1234,"session":null,"token":true,"otp":-1}`, `{"pin":"` + stands("1234") + `","session":null,"token":true,"otp":"` + stands("-1") + `"}`},
		{"application/json", `{"session":{"id":"a","n":[1,"b"]},"x":"c"}`, `{"session":{"id":"` + stands("a") + `","n":[1,"` + stands("b") + `"]},"x":"c"}`},
		{"application/json", `{"note":"see ` + aJWT + `"}`, `{"note":"see ` + stands(aJWT) + `"}`},
		{"application/json", `["` + aJWT + `"]`, `["` + stands(aJWT) + `"]`},
		{"application/json", `{"x":"\u0065` + aJWT[1:] + `"}`, `{"x":"` + stands(aJWT) + `"}`},
		{"application/json", `{"key":"` + strings.ReplaceAll(pem, "\n", `\n`) + `"}`, `{"key":"` + stands(pem) + `"}`},
		{"application/json", `{"inner":"{\"password\":\"p\",\"b\":1}"}`, `{"inner":"{\"password\":\"` + stands("p") + `\",\"b\":1}"}`},
		{"application/json", `{"next":"https://x.test/?token=abc&page=2"}`, `{"next":"https://x.test/?token=` + stands("abc") + `&page=2"}`},
		{"application/json", `{"curl":"-H 'Authorization: Bearer 0123456789abcdef0' x"}`, `{"curl":"-H 'Authorization: Bearer ` + stands("0123456789abcdef0") + `' x"}`},
		{"application/json", `{"password":"hunt`, `{"password":"` + stands("hunt")},
		{"application/json", `{"a":1,"password":`, `{"a":1,"password":`},
		{"application/json", `{"a":"b\`, `{"a":"b\`},
		{"application/json", `{"password":"","token_type":"Bearer","nextPageToken":"abc","tokens":12}`, `{"password":"","token_type":"Bearer","nextPageToken":"abc","tokens":12}`},
		{"application/json", `{"a":"line\nbreak \"quoted\" \u00e9","key":"k","code":"INR"}`, `{"a":"line\nbreak \"quoted\" \u00e9","key":"k","code":"INR"}`},
		{"application/problem+json", `{"secret":"s"}`, `{"secret":"` + stands("s") + `"}`},
		{"application/x-ndjson", "{\"token\":\"a\"}\n{\"token\":\"b\"}\n", "{\"token\":\"" + stands("a") + "\"}\n{\"token\":\"" + stands("b") + "\"}\n"},
		{"text/event-stream", "data: {\"token\":\"a\"}\n\ndata: " + aJWT + "\n\n", "data: {\"token\":\"" + stands("a") + "\"}\n\ndata: " + stands(aJWT) + "\n\n"},
		{"text/plain", `{"secret":"labelled wrongly"}`, `{"secret":"` + stands("labelled wrongly") + `"}`},
		{"text/plain", "x\n" + pem + "\ny", "x\n" + stands(pem) + "\ny"},
		{"text/html", "<a href='/x?token=abc'>" + aJWT + "</a>", "<a href='/x?token=" + stands("abc") + "'>" + stands(aJWT) + "</a>"},
		{"application/x-www-form-urlencoded", "user=priya&password=a+b%21&next=%2F", "user=priya&password=" + stands("a b!") + "&next=%2F"},
		{"multipart/form-data; boundary=XX", "--XX\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\np\r\n--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--XX--\r\n",
			"--XX\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n" + stands("p") + "\r\n--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--XX--\r\n"},
	}
	for _, tt := range tests {
		x := body(tt.media, tt.in)
		before := x.Response.Body.Data
		masked(x)
		if got := string(x.Response.Body.Data); got != tt.want {
			t.Errorf("%s\n in  %s\n got %s\nwant %s", tt.media, tt.in, got, tt.want)
		}
		if string(before) != tt.in {
			t.Errorf("%s: the bytes handed in were changed to %s", tt.in, before)
		}
		if !x.Response.Body.Complete() {
			t.Errorf("%s: a complete body is no longer complete", tt.in)
		}
		once := string(x.Response.Body.Data)
		if masked(x); string(x.Response.Body.Data) != once {
			t.Errorf("masked twice: %s, want %s", x.Response.Body.Data, once)
		}
	}
}

// TestMaskCutOff cuts a document off after every byte: the beginning of the
// secret that is there must be gone, and the rest must be as it was.
func TestMaskCutOff(t *testing.T) {
	in := `{"a":"b","password":"hunter2-hunter2","n":{"x":"` + aJWT + `"}}`
	for n := range len(in) {
		x := body("application/json", in[:n])
		x.Response.Body.Size = int64(len(in))
		masked(x)
		got := string(x.Response.Body.Data)
		for _, s := range []string{"hunter2-h", aJWT[:20], aJWT[40:60]} {
			if strings.Contains(got, s) {
				t.Errorf("cut off after %d bytes: %s still holds %s", n, got, s)
			}
		}
		if !strings.HasPrefix(got, in[:min(n, 21)]) {
			t.Errorf("cut off after %d bytes: %s", n, got)
		}
		if x.Response.Body.Complete() {
			t.Errorf("cut off after %d bytes: says that it is complete", n)
		}
	}
}

func TestMaskCompressed(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	io.WriteString(w, `{"password":"hunter2"}`)
	w.Close()
	x := body("application/json", zipped.String())
	x.Response.Header = append(x.Response.Header, exchange.Field{Name: "Content-Encoding", Value: "gzip"})
	r, err := gzip.NewReader(bytes.NewReader(masked(x).Response.Body.Data))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(r); string(got) != `{"password":"`+stands("hunter2")+`"}` {
		t.Errorf("gzip: %s", got)
	}
	x = body("application/json", "\x0b\x02\x80\x00\xff")
	x.Response.Header = append(x.Response.Header, exchange.Field{Name: "Content-Encoding", Value: "br"})
	if masked(x); x.Response.Body.Data != nil || x.Response.Body.Size != 5 {
		t.Errorf("br: %+v, want no data of 5 bytes", x.Response.Body)
	}
}

// TestMaskEverySecret puts marked secrets in many places and encodings of one
// exchange and looks for them in its JSON form.
func TestMaskEverySecret(t *testing.T) {
	n := 0
	next := func() string { n++; return fmt.Sprintf("MARK%02dxyz/+é\"9", n) }
	jsonEscaped := func(s string) string {
		var b strings.Builder
		for _, r := range s {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		return b.String()
	}
	jsonString := func(s string) string { b, _ := json.Marshal(s); return string(b[1 : len(b)-1]) }
	percentAll := func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
		return b.String()
	}
	aToken := func() string {
		n++
		s, _ := json.Marshal(fmt.Sprintf("MARK%02d", n))
		return strictBase64.EncodeToString([]byte(`{"alg":"x"}`)) + "." + strictBase64.EncodeToString(s) + ".MARK" + fmt.Sprintf("%02d", n)
	}
	reqBody := `{"password":"` + jsonString(next()) + `","deep":[{"ACCESS-TOKEN":"` + jsonEscaped(next()) + `"}],` +
		`"session":{"any":{"thing":"` + jsonString(next()) + `"}},"text":"` + aToken() + `","refreshToken": "` + jsonString(next()) + `",` +
		`"inner":"{\"secret\":\"` + jsonString(jsonString(next())) + `\"}","card":{"cvv":"` + jsonString(next()) + `"}}`
	form := "grant_type=password&password=" + url.QueryEscape(next()) + "&client_secret=" + percentAll(next()) + "&assertion=" + aToken()
	x := &exchange.Exchange{
		Request: exchange.Request{
			Target: "/v1/" + aToken() + "?api_key=" + url.QueryEscape(next()) + "&token=" + percentAll(next()) + "&q=" + aToken() + "&limit=10",
			Header: exchange.Header{
				{Name: "Authorization", Value: "Bearer " + next()},
				{Name: "Proxy-Authorization", Value: "Digest " + next()},
				{Name: "Cookie", Value: "session=" + strings.ReplaceAll(next(), "é", "") + "; other=" + next()},
				{Name: "X-Api-Key", Value: next()},
				{Name: "X-Partner", Value: next()},
				{Name: "Referer", Value: "https://u:" + url.QueryEscape(next()) + "@x.test/a?access_token=" + url.QueryEscape(next())},
				{Name: "X-Note", Value: "some " + aToken() + " here"},
				{Name: "Content-Type", Value: "application/json"},
			},
			Body: exchange.Body{Size: int64(len(reqBody)), Data: []byte(reqBody)},
		},
		Server: exchange.Server{Credential: &exchange.Credential{Scheme: "api-key", Carrier: "header", Field: "X-Partner"}},
		Response: &exchange.Response{
			Header: exchange.Header{
				{Name: "Set-Cookie", Value: "session=" + next() + "; Path=/; HttpOnly"},
				{Name: "Location", Value: "https://x.test/cb?x=1#id_token=" + url.QueryEscape(next())},
				{Name: "Content-Type", Value: "application/x-www-form-urlencoded"},
			},
			Trailer: exchange.Header{{Name: "X-Session-Token", Value: next()}},
			Body:    exchange.Body{Size: int64(len(form)), Data: []byte(form)},
		},
		Failure: "cannot reach https://x.test/?token=" + url.QueryEscape(next()),
	}
	Mask(x, maskKey)
	all := fmt.Sprintf("%+v %+v %s %s %s", x.Request, *x.Response, x.Request.Body.Data, x.Response.Body.Data, x.Failure)
	for i := 1; i <= n; i++ {
		mark := fmt.Sprintf("MARK%02d", i)
		b64 := strings.TrimRight(strictBase64.EncodeToString([]byte(`"`+mark)), "=")
		for _, form := range []string{mark, percentAll(mark), jsonEscaped(mark), b64} {
			if strings.Contains(all, form) {
				t.Errorf("%s is still there as %s", mark, form)
			}
		}
	}
	if !json.Valid(x.Request.Body.Data) {
		t.Errorf("the body is no longer JSON: %s", x.Request.Body.Data)
	}
	if got := strings.Count(all, "secret:"); got < n {
		t.Errorf("%d placeholders for %d secrets", got, n)
	}
	t.Logf("%d secrets masked", n)
}

// TestMaskKeepsEquality: one secret has one placeholder under one key,
// whatever it travelled in, and another under another key.
func TestMaskKeepsEquality(t *testing.T) {
	x := body("application/json", `{"access_token":"\u0065`+aJWT[1:]+`"}`)
	x.Request.Header = exchange.Header{{Name: "Authorization", Value: "Bearer " + aJWT}, {Name: "Cookie", Value: "s=" + aJWT}}
	x.Request.Target = "/?jwt=" + strings.ReplaceAll(aJWT, ".", "%2e")
	masked(x)
	all := fmt.Sprint(x.Request.Header, x.Request.Target, string(x.Response.Body.Data))
	if got := strings.Count(all, stands(aJWT)); got != 4 {
		t.Errorf("%d equal placeholders, want 4: %s", got, all)
	}
	if other := (&masker{key: []byte("other")}).placeholder(aJWT); other == stands(aJWT) {
		t.Error("another key gives the same placeholder")
	}
}

// TestMaskTakesNoLongerThanItShould: what an attacker may send, a megabyte of
// it, takes time in proportion to its length. The limit is a hundred times
// what is needed; work in proportion to the square would pass it a hundredfold.
func TestMaskTakesNoLongerThanItShould(t *testing.T) {
	for _, piece := range []string{"eyJ7", "eyJhbGciOiJ4In0.", aJWT + " ", "Bearer 0123456789abcdef ", "basic dXNlcjpwYXNz ", "x://a:b@c ",
		"-----BEGIN PRIVATE KEY-----\"", "-----BEGIN A", "?token=a", "&a?", "#", `{"password":"x",`, `"a":"\u0065`, `"\"{`, "[[", `{"session":{`, "%7B%22", "a=%3Fb%3D", "://", " b"} {
		doc := strings.Repeat(piece, (1<<20)/len(piece))
		start := time.Now()
		for _, media := range []string{"application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/mixed; boundary=" + piece[:1]} {
			masked(body(media, doc))
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%q: %v", piece, took)
		} else {
			t.Logf("%q: %v", piece, took)
		}
	}
}

// TestMaskOwnParameter masks the parameter that is known to carry a credential.
func TestMaskOwnParameter(t *testing.T) {
	for target, want := range map[string]string{
		"/a?b=1&k=t%20op&k=&c": "/a?b=1&k=" + placeholderOf("t op") + "&k=&c",
		"/a?%6b=top":           "/a?%6b=" + placeholderOf("top"),
		"/a":                   "/a",
	} {
		x := &exchange.Exchange{Request: exchange.Request{Target: target}, Server: exchange.Server{Credential: &exchange.Credential{Carrier: "query", Field: "k"}}}
		if Mask(x, []byte("key")); x.Request.Target != want {
			t.Errorf("Mask(%s) made %s, want %s", target, x.Request.Target, want)
		}
	}
}

func placeholderOf(secret string) string {
	return (&masker{key: []byte("key")}).placeholder(secret)
}
