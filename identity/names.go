package identity

import (
	"bytes"
	"strings"
)

// Names of parameters, members and fields are compared without case and
// without "-" and "_": accessToken, access_token and Access-Token are one. Of
// a path such as user[password] or user.password the last part counts.

// fold writes a name in that form into buf and returns it; names too long for
// buf are no names of secrets.
func fold(buf *[32]byte, name string) []byte {
	n := 0
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c == '-' || c == '_' || c == ']' || c == ' ':
			continue
		case c == '[' || c == '.':
			if strings.Trim(name[i+1:], "[]. ") != "" {
				n = 0
			}
			continue
		}
		if n == len(buf) {
			return nil
		}
		buf[n] = c
		n++
	}
	return buf[:n]
}

// A set of names, in folded form.
type names map[string]struct{}

func nameSet(lists ...string) names {
	s := names{}
	for _, list := range lists {
		for _, n := range strings.Fields(list) {
			s[n] = struct{}{}
		}
	}
	return s
}

func (s names) has(folded []byte) bool {
	_, ok := s[string(folded)]
	return ok
}

const (
	// digitNames are secrets that may be written as a number.
	digitNames = "password passwd pwd passcode pin otp totp cvv cvc cvv2 cvc2 csc secret token securitycode onetimecode onetimepassword mfacode"
	// secretWords are the other names of secrets, wherever they stand.
	secretWords = "passwords passphrase passphrases secrets tokens jwt jwts bearer credential credentials " +
		"apikeys authorization proxyauthorization cookie cookies setcookie session sessionid sid sessionkey jsessionid phpsessid " +
		"secretaccesskey passwordsalt passwordsalts pwhash hashedpassword recoverycode recoverycodes " +
		"backupcodes onetimecodes xamzsignature xgoogsignature parleytrace xauth"
	// urlWords are names of secrets in URLs and forms only, and only of values
	// of some length: elsewhere "key" and "code" are everyday words.
	urlWords = "key code sig signature"
)

var (
	digits     = nameSet(digitNames)
	secrets    = nameSet(digitNames, secretWords)
	urlSecrets = nameSet(digitNames, secretWords, urlWords)
	everyday   = nameSet(urlWords)
)

// secretEndings end the names of secrets, as in newPassword or client_secret.
var secretEndings = [][]byte{
	[]byte("password"), []byte("passwd"), []byte("secret"), []byte("token"), []byte("apikey"), []byte("secretkey"),
	[]byte("privatekey"), []byte("accesskey"), []byte("subscriptionkey"), []byte("authkey"), []byte("masterkey"), []byte("functionskey"),
	[]byte("sharedkey"), []byte("accountkey"), []byte("applicationkey"), []byte("appkey"), []byte("signingkey"), []byte("encryptionkey"), []byte("passphrase"), []byte("passwordhash"), []byte("passwdhash"), []byte("sessionid"),
}

// cursors are tokens that only say where a list goes on.
var cursors = nameSet("pagetoken nextpagetoken previouspagetoken prevpagetoken nexttoken continuationtoken synctoken nextsynctoken cursortoken")

// lastPairs are the two letters that names of secrets end with: most names
// end with others, and one look is enough.
var lastPairs = func() (t [1 << 10]bool) {
	for n := range urlSecrets {
		t[pair(n)] = true
	}
	for _, e := range secretEndings {
		t[pair(string(e))] = true
	}
	return t
}()

func isLetter(c byte) bool { c |= 0x20; return 'a' <= c && c <= 'z' }

func pair(name string) int {
	return int(name[len(name)-2]&31)<<5 | int(name[len(name)-1]&31)
}

// isSecretName reports whether a name is that of a secret: one of the set, or
// one with an ending of secrets. digits says that a number may be one, too.
func isSecretName(set names, name string) (secret, digit bool) {
	if len(name) < 3 {
		return false, false
	}
	if y, z := name[len(name)-2], name[len(name)-1]; isLetter(y) && isLetter(z) && !lastPairs[pair(name)] {
		return false, false
	}
	var buf [32]byte
	f := fold(&buf, name)
	if len(f) < 3 {
		return false, false
	}
	if set.has(f) {
		return true, digits.has(f)
	}
	for _, e := range secretEndings {
		if bytes.HasSuffix(f, e) {
			return !cursors.has(f), false
		}
	}
	return false, false
}

// minEveryday is the length from which the value of an everyday name is taken
// for a secret.
const minEveryday = 8

// isSecretParameter reports whether a parameter of a URL or form is secret.
func isSecretParameter(name, value string) bool {
	secret, _ := isSecretName(urlSecrets, name)
	if !secret || len(value) >= minEveryday {
		return secret
	}
	var buf [32]byte
	return !everyday.has(fold(&buf, name))
}

// SecretName reports whether a field, cookie or member of that name carries a
// secret.
func SecretName(name string) bool {
	secret, _ := isSecretName(secrets, name)
	return secret
}

// SecretParameter is the same for a parameter of a URL or form, decoded.
func SecretParameter(name, value string) bool { return value != "" && isSecretParameter(name, value) }
