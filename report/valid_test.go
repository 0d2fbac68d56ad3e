package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/net/html"
)

func TestValid(t *testing.T) {
	for name, r := range map[string]*Report{"sample": sample(), "empty": newReport()} {
		t.Run(name, func(t *testing.T) {
			validJSON(t, r)
			validSARIF(t, r)
			validJUnit(t, r)
			validHTML(t, r)
		})
	}
	validSARIF(t, New(Options{})) // the whole catalogue's rules
}

func bySchema(t *testing.T, file, text string) map[string]any {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("no JSON: %v", err)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("%s: %v", file, err)
	}
	return v.(map[string]any)
}

func validJSON(t *testing.T, r *Report) {
	t.Helper()
	var b bytes.Buffer
	if err := JSON(&b, r); err != nil {
		t.Fatal(err)
	}
	bySchema(t, "../doc/schema/parley.finding-1.schema.json", b.String())
}

// The schema says how it must look; here is what it cannot say.
func validSARIF(t *testing.T, r *Report) {
	t.Helper()
	var b bytes.Buffer
	if err := SARIF(&b, r); err != nil {
		t.Fatal(err)
	}
	bySchema(t, "testdata/sarif-2.1.0.schema.json", b.String())
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	for _, res := range run.Results {
		if got := run.Tool.Driver.Rules[res.RuleIndex].ID; got != res.RuleID {
			t.Errorf("ruleIndex %d is %s, want %s (3.27.6)", res.RuleIndex, got, res.RuleID)
		}
		if res.PartialFingerprints["parley/v1"] == "" || len(res.Locations) != 1 {
			t.Errorf("%s has no fingerprint or not one location", res.RuleID)
		}
		if uri := res.Locations[0].PhysicalLocation.ArtifactLocation.URI; strings.HasPrefix(uri, "/") || strings.Contains(uri, "//") && strings.Contains(uri, ":") {
			t.Errorf("the location %q is not relative", uri)
		}
	}
	for _, rule := range run.Tool.Driver.Rules {
		if score, err := strconv.ParseFloat(rule.Properties["security-severity"].(string), 64); err != nil || score < 0 || score > 10 {
			t.Errorf("%s: security-severity %v", rule.ID, rule.Properties["security-severity"])
		}
	}
}

// What readers of JUnit's XML accept: which elements stand where, with which
// attributes.
var junitElements = map[string]struct{ parent, required, optional string }{
	"testsuites": {"", "name tests failures errors skipped", "time"},
	"testsuite":  {"testsuites", "name tests failures errors skipped time", "timestamp"},
	"testcase":   {"testsuite", "name classname time", ""},
	"failure":    {"testcase", "message type", ""},
	"skipped":    {"testcase", "message", ""},
	"system-out": {"testcase", "", ""},
}

func validJUnit(t *testing.T, r *Report) {
	t.Helper()
	var b bytes.Buffer
	if err := JUnit(&b, r); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(&b)
	stack := []string{""}
	counts := map[string]int{} // since the suite began, and in all
	var suite, all map[string]string
	cases := map[string]bool{}
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("no XML: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			name := e.Name.Local
			rule, ok := junitElements[name]
			if !ok || rule.parent != stack[len(stack)-1] {
				t.Fatalf("<%s> in <%s>", name, stack[len(stack)-1])
			}
			attributes := map[string]string{}
			for _, a := range e.Attr {
				attributes[a.Name.Local] = a.Value
				if !slices.Contains(strings.Fields(rule.required+" "+rule.optional), a.Name.Local) {
					t.Errorf("<%s> has an attribute %q", name, a.Name.Local)
				}
			}
			for _, a := range strings.Fields(rule.required) {
				if _, ok := attributes[a]; !ok {
					t.Errorf("<%s> has no attribute %q", name, a)
				}
			}
			switch name {
			case "testsuites":
				all = attributes
			case "testsuite":
				suite, counts["testcase"], counts["failure"], counts["skipped"] = attributes, 0, 0, 0
			case "testcase":
				key := attributes["classname"] + " " + attributes["name"]
				if cases[key] {
					t.Errorf("two cases %q", key)
				}
				cases[key] = true
			}
			counts[name]++
			counts["all "+name]++
			stack = append(stack, name)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
			of, prefix := suite, ""
			if e.Name.Local == "testsuites" {
				of, prefix = all, "all "
			} else if e.Name.Local != "testsuite" {
				continue
			}
			for attribute, element := range map[string]string{"tests": "testcase", "failures": "failure", "skipped": "skipped"} {
				if want := fmt.Sprint(counts[prefix+element]); of[attribute] != want {
					t.Errorf("<%s %s=%q>, there are %s", e.Name.Local, attribute, of[attribute], want)
				}
			}
		case xml.Directive:
			t.Errorf("a directive: %s", e)
		}
	}
	if counts["testsuites"] != 1 {
		t.Error("no <testsuites>")
	}
}

// The page loads nothing, runs nothing, and has no element that we did not put
// there.
func validHTML(t *testing.T, r *Report) {
	t.Helper()
	var b bytes.Buffer
	if err := HTML(&b, r); err != nil {
		t.Fatal(err)
	}
	allowed := strings.Fields("html head meta title style body header footer main nav section h1 h2 h3 p dl div dt dd ul li b span small a code pre mark table thead tbody tr th td details summary figure figcaption")
	attributes := strings.Fields("lang charset http-equiv content name class id href rel colspan aria-label open")
	link := regexp.MustCompile(`^(#[^\s]*|https://cwe\.mitre\.org/data/definitions/\d+\.html)$`)
	root, err := html.Parse(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	policy, styles := "", 0
	ids, links := map[string]bool{}, map[string]bool{}
	for n := range root.Descendants() {
		switch n.Type {
		case html.CommentNode:
			t.Errorf("a comment: %q", n.Data)
		case html.ElementNode:
			if !slices.Contains(allowed, n.Data) {
				t.Errorf("an element <%s>", n.Data)
			}
			at := map[string]string{}
			for _, a := range n.Attr {
				at[a.Key] = a.Val
				if !slices.Contains(attributes, a.Key) {
					t.Errorf("<%s> has an attribute %q", n.Data, a.Key)
				}
			}
			if h, ok := at["href"]; ok {
				if !link.MatchString(h) {
					t.Errorf("a link to %q", h)
				}
				links[h] = true
			}
			if at["id"] != "" {
				ids[at["id"]] = true
			}
			if strings.EqualFold(at["http-equiv"], "Content-Security-Policy") {
				policy = at["content"]
			}
			if n.Data == "style" {
				styles++
				sum := sha256.Sum256([]byte(n.FirstChild.Data))
				if hash := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, hash) {
					t.Errorf("the policy %q does not allow the style sheet, %s", policy, hash)
				}
				if s := n.FirstChild.Data; strings.Contains(s, "url(") || strings.Contains(s, "@import") {
					t.Error("the style sheet loads something")
				}
			}
		}
	}
	if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || styles != 1 {
		t.Errorf("policy %q, %d style sheets", policy, styles)
	}
}
