package report

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// SARIF 2.1.0 (OASIS Standard, 27 March 2020). A check is a rule, an entry a
// result. A finding has kind "fail" and a level; what guard did is a result of
// kind "informational", what it would have done of kind "review", neither with
// a level (3.27.9, 3.27.10).

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool              sarifTool         `json:"tool"`
	Invocations       []sarifInvocation `json:"invocations"`
	AutomationDetails sarifDetails      `json:"automationDetails"`
	ColumnKind        string            `json:"columnKind"`
	Results           []sarifResult     `json:"results"`
	Properties        map[string]any    `json:"properties,omitempty"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version,omitempty"`
	Rules   []sarifRule `json:"rules"`
}

type sarifInvocation struct {
	ExecutionSuccessful bool   `json:"executionSuccessful"`
	EndTimeUTC          string `json:"endTimeUtc,omitempty"`
}

type sarifDetails struct {
	ID string `json:"id"`
}

type sarifText struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifRule struct {
	ID                   string         `json:"id"`
	Name                 string         `json:"name,omitempty"`
	ShortDescription     sarifText      `json:"shortDescription"`
	FullDescription      *sarifText     `json:"fullDescription,omitempty"`
	Help                 *sarifText     `json:"help,omitempty"`
	HelpURI              string         `json:"helpUri,omitempty"`
	DefaultConfiguration sarifLevel     `json:"defaultConfiguration"`
	Properties           map[string]any `json:"properties,omitempty"`
}

type sarifLevel struct {
	Level string `json:"level"`
}

type sarifResult struct {
	RuleID              string            `json:"ruleId"`
	RuleIndex           int               `json:"ruleIndex"`
	Kind                string            `json:"kind"`
	Level               string            `json:"level"`
	Message             sarifText         `json:"message"`
	Locations           []sarifLocation   `json:"locations"`
	PartialFingerprints map[string]string `json:"partialFingerprints"`
	OccurrenceCount     int               `json:"occurrenceCount"`
	WebRequest          *sarifRequest     `json:"webRequest,omitempty"`
	WebResponse         *sarifResponse    `json:"webResponse,omitempty"`
	BaselineState       string            `json:"baselineState,omitempty"`
	Suppressions        []sarifSuppressed `json:"suppressions,omitempty"`
	CodeFlows           []sarifFlow       `json:"codeFlows,omitempty"`
	Properties          map[string]any    `json:"properties"`
}

type sarifSuppressed struct {
	Kind          string `json:"kind"`
	Status        string `json:"status"`
	Justification string `json:"justification"`
}

// A flow is how a finding was proved: a location for each request.
type sarifFlow struct {
	ThreadFlows []sarifThread `json:"threadFlows"`
}

type sarifThread struct {
	Locations []sarifStep `json:"locations"`
}

type sarifStep struct {
	Location sarifStepLocation `json:"location"`
	Kinds    []string          `json:"kinds,omitempty"`
}

type sarifStepLocation struct {
	PhysicalLocation sarifPhysical `json:"physicalLocation"`
	Message          sarifText     `json:"message"`
}

type sarifLocation struct {
	PhysicalLocation sarifPhysical  `json:"physicalLocation"`
	LogicalLocations []sarifLogical `json:"logicalLocations"`
}

