package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-project/parley/archive"
	calls "github.com/parley-project/parley/call/run"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/config"
)

// An output is where the report of all collections goes.
type output struct {
	stdout  io.Writer
	buffer  bytes.Buffer
	w       *bufio.Writer
	file    string
	keep    *calls.Keep
	finish  func(w io.Writer, k *calls.Keep) error
	har     string
	entries *archive.Collection
}

// callFormats are the names after --format.
var callFormats = []string{"text", "json", "junit", "html"}

// open begins the report, and tells the runner of its reporters.
func (o *callOptions) open(c *cobra.Command, r *calls.Options) (*output, error) {
	out := &output{stdout: c.OutOrStdout(), file: o.out, har: o.har}
	format := o.format
	if format == "" {
		format = map[string]string{".json": "json", ".xml": "junit", ".html": "html", ".htm": "html"}[strings.ToLower(filepath.Ext(o.out))]
	}
	var w io.Writer = out.stdout
	if o.out != "" {
		w = &out.buffer
	}
	out.w = bufio.NewWriter(w)
	switch format {
	case "", "text":
		color := o.out == "" && colored(out.stdout)
		r.Reporters = append(r.Reporters, &calls.Text{W: &flusher{out.w, color}, Verbose: o.verbose, Color: color})
	case "json":
		r.Reporters = append(r.Reporters, &calls.JSON{W: out.w})
	case "junit", "html":
		out.finish = calls.JUnit
		if format == "html" {
			out.finish = calls.HTML
		}
		out.keep = &calls.Keep{}
		r.Reporters = append(r.Reporters, out.keep)
	default:
		hint := strings.Join(callFormats, ", ")
		if near := config.Nearest(format, callFormats); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		return nil, &usageError{fmt.Sprintf("--format: calls have no format %q", format), hint}
	}
	if format == "junit" || format == "html" || o.out != "" {
		r.Reporters = append(r.Reporters, &progressReporter{w: c.ErrOrStderr()})
	}
	if o.har != "" {
		out.entries = &archive.Collection{Format: "har"}
		r.Reporters = append(r.Reporters, &harKeeper{out.entries, r.Masker})
	}
	return out, nil
}

// flusher shows a line at once when somebody looks at it.
type flusher struct {
	*bufio.Writer
	now bool
}

func (f *flusher) Write(b []byte) (int, error) {
	n, err := f.Writer.Write(b)
	if f.now && err == nil {
		err = f.Flush()
	}
	return n, err
}

// progressReporter says on a terminal how far it is.
type progressReporter struct {
	w       io.Writer
	n, many int
	shown   time.Time
}

func (p *progressReporter) Begin(i *calls.Info) error {
	p.n, p.many = 0, i.Requests*i.Iterations
	return nil
}

func (p *progressReporter) Add(r *calls.Result) error {
	if p.n++; time.Since(p.shown) > 100*time.Millisecond {
		p.shown = time.Now()
		progress(p.w, "%d of %d requests", p.n, p.many)
	}
	return nil
}

func (p *progressReporter) End(*calls.Summary) error { return nil }

// harKeeper keeps exchanges for --har, masked.
type harKeeper struct {
	c *archive.Collection
	m *calls.Masker
}

func (h *harKeeper) Begin(i *calls.Info) error {
	if h.c.Name == "" {
		h.c.Name = i.Name
	}
	return nil
}

func (h *harKeeper) Add(r *calls.Result) error {
	for _, x := range r.Exchanges {
		x = h.m.Exchange(x)
		h.c.Items = append(h.c.Items, &archive.Item{Name: r.Name, Recorded: []*exchange.Exchange{x},
			Request: &archive.Request{Method: x.Request.Method, URL: x.Request.URL()}})
	}
	return nil
}

func (h *harKeeper) End(*calls.Summary) error { return nil }

// close writes what is left. Files are for their owner alone.
func (o *output) close() error {
	if o.keep != nil && o.keep.Info != nil && o.keep.Summary != nil {
		if err := o.finish(o.w, o.keep); err != nil {
			return err
		}
	}
	if err := o.w.Flush(); err != nil {
		return err
	}
	if o.file != "" {
		if err := writeSecret(o.file, o.buffer.Bytes()); err != nil {
			return &hintError{err, "the folder must be there", exitUsage}
		}
	}
	if o.har == "" {
		return nil
	}
	var b bytes.Buffer
	if err := archive.FormatNamed("har").Write(&b, o.entries); err != nil {
		return err
	}
	if err := writeSecret(o.har, b.Bytes()); err != nil {
		return &hintError{err, "the folder must be there", exitUsage}
	}
	return nil
}
