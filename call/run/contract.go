package run

import (
	"fmt"

	"github.com/parley-project/parley/contract"
)

// A judgement is what the API's description says of a call.
type judgement struct {
	verdict    string // "valid", "violated", "unknown"
	operation  string
	violations []string
}

// judge holds request and response against the description, once.
func (s *seen) judge() *judgement {
	if s.judged != nil {
		return s.judged
	}
	j := &judgement{verdict: "unknown"}
	s.judged = j
	if s.contract == nil || s.x.Response == nil {
		return j
	}
	q, r := &s.x.Request, s.x.Response
	m := s.contract.Match(q.Method, q.Path())
	op := m.Operation
	if op == nil {
		if m.Known {
			j.verdict = "violated"
			j.violations = []string{fmt.Sprintf("%s is not declared for this path, only %s", q.Method, m.Allow)}
		}
		return j
	}
	j.operation, j.verdict = op.Name, "valid"
	for _, f := range op.CheckParameters(q, m.Params) {
		j.violations = append(j.violations, "request "+f.String())
	}
	if q.Body.Complete() && q.Body.Size > 0 {
		vs, _ := op.RequestBody(q.Header.MediaType()).Judge(q.Body.Data)
		for _, v := range vs {
			j.violations = append(j.violations, "request body "+v)
		}
	}
	j.response(s, op, r.Status)
	if len(j.violations) > 0 {
		j.verdict = "violated"
	}
	return j
}

func (j *judgement) response(s *seen, op *contract.Operation, status int) {
	declared := op.Response(status)
	if declared == nil {
		j.violations = append(j.violations, fmt.Sprintf("status %d is not declared", status))
		return
	}
	body, err := s.content()
	if err != nil || !s.x.Response.Body.Complete() {
		j.violations = append(j.violations, "response body: not all of it was read")
		return
	}
	if len(body) == 0 {
		if len(declared.Bodies) > 0 && status != 204 && status != 304 && s.x.Request.Method != "HEAD" {
			j.violations = append(j.violations, "response body: declared, and empty")
		}
		return
	}
	mt := s.x.Response.Header.MediaType()
	b := declared.Body(mt)
	if b == nil {
		if len(declared.Bodies) > 0 {
			j.violations = append(j.violations, fmt.Sprintf("media type %q is not declared for status %d", mt, status))
		}
		return
	}
	vs, _ := b.Judge(body)
	for _, v := range vs {
		j.violations = append(j.violations, "response body "+v)
	}
}
