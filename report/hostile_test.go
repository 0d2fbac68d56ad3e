package report

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// payloads are what strangers send to those who read reports.
var payloads = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`,
	`</pre></style><svg onload=alert(1)>`,
	`javascript:alert(1)`,
	`]]><!ENTITY x SYSTEM "file:///etc/passwd">]]>`,
	`<!--<?xml version="1.0"?>-->`,
	`{{.Policy}} {{template "messages"}}`,
	"\x1b[2J\x1b]0;owned\x07\x9b31m",
	"a\x00b\x08\x7f\u0085\ufeff\u200b",
	"\u202egnp.exe\u2066\u2069",
	"\xff\xfe\xc0\xaf\xed\xa0\x80",
	"\ufffe\uffff\U0001ffff",
	"line\nparley: error: fake\r\nsecond\u2028third",
	strings.Repeat("A", 5000),
	strings.Repeat("{", 5000),
}

// hostile puts a payload everywhere where a stranger's text can stand.
func hostile(p string) *exchange.Exchange {
	body := `{"` + strings.ReplaceAll(strings.ReplaceAll(p, `\`, `\\`), `"`, `\"`) + `":"` + strings.ReplaceAll(strings.ReplaceAll(p, `\`, `\\`), `"`, `\"`) + `"}`
	header := exchange.Header{{Name: "Content-Type", Value: "application/json"}, {Name: p, Value: p}, {Name: "X-Evil", Value: p}, {Name: "Set-Cookie", Value: p + "=" + p}}
	evidence := []exchange.Evidence{{Where: p, Name: p, Says: p}, {Where: "header", Name: p, Says: p}, {Where: "response body", Name: "/" + p, Says: p}}
	return &exchange.Exchange{ID: exchange.ID(p), Source: exchange.FromProxy, Start: at10, Failure: p, TLS: &exchange.TLS{},
		Request: exchange.Request{Method: p, Scheme: p, Authority: p, Target: "/" + p + "?q=" + p, Proto: p, Header: header, Body: exchange.Body{Size: int64(len(body)), Data: []byte(body)}},
		Server:  exchange.Server{Caller: &exchange.Caller{Subject: exchange.Subject(p), Name: p, Roles: []string{p}}},
		Response: &exchange.Response{Status: 200, Proto: p, Header: header,
			Body: exchange.Body{Size: int64(len(p)), Data: []byte(p)}},
		Findings: []exchange.Finding{{Check: p, Severity: 99, Verdict: exchange.Verdict(p), Step: 77, Evidence: evidence},
			{Check: "authz-object", Severity: exchange.High, Verdict: exchange.Confirmed, Step: exchange.StepServer, Evidence: evidence}},
		Actions: []exchange.Action{{Kind: exchange.Refused, Check: p, Rule: p, Status: 403, Evidence: evidence[0]},
			{Kind: exchange.ActionKind(p), Check: p, Evidence: evidence[1]}}}
}

// Every format stays what it is, whatever was captured.
func TestHostile(t *testing.T) {
	all := newReport()
	reports := map[string]*Report{"all at once": all}
	for _, p := range payloads {
		r := newReport(hostile(p))
		r.Title, r.Filter = p, p
		reports[Visible(p)[:min(len(Visible(p)), 20)]] = r
		all.Add(hostile(p))
	}
	for name, r := range reports {
		t.Run(name, func(t *testing.T) {
			for _, f := range Formats {
				got := written(t, f, r)
				if !utf8.ValidString(got) {
					t.Errorf("%s is not UTF-8", f.Name)
				}
				for _, c := range got {
					if c != '\n' && (hidden(c) || c == '\t') {
						t.Errorf("%s holds the character %U", f.Name, c)
						break
					}
				}
			}
			validJSON(t, r)
			validSARIF(t, r)
			validJUnit(t, r)
			validHTML(t, r)
		})
	}
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                 "plain",
		"für Ωmega 日本 🍵":        "für Ωmega 日本 🍵",
		"a\tb\nc\rd":            `a\tb\nc\rd`,
		"\x1b[31m\x7f\x9b":      `\x1b[31m\x7f\x9b`,
		"\u0085\u202e\u2028":    `\x85\u202e\u2028`,
		"\xed\xa0\x80":          `\xed\xa0\x80`,
		"\ufffe \ufffd":         `\ufffe ` + "\ufffd",
		"\U0001ffff\U000e0041x": `\u1ffff\ue0041x`,
	} {
		if got := Visible(in); got != want {
			t.Errorf("Visible(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzVisible(f *testing.F) {
	for _, p := range payloads {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Visible(s)
		if !utf8.ValidString(got) || Visible(got) != got {
			t.Errorf("Visible(%q) = %q: it is not UTF-8, or not settled", s, got)
		}
		for _, r := range got {
			if hidden(r) || r == '\n' {
				t.Errorf("Visible(%q) = %q holds %U", s, got, r)
			}
		}
		jsonLines([]byte(s), []string{"/a"}) // must end, without panic
	})
}

// Only what was passed by a check that could judge is passed.
func TestUnknownIsNotPassed(t *testing.T) {
	x := order("01J00000000000000000000001", "887")
	x.Findings, x.TLS = nil, nil
	r := newReport(x)
	r.catalogue = append([]*check.Check{{ID: "probe-only", Needs: 0}}, catalogue...)
	got := written(t, Formats[3], r)
	for name, want := range map[string]bool{"authz-object": true, "response-nosniff": true, "response-hsts": false, "probe-only": false} {
		if strings.Contains(got, `name="`+name+`"`) != want {
			t.Errorf("%s is in the report: %v, want %v", name, !want, want)
		}
	}
}
