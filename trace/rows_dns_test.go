package trace_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/internal/lab"
	"github.com/parley-project/parley/trace"
)

// What each setting of the laboratory's step 1 is found to be. A plain ID is
// confirmed, one with a question mark likely.
var dnsRows = map[string]string{
	"honest":            "",
	"honest-alias":      "",
	"honest-wildcard":   "",
	"honest-no-name":    "",
	"honest-no-address": "",
	"local-name":        "",
	"truncating":        "",
	"lower-case":        "",
	"slow":              "",
	"huge":              "",
	"rotating":          "",
	"delivering":        "",

	"forging":        "dns-forged",
	"altering":       "dns-forged?",
	"forging-inside": "dns-forged dns-rebinding",
	"injecting":      "dns-forged?",
	"denying":        "dns-disagree",
	"inventing":      "dns-disagree",
	"flipping":       "dns-rebinding",
	"this-machine":   "dns-rebinding",
	"cloud":          "dns-rebinding",
	"unique-local":   "dns-rebinding?",
	"provider":       "dns-rebinding?",
	"beside":         "dns-rebinding",

	"dead":            "dns-dead-resolver",
	"servfail":        "dns-dead-resolver",
	"refused":         "dns-dead-resolver",
	"garbage":         "dns-dead-resolver",
	"looping":         "dns-dead-resolver",
	"other-name":      "dns-dead-resolver",
	"own-certificate": "dns-dead-resolver",
	"old-certificate": "dns-dead-resolver",
	"web-500":         "dns-dead-resolver",
	"web-page":        "dns-dead-resolver",
	"web-elsewhere":   "dns-dead-resolver",
	"web-endless":     "dns-dead-resolver",
}

// Why a resolver in use that fails gives no address, as the caller is told.
var dnsFailures = map[string]string{
	"dead":           "system did not answer: no answer within ",
	"servfail":       "system says SERVFAIL: it could not get an answer, or not a valid one",
	"refused":        "system says REFUSED: it does not answer this question, or not us",
	"garbage":        "system did not answer: the answer is to another question",
	"looping":        "system did not answer: the answer cannot be read: too many compression pointers",
	"denying":        "system says NXDOMAIN: there is no such name",
	"honest-no-name": "system says NXDOMAIN: there is no such name",

	"honest-no-address": "text.shop.example has no address",
}

func TestDNSRows(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range lab.DNSSettings {
		seen[s.Name] = true
		want, ok := dnsRows[s.Name]
		if !ok {
			t.Errorf("setting %s has no row", s.Name)
		}
		if (s.Says == "") != (want == "") {
			t.Errorf("setting %s says %q and is to be found %q", s.Name, s.Says, want)
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			d := compare(t, s)
			x := &exchange.Exchange{DNS: d, Request: exchange.Request{Scheme: "https", Authority: s.Ask}}
			got := findingsOf(check.Inspect(x, nil, false, time.Now()))
			if got != want {
				t.Errorf("Inspect(%s) found %q, want %q\n%s", s.Name, got, want, told(d, x))
			}
			if !fails(d.Failure, dnsFailures[s.Name]) {
				t.Errorf("Resolve(%s) failed with %q, want %q", s.Name, d.Failure, dnsFailures[s.Name])
			}
			if (d.Failure == "") != (len(d.Addresses) > 0) {
				t.Errorf("Resolve(%s) found %v and failed with %q", s.Name, d.Addresses, d.Failure)
			}
		})
	}
	for name := range dnsRows {
		if !seen[name] {
			t.Errorf("row %s has no setting", name)
		}
	}
}

// fails compares reasons; one that ends with a time is open there, for how long
// a question took depends on the machine.
func fails(got, want string) bool {
	return got == want || strings.HasSuffix(want, "within ") && strings.HasPrefix(got, want)
}

// compare asks the resolvers of a setting.
func compare(t *testing.T, s lab.DNSSetting) *exchange.DNS {
	_, rs := start(t, s)
	return call.Compare(context.Background(), s.Ask, rs[0], rs[1:])
}

// start starts a setting. Only resolvers that never answer are given little
// time.
func start(t *testing.T, s lab.DNSSetting) (r *lab.Running, rs []call.Resolver) {
	t.Helper()
	r, err := s.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	for i, seat := range s.Seats() {
		o := call.ResolverOptions{Roots: r.Roots, Timeout: 20 * time.Second}
		if seat.Silent {
			o.Timeout = 50 * time.Millisecond
		}
		resolver, err := o.Parse(r.Specs[i])
		if err != nil {
			t.Fatal(err)
		}
		rs = append(rs, resolver)
		if seat.Held { // until the question has come
			go func() {
				for len(r.Servers[i].Asked()) == 0 && t.Context().Err() == nil {
					time.Sleep(time.Millisecond)
				}
				r.Release()
			}()
		}
	}
	return r, rs
}

