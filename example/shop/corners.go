package shop

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// What shops have beside what they are for: a first page, a tip, a clock, a
// coupon, pages for browsers, and what became of the version before.

// ownOrigin is the one other origin whose pages may read the first page.
const ownOrigin = "https://app.shop.example"

// home is the same for everybody, and says a little more to who is known.
func (s *Shop) home(w http.ResponseWriter, r *request) error {
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	lang := q.oneOf("lang", languages...)
	if err := q.done(); err != nil {
		return err
	}
	ps, err := s.db.products(r.Context(), "", "id", 3, 0, false)
	if err != nil {
		return err
	}
	featured := []Product{}
	for _, p := range ps {
		featured = append(featured, p.Product)
	}
	out := map[string]any{"welcome": "Welcome", "featured": featured}
	if r.caller != nil && !r.caller.Partner {
		u, err := s.db.user(r.Context(), r.caller.ID)
		if err != nil {
			return err
		}
		out["welcome"], out["name"] = "Welcome back", u.Name
	}
	if lang != "" {
		// The shop's pages read it, so that it is not for HttpOnly; it is no
		// credential and says nothing of anybody.
		http.SetCookie(w, &http.Cookie{Name: "lang", Value: lang, Path: "/", MaxAge: 30 * 24 * 3600, Secure: true, SameSite: http.SameSiteLaxMode})
	}
	if r.Header.Get("Origin") == ownOrigin && !s.flawed("client-cors") {
		w.Header().Set("Access-Control-Allow-Origin", ownOrigin)
		w.Header().Add("Vary", "Origin")
	}
	return reply(w, http.StatusOK, out)
}

var couponText = regexp.MustCompile(`^[A-Za-z0-9'-]{1,40}$`)

// coupon says what a code is worth. One that is not known is worth nothing, and
// is answered with 404 and a body of the same form.
func (s *Shop) coupon(w http.ResponseWriter, r *request) error {
	code := r.PathValue("code")
	if !couponText.MatchString(code) {
		return invalid([]fieldError{{"code", "must be letters, digits and dashes"}})
	}
	status, percent, says := http.StatusOK, 10, "10 % off"
	if !strings.EqualFold(code, "WELCOME10") {
		status, percent, says = http.StatusNotFound, 0, "0 % off with "+code
	}
	return reply(w, status, map[string]any{"ok": true, "code": code, "percent": percent, "message": says})
}

var tips = []string{
	"Grind as much as you brew.", "Water just off the boil.", "Rinse the filter first.", "Keep beans from light.", "Stir before you pour.",
}

// tip is another one each time, and takes its time.
func (s *Shop) tip(w http.ResponseWriter, r *request) error {
	n, err := rand.Int(rand.Reader, big.NewInt(50))
	if err != nil {
		return err
	}
	select {
	case <-time.After(time.Duration(n.Int64()) * time.Millisecond):
	case <-r.Context().Done():
		return r.Context().Err()
	}
	nonce := make([]byte, 16)
	rand.Read(nonce)
	return reply(w, http.StatusOK, map[string]any{"tip": tips[int(n.Int64())%len(tips)], "nonce": hex.EncodeToString(nonce), "request_id": newUUID()})
}

// newUUID makes an ID (RFC 9562, version 4).
func newUUID() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (s *Shop) clock(w http.ResponseWriter, r *request) error {
	return reply(w, http.StatusOK, map[string]any{"now": stamp(s.now()), "uptime_seconds": int64(time.Since(s.opened).Seconds())})
}

// aCertificate is public, as certificates are.
const aCertificate = `-----BEGIN CERTIFICATE-----
MIIBgzCCASmgAwIBAgIUPito5lY7mQwLOn+qISk8/W/S72owCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMc2hvcC5leGFtcGxlMB4XDTI2MTEyOTIwMTIyM1oXDTM2MTEy
NjIwMTIyM1owFzEVMBMGA1UEAwwMc2hvcC5leGFtcGxlMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAE9bLpFW9UmIOmClcNfccQ9AOHSvD8cYEf417Lr1S1eVONS3FX
QgTPXbkf4XRojihu0faXxpQHByPqpsuCp2rGo6NTMFEwHQYDVR0OBBYEFMS11xe7
/UgQ5TnI8vcpftNKlkzqMB8GA1UdIwQYMBaAFMS11xe7/UgQ5TnI8vcpftNKlkzq
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgESnIY8ziYaTGJ/CK
wHoGjZZFAwfKRh0WAlHRJT6i3a4CIQCB8X90jeij9HtIWsJ3Uvzc41041so68PRP
6LFYzGtwBA==
-----END CERTIFICATE-----
`

// meta has what looks like secrets to a pattern: hashes, identifiers, a public
// certificate, and the number of a card that no bank has given out (its check
// digit is wrong).
func (s *Shop) meta(w http.ResponseWriter, r *request) error {
	return reply(w, http.StatusOK, map[string]any{
		"commit":      "9fceb02d0ae598e95dc970b74767f19372d61af8",
		"build_id":    "0f8fad5b-d9cb-469f-a165-70867728950e",
		"integrity":   "sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC",
		"certificate": aCertificate,
		"sample_card": "4111 1111 1111 1112",
		"sample_iban": "XX00 0000 0000 0000 0000 00",
		"key_set":     "/.well-known/jwks.json",
		"support":     "support@shop.example",
	})
}

// echo gives a client back what arrived, to see whether it arrives whole.
func (s *Shop) echo(w http.ResponseWriter, r *request) error {
	o, err := s.readObject(r)
	if err != nil {
		return err
	}
	members := o.members
	if members == nil {
		members = map[string]json.RawMessage{}
	}
	return reply(w, http.StatusOK, members)
}

// page is one page for all addresses: what it shows is for its script to choose.
func (s *Shop) page(w http.ResponseWriter, r *request) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err := io.WriteString(w, "<!doctype html><html lang=\"en\"><title>Shop</title><h1>Shop</h1><p>One moment, please.</p></html>\n")
	return err
}

// versionBefore tells clients of version 0 where to go: with products to the
// same place, with everything else nowhere.
func (s *Shop) versionBefore(w http.ResponseWriter, r *http.Request) error {
	if rest, ok := strings.CutPrefix(r.URL.Path, "/v0/products/"); ok && (r.Method == "GET" || r.Method == "HEAD") && wholeNumber.MatchString(rest) {
		w.Header().Set("Location", "/v1/products/"+rest)
		w.WriteHeader(http.StatusPermanentRedirect)
		return nil
	}
	return refuse(http.StatusGone, "version 0 is no more; see /v1")
}

var wholeNumber = regexp.MustCompile(`^[1-9][0-9]{0,15}$`)
