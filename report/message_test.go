package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/parley-project/parley/exchange"
)

// marked writes lines as a person would point at them.
func marked(ls []Line) string {
	var b strings.Builder
	for _, l := range ls {
		if l.Mark {
			b.WriteString("> ")
		}
		b.WriteString(l.Text + "\n")
	}
	return b.String()
}

func TestMarks(t *testing.T) {
	x := order("01J00000000000000000000001", "887")
	x.Response.Header = append(x.Response.Header, exchange.Field{Name: "X-Powered-By", Value: "PHP/5"})
	for _, c := range []struct {
		name     string
		step     exchange.Step
		evidence exchange.Evidence
		request  string // the marked lines
		response string
	}{
		{"a member", exchange.StepResponse, exchange.Evidence{Where: "response body", Name: "/items/0/note"}, "", `      "note": "<b>gift</b>"`},
		{"an object", exchange.StepResponse, exchange.Evidence{Where: "response body", Name: "/items/0"}, "", "    {|      \"sku\": \"tea\",|      \"note\": \"<b>gift</b>\"|    }"},
		{"a rule on the answer", exchange.StepServer, exchange.Evidence{Where: "rule", Name: "response.user_id == caller.id"}, "", "HTTP/1.1 200|  \"user_id\": 101,"},
		{"a header", exchange.StepResponse, exchange.Evidence{Where: "header", Name: "x-powered-by", Says: "names the software"}, "", "X-Powered-By: PHP/5"},
		{"a missing header", exchange.StepResponse, exchange.Evidence{Where: "header", Name: "X-Frame-Options", Says: "missing"}, "", "(no X-Frame-Options)"},
		{"a request's header", exchange.StepRequest, exchange.Evidence{Where: "header", Name: "Accept", Says: "is ignored"}, "Accept: application/json", ""},
		{"a cookie", exchange.StepClient, exchange.Evidence{Where: "cookie", Name: "session", Says: "lacks Secure"}, "", "Set-Cookie: session=secret:"},
		{"the query", exchange.StepRequest, exchange.Evidence{Where: "query", Name: "access_token"}, "GET /v1/orders/887?access_token=secret:", ""},
		{"the status", exchange.StepResponse, exchange.Evidence{Where: "status", Says: "is a success"}, "", "HTTP/1.1 200"},
	} {
		x.Findings = []exchange.Finding{{Check: "response-nosniff", Step: c.step, Evidence: []exchange.Evidence{c.evidence}}}
		e := newReport(x).Entries()[0]
		for which, m := range map[string]struct {
			ls   []Line
			want string
		}{"request": {e.RequestLines(), c.request}, "response": {e.ResponseLines(), c.response}} {
			var got []string
			for _, l := range m.ls {
				if l.Mark {
					got = append(got, l.Text)
				}
			}
			if !strings.HasPrefix(strings.Join(got, "|"), m.want) || (m.want == "") != (len(got) == 0) {
				t.Errorf("%s: marked in the %s are %q, want %q in\n%s", c.name, which, strings.Join(got, "|"), m.want, marked(m.ls))
			}
		}
	}
}

func TestBodies(t *testing.T) {
	for _, c := range []struct {
		name, media, coding string
		data                string
		size                int64
		want                string
	}{
		{"JSON", "application/problem+json", "", `{"a":[],"b":{},"c":[1,{"d":null}]}`, 0, "{|  \"a\": [],|  \"b\": {},|  \"c\": [|    1,|    {|      \"d\": null|    }|  ]|}"},
		{"broken JSON", "application/json", "", `{"a":1`, 0, `{"a":1`},
		{"two values", "application/json", "", `{} {}`, 0, `{} {}`},
		{"too deep", "application/json", "", strings.Repeat("[", 100) + strings.Repeat("]", 100), 0, strings.Repeat("[", 100) + strings.Repeat("]", 100)},
		{"text", "text/plain", "", "one\r\ntwo\x00", 0, "(9 bytes of binary data)"},
		{"lines", "text/plain", "", "one\r\ntwo\n", 0, "one|two"},
		{"binary", "image/png", "", "\x89PNG", 0, "(4 bytes of binary data)"},
		{"coded", "application/json", "br", "abc", 0, "(3 bytes of binary data)"},
		{"cut off in a character", "text/plain", "", "für"[:2], 4, "f|… (4 bytes in all)"},
		{"not kept", "text/plain", "", "", 7, "(7 bytes, not kept)"},
	} {
		if c.size == 0 {
			c.size = int64(len(c.data))
		}
		h := exchange.Header{{Name: "Content-Type", Value: c.media}}
		if c.coding != "" {
			h = append(h, exchange.Field{Name: "Content-Encoding", Value: c.coding})
		}
		e := &Entry{Example: &exchange.Exchange{Response: &exchange.Response{Status: 200, Header: h, Body: exchange.Body{Size: c.size, Data: []byte(c.data)}}}}
		_, got, _ := strings.Cut(marked(e.ResponseLines()), "\n\n")
		if got = strings.ReplaceAll(strings.TrimSuffix(got, "\n"), "\n", "|"); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A long body is shown where it matters.
func TestFold(t *testing.T) {
	var ls []Line
	for i := range 200 {
		ls = append(ls, Line{Text: fmt.Sprint(i), Mark: i == 120})
	}
	got := strings.ReplaceAll(marked(fold(ls)), "\n", " ")
	if want := "0 1 2 3 … 113 lines 117 118 119 > 120 121 122 123 … 75 lines 199 "; got != want {
		t.Errorf("fold: %q, want %q", got, want)
	}
	ls[120].Mark = false
	if got := fold(ls); len(got) != folded+2 {
		t.Errorf("a body without a mark is shown in %d lines, want %d", len(got), folded+2)
	}
	for i := range ls {
		ls[i].Mark = true
	}
	if got := fold(ls); len(got) > 150 {
		t.Errorf("a body that is marked as a whole is shown in %d lines", len(got))
	}
	if got := fold(ls[:folded]); len(got) != folded {
		t.Errorf("%d lines became %d", folded, len(got))
	}
}
