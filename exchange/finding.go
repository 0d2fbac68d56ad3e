package exchange

import "fmt"

// Severity ranks how bad a flaw is.
type Severity int

const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

var severityNames = [...]string{"info", "low", "medium", "high", "critical"}

// String returns the severity in lower case.
func (s Severity) String() string {
	if s < 0 || int(s) >= len(severityNames) {
		return "unknown"
	}
	return severityNames[s]
}

// MarshalText writes the severity's name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a severity's name.
func (s *Severity) UnmarshalText(b []byte) error {
	for i, n := range severityNames {
		if n == string(b) {
			*s = Severity(i)
			return nil
		}
	}
	return &UnknownNameError{What: "severity", Name: string(b)}
}

// Verdict says how sure a finding is.
type Verdict string

const (
	Confirmed Verdict = "confirmed" // proof and controls
	Likely    Verdict = "likely"    // one control is missing
	Unknown   Verdict = "unknown"   // a fact that the check needs was not seen
)

// A Finding is what a check says about an exchange: the API did wrong.
type Finding struct {
	Check       string     `json:"check"`
	Severity    Severity   `json:"severity"`
	Verdict     Verdict    `json:"verdict"`
	Step        Step       `json:"step"`
	Evidence    []Evidence `json:"evidence,omitempty"`
	Fingerprint string     `json:"fingerprint,omitempty"`
}

// Evidence points at what proves a finding.
type Evidence struct {
	// Where is the part of the message: "status", "header", "query",
	// "path", "cookie", "request body", "response body", "credential".
	Where string `json:"where"`
	// Name is the field, parameter or JSON Pointer there.
	Name string `json:"name,omitempty"`
	// Says is what was wrong with it, in a few words.
	Says string `json:"says,omitempty"`
}

// String joins the three parts: "header Strict-Transport-Security missing".
func (e Evidence) String() string {
	s := e.Where
	if e.Name != "" {
		s += " " + e.Name
	}
	if e.Says != "" {
		s += " " + e.Says
	}
	return s
}

// ActionKind is what guard can do to an exchange.
type ActionKind string

const (
	Refused  ActionKind = "refuse" // answered instead of the API
	Stripped ActionKind = "strip"  // took something out
	Repaired ActionKind = "repair" // put something right
)

// An Action is what guard did, or in report mode would have done.
type Action struct {
	Kind  ActionKind `json:"kind"`
	Check string     `json:"check"`
	// Enforced is false when it was only counted.
	Enforced bool `json:"enforced"`
	// Status is the status sent instead, for a refusal and a repaired status.
	Status int `json:"status,omitempty"`
	// Rule is the line of the policy that decided, such as "parley.yaml:14".
	Rule string `json:"rule,omitempty"`
	Evidence
}

// UnknownNameError says that a word is none of those known.
type UnknownNameError struct{ What, Name string }

func (e *UnknownNameError) Error() string {
	return fmt.Sprintf("exchange: %q is not a %s", e.Name, e.What)
}
