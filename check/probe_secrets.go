package check

import (
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
	"github.com/parley-project/parley/internal/jsonscan"
)

// What nobody should be sent can be told by its name and its value together,
// whatever the contract says of it. A value alone tells only where its form is
// made for nothing else.

// hashForms are what programs that hash passwords write: crypt(3) and its
// successors, Django, PHC strings.
var hashForms = regexp.MustCompile(`^(\$2[abxy]?\$[0-9]{2}\$[./A-Za-z0-9]{53}|\$argon2(id|i|d)\$.{20,}|\$[156y7]\$.{10,}|\$pbkdf2[a-z0-9-]*\$.{20,}|\$s(crypt|0)\$.{20,}|pbkdf2[_:]sha[0-9]+[$:][0-9]+[$:].{10,}|scrypt:[0-9]+:.{20,}|\{(SSHA|SHA|SMD5|CRYPT)[0-9]*\}.{10,})`)

var (
	hexHash    = regexp.MustCompile(`^([0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{56}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})$`)
	base64Hash = regexp.MustCompile(`^[A-Za-z0-9+/_-]{27,}={0,2}$`)
	keyText    = regexp.MustCompile(`-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----`)
	masked     = regexp.MustCompile(`^[*•xX#.\s-]*[0-9A-Za-z]{0,4}$|[*•]{3,}|X{4,}|(?i:redacted|hidden|masked)`)
)

// flat is a name without case and joints: passwordHash and password_hash are one.
func flat(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(name))
}

// secretIn says what secret a value is, and "" when it is none. near are the
// names of the members beside it.
func secretIn(l Leaf, near map[string]bool) string {
	if l.Kind != "string" || len(l.Value) < 4 || masked.MatchString(l.Value) {
		return cardIn(l)
	}
	n := flat(l.Name)
	isPassword := n == "password" || n == "passwd" || n == "pwd" || n == "plainpassword" || n == "plaintextpassword"
	ofPassword := isPassword || (strings.Contains(n, "pass") || strings.HasPrefix(n, "pw")) &&
		(strings.Contains(n, "hash") || strings.Contains(n, "digest") || strings.Contains(n, "encrypted"))
	switch {
	case hashForms.MatchString(l.Value):
		return "the hash of a password"
	case keyText.MatchString(l.Value):
		return "a private key"
	case n == "d" && near["kty"] && base64Hash.MatchString(l.Value):
		return "a private key"
	case ofPassword && (hexHash.MatchString(l.Value) || base64Hash.MatchString(l.Value) && strings.Count(l.Value, "-") != 4):
		return "the hash of a password"
	case isPassword:
		if !strings.Contains(l.Value, "://") && !strings.ContainsAny(l.Value, " \n") {
			return "a password"
		}
	case slices.Contains([]string{"resettoken", "passwordresettoken", "resetpasswordtoken", "totpsecret", "mfasecret", "otpsecret", "twofactorsecret", "privatekey"}, n) && len(l.Value) >= 8:
		return "a secret that proves who one is"
	}
	return cardIn(l)
}

// cardIn tells the number of a payment card: by its check digit and a name, or
// by its check digit and the form in which cards are printed.
func cardIn(l Leaf) string {
	if l.Kind != "string" && l.Kind != "number" {
		return ""
	}
	number := strings.NewReplacer(" ", "", "-", "").Replace(l.Value)
	if len(number) < 13 || len(number) > 19 || strings.Trim(number, "0123456789") != "" || !luhn(number) {
		return ""
	}
	n := flat(l.Name)
	named := strings.Contains(n, "card") || n == "pan" || n == "ccnumber" || n == "ccnum"
	printed := l.Kind == "string" && issued(number) && strings.Count(l.Value, " ")+strings.Count(l.Value, "-") >= 2
	if named && !strings.Contains(n, "cardid") || printed {
		return "the whole number of a card"
	}
	return ""
}

