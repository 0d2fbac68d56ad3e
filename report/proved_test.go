package report

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/parley-project/parley/exchange"
)

// proved is a report of what was proved: a finding that counts, one that is
// known, one that somebody lives with, and one that is only likely.
func proved() *Report {
	r := newReport()
	r.Baseline = true
	r.Asked = []string{"authz-object", "request-schema", "response-nosniff"}
	control := order("01J0000000000000000000000A", "888")
	control.Links = []exchange.Link{{Kind: exchange.Control}}
	control.Findings = nil
	one := func(check, fingerprint string, verdict exchange.Verdict, p Proof) {
		telling := order("01J0000000000000000000000B", "887")
		r.Prove(Proved{Finding: exchange.Finding{Check: check, Severity: exchange.High, Verdict: verdict, Step: exchange.StepServer, Fingerprint: fingerprint,
			Evidence: []exchange.Evidence{{Where: "response body", Name: "/items/0/note", Says: "is priya's"}}},
			Operation: "GET /v1/orders/{id}", Operations: []string{"GET /v1/orders/{id}", "GET /v1/carts/{id}"}, Count: 2, Proof: p,
			Exchanges: []*exchange.Exchange{control, telling}, Marks: []string{"gift"}, Curl: []string{"curl one", "curl two"}})
	}
	one("authz-object", "aaaaaaaaaaaaaaaa", exchange.Confirmed, Proof{Says: "rajan read priya's order (200)", Parameter: "path id", By: "rajan", Of: "priya", Again: "parley scan --replay aaaaaaaa"})
	one("authz-object", "bbbbbbbbbbbbbbbb", exchange.Confirmed, Proof{Says: "known one", Known: true})
	one("request-schema", "cccccccccccccccc", exchange.Confirmed, Proof{Says: "lived with", Suppressed: "the partner needs <it>"})
	one("request-schema", "dddddddddddddddd", exchange.Likely, Proof{Says: "perhaps", Missing: "the control\x1b without a token"})
	return r
}

func TestProvedIsValid(t *testing.T) {
	for _, incomplete := range []string{"", "it was interrupted"} {
		r := proved()
		r.Incomplete = incomplete
		validJSON(t, r)
		validSARIF(t, r)
		validJUnit(t, r)
		validHTML(t, r)
	}
	if got := proved().Failures(); got != 1 {
		t.Errorf("Failures() = %d, want 1: what is known, suppressed or likely does not count", got)
	}
}

// Whoever reads SARIF is told what is new, what was there before, and what
// somebody decided to live with; nothing is dropped.
func TestProvedSARIF(t *testing.T) {
	var b bytes.Buffer
	if err := SARIF(&b, proved()); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	states := map[string]string{}
	for _, res := range log.Runs[0].Results {
		id := res.PartialFingerprints["parley/v1"][:1]
		states[id] = res.BaselineState
		if id == "c" && (len(res.Suppressions) != 1 || res.Suppressions[0].Justification != "the partner needs <it>") {
			t.Errorf("the suppressed one has suppressions %v", res.Suppressions)
		}
		if id != "c" && len(res.Suppressions) > 0 {
			t.Errorf("%s is suppressed", id)
		}
		if len(res.CodeFlows) != 1 || len(res.CodeFlows[0].ThreadFlows[0].Locations) != 2 || !slices.Equal(res.CodeFlows[0].ThreadFlows[0].Locations[0].Kinds, []string{"control"}) {
			t.Errorf("%s does not show its proof: %v", id, res.CodeFlows)
		}
	}
	if states["a"] != "new" || states["b"] != "unchanged" || len(states) != 4 {
		t.Errorf("baseline states are %v", states)
	}
}

func TestProvedElsewhere(t *testing.T) {
	html := written(t, Formats[4], proved())
	for _, want := range []string{"rajan read priya&#39;s order (200)", "<mark>      &#34;note&#34;: &#34;&lt;b&gt;gift", "curl two", "parley scan --replay aaaaaaaa", "confirmed, known", "2 findings in 0 exchanges: 2 high; 2 known or suppressed.", "the partner needs &lt;it&gt;", `control\x1b without`, "GET /v1/carts/{id}"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not have %s", want)
		}
	}
	junit := written(t, Formats[3], proved())
	for _, want := range []string{`failures="1"`, "all operations", "suppressed (the partner needs", "GET /v1/orders/888?access_token="} {
		if !strings.Contains(junit, want) {
			t.Errorf("JUnit does not have %s\n%s", want, junit)
		}
	}
	r := proved()
	var step *ProofStep
	for _, e := range r.Entries() {
		if e.Fingerprint[0] == 'a' {
			step = e.Proof.Steps[1]
		}
	}
	if got := step.Point(`"note": "<b>gift</b>"`); got != `            ^^^^` {
		t.Errorf("Point is %q", got)
	}
}
