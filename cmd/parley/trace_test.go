package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
)

// A call through a guard in front of the shop shows in step 5 what guard
// decided, when the trace key is sent, in every version of HTTP; and nothing of
// it otherwise.
func TestTraceThroughGuard(t *testing.T) {
	w := openTraceWorld(t)
	const base = "parley trace --cacert ca.pem --resolve api.shop.test:8443:127.0.0.1 --as priya=@priya.jwt --format json https://api.shop.test:8443"
	tests := []struct {
		name, path string
		verdicts   string   // of the steps
		says       []string // of step 5, with the key
	}{
		{"her own orders", "/v1/orders?user_id=101", "ok ok ok ok ok ok ok",
			[]string{"bearer verified: 101", "request.query.user_id == caller.id unless \"admin\" in caller.roles"}},
		{"another's orders", "/v1/orders?user_id=102", "ok ok ok ok warn ok ok", []string{"bearer verified: 101", "refused: authz-query-owner by parley.yaml:"}},
		{"nothing there", "/v1/nothing", "ok ok ok ok warn ok ok", []string{"bearer verified: 101", "refused: request-undeclared-endpoint"}},
	}
	for _, version := range []string{"1.1", "2", "3"} {
		for _, tt := range tests {
			t.Run("HTTP/"+version+"/"+tt.name, func(t *testing.T) {
				for _, key := range []bool{true, false} {
					line := base + tt.path + " --http " + version
					if key {
						line += " --trace-key trace.key"
					}
					out, talk, _ := w.run(line)
					var got struct {
						Verdict string
						Steps   []struct {
							Name, Verdict string
							Says          []string
							Facts         []struct{ Name, Says string }
						}
					}
					if err := json.Unmarshal([]byte(out), &got); err != nil {
						t.Fatalf("%v: %s %s", err, out, talk)
					}
					var vs []string
					for _, s := range got.Steps {
						vs = append(vs, s.Verdict)
					}
					five := got.Steps[4]
					said := strings.Join(five.Says, " ")
					for _, f := range five.Facts {
						said += "\n" + f.Name + " " + f.Says
					}
					if !key {
						if !strings.Contains(said, "inferred") || strings.Contains(said, "parley.yaml") {
							t.Errorf("without the key step 5 says %s, want what is inferred alone", said)
						}
						continue
					}
					if s := strings.Join(vs, " "); s != tt.verdicts {
						t.Errorf("the steps are %s, want %s\n%s", s, tt.verdicts, out)
					}
					if !strings.HasPrefix(said, "from the server: authn ") {
						t.Errorf("step 5 says %s, want it from the server", said)
					}
					for _, want := range tt.says {
						if !strings.Contains(said, want) {
							t.Errorf("step 5 says %s, want %s", said, want)
						}
					}
				}
			})
		}
	}
}

// What is secret in a call comes out in no format, no file and no word of talk,
// plain or coded.
func TestTraceKeepsSecrets(t *testing.T) {
	w := openTraceWorld(t)
	const secret = "s3cr3t/Value+91=="
	lines := []string{
		"--as priya=Bearer§" + secret, "--as partner=X-API-Key:" + secret, "--as basic=Basic§me:" + secret,
		"-H Cookie:§session=" + secret, "-H X-Auth-Token:" + secret, "-d {\"password\":\"" + secret + "\"}",
		"-d password=" + url.QueryEscape(secret), "http://127.0.0.1:9000/v1/orders?access_token=" + url.QueryEscape(secret),
		"http://me:" + url.QueryEscape(secret) + "@127.0.0.1:9000/v1/orders", "--proxy http://me:" + url.QueryEscape(secret) + "@127.0.0.1:1",
	}
	forms := map[string]string{"plain": secret, "base64": base64.StdEncoding.EncodeToString([]byte(secret)), "base64url": base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"hex": hex.EncodeToString([]byte(secret)), "URL": url.QueryEscape(secret), "basic": base64.StdEncoding.EncodeToString([]byte("me:" + secret))}
	for _, l := range lines {
		for _, format := range []string{"text -v", "text -q", "json", "sarif", "junit", "html"} {
			args := []string{"trace", "--har", "s.har", "--store", "s.db", "--fail-on", "info"}
			for a := range strings.FieldsSeq(l) {
				args = append(args, strings.ReplaceAll(a, "§", " "))
			}
			if !strings.Contains(l, "http://127") && !strings.Contains(l, "http://me:") || strings.Contains(l, "--proxy") {
				args = append(args, "http://"+w.flawed+"/v1/orders")
			}
			args = append(args, strings.Fields("--format "+format)...)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "127.0.0.1:9000", w.flawed)
			}
			var out, talk bytes.Buffer
			run(args, &out, &talk)
			all := map[string]string{"stdout": out.String(), "stderr": talk.String()}
			for _, file := range []string{"s.har", "s.db"} {
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				all[file] = string(b)
				if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("%s has the mode %v, want 600", file, info.Mode())
				}
			}
			for where, text := range all {
				for form, f := range forms {
					if strings.Contains(text, f) {
						t.Errorf("trace %s --format %s: %s has the secret, %s", l, format, where, form)
					}
				}
			}
			os.Remove("s.har")
		}
	}
}
