package run

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/parley-project/parley/archive"
	"github.com/parley-project/parley/call/script"
	"github.com/parley-project/parley/exchange"
)

// expect judges what is written under expect.
func (r *Runner) expect(s *step, scopes *script.Scopes, look *seen, res *Result) {
	w := &writer{scopes: scopes, now: look.now}
	for i := range s.expect {
		e := &s.expect[i]
		if e.broken != "" {
			res.Assertions = append(res.Assertions, Assertion{Name: r.o.Masker.Text(e.Fact + " " + e.Is + " " + show(e.Want)), Step: "request",
				Message: r.o.Masker.Text(e.broken), Place: placeIn(s.file, e.Line)})
			continue
		}
		want := e.Want
		if e.open {
			want = w.text(e.Want.(string))
		}
		got, ok, err := look.fact(e.fact)
		a := Assertion{Name: r.o.Masker.Text(e.name()), Step: stepOf(e.fact), Place: placeIn(s.file, e.Line)}
		switch {
		case s.style == fromDescription && look.x.Response == nil: // the failure says all, and nobody wrote this down
			a.Skipped = true
		case err != nil:
			a.Message = r.o.Masker.Text(err.Error())
		default:
			var message string
			if a.Passed, message = e.holds(want, got, ok); !a.Passed {
				a.Message = r.message(e, want, got, ok, message, look)
			} else if e.fact.Name == "failure" || e.fact.Name == "failed_at" || strings.HasSuffix(e.fact.Name, ".failure") {
				if e.Is != "exists" || e.Want == true { // it was meant to fail
					res.Failure, res.FailedAt = "", ""
				}
			}
		}
		res.Assertions = append(res.Assertions, a)
	}
}

func stepOf(f archive.Fact) string {
	step, _, _ := strings.Cut(f.Name, ".")
	return step
}

// message says what was there, masked: what the exchange would show masked is
// shown so here, too.
func (r *Runner) message(e *expectation, want, got any, ok bool, message string, look *seen) string {
	m := r.o.Masker
	wanted := "want " + e.Is + " " + show(want)
	if e.Is == "==" {
		wanted = "want " + show(want)
	}
	if e.Is == "exists" {
		wanted = ""
	}
	if ok && !m.raw {
		switch stepOf(e.fact) {
		case "request", "response", "client":
			masked := newSeen([]*exchange.Exchange{m.Exchange(look.x)}, nil, look.now)
			if v, there, err := masked.fact(e.fact); err == nil && there && show(v) != show(got) && e.fact.Kind != archive.NumberFact {
				message = "got " + show(v)
				if e.fact.Name != "response.body" && e.fact.Name != "request.body" {
					wanted = "want " + e.Is + " ***"
				}
			}
		}
	}
	if e.fact.Name == "contract" {
		if vs := look.judge().violations; len(vs) > 0 {
			message += ": " + strings.Join(vs[:min(len(vs), 5)], "; ")
		}
	}
	if wanted != "" {
		message += ", " + wanted
	}
	return m.Text(message)
}

// keep captures facts as variables.
func (r *Runner) keep(s *step, it *iteration, look *seen, res *Result) {
	for _, c := range s.capture {
		v, ok, err := look.fact(c.fact)
		a := Assertion{Name: "capture " + c.Variable, Step: stepOf(c.fact), Place: placeIn(s.file, c.Line)}
		switch {
		case err != nil:
			a.Message = err.Error()
		case !ok:
			a.Message = c.fact.String() + " is not there"
		case c.matches != nil:
			m := c.matches.FindStringSubmatch(plainText(v))
			if m == nil {
				a.Message = fmt.Sprintf("%s does not match %q", c.fact, c.Matches)
				break
			}
			v = m[min(1, len(m)-1)]
		}
		if a.Message != "" {
			a.Message = r.o.Masker.Text(a.Message)
			res.Assertions = append(res.Assertions, a)
			continue
		}
		if n, ok := v.(int64); ok {
			v = strconv.FormatInt(n, 10)
		}
		if d, ok := v.(time.Duration); ok {
			v = float64(d) / float64(time.Millisecond)
		}
		it.mu.Lock()
		if c.Secret || len(script.Text(v)) >= minLearned && r.o.Masker.namesSecret(c.Variable) {
			r.o.Masker.Know(script.Text(v))
			it.scopes.Environment.SetSecret(c.Variable, v)
		} else {
			it.scopes.Environment.Set(c.Variable, v)
		}
		it.mu.Unlock()
	}
}
