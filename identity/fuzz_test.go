package identity

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"

	"github.com/parley-project/parley/exchange"
)

// FuzzVerify: no token but the one that was signed is good, and nothing panics.
func FuzzVerify(f *testing.F) {
	s := newSigner(f, "k1")
	v := verifier(f, withKeys(shop(write(f, "jwks.json", jwks(f, s)))), Options{})
	good := s.sign(f, nil, claims(nil))
	head, rest, _ := strings.Cut(good, ".")
	enc := base64.RawURLEncoding.EncodeToString
	for _, seed := range []string{good, good + "=", good[:len(good)-1], "..", "a.b.c", head + "." + rest + ".x",
		enc([]byte(`{"alg":"none"}`)) + "." + enc([]byte(`{"sub":"1"}`)) + ".", "\x00", `{"payload":""}`,
		enc([]byte(`{"alg":"ES256","kid":"k1","crit":["b64"],"b64":false}`)) + "." + rest} {
		f.Add(seed, "session="+seed, "/?token="+seed)
	}
	f.Fuzz(func(t *testing.T, token, cookie, target string) {
		r := bearer(token)
		caller, cred, err := v.Identify(t.Context(), r, now)
		if err != nil || (caller != nil) != cred.Verified || caller != nil && strings.TrimSpace(token) != good {
			t.Fatalf("%q: %+v %+v %v", token, caller, cred, err)
		}
		r = request(target, "Cookie", cookie)
		caller, cred, err = v.Identify(t.Context(), r, now)
		if err != nil || caller != nil && !strings.Contains(cookie, good) || caller == nil && cred != nil && cred.Problem == "" {
			t.Fatalf("%q %q: %+v %+v %v", cookie, target, caller, cred, err)
		}
		v.CredentialsIn(r)
		if _, err := parseKeys([]byte(token)); err == nil && !strings.Contains(token, "{") {
			t.Fatalf("%q is a key set", token)
		}
	})
}

// FuzzMask puts marked secrets into whatever it is given: nothing panics, the
// marks are gone, masking again changes nothing, and the bytes handed in are
// as they were.
func FuzzMask(f *testing.F) {
	for _, seed := range []string{"", `{"a":1}`, `{"a":"b\`, `{"a":{"b":["c","`, "-----BEGIN ", "eyJ", "a=b&c", "?x=%zz#", "--XX\r\n",
		"http://a:b@c", "Bearer ", "\xff\xfe", `{"a":"\ud800","b":"\u00`, "data: {}\n\n", "[[[[[[", `"`, "\x1f\x8b"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		random := sha256.Sum256([]byte(before + "\x00" + after))
		mark := "Mark" + hex.EncodeToString(random[:12])
		token := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"`+mark+`"}`)) + ".e30." + mark
		// Sound JSON with the mark, then anything; anything, on a line of
		// its own, then sound JSON. Then the mark in everything else.
		docs := []string{
			`{"password":"` + mark + `","t":"` + token + `"}` + before,
			strings.ReplaceAll(before, mark, "") + "\n" + `{"password":"` + mark + `"}` + after,
		}
		if strings.ContainsAny(before, `{["\`) { // anything may end below a secret name or in a string
			docs = docs[:1]
		}
		for i, doc := range docs {
			for _, media := range []string{"application/json", "text/plain", "application/x-ndjson"} {
				if media == "text/plain" && i == 1 {
					continue // not labelled, and does not begin like JSON
				}
				x := &exchange.Exchange{
					Request: exchange.Request{
						Target: "/" + token + "/?" + "token=" + mark + "&" + url.QueryEscape(before) + "&access_token=" + mark,
						Header: exchange.Header{{Name: "Authorization", Value: before + " " + mark}, {Name: "Cookie", Value: before + ";a=" + mark},
							{Name: "X-Any", Value: after + " " + token}, {Name: "Content-Type", Value: media}},
						Body: exchange.Body{Size: int64(len(doc)), Data: []byte(doc)},
					},
					Response: &exchange.Response{
						Header: exchange.Header{{Name: "Content-Type", Value: "multipart/form-data; boundary=XX"}, {Name: "Set-Cookie", Value: "a=" + mark + ";" + strings.ReplaceAll(after, mark, "")}},
						Body:   exchange.Body{Size: 1 << 40, Data: []byte("--XX\r\nContent-Disposition: form-data; name=password\r\n\r\n" + mark + "\r\n--XX\r\n" + before)},
					},
				}
				kept := x.Request.Body.Data
				sum := sha256.Sum256(kept)
				Mask(x, maskKey)
				if sha256.Sum256(kept) != sum {
					t.Fatalf("the bytes handed in were changed: %q", kept)
				}
				all := x.Request.Target + "\n" + string(x.Request.Body.Data) + "\n" + string(x.Response.Body.Data)
				for _, h := range []exchange.Header{x.Request.Header, x.Response.Header} {
					for _, field := range h {
						all += "\n" + field.Value
					}
				}
				if strings.Contains(all, mark) {
					t.Fatalf("%s %d: %q is still in %q", media, i, mark, all)
				}
				if !x.Request.Body.Complete() {
					t.Fatal("no longer complete")
				}
			}
		}
		// Any body under any type: no panic.
		for _, media := range []string{"application/json", "application/x-www-form-urlencoded", "multipart/mixed; boundary=" + before, "text/html", ""} {
			for _, coding := range []string{"", "gzip", "deflate", "br"} {
				x := &exchange.Exchange{Request: exchange.Request{Target: before, Header: exchange.Header{{Name: "Content-Type", Value: media},
					{Name: "Content-Encoding", Value: coding}, {Name: after, Value: before}}, Body: exchange.Body{Size: 1, Data: []byte(after)}}}
				Mask(x, nil)
			}
		}
	})
}
