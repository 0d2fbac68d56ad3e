package script

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Dynamic is a value that is made anew each time, such as $guid or $timestamp.
// The names are those of Postman, and the few more of .http files, which take
// arguments: "$randomInt 1 10", "$datetime iso8601 -1 d".
func Dynamic(name string, now time.Time) (string, bool) {
	if env, ok := strings.CutPrefix(name, "$env."); ok { // of JetBrains
		return os.LookupEnv(env)
	}
	if call, arguments, ok := strings.Cut(name, "("); ok && strings.HasSuffix(arguments, ")") { // $random.integer(1, 10)
		name = call + " " + strings.ReplaceAll(strings.TrimSuffix(arguments, ")"), ",", " ")
	}
	words := strings.Fields(name)
	if len(words) == 0 {
		return "", false
	}
	f, ok := dynamics[strings.TrimPrefix(words[0], "$")]
	if !ok {
		return "", false
	}
	return f(words[1:], now)
}

// DynamicNames are those that Dynamic knows, sorted.
func DynamicNames() []string {
	names := make([]string, 0, len(dynamics))
	for n := range dynamics {
		names = append(names, "$"+n)
	}
	slices.Sort(names)
	return names
}

type dynamic = func(args []string, now time.Time) (string, bool)

var dynamics map[string]dynamic

