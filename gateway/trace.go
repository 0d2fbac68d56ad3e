package gateway

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/parley-project/parley/internal/config"
)

// ParseTrace reads the section `trace` of parley.yaml, whose file is relative
// to dir: whoever sends the key is told what guard decides.
//
//	trace:
//	  key_sha256: 9f86d0…       # in hex; or, with the key itself:
//	  key_file: trace.key
//
// It returns the key's SHA-256; nil without the section.
func ParseTrace(s config.Section, dir string) (*[sha256.Size]byte, error) {
	var f struct {
		Hash config.Section `yaml:"key_sha256"`
		File config.Section `yaml:"key_file"`
	}
	if err := s.Decode(&f); err != nil {
		return nil, err
	}
	const hint = "parley trace --new-key makes a key and its hash"
	switch {
	case !s.Present():
		return nil, nil
	case f.Hash.Present() == f.File.Present():
		return nil, s.Errorf(hint, "expected key_sha256 or key_file, one of them")
	case f.File.Present():
		key, err := secretOf(f.File, dir)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(key)
		return &sum, nil
	}
	text, _ := f.Hash.Text()
	var sum [sha256.Size]byte
	if n, err := hex.Decode(sum[:], []byte(text[:min(len(text), 2*sha256.Size)])); err != nil || n != sha256.Size || len(text) != 2*sha256.Size {
		return nil, f.Hash.Errorf(hint, "key_sha256 is not 64 digits in hex")
	}
	if sum == sha256.Sum256(nil) {
		return nil, f.Hash.Errorf(hint, "key_sha256 is that of an empty key")
	}
	return &sum, nil
}