// A call that has no address ends at step 1 and says why, beside what the
// others said.
func TestDNSRowsEndTheCall(t *testing.T) {
	for _, s := range lab.DNSSettings {
		want, ends := dnsFailures[s.Name]
		if !ends {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			r, resolvers := start(t, s)
			res, err := trace.Follow(t.Context(), &call.Request{Method: "GET", URL: "https://" + s.Ask + "/"},
				trace.Options{Client: call.Options{Resolver: resolvers[0], Roots: r.Roots}, Compare: resolvers[1:]})
			if err != nil {
				t.Fatal(err)
			}
			x := res.Exchange
			if x.FailedAt != exchange.StepDNS || !fails(x.Failure, "no address for "+s.Ask+": "+want) || x.TCP != nil || x.Response != nil {
				t.Errorf("Follow(%s) ended at %s with %q, want dns with %q", s.Name, x.FailedAt, x.Failure, want)
			}
			if got := findingsOf(x.Findings); got != dnsRows[s.Name] {
				t.Errorf("Follow(%s) found %q, want %q\n%s", s.Name, got, dnsRows[s.Name], told(x.DNS, x))
			}
		})
	}
}

// A call whose name is resolved by the laboratory arrives, over each way to
// ask; an IPv6 address that nobody serves is told.
func TestDNSRowsArrive(t *testing.T) {
	for _, protocol := range []string{"udp", "tcp", "tls", "https"} {
		for host, want := range map[string]string{"api.parley.test": "", "two.parley.test": "tcp-ipv6-dead"} {
			if host == "two.parley.test" && !hasIPv6() {
				want = "" // then nothing can be said
			}
			a := lab.NewAuthority()
			names, err := lab.ServeDNS(lab.DNSOptions{Authority: a})
			if err != nil {
				t.Fatal(err)
			}
			web, err := lab.ServeTLS(&tls.Config{Certificates: []tls.Certificate{a.Issue(lab.Leaf{Names: []string{host}})}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			o := call.ResolverOptions{Roots: a.Pool(), Timeout: 20 * time.Second}
			resolver, err := o.Parse("lab=" + names.Spec(protocol))
			if err != nil {
				t.Fatal(err)
			}
			res, err := trace.Follow(t.Context(), &call.Request{Method: "GET", URL: fmt.Sprintf("https://%s:%d/", host, web.Address.Port())},
				trace.Options{Client: call.Options{Resolver: resolver, Roots: a.Pool()}})
			if err != nil {
				t.Fatal(err)
			}
			x := res.Exchange
			if x.Response == nil || x.Response.Status != 200 || x.DNS == nil || x.DNS.Resolver != "lab" || x.DNS.TTL != 300 {
				t.Errorf("Follow(%s) by %s failed at %s with %q, DNS %+v", host, protocol, x.FailedAt, x.Failure, x.DNS)
			}
			var got []string
			for _, f := range x.Findings {
				if f.Step <= exchange.StepTCP {
					got = append(got, f.Check)
				}
			}
			if strings.Join(got, " ") != want {
				t.Errorf("Follow(%s) by %s found %q, want %q", host, protocol, got, want)
			}
			web.Close()
			names.Close()
		}
	}
}

func hasIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err == nil {
		l.Close()
	}
	return err == nil
}

func findingsOf(fs []exchange.Finding) string {
	var confirmed, likely []string
	for _, f := range fs {
		switch {
		case f.Step != exchange.StepDNS:
		case f.Verdict == exchange.Confirmed:
			confirmed = append(confirmed, f.Check)
		default:
			likely = append(likely, f.Check+"?")
		}
	}
	slices.Sort(confirmed)
	slices.Sort(likely)
	return strings.Join(append(slices.Compact(confirmed), likely...), " ")
}

// told is everything that was seen, for a test that failed.
func told(d *exchange.DNS, x *exchange.Exchange) string {
	var b strings.Builder
	for _, a := range d.Answers {
		n := len(a.Records)
		a.Records = a.Records[:min(n, 3)]
		fmt.Fprintf(&b, "  %d %+v\n", n, a)
	}
	for _, f := range check.Inspect(x, nil, false, time.Now()) {
		fmt.Fprintf(&b, "  %s %s: %s\n", f.Verdict, f.Check, f.Evidence)
	}
	return b.String()
}
