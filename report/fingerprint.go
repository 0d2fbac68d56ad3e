package report

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
)

// fingerprint names what was found, the same in every run: by check, operation,
// the names in the evidence and who asked. No IDs, addresses, times or values
// are in it.
func fingerprint(e *Entry, x *exchange.Exchange) string {
	parts := []string{"1", string(e.Kind), e.Check.ID, e.Operation}
	if e.Kind != Finding && !e.Enforced {
		parts[1] = "would " + parts[1]
	}
	for i, ev := range e.Evidence {
		if i == maxEvidence {
			break
		}
		name := ev.Name
		switch {
		case strings.HasSuffix(ev.Where, "body"):
			name = anyIndex(name)
		case ev.Where == "credential" && name == "":
			name = ev.Says // a fixed word: expired, signature, ...
		}
		parts = append(parts, ev.Where, name)
	}
	// Who asked makes a difference only to checks that look at it.
	if e.Check.Needs&check.SawCaller != 0 {
		parts = append(parts, identityOf(x.Server.Caller))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// identityOf is who asked, as far as it does not change from run to run: the
// name that the configuration gives, else the roles.
func identityOf(c *exchange.Caller) string {
	switch {
	case c == nil:
		return "nobody"
	case c.Name != "":
		return c.Name
	case len(c.Roles) > 0:
		roles := slices.Clone(c.Roles)
		slices.Sort(roles)
		return "roles " + strings.Join(roles, " ")
	}
	return "somebody"
}

// anyIndex is a JSON Pointer with "*" for every index: which element of a list
// it was says nothing about the flaw.
func anyIndex(pointer string) string {
	if pointer == "" {
		return ""
	}
	segments := strings.Split(pointer, "/")
	for i, s := range segments {
		if s != "" && strings.Trim(s, "0123456789") == "" {
			segments[i] = "*"
		}
	}
	return strings.Join(segments, "/")
}

// operationOf is the contract's name of what was asked for or, without one, the
// method and the path's shape.
func operationOf(x *exchange.Exchange) string {
	if x.Server.Operation != "" {
		return x.Server.Operation
	}
	return x.Request.Method + " " + shape(x.Request.Path())
}

// shape is a path with {} for segments that look like an object's ID.
func shape(p string) string {
	if len(p) > 512 {
		p = p[:512] + "…"
	}
	segments := strings.Split(p, "/")
	for i, s := range segments {
		if looksID(s) {
			segments[i] = "{}"
		}
	}
	return strings.Join(segments, "/")
}

// looksID: a number, a UUID, a ULID, a hash, or anything too long for a word.
// "v2" is none.
func looksID(s string) bool {
	if s == "" {
		return false
	}
	digits, hexadecimal := 0, 0
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9':
			digits++
			hexadecimal++
		case c >= 'a' && c <= 'f', c >= 'A' && c <= 'F', c == '-':
			hexadecimal++
		}
	}
	return digits == len(s) || len(s) >= 8 && hexadecimal == len(s) && digits > 0 || len(s) >= 24 || strings.HasPrefix(s, "secret:")
}
