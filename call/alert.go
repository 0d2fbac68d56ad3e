package call

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"

	"github.com/quic-go/quic-go"
)

// meaning is what a server most likely wants to say by an alert (RFC 8446, 6.2).
var meaning = map[string]string{
	"handshake failure":              "no suite, group or signature in common",
	"protocol version not supported": "no version of TLS in common",
	"insufficient security level":    "what was offered is too weak for it",
	"unrecognized name":              "it has no server of that name",
	"no application protocol":        "it speaks none of the protocols that were offered",
	"certificate required":           "it wants a client certificate",
	"bad certificate":                "it does not take the client's certificate, or wants one",
	"unknown certificate authority":  "it does not trust who signed the client's certificate",
	"expired certificate":            "the client's certificate is over",
	"unsupported certificate":        "the client's certificate is not of a kind that it takes",
	"access denied":                  "the client's certificate may not come in",
	"inappropriate fallback":         "it speaks a newer version of TLS",
	"unknown certificate":            "it does not take the client's certificate",
	"revoked certificate":            "the client's certificate was revoked",
	"missing extension":              "it misses something in what was offered",
	"unknown PSK identity":           "it does not know the session",
	"error decoding message":         "it could not read what was offered",
	"illegal parameter":              "it does not like what was offered",
	"internal error":                 "it failed",
}

// alertOf returns the alert by which a peer refused, if it did. TLS gives it no
// type of its own over TCP, and HTTP/2 wraps it into text.
func alertOf(err error) (string, bool) {
	var op *net.OpError
	var q *quic.TransportError
	switch {
	case err == nil:
		return "", false
	case errors.As(err, &op) && op.Op == "remote error":
		return strings.TrimPrefix(op.Err.Error(), "tls: "), true
	case errors.As(err, &q) && q.Remote && q.ErrorCode.IsCryptoError():
		return strings.TrimPrefix(tls.AlertError(q.ErrorCode&0xff).Error(), "tls: "), true
	}
	_, alert, ok := strings.Cut(err.Error(), "remote error: tls: ")
	return clip(alert), ok
}

// refusal says an alert in words.
func refusal(alert string) string {
	if m := meaning[alert]; m != "" {
		return "the peer refused the handshake: " + alert + ": " + m
	}
	return "the peer refused the handshake: " + alert
}

// lateRefusal is an error of a call that turns out to be one of the handshake:
// in TLS 1.3 a server may refuse the client's certificate when the client
// believes to be done already (RFC 8446, 4.4.2.4).
func lateRefusal(ch *channel, err error) (string, bool) {
	if !ch.tls.Asked {
		return "", false
	}
	alert, ok := alertOf(err)
	return refusal(alert), ok
}
