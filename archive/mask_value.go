package archive

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/parley-project/parley/exchange"
)

var (
	placeholder = regexp.MustCompile(`^secret:[0-9a-f]{12}$`)
	// everyday are words that name a secret in URLs and forms only.
	everydayName = regexp.MustCompile(`(?i)^(key|code|sig|signature)$`)
	// userOnly is the part of a URL before the host, when it has no password.
	userOnly = regexp.MustCompile(`(://)([^/?#@:\s"'<>{}]+)@`)
	// withPlaceholder is a URL's user and password.
	withPlaceholder = regexp.MustCompile(`://[^/?#"'<>\s\\@]*@`)
	// assigned is a string in a program that has a name: password = "…",
	// set("token", "…"), {apiKey: '…'}.
	assigned = regexp.MustCompile("([A-Za-z_][A-Za-z0-9_.-]*)([\"'`]?\\]?\\s*(?:[:=,]|=>)\\s*)([\"'`])([^\"'`\n]{3,})([\"'`])")
	// schemeWord is what stands before a reference in a credential.
	schemeWord    = regexp.MustCompile(`(?i)^[\s,;:="'&?/.-]*(?:(?:bearer|basic|digest|token|apikey|api-key|key|jwt)[\s:="']*)?$`)
	leadingScheme = regexp.MustCompile(`(?i)^\s*(?:bearer|basic|digest|token|apikey|jwt)\s+`)
	// issued are tokens that say who issued them.
	issued    = regexp.MustCompile(`\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{22,}|glpat-[\w-]{20,}|[sr]k_(?:live|test)_\w{16,}|sk-[A-Za-z0-9_-]{20,}|xox[abeprs]-[A-Za-z0-9-]{10,}|AIza[\w-]{35}|SG\.[\w-]{16,}\.[\w-]{16,}|npm_[A-Za-z0-9]{30,})\b`)
	formShape = regexp.MustCompile(`^[A-Za-z0-9_.%\[\]-]+=[^\s]*$`)
)

const placeholderLength = len("secret:0123456789ab")

var anyPlaceholder = regexp.MustCompile(`secret:[0-9a-f]{12}`)

func isPlaceholder(s string) bool { return placeholder.MatchString(s) }

// hide finds secrets in a text by what it is.
func (h *hider) hide(k textKind, name, s string) string {
	refs := anyReference.FindAllString(s, -1)
	if k == textSecret && refs != nil || k == textValue && len(refs) > 0 {
		if out, ok := h.around(k, name, s, refs); ok {
			return out
		}
	}
	s = protect(s, refs)
	switch k {
	case textSecret:
		if s != "true" && s != "false" {
			s = h.m.Value("secret", s)
		}
	case textValue:
		s = h.plainText(s, func(s string) string { return h.m.Value(name, s) })
		s = h.encoded(s)
	case textLink:
		s = h.plainText(s, h.m.Text)
	case textScript:
		s = assigned.ReplaceAllStringFunc(s, func(a string) string {
			p := assigned.FindStringSubmatch(a)
			return p[1] + p[2] + p[3] + h.text(textValue, p[1][strings.LastIndexByte(p[1], '.')+1:], p[4]) + p[5]
		})
		s = h.plainText(s, h.m.Text)
	case textBody:
		s = h.body(name, s)
	default:
		s = h.plainText(s, h.m.Text)
	}
	if k != textSecret {
		s = issued.ReplaceAllStringFunc(s, func(t string) string { return h.text(textSecret, "", t) })
	}
	return restore(s, refs)
}

// around hides what stands around references, which stay. ok is false when the
// name is that of no secret, so that all may be looked at together.
func (h *hider) around(k textKind, name, s string, refs []string) (string, bool) {
	const probe = "probe-of-a-value"
	if k != textSecret && h.m.Value(name, probe) == probe {
		return "", false
	}
	if strings.EqualFold(name, "Cookie") {
		return "", false
	}
	var b strings.Builder
	piece := func(p string) {
		switch {
		case p == "":
		case schemeWord.MatchString(p):
			b.WriteString(p)
		default:
			scheme := leadingScheme.FindString(p)
			p = p[len(scheme):]
			trimmed := strings.TrimSpace(p)
			b.WriteString(scheme + strings.Replace(p, trimmed, h.text(textSecret, "", trimmed), 1))
		}
	}
	for _, r := range refs {
		before, after, _ := strings.Cut(s, r)
		piece(before)
		b.WriteString(r)
		s = after
	}
	piece(s) // what follows the last one
	return b.String(), true
}

// protect makes placeholders of references, because those are left alone.
func protect(s string, refs []string) string {
	if len(refs) == 0 {
		return s
	}
	i := -1
	return anyReference.ReplaceAllStringFunc(s, func(string) string {
		i++
		return reserved(i)
	})
}

