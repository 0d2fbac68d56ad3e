package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"modernc.org/sqlite"
)

// conn is the one connection that writes. It speaks to the driver itself:
// database/sql converts and locks for every argument, which costs as much as
// SQLite's own work on a narrow row.
type conn struct {
	c     driver.Conn
	stmts map[string]driver.Stmt
}

// dsn is a file as SQLite's URI, with what every connection wants.
func dsn(file string, pragmas ...string) string {
	esc := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(file)
	return "file:" + esc + "?_pragma=" + strings.Join(pragmas, "&_pragma=")
}

func openConn(file string, pragmas ...string) (*conn, error) {
	c, err := (&sqlite.Driver{}).Open(dsn(file, pragmas...))
	if err != nil {
		return nil, err
	}
	return &conn{c: c, stmts: map[string]driver.Stmt{}}, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.c.Close())...)
}

// exec runs statements without arguments.
func (c *conn) exec(sql string) error {
	_, err := c.c.(driver.ExecerContext).ExecContext(background, sql, nil)
	return err
}

// prepared returns a statement that stays compiled.
func (c *conn) prepared(sql string) (driver.Stmt, error) {
	if s := c.stmts[sql]; s != nil {
		return s, nil
	}
	s, err := c.c.(driver.ConnPrepareContext).PrepareContext(background, sql)
	if err != nil {
		return nil, fmt.Errorf("%w in %.60s", err, sql)
	}
	c.stmts[sql] = s
	return s, nil
}

// run executes a prepared statement.
func (c *conn) run(sql string, args []driver.NamedValue) error {
	s, err := c.prepared(sql)
	if err != nil {
		return err
	}
	_, err = s.(driver.StmtExecContext).ExecContext(background, args)
	return err
}

// int returns the first column of the first row, 0 when there is none.
func (c *conn) int(sql string, args ...driver.NamedValue) (n int64, err error) {
	err = c.each(sql, func(v []driver.Value) bool {
		n, _ = v[0].(int64)
		return false
	}, args...)
	return n, err
}

// each gives the rows to fn, whose argument is good until it returns, until it
// returns false.
func (c *conn) each(sql string, fn func([]driver.Value) bool, args ...driver.NamedValue) error {
	s, err := c.prepared(sql)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(background, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	vals := make([]driver.Value, len(rows.Columns()))
	for {
		err := rows.Next(vals)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !fn(vals) {
			return nil
		}
	}
}

// An inserter writes rows, many to a statement: compiling, stepping and
// binding then cost least.
type inserter struct {
	c    *conn
	head string
	cols int
	args []driver.NamedValue
}

// widths are the numbers of rows to a statement, tried from the first.
var widths = [...]int{widest, 8, 1}

const widest = 64

func newInserter(c *conn, head string, cols int) *inserter {
	n := &inserter{c: c, head: head, cols: cols, args: make([]driver.NamedValue, widths[0]*cols)}
	for i := range n.args {
		n.args[i].Ordinal = i + 1
	}
	return n
}

func (n *inserter) sql(rows int) string {
	one := "(?" + strings.Repeat(",?", n.cols-1) + ")"
	return n.head + " VALUES " + one + strings.Repeat(","+one, rows-1)
}

// insert writes count rows; fill sets the arguments of row i.
func (n *inserter) insert(ctx context.Context, count int, fill func(i int, args []driver.NamedValue)) error {
	done := 0
	for _, w := range widths {
		if count-done < w {
			continue
		}
		s, err := n.c.prepared(n.sql(w))
		if err != nil {
			return err
		}
		for ; count-done >= w; done += w {
			for j := range w {
				fill(done+j, n.args[j*n.cols:(j+1)*n.cols])
			}
			if _, err := s.(driver.StmtExecContext).ExecContext(ctx, n.args[:w*n.cols]); err != nil {
				return err
			}
		}
	}
	clearArgs(n.args)
	return nil
}

// clearArgs lets go of what the arguments pointed to.
func clearArgs(args []driver.NamedValue) {
	for i := range args {
		args[i].Value = nil
	}
}
