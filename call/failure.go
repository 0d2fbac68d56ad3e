package call

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"syscall"

	"github.com/quic-go/quic-go/http3"
)

// What went wrong is told in plain words: what was being done, and what
// happened. Errors of libraries are looked through first and quoted last.

// errTime is the cause of a context that ended because the call took too long.
var errTime = errors.New("the time for the call is over")

// ended says that a context ended while something was done.
func ended(ctx context.Context, doing string) string {
	if cause := context.Cause(ctx); cause == errTime || errors.Is(cause, context.DeadlineExceeded) {
		return doing + " took too long"
	}
	return doing + " was cancelled"
}

var streamError = regexp.MustCompile(`^stream error: stream ID \d+; ([A-Z_]+); received from peer`)

// words says what an error of the network means.
func words(err error) string {
	var record tls.RecordHeaderError
	var timeout net.Error
	var b *broken
	var ended *http3.Error
	switch {
	case errors.As(err, &b):
		return b.says
	case errors.As(err, &ended) && ended.Remote:
		return "the peer ended the stream: " + ended.ErrorCode.String()
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused: nothing listens there"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED):
		return "the peer reset the connection"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return "unreachable: there is no way to that address"
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return "this machine does not permit it"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "this machine has too many files open"
	case errors.Is(err, syscall.ETIMEDOUT):
		return "no answer"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, net.ErrClosed):
		return "the connection was closed"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the peer closed the connection"
	case errors.As(err, &record):
		return "the peer does not speak TLS"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	}
	if alert, ok := alertOf(err); ok {
		return refusal(alert)
	}
	said := err.Error()
	if _, old, ok := strings.Cut(said, "server selected unsupported protocol version "); ok {
		return "the peer chose a version of TLS that is too old to be spoken: " + map[string]string{"300": "SSL 3.0", "2": "SSL 2.0"}[old]
	}
	if strings.Contains(said, "too large") && strings.Contains(strings.ToLower(said), "header") {
		return string(endlessHeader)
	}
	// net/http's errors of HTTP/2 have no types that could be named here.
	if m := streamError.FindStringSubmatch(said); m != nil {
		return "the peer ended the stream: " + m[1]
	}
	if rest, ok := strings.CutPrefix(said, "connection error: "); ok {
		return "the peer broke the rules of HTTP/2: " + rest
	}
	for _, prefix := range []string{"remote error: ", "local error: ", "tls: ", "http2: ", "net/http: ", "H3_"} {
		said = strings.TrimPrefix(said, prefix)
	}
	return clip(said)
}