type sarifPhysical struct {
	ArtifactLocation sarifArtifact `json:"artifactLocation"`
	Region           sarifRegion   `json:"region"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine int           `json:"startLine"`
	Snippet   *sarifContent `json:"snippet,omitempty"`
}

type sarifContent struct {
	Text string `json:"text"`
}

type sarifLogical struct {
	Name               string `json:"name"`
	FullyQualifiedName string `json:"fullyQualifiedName"`
	Kind               string `json:"kind"`
}

type sarifRequest struct {
	Protocol string            `json:"protocol,omitempty"`
	Version  string            `json:"version,omitempty"`
	Target   string            `json:"target"`
	Method   string            `json:"method"`
	Headers  map[string]string `json:"headers,omitempty"`
	Body     *sarifContent     `json:"body,omitempty"`
}

type sarifResponse struct {
	Protocol   string            `json:"protocol,omitempty"`
	Version    string            `json:"version,omitempty"`
	StatusCode int               `json:"statusCode"`
	Headers    map[string]string `json:"headers,omitempty"`
	Body       *sarifContent     `json:"body,omitempty"`
}

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// SARIF writes a report as SARIF 2.1.0.
func SARIF(w io.Writer, r *Report) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "Parley", Version: r.Version}}, AutomationDetails: sarifDetails{"parley/"},
		Invocations: []sarifInvocation{{ExecutionSuccessful: r.Incomplete == ""}}, ColumnKind: "unicodeCodePoints", Results: []sarifResult{},
		Properties: map[string]any{"exchanges": r.Exchanges, "omitted": r.Omitted}}
	if !r.Made.IsZero() {
		run.Invocations[0].EndTimeUTC = r.Made.UTC().Format(time.RFC3339)
	}
	index := map[string]int{}
	rule := func(c *check.Check) {
		if _, ok := index[c.ID]; !ok {
			index[c.ID] = len(run.Tool.Driver.Rules)
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(c))
		}
	}
	for _, c := range r.catalogue {
		rule(c)
	}
	for _, e := range r.Entries() {
		rule(e.Check)
		res := r.sarifResult(e)
		res.RuleIndex = index[e.Check.ID]
		run.Results = append(run.Results, res)
	}
	return encode(w, sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

// levels are SARIF's words, and scores are what GitHub sorts by
// (security-severity, on the scale of CVSS).
var (
	levels = [...]string{"note", "note", "warning", "error", "error"}
	scores = [...]string{"0.0", "3.0", "5.5", "8.0", "9.5"}
)

func at(list []string, s exchange.Severity) string { return list[min(max(int(s), 0), len(list)-1)] }

func sarifRuleOf(c *check.Check) sarifRule {
	tags := []string{"security", "step-" + c.Step.String()}
	help := oneLine(c.Doc)
	markdown := help
	if c.Fix != "" {
		help += "\n\nFix: " + oneLine(c.Fix)
		markdown += "\n\n**Fix:** " + oneLine(c.Fix)
	}
	out := sarifRule{ID: Visible(c.ID), Name: pascal(c.ID), ShortDescription: sarifText{Text: c.Title},
		DefaultConfiguration: sarifLevel{at(levels[:], c.Severity)}}
	if c.OWASP != "" {
		tags = append(tags, "OWASP-"+c.OWASP)
		help += "\n\nOWASP API Security: " + c.OWASP
		markdown += "\n\nOWASP API Security: " + c.OWASP
	}
	if c.CWE != 0 {
		tags = append(tags, fmt.Sprintf("external/cwe/cwe-%d", c.CWE))
		out.HelpURI = fmt.Sprintf("https://cwe.mitre.org/data/definitions/%d.html", c.CWE)
	}
	if c.Doc != "" {
		out.FullDescription = &sarifText{Text: oneLine(c.Doc)}
		out.Help = &sarifText{Text: help, Markdown: markdown}
	}
	out.Properties = map[string]any{"tags": tags, "security-severity": at(scores[:], c.Severity), "precision": "high"}
	return out
}

// pascal makes AuthzObject of authz-object: the form that 3.49.7 asks of names.
func pascal(id string) string {
	var b strings.Builder
	for _, w := range strings.Split(Visible(id), "-") {
		if w != "" {
			b.WriteString(strings.ToUpper(w[:1]) + w[1:])
		}
	}
	return b.String()
}

func (r *Report) sarifResult(e *Entry) sarifResult {
	out := sarifResult{RuleID: Visible(e.Check.ID), Kind: "fail", Level: at(levels[:], e.Severity), OccurrenceCount: e.Count,
		PartialFingerprints: map[string]string{"parley/v1": e.Fingerprint},
		Properties:          map[string]any{"exchanges": e.Exchanges, "step": e.Step.String(), "severity": e.Severity.String()}}
	said := e.Check.Title
	switch {
	case e.Kind == Finding:
		out.Properties["verdict"] = string(e.Verdict)
	case e.Enforced:
		out.Kind, out.Level, said = "informational", "none", "guard "+did(e)
	default:
		out.Kind, out.Level, said = "review", "none", "guard "+did(e)
	}
	text := Visible(e.Operation) + ": " + said
	var evidence []string
	for _, ev := range e.Evidence {
		evidence = append(evidence, Visible(ev.String()))
	}
	if len(evidence) > 0 {
		text += " (" + strings.Join(evidence, "; ") + ")"
	}
	out.Message = sarifText{Text: text}
	if e.Rule != "" {
		out.Properties["rule"] = e.Rule
	}
	out.Locations = []sarifLocation{{PhysicalLocation: r.physical(e),
		LogicalLocations: []sarifLogical{{Name: Visible(e.Operation), FullyQualifiedName: Visible(e.Operation), Kind: "function"}}}}
	if e.Proof != nil {
		r.sarifProof(&out, e)
	}
	if x := e.Example; x != nil {
		out.WebRequest, out.WebResponse = webRequest(x), webResponse(x)
	}
	return out
}

// sarifProof adds what a finding that was proved has more to tell.
func (r *Report) sarifProof(out *sarifResult, e *Entry) {
	p := e.Proof
	out.Message.Text = p.Says + ". " + out.Message.Text
	if r.Baseline {
		out.BaselineState = "new"
		if p.Known {
			out.BaselineState = "unchanged"
		}
	}
	if p.Suppressed != "" {
		out.Suppressions = []sarifSuppressed{{"external", "accepted", p.Suppressed}}
	}
	for name, v := range map[string]string{"parameter": p.Parameter, "by": p.By, "of": p.Of, "missing": p.Missing, "again": p.Again} {
		if v != "" {
			out.Properties[name] = v
		}
	}
	if len(p.Operations) > 1 {
		out.Properties["operations"] = p.Operations
	}
	var steps []sarifStep
	for _, s := range p.Steps {
		one := sarifStep{Location: sarifStepLocation{r.physical(e), sarifText{Text: s.Title}}}
		if s.Control {
			one.Kinds = []string{"control"}
		}
		steps = append(steps, one)
	}
	if len(steps) > 0 {
		out.CodeFlows = []sarifFlow{{[]sarifThread{{steps}}}}
	}
}

// physical is where to look: the operation in the API's description, else the
// path that was asked for. Viewers want a file and a line of every result.
func (r *Report) physical(e *Entry) sarifPhysical {
	if file, line := r.locate(e.Operation); file != "" {
		return sarifPhysical{sarifArtifact{(&url.URL{Path: file}).EscapedPath()}, sarifRegion{StartLine: max(line, 1)}}
	}
	method, p, _ := strings.Cut(e.Operation, " ")
	p = strings.TrimLeft(p, "/")
	if p == "" {
		p = "."
	}
	return sarifPhysical{sarifArtifact{(&url.URL{Path: strings.ReplaceAll(Visible(p), ":", "%3A")}).EscapedPath()},
		sarifRegion{StartLine: 1, Snippet: &sarifContent{Visible(method + " /" + p)}}}
}

func webRequest(x *exchange.Exchange) *sarifRequest {
	q := &x.Request
	protocol, version := protocolOf(q.Proto)
	return &sarifRequest{Protocol: protocol, Version: version, Target: Visible(q.Target), Method: Visible(q.Method), Headers: webHeaders(q.Header), Body: webBody(q.Body, q.Header)}
}

func webResponse(x *exchange.Exchange) *sarifResponse {
	p := x.Response
	if p == nil {
		return nil
	}
	protocol, version := protocolOf(p.Proto)
	return &sarifResponse{Protocol: protocol, Version: version, StatusCode: p.Status, Headers: webHeaders(p.Header), Body: webBody(p.Body, p.Header)}
}

func protocolOf(proto string) (name, version string) {
	name, version, _ = strings.Cut(Visible(proto), "/")
	return name, version
}

// webHeaders joins lines of the same name as RFC 9110, 5.3 does.
func webHeaders(h exchange.Header) map[string]string {
	out := map[string]string{}
	for i := range h {
		name, value := Visible(h[i].Name), Visible(h[i].Value)
		if before, ok := out[name]; ok {
			value = before + ", " + value
		}
		out[name] = value
	}
	return out
}

func webBody(b exchange.Body, h exchange.Header) *sarifContent {
	if b.Size == 0 {
		return nil
	}
	return &sarifContent{strings.Join(plainBody(b, h), "\n")}
}
