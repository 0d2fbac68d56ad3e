package check

import "github.com/parley-project/parley/exchange"

// TLSWeakCertificate flags keys and signatures that can be broken.
var TLSWeakCertificate = &Check{
	ID:      "tls-weak-certificate",
	Aliases: []string{"sha1", "weak-key", "weak-signature", "rsa-1024"},
	Title:   "the certificate's key or signature is weak",
	Doc: `Who can find the key behind a certificate, or forge the signature on one, is
the server for everybody. Signatures with MD5 have been forged, and SHA-1 has
been broken; RSA below 2048 bits is within reach (NIST SP 800-131A). The
signature on a root is not judged: nobody relies on it. A lifetime of more than
825 days is a weakness of another kind: a stolen key stays good that long, and
Apple's systems refuse it.`,
	Fix:  "Make a new key (ECDSA P-256, or RSA of 2048 bits) and have a certificate issued with SHA-256, for 90 days or less.",
	Step: StepTLS, Severity: High, OWASP: "API8:2023", CWE: 326, Conversation: []int{50},
	Needs: SawTrust,

	Inspect: func(p *Pass) {
		mild := Medium
		found := problems(p, "weak-signature", "weak-key")
		if len(found) == 0 {
			mild = exchange.Low
		}
		findProblems(p, mild, append(found, problems(p, "lifetime")...))
	},
}