// The table reaches functions that look into it.
func init() {
	d := map[string]dynamic{
		"guid":                value(guid),
		"randomUUID":          value(guid),
		"uuid":                value(guid),
		"timestamp":           timestamp,
		"isoTimestamp":        func(_ []string, t time.Time) (string, bool) { return t.UTC().Format("2006-01-02T15:04:05.000Z"), true },
		"datetime":            func(a []string, t time.Time) (string, bool) { return datetime(a, t.UTC()) },
		"localDatetime":       func(a []string, t time.Time) (string, bool) { return datetime(a, t.Local()) },
		"randomInt":           randomInt,
		"random.integer":      randomInt,
		"random.uuid":         value(guid),
		"random.alphabetic":   letterN("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
		"random.alphanumeric": letterN("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"),
		"random.hexadecimal":  letterN("0123456789abcdef"),
		"random.email": value(func() string {
			return strings.ToLower(pick("randomFirstName")) + strconv.Itoa(below(1000)) + "@mail.test"
		}),
		"processEnv":         environment,
		"randomBoolean":      value(func() string { return strconv.FormatBool(below(2) == 1) }),
		"randomAlphaNumeric": value(func() string { return letters("abcdefghijklmnopqrstuvwxyz0123456789", 1) }),
		"randomHexadecimal":  value(func() string { return "0x" + letters("0123456789abcdef", 1) }),
		"randomHexColor":     value(func() string { return "#" + letters("0123456789abcdef", 6) }),
		"randomPassword":     value(func() string { return letters("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", 15) }),
		"randomIP":           value(func() string { return fmt.Sprintf("%d.%d.%d.%d", below(256), below(256), below(256), below(256)) }),
		"randomIPV6":         value(func() string { return ipv6() }),
		"randomMACAddress":   value(mac),
		"randomPort":         value(func() string { return strconv.Itoa(1024 + below(64512)) }),
		"randomSemver":       value(func() string { return fmt.Sprintf("%d.%d.%d", below(10), below(10), below(10)) }),
		"randomPrice":        value(func() string { return fmt.Sprintf("%d.%02d", below(1000), below(100)) }),
		"randomBankAccount":  value(func() string { return letters("0123456789", 8) }),
		"randomLatitude":     value(func() string { return fmt.Sprintf("%.4f", float64(below(1800000))/10000-90) }),
		"randomLongitude":    value(func() string { return fmt.Sprintf("%.4f", float64(below(3600000))/10000-180) }),
		"randomPhoneNumber":  value(func() string { return fmt.Sprintf("%03d-%03d-%04d", 200+below(800), below(1000), below(10000)) }),
		"randomFullName":     value(func() string { return pick("randomFirstName") + " " + pick("randomLastName") }),
		"randomUserName": value(func() string {
			return pick("randomFirstName") + "_" + pick("randomLastName") + strconv.Itoa(below(100))
		}),
		"randomEmail": value(func() string {
			return strings.ToLower(pick("randomFirstName")) + strconv.Itoa(below(1000)) + "@mail.test"
		}),
		"randomExampleEmail": value(func() string {
			return strings.ToLower(pick("randomFirstName")) + strconv.Itoa(below(1000)) + "@example.com"
		}),
		"randomDomainName": value(func() string { return pick("randomLoremWord") + ".test" }),
		"randomUrl":        value(func() string { return "https://" + pick("randomLoremWord") + ".test/" }),
		"randomStreetAddress": value(func() string {
			return strconv.Itoa(1+below(999)) + " " + pick("randomLastName") + " " + pick("randomStreetName")
		}),
		"randomLoremWords":     value(func() string { return many("randomLoremWord", 3) }),
		"randomLoremSentence":  value(sentence),
		"randomPhrase":         value(sentence),
		"randomLoremParagraph": value(func() string { return sentence() + " " + sentence() + " " + sentence() }),
		"randomLoremSlug":      value(func() string { return strings.ReplaceAll(many("randomLoremWord", 3), " ", "-") }),
		"randomFileName":       value(func() string { return pick("randomLoremWord") + "." + pick("randomFileExt") }),
		"randomDatePast":       days(-365, 0),
		"randomDateFuture":     days(0, 365),
		"randomDateRecent":     days(-1, 0),
	}
	for name := range words {
		d[name] = value(func() string { return pick(name) })
	}
	dynamics = d
}

// words are what is picked from.
var words = map[string]string{
	"randomFirstName":      "Ada Bela Chen Dana Elif Femi Gita Hana Ivan Jana Kofi Lena Mina Noor Omar Priya Rajan Sami Tara Yuki",
	"randomLastName":       "Abe Berg Costa Diaz Eze Faber Gupta Haas Ito Jensen Khan Lind Mora Novak Okoye Patel Rossi Sato Tran Weiss",
	"randomNamePrefix":     "Mr. Mrs. Ms. Dr.",
	"randomNameSuffix":     "Jr. Sr. II III PhD",
	"randomJobTitle":       "Engineer Analyst Manager Designer Architect Consultant",
	"randomCity":           "Accra Berlin Cairo Delhi Lima Lyon Oslo Osaka Porto Quito Tunis Turin",
	"randomCountry":        "Brazil Chile Egypt France Ghana India Italy Japan Kenya Norway Peru Portugal",
	"randomCountryCode":    "BR CL EG FR GH IN IT JP KE NO PE PT",
	"randomStreetName":     "Street Road Lane Avenue Square",
	"randomLoremWord":      "amber brook cedar delta ember fjord grove harbor island juniper kelp lagoon meadow north ocean pebble quartz river stone tide",
	"randomWord":           "signal packet socket header cookie token cipher record stream window",
	"randomNoun":           "server client proxy gateway router cache queue store",
	"randomVerb":           "send receive parse connect store replay verify compress",
	"randomAdjective":      "open secure remote local quick quiet bright solid",
	"randomColor":          "red green blue black white yellow orange purple teal gray",
	"randomCompanyName":    "Amberworks Northwind Fjordline Cedarcraft Quartzlab Tidewater",
	"randomProduct":        "Chair Table Lamp Shoes Shirt Bike Keyboard Mouse",
	"randomProductName":    "Chair Table Lamp Shoes Shirt Bike Keyboard Mouse",
	"randomDepartment":     "Books Garden Music Sports Tools Toys",
	"randomCurrencyCode":   "EUR USD GBP JPY INR CHF NOK BRL",
	"randomCurrencySymbol": "€ $ £ ¥ ₹",
	"randomMonth":          "January February March April May June July August September October November December",
	"randomWeekday":        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
	"randomProtocol":       "http https",
	"randomDomainSuffix":   "com org net io",
	"randomLocale":         "de en es fr it ja pt",
	"randomFileExt":        "txt csv json xml pdf png",
	"randomFileType":       "text image audio video application",
	"randomMimeType":       "text/plain application/json image/png application/pdf",
	"randomCommonFileExt":  "txt pdf png jpeg html",
	"randomUserAgent":      "Parley",
}

func value(f func() string) dynamic {
	return func([]string, time.Time) (string, bool) { return f(), true }
}

// below is a random number from 0 to n-1.
func below(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		return 0
	}
	return int(i.Int64())
}

