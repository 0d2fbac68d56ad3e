package main

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-project/parley/internal/lab"
	"github.com/parley-project/parley/internal/lab/leak"
	"github.com/parley-project/parley/store"
)

// marks are the secrets that are put into calls. Each name is where it goes.
var marks = map[string]string{
	"bearer": "mk01-Zq7/bearer+token", "key field": "mk02-Zq7-key-field", "cookie": "mk03-Zq7-cookie", "query": "mk04-Zq7 query&more",
	"user of the URL": "mk05-Zq7-userinfo", "member": "mk06-Zq7-\"member\"", "form field": "mk07-Zq7 form/field=", "environment": "mk08-Zq7-environment",
	"variable": "mk09-Zq7-variable", "process": "mk10-Zq7-process", "row": "mk11-Zq7-row", "key file": "mk12-Zq7-beside-the-key",
	"proxy": "mk13-Zq7-proxy", "set cookie": "mk14-Zq7-set-cookie", "client secret": "mk15-Zq7/client+secret", "access token": "mk16-Zq7-access",
	"refresh token": "mk17-Zq7-refresh", "login password": "mk18-Zq7-login-password", "login token": "mk19-Zq7-login-token",
	"digest": "mk20-Zq7-digest", "secret key": "mk21Zq7/SecretKey+of/AWS", "session token": "mk22-Zq7-session", "console": "mk23-Zq7-console",
	"capture": "mk24-Zq7-captured", "basic": "mk25-Zq7-basic", "answer": "mk26-Zq7-answer", "declared": "mk27-Zq7-declared",
}

// A mirror sends back all that it gets, in every coding, beside secrets of its
// own; it gives tokens, and takes digests for no good.
func mirror(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	w.Header().Set("Content-Type", "application/json")
	out := map[string]any{}
	switch r.URL.Path {
	case "/token":
		out["access_token"], out["refresh_token"], out["token_type"], out["expires_in"] = marks["access token"], marks["refresh token"], "Bearer", 3600
	case "/login":
		out["token"] = marks["login token"]
	case "/digest":
		w.Header().Set("WWW-Authenticate", `Digest realm="`+r.URL.Host+`lab", nonce="bm9uY2U", qop="auth", algorithm=SHA-256`)
		w.WriteHeader(http.StatusUnauthorized)
	default:
		var all bytes.Buffer
		fmt.Fprintf(&all, "%s %s\n", r.Method, r.URL)
		r.Header.Write(&all)
		all.Write(body)
		out["all"], out["hex"], out["base64"] = all.String(), hex.EncodeToString(all.Bytes()), base64.StdEncoding.EncodeToString(all.Bytes())
		out["password"], out["url"] = marks["answer"], r.URL.String()
		if r.URL.Path == "/fields" { // where it is captured as a secret
			out["kept"] = marks["capture"]
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: marks["set cookie"]})
		w.Header().Set("X-Back", r.Header.Get("Authorization"))
	}
	b, _ := json.Marshal(out)
	if strings.Contains(r.URL.Path, "packed") {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		z.Write(b)
		z.Close()
		return
	}
	w.Write(b)
}

// q writes a mark into YAML and JSON.
func q(name string) string { b, _ := json.Marshal(marks[name]); return string(b) }

