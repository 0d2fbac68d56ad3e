package lab_test

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/parley-project/parley/internal/lab"
)

// What the authority says is signed, with the key that its zone shows.
func TestDNSZoneSigns(t *testing.T) {
	z := lab.NewDNSZone(lab.DNSZones)
	for _, c := range []struct {
		name    string
		typ     uint16
		records int
	}{
		{"api.shop.example.", dns.TypeA, 2},
		{"API.shop.example.", dns.TypeHTTPS, 1},
		{"any.wild.shop.example.", dns.TypeA, 1},
		{"example.", dns.TypeDNSKEY, 1},
		{"api.parley.test.", dns.TypeA, 1},
	} {
		m := new(dns.Msg)
		m.SetQuestion(c.name, c.typ)
		if r := z.Answer(m); len(r.Answer) != c.records {
			t.Errorf("Answer(%s) without DO has %d records, want %d", c.name, len(r.Answer), c.records)
		}
		m.SetEdns0(1232, true)
		var set []dns.RR
		var sig *dns.RRSIG
		for _, rr := range z.Answer(m).Answer {
			if s, ok := rr.(*dns.RRSIG); ok {
				sig = s
			} else {
				set = append(set, rr)
			}
		}
		if sig == nil || len(set) != c.records {
			t.Errorf("Answer(%s) has %d records and the signature %v, want %d and one", c.name, len(set), sig, c.records)
			continue
		}
		if c.name == "any.wild.shop.example." {
			continue // signed under the name that was expanded; a validator's matter
		}
		if err := sig.Verify(z.Key(sig.SignerName), set); err != nil || !sig.ValidityPeriod(time.Now()) {
			t.Errorf("the signature of %s does not hold: %v", c.name, err)
		}
	}
}

// DoH as RFC 8484 has it: both methods, both versions.
func TestDNSOverHTTPS(t *testing.T) {
	s, err := lab.ServeDNS(lab.DNSOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m := new(dns.Msg)
	m.SetQuestion("api.shop.example.", dns.TypeA)
	asked, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		client := &http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: s.Authority.Pool()}, ForceAttemptHTTP2: version == "HTTP/2.0",
		}}
		defer client.CloseIdleConnections()
		for _, c := range []struct {
			method, url, mediaType string
			body                   []byte
			status                 int
		}{
			{"POST", s.URL, "application/dns-message", asked, 200},
			{"GET", s.URL + "?dns=" + base64.RawURLEncoding.EncodeToString(asked), "", nil, 200},
			{"GET", s.URL, "", nil, 400},
			{"POST", s.URL, "text/plain", asked, 400},
			{"POST", s.URL, "application/dns-message", asked[:7], 400},
			{"GET", s.URL + "/other", "", nil, 404},
		} {
			req, err := http.NewRequest(c.method, c.url, bytes.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", c.mediaType)
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != c.status || resp.Proto != version {
				t.Errorf("%s %s over %s is %d over %s, want %d", c.method, c.url, version, resp.StatusCode, resp.Proto, c.status)
				continue
			}
			if c.status == 200 {
				r := new(dns.Msg)
				if err := r.Unpack(body); err != nil || len(r.Answer) != 2 {
					t.Errorf("%s over %s answers %v, want two addresses (%v)", c.method, version, r, err)
				}
			}
		}
	}
}
