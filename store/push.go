package store

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/filter"
)

// cond is what SQL can say of a filter. Empty sql lets every row through. When
// it is not exact it lets through all rows that the filter would, and others,
// which the filter itself must judge.
type cond struct {
	sql   string
	args  []any
	exact bool
}

// maxIn is how many words a condition lists before it is left to the filter.
const maxIn = 2000

// push turns a filter into SQL. A term that looks at a word is asked about
// every different word with the filter's own predicate, so that it means the
// same in both.
func (s *Store) push(ctx context.Context, e *filter.Expr) (cond, error) {
	if e.All() {
		return cond{exact: true}, nil
	}
	return s.pushNode(ctx, e.Root)
}

func (s *Store) pushNode(ctx context.Context, n filter.Node) (cond, error) {
	switch n := n.(type) {
	case filter.And:
		return s.join(ctx, n, " AND ")
	case filter.Or:
		return s.join(ctx, n, " OR ")
	case filter.Not:
		c, err := s.pushNode(ctx, n.Node)
		if err != nil || !c.exact {
			return cond{}, err
		}
		if c.sql == "" {
			c.sql = "1"
		}
		return cond{"NOT (" + c.sql + ")", c.args, true}, nil
	case filter.Term:
		return s.pushTerm(ctx, n)
	}
	return cond{}, nil
}

func (s *Store) join(ctx context.Context, ns []filter.Node, with string) (cond, error) {
	all := cond{exact: true}
	var parts []string
	for _, n := range ns {
		c, err := s.pushNode(ctx, n)
		if err != nil {
			return cond{}, err
		}
		all.exact = all.exact && c.exact
		if c.sql == "" {
			if with == " OR " && len(ns) > 0 { // one side lets everything through
				return cond{}, nil
			}
			continue
		}
		parts = append(parts, "("+c.sql+")")
		all.args = append(all.args, c.args...)
	}
	switch {
	case len(parts) > 0:
		all.sql = strings.Join(parts, with)
	case with == " OR ":
		all.sql = "0"
	}
	return all, nil
}

// wordTerms are the keys that look at one column of words: what an exchange
// with that word looks like.
var wordTerms = map[string]struct {
	columns []string
	with    func(x *exchange.Exchange, text string)
}{
	"method":    {[]string{"method"}, func(x *exchange.Exchange, s string) { x.Request.Method = s }},
	"host":      {[]string{"authority"}, func(x *exchange.Exchange, s string) { x.Request.Authority = s }},
	"source":    {[]string{"source"}, func(x *exchange.Exchange, s string) { x.Source = exchange.Source(s) }},
	"side":      {[]string{"side"}, func(x *exchange.Exchange, s string) { x.Side = exchange.Side(s) }},
	"operation": {[]string{"operation"}, func(x *exchange.Exchange, s string) { x.Server.Operation = s }},
	"type": {[]string{"media"}, func(x *exchange.Exchange, s string) {
		x.Request.Header = exchange.Header{{Name: "Content-Type", Value: s}}
	}},
	"finding": {[]string{"found"}, func(x *exchange.Exchange, s string) {
		for _, c := range setChecks(s) {
			x.Findings = append(x.Findings, exchange.Finding{Check: c})
		}
	}},
}

// multiTerms are those that hold when any of two columns does.
var multiTerms = map[string]struct {
	columns []string
	needs   string
	with    func(x *exchange.Exchange, text string)
}{
	"identity": {[]string{"subject", "caller"}, fmt.Sprintf("flags & %d <> 0", flagCaller), func(x *exchange.Exchange, s string) {
		x.Server.Caller = &exchange.Caller{Subject: exchange.Subject(s)}
	}},
	"check": {[]string{"found", "acted"}, "", func(x *exchange.Exchange, s string) {
		for _, c := range setChecks(s) {
			x.Findings = append(x.Findings, exchange.Finding{Check: c})
		}
	}},
}

var isFlags = map[string]string{
	"refused":         fmt.Sprintf("flags & %d <> 0", flagRefused),
	"stripped":        fmt.Sprintf("flags & %d <> 0", flagStripped),
	"repaired":        fmt.Sprintf("flags & %d <> 0", flagRepaired),
	"would":           fmt.Sprintf("flags & %d <> 0", flagWould),
	"error":           fmt.Sprintf("(flags & %d <> 0 OR status >= 500)", flagFailure),
	"finding":         "found <> 0",
	"unauthenticated": fmt.Sprintf("flags & %d = 0", flagCaller),
}

