package wire

import (
	"slices"
	"sync"
)

// Groups returns all groups that have a name in IANA's registry, and drafts
// that were deployed, those first that are best today.
func Groups() []Group { return slices.Clone(allGroups()) }

var allGroups = sync.OnceValue(func() []Group {
	all := []Group{X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024, X25519, SecP256r1, SecP384r1, SecP521r1}
	for _, n := range namedGroups().numbers {
		// The two for explicit curves name no group.
		if g := Group(n); g < 0xFF01 && !slices.Contains(all, g) {
			all = append(all, g)
		}
	}
	return all
})

// FiniteField reports whether the group is one of RFC 7919.
func (g Group) FiniteField() bool { return g >= 0x100 && g <= 0x1FF }

// TLS13Only reports whether the group is of no use before TLS 1.3.
func (g Group) TLS13Only() bool {
	return g >= 31 && g <= 33 || g == 41 || g >= 0x200 && g < 0xFF01
}

const groupTable = `
1: sect163k1 sect163r1 sect163r2 sect193r1 sect193r2 sect233k1 sect233r1 sect239k1
   sect283k1 sect283r1 sect409k1 sect409r1 sect571k1 sect571r1
   secp160k1 secp160r1 secp160r2 secp192k1 secp192r1 secp224k1 secp224r1
   secp256k1 secp256r1 secp384r1 secp521r1
   brainpoolP256r1 brainpoolP384r1 brainpoolP512r1 x25519 x448
   brainpoolP256r1tls13 brainpoolP384r1tls13 brainpoolP512r1tls13
   GC256A GC256B GC256C GC256D GC512A GC512B GC512C curveSM2
100: ffdhe2048 ffdhe3072 ffdhe4096 ffdhe6144 ffdhe8192
200: MLKEM512 MLKEM768 MLKEM1024
11eb: SecP256r1MLKEM768 X25519MLKEM768 SecP384r1MLKEM1024 curveSM2MLKEM768
6399: X25519Kyber768Draft00 SecP256r1Kyber768Draft00
ff01: arbitrary_explicit_prime_curves arbitrary_explicit_char2_curves
`
