// Package scan asks the questions an attacker would, as two people.
//
// It learns what an API has, from its description or from traffic, makes
// objects of its own there as several people, and lets the checks of package
// check ask what one gets of another's. What it reports as confirmed was
// proved: by a text that only the victim planted and that the attacker read, or
// by a change that the victim reads back. It changes nothing but what it made,
// and takes that away again.
package scan

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/parley-project/parley/call"
	"github.com/parley-project/parley/check"
	"github.com/parley-project/parley/contract"
	"github.com/parley-project/parley/exchange"
	"github.com/parley-project/parley/identity"
)

// Options say what is asked, as whom, and how much.
type Options struct {
	// URL is where the API is: scheme and authority. A path is not looked at:
	// the contract has it.
	URL string
	// Contract is what is known of the API, File what it was loaded from.
	Contract *contract.Contract
	File     string
	// Learnt is true when the contract was learnt from traffic: what it does not
	// say means nothing.
	Learnt bool
	// Used says who was seen to use an operation in traffic, by the operation's
	// name: roles, or names where a credential has no roles.
	Used map[string][]string
	// People are who asks, the victim first, the attacker second; further ones
	// have other roles, or other tenants.
	People []*identity.Person
	// Call is how requests are made. Source, Redirects and Recorder are set here.
	Call call.Options
	// Recorder keeps the exchanges. Nil keeps none.
	Recorder exchange.Recorder
	// Only are the IDs of the checks that are asked; empty asks all.
	Only []string
	// Operations are the names of those that are asked about; empty asks about
	// all. What there is is looked around for all the same.
	Operations []string
	// Shadow are the names of operations that traffic showed and that the
	// description does not have: it is not held against them.
	Shadow []string
	// Deep asks a TLS server for all versions and suites that it takes.
	Deep bool
	// Gentle leaves out what needs many requests.
	Gentle bool
	// NoSignUp registers nobody.
	NoSignUp bool
	// SigningKey signs tokens of the API: PEM or JWK. Nil: it is not known.
	SigningKey []byte
	// MaxRequests and MaxTime bound the whole. Zero means 20,000 and 30m.
	MaxRequests int
	MaxTime     time.Duration
	// Pause is waited before each request. Zero waits not at all.
	Pause time.Duration
	// Journal is a file that remembers what is to be undone; empty keeps it in
	// memory only.
	Journal string
	// Progress is told what is being asked. Nil tells nobody.
	Progress func(Progress)
}

// Progress is how far a scan is.
type Progress struct {
	Phase    string // "looking around", the ID of a check, "cleaning up"
	Asking   string // "GET /v1/orders/{id} as rajan"
	Requests int
	Done, Of int // checks
	Findings int
}

// A scanner is one scan under way.
type scanner struct {
	o      Options
	base   string // scheme and authority
	client *call.Client
	// upgrades speaks HTTP/1.1 and nothing newer.
	upgrades *call.Client
	trial    *check.Trial
	auth     map[*check.Person]identity.Auth
	checks   []*check.Check

	ctx      context.Context
	deadline time.Time
	listener *listener
	journal  *journal

	samples   map[string]*check.Endpoint // by operation's name
	known     map[*check.Resource]map[*check.Person][]*check.Object
	listing   map[*check.Object][]check.Leaf  // what a list says of an item
	perhapsOf map[*check.Object]*check.Person // whose a thing may have become
	unsure    map[*check.Resource]bool        // whose answers named what is not the scan's
	existing  map[string]bool                 // item path and ID of what was there before
	made      []*check.Object
	spares    int
	dead      map[*check.Person]string
	alive     *check.Endpoint
	above     map[*check.Endpoint]map[*check.Person]*exchange.Exchange // see askAbove
	// What people besides attackers got when they changed the victim's; see askColleagues.
	wrote        map[*check.Resource]map[*check.Person]*exchange.Exchange
	peersRefused map[*check.Resource]bool
	ofOthers     map[int]int // answers to what is another's, by status

	res         *Result
	findings    map[string]*Finding
	pending     []*check.Flaw // of the check that asks
	progress    Progress
	markSeed    string
	marks       int
	cells       map[cellKey]*Cell
	undo        map[*check.Object]int // place in the journal
	changes     map[int]*check.Ask    // to be undone, by place in the journal
	inJournal   map[*check.Person]bool
	tags        map[string]string          // the last version seen, by path
	proved      map[*check.Endpoint][]byte // bodies that were taken
	forged      map[exchange.ID]string     // whose credential was forged
	versioned   map[*check.Endpoint]bool   // whose changes must name a version
	media       map[*check.Endpoint]string // what bodies are called, where the usual name is not taken
	streams     map[*check.Endpoint]bool   // whose answers have no end
	held        int64                      // bytes of answers
	intents     map[string]int             // places in the journal, by item path and person
	perhaps     int                        // place of what the last request may have made
	logins      []*exchange.Exchange       // that identities made
	registering bool                       // somebody for the scan: who was made is noted there
	lastMade    judged                     // what the last answer says was made
	quiet       bool                       // what is sent is the scan's own
	stopped     string                     // why nothing more is asked
	silent      int                        // requests in a row that were not answered
	// imagined answers instead of the API, for a plan.
	imagined func(a *check.Ask, operation string) *exchange.Exchange
}

// Limits of what is kept of answers: of one, and of all together. What comes
// after that is kept in short.
const (
	maxBody     = 1 << 20
	maxTransfer = 16 << 20
	maxHeld     = 256 << 20
	maxShort    = 4 << 10
)

