package check

import (
	"crypto/hmac"
	"encoding/base64"
	"strings"
)

// guesses are the secrets that tokens are signed with in tutorials, in files
// that nobody changed and where somebody was in a hurry.
var guesses = strings.Fields(`secret secretkey secret_key secret-key mysecret my_secret my-secret mysecretkey my_secret_key my-secret-key
	supersecret super_secret super-secret supersecretkey super_secret_key super-secret-key topsecret top_secret verysecret
	your-256-bit-secret your-384-bit-secret your-512-bit-secret your_jwt_secret your-secret-key yoursecretkey your_secret_key yoursecret
	jwt jwtsecret jwt_secret jwt-secret jwtsecretkey jwt_secret_key jwt-secret-key jwtkey jwt_key JWT_SECRET JWT_SECRET_KEY SECRET SECRET_KEY
	key private privatekey private_key signingkey signing_key signing-key token tokensecret token_secret access access_secret
	changeme change_me change-me changeit please-change-me changethis default test testing test123 testsecret test_secret test-secret
	dev development devsecret dev-secret demo example sample insecure notsecret not-so-secret notsosecret shhhh shhhhh
	password password1 password123 passw0rd Password123 pass pass123 admin admin123 administrator root toor qwerty qwerty123 letmein welcome
	123456 1234567 12345678 123456789 1234567890 0123456789 111111 000000 abc123 abcdef abcdefg a1b2c3 1q2w3e4r iloveyou monkey dragon
	hello helloworld hello-world foobar foo bar django-insecure flask express node nodejs spring springboot laravel rails api apisecret
	api_secret api-secret apikey api_key app appsecret app_secret app-secret application backend server auth authsecret auth_secret
	login session sessionsecret session_secret keyboardcat cat crypto hmac hs256 HS256 sha256 none null undefined true false 0 1`)

// guess tries the list on a token that was signed with a secret.
func (k *token) guess() (string, bool) {
	if !k.secret() {
		return "", false
	}
	i := strings.LastIndexByte(k.text, '.')
	sig, err := base64.RawURLEncoding.DecodeString(k.text[i+1:])
	if err != nil {
		return "", false
	}
	for _, g := range append([]string{"", "keyboard cat", "your secret key", "my secret key"}, guesses...) {
		if hmac.Equal(secretSigner(k.alg, []byte(g)).sign([]byte(k.text[:i])), sig) {
			return g, true
		}
	}
	return "", false
}
