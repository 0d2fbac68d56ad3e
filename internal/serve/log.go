package serve

import (
	"context"
	"log"
	"log/slog"
	"strings"
)

// errorLog hands what net/http logs on. What any stranger can cause at will is
// at level debug, so that it cannot fill a disk.
func errorLog(l *slog.Logger) *log.Logger { return log.New(lines{l}, "", 0) }

type lines struct{ log *slog.Logger }

var noise = []string{
	"http: TLS handshake error", "http2: ", "http: URL query contains semicolon",
	"http: superfluous response.WriteHeader", "http: response.WriteHeader on hijacked",
}

func (l lines) Write(p []byte) (int, error) {
	text, level := strings.TrimSpace(string(p)), slog.LevelError
	for _, n := range noise {
		if strings.HasPrefix(text, n) {
			level = slog.LevelDebug
		}
	}
	// A panic comes with its stack; the first line says what it was.
	if first, stack, ok := strings.Cut(text, "\n"); ok {
		l.log.Log(context.Background(), level, first, "stack", stack)
	} else {
		l.log.Log(context.Background(), level, text)
	}
	return len(p), nil
}
