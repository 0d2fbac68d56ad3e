package check

import (
	"slices"
	"strconv"
	"strings"

	"github.com/parley-project/parley/exchange"
)

// TLSWeakSuite flags cipher suites that do not protect what they carry.
var TLSWeakSuite = &Check{
	ID:      "tls-weak-suite",
	Aliases: []string{"weak-cipher", "rc4", "3des", "sweet32", "freak"},
	Title:   "the server takes cipher suites that do not protect",
	Doc: `A suite with NULL does not encrypt, one with anon proves nobody's name, and those
made for export, DES, RC4, 3DES and MD5 can be broken with means of today
(RFC 7465, RFC 8429, RFC 9325). A client that does not ask for them is safe; the
server cannot know that all of its clients are of that kind.`,
	Fix:  "Take suites with AES-GCM or ChaCha20 only; for OpenSSL: ECDHE+AESGCM:ECDHE+CHACHA20.",
	Step: StepTLS, Severity: High, OWASP: "API8:2023", CWE: 326, Conversation: []int{50, 51},
	Needs: SawTransport,

	Inspect: func(p *Pass) {
		if ev := suites(p.TLS, weakness); ev != nil {
			p.Find(ev...)
		}
	},
}

// weakness says what is wrong with a suite, by its IANA name; "" for nothing.
func weakness(suite string) string {
	has := func(part string) bool { return strings.Contains(suite, part) }
	switch {
	case has("_WITH_NULL_"), suite == "TLS_SHA256_SHA256", suite == "TLS_SHA384_SHA384":
		return "does not encrypt"
	case has("EXPORT"):
		return "was weakened for export"
	case has("_anon_"):
		return "proves nobody's name"
	case has("RC4"):
		return "RC4 gives away what repeats"
	case has("RC2_"):
		return "RC2 is broken"
	case has("_3DES_"), has("_DES_192_EDE3_"):
		return "3DES repeats blocks of 64 bits"
	case has("_DES_"), has("DES40"):
		return "DES has a key of 56 bits"
	case has("_IDEA_"):
		return "IDEA repeats blocks of 64 bits"
	case strings.HasSuffix(suite, "_MD5"):
		return "is authenticated by MD5"
	}
	return ""
}

// suites judges every suite that was agreed on or is taken. What is wrong with
// several of them is told once, with the first.
func suites(t *exchange.TLS, wrong func(suite string) string) (ev []exchange.Evidence) {
	type group struct{ names, versions []string }
	var whys []string
	groups := map[string]*group{}
	add := func(suite, version string) {
		why := wrong(suite)
		if why == "" {
			return
		}
		g := groups[why]
		if g == nil {
			g = &group{}
			groups[why] = g
			whys = append(whys, why)
		}
		if !slices.Contains(g.names, suite) {
			g.names = append(g.names, suite)
		}
		if !slices.Contains(g.versions, version) {
			g.versions = append(g.versions, version)
		}
	}
	if t.Suite != "" {
		add(t.Suite, t.Version)
	}
	if t.Offers != nil {
		for _, v := range t.Offers.Versions {
			for _, s := range v.Suites {
				add(s, v.Version)
			}
		}
	}
	for _, why := range whys {
		g := groups[why]
		says := why
		if n := len(g.names) - 1; n > 0 {
			says += " (" + strconv.Itoa(n) + " more alike)"
		}
		ev = append(ev, exchange.Evidence{Where: "suite", Name: g.names[0], Says: says + "; taken in " + strings.Join(g.versions, ", ")})
	}
	return ev
}
