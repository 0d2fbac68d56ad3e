package scan

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
)

// What a scan proved is stopped by lines of parley.yaml. Each line is tried
// before it is written: the file with it must load, the request that proved the
// flaw must be refused by it, and what honest people were answered must not be.
// What a person wrote is never changed: lines are added, and nothing else.

// PolicyOptions say where a policy is to be written.
type PolicyOptions struct {
	// File is where the policy is or will be. Names in it are relative to its
	// folder.
	File string
	// Text is what it says now. Empty makes a new one.
	Text []byte
	// API is how a new policy names the description; empty names the one that
	// was scanned, from File's folder, or the one that was learnt, which is then
	// among the files beside.
	API string
	// Keys is the JWK Set that tokens are verified with. Nil takes the one that
	// the API publishes.
	Keys []byte
}

// A Patch is what is to be added to a policy.
type Patch struct {
	File string
	Text []byte // the whole policy as it should be
	Diff string // from what it was; empty when nothing is added
	// Beside are the files that the policy names and that belong next to it.
	Beside []Beside
	// Written are the findings that new lines stop, Stopped those for which
	// guard needs no further line, Left those that it cannot stop.
	Written, Stopped, Left []Stop
	// Notes are what a person should look at.
	Notes []string
}

// Beside is a file next to a policy. API keys are in it as hashes only.
type Beside struct {
	Name string
	Data []byte
}

// A Stop is how one finding is stopped, or why it is not.
type Stop struct {
	Finding   string `json:"finding"`
	Check     string `json:"check"`
	Operation string `json:"operation"`
	Says      string `json:"says"`
}