// luhn reports whether the last digit is the check digit of the others (ISO/IEC
// 7812-1, annex B).
func luhn(number string) bool {
	sum := 0
	for i := range len(number) {
		d := int(number[len(number)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0 && strings.Trim(number, number[:1]) != ""
}

// issued reports whether a number begins as those of the large issuers do, and
// has their length.
func issued(number string) bool {
	two := number[:2]
	switch {
	case number[0] == '4':
		return len(number) == 13 || len(number) == 16 || len(number) == 19
	case two >= "51" && two <= "55", number[:4] >= "2221" && number[:4] <= "2720", number[:4] == "6011", two == "65", two == "35":
		return len(number) == 16
	case two == "34" || two == "37":
		return len(number) == 15
	}
	return false
}

// iban reports whether a text is an account number whose check digits are right
// (ISO 13616-1).
func iban(text string) bool {
	s := strings.ReplaceAll(text, " ", "")
	if len(s) < 15 || len(s) > 34 || s[0] < 'A' || s[0] > 'Z' || s[1] < 'A' || s[1] > 'Z' {
		return false
	}
	var digits strings.Builder
	for _, c := range s[4:] + s[:4] {
		switch {
		case c >= '0' && c <= '9':
			digits.WriteRune(c)
		case c >= 'A' && c <= 'Z':
			digits.WriteString(big.NewInt(int64(c - 'A' + 10)).String())
		default:
			return false
		}
	}
	n, ok := new(big.Int).SetString(digits.String(), 10)
	return ok && n.Mod(n, big.NewInt(97)).Int64() == 1
}

// accountIn reports whether a value is the whole number of an account.
func accountIn(l Leaf) bool {
	n := flat(l.Name)
	switch {
	case l.Kind == "string" && iban(l.Value):
		return true
	case n != "accountnumber" && n != "bankaccountnumber" && n != "accountno" && n != "iban":
		return false
	}
	return digits([]byte(l.Value)) >= 9 && !masked.MatchString(l.Value)
}

// told walks the leaves of each honest answer that was a success, with the names
// beside each one and whether the contract has a schema for the answer that does
// not object to it.
func told(t *Trial, look func(e *Endpoint, p *Person, x *exchange.Exchange, l Leaf, near map[string]bool, objected, judged bool) bool) {
	for _, e := range t.Endpoints {
		if e.Operation == nil || e.Role == LogIn || e.Role == SignUp {
			continue
		}
		for _, p := range append([]*Person{nil}, everybody(t)...) {
			x := e.Honest[p]
			if !Succeeded(x) {
				continue
			}
			objected, judged := objections(e, x)
			all := Members(x)
			near := map[string]map[string]bool{}
			for _, l := range all {
				at := l.Pointer[:strings.LastIndexByte("/"+l.Pointer, '/')]
				if near[at] == nil {
					near[at] = map[string]bool{}
				}
				near[at][l.Name] = true
			}
			found := false
			for _, l := range all {
				at := l.Pointer[:strings.LastIndexByte("/"+l.Pointer, '/')]
				if look(e, p, x, l, near[at], objected[l.Pointer], judged) {
					found = true
					break
				}
			}
			if found {
				break // one finding an endpoint
			}
		}
	}
}

// objections are the places of an answer that its schema does not have: those
// are found by it.
func objections(e *Endpoint, x *exchange.Exchange) (at map[string]bool, judged bool) {
	at = map[string]bool{}
	b := ReplyBody(e.Operation, x.Response)
	if b == nil || !b.Judged {
		return at, false
	}
	for _, v := range b.Scan(Text(x), jsonscan.Limits{}).Result.Violations {
		if v.Kind == jsonscan.Undeclared || v.Kind == jsonscan.WriteOnly || v.Kind == jsonscan.Invalid {
			at[v.Pointer] = true
		}
	}
	return at, true
}

// tokenOf reports whether a value is somebody else's credential.
func tokenOf(t *Trial, l Leaf, p *Person) *Person {
	if l.Kind != "string" || len(l.Value) < 12 {
		return nil
	}
	for _, q := range everybody(t) {
		if q != p && q.Token != "" && (p == nil || p.Token != q.Token) && identity.Secret(l.Value) == q.Token {
			return q
		}
	}
	return nil
}

// emailOf reports whose address a value is, when it is another's.
func emailOf(t *Trial, l Leaf, p *Person) *Person {
	if l.Kind != "string" || !strings.Contains(l.Value, "@") || p == nil {
		return nil
	}
	for _, q := range everybody(t) {
		theirs := func(v string) bool { return v != "" && strings.EqualFold(v, l.Value) }
		if q != p && (theirs(q.Email) || theirs(q.Facts["email"])) && !theirs(p.Email) && !theirs(p.Facts["email"]) {
			return q
		}
	}
	return nil
}
