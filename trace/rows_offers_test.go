package trace_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/lab"
	"github.com/parley-project/parley/trace"
)

// What each protocol setting of the laboratory is found to be by --deep, and
// the sound setting that differs from it in nothing else.
var protocolRows = map[string]struct{ finds, twin string }{
	"modern":                   {},
	"modern-both-certificates": {},
	"modern-rsa":               {},
	"tls-1.3-only":             {},
	"hybrid-group-only":        {},
	"alpn-none":                {},
	"alpn-h2":                  {},
	"alpn-http1":               {},
	"cbc":                      {},

	"tls-1.0-only":           {"tls-old-version tls-not-post-quantum", "tls-1.3-only"},
	"tls-1.1-only":           {"tls-old-version tls-not-post-quantum", "tls-1.3-only"},
	"tls-1.2-only":           {"tls-not-post-quantum", "modern-rsa"},
	"wide":                   {"tls-old-version tls-weak-suite tls-no-forward-secrecy", "modern-rsa"},
	"wide-ecdsa":             {"tls-old-version tls-weak-suite", "modern"},
	"wide-both-certificates": {"tls-old-version tls-weak-suite tls-no-forward-secrecy", "modern-both-certificates"},
	"rc4":                    {"tls-weak-suite", "modern-rsa"},
	"3des":                   {"tls-weak-suite", "modern-rsa"},
	"static-rsa":             {"tls-no-forward-secrecy", "modern-rsa"},
	"no-hybrid-group":        {"tls-not-post-quantum", "modern"},

	// No peer speaks TLS 1.3, so that none has a hybrid group: that is what is
	// found of a sound one, and what all of them have beside their own.
	"peer-sound":                {"tls-not-post-quantum", "modern"},
	"no-extended-master-secret": {"tls-not-post-quantum", "modern"},
	"client-order":              {"tls-not-post-quantum", "modern"},
	"server-order":              {"tls-not-post-quantum", "modern"},
	"waits-for-ssl-2.0":         {"tls-not-post-quantum", "modern"},
	"short-hellos":              {"tls-no-forward-secrecy tls-not-post-quantum", "peer-sound"},
	"greedy":                    {"tls-weak-suite tls-no-forward-secrecy", "peer-sound"}, // what it lacks, nobody knows
	"fallback":                  {"tls-old-version tls-not-post-quantum", "peer-sound"},
	"no-fallback":               {"tls-old-version tls-not-post-quantum", "peer-sound"},
	"ssl-2.0":                   {"tls-old-version tls-weak-suite tls-no-forward-secrecy tls-not-post-quantum", "peer-sound"},
	"ssl-2.0-only":              {"tls-old-version tls-weak-suite tls-no-forward-secrecy tls-not-post-quantum", "peer-sound"},
	"ssl-3.0":                   {"tls-old-version tls-not-post-quantum", "peer-sound"},
	"ssl-3.0-only":              {"tls-old-version tls-not-post-quantum", "peer-sound"},
	"export":                    {"tls-weak-suite tls-no-forward-secrecy tls-not-post-quantum", "peer-sound"},
	"null":                      {"tls-weak-suite tls-no-forward-secrecy tls-not-post-quantum", "peer-sound"},
	"anonymous":                 {"tls-weak-suite tls-not-post-quantum", "peer-sound"},
	"des":                       {"tls-weak-suite tls-not-post-quantum", "peer-sound"},
	"md5":                       {"tls-weak-suite tls-no-forward-secrecy tls-not-post-quantum", "peer-sound"},
	"static-rsa-only":           {"tls-no-forward-secrecy tls-not-post-quantum", "peer-sound"},
	"compression":               {"tls-compression tls-not-post-quantum", "peer-sound"},
	"no-renegotiation-info":     {"tls-renegotiation tls-not-post-quantum", "peer-sound"},

	// What takes nothing has nothing that is wrong with what it takes.
	"stall":          {},
	"stall-in-hello": {},
	"close":          {},
	"alert":          {},
	"plain-http":     {},
	"broken-record":  {},
	"broken-hello":   {},
	"endless":        {},
}

func TestProtocolRows(t *testing.T) {
	a := lab.NewAuthority()
	for i := range lab.ProtocolSettings {
		s := &lab.ProtocolSettings[i]
		row, ok := protocolRows[s.Name]
		if !ok {
			t.Errorf("%s has no row", s.Name)
			continue
		}
		// Info is no flaw: a sound setting may have it.
		if twin := protocolRows[row.twin].finds; twin != "" && twin != "tls-not-post-quantum" || (row.finds == "") != (row.twin == "") {
			t.Errorf("%s: its twin %q is not sound: %s", s.Name, row.twin, twin)
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			server, err := s.Serve(a)
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			o := trace.Options{Deep: true, Client: call.Options{Resolve: server.Resolve(), Roots: a.Pool()}}
			if strings.HasPrefix(s.Name, "stall") {
				o.Client.Timeout = 300 * time.Millisecond
			}
			res, err := trace.Follow(t.Context(), &call.Request{Method: "GET", URL: server.URL()}, o)
			if err != nil {
				t.Fatal(err)
			}
			x := res.Exchange
			var got []string
			for _, f := range x.Findings {
				if f.Step == exchange.StepTLS {
					got = append(got, f.Check)
				}
			}
			if want := strings.Fields(row.finds); !slices.Equal(got, want) {
				t.Errorf("Follow(%s) found %v, want %v", s.Name, got, want)
			}
			switch {
			case x.TLS == nil || x.TLS.Offers == nil:
				t.Errorf("Follow(%s) found out nothing of what it takes", s.Name)
			case s.Behave != nil && (x.TLS.Offers.Incomplete == "" || x.Failure == ""):
				t.Errorf("Follow(%s) has no word for what happened: %+v", s.Name, x.TLS.Offers)
			case s.Config != nil && x.Failure != "":
				t.Errorf("Follow(%s) broke off: %s", s.Name, x.Failure)
			}
		})
	}
	for name := range protocolRows {
		if lab.ProtocolSettingByName(name) == nil {
			t.Errorf("%s is no setting of the laboratory", name)
		}
	}
}