var numberColumns = map[string]string{"status": "status", "size": "resp_size", "larger-than": "resp_size", "time": "total"}

func (s *Store) pushTerm(ctx context.Context, t filter.Term) (cond, error) {
	if w, ok := wordTerms[t.Key]; ok {
		return s.pushWords(ctx, t, w.columns, w.with)
	}
	if m, ok := multiTerms[t.Key]; ok {
		if t.Op == filter.IsNot { // none of the columns, rather than not one of them
			t.Op = filter.Is
			c, err := s.pushTerm(ctx, t)
			if err != nil || !c.exact {
				return cond{}, err
			}
			return cond{"NOT (" + c.sql + ")", c.args, true}, nil
		}
		c, err := s.pushWords(ctx, t, m.columns, m.with)
		if c.sql != "" && m.needs != "" {
			c.sql = m.needs + " AND (" + c.sql + ")"
		}
		return c, err
	}
	if column, ok := numberColumns[t.Key]; ok {
		return pushNumber(t, column), nil
	}
	switch t.Key {
	case "is":
		if f, ok := isFlags[strings.ToLower(t.Value)]; ok && (t.Op == filter.Has || t.Op == filter.Is) {
			return cond{sql: f, exact: true}, nil
		}
	case "tls":
		if t.Op == filter.Has || t.Op == filter.Is {
			switch strings.ToLower(t.Value) {
			case "yes":
				return cond{sql: fmt.Sprintf("flags & %d = %d", flagTLS|flagClear, flagTLS), exact: true}, nil
			case "no", "clear":
				return cond{sql: fmt.Sprintf("flags & %d <> 0", flagClear), exact: true}, nil
			case "unknown":
				return cond{sql: fmt.Sprintf("flags & %d = 0", flagTLS), exact: true}, nil
			}
			return cond{sql: fmt.Sprintf("flags & %d = %d", flagTLS|flagClear, flagTLS)}, nil
		}
	case "path":
		if t.Op == filter.Has && ascii(t.Value) {
			// LIKE folds ASCII only, as the filter does for such a text, but
			// stops at NUL and stumbles over what is not UTF-8.
			like := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(t.Value) + "%"
			return cond{
				sql:   fmt.Sprintf(`CASE WHEN flags & %d = 0 THEN target LIKE ? ESCAPE '\' ELSE instr(lower(target), ?) > 0 END`, flagOdd),
				args:  []any{like, strings.ToLower(t.Value)},
				exact: true,
			}, nil
		}
	case "rule":
		return cond{sql: "acted <> 0 OR " + negative(t)}, nil
	case "step":
		return cond{sql: "found <> 0 OR " + negative(t)}, nil
	}
	return cond{}, nil
}

// negative is true for the terms that an exchange without the thing satisfies.
func negative(t filter.Term) string {
	if t.Op == filter.IsNot {
		return "1"
	}
	return "0"
}

// pushWords asks the term about each word.
func (s *Store) pushWords(ctx context.Context, t filter.Term, columns []string, with func(*exchange.Exchange, string)) (cond, error) {
	e, err := filter.New(t)
	if err != nil {
		return cond{}, err
	}
	ids, err := s.words.matching(ctx, func(text string) bool {
		var x exchange.Exchange
		with(&x, text)
		return e.Match(&x)
	})
	if err != nil || len(ids) > maxIn {
		return cond{}, err
	}
	list := strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ","), "[]")
	var parts []string
	for _, c := range columns {
		parts = append(parts, c+" IN ("+list+")")
	}
	return cond{sql: strings.Join(parts, " OR "), exact: true}, nil
}

func pushNumber(t filter.Term, column string) cond {
	lo, hi, ok := t.Numbers()
	if !ok {
		return cond{}
	}
	op := t.Op
	if t.Key == "larger-than" && op == filter.Has {
		op = filter.Greater
	}
	in, not := filter.Interval(op, lo, hi)
	has := fmt.Sprintf("flags & %d <> 0", flagResponse)
	if t.Key == "time" {
		has = "total <> 0"
	}
	sql := fmt.Sprintf("%s AND %s BETWEEN %s AND %s", has, column, literal(in[0]), literal(in[1]))
	if not {
		sql = "NOT (" + sql + ")"
	}
	return cond{sql: sql, exact: true}
}

// literal writes a number; SQLite reads the least one only with its sign
// folded in.
func literal(n int64) string {
	if n == math.MinInt64 {
		return "-9223372036854775807 - 1"
	}
	return fmt.Sprint(n)
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == 0 || s[i] >= 0x80 {
			return false
		}
	}
	return true
}