// Policy writes what stops the confirmed findings.
func (r *Result) Policy(o PolicyOptions) (*Patch, error) {
	if r.scanner == nil {
		return nil, errors.New("scan: a policy can only be written by the scan itself: a report does not have what was answered")
	}
	if o.File == "" {
		o.File = "parley.yaml"
	}
	d := &draft{s: r.scanner, o: o, patch: &Patch{File: o.File, Text: o.Text}}
	var all []*Finding
	for _, f := range r.Findings {
		if f.Verdict == exchange.Confirmed && f.Counts() && f.flaw != nil {
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		return d.patch, nil
	}
	d.findings = all
	if err := d.begin(); err != nil {
		return nil, err
	}
	for _, f := range all {
		if err := d.stop(f); err != nil {
			return nil, err
		}
	}
	return d.finish()
}

// A draft is a policy that is being written.
type draft struct {
	s        *scanner
	o        PolicyOptions
	patch    *Patch
	findings []*Finding

	who       *identified
	additions []addition
	now       *contract.Contract // with the additions so far
}

// An addition is what one section gets.
type addition struct {
	section string // "rules", "fields", "limits"; or a section that is added whole
	comment string
	text    string // an item without its dash, or the whole section
}

func (d *draft) begin() error {
	d.who = d.identify()
	var err error
	if d.now, err = d.load(nil); err != nil {
		return err
	}
	if d.now.Mode != contract.Enforce {
		d.patch.Notes = append(d.patch.Notes, d.o.File+" says mode: report: nothing is stopped until it says mode: enforce")
	}
	return nil
}

// load reads the policy as it would be with some more.
func (d *draft) load(more []addition) (*contract.Contract, error) {
	return d.parse(append(slices.Clip(d.additions), more...), nil)
}

// parse loads the draft; a description that is to be written beside it is read
// where it is now.
func (d *draft) parse(additions []addition, claims []string) (*contract.Contract, error) {
	now := *d
	if d.learnt() != "" {
		if file, err := filepath.Abs(d.s.o.File); err == nil {
			now.o.API = file
		}
	}
	text, err := now.render(additions, claims)
	if err != nil {
		return nil, err
	}
	return contract.Parse(d.o.File, text)
}

// learnt is the name of the description that was learnt, when the policy is to
// name it; else it is empty.
func (d *draft) learnt() string {
	if !d.s.o.Learnt || d.o.API != "" || len(bytes.TrimSpace(d.o.Text)) > 0 {
		return ""
	}
	return "learnt" + filepath.Ext(d.s.o.File)
}

// accept takes additions into the draft.
func (d *draft) accept(k *contract.Contract, more ...addition) {
	d.additions = append(d.additions, more...)
	d.now = k
}

// finish puts the text together.
func (d *draft) finish() (*Patch, error) {
	used := d.claimsUsed()
	text, err := d.render(d.additions, used)
	if err != nil {
		return nil, err
	}
	if _, err := d.parse(d.additions, used); err != nil {
		return nil, fmt.Errorf("scan: the policy that was written does not load: %w", err)
	}
	d.patch.Text = text
	d.patch.Diff = unified(filepath.Base(d.o.File), d.o.Text, text)
	if !d.has("identity") {
		d.patch.Beside = d.who.beside(used)
		d.patch.Notes = append(d.patch.Notes, d.who.notes...)
		d.patch.Notes = append(d.patch.Notes, d.unverified(used)...)
	} else if missing := d.who.notNamed(used, d.now); len(missing) > 0 {
		d.patch.Notes = append(d.patch.Notes, "add to identity: claims: ["+strings.Join(missing, ", ")+"], which the rules look at")
	}
	if name := d.learnt(); name != "" {
		data, err := os.ReadFile(d.s.o.File)
		if err != nil {
			return nil, fmt.Errorf("scan: the learnt description: %w", err)
		}
		d.patch.Beside = append(d.patch.Beside, Beside{name, data})
		d.patch.Notes = append(d.patch.Notes, name+" was learnt from traffic: what was not in it is refused; rehearse the policy on more traffic first")
	}
	return d.patch, nil
}

// has reports whether the policy that was there has a section.
func (d *draft) has(section string) bool {
	return slices.ContainsFunc(sectionsOf(d.o.Text), func(p place) bool { return p.name == section })
}

// render is the policy's text with additions. claims are those that identity
// has to keep; nil keeps all that there are.
func (d *draft) render(additions []addition, claims []string) ([]byte, error) {
	if claims == nil {
		claims = d.who.claimNames()
	}
	text := d.o.Text
	var whole []addition
	if len(bytes.TrimSpace(text)) == 0 {
		text = []byte("# What a scan of " + d.s.base + " proved, and the lines that stop it. Rehearse them on\n" +
			"# recorded traffic with parley guard --try before they stand in anybody's way.\n\n")
		whole = append(whole, addition{section: "api", text: "api: " + quoted(d.api())}, addition{section: "upstream", text: "upstream: " + d.s.base})
	}
	if !d.has("mode") {
		whole = append(whole, addition{section: "mode", text: "mode: enforce"})
	}
	if id := d.who.section(claims); id != "" && !d.has("identity") {
		whole = append(whole, addition{section: "identity", text: id})
	}
	return insert(text, append(whole, additions...))
}

// api is how the policy names the description.
func (d *draft) api() string {
	if d.o.API != "" {
		return d.o.API
	}
	if name := d.learnt(); name != "" {
		return name
	}
	here, err1 := filepath.Abs(filepath.Dir(d.o.File))
	there, err2 := filepath.Abs(d.s.o.File)
	if err1 == nil && err2 == nil {
		if rel, err := filepath.Rel(here, there); err == nil {
			return filepath.ToSlash(rel)
		}
	}
	return d.s.o.File
}

// claimsUsed are the claims that rules look at, those of the file included.
func (d *draft) claimsUsed() []string {
	used := []string{}
	for _, name := range d.who.claimNames() {
		for _, op := range d.now.Operations {
			for _, r := range op.Rules {
				if strings.Contains(r.Source, "caller.claims."+name) && !slices.Contains(used, name) {
					used = append(used, name)
				}
			}
		}
	}
	return used
}

// written, stopped and left note what becomes of a finding.
func (d *draft) written(f *Finding, says string) error {
	d.patch.Written = append(d.patch.Written, Stop{f.ID, f.Check, f.Operation, says})
	return nil
}

func (d *draft) stopped(f *Finding, says string) error {
	d.patch.Stopped = append(d.patch.Stopped, Stop{f.ID, f.Check, f.Operation, says})
	return nil
}

func (d *draft) left(f *Finding, format string, args ...any) error {
	d.patch.Left = append(d.patch.Left, Stop{f.ID, f.Check, f.Operation, fmt.Sprintf(format, args...)})
	return nil
}

const byDescription = "stopped by the description, in mode: enforce"

// stop finds what stops one finding.
func (d *draft) stop(f *Finding) error {
	c := f.flaw.Check
	needsCaller := strings.HasPrefix(c.ID, "authz-") && c.ID != "authz-existence" && c.ID != "authz-header-owner"
	switch {
	case needsCaller && d.who.section(nil) == "" && !d.has("identity"):
		return d.left(f, "guard cannot tell who asks: %s", d.who.why)
	case c.ID == "authz-object", c.ID == "authz-object-write", c.ID == "authz-object-delete", c.ID == "authz-object-list":
		return d.tieObject(f)
	case c.ID == "authz-query-owner", c.ID == "authz-body-owner":
		return d.tieValue(f)
	case c.ID == "authz-function", c.ID == "authz-method":
		return d.tieRoles(f)
	case c.ID == "authz-existence", c.ID == "authn-enumeration":
		return d.hide(f)
	case c.ID == "request-ssrf":
		return d.addresses(f)
	case c.ID == "request-mass-assignment":
		return d.writableBy(f)
	case c.ID == "response-excessive-data":
		return d.neverSend(f, "never_send")
	case c.ID == "response-account-number":
		return d.neverSend(f, "masked")
	case c.ID == "authn-rate-limit":
		return d.limit(f)
	case c.ID == "client-cors":
		return d.cors(f)
	case strings.HasPrefix(c.ID, "authn-") && (c.Admit != nil || c.Release != nil):
		if d.who.section(nil) == "" && !d.has("identity") {
			return d.left(f, "guard cannot tell good credentials from others: %s", d.who.why)
		}
		return d.stopped(f, "stopped by the description and identity")
	case c.Step == exchange.StepTLS || c.Step == exchange.StepTCP:
		return d.left(f, "clients then speak to guard, whose certificates and versions are its own; the API's own door is to be mended: %s", check.ByID(c.ID).Fix)
	case c.Admit == nil && c.Release == nil:
		if by := d.mendedBy(f); by != "" {
			return d.stopped(f, "gone with "+by)
		}
		return d.left(f, "guard can only tell of it. In the API: %s", strings.Join(strings.Fields(c.Fix), " "))
	}
	if !d.refusedByDescription(f) {
		return d.left(f, "the description allows what was sent; say in it what %s may be (type, pattern, maximum), or mend the API: %s", f.Parameter, strings.Join(strings.Fields(c.Fix), " "))
	}
	return d.stopped(f, byDescription)
}

// judgedValues are checks of values, which a description may say too little of.
var judgedValues = []string{"request-injection", "request-schema", "request-parameters", "request-page-size"}

// refusedByDescription reports whether guard would refuse the request of a
// finding's proof, where that hangs on how much the description says.
func (d *draft) refusedByDescription(f *Finding) bool {
	if !slices.Contains(judgedValues, f.Check) || len(f.flaw.Proof) == 0 {
		return true
	}
	judged := false
	for _, y := range f.flaw.Proof {
		if y == nil || control(y) {
			continue
		}
		judged = true
		x := *y
		x.Server.Caller = d.who.seenBy(f.flaw.By)
		p := check.PassOf(&x, d.now, time.Now())
		p.Saw |= check.SawCaller
		for _, c := range check.All {
			if c.Step == exchange.StepRequest {
				p.Run(c, c.Admit)
			}
		}
		if p.Refusal != nil {
			return true
		}
	}
	return !judged
}

// mendedBy is the check whose repair changes the answer that a finding is about,
// so that nobody gets it.
func (d *draft) mendedBy(f *Finding) string {
	if f.Check == "response-schema" { // what was let in comes out again
		for _, g := range d.findings {
			if g.Check == "request-schema" && g.flaw.Endpoint != nil && f.flaw.Endpoint != nil && g.flaw.Endpoint.Resource == f.flaw.Endpoint.Resource {
				return g.Check + " " + g.ID
			}
		}
	}
	for _, g := range d.findings {
		if c := check.ByID(g.Check); g.ID == f.ImpliedBy && c != nil && (c.Admit != nil || c.Release != nil) {
			return g.Check + " " + g.ID
		}
	}
	if len(f.flaw.Proof) == 0 || f.flaw.Proof[len(f.flaw.Proof)-1] == nil {
		return ""
	}
	x := *f.flaw.Proof[len(f.flaw.Proof)-1]
	x.Server.Caller = d.who.seenBy(f.flaw.By)
	p := check.PassOf(&x, d.now, time.Now())
	p.Saw |= check.SawCaller
	for _, id := range []string{"status-200-on-failure", "status-401-403", "response-error-details", "response-excessive-data", "response-account-number"} {
		c := check.ByID(id)
		p.Run(c, c.Release)
		if len(p.Edits) > 0 || p.Refusal != nil {
			return id
		}
	}
	return ""
}

// about is the comment above a line: short above further ones for a finding.
func (d *draft) about(f *Finding) string {
	if slices.ContainsFunc(d.patch.Written, func(s Stop) bool { return s.Finding == f.ID }) {
		return f.Check + " " + f.ID + ": likewise"
	}
	return about(f)
}

// about is the comment above what stops a finding.
func about(f *Finding) string {
	says := f.Title
	if len(f.Evidence) > 0 && f.Evidence[0].Says != "" {
		says = f.Evidence[0].Says
		if e := f.Evidence[0]; e.Name != "" && (e.Where == "query" || e.Where == "request body" || e.Where == "response body") {
			says = e.Where + " " + e.Name + " " + says
		}
	}
	says = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, says)
	return f.Check + " " + f.ID + ": " + strings.Join(strings.Fields(says), " ")
}
