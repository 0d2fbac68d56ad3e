package run

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// JUnit's XML: a suite for each iteration, a case for each request and each of
// its assertions. A call that could not be completed is an error, an assertion
// that did not hold is a failure.

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
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
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Skipped *junitMessage `xml:"skipped"`
	Failure *junitMessage `xml:"failure"`
	Error   *junitMessage `xml:"error"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// JUnit writes what was kept as JUnit's XML.
func JUnit(w io.Writer, k *Keep) error {
	all := junitSuites{Name: xmlText(k.Info.Name), Time: seconds(k.Summary.Time)}
	var suite *junitSuite
	var took time.Duration
	last := -1
	for _, r := range k.Results {
		if r.Iteration != last {
			name := k.Info.Name
			if k.Info.Iterations > 1 {
				name += fmt.Sprintf(" (iteration %d)", r.Iteration+1)
			}
			all.Suites = append(all.Suites, junitSuite{Name: xmlText(name), Timestamp: k.Info.Start.UTC().Format("2006-01-02T15:04:05")})
			suite, last, took = &all.Suites[len(all.Suites)-1], r.Iteration, 0
		}
		took += r.Time
		suite.Time = seconds(took)
		suite.add(r)
	}
	for _, s := range all.Suites {
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Errors += s.Errors
		all.Skipped += s.Skipped
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

func (s *junitSuite) add(r *Result) {
	class := xmlText(strings.Join(append(r.Path[:len(r.Path):len(r.Path)], r.Name), "."))
	name := xmlText(strings.TrimSpace(r.Method + " " + r.URL))
	if r.Row >= 0 {
		name += fmt.Sprintf(" [row %d]", r.Row+1)
	}
	one := junitCase{Name: name, Class: class, Time: seconds(r.Time)}
	switch {
	case r.Skipped != "":
		one.Skipped = &junitMessage{Message: xmlText(r.Skipped)}
		s.Skipped++
	case r.Failure != "":
		one.Error = &junitMessage{Message: xmlText(r.Failure), Type: r.FailedAt, Text: xmlText(r.Place)}
		s.Errors++
	}
	for _, p := range r.Printed {
		one.Out += xmlText(p.Level+": "+p.Text) + "\n"
	}
	s.Tests++
	s.Cases = append(s.Cases, one)
	for _, a := range r.Assertions {
		c := junitCase{Name: xmlText(a.Name), Class: class, Time: "0.000"}
		switch {
		case a.Skipped:
			c.Skipped = &junitMessage{}
			s.Skipped++
		case !a.Passed:
			c.Failure = &junitMessage{Message: xmlText(a.Message), Type: a.Step, Text: xmlText(a.Place)}
			s.Failures++
		}
		s.Tests++
		s.Cases = append(s.Cases, c)
	}
}

// xmlText shows what XML cannot hold.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0xfffe || r == 0xffff {
			return '\ufffd'
		}
		return r
	}, s)
}
