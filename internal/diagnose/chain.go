// Package diagnose is certificate chains and DNS answers explained. It does no
// I/O: what it must fetch is passed in.
package diagnose

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/exchange"
)

// ChainOptions say how a chain is judged.
type ChainOptions struct {
	// Name is the host name or address that the certificate must be for; empty
	// is not judged.
	Name string
	Now  time.Time
	// Roots are trusted; nil means the system's.
	Roots *x509.CertPool
	// More are trusted beside Roots.
	More []*x509.Certificate
	// Fetch gets the certificate at a URL (AIA); nil fetches nothing.
	Fetch func(ctx context.Context, url string) ([]byte, error)
	// Pins are base64 SHA-256 of an SPKI, one of which the peer's must be;
	// sha256// or sha256/ may stand before them.
	Pins []string
	// Purpose is what the leaf must be good for; zero means server
	// authentication.
	Purpose x509.ExtKeyUsage
	// AnyPurpose asks for no purpose: Purpose is then not judged.
	AnyPurpose bool
}

// The bounds of what is read. A TLS handshake of this program's carries 256 KiB
// of certificates at most, so a longer one came from a file.
const (
	maxCertificates = 32
	maxDER          = 256 << 10
	maxRSA          = 16384 // bits: verifying takes the square of it
	maxFetches      = 4
	maxSignatures   = 128
	maxPaths        = 16
	maxDepth        = 12
)

// The kinds of problems. Those that say "never fatal" are told because clients
// differ, or because they cost something; the others prevent trust, unless the
// sentence says why not.
const (
	KindExpired             = "expired"
	KindNotYetValid         = "not-yet-valid"
	KindName                = "name"
	KindNoSAN               = "no-san"
	KindSelfSigned          = "self-signed"
	KindUnknownRoot         = "unknown-root"
	KindMissingIntermediate = "missing-intermediate"
	KindOrder               = "order"     // never fatal, unless the peer's own is not first
	KindDuplicate           = "duplicate" // never fatal
	KindExtra               = "extra"     // never fatal
	KindRootSent            = "root-sent" // never fatal
	KindWeakSignature       = "weak-signature"
	KindRootSignature       = "root-signature" // never fatal: nobody relies on it
	KindWeakKey             = "weak-key"
	KindPurpose             = "purpose"
	KindNotACA              = "not-a-ca"
	KindPathLength          = "path-length"
	KindKeyUsage            = "key-usage"
	KindNameConstraint      = "name-constraint"
	KindCriticalExtension   = "unknown-critical-extension"
	KindBadSignature        = "bad-signature"
	KindPolicy              = "policy"
	KindMalformed           = "malformed"
	KindPin                 = "pin"
	KindLifetime            = "lifetime"     // never fatal
	KindNameForm            = "name-form"    // never fatal
	KindInconsistent        = "inconsistent" // never fatal
	KindNothingSent         = "nothing-sent"
	KindNoRoots             = "no-roots"
	KindRefused             = "refused" // by crypto/x509, for a reason not named above
)

