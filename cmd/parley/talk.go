package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// talk is a log for a person at a terminal: a line each, prefixed as all talk
// is, warnings and worse.
func talk(w io.Writer) *slog.Logger { return slog.New(&talker{w: w, mu: new(sync.Mutex)}) }

type talker struct {
	w     io.Writer
	mu    *sync.Mutex
	attrs []slog.Attr
}

func (t *talker) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

func (t *talker) Handle(_ context.Context, r slog.Record) error {
	word := "warning"
	if r.Level >= slog.LevelError {
		word = "error"
	}
	var b strings.Builder
	b.WriteString(r.Message)
	sep := ": "
	add := func(a slog.Attr) bool {
		v := a.Value.String()
		if strings.ContainsFunc(v, func(c rune) bool { return !unicode.IsPrint(c) }) {
			v = strconv.Quote(v) // callers' names and paths are strangers' words
		}
		fmt.Fprintf(&b, "%s%s %s", sep, a.Key, v)
		sep = ", "
		return true
	}
	for _, a := range t.attrs {
		add(a)
	}
	r.Attrs(add)
	t.mu.Lock()
	defer t.mu.Unlock()
	say(t.w, word, b.String())
	return nil
}

func (t *talker) WithAttrs(as []slog.Attr) slog.Handler {
	return &talker{t.w, t.mu, append(append([]slog.Attr(nil), t.attrs...), as...)}
}

func (t *talker) WithGroup(string) slog.Handler { return t }