// restore puts the references back. Those that were in a secret are gone.
func restore(s string, refs []string) string {
	if len(refs) == 0 {
		return s
	}
	return anyPlaceholder.ReplaceAllStringFunc(s, func(p string) string {
		n, err := strconv.ParseUint(p[len("secret:"):], 16, 64)
		if err != nil || n < firstReserved || n >= firstReserved+uint64(len(refs)) {
			return p
		}
		return refs[n-firstReserved]
	})
}

// firstReserved is far from what a keyed hash gives: one in 16 million is near.
const firstReserved = 0xfefefe000000

func reserved(i int) string { return fmt.Sprintf("secret:%012x", firstReserved+i) }

// userOnly hides a user in a URL that has no password: such users are tokens.
func (h *hider) userOnly(s string) string {
	if !strings.Contains(s, "@") {
		return s
	}
	return userOnly.ReplaceAllStringFunc(s, func(u string) string {
		name := u[3 : len(u)-1]
		if !looksRandom(name) {
			return u
		}
		return "://" + h.text(textSecret, "", name) + "@"
	})
}

// plainText hides what has the shape of a secret. What is in place of a user
// and password is kept out of it: a placeholder there looks like both.
func (h *hider) plainText(s string, hide func(string) string) string {
	if !strings.Contains(s, "@") || !anyPlaceholder.MatchString(s) && !strings.Contains(s, "{{") {
		return h.userOnly(hide(s))
	}
	var users []string
	s = withPlaceholder.ReplaceAllStringFunc(s, func(u string) string {
		info := u[3 : len(u)-1]
		if !anyPlaceholder.MatchString(info) {
			return u
		}
		parts := anyPlaceholder.FindAllStringIndex(info, -1)
		// user:password, either of them hidden or a reference already.
		if end := parts[len(parts)-1]; end[1] != len(info) {
			if colon := strings.LastIndexByte(info[end[1]:], ':'); colon >= 0 {
				at := end[1] + colon + 1
				info = info[:at] + h.text(textSecret, "", info[at:])
			}
		} else if end[0] > 0 && info[end[0]-1] != ':' {
			if colon := strings.IndexByte(info[:end[0]], ':'); colon >= 0 && len(parts) == 1 {
				info = info[:colon+1] + h.text(textSecret, "", info[colon+1:end[0]]) + info[end[0]:]
			}
		}
		users = append(users, info)
		return fmt.Sprintf("://\x1fu%d\x1f@", len(users)-1)
	})
	s = h.userOnly(hide(s))
	for i, u := range users {
		s = strings.Replace(s, fmt.Sprintf("\x1fu%d\x1f", i), u, 1)
	}
	return s
}

// looksRandom reports whether a word is no ordinary name.
func looksRandom(s string) bool {
	return len(s) >= 16 || len(s) >= 8 && strings.ContainsAny(s, "0123456789")
}

// body hides what is in a message's content, as in an exchange.
func (h *hider) body(media, s string) string {
	if media == "" && formShape.MatchString(s) {
		media = "application/x-www-form-urlencoded"
	}
	x := &exchange.Exchange{Request: exchange.Request{Target: "/", Header: exchange.Header{{Name: "Content-Type", Value: media}},
		Body: exchange.Body{Data: []byte(s), Size: int64(len(s))}}}
	h.m.Mask(x)
	return h.userOnly(string(x.Request.Body.Data))
}

// encoded looks into base64, and into gzip in it.
func (h *hider) encoded(s string) string {
	if len(s) < 16 || len(s) > 16<<20 || strings.ContainsAny(s, " {}<>\"") {
		return s
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		data, err := e.DecodeString(s)
		if err != nil {
			continue
		}
		if data, ok := h.content("", data); ok {
			return e.EncodeToString(data)
		}
		return s
	}
	return s
}

// content hides what is in bytes, packed or not; ok is false when nothing was
// found.
func (h *hider) content(media string, data []byte) (out []byte, ok bool) {
	var r io.Reader
	var err error
	pack := func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
	if r, err = gzip.NewReader(bytes.NewReader(data)); err != nil {
		pack = func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }
		r, err = zlib.NewReader(bytes.NewReader(data))
	}
	packed := err == nil
	text := data
	if packed {
		// What is broken is looked at as far as it goes, and not packed again.
		text, err = io.ReadAll(io.LimitReader(r, maxUnpacked+1))
		if err != nil || len(text) > maxUnpacked {
			return nil, h.body(media, string(text)) != string(text) || len(text) > maxUnpacked
		}
	}
	if !utf8.Valid(text) {
		return nil, false
	}
	hidden := h.body(media, string(text))
	if h.sweeping != nil {
		hidden = h.sweeping.Replace(hidden)
	}
	if hidden == string(text) || !packed {
		return []byte(hidden), hidden != string(text)
	}
	var b bytes.Buffer
	w := pack(&b)
	io.WriteString(w, hidden) // a bytes.Buffer takes everything
	w.Close()
	return b.Bytes(), true
}