// Chain explains a chain as it was sent, the peer's certificate first, in DER.
// It returns the certificates' facts and what was made of them; it never
// fails: what cannot be read is a problem of its own.
//
// Verified is what crypto/x509 says, and never more: everything else here
// explains that verdict, or makes it stricter. Revocation is not looked at.
func Chain(ctx context.Context, sent [][]byte, o ChainOptions) ([]exchange.Certificate, *exchange.Trust) {
	if o.Purpose == 0 {
		o.Purpose = x509.ExtKeyUsageServerAuth
	}
	if o.AnyPurpose {
		o.Purpose = x509.ExtKeyUsageAny
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	j := &judge{ctx: ctx, o: o, anchors: map[*x509.Certificate]anchor{}, folds: map[*x509.Certificate]folded{}}
	facts := j.read(sent)
	trust := &exchange.Trust{}
	if leaf := j.leaf(); leaf != nil {
		j.readRoots()
		j.judge(leaf, trust)
	}
	j.sort()
	trust.Problems = j.problems
	trust.Verified = trust.Verified && !slices.ContainsFunc(j.problems, func(p exchange.TrustProblem) bool { return p.Fatal })
	trust.Repaired = trust.Repaired && trust.Verified
	return facts, trust
}

// A judge is one chain before us.
type judge struct {
	ctx      context.Context
	o        ChainOptions
	roots    *x509.CertPool
	named    map[string]bool     // the roots' subjects
	folded   map[[32]byte][]byte // the same by their folded form
	folds    map[*x509.Certificate]folded
	links    []*link // what was sent and could be read, then what was fetched
	first    bool    // whether the peer's own could be read
	anchors  map[*x509.Certificate]anchor
	paths    []path
	checks   int // signatures looked at
	fetches  int
	failures []string // of fetching
	problems []exchange.TrustProblem
}

// A link is a certificate that may stand on a path.
type link struct {
	cert  *x509.Certificate
	index int // in the chain as sent; -1 when it was not sent
}

// read parses what was sent and returns the facts of each certificate.
func (j *judge) read(sent [][]byte) []exchange.Certificate {
	if len(sent) == 0 {
		j.fatal(KindNothingSent, -1, "the peer sent no certificate", "configure the server with its certificate and the intermediates above it")
	}
	if len(sent) > maxCertificates {
		j.warn(KindExtra, maxCertificates, fmt.Sprintf("%d certificates were sent; those after the first %d were not read", len(sent), maxCertificates),
			"send only the certificate and the intermediates above it")
		sent = sent[:maxCertificates]
	}
	seen := map[[32]byte]int{}
	var facts []exchange.Certificate
	for i, der := range sent {
		cert, err := parse(der)
		if err != nil {
			facts = append(facts, unreadable(der))
			// Only the peer's own is needed for sure; what stands behind it may
			// be an extra.
			j.add(exchange.TrustProblem{Kind: KindMalformed, Certificate: i, Fatal: i == 0,
				Says: fmt.Sprintf("the %s certificate sent cannot be read: %v", ordinal(i), err),
				Fix:  "have it issued again by an authority that follows RFC 5280, or remove it when it is not a certificate"})
			continue
		}
		facts = append(facts, CertificateOf(cert))
		sum := sha256.Sum256(der)
		if before, twice := seen[sum]; twice {
			j.warn(KindDuplicate, i, fmt.Sprintf("the %s certificate sent, %s, is the %s again", ordinal(i), called(cert), ordinal(before)),
				"remove the second copy from the file that the server sends")
			continue
		}
		seen[sum] = i
		if i == 0 {
			j.first = true
		}
		j.links = append(j.links, &link{cert: handled(cert), index: i})
	}
	return facts
}

func (j *judge) leaf() *link {
	if !j.first {
		return nil
	}
	return j.links[0]
}

// readRoots makes ready what is trusted.
func (j *judge) readRoots() {
	pool := j.o.Roots
	if pool == nil {
		system, err := x509.SystemCertPool()
		if err != nil {
			j.fatal(KindNoRoots, -1, fmt.Sprintf("this machine's trusted roots cannot be read: %v", err), "install the ca-certificates package, or name the roots to trust")
			system = x509.NewCertPool()
		}
		pool = system
	}
	if len(j.o.More) > 0 {
		pool = pool.Clone()
		for _, c := range j.o.More {
			pool.AddCert(c)
		}
	}
	j.roots = pool
	j.named, j.folded = map[string]bool{}, map[[32]byte][]byte{}
	// Deprecated because platforms that verify themselves tell no roots; here
	// it is only used to say more.
	//lint:ignore SA1019 see above
	for _, s := range pool.Subjects() {
		j.named[string(s)] = true
		j.folded[fold(s)] = s
	}
}

// judge asks crypto/x509 for the verdict and explains it.
func (j *judge) judge(leaf *link, trust *exchange.Trust) {
	chains, err := j.verify(leaf)
	var best path
	for {
		if err == nil {
			best = j.pathOf(shortest(chains))
			break
		}
		j.paths = nil
		j.build(path{links: []*link{leaf}})
		best = j.best()
		if best.anchored || !j.fetch(best) {
			break
		}
		if chains, err = j.verify(leaf); err == nil {
			trust.Repaired = true
		}
	}
	trust.Verified = err == nil
	for _, l := range best.links {
		trust.Path = append(trust.Path, subjectOf(l.cert))
	}

	j.end(best, err == nil)
	j.onPath(best)
	j.ofLeaf(leaf.cert)
	j.asSent(best)
	if err != nil && !slices.ContainsFunc(j.problems, func(p exchange.TrustProblem) bool { return p.Fatal }) {
		j.fatal(KindRefused, -1, "the chain is refused: "+plain(strings.TrimPrefix(err.Error(), "x509: ")), "have the certificate issued again by an authority that follows RFC 5280")
	}
}

// verify is crypto/x509's verdict on everything but the name, which has a
// sentence of its own.
func (j *judge) verify(leaf *link) ([][]*x509.Certificate, error) {
	more := x509.NewCertPool()
	for _, l := range j.links {
		if l != leaf {
			more.AddCert(j.chained(l.cert))
		}
	}
	return j.chained(leaf.cert).Verify(x509.VerifyOptions{
		Roots: j.roots, Intermediates: more, CurrentTime: j.o.Now, KeyUsages: []x509.ExtKeyUsage{j.o.Purpose},
	})
}

func shortest(chains [][]*x509.Certificate) []*x509.Certificate {
	return slices.MinFunc(chains, func(a, b []*x509.Certificate) int { return cmp.Compare(len(a), len(b)) })
}

// pinned reports whether one of the pins is the certificate's key.
func (j *judge) pinned(c *x509.Certificate) bool {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return len(j.o.Pins) == 0 || slices.ContainsFunc(j.o.Pins, func(pin string) bool {
		return bare(pin) == base64.StdEncoding.EncodeToString(sum[:])
	})
}

// IsPin reports whether a certificate can have this pin at all.
func IsPin(pin string) bool {
	sum, err := base64.StdEncoding.Strict().DecodeString(bare(pin))
	return err == nil && len(sum) == sha256.Size
}

// bare is a pin without what curl and OkHttp write before it.
func bare(pin string) string {
	return strings.TrimPrefix(strings.TrimPrefix(pin, "sha256//"), "sha256/")
}

func (j *judge) fatal(kind string, index int, says, fix string) {
	j.add(exchange.TrustProblem{Kind: kind, Certificate: index, Fatal: true, Says: says, Fix: fix})
}

func (j *judge) warn(kind string, index int, says, fix string) {
	j.add(exchange.TrustProblem{Kind: kind, Certificate: index, Says: says, Fix: fix})
}

func (j *judge) add(p exchange.TrustProblem) {
	if !slices.Contains(j.problems, p) {
		j.problems = append(j.problems, p)
	}
}

// sort puts first what prevents trust.
func (j *judge) sort() {
	slices.SortStableFunc(j.problems, func(a, b exchange.TrustProblem) int {
		if a.Fatal == b.Fatal {
			return 0
		}
		if a.Fatal {
			return -1
		}
		return 1
	})
}
