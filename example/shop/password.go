package shop

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Passwords are kept as argon2id in PHC form, with the parameters that RFC 9106
// and OWASP name for servers of small memory.
const (
	argonTime    = 2
	argonThreads = 1
)

// argonMemory is in KiB. It is a variable for tests, which hash a great many.
var argonMemory uint32 = 19 * 1024

// hashing bounds how many passwords are hashed at once: each takes 19 MiB.
var hashing = make(chan struct{}, 4)

// argon2id is the slow part.
func argon2id(ctx context.Context, password string, salt []byte) ([]byte, error) {
	select {
	case hashing <- struct{}{}:
		defer func() { <-hashing }()
		return argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, 32), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func hashPassword(ctx context.Context, password string) (string, error) {
	salt := make([]byte, 16)
	rand.Read(salt)
	key, err := argon2id(ctx, password, salt)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, argonMemory, argonTime, argonThreads, b64.EncodeToString(salt), b64.EncodeToString(key)), err
}

// checkPassword takes as long for a hash that nobody has ("") as for any other,
// so that the time does not tell which accounts exist.
func checkPassword(ctx context.Context, hash, password string) (bool, error) {
	salt, want := make([]byte, 16), make([]byte, 32)
	if parts := strings.Split(hash, "$"); len(parts) == 6 {
		var err1, err2 error
		salt, err1 = base64.RawStdEncoding.DecodeString(parts[4])
		want, err2 = base64.RawStdEncoding.DecodeString(parts[5])
		if err1 != nil || err2 != nil {
			return false, errors.New("shop: a password hash is damaged")
		}
	}
	got, err := argon2id(ctx, password, salt)
	if err != nil {
		return false, err
	}
	return hash != "" && subtle.ConstantTimeCompare(got, want) == 1, nil
}