func pick(name string) string {
	all := strings.Fields(words[name])
	return all[below(len(all))]
}

func many(name string, n int) string {
	var out []string
	for range n {
		out = append(out, pick(name))
	}
	return strings.Join(out, " ")
}

func sentence() string {
	s := many("randomLoremWord", 6) + "."
	return strings.ToUpper(s[:1]) + s[1:]
}

func letters(of string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = of[below(len(of))]
	}
	return string(b)
}

// guid is a random UUID (RFC 9562, 5.4).
func guid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func ipv6() string {
	var b [16]byte
	rand.Read(b[:])
	var parts []string
	for i := 0; i < len(b); i += 2 {
		parts = append(parts, hex.EncodeToString(b[i:i+2]))
	}
	return strings.Join(parts, ":")
}

func mac() string {
	var parts []string
	for range 6 {
		parts = append(parts, letters("0123456789abcdef", 2))
	}
	return strings.Join(parts, ":")
}

// randomInt is from 0 to 1000, or between the two arguments, the second left
// out.
func randomInt(args []string, _ time.Time) (string, bool) {
	from, to := 0, 1001
	if len(args) == 2 {
		a, err1 := strconv.Atoi(args[0])
		b, err2 := strconv.Atoi(args[1])
		if err1 != nil || err2 != nil || b <= a || b-a <= 0 {
			return "", false
		}
		from, to = a, b
	} else if len(args) != 0 {
		return "", false
	}
	return strconv.Itoa(from + below(to-from)), true
}

// letterN is as many letters as its argument says.
func letterN(of string) dynamic {
	return func(args []string, _ time.Time) (string, bool) {
		if len(args) != 1 {
			return "", false
		}
		n, err := strconv.Atoi(args[0])
		if err != nil || n < 0 || n > 100_000 {
			return "", false
		}
		return letters(of, n), true
	}
}

func environment(args []string, _ time.Time) (string, bool) {
	if len(args) != 1 {
		return "", false
	}
	return os.LookupEnv(strings.TrimPrefix(args[0], "%"))
}

func timestamp(args []string, now time.Time) (string, bool) {
	t, ok := offset(args, now)
	return strconv.FormatInt(t.Unix(), 10), ok
}

// offset adds arguments such as "-1 d".
func offset(args []string, t time.Time) (time.Time, bool) {
	if len(args) == 0 {
		return t, true
	}
	if len(args) != 2 {
		return t, false
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return t, false
	}
	switch args[1] {
	case "y":
		return t.AddDate(n, 0, 0), true
	case "M":
		return t.AddDate(0, n, 0), true
	case "w":
		return t.AddDate(0, 0, 7*n), true
	case "d":
		return t.AddDate(0, 0, n), true
	case "h":
		return t.Add(time.Duration(n) * time.Hour), true
	case "m":
		return t.Add(time.Duration(n) * time.Minute), true
	case "s":
		return t.Add(time.Duration(n) * time.Second), true
	case "ms":
		return t.Add(time.Duration(n) * time.Millisecond), true
	}
	return t, false
}

func datetime(args []string, now time.Time) (string, bool) {
	if len(args) == 0 {
		return now.Format(time.RFC3339), true
	}
	t, ok := offset(args[1:], now)
	switch args[0] {
	case "iso8601":
		return t.Format("2006-01-02T15:04:05.000Z07:00"), ok
	case "rfc1123":
		return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), ok
	}
	return "", false
}

func days(from, to int) dynamic {
	return func(_ []string, now time.Time) (string, bool) {
		seconds := from*86400 + below((to-from)*86400)
		return now.Add(time.Duration(seconds) * time.Second).Format(time.RFC3339), true
	}
}