// secretWorld is a folder with collections, recordings, keys and policies that
// are full of marks, and a server that wants a client certificate.
func secretWorld(t *testing.T) (at, port string, private []byte) {
	t.Helper()
	authority := lab.NewAuthority()
	s, err := lab.ServeTLS(&tls.Config{Certificates: []tls.Certificate{authority.Issue(lab.Leaf{})}, ClientAuth: tls.RequireAnyClientCert}, http.HandlerFunc(mirror))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	dir := t.TempDir()
	t.Chdir(dir)
	key := lab.NewKey().(*ecdsa.PrivateKey)
	pair := authority.Issue(lab.Leaf{Key: key, Client: true, Names: []string{"priya"}})
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if private, err = key.Bytes(); err != nil {
		t.Fatal(err)
	}
	at, port = strings.TrimSuffix(s.URL(), "/"), strconv.Itoa(int(s.Address.Port()))
	write := func(name, text string) {
		t.Helper()
		text = strings.NewReplacer("$U", at, "$H", strings.TrimPrefix(at, "https://")).Replace(text)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("in", 0o700); err != nil {
		t.Fatal(err)
	}
	write("in/ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Root.Certificate.Raw})))
	write("in/cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})))
	write("in/key.pem", "password "+marks["key file"]+"\n"+string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	write("in/broken.pem", "password "+marks["key file"]+"\n-----BEGIN PRIVATE KEY-----\n"+base64.StdEncoding.EncodeToString(private)+"\n-----END PRIVATE KEY-----\n")
	write("in/parley.yaml", `identities:
  app: {oauth2: {token_url: $U/token, client_id: parley, client_secret: `+q("client secret")+`}}
  kavya: {login: {request: POST /login, json: {password: `+q("login password")+`}, token: $.token}}
  lost: {login: {request: POST /login, json: {password: `+q("login password")+`}, token: $.nothing}}
  aws: {aws_sigv4: {access_key: AKIDEXAMPLE, secret_key: `+q("secret key")+`, session_token: `+q("session token")+`, region: eu-west-1, service: s3}}
  dig: {digest: {username: u, password: `+q("digest")+`}}
  bas: {basic: {username: u, password: `+q("basic")+`}}
`)
	write("in/env.json", `{"name": "test", "values": [{"key": "pin", "value": `+q("environment")+`, "type": "secret", "enabled": true}, {"key": "password", "value": `+q("console")+`, "enabled": true}]}`)
	write("in/rows.csv", "n,password\n1,"+marks["row"]+"\n")
	write("in/all.yaml", `name: Secrets
variables: {mine: {value: `+q("declared")+`, secret: true}, u: '$U'}
auth: {bearer: `+q("bearer")+`}
requests:
  - name: fields
    post: '{{u}}/fields?access_token={{q}}'
    query: {api_key: `+q("query")+`}
    headers: {X-Api-Key: `+q("key field")+`, Cookie: 'sid=`+marks["cookie"]+`', X-Note: 'is {{mine}} and {{pin}}'}
    json: {password: `+q("member")+`, note: '{{password}} {{mine}}'}
    expect: {status: 500, body: nothing, body.$.all: 1, body.$.hex: 1, header.X-Back: 1, header.Set-Cookie: 1, body.$.password: 1, request.url: 1, request.body: 1, cookies.session: 1}
    capture: {kept: {fact: body.$.kept, secret: true}}
  - {name: 'form {{kept}} {{mine}}', post: '$U/packed/{{kept}}', form: {client_secret: `+q("form field")+`, note: '{{kept}}'}, expect: {body: 1, status: 404}}
  - {name: user, get: 'https://me:`+marks["user of the URL"]+`@$H/user', auth: none, expect: {status: 1, request.url: 1, body: 1}}
  - {name: process, get: '$U/process?x={{token}}', headers: {X-Token: '{{token}}'}, expect: {body: 1}}
  - {name: digest, get: '$U/digest', auth: {digest: {username: u, password: `+q("digest")+`}}, expect: {status: 1, body: 1}}
  - {name: aws, get: '$U/aws', auth: {aws-sigv4: {accessKey: AKIDEXAMPLE, secretKey: `+q("secret key")+`, sessionToken: `+q("session token")+`, region: eu-west-1, service: s3}}, expect: {body: 1}}
  - {name: oauth, get: '$U/oauth', auth: {oauth2: {grant_type: client_credentials, accessTokenUrl: '$U/token', clientId: parley, clientSecret: `+q("client secret")+`}}, expect: {body: 1}}
  - {name: login, get: '$U/login', as: kavya, expect: {body: 1}}
  - {name: lost, get: '$U/lost', as: lost, expect: {body: 1}}
  - {name: basic, get: '$U/basic', as: bas, expect: {body: 1}}
  - {name: 'nowhere {{pin}}', get: 'https://{{mine}}.invalid/{{pin}}?token={{q}}', expect: {body: 1}}
  - {name: unknown, get: '$U/{{mine}}/{{nobody}}'}
`)
	write("in/collection.json", `{"info": {"name": "p", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
 "auth": {"type": "bearer", "bearer": [{"key": "token", "value": `+q("bearer")+`, "type": "string"}]},
 "variable": [{"key": "secret", "value": `+q("declared")+`, "type": "secret"}],
 "event": [{"listen": "prerequest", "script": {"exec": ["console.log('it is', pm.environment.get('pin'), pm.environment.get('password')); console.error({a: [pm.environment.get('password')]}); console.warn(btoa(pm.environment.get('pin')));"]}}],
 "item": [{"name": "one", "request": {"method": "POST", "url": "$U/one?access_token=`+strings.ReplaceAll(marks["cookie"], " ", "%20")+`", "header": [{"key": "X-Api-Key", "value": `+q("key field")+`}, {"key": "X-Pin", "value": "{{pin}}"}],
   "body": {"mode": "raw", "raw": `+strconv.Quote(`{"password": `+q("member")+`, "a": "{{secret}}"}`)+`}},
   "event": [{"listen": "test", "script": {"exec": ["pm.test('holds ' + pm.environment.get('password'), () => { pm.expect(pm.response.text()).to.equal(pm.environment.get('pin')); }); throw new Error('with ' + pm.environment.get('password'));"]}}]}]}`)
	write("in/line.sh", `curl -u 'me:`+marks["basic"]+`' -H 'Authorization: Bearer `+marks["bearer"]+`' -b 'sid=`+marks["cookie"]+`' -d 'client_secret=`+marks["user of the URL"]+`' --proxy-user 'me:`+marks["proxy"]+`' '$U/line?api_key=`+marks["key field"]+`'`+"\n")
	write("in/lines.http", "### one\nPOST $U/http?access_token="+marks["cookie"]+"\nAuthorization: Bearer "+marks["bearer"]+"\nX-Api-Key: "+marks["key field"]+"\nContent-Type: application/json\n\n{\"password\": "+q("member")+"}\n")
	t.Setenv("PARLEY_VAR_token", marks["process"])
	return at, port, private
}

// kept reads what a store holds: on the disk its bodies are packed.
func kept(t *testing.T, file string, into map[string][]byte) {
	t.Helper()
	db, err := store.Open(file, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	page, err := db.List(t.Context(), store.Query{})
	if err != nil || len(page.Rows) == 0 {
		t.Errorf("%s holds %d exchanges: %v", file, len(page.Rows), err)
	}
	for i := range page.Rows {
		x, err := db.Get(t.Context(), page.Rows[i].ID)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%s, exchange %d", file, i)
		into[name], into[name+", request body"] = b, x.Request.Body.Data
		if x.Response != nil {
			into[name+", response body"] = x.Response.Body.Data
		}
	}
}

// A command and what it may write.
type secretRun struct {
	name string
	args []string
	raw  []string // the marks that --raw shows, by name
}

// More than twenty-five secrets, in all places of calls, are in nothing that the
// program writes: its words, its reports, its recordings, its store.
func TestMarkedSecrets(t *testing.T) {
	at, port, private := secretWorld(t)
	proxy, err := lab.ServeProxy(lab.NewAuthority())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	channel := []string{"--resolve", "api.parley.test:" + port + ":127.0.0.1", "--cacert", "in/ca.pem", "--cert", "in/cert.pem", "--key", "in/key.pem"}
	var all []secretRun
	add := func(name string, raw []string, args ...string) { all = append(all, secretRun{name, args, raw}) }
	call := append([]string{"call", "-c", "in/parley.yaml", "--base", at, "--env", "in/env.json", "--var", "q=" + marks["variable"], "--var", "api_token=" + marks["variable"], "--data", "in/rows.csv"}, channel...)
	for _, f := range []string{"text", "json", "junit", "html"} {
		rest := []string{"--format", f, "--har", "out/" + f + ".har", "--store", "out/" + f + ".db", "-v"}
		shown := []string{"bearer", "set cookie", "capture"}
		if f == "text" || f == "junit" || f == "html" {
			shown = []string{"capture", "answer"}
		}
		add("call yaml "+f, shown, append(append([]string{call[0], "in/all.yaml"}, call[1:]...), rest...)...)
		add("call postman "+f, []string{"console"}, append(append([]string{call[0], "in/collection.json"}, call[1:]...), rest...)...)
		add("call others "+f, nil, append(append([]string{call[0], "in/lines.http", "in/line.sh"}, call[1:]...), rest...)...)
		add("call file "+f, nil, append(append([]string{call[0], "in/all.yaml"}, call[1:]...), "-o", "out/report."+f, "--format", f)...)
	}
	add("call proxy", nil, append([]string{"call", at + "/", "--proxy", "http://me:" + marks["proxy"] + "@" + strings.TrimPrefix(proxy.URL("http"), "http://")[strings.LastIndex(strings.TrimPrefix(proxy.URL("http"), "http://"), "@")+1:]}, channel...)...)
	add("call proxy dead", nil, append([]string{"call", at + "/", "--proxy", "http://me:" + marks["proxy"] + "@127.0.0.1:1"}, channel...)...)
	add("call proxy bad", nil, "call", at+"/", "--proxy", "gopher://me:"+marks["proxy"]+"@127.0.0.1:1")
	add("call key broken", nil, "call", at+"/", "--cert", "in/cert.pem", "--key", "in/broken.pem")
	add("call url bad", nil, "call", "https://me:"+marks["user of the URL"]+"@[::1/?token="+marks["cookie"])
	add("call curl", nil, append([]string{"call", "curl -H 'Authorization: Bearer " + marks["bearer"] + "' " + at + "/?api_key=" + marks["cookie"]}, channel...)...)
	for _, as := range []string{"app", "kavya", "lost", "aws", "dig", "bas", "me=Bearer " + marks["bearer"], "me=X-Api-Key:" + marks["key field"], "me=Cookie: sid=" + marks["cookie"]} {
		name, _, _ := strings.Cut(as, "=")
		add("call as "+name, nil, append([]string{"call", at + "/as/" + name, "-c", "in/parley.yaml", "--as", as, "-v", "--store", "out/as.db", "--har", "out/as.har"}, channel...)...)
		for _, f := range []string{"text", "json", "sarif", "junit", "html"} {
			add("trace "+f+" as "+name, nil, append([]string{"trace", at + "/trace?access_token=" + marks["cookie"], "-c", "in/parley.yaml", "--as", as, "-v", "--format", f, "--har", "out/trace.har", "--store", "out/trace.db",
				"-H", "X-Auth-Token: " + marks["session token"], "-d", `{"password":` + q("member") + `}`}, channel...)...)
		}
	}
	add("trace form", nil, append([]string{"trace", "https://me:" + marks["user of the URL"] + "@" + strings.TrimPrefix(at, "https://") + "/form", "-d", "client_secret=mk15-Zq7%2Fclient%2Bsecret", "-v"}, channel...)...)
	add("trace proxy dead", nil, append([]string{"trace", at + "/", "--proxy", "http://me:" + marks["proxy"] + "@127.0.0.1:1", "-v"}, channel...)...)
	add("trace proxy bad", nil, "trace", at+"/", "--proxy", "gopher://me:"+marks["proxy"]+"@127.0.0.1:1")
	add("trace key broken", nil, "trace", at+"/", "--cert", "in/cert.pem", "--key", "in/broken.pem")
	add("trace unverified", nil, "trace", at+"/?token="+marks["cookie"], "--resolve", "api.parley.test:"+port+":127.0.0.1", "--as", "me=Bearer "+marks["bearer"], "-v", "-d", "password="+marks["row"])
	for _, in := range []string{"in/all.yaml", "in/collection.json", "in/line.sh", "in/lines.http"} {
		for _, to := range []string{"har", "postman", "curl", "http", "parley"} {
			raw := []string{"bearer", "key field"}
			if in == "in/all.yaml" && to == "curl" {
				raw = nil
			}
			add("convert "+in+" to "+to, raw, "convert", in, "--to", to)
			add("convert "+in+" into "+to, nil, "convert", in, "--to", to, "-o", "out/converted")
		}
	}
	secrets := map[string]string{"client key": string(private)}
	for name, m := range marks {
		secrets[name] = m
	}
	if len(secrets) < 25 {
		t.Fatalf("there are %d secrets, want at least 25", len(secrets))
	}
	for _, r := range all {
		t.Run(strings.ReplaceAll(r.name, "/", "_"), func(t *testing.T) {
			os.RemoveAll("out")
			os.Mkdir("out", 0o700)
			var out, talk bytes.Buffer
			code := run(r.args, &out, &talk)
			written := map[string][]byte{"stdout": out.Bytes(), "stderr": talk.Bytes()}
			if out.Len()+talk.Len() == 0 && !strings.Contains(r.name, "into") && !strings.Contains(r.name, "file") {
				t.Errorf("%v wrote nothing, and ended with %d", r.args[:2], code)
			}
			filepath.WalkDir("out", func(path string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					if written[path], err = os.ReadFile(path); err != nil {
						t.Error(err)
					}
					if info, err := d.Info(); err == nil && info.Mode().Perm() != 0o600 {
						t.Errorf("%s has the mode %v, want 600", path, info.Mode())
					}
				}
				return nil
			})
			for path := range written {
				if strings.HasSuffix(path, ".db") {
					kept(t, path, written)
				}
			}
			for where, data := range written {
				for name, s := range secrets {
					if form := leak.Find(data, s); form != "" {
						i := max(bytes.Index(data, []byte(s)), 0)
						t.Errorf("%s shows the secret of the %s, %s: …%.160q", where, name, form, data[max(0, i-80):])
					}
				}
			}
		})
	}
	for _, r := range all {
		if r.raw == nil {
			continue
		}
		os.RemoveAll("out")
		os.Mkdir("out", 0o700)
		var out, talk bytes.Buffer
		run(append(append([]string(nil), r.args...), "--raw"), &out, &talk)
		for _, name := range r.raw {
			if leak.Find(out.Bytes(), marks[name]) == "" {
				t.Errorf("%s --raw does not show the secret of the %s", r.name, name)
			}
		}
	}
}
