package identity

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-project/parley/internal/needs"
)

type vectors struct {
	TestGroups []struct {
		Comment         string
		Public, Private json.RawMessage
		Tests           []struct {
			TcID    int
			Result  string
			JWS     string
			JWE     string
			Comment string
		}
	}
}

func readVectors(t *testing.T, name string) vectors {
	dir := os.Getenv("PARLEY_FIXTURES")
	if dir == "" {
		t.Skip("PARLEY_FIXTURES is not set")
	}
	data, err := os.ReadFile(filepath.Join(dir, "jwt", "wycheproof", name))
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// everyAlgorithm is the worst configuration for the verifier: only the key
// says what is right.
func everyAlgorithm(secret bool) []*algorithm {
	var out []*algorithm
	for _, a := range algorithms {
		if a.secret == secret {
			out = append(out, a)
		}
	}
	return out
}

// accepts reports whether a token is proved by a JWK or JWK Set, whichever
// family of algorithms is configured.
func accepts(token string, keys []byte) bool {
	set, err := parseKeys(keys)
	if err != nil {
		return false
	}
	for _, secret := range []bool{false, true} {
		if _, err := verifyJWS(token, set, everyAlgorithm(secret)); err == nil {
			return true
		}
	}
	return false
}

// contested vectors are marked valid, but the key's alg contradicts the token
// (346, 347, 350, 351), or there is a foreign character in the base64url (372,
// 373). To refuse them is right.
var contested = map[int]bool{346: true, 347: true, 350: true, 351: true, 372: true, 373: true}

func TestWycheproof(t *testing.T) {
	for _, file := range []string{"json_web_signature_test.json", "json_web_key_test.json"} {
		valid, invalid, disputed, contradictory := 0, 0, 0, 0
		for _, g := range readVectors(t, file).TestGroups {
			keys := g.Public
			if keys == nil {
				keys = g.Private
			}
			// A token that the file itself calls both valid and invalid under
			// one key proves nothing about us, and is counted apart.
			valids := map[string]bool{}
			for _, c := range g.Tests {
				valids[c.JWS] = valids[c.JWS] || c.Result == "valid"
			}
			for _, c := range g.Tests {
				got := accepts(c.JWS, keys)
				switch {
				case c.Result == "invalid" && valids[c.JWS]:
					contradictory++
					t.Logf("%s %d (%s): is byte for byte a token that the same group calls valid", file, c.TcID, c.Comment)
				case file == "json_web_signature_test.json" && contested[c.TcID]:
					disputed++
					if got {
						t.Errorf("%s %d: contested vector accepted, want refused", file, c.TcID)
					}
				case c.Result == "valid":
					valid++
					if !got {
						set, err := parseKeys(keys)
						t.Errorf("%s %d (%s): valid vector refused; keys %+v %v", file, c.TcID, g.Comment, set, err)
					}
				default:
					invalid++
					if got {
						t.Errorf("%s %d (%s): invalid vector accepted", file, c.TcID, g.Comment)
					}
				}
			}
		}
		needs.Figure(t, "wycheproof, "+strings.TrimSuffix(file, "_test.json"), "%d valid accepted, %d invalid refused, %d contested refused, %d contradict themselves", valid, invalid, disputed, contradictory)
	}
}

func TestWycheproofJWE(t *testing.T) {
	n := 0
	for _, g := range readVectors(t, "json_web_encryption_test.json").TestGroups {
		for _, c := range g.Tests {
			for _, keys := range []json.RawMessage{g.Public, g.Private} {
				if keys != nil && accepts(c.JWE, keys) {
					t.Errorf("JWE %d accepted", c.TcID)
				}
			}
			n++
		}
	}
	needs.Figure(t, "wycheproof, json_web_encryption", "%d refused", n)
}
