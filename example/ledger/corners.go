package ledger

import (
	"errors"
	"math/big"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// What the ledger has beside books: rates and notices for everybody, a check of
// account numbers, and what its users call themselves.

// rates are public, and pages of any site may read them: they come without
// credentials and are the same for all.
func (l *Ledger) rates(w http.ResponseWriter, r *request) error {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	type rate struct {
		Currency string `json:"currency"`
		Rate     string `json:"rate"` // text, as all amounts
	}
	return reply(w, http.StatusOK, map[string]any{"base": "EUR", "asOf": stamp(l.now()), "rates": []rate{{"DKK", "7.4604"}, {"USD", "1.0825"}}}, nil)
}

// A notice is for the users of all tenants.
type notice struct {
	ID          string `json:"id"`
	Author      string `json:"author"`
	Title       string `json:"title"`
	Text        string `json:"text"`
	PublishedAt string `json:"publishedAt"`
}

var notices = []notice{
	{"0d5c1c36-7d0a-4b34-9a5e-6a1f5b0a9c01", "usr_boris", "Closing the year", "Close December by the tenth of January.", seedTime},
	{"0d5c1c36-7d0a-4b34-9a5e-6a1f5b0a9c02", "usr_olga", "A meeting of users", "In Aarhus, in spring. Whoever wants to come writes to Olga.", seedTime},
}

func (l *Ledger) listNotices(w http.ResponseWriter, r *request) error {
	return reply(w, http.StatusOK, notices, nil)
}

func (l *Ledger) getNotice(w http.ResponseWriter, r *request) error {
	if !uuidText.MatchString(r.PathValue("notice")) {
		return invalid("a notice's ID is a UUID")
	}
	i := slices.IndexFunc(notices, func(n notice) bool { return n.ID == r.PathValue("notice") })
	if i < 0 {
		return notFound()
	}
	return reply(w, http.StatusOK, notices[i], nil)
}

var ibanAsked = regexp.MustCompile(`^[A-Za-z0-9]{5,34}$`)

// checkIBAN answers whether the check digits of an account number are right
// (ISO 13616). That they are not is an answer, and no failure.
func (l *Ledger) checkIBAN(w http.ResponseWriter, r *request) error {
	iban := strings.ToUpper(r.PathValue("iban"))
	if !ibanAsked.MatchString(iban) {
		return invalid("an account number has 5 to 34 letters and digits")
	}
	var digits strings.Builder
	for _, c := range iban[4:] + iban[:4] {
		if c >= 'A' {
			digits.WriteString(big.NewInt(int64(c-'A') + 10).String())
		} else {
			digits.WriteRune(c)
		}
	}
	n, _ := new(big.Int).SetString(digits.String(), 10)
	out := map[string]any{"iban": iban, "valid": true, "error": nil}
	if new(big.Int).Mod(n, big.NewInt(97)).Int64() != 1 {
		out["valid"], out["error"] = false, "the check digits are wrong"
	}
	return reply(w, http.StatusOK, out, nil)
}

func (l *Ledger) getProfile(w http.ResponseWriter, r *request) error {
	name, err := only(r.Context(), l.db, func(r row) (t string, err error) { return t, r.Scan(&t) }, `SELECT name FROM nicknames WHERE subject = ?`, r.caller.subject)
	if err != nil && !errors.Is(err, errNone) {
		return err
	}
	return reply(w, http.StatusOK, map[string]string{"subject": r.caller.subject, "displayName": name}, nil)
}

// putProfile changes what the caller is called. The subject may be said, and
// counts for nothing: whose profile it is says the credential.
func (l *Ledger) putProfile(w http.ResponseWriter, r *request) error {
	in, err := l.read(r, form{"subject": text(1, 80), "displayName": required(text(1, 80))})
	if err != nil {
		return err
	}
	if err := l.db.exec(r.Context(), `INSERT OR REPLACE INTO nicknames VALUES (?, ?)`, r.caller.subject, in.text("displayName")); err != nil {
		return err
	}
	return noContent(w)
}