// Run scans an API. An error says why nothing could be learnt; a scan that was
// broken off is a Result that says so.
func Run(ctx context.Context, o Options) (*Result, error) {
	s, err := begin(ctx, o)
	if err != nil {
		return nil, err
	}
	defer s.client.Close()
	defer s.upgrades.Close()
	defer s.listener.close()
	defer s.journal.close()
	if err := s.survey(); err != nil {
		s.clean()
		return nil, err
	}
	s.probe()
	s.clean()
	return s.finish(), nil
}

func begin(ctx context.Context, o Options) (*scanner, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("scan: %q is no address of an API", o.URL)
	}
	if o.MaxRequests == 0 {
		o.MaxRequests = 20_000
	}
	if o.MaxTime == 0 {
		o.MaxTime = 30 * time.Minute
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	s := &scanner{o: o, base: u.Scheme + "://" + u.Host, ctx: ctx, deadline: time.Now().Add(o.MaxTime),
		auth: map[*check.Person]identity.Auth{}, samples: map[string]*check.Endpoint{},
		known: map[*check.Resource]map[*check.Person][]*check.Object{}, listing: map[*check.Object][]check.Leaf{}, perhapsOf: map[*check.Object]*check.Person{}, unsure: map[*check.Resource]bool{}, existing: map[string]bool{},
		dead: map[*check.Person]string{}, tags: map[string]string{}, streams: map[*check.Endpoint]bool{}, media: map[*check.Endpoint]string{}, versioned: map[*check.Endpoint]bool{}, forged: map[exchange.ID]string{}, proved: map[*check.Endpoint][]byte{}, undo: map[*check.Object]int{}, changes: map[int]*check.Ask{}, inJournal: map[*check.Person]bool{}, intents: map[string]int{}, findings: map[string]*Finding{}, markSeed: strings.ToLower(rand.Text()[:8])}
	s.res = &Result{Schema: Schema, Target: s.base, Title: o.Contract.Title, Start: time.Now()}
	s.res.Partial = len(o.Only) > 0 || len(o.Operations) > 0 || o.Gentle
	for _, c := range check.All {
		if len(o.Only) == 0 || slices.Contains(o.Only, c.ID) {
			s.checks = append(s.checks, c)
		}
	}
	co := o.Call
	co.Source, co.Redirects, co.Jar = exchange.FromScan, 0, nil
	co.Recorder = logInWitness{s}
	if co.Timeout == 0 {
		co.Timeout = 10 * time.Second
	}
	if co.MaxBody == 0 {
		co.MaxBody = maxBody
	}
	if co.MaxTransfer == 0 {
		co.MaxTransfer = maxTransfer
	}
	if s.client, err = call.New(co); err != nil {
		return nil, err
	}
	co.HTTP = "1.1"
	if s.upgrades, err = call.New(co); err != nil {
		s.client.Close()
		return nil, err
	}
	if s.journal, err = openJournal(o.Journal); err != nil {
		s.client.Close()
		s.upgrades.Close()
		return nil, err
	}
	s.listener = listen()
	s.trial = &check.Trial{Contract: o.Contract, Declared: !o.Learnt, Gentle: o.Gentle, SigningKey: o.SigningKey,
		Listener: s.listener.url(), Heard: s.listener.heard,
		Ask: s.ask, Request: s.request, Make: s.make, Adopt: s.adoptMade, Look: s.look, Alive: s.isAlive, Mark: s.mark, Remember: s.remember, Found: s.found}
	if s.trial.Listener == "" {
		s.trial.Heard = nil
	}
	return s, nil
}

// probe lets each check ask.
func (s *scanner) probe() {
	if all := s.trial.Endpoints; len(s.o.Operations) > 0 {
		defer func() { s.trial.Endpoints = all }()
		s.trial.Endpoints = nil
		for _, e := range all {
			if slices.Contains(s.o.Operations, e.Name) {
				s.trial.Endpoints = append(s.trial.Endpoints, e)
			}
		}
	}
	for i, c := range s.checks {
		s.progress.Phase, s.progress.Done, s.progress.Of = c.ID, i, len(s.checks)
		if c.Probe == nil || s.stopped != "" {
			continue
		}
		s.pending = nil
		s.trial.Probe(c)
		s.settle(c)
	}
}

// settle takes over what a check found, unless somebody it was asked with died
// meanwhile: then nothing that was refused means anything.
func (s *scanner) settle(c *check.Check) {
	flaws := s.pending
	s.pending = nil
	for _, p := range s.trial.People {
		if s.dead[p] != "" || s.ctx.Err() != nil {
			continue
		}
		if len(flaws) > 0 && !s.isAlive(p) {
			s.note("%s ended: the credential of %s no longer works", c.ID, p.Name)
		}
	}
	for _, f := range flaws {
		if s.dead[f.By] != "" || s.dead[f.Of] != "" {
			continue
		}
		s.add(f)
	}
}

func (s *scanner) found(f *check.Flaw) { s.pending = append(s.pending, f) }

// mark makes a text that occurs nowhere else: small letters and digits, so that
// most patterns take it.
func (s *scanner) mark() string {
	s.marks++
	return fmt.Sprintf("parley%s%03d", s.markSeed, s.marks)
}

func (s *scanner) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(s.res.Notes, text) {
		s.res.Notes = append(s.res.Notes, text)
	}
}
