package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parley-project/parley/check"
)

// JUnit's XML, as Jenkins, GitLab and GitHub's actions read it: a suite for
// each check, a case for each operation that it judged. A confirmed finding at
// or above Options.FailOn is a failure; any other is a case that was skipped,
// so that it shows without failing the build. A case without either passed:
// the check had the facts it needs and said nothing.

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      string      `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr,omitempty"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name      string        `xml:"name,attr"`
	ClassName string        `xml:"classname,attr"`
	Time      string        `xml:"time,attr"`
	Skipped   *junitMessage `xml:"skipped"`
	Failure   *junitMessage `xml:"failure"`
	Out       *junitText    `xml:"system-out"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",cdata"`
}

type junitText struct {
	Text string `xml:",cdata"`
}

// JUnit writes a report as JUnit's XML.
func JUnit(w io.Writer, r *Report) error {
	all := junitSuites{Name: "parley"}
	for _, c := range r.judged() {
		s := r.junitSuite(c)
		if s.Tests == 0 {
			continue
		}
		all.Tests, all.Failures, all.Skipped = all.Tests+s.Tests, all.Failures+s.Failures, all.Skipped+s.Skipped
		all.Suites = append(all.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// judged are the catalogue's checks, and those that only the entries know.
func (r *Report) judged() []*check.Check {
	cs := slices.Clone(r.catalogue)
	for _, e := range r.Entries() {
		if !slices.ContainsFunc(cs, func(c *check.Check) bool { return c.ID == e.Check.ID }) {
			cs = append(cs, e.Check)
		}
	}
	return cs
}

func (r *Report) junitSuite(c *check.Check) junitSuite {
	s := junitSuite{Name: Visible(c.ID), Time: "0"}
	if !r.Made.IsZero() {
		s.Timestamp = r.Made.UTC().Format("2006-01-02T15:04:05")
	}
	found, did := map[string][]*Entry{}, map[string][]*Entry{}
	var operations []string
	for _, e := range r.Entries() {
		if e.Check.ID != c.ID {
			continue
		}
		if e.Kind == Finding {
			found[e.Operation] = append(found[e.Operation], e)
			operations = append(operations, e.Operation)
		} else {
			did[e.Operation] = append(did[e.Operation], e)
		}
	}
	for op, seen := range r.seen {
		if c.Inspect != nil && c.Needs&^seen.facts == 0 {
			operations = append(operations, op)
		}
	}
	if len(operations) == 0 && slices.Contains(r.Asked, c.ID) {
		operations = append(operations, "all operations")
	}
	slices.Sort(operations)
	for _, op := range slices.Compact(operations) {
		k := junitCase{Name: Visible(op), ClassName: "parley." + s.Name, Time: "0"}
		if es := did[op]; len(es) > 0 {
			k.Out = &junitText{actionLines(es)}
		}
		s.Tests++
		if es := found[op]; len(es) > 0 {
			worst := es[0] // Entries has the worst first
			for _, e := range es {
				if e.Failure(r.FailOn) {
					worst = e
					break
				}
			}
			m := &junitMessage{Message: fmt.Sprintf("%s, %s: %s", worst.Severity, worst.standing(), worst.title()), Text: findingText(c, es)}
			if worst.Failure(r.FailOn) {
				m.Type, k.Failure = s.Name, m
				s.Failures++
			} else {
				k.Skipped = m
				s.Skipped++
			}
		}
		s.Cases = append(s.Cases, k)
	}
	return s
}

func findingText(c *check.Check, es []*Entry) string {
	var b strings.Builder
	b.WriteByte('\n')
	for _, e := range es {
		if p := e.Proof; p != nil {
			fmt.Fprintf(&b, "%s\n", p.Says)
			for _, s := range p.Steps {
				fmt.Fprintf(&b, "  %s\n", s.Title)
			}
			if p.Again != "" {
				fmt.Fprintf(&b, "again: %s\n", p.Again)
			}
		}
		for _, ev := range e.Evidence {
			fmt.Fprintf(&b, "%s\n", Visible(ev.String()))
		}
		if len(e.Exchanges) > 0 {
			fmt.Fprintf(&b, "exchange %s%s, fingerprint %s\n", e.Exchanges[0], times(e.Count), e.Fingerprint)
		}
	}
	if c.Fix != "" {
		fmt.Fprintf(&b, "fix: %s\n", oneLine(c.Fix))
	}
	if class := classes(c); class != "" {
		fmt.Fprintf(&b, "%s\n", class)
	}
	return b.String()
}

func actionLines(es []*Entry) string {
	var b strings.Builder
	b.WriteByte('\n')
	for _, e := range es {
		fmt.Fprintf(&b, "guard %s%s\n", did(e), times(e.Count))
	}
	return b.String()
}
