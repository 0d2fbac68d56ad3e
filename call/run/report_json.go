package run

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// JSON is a Reporter that writes one object, "parley.call/1", as it goes.
type JSON struct {
	W    io.Writer
	some bool
}

type jsonInfo struct {
	Schema     string   `json:"schema"`
	Name       string   `json:"name"`
	File       string   `json:"file"`
	Started    string   `json:"started"`
	Iterations int      `json:"iterations"`
	Warnings   []string `json:"warnings,omitempty"`
}

type jsonResult struct {
	Name       string          `json:"name"`
	Path       []string        `json:"path,omitempty"`
	Place      string          `json:"place"`
	Iteration  int             `json:"iteration"`
	Row        *int            `json:"row,omitempty"`
	Method     string          `json:"method"`
	URL        string          `json:"url,omitempty"`
	Status     int             `json:"status,omitempty"`
	Proto      string          `json:"proto,omitempty"`
	MS         float64         `json:"ms"`
	Size       int64           `json:"size"`
	OK         bool            `json:"ok"`
	Failure    string          `json:"failure,omitempty"`
	FailedAt   string          `json:"failed_at,omitempty"`
	Skipped    string          `json:"skipped,omitempty"`
	Assertions []jsonAssertion `json:"assertions,omitempty"`
	Warnings   []string        `json:"warnings,omitempty"`
	Printed    []Printed       `json:"printed,omitempty"`
}

type jsonAssertion struct {
	Name    string `json:"name"`
	Step    string `json:"step"`
	Passed  bool   `json:"passed"`
	Skipped bool   `json:"skipped,omitempty"`
	Message string `json:"message,omitempty"`
	Place   string `json:"place,omitempty"`
}

type jsonSummary struct {
	Iterations int      `json:"iterations"`
	Requests   int      `json:"requests"`
	Incomplete int      `json:"incomplete"`
	Skipped    int      `json:"skipped"`
	Assertions int      `json:"assertions"`
	Failed     int      `json:"failed"`
	Problems   []string `json:"problems,omitempty"`
	MS         float64  `json:"ms"`
	Bytes      int64    `json:"bytes"`
	Stopped    string   `json:"stopped,omitempty"`
	Exit       int      `json:"exit"`
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Begin writes what is known before.
func (j *JSON) Begin(i *Info) error {
	b, err := json.Marshal(jsonInfo{Schema: "parley.call/1", Name: i.Name, File: i.File, Started: i.Start.UTC().Format(time.RFC3339Nano),
		Iterations: i.Iterations, Warnings: i.Warnings})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(j.W, "%s,\"requests\":[", b[:len(b)-1])
	return err
}

// Add writes a request.
func (j *JSON) Add(r *Result) error {
	out := jsonResult{Name: r.Name, Path: r.Path, Place: r.Place, Iteration: r.Iteration, Method: r.Method, URL: r.URL, Status: r.Status,
		Proto: r.Proto, MS: ms(r.Time), Size: r.Size, OK: r.OK(), Failure: r.Failure, FailedAt: r.FailedAt, Skipped: r.Skipped,
		Warnings: r.Warnings, Printed: r.Printed}
	if r.Row >= 0 {
		out.Row = &r.Row
	}
	for _, a := range r.Assertions {
		out.Assertions = append(out.Assertions, jsonAssertion(a))
	}
	b, err := json.Marshal(out)
	if err != nil {
		return err
	}
	sep := "\n"
	if j.some {
		sep = ",\n"
	}
	j.some = true
	_, err = fmt.Fprintf(j.W, "%s%s", sep, b)
	return err
}

// End writes the sum.
func (j *JSON) End(s *Summary) error {
	b, err := json.Marshal(jsonSummary{s.Iterations, s.Requests, s.Incomplete, s.Skipped, s.Assertions, s.Failed, s.Problems, ms(s.Time), s.Bytes, s.Stopped, s.Exit()})
	if err != nil {
		return err
	}
	j.some = false
	_, err = fmt.Fprintf(j.W, "\n],\"summary\":%s}\n", b)
	return err
}
